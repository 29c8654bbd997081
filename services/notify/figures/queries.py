"""Counts and sums by county or township, from the household copies, happenings and notices.

Every query is one pass over an index range of ``division_code``; people count as ``n`` says.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Date,
    RowMapping,
    Select,
    Text,
    and_,
    cast,
    exists,
    func,
    literal,
    not_,
    select,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession

from services.notify.notices.models import Notice
from services.notify.timelines.models import Happening
from services.notify.timelines.rules import Kind
from shared import clock
from shared.asked import prefixes
from shared.contracts.assistance import AssistanceStatus
from shared.contracts.notices import NoticeKind
from shared.contracts.registry import State
from shared.db import in_divisions
from shared.household_copy import household_copy as home
from shared.money import ZERO

DIGITS = {"county": 6, "township": 9, "village": 12}
ON_ASSISTANCE = (State.IDENTIFIED.value, State.RETURNED.value)
FLOW = (Kind.IDENTIFIED, Kind.LIFTED, Kind.EXITED, Kind.RETURNED)
UNDER_WAY = ("waiting", "posted", "objected")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Whose figures: within the caller's divisions and the one asked for, by places of a level."""

    divisions: Sequence[str]
    division: str | None = None
    digits: int = DIGITS["county"]

    def covers(self, column: Any) -> ColumnElement[bool]:
        """Whether a row is counted."""
        return and_(
            in_divisions(column, self.divisions), in_divisions(column, prefixes(self.division))
        )

    def place(self, column: Any) -> ColumnElement[str]:
        """The place a row is counted for."""
        return func.left(column, literal(self.digits)).label("division_code")


async def everything(session: AsyncSession, asked: Asked, months: int) -> dict[str, Any]:
    """All figures by name; flows and measures of this month and ``months`` - 1 before it."""
    today = clock.today()
    since = clock.add_months(clock.month_of(today), 1 - months)
    return {
        "as_of": today,
        "households": await households(session, asked),
        "flow": await flow(session, asked, since),
        "measures": await measures(session, asked, since),
        "guarantees": await guarantees(session, asked),
        "notices": await notices(session, asked, today),
        "without_measures": await without_measures(session, asked),
    }


async def households(session: AsyncSession, asked: Asked) -> Sequence[RowMapping]:
    """Households and people by place, state and category."""
    place = asked.place(home.c.division_code)
    query = (
        select(
            place,
            home.c.state,
            home.c.category,
            home.c.state.in_(ON_ASSISTANCE).label("on_assistance"),
            func.count().label("households"),
            func.sum(home.c.n).label("people"),
        )
        .where(asked.covers(home.c.division_code))
        .group_by(place, home.c.state, home.c.category)
        .order_by(place, home.c.state, home.c.category)
    )
    return await _all(session, query)


async def flow(session: AsyncSession, asked: Asked, since: date) -> Sequence[RowMapping]:
    """Found, identified, lifted, exited and returned by place and month, from ``since`` on.

    A household is found when its notice was asked for or, where there was none, when it was
    identified.
    """
    told = union_all(_found_by_notice(asked, since), _found(asked, since), _moved(asked, since))
    each = told.subquery()
    counts = [
        func.count().filter(each.c.what == name).label(name)
        for name in ("found", *(kind.value for kind in FLOW))
    ]
    query = (
        select(each.c.division_code, each.c.month, *counts)
        .group_by(each.c.division_code, each.c.month)
        .order_by(each.c.division_code, each.c.month)
    )
    return await _all(session, query)


async def measures(session: AsyncSession, asked: Asked, since: date) -> Sequence[RowMapping]:
    """Measures and sums by place, month and programme; what was reversed counts in neither sum."""
    place = asked.place(Happening.division_code)
    status = Happening.detail["status"].as_string()
    stands = status != AssistanceStatus.REVERSED.value

    def total(holds: ColumnElement[bool]) -> ColumnElement[Any]:
        return func.coalesce(func.sum(Happening.amount).filter(holds), ZERO)

    query = (
        select(
            place,
            Happening.month,
            Happening.code.label("programme"),
            func.substr(Happening.source, 2).label("service"),
            func.count().filter(stands).label("measures"),
            func.count(Happening.household_id.distinct()).filter(stands).label("households"),
            total(status == AssistanceStatus.APPROVED.value).label("approved_yuan"),
            total(status == AssistanceStatus.PAID.value).label("paid_yuan"),
        )
        .where(
            Happening.kind == Kind.ASSISTANCE.value,
            Happening.month >= since,
            asked.covers(Happening.division_code),
        )
        .group_by(place, Happening.month, Happening.code, Happening.source)
        .order_by(place, Happening.month, Happening.code)
    )
    return await _all(session, query)


async def guarantees(session: AsyncSession, asked: Asked) -> Sequence[RowMapping]:
    """How many households each guarantee is met and not met for; closed files are left out."""
    place = asked.place(Happening.division_code)
    met = Happening.detail["met"].as_boolean()
    query = (
        select(
            place,
            Happening.code.label("kind"),
            func.count().filter(met).label("met"),
            func.count().filter(not_(met)).label("not_met"),
            func.min(Happening.happened_on).filter(not_(met)).label("oldest"),
        )
        .join(home, home.c.household_id == Happening.household_id)
        .where(
            Happening.kind == Kind.GUARANTEE.value,
            Happening.newest,
            home.c.state != State.CLOSED.value,
            asked.covers(Happening.division_code),
        )
        .group_by(place, Happening.code)
        .order_by(place, Happening.code)
    )
    return await _all(session, query)


async def notices(session: AsyncSession, asked: Asked, today: date) -> Sequence[RowMapping]:
    """Notices under way by place; ``over`` ran their days full and wait for the decision."""
    place = asked.place(Notice.division_code)
    query = (
        select(
            place,
            func.count().filter(Notice.status == "posted").label("posted"),
            func.count().filter(Notice.status == "objected").label("objected"),
            func.count().filter(Notice.status == "waiting").label("waiting"),
            func.count()
            .filter(and_(Notice.status == "posted", Notice.last_day < today))
            .label("over"),
        )
        .where(Notice.status.in_(UNDER_WAY), asked.covers(Notice.division_code))
        .group_by(place)
        .order_by(place)
    )
    return await _all(session, query)


async def without_measures(session: AsyncSession, asked: Asked) -> Sequence[RowMapping]:
    """Households on assistance for which no service has told of any measure yet, by place."""
    place = asked.place(home.c.division_code)
    helped = exists().where(
        Happening.household_id == home.c.household_id,
        Happening.kind == Kind.ASSISTANCE.value,
    )
    query = (
        select(place, func.count().label("households"))
        .where(home.c.state.in_(ON_ASSISTANCE), not_(helped), asked.covers(home.c.division_code))
        .group_by(place)
        .order_by(place)
    )
    return await _all(session, query)


def _month(day: Any) -> ColumnElement[date]:
    return cast(func.date_trunc("month", day), Date).label("month")


def _found_by_notice(asked: Asked, since: date) -> Select[*tuple[Any, ...]]:
    return select(
        asked.place(Notice.division_code),
        _month(Notice.requested_on),
        literal("found", Text).label("what"),
    ).where(
        Notice.kind == NoticeKind.IDENTIFICATION.value,
        Notice.episode == 1,
        Notice.requested_on >= since,
        asked.covers(Notice.division_code),
    )


def _found(asked: Asked, since: date) -> Select[*tuple[Any, ...]]:
    announced = exists().where(
        Notice.household_id == Happening.household_id,
        Notice.kind == NoticeKind.IDENTIFICATION.value,
        Notice.episode == 1,
    )
    return select(
        asked.place(Happening.division_code),
        _month(Happening.happened_on),
        literal("found", Text).label("what"),
    ).where(
        Happening.kind == Kind.IDENTIFIED.value,
        Happening.happened_on >= since,
        not_(announced),
        asked.covers(Happening.division_code),
    )


def _moved(asked: Asked, since: date) -> Select[*tuple[Any, ...]]:
    return select(
        asked.place(Happening.division_code),
        _month(Happening.happened_on),
        Happening.kind.label("what"),
    ).where(
        Happening.kind.in_([kind.value for kind in FLOW]),
        Happening.happened_on >= since,
        asked.covers(Happening.division_code),
    )


async def _all(session: AsyncSession, query: Select[*tuple[Any, ...]]) -> Sequence[RowMapping]:
    return (await session.execute(query)).mappings().all()
