"""Nothing of another county's bank files and balances is seen: by the filter, and without it."""

from datetime import date
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from deploy.local.provision import ServiceDatabase
from services.relief.payments import bank_queries
from shared.db import EVERYWHERE, Database
from tests.conftest import ClientOf
from tests.relief import leaks
from tests.relief.leaks import NEIGHBOUR
from tests.relief.payments.bank import GOOD, Desk
from tests.relief.support import COUNTY, receive, rows, run_jobs, set_line
from tests.support.builders import household, member

MONTH = "2026-05"
NO_FILTER = (EVERYWHERE,)
TABLES = ("bank_files", "bank_file_rows", "bank_returns", "bank_return_rows")
ONE = (
    "/v1/payment-runs/{run}/bank-files",
    "/v1/bank-files/{file}",
    "/v1/bank-files/{file}/content",
    "/v1/bank-files/{file}/rows",
)


@pytest.fixture
async def paid(worker: Database, client: httpx.AsyncClient) -> dict[str, Any]:
    """A run of one payment that the bank has answered."""
    await set_line(worker, "1150", date(2026, 1, 1), division="331100")
    state = household(members=[member()])
    await receive(worker, state)
    order = {"programme": "dibao", "month": MONTH, "division": COUNTY}
    run = (await client.post("/v1/payment-runs", json=order)).json()
    await run_jobs(worker)
    (payment,) = await rows(worker, "SELECT * FROM payments")

    async def pay(**_: Any) -> dict[str, Any]:
        raise AssertionError("the run is paid already")

    desk = Desk(client=client, worker=worker, pay=pay)
    desk.accounts.enter(payment["payee_household_id"], GOOD)
    await desk.threshold()
    file = await desk.send(run["run_id"])
    await desk.book(file, await desk.answered(file))
    return {"run": UUID(run["run_id"]), "file": file}


async def test_nothing_is_seen_from_elsewhere(
    relief: ServiceDatabase, client_of: ClientOf, paid: dict[str, Any]
) -> None:
    await leaks.nothing_is_seen(relief, client_of, paid, one=ONE, lists=())


async def test_as_the_api_role_without_a_filter_there_is_nothing(
    api_role: Database, paid: dict[str, Any]
) -> None:
    await leaks.nothing_without_a_filter(api_role, TABLES)


async def test_the_balance_of_another_county_is_nought(
    client: httpx.AsyncClient, neighbour: httpx.AsyncClient, paid: dict[str, Any]
) -> None:
    for division in (COUNTY, "3311", None):
        asked = {"month": MONTH} | ({} if division is None else {"division": division})
        (ours,) = (await client.get("/v1/payment-balances", params=asked)).json()
        assert (ours["payments"], ours["runs_yuan"]) == (1, ours["paid_yuan"])
        theirs = await neighbour.get("/v1/payment-balances", params=asked)
        assert (theirs.status_code, theirs.json()) == (200, [])


async def test_the_banks_own_queries_with_the_filter_removed_find_nothing(
    api_role: Database, paid: dict[str, Any]
) -> None:
    async with api_role.transaction(divisions=(NEIGHBOUR,)) as session:
        await _nothing(session, UUID(paid["file"]), paid["run"])


async def _nothing(session: AsyncSession, file: UUID, run: UUID) -> None:
    assert await bank_queries.file_by_id(session, file, NO_FILTER, whole=True) is None
    assert not await bank_queries.files_of(session, run, NO_FILTER)
    asked = bank_queries.RowFilter(bank_file_id=file)
    assert not await bank_queries.rows_of(session, asked, NO_FILTER, after=0, limit=9)
    assert await bank_queries.sent_rows(session, file, [1]) == ({}, {})
    assert not await bank_queries.households_of(session, file)
    assert not await bank_queries.balances(session, date(2026, 5, 1), NO_FILTER, None)


async def test_the_api_role_cannot_touch_money(api_role: Database, paid: dict[str, Any]) -> None:
    await leaks.out_of_reach(
        api_role,
        (
            "UPDATE bank_files SET content_encrypted = NULL",
            "DELETE FROM bank_files",
            "UPDATE bank_file_rows SET amount = 0",
            "INSERT INTO bank_file_rows SELECT * FROM bank_file_rows",
            "DELETE FROM bank_returns",
            "UPDATE bank_return_rows SET result = 'paid'",
        ),
    )
