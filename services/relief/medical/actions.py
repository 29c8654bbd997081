"""Deciding on bills: what is stored is brought to what facts and figures say now (C15, R20).

The only writers of medical_grants and person-years. A year of a person is decided as a whole under
its lock, from the newest copies and figures read behind it, so that it does not matter what set it
off, how often or how late: a file, a household's event, an approved figure.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from services.relief.medical import alarms, queries
from services.relief.medical.entitlement import Figures, NotAssisted, Standing, standing_on
from services.relief.medical.explanations import basis_of
from services.relief.medical.figures import figures_over_time
from services.relief.medical.lines import earliest
from services.relief.medical.parameters import TERMS_KEYS
from services.relief.medical.queries import Household, Settled, Year
from services.relief.medical.rules import Case, Decision, cap_of, decide_year, terms_on
from shared import audit, clock, events, identity, jobs
from shared.auth import Caller, system_caller
from shared.contracts.assistance import Assistance, AssistanceEvent, AssistanceStatus
from shared.contracts.topics import RELIEF_ASSISTANCE
from shared.db import driver_of

PROGRAMME = "medical_assistance"
FUND = "medical_assistance"
DECIDE_AGAIN = "relief.decide_medical_again"
"""The job that decides a division's bills of last year and this one anew."""

Row = Mapping[str, Any]


async def settle_households(session: AsyncSession, household_ids: Collection[UUID]) -> int:
    """Decide the bills of last year and this one anew for households whose copies are held.

    For the handler: late certification and corrected facts give supplementary decisions. Returns
    how many decisions were written; what stands as it should is not written to.
    """
    since = earliest(clock.today())
    years = await queries.years_of_households(session, household_ids, since)
    return await _settle(session, years)


async def settle_years(session: AsyncSession, years: Collection[Year]) -> int:
    """Decide these years, with their households held. Returns how many decisions were written."""
    if not years:
        return 0
    await queries.hold_households(session, years)
    return await _settle(session, years)


async def decide_again(session: AsyncSession, caller: Caller, *, division_code: str) -> None:
    """Order that a division's bills be decided anew, in the approval's own transaction.

    Whoever decides on a year before that commits is followed by the job, which waits for the year.
    """
    arguments = {"division": division_code}
    await jobs.enqueue(session, caller, DECIDE_AGAIN, arguments, division_code)


async def _settle(session: AsyncSession, years: Collection[Year]) -> int:
    if not years:
        return 0
    await queries.hold_years(session, years)
    settled = await queries.settled(session, years)
    households = await queries.households(session, {each.household_id for each in settled})
    places = {each.division_code for each in settled}
    figures = await figures_over_time(session, places, TERMS_KEYS)
    written: list[dict[str, Any]] = []
    deltas: dict[Year, tuple[Decimal, Decimal]] = {}
    now = clock.now()
    for year, group in groupby(sorted_by_year(settled), key=lambda each: each.year):
        bills = list(group)
        decisions = decide_year([_case(each, households, figures) for each in bills])
        rows = [
            _row(each, decision, now) | {"place": place}
            for place, (each, decision) in enumerate(zip(bills, decisions, strict=True), start=1)
            if _is_news(each, decision)
        ]
        if rows:
            deltas[year] = sum((row["amount"] for row in rows), Decimal(0)), cap_of(decisions)
            written += rows
    await _write(session, written, deltas)
    await alarms.watch(session, {row["household_id"]: row["division_code"] for row in written})
    return len(written)


def sorted_by_year(settled: Iterable[Settled]) -> list[Settled]:
    """By person and year; within one, in the order given."""
    return sorted(settled, key=lambda each: each.year)


def _case(
    each: Settled, households: Mapping[UUID, Household], figures: Mapping[str, Figures]
) -> Case:
    household = households.get(each.household_id)
    day = each.discharged_on
    standing = (
        Standing(since=None, without=NotAssisted.NOT_ASSISTED)
        if household is None
        else standing_on(household.periods, household.tags, day)
    )
    return Case(
        settlement_id=each.settlement_id,
        discharged_on=day,
        bill=each.bill,
        standing=standing,
        terms=terms_on(figures[each.division_code], standing.categories, day),
    )


def _is_news(each: Settled, decision: Decision) -> bool:
    """Whether a decision says something else than the newest one of its settlement."""
    return (each.total, each.reason) != (decision.amount, decision.reason.value)


def _row(each: Settled, decision: Decision, now: datetime) -> dict[str, Any]:
    category = decision.terms.category.value if decision.terms else each.category
    return {
        "grant_id": identity.new_id(),
        "settlement_id": each.settlement_id,
        "number": each.number + 1,
        "person_id": each.person_id,
        "household_id": each.household_id,
        "division_code": each.division_code,
        "month": clock.month_of(each.discharged_on),
        "amount": decision.amount - each.total,
        "total": decision.amount,
        "reason": decision.reason.value,
        "category": category,
        "basis": orjson.dumps(basis_of(decision)).decode(),
        "decided_on": clock.day_of(now),
        "decided_at": now,
        "status": AssistanceStatus.APPROVED.value,
        "version": 1,
    }


async def _write(
    session: AsyncSession,
    written: Sequence[Row],
    deltas: Mapping[Year, tuple[Decimal, Decimal]],
) -> None:
    if not written:
        return
    columns = [[row[name] for row in written] for name in _GRANT]
    await driver_of(session).execute(_INSERT, *columns)
    await driver_of(session).execute(
        _ADD,
        [year.person_id for year in deltas],
        [year.year for year in deltas],
        [delta for delta, _ in deltas.values()],
        [cap for _, cap in deltas.values()],
    )
    await events.publish(session, [assisted(row) for row in written if row["amount"]])
    await audit.record(
        session,
        system_caller("relief"),
        action="medical.decided",
        subject_type="medical_settlement",
        subject_id=[row["settlement_id"] for row in written],
        division_code=[row["division_code"] for row in written],
    )


def assisted(row: Row) -> events.NewEvent:
    """One amount as the registry and notify hear of it; a correction downwards is negative."""
    return events.NewEvent(
        topic=RELIEF_ASSISTANCE,
        type=AssistanceEvent.ASSISTED,
        subject=row["grant_id"],
        version=row["version"],
        payload=Assistance(
            assistance_id=row["grant_id"],
            household_id=row["household_id"],
            person_ids=(row["person_id"],),
            programme=PROGRAMME,
            status=row["status"],
            amount=row["amount"],
            fund=FUND,
            month=row["month"],
            granted_on=row["decided_on"],
        ),
    )


_GRANT = {
    "grant_id": "uuid",
    "settlement_id": "uuid",
    "number": "smallint",
    "place": "smallint",
    "person_id": "uuid",
    "household_id": "uuid",
    "division_code": "text",
    "month": "date",
    "amount": "numeric",
    "total": "numeric",
    "reason": "text",
    "category": "text",
    "basis": "jsonb",
    "decided_on": "date",
    "decided_at": "timestamptz",
    "status": "text",
    "version": "bigint",
}
_ARRAYS = ", ".join(f"${at}::{kind}[]" for at, kind in enumerate(_GRANT.values(), start=1))
_INSERT = f"INSERT INTO medical_grants ({', '.join(_GRANT)}) SELECT * FROM unnest({_ARRAYS})"  # noqa: S608 (own names)
_ADD = """
    UPDATE medical_person_years AS held SET granted = held.granted + sent.delta, cap = sent.cap
    FROM unnest($1::uuid[], $2::int[], $3::numeric[], $4::numeric[])
        AS sent(person_id, year, delta, cap)
    WHERE held.person_id = sent.person_id AND held.year = sent.year
"""
