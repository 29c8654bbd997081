"""Ordering a term's run, granting its aid and marking it paid, a chunk a transaction (C36).

Nobody is aided twice: a pupil's file is held while it is looked at, and the unique key of person,
term and programme stands behind that, between runs, workers and counties.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import RowMapping, insert, update
from sqlalchemy.dialects.postgresql import insert as insert_or_skip
from sqlalchemy.ext.asyncio import AsyncSession

from services.education.aid import queries
from services.education.aid.models import Aid, AidException, AidRun
from services.education.aid.rules import (
    AID_BY_STAGE,
    FUND,
    ExceptionCode,
    Term,
    due_category,
    order_fault,
    parse_term,
    payment_fault,
    term_amount,
)
from services.education.standards.queries import Held
from shared import audit, clock, events, identity, jobs
from shared.auth import Caller, officer_of
from shared.contracts.assistance import Assistance, AssistanceEvent, AssistanceStatus
from shared.contracts.registry import Category, FactPeriod, SchoolStage
from shared.contracts.topics import EDUCATION_ASSISTANCE
from shared.db import among
from shared.errors import Conflict, Forbidden, NotFound, Refused

GRANT = "education.grant_aid"
"""The job that grants one run's aid."""
PAY = "education.pay_aid"
"""The job that marks one run's aid as paid."""

_PERIODS = TypeAdapter(tuple[FactPeriod, ...])
Row = dict[str, Any]


async def open_run(
    session: AsyncSession, caller: Caller, *, term: Term, division_code: str
) -> UUID:
    """Order a run and the job that grants it. Returns the run's id.

    A second run of a term is no error: it grants what has become due since. Raises Forbidden
    (``division_not_covered``, ``officer_unknown``) and Refused (``term_too_early``, ``term_over``).
    """
    officer = officer_of(caller)
    if not caller.covers(division_code):
        raise Forbidden(
            "division_not_covered", f"your token does not cover the division {division_code}"
        )
    fault = order_fault(term, clock.today())
    if fault is not None:
        raise Refused(*fault)
    run_id = identity.new_id()
    job = await jobs.enqueue(session, caller, GRANT, {"run_id": str(run_id)}, division_code)
    row = {
        "run_id": run_id,
        "term": str(term),
        "division_code": division_code,
        "job_id": job.job_id,
        "created_by": officer,
        "created_at": clock.now(),
    }
    await session.execute(insert(AidRun), [row])
    detail = {"term": str(term)}
    await _record(session, caller, "aid_run.ordered", row, detail)
    return run_id


async def pay_run(session: AsyncSession, caller: Caller, run_id: UUID, *, paid_on: date) -> None:
    """Order that all aid of a run be marked as paid on a day, by a second officer.

    Raises NotFound, Forbidden (``officer_unknown``), Conflict (``run_not_over``, ``run_paid``,
    ``same_officer``) and Refused (``paid_on_impossible``).
    """
    officer = officer_of(caller)
    run = await queries.run_by_id(session, run_id, caller.divisions, lock=True)
    if run is None:
        raise NotFound("aid_run_unknown", f"no aid run {run_id}")
    fault = payment_fault(
        ordered_on=clock.day_of(run["created_at"]),
        ordered_by=run["created_by"],
        paid_on=paid_on,
        officer=officer,
        today=clock.today(),
    )
    if fault is not None:
        raise (Conflict if fault[0] == "same_officer" else Refused)(*fault)
    if run["paid_on"] is not None:
        raise Conflict("run_paid", f"the run was marked as paid on {run['paid_on']}")
    granting = await jobs.find(session, run["job_id"])
    if granting is None or granting.state != "succeeded":
        raise Conflict("run_not_over", "the run's aid is still being granted: wait for its job")
    job = await jobs.enqueue(session, caller, PAY, {"run_id": str(run_id)}, run["division_code"])
    paid = {"paid_on": paid_on, "paid_by": officer, "pay_job_id": job.job_id}
    await session.execute(update(AidRun).where(AidRun.run_id == run_id).values(**paid))
    await _record(session, caller, "aid_run.paid", run, {"paid_on": paid_on.isoformat()})


async def grant_aid(session: AsyncSession, run: RowMapping, person_ids: Sequence[UUID]) -> int:
    """Grant those of these pupils who are due and have nothing yet; returns how many were.

    Each grant is announced in the same transaction; who is due and cannot be granted becomes an
    exception of the run, and nobody else waits for that.
    """
    term = parse_term(run["term"])
    pupils = await queries.hold_pupils(session, person_ids)
    given = await queries.programmes_given(session, person_ids, run["term"])
    places = [pupil["division_code"] for pupil in pupils]
    keys = sorted({each.key for each in AID_BY_STAGE.values()})
    amounts = await queries.amounts_on(session, keys, places, term.start)
    drafts: list[Row] = []
    left_out: list[Row] = []
    for pupil in pupils:
        category = _due(pupil, term)
        stage = AID_BY_STAGE[SchoolStage(pupil["stage"])]
        if category is None or given.get(pupil["person_id"]) == stage.programme:
            continue
        code = _obstacle(pupil, given, amounts)
        if code is None:
            drafts.append(_draft(run, term, pupil, category, amounts))
        else:
            left_out.append(_exception(run, pupil, code, stage.key))
    if left_out:
        once = insert_or_skip(AidException).on_conflict_do_nothing()
        await session.execute(once, left_out)
    granted = await _insert(session, drafts)
    await events.publish(session, [_assisted(row) for row in granted])
    return len(granted)


async def mark_paid(session: AsyncSession, run: RowMapping, *, limit: int) -> int:
    """Mark the run's next approved aid as paid and announce each; returns how many."""
    rows = await queries.hold_unpaid(session, run["run_id"], limit)
    changes = {"status": AssistanceStatus.PAID.value, "paid_on": run["paid_on"]}
    paid = [{**row, **changes, "version": row["version"] + 1} for row in rows]
    changed = update(Aid).where(among(Aid.aid_id, [row["aid_id"] for row in paid]))
    await session.execute(changed.values(**changes, version=Aid.version + 1))
    await events.publish(session, [_assisted(row) for row in paid])
    return len(paid)


def _due(pupil: RowMapping, term: Term) -> Category | None:
    """Who does not count in the household, or has left it, is not aided with it (R1)."""
    if not pupil["counted"]:
        return None
    return due_category(_PERIODS.validate_json(pupil["periods"]), term, clock.today())


def _obstacle(pupil: RowMapping, given: Mapping[UUID, str], amounts: Held) -> ExceptionCode | None:
    if pupil["person_id"] in given:
        return ExceptionCode.AIDED_AT_OTHER_STAGE
    if not pupil["stage_known"]:
        return ExceptionCode.STAGE_UNKNOWN
    key = AID_BY_STAGE[SchoolStage(pupil["stage"])].key
    return None if (key, pupil["division_code"]) in amounts else ExceptionCode.PARAMETER_MISSING


def _draft(
    run: RowMapping, term: Term, pupil: RowMapping, category: Category, amounts: Held
) -> Row:
    stage = AID_BY_STAGE[SchoolStage(pupil["stage"])]
    a_year = amounts[stage.key, pupil["division_code"]]
    return {
        "aid_id": identity.new_id(),
        "run_id": run["run_id"],
        "person_id": pupil["person_id"],
        "household_id": pupil["household_id"],
        "division_code": pupil["division_code"],
        "term": str(term),
        "month": term.start,
        "programme": stage.programme.value,
        "stage": pupil["stage"],
        "category": category.value,
        "amount": term_amount(a_year.value),
        "fund": FUND,
        "parameter_id": a_year.parameter_id,
        "status": AssistanceStatus.APPROVED.value,
        "granted_on": clock.today(),
        "paid_on": None,
        "version": 1,
    }


def _exception(run: RowMapping, pupil: RowMapping, code: ExceptionCode, key: str) -> Row:
    return {
        "exception_id": identity.new_id(),
        "run_id": run["run_id"],
        "person_id": pupil["person_id"],
        "household_id": pupil["household_id"],
        "division_code": pupil["division_code"],
        "code": code.value,
        "detail": {"stage": pupil["stage"], "parameter": key},
        "created_at": clock.now(),
    }


async def _insert(session: AsyncSession, drafts: Sequence[Row]) -> list[Row]:
    """The drafts that became rows: in the order of persons, and not where another run was first."""
    if not drafts:
        return []
    once = insert_or_skip(Aid).on_conflict_do_nothing().returning(Aid.aid_id)
    kept = set((await session.scalars(once, list(drafts))).all())
    return [draft for draft in drafts if draft["aid_id"] in kept]


def _assisted(row: Mapping[str, Any]) -> events.NewEvent:
    return events.NewEvent(
        topic=EDUCATION_ASSISTANCE,
        type=AssistanceEvent.ASSISTED,
        subject=row["aid_id"],
        version=row["version"],
        payload=Assistance(
            assistance_id=row["aid_id"],
            household_id=row["household_id"],
            person_ids=(row["person_id"],),
            programme=row["programme"],
            status=row["status"],
            amount=row["amount"],
            fund=row["fund"],
            month=row["month"],
            granted_on=row["granted_on"],
        ),
    )


async def _record(
    session: AsyncSession,
    caller: Caller,
    action: str,
    run: Mapping[str, Any] | RowMapping,
    detail: dict[str, str],
) -> None:
    await audit.record(
        session,
        caller,
        action=action,
        subject_type="aid_run",
        subject_id=run["run_id"],
        division_code=run["division_code"],
        detail=detail,
    )
