"""The register of decisions that a county leaves to its townships (N21, N22; R29 "Who decides").

One officer of the county's civil affairs enters a delegation by its document, another approves it,
and any ends it; none is ever rewritten, so every decision made by one can be traced to it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, Select, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.determination import delegable
from services.registry.determination.delegable import Delegation
from services.registry.determination.models import DecisionDelegation
from services.registry.determination.rules import Decider
from services.registry.households.refusals import refuse_if
from shared import audit, clock, divisions, identity
from shared.auth import Caller, officer_of
from shared.contracts.registry import Category
from shared.db import in_divisions
from shared.errors import Conflict, Fault, NotFound

_TABLE = DecisionDelegation.__table__


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """That a township is to decide on a category from a day on, by a document."""

    division_code: str
    category: Category
    valid_from: date
    document: str


async def enter(session: AsyncSession, caller: Caller, wish: Wish) -> UUID:
    """Ask for a delegation; gives its id. It holds once a colleague has approved it.

    Raises Refused listing every fault, or Conflict (``delegation_stands``) where the township has
    one of this category that has not ended.
    """
    faults = delegable.wish_faults(
        _decider(caller, wish.division_code),
        wish.division_code,
        wish.category,
        wish.valid_from,
        wish.document,
    )
    if not faults and await divisions.find(session, wish.division_code) is None:
        faults = [Fault("#/division_code", "division_unknown", "没有这个乡镇(街道)")]
    refuse_if(faults)
    row = {
        "delegation_id": identity.new_id(),
        "division_code": wish.division_code,
        "category": wish.category,
        "valid_from": wish.valid_from,
        "document": wish.document.strip(),
        "entered_by": caller.officer_id,
        "recorded_at": clock.now(),
    }
    order = insert(DecisionDelegation).values(row).on_conflict_do_nothing()
    entered = await session.scalar(order.returning(DecisionDelegation.delegation_id))
    if entered is None:
        raise Conflict("delegation_stands", "this township's delegation of this category stands")
    await _note(session, caller, row, "entered")
    return UUID(str(entered))


async def approve(session: AsyncSession, caller: Caller, delegation_id: UUID) -> None:
    """Let a delegation that a colleague entered hold from today, or from its later first day.

    Approving again changes nothing. Raises NotFound, Refused, or Conflict (``same_officer``,
    ``already_approved`` by another, ``delegation_ended``).
    """
    row = await _held(session, caller, delegation_id)
    officer = officer_of(caller)
    if row["approved_by"] == officer and row["ended_on"] is None:
        return
    if row["ended_on"] is not None:
        raise Conflict("delegation_ended", "this delegation has ended: enter a new one")
    if row["approved_by"] is not None:
        raise Conflict("already_approved", "a colleague has approved this delegation")
    if row["entered_by"] == officer:
        raise Conflict("same_officer", "who enters a delegation cannot approve it")
    await _change(session, delegation_id, {"approved_by": officer, "approved_on": clock.today()})
    await _note(session, caller, row, "approved")


async def end(session: AsyncSession, caller: Caller, delegation_id: UUID) -> None:
    """End a delegation with this day; what was decided by it stays.

    Raises NotFound, Refused, or Conflict (``delegation_ended``).
    """
    row = await _held(session, caller, delegation_id)
    if row["ended_on"] is not None:
        raise Conflict("delegation_ended", "this delegation has ended already")
    await _change(
        session, delegation_id, {"ended_by": officer_of(caller), "ended_on": clock.today()}
    )
    await _note(session, caller, row, "ended")


async def one(
    session: AsyncSession, delegation_id: UUID, *, within: Sequence[str]
) -> RowMapping | None:
    """One delegation in these divisions."""
    query = _register(within).where(DecisionDelegation.delegation_id == delegation_id)
    return (await session.execute(query)).mappings().one_or_none()


async def page(
    session: AsyncSession, *, within: Sequence[str], after: UUID | None, limit: int
) -> Sequence[RowMapping]:
    """Delegations in these divisions, the earliest first, after one."""
    query = _register(within).order_by(DecisionDelegation.delegation_id).limit(limit)
    if after is not None:
        query = query.where(DecisionDelegation.delegation_id > after)
    return (await session.execute(query)).mappings().all()


async def holding(
    session: AsyncSession, place: str, category: Category, on: date, *, staff_relative: bool
) -> UUID | None:
    """By which delegation the township of a village may decide on a day; None: the county does."""
    if not delegable.delegable(category, staff_relative=staff_relative):
        return None
    rows = await session.execute(
        select(_TABLE)
        .where(DecisionDelegation.division_code == place[: delegable.TOWNSHIP])
        .where(DecisionDelegation.category == category.value)
        .order_by(DecisionDelegation.delegation_id)
    )
    found = [row["delegation_id"] for row in rows.mappings() if _known(row).holds(on)]
    return found[-1] if found else None


def _known(row: RowMapping) -> Delegation:
    return Delegation(
        delegation_id=row["delegation_id"],
        township=row["division_code"],
        category=Category(row["category"]),
        valid_from=row["valid_from"],
        approved_on=row["approved_on"],
        ended_on=row["ended_on"],
    )


async def _held(session: AsyncSession, caller: Caller, delegation_id: UUID) -> RowMapping:
    query = _register(caller.divisions).where(DecisionDelegation.delegation_id == delegation_id)
    row = (await session.execute(query.with_for_update())).mappings().one_or_none()
    if row is None:
        raise NotFound("delegation_not_found", "no such delegation in the caller's divisions")
    refuse_if(delegable.county_faults(_decider(caller, row["division_code"])))
    return row


def _decider(caller: Caller, township: str) -> Decider:
    return Decider(
        officer_id=caller.officer_id,
        bureau=caller.bureau,
        whole_county=caller.covers(divisions.county_of(township)),
    )


async def _change(session: AsyncSession, delegation_id: UUID, values: dict[str, Any]) -> None:
    await session.execute(
        update(DecisionDelegation)
        .where(DecisionDelegation.delegation_id == delegation_id)
        .values(values)
    )


def _register(within: Sequence[str]) -> Select[*tuple[Any, ...]]:
    return select(_TABLE).where(in_divisions(DecisionDelegation.division_code, within))


async def _note(session: AsyncSession, caller: Caller, row: Any, done: str) -> None:
    await audit.record(
        session,
        caller,
        action=f"delegation.{done}",
        subject_type="delegation",
        subject_id=row["delegation_id"],
        division_code=row["division_code"],
        detail={"category": row["category"]},
    )
