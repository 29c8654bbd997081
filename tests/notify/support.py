"""What notify's tests share: notices requested and posted, jobs run to their end, places known."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import text

from services.notify.notices import actions
from services.notify.notices.handlers import on_notice_requests
from services.notify.notices.jobs import Desk, posting
from services.notify.registry_client import Registry
from shared.contracts.envelope import Envelope
from shared.contracts.notices import (
    NOTICE_REQUESTED,
    Notice,
    NoticeKind,
    NoticeRequest,
)
from shared.contracts.registry import SOURCE, Category
from shared.db import Database
from shared.identity import new_id
from shared.jobs import Runner
from tests.support.waiting import until

COUNTY = "331124"
VILLAGE = "331124002221"
NEXT_VILLAGE = "331124212203"
PLACES = (
    ("331100", "丽水市", "city", None),
    ("331124", "松阳县", "county", "331100"),
    ("331124002", "水南街道", "township", "331124"),
    ("331124212", "枫坪乡", "township", "331124"),
    (VILLAGE, "大竹溪村", "village", "331124002"),
    (NEXT_VILLAGE, "桐榔村", "village", "331124212"),
)
SCOPES = (
    "notify.notices:read notify.notices:write notify.notices:decide notify.jobs:read "
    "notify.parameters:read notify.parameters:write notify.parameters:approve "
    "notify.feedback:read"
)
NOWHERE = Desk(
    registry=Registry(registry_url="", token_url="", client_id="notify"),
    phones={COUNTY: "0578-8062345"},
)
"""A desk that knows no registry: good for notices that name nobody."""


def request(**facts: Any) -> NoticeRequest:
    """A dibao household of three without an adult asks to be identified; any field may be named."""
    known: dict[str, Any] = {
        "notice_request_id": new_id(),
        "household_id": new_id(),
        "kind": NoticeKind.IDENTIFICATION,
        "division_code": VILLAGE,
        "episode": 1,
        "category": Category.DIBAO,
        "n": 3,
        "amount": Decimal("600.00"),
        "requested_on": date(2026, 10, 26),
    }
    return NoticeRequest(**(known | facts))


def request_event(asked: NoticeRequest, version: int = 1) -> Envelope:
    """The event that would carry this request."""
    return Envelope(
        id=new_id(),
        source=SOURCE,
        type=NOTICE_REQUESTED,
        subject=str(asked.notice_request_id),
        time=datetime(2026, 10, 26, 4, tzinfo=UTC),
        key=str(asked.household_id),
        aggregate_version=version,
        correlation_id=str(new_id()),
        data=asked.model_dump_json().encode(),
        episode=asked.episode,
    )


async def receive(database: Database, *asked: NoticeRequest, version: int = 1) -> None:
    """These requests arrive in one batch, past the consumer's own guard."""
    async with database.transaction() as session:
        await on_notice_requests(session, [request_event(one, version) for one in asked])


async def know_places(database: Database) -> None:
    """Load the few divisions that these tests post in."""
    columns = ("code", "name", "level", "parent")
    async with database.transaction() as session:
        await session.execute(
            text(
                "INSERT INTO divisions (code, name, level, parent_code, valid_from)"
                " VALUES (:code, :name, :level, :parent, '2023-01-01')"
            ),
            [dict(zip(columns, place, strict=True)) for place in PLACES],
        )


async def rows(database: Database, query: str, **values: Any) -> list[dict[str, Any]]:
    """What a query finds, as its worker sees it."""
    async with database.transaction() as session:
        found = await session.execute(text(query), values)
        return [dict(row) for row in found.mappings()]


async def notice(database: Database, asked: NoticeRequest) -> dict[str, Any]:
    """The notice of a request as it stands."""
    query = "SELECT * FROM notices WHERE notice_request_id = :id"
    (found,) = await rows(database, query, id=asked.notice_request_id)
    return found


async def told(database: Database, asked: NoticeRequest | None = None) -> list[tuple[str, Notice]]:
    """What was published of notices in its order: the event's verb and what it carried."""
    query = "SELECT type, aggregate_version, data FROM events WHERE source = '/notify' ORDER BY id"
    found = []
    for row in await rows(database, query):
        said = Notice.model_validate_json(row["data"])
        if asked is None or said.notice_request_id == asked.notice_request_id:
            found.append((row["type"].split(".")[2], said))
    return found


async def versions(database: Database, notice_id: UUID) -> list[int]:
    """The versions published of a notice, in their order."""
    query = "SELECT aggregate_version FROM events WHERE subject = :id ORDER BY id"
    return [row["aggregate_version"] for row in await rows(database, query, id=str(notice_id))]


async def run_jobs(database: Database, desk: Desk = NOWHERE) -> list[dict[str, Any]]:
    """Every open job worked off by the real runner; the rows of all jobs afterwards."""
    async with running(database, desk):
        await until(lambda: nothing_open(database), what="the jobs to end", every=0.02)
    return await rows(database, "SELECT * FROM jobs ORDER BY created_at, job_id")


@asynccontextmanager
async def running(database: Database, desk: Desk) -> AsyncIterator[None]:
    """The runner at work on the posting job while inside."""
    stop = asyncio.Event()
    jobs = {actions.POST: posting(lambda: desk)}
    runner = asyncio.create_task(Runner(database, jobs, poll_seconds=0.02).run(stop))
    try:
        yield
    finally:
        stop.set()
        await runner


async def nothing_open(database: Database) -> bool:
    """Whether every job has ended."""
    states = await rows(database, "SELECT state FROM jobs")
    return all(row["state"] in {"succeeded", "failed"} for row in states)


async def posted(database: Database, **facts: Any) -> dict[str, Any]:
    """A notice without a name, requested and posted today."""
    asked = request(**facts)
    await receive(database, asked)
    await run_jobs(database)
    found = await notice(database, asked)
    assert found["status"] == "posted", found
    return found


async def turn(database: Database, day: date) -> None:
    """What a day brings to notices, to its end."""
    more = True
    while more:
        async with database.transaction() as session:
            more = await actions.close_what_is_over(session, day)


async def blocked(database: Database, at_least: int = 1) -> bool:
    """Whether so many connections to this database wait for another one's lock."""
    found = await rows(
        database,
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
        " AND cardinality(pg_blocking_pids(pid)) > 0",
    )
    return len(found) >= at_least


@asynccontextmanager
async def held(database: Database, notice_id: UUID, waiting: int) -> AsyncIterator[None]:
    """Hold a notice's row until so many others wait for it, so that they really race."""
    async with database.transaction() as session:
        await session.execute(
            text("SELECT 1 FROM notices WHERE notice_id = :id FOR UPDATE"), {"id": notice_id}
        )
        yield
        await until(lambda: blocked(database, waiting), what="others to wait", every=0.02)
