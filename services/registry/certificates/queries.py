"""Certificates with what their households are now, in the caller's divisions."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, ScalarSelect, Select, and_, func, not_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.certificates import rules
from services.registry.certificates.models import Certificate
from services.registry.households.models import Episode, Household
from shared.contracts.registry import Category, State
from shared.db import in_divisions

Rows = Sequence[RowMapping]
_ON_ASSISTANCE = [state.value for state in State if state.on_assistance]


async def of_household(
    session: AsyncSession, household_id: UUID, *, divisions: Sequence[str]
) -> Rows:
    """A household's certificates, the first one first."""
    query = _certificates(divisions).where(Certificate.household_id == household_id)
    return (await session.execute(query.order_by(Certificate.serial))).mappings().all()


async def one(
    session: AsyncSession, certificate_id: UUID, *, divisions: Sequence[str]
) -> RowMapping | None:
    """One certificate, with its household's ``state`` and ``category_now``."""
    query = _certificates(divisions).where(Certificate.certificate_id == certificate_id)
    return (await session.execute(query)).mappings().one_or_none()


async def page(
    session: AsyncSession,
    *,
    within: Sequence[str],
    number: str | None,
    outdated: bool,
    after: UUID | None,
    limit: int,
) -> Rows:
    """Certificates by id, the earliest first; ``outdated``: standing, and to be taken back."""
    query = _certificates(within).order_by(Certificate.certificate_id).limit(limit)
    if number is not None:
        query = query.where(Certificate.number == number)
    if outdated:
        same = func.coalesce(Household.category == Certificate.category, False)
        assisted = Household.state.in_(_ON_ASSISTANCE)
        earlier = Certificate.issued_on < _stay()
        query = query.where(
            Certificate.ended_on.is_(None), or_(not_(assisted), not_(same), earlier)
        )
    if after is not None:
        query = query.where(Certificate.certificate_id > after)
    return (await session.execute(query)).mappings().all()


def holds(row: Mapping[Any, Any]) -> bool:
    """Whether a certificate as read here proves anything now."""
    category = Category(row["category_now"]) if row["category_now"] else None
    return rules.holds(
        State(row["state"]),
        category,
        row["identified_on"],
        certified=row["category"],
        issued_on=row["issued_on"],
        ended_on=row["ended_on"],
    )


def _stay() -> ScalarSelect[date]:
    """When the household was last identified."""
    return (
        select(func.max(Episode.identified_on))
        .where(Episode.household_id == Certificate.household_id)
        .scalar_subquery()
    )


def _certificates(divisions: Sequence[str]) -> Select[*tuple[Any, ...]]:
    return (
        select(
            Certificate.__table__,
            Household.household_no,
            Household.state,
            Household.category.label("category_now"),
            _stay().label("identified_on"),
        )
        .join(Household, and_(Household.household_id == Certificate.household_id))
        .where(in_divisions(Certificate.division_code, divisions))
    )
