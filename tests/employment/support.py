"""What employment's tests share: figures put in force, households received, days that pass."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import insert, text

from services.employment.households.handlers import on_households
from services.employment.worker import TURNS
from shared import clock, workdays
from shared.contracts.registry import HouseholdState, Member, Relation, Sex, State, Work
from shared.db import Database
from shared.identity import new_id
from shared.parameter_values import PARAMETERS
from tests.support.builders import household_event, member

COUNTY = "331124"
SCOPES = (
    "employment.labour:read employment.jobs:read employment.jobs:write "
    "employment.parameters:read employment.parameters:write employment.parameters:approve"
)
ASSISTED = "SELECT * FROM events WHERE type = 'bangfu.household.assisted.v1' ORDER BY id"
GUARANTEES = "SELECT * FROM events WHERE type = 'bangfu.guarantee.changed.v1' ORDER BY id"


async def set_figure(
    database: Database, key: str, value: int, valid_from: date, division: str = COUNTY
) -> UUID:
    """An approved figure, as two officers would have made it."""
    row = {
        "parameter_id": new_id(),
        "key": key,
        "division_code": division,
        "valid_from": valid_from,
        "value": Decimal(value),
        "unit": "",
        "document_number": "丽人社〔2026〕1号",
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


async def load_calendar(database: Database) -> None:
    """The State Council calendar as the package knows it."""
    async with database.transaction() as session:
        await workdays.seed(session)


async def receive(database: Database, *states: HouseholdState, version: int = 1) -> None:
    """These states arrive in one batch, past the consumer's own guard."""
    async with database.transaction() as session:
        await on_households(session, [household_event(s, version=version) for s in states])


def worker_of(work: Work | None = Work.UNEMPLOYED, **facts: Any) -> Member:
    """A man of working age whose work, and what else is named, is known."""
    return member(**({"work": work, "birth_date": date(1985, 3, 1)} | facts))


def child(born: date, **facts: Any) -> Member:
    """A daughter born on a day."""
    return member(Relation.DAUGHTER, sex=Sex.FEMALE, birth_date=born, **facts)


def in_state(state: HouseholdState, new: State, **facts: Any) -> HouseholdState:
    """The same household in another state."""
    return state.model_copy(update={"state": new, **facts})


def with_members(state: HouseholdState, *members: Member) -> HouseholdState:
    """The same household with other members."""
    return state.model_copy(update={"members": members, "n": len(members)})


async def rows(database: Database, query: str, **values: Any) -> list[dict[str, Any]]:
    """What a query finds, as its worker sees it."""
    async with database.transaction() as session:
        found = await session.execute(text(query), values)
        return [dict(row) for row in found.mappings()]


async def profiles(database: Database) -> dict[UUID, dict[str, Any]]:
    """Every labour profile by person."""
    found = await rows(database, "SELECT * FROM labour_profiles")
    return {row["person_id"]: row for row in found}


async def cases(database: Database) -> list[dict[str, Any]]:
    """Every zero-employment case."""
    return await rows(database, "SELECT * FROM zero_employment_cases ORDER BY case_id")


async def guarantee(database: Database, household_id: UUID) -> tuple[bool, str]:
    """What was last stated about a household."""
    (row,) = await rows(
        database, "SELECT * FROM guarantees_given WHERE household_id = :id", id=household_id
    )
    return row["met"], row["evidence_id"]


async def everything(database: Database) -> list[dict[str, Any]]:
    """All that employment writes, to compare before and after."""
    tables = (
        "labour_profiles",
        "household_labour",
        "zero_employment_cases",
        "placements",
        "guarantees_given",
        "events",
        "outbox",
        "audit_log",
    )
    found = []
    for table in tables:
        found += await rows(
            database,
            f"SELECT *, xmin::text AS written_by FROM {table} ORDER BY 1, 2",  # noqa: S608 (above)
        )
    return found


async def turn(database: Database) -> None:
    """What the new day brings, all of it, as the worker does it."""
    for each in TURNS:
        left = True
        while left:
            async with database.transaction() as session:
                left = await each(session, clock.today())


@contextmanager
def movable_clock(folder: Path) -> Iterator[None]:
    """A clock that ``advance_to`` may move; real time again afterwards."""
    clock.configure(folder / "clock.json", "development")
    try:
        yield
    finally:
        clock.configure(None, "development")


def advance_to(day: date) -> None:
    """Move the clock to noon of a later day, Asia/Shanghai."""
    clock.advance(datetime(day.year, day.month, day.day, 12, tzinfo=clock.SHANGHAI) - clock.now())


def days_ago(days: int) -> date:
    """The day so many days before today."""
    return clock.today() - timedelta(days=days)


def birthday(years: int, *, ago: int = 0) -> date:
    """Born so that today, or ``ago`` days ago, is the birthday of so many years."""
    return clock.add_months(clock.today() - timedelta(days=ago), -12 * years)


def ids(members: Sequence[Member]) -> list[UUID]:
    """Their persons."""
    return [each.person_id for each in members]


async def blocked(database: Database) -> bool:
    """Whether some connection to this database waits for another one's lock."""
    found = await rows(
        database,
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
        " AND cardinality(pg_blocking_pids(pid)) > 0",
    )
    return bool(found)
