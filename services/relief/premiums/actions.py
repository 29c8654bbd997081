"""Ordering a premium run, subsidising its people and confirming it, a chunk a transaction (C14).

Nobody is subsidised twice for one insured year: people are claimed in the order of their ids under
a unique key, between runs, workers, households and counties.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import RowMapping, insert, update
from sqlalchemy.dialects.postgresql import insert as insert_or_skip
from sqlalchemy.ext.asyncio import AsyncSession

from services.relief.medical.entitlement import standing_on
from services.relief.medical.figures import figures_over_time
from services.relief.payments.confirming import refuse_confirmation
from services.relief.premiums import queries
from services.relief.premiums.explanations import basis_of
from services.relief.premiums.models import PremiumException, PremiumRun, PremiumSubsidy
from services.relief.premiums.parameters import KEYS
from services.relief.premiums.queries import Household
from services.relief.premiums.rules import (
    Decision,
    ExceptionCode,
    Reason,
    decide,
    enrolment_fault,
    first_day,
)
from shared import audit, clock, events, identity, jobs
from shared.auth import Caller, officer_of, system_caller
from shared.contracts.assistance import Assistance, AssistanceEvent, AssistanceStatus
from shared.contracts.topics import RELIEF_ASSISTANCE
from shared.db import among, driver_of
from shared.errors import Forbidden, NotFound, Refused

SUBSIDISE = "relief.subsidise_premiums"
"""The job that subsidises the people of one run."""
CONFIRM = "relief.confirm_premiums"
"""The job that marks a run's subsidies as paid."""
PROGRAMME = "premium_subsidy"
FUND = "medical_assistance"

Row = Mapping[str, Any]


async def open_run(
    session: AsyncSession,
    caller: Caller,
    *,
    year: int,
    division_code: str,
    enrolled_on: date | None,
) -> UUID:
    """Order a run for an insured year and the job that carries it out. Returns the run's id.

    Raises Forbidden (``division_not_covered``, no officer) and Refused (``enrolment_closed``,
    ``enrolment_to_come``). A second run of a year is no error: it takes those identified since.
    """
    officer = officer_of(caller)
    if not caller.covers(division_code):
        raise Forbidden(
            "division_not_covered", f"your token does not cover the division {division_code}"
        )
    day = enrolled_on or clock.today()
    fault = enrolment_fault(year=year, enrolled_on=day, today=clock.today())
    if fault is not None:
        raise Refused(*fault)
    run_id = identity.new_id()
    job = await jobs.enqueue(session, caller, SUBSIDISE, {"run_id": str(run_id)}, division_code)
    row = {
        "run_id": run_id,
        "year": year,
        "division_code": division_code,
        "enrolled_on": day,
        "job_id": job.job_id,
        "created_by": officer,
        "created_at": clock.now(),
    }
    await session.execute(insert(PremiumRun), [row])
    await _note(session, caller, "premium_run.ordered", row, {"year": year})
    return run_id


async def confirm_run(
    session: AsyncSession, caller: Caller, run_id: UUID, *, paid_on: date
) -> None:
    """Order that all subsidies of a run be marked as paid on a day, by a second officer.

    Raises NotFound, Forbidden without an officer, Conflict (``run_not_over``, ``run_confirmed``,
    ``same_officer``) and Refused (``paid_on_impossible``).
    """
    officer = officer_of(caller)
    run = await queries.run_by_id(session, run_id, caller.divisions, lock=True)
    if run is None:
        raise NotFound("premium_run_unknown", f"no premium run {run_id}")
    await refuse_confirmation(session, run, paid_on=paid_on, officer=officer, what="run")
    confirmed = {"paid_on": paid_on, "confirmed_by": officer}
    await session.execute(update(PremiumRun).where(PremiumRun.run_id == run_id).values(**confirmed))
    await jobs.enqueue(session, caller, CONFIRM, {"run_id": str(run_id)}, run["division_code"])
    detail = {"paid_on": paid_on.isoformat()}
    await _note(session, caller, "premium_run.confirmed", run, detail)


async def _note(
    session: AsyncSession, caller: Caller, action: str, run: Mapping[Any, Any], detail: Row
) -> None:
    await audit.record(
        session,
        caller,
        action=action,
        subject_type="premium_run",
        subject_id=str(run["run_id"]),
        division_code=run["division_code"],
        detail=detail,
    )


async def subsidise(session: AsyncSession, run: RowMapping, chunk: Sequence[Household]) -> int:
    """Subsidise the members of these households; returns how many people were.

    Who is in two of them is subsidised for the one that gives more; who has a subsidy for another
    household becomes an exception.
    """
    places = {household.division_code for household in chunk}
    figures = await figures_over_time(session, places, KEYS)
    drafts: dict[UUID, dict[str, Any]] = {}
    left_out: list[dict[str, Any]] = []
    for household in chunk:
        standing = standing_on(household.periods, household.tags, run["enrolled_on"])
        decision = decide(standing, figures[household.division_code], run["year"])
        left_out += _draft(run, household, decision, drafts)
    written = await _claim(session, drafts)
    await events.publish(session, [_assisted(row) for row in written])
    left_out += await _taken(session, run, drafts, {row["person_id"] for row in written})
    await _note_exceptions(session, left_out)
    homes = {row["household_id"]: row["division_code"] for row in written}
    await audit.record(
        session,
        system_caller("relief"),
        action="premium.subsidised",
        subject_type="household",
        subject_id=list(homes),
        division_code=list(homes.values()),
    )
    return len(written)


def _draft(
    run: RowMapping, household: Household, decision: Decision, drafts: dict[UUID, dict[str, Any]]
) -> list[dict[str, Any]]:
    """Add the household's people to ``drafts``; gives the exceptions that are known already."""
    if decision.reason is Reason.PARAMETER_MISSING:
        missing = ExceptionCode.PARAMETER_MISSING
        return [_exception(run, household, person, missing) for person, _ in household.people]
    if decision.reason is not Reason.SUBSIDISED:
        return []
    left_out = []
    given = basis_of(decision, year=run["year"], enrolled_on=run["enrolled_on"])
    basis = orjson.dumps(given).decode()
    for person_id, counted in household.people:
        if not counted:
            code = ExceptionCode.NOT_COUNTED
            left_out.append(_exception(run, household, person_id, code))
            continue
        row = _row(run, household, decision, basis) | {"person_id": person_id}
        other = drafts.get(person_id)
        if other is None or other["amount"] < row["amount"]:
            drafts[person_id] = row
            row = other or {}
        if row:
            elsewhere = ExceptionCode.SUBSIDISED_ELSEWHERE
            left_out.append(_exception_of(run, row, elsewhere))
    return left_out


def _row(run: RowMapping, household: Household, decision: Decision, basis: str) -> dict[str, Any]:
    return {
        "subsidy_id": identity.new_id(),
        "run_id": run["run_id"],
        "year": run["year"],
        "household_id": household.household_id,
        "division_code": household.division_code,
        "category": decision.rate.category.value if decision.rate else "",
        "amount": decision.amount,
        "basis": basis,
        "status": AssistanceStatus.APPROVED.value,
        "granted_on": clock.today(),
        "version": 1,
    }


async def _claim(session: AsyncSession, drafts: Mapping[UUID, Row]) -> list[Row]:
    """Write what nobody has yet. One that meets another run's claim waits until it committed."""
    if not drafts:
        return []
    ordered = [drafts[person_id] for person_id in sorted(drafts)]
    columns = [[row[name] for row in ordered] for name in _SUBSIDY]
    rows = await driver_of(session).fetch(_CLAIM, *columns)
    claimed = {row["person_id"] for row in rows}
    return [row for row in ordered if row["person_id"] in claimed]


async def _taken(
    session: AsyncSession, run: RowMapping, drafts: Mapping[UUID, Row], written: set[UUID]
) -> list[dict[str, Any]]:
    """Those who were not claimed because another household has them; a repeated run is none."""
    rest = [person_id for person_id in drafts if person_id not in written]
    held = await queries.holders(session, run["year"], rest) if rest else {}
    return [
        _exception_of(run, drafts[person_id], ExceptionCode.SUBSIDISED_ELSEWHERE)
        for person_id in rest
        if held.get(person_id) != drafts[person_id]["household_id"]
    ]


def _exception_of(run: RowMapping, row: Row, code: ExceptionCode) -> dict[str, Any]:
    return {
        "exception_id": identity.new_id(),
        "run_id": run["run_id"],
        "household_id": row["household_id"],
        "person_id": row["person_id"],
        "division_code": row["division_code"],
        "code": code.value,
        "created_at": clock.now(),
    }


def _exception(
    run: RowMapping, household: Household, person_id: UUID, code: ExceptionCode
) -> dict[str, Any]:
    home = {"household_id": household.household_id, "division_code": household.division_code}
    return _exception_of(run, home | {"person_id": person_id}, code)


async def _note_exceptions(session: AsyncSession, rows: Sequence[Row]) -> None:
    if rows:
        await session.execute(insert_or_skip(PremiumException).on_conflict_do_nothing(), rows)


async def confirm_subsidies(session: AsyncSession, run: RowMapping, *, limit: int) -> int:
    """Mark the run's next approved subsidies as paid and announce each; returns how many."""
    rows = await queries.hold_unconfirmed(session, run["run_id"], limit)
    if not rows:
        return 0
    paid = {"status": AssistanceStatus.PAID.value, "paid_on": run["paid_on"]}
    ids = [row["subsidy_id"] for row in rows]
    changed = update(PremiumSubsidy).where(among(PremiumSubsidy.subsidy_id, ids))
    await session.execute(changed.values(**paid, version=PremiumSubsidy.version + 1))
    told = [{**row, **paid, "version": row["version"] + 1} for row in rows]
    await events.publish(session, [_assisted(row) for row in told])
    return len(rows)


def _assisted(row: Row) -> events.NewEvent:
    return events.NewEvent(
        topic=RELIEF_ASSISTANCE,
        type=AssistanceEvent.ASSISTED,
        subject=row["subsidy_id"],
        version=row["version"],
        payload=Assistance(
            assistance_id=row["subsidy_id"],
            household_id=row["household_id"],
            person_ids=(row["person_id"],),
            programme=PROGRAMME,
            status=row["status"],
            amount=row["amount"],
            fund=FUND,
            month=first_day(row["year"]),
            granted_on=row["granted_on"],
        ),
    )


_SUBSIDY = {
    "subsidy_id": "uuid",
    "run_id": "uuid",
    "year": "smallint",
    "person_id": "uuid",
    "household_id": "uuid",
    "division_code": "text",
    "category": "text",
    "amount": "numeric",
    "basis": "jsonb",
    "status": "text",
    "granted_on": "date",
    "version": "bigint",
}
_ARRAYS = ", ".join(f"${at}::{kind}[]" for at, kind in enumerate(_SUBSIDY.values(), start=1))
_CLAIM = f"""
    INSERT INTO premium_subsidies ({", ".join(_SUBSIDY)})
    SELECT * FROM unnest({_ARRAYS})
    ON CONFLICT (person_id, year) DO NOTHING
    RETURNING person_id
"""  # noqa: S608 (own names)
