"""Relief, notify and the registry in one case: announced with a name, decided, in the ledger."""

from datetime import timedelta
from typing import Any

import httpx

from services.notify.notices import actions as notify
from services.notify.notices import sealed as sheets
from services.notify.notices.handlers import on_notice_requests
from services.notify.notices.jobs import Desk as PostingDesk
from services.notify.registry_client import Registry as Names
from services.registry.ledger.handlers import on_assisted
from shared import clock
from shared.contracts.envelope import Envelope
from shared.contracts.notices import NOTICE_REQUESTED
from shared.db import Database
from tests.conftest import DatabaseOf
from tests.notify.support import know_places, run_jobs
from tests.registry.filing import person
from tests.relief.support import rows
from tests.relief.temporary.desk import AT, Desk, award, today
from tests.relief.temporary.test_residents import asked, clerk, registry, registry_home
from tests.support.real_registry import RealRegistry

__all__ = ["clerk", "registry", "registry_home"]


def read(row: dict[str, Any]) -> Envelope:
    """A published event as a consumer reads it."""
    return Envelope(
        id=row["event_id"],
        source=row["source"],
        type=row["type"],
        subject=row["subject"],
        time=row["occurred_at"],
        key=row["key"],
        aggregate_version=row["aggregate_version"],
        correlation_id=row["correlation_id"],
        data=bytes(row["data"]),
        episode=row["episode"],
    )


async def published(database: Database, type_prefix: str) -> list[Envelope]:
    query = "SELECT * FROM events WHERE starts_with(type, :prefix) ORDER BY id"
    return [read(row) for row in await rows(database, query, prefix=type_prefix)]


async def test_a_household_in_no_category_from_application_to_ledger(
    desk: Desk, registry: RealRegistry, clerk: httpx.AsyncClient, database_of: DatabaseOf
) -> None:
    file = await registry.file(person(name="诸葛亮"), category=None)
    body = asked(file, kind="expenditure", cause="illness")
    taken = await clerk.post(f"{AT}/applications", json=body)
    path = f"/applications/{taken.json()['application_id']}"
    await desk.post("o2", f"{path}/checks", {"checked_on": today(), "words": "住院费用属实"})
    opinion = {"favourable": True, "factor": "3", "words": "同意"}
    await desk.post("o3", f"{path}/opinion", opinion)

    urls = await database_of("notify")
    board = Database(urls.worker_url, application_name="test-notify", pool_size=4)
    try:
        await know_places(board)
        await _posted(board, registry, await published(desk.worker, NOTICE_REQUESTED))
        (sheet,) = await rows(board, "SELECT * FROM notices")
        assert sheets.show_sheet(sheet["content_encrypted"])[:5] == [
            "拟给予临时救助公示",
            "申请人：诸葛亮",
            "救助人口：1人",
            "项目：临时救助",
            "金额：一次性1800.00元",
        ]
        clock.advance(timedelta(days=8))
        async with board.transaction() as session:
            await notify.close_what_is_over(session, clock.today())
        await desk.hear(*await published(board, "bangfu.notice."))
    finally:
        await board.close()

    given = await desk.post("o4", f"{path}/county-approval", award("3", "1800.00"))
    (stage,) = given["stages"]
    await desk.post("o5", f"/stages/{stage['stage_id']}/paid", {"paid_on": today()})
    for told in await published(desk.worker, "bangfu.household.assisted."):
        async with registry.database.transaction() as session:
            await on_assisted(session, [told])
    ledger = "SELECT * FROM aid_ledger WHERE assistance_id = :id"
    (aid,) = await rows(registry.database, ledger, id=stage["stage_id"])
    assert str(aid["household_id"]) == file["household_id"]
    assert (aid["programme"], aid["status"], aid["fund"], f"{aid['amount']:.2f}") == (
        "temporary_assistance",
        "paid",
        "temporary_assistance",
        "1800.00",
    )


async def _posted(board: Database, registry: RealRegistry, asked_for: list[Envelope]) -> None:
    async with board.transaction() as session:
        await on_notice_requests(session, asked_for)
    names = Names(
        registry_url=registry.url,
        token_url=f"{registry.issuer_url}/token",
        client_id="notify",
    )
    (job,) = await run_jobs(board, PostingDesk(registry=names, phones={}))
    assert (job["state"], job["result"]) == ("succeeded", {"posted": 1})
