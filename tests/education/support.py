"""What education's tests share: children, values put in force, households received, jobs run."""

import asyncio
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import insert, text

from services.education.households.handlers import on_households
from services.education.students.actions import settle_due_households
from services.education.worker import JOBS
from shared import clock
from shared.contracts.registry import (
    Education,
    FactPeriod,
    HouseholdState,
    Member,
    Relation,
    SchoolStage,
    State,
)
from shared.db import Database
from shared.identity import new_id
from shared.jobs import Runner
from shared.parameter_values import PARAMETERS
from tests.support.builders import household, household_event, member
from tests.support.waiting import until

COUNTY = "331124"
SCOPES = (
    "education.students:read education.students:write education.aid:read education.aid:write "
    "education.aid:pay education.dropout:read education.dropout:write education.jobs:read "
    "education.parameters:read education.parameters:write education.parameters:approve"
)
AMOUNTS = {
    "edu.fee_cut.preschool": "500",
    "edu.living_subsidy.primary": "1000",
    "edu.living_subsidy.junior": "1250",
    "edu.grant.senior": "2000",
    "edu.grant.vocational": "2000",
    "edu.grant.college": "3000",
}
STEPS = {
    "edu.dropout.call_days": "3",
    "edu.dropout.visit_days": "7",
    "edu.dropout.township_days": "14",
    "edu.dropout.county_days": "30",
}
TOLD = (
    "SELECT subject, aggregate_version AS version, convert_from(data, 'UTF8')::jsonb AS data"
    " FROM events WHERE type = :type ORDER BY id"
)
ASSISTED = "bangfu.household.assisted.v1"
GUARANTEE = "bangfu.guarantee.changed.v1"
HARDSHIP = "bangfu.hardship.detected.v1"


def years_ago(years: int, *, days: int = 0) -> date:
    """The day ``years`` before today, less ``days``: a birth date by age."""
    day = clock.add_months(clock.today(), -12 * years)
    return date.fromordinal(day.toordinal() - days)


def child(
    stage: SchoolStage | None = SchoolStage.PRIMARY,
    *,
    age: int = 10,
    education: Education | None = None,
    **facts: Any,
) -> Member:
    """A son of this age (and half a year) at this stage."""
    known = {"birth_date": years_ago(age, days=180)} | facts
    return member(Relation.SON, school_stage=stage, education=education, **known)


def family(*children: Member, **facts: Any) -> HouseholdState:
    """A dibao household of a parent and these children."""
    return household(members=[member(), *children], **facts)


def with_members(state: HouseholdState, *members: Member, **facts: Any) -> HouseholdState:
    """The same household with these members; its other facts as before unless named."""
    return state.model_copy(update={"members": members, "n": len(members), **facts})


def in_state(state: HouseholdState, to: State, on: date, **facts: Any) -> HouseholdState:
    """The household lifted, exited, returned … on a day, by its facts and its history."""
    period = state.periods[-1].model_copy(update={"valid_from": on, "state": to, **facts})
    return state.model_copy(
        update={
            "state": to,
            "effective_from": on,
            "periods": (*state.periods, period),
            "keep_policy_until": facts.get("keep_policy_until"),
        }
    )


def period(valid_from: date, state: State = State.IDENTIFIED, **facts: Any) -> FactPeriod:
    """A period of facts, dibao unless named."""
    known = household().periods[0].model_dump()
    return FactPeriod(**(known | {"valid_from": valid_from, "state": state} | facts))


async def set_value(
    database: Database,
    key: str,
    value: str,
    *,
    valid_from: date = date(2026, 1, 1),
    division: str = COUNTY,
) -> UUID:
    """An approved parameter, as two officers would have made it."""
    row = {
        "parameter_id": new_id(),
        "key": key,
        "division_code": division,
        "valid_from": valid_from,
        "value": Decimal(value),
        "unit": "yuan/person/year",
        "document_number": "丽教〔2026〕1号",
        "sample": False,
        "entered_by": "o1",
        "entered_at": clock.now(),
        "approved_by": "o2",
        "approved_at": clock.now(),
        "version": 2,
    }
    async with database.transaction() as session:
        await session.execute(insert(PARAMETERS), [row])
    return UUID(str(row["parameter_id"]))


async def receive(database: Database, *states: HouseholdState, version: int = 1) -> None:
    """These states arrive in one batch, past the consumer's own guard."""
    async with database.transaction() as session:
        await on_households(session, [household_event(s, version=version) for s in states])


async def turn(database: Database, day: date) -> int:
    """A new day, chunk by chunk as the worker does it; gives the number of chunks."""
    chunks = 1
    while await _chunk(database, day):
        chunks += 1
    return chunks


async def _chunk(database: Database, day: date) -> bool:
    async with database.transaction() as session:
        return await settle_due_households(session, day)


async def rows(database: Database, query: str, **values: Any) -> list[dict[str, Any]]:
    """What a query finds, as its worker sees it."""
    async with database.transaction() as session:
        found = await session.execute(text(query), values)
        return [dict(row) for row in found.mappings()]


async def files(database: Database) -> dict[UUID, dict[str, Any]]:
    """Every student file, by person."""
    return {row["person_id"]: row for row in await rows(database, "SELECT * FROM student_files")}


async def history(database: Database, person_id: UUID) -> list[tuple[date, str]]:
    """A file's history: since when, which stage."""
    found = await rows(
        database,
        "SELECT from_day, stage FROM student_history WHERE person_id = :id ORDER BY entry_id",
        id=person_id,
    )
    return [(row["from_day"], row["stage"]) for row in found]


async def guarantee_of(database: Database, household_id: UUID) -> tuple[bool, str, int] | None:
    """A household's guarantee of education: met, evidence, version."""
    found = await rows(
        database,
        "SELECT met, evidence_id, version FROM guarantees_given WHERE household_id = :id",
        id=household_id,
    )
    return (found[0]["met"], found[0]["evidence_id"], found[0]["version"]) if found else None


async def met(database: Database, household_id: UUID) -> bool | None:
    """Whether a household's education is guaranteed; None where nothing was said."""
    given = await guarantee_of(database, household_id)
    return None if given is None else given[0]


async def told(database: Database, type_: str) -> list[dict[str, Any]]:
    """The events of one type: subject, version, data."""
    return await rows(database, TOLD, type=type_)


async def gaps(database: Database) -> dict[UUID, tuple[str, str | None]]:
    """What is missing now, by person: standing and doubt."""
    found = await rows(database, "SELECT * FROM school_gaps WHERE ended_on IS NULL")
    return {row["person_id"]: (row["standing"], row["doubt"]) for row in found}


async def run_jobs(database: Database) -> list[dict[str, Any]]:
    """Every open job worked off by the real runner; the rows of all jobs afterwards."""
    stop = asyncio.Event()
    runner = asyncio.create_task(Runner(database, JOBS, poll_seconds=0.02).run(stop))
    try:
        await until(lambda: _nothing_open(database), what="the jobs to end", every=0.02)
    finally:
        stop.set()
        await runner
    return await rows(database, "SELECT * FROM jobs ORDER BY created_at, job_id")


async def _nothing_open(database: Database) -> bool:
    states = await rows(database, "SELECT state FROM jobs")
    return all(row["state"] in {"succeeded", "failed"} for row in states)


async def blocked(database: Database) -> bool:
    """Whether some connection to this database waits for another one's lock."""
    found = await rows(
        database,
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
        " AND cardinality(pg_blocking_pids(pid)) > 0",
    )
    return bool(found)
