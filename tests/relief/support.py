"""What relief's tests share: lines put in force, households received, jobs run to their end."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import event, insert, text

from services.relief.households.handlers import on_households
from services.relief.parameters import DEFINITIONS
from services.relief.worker import JOBS
from shared import clock
from shared.contracts.registry import FactPeriod, HouseholdState, State
from shared.db import Database
from shared.identity import new_id
from shared.jobs import JobHandler, Runner
from shared.parameter_values import PARAMETERS
from tests.support.builders import household_event
from tests.support.waiting import until

COUNTY = "331124"
ASSISTED = "SELECT * FROM events WHERE type = 'bangfu.household.assisted.v1' ORDER BY id"
"""The payments' events, apart from the guarantees' that the same households set off."""
SCOPES = (
    "relief.tekun:read relief.tekun:write relief.tekun:confirm "
    "relief.dibao:read relief.payments:read relief.payments:write relief.payments:pay "
    "relief.jobs:read relief.temporary:read relief.temporary:write relief.temporary:approve "
    "relief.temporary:decide relief.temporary:pay relief.temporary:funds "
    "relief.settlements:write relief.premiums:read relief.premiums:write relief.premiums:pay "
    "relief.medical:read relief.medical:write relief.medical:pay "
    "relief.charity:read relief.charity:write relief.charity:decide relief.aid:read "
    "relief.mutual_aid:read relief.mutual_aid:write "
    "relief.payments:approve relief.payments:fetch "
    "relief.parameters:read relief.parameters:write relief.parameters:approve"
)


async def set_line(
    database: Database, value: str, valid_from: date, division: str = COUNTY
) -> UUID:
    """An approved dibao line, as two officers would have made it."""
    return await set_figure(database, "dibao_line", value, valid_from, division)


async def set_figure(
    database: Database,
    key: str,
    value: str,
    valid_from: date = date(2020, 1, 1),
    division: str = COUNTY,
) -> UUID:
    """An approved value of any of relief's parameters, as two officers would have made it."""
    row = {
        "parameter_id": new_id(),
        "key": key,
        "division_code": division,
        "valid_from": valid_from,
        "value": Decimal(value),
        "unit": DEFINITIONS[key].unit,
        "document_number": f"丽民〔{valid_from.year}〕1号",
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


TEKUN_FIGURES = {
    "dibao_line": "600",
    "minimum_wage": "1380",
    "tekun.basic_multiple": "1.3",
    "tekun.care.able": "0.1",
    "tekun.care.partly": "0.3",
    "tekun.care.lost": "0.5",
}
"""Those of the policy's worked example: partly lost comes to 780 + 414 = 1,194."""


async def set_tekun_figures(
    database: Database,
    valid_from: date = date(2026, 1, 1),
    division: str = "331100",
    *,
    but: str | None = None,
) -> None:
    """All that a tekun standard is reckoned with, for a division and those under it."""
    for key, value in TEKUN_FIGURES.items():
        if key != but:
            await set_figure(database, key, value, valid_from, division)


async def receive(database: Database, *states: HouseholdState, version: int = 1) -> None:
    """These states arrive in one batch, past the consumer's own guard."""
    async with database.transaction() as session:
        await on_households(session, [household_event(s, version=version) for s in states])


def with_periods(state: HouseholdState, *periods: FactPeriod, **facts: Any) -> HouseholdState:
    """The same household with more history; its own facts follow the newest period."""
    newest = periods[-1]
    changes = {
        "periods": periods,
        "state": newest.state,
        "category": newest.category,
        "n": newest.n,
        "incomes": newest.incomes,
        "effective_from": newest.valid_from,
        "keep_policy_until": newest.keep_policy_until,
    }
    return state.model_copy(update=changes | facts)


def lifted(state: HouseholdState, on: date, **facts: Any) -> HouseholdState:
    """The household lifted on a day, by default with nothing kept."""
    period = state.periods[-1].model_copy(update={"valid_from": on, "state": State.LIFTED, **facts})
    return with_periods(state, *state.periods, period)


async def rows(database: Database, query: str, **values: Any) -> list[dict[str, Any]]:
    """What a query finds, as its worker sees it."""
    async with database.transaction() as session:
        found = await session.execute(text(query), values)
        return [dict(row) for row in found.mappings()]


async def live(
    database: Database, household_id: UUID, table: str = "dibao_grants"
) -> list[tuple[str, Decimal | None, str]]:
    """A household's schedule as it stands: month, amount, reason."""
    found = await rows(
        database,
        f"SELECT from_month, amount, reason FROM {table}"  # noqa: S608 (the tests' own names)
        " WHERE household_id = :id AND superseded_at IS NULL ORDER BY from_month",
        id=household_id,
    )
    return [(f"{row['from_month']:%Y-%m}", row["amount"], row["reason"]) for row in found]


async def payments(database: Database) -> list[dict[str, Any]]:
    """Every payment there is."""
    return await rows(database, "SELECT * FROM payments ORDER BY payee_household_id, month")


async def run_jobs(
    database: Database, handlers: Mapping[str, JobHandler] = JOBS
) -> list[dict[str, Any]]:
    """Every open job worked off by the real runner; the rows of all jobs afterwards."""
    stop = asyncio.Event()
    runner = asyncio.create_task(Runner(database, handlers, poll_seconds=0.02).run(stop))
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


@contextmanager
def counting(database: Database) -> Iterator[list[str]]:
    """The statements that this process sends meanwhile."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    event.listen(database.engine.sync_engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(database.engine.sync_engine, "before_cursor_execute", note)
