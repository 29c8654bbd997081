"""What holds whatever the code does: one live payment, one file at a time, one return of a row."""

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from deploy.local import bank
from services.relief.payments import bank_queries, returning
from shared.db import Database
from tests.relief.payments.bank import BAD, GOOD, Desk, serials, today
from tests.relief.support import COUNTY, blocked, rows
from tests.support.waiting import until

_COLUMNS = (
    "run_id, programme, payee_household_id, division_code, month, amount, fund, grant_id,"
    " granted_on, version"
)
SECOND_PAYMENT = (
    f"INSERT INTO payments (payment_id, status, {_COLUMNS})"  # noqa: S608 (columns above)
    f" SELECT gen_random_uuid(), 'approved', {_COLUMNS} FROM payments"
)
SECOND_ROW = (
    "INSERT INTO bank_file_rows (bank_file_id, serial, payment_id, division_code, amount,"
    " payee_hash, status) SELECT bank_file_id, serial + 1, payment_id, division_code, amount,"
    " payee_hash, 'open' FROM bank_file_rows"
)


async def written(worker: Database, statement: str) -> None:
    async with worker.transaction() as session:
        await session.execute(text(statement))


async def sent(desk: Desk, account: str) -> str:
    await desk.threshold()
    await desk.households(account)
    return await desk.send((await desk.pay())["run_id"])


async def test_a_payment_stands_in_one_file_unless_it_failed(desk: Desk, worker: Database) -> None:
    file = await sent(desk, BAD)
    with pytest.raises(IntegrityError, match="uq_bank_file_rows_sent_once"):
        await written(worker, SECOND_ROW)
    await desk.book(file, await desk.answered(file))
    await written(worker, SECOND_ROW)


async def test_a_household_has_one_live_payment_a_month(desk: Desk, worker: Database) -> None:
    file = await sent(desk, GOOD)
    with pytest.raises(IntegrityError, match="uq_payments_live_once_a_month"):
        await written(worker, SECOND_PAYMENT)
    content = await desk.answered(file)
    await desk.book(file, content)
    with pytest.raises(IntegrityError, match="uq_payments_live_once_a_month"):
        await written(worker, SECOND_PAYMENT)
    sheet = await desk.content(file)
    await desk.book(file, bank.send_back(sheet, today(), serials(sheet)))
    await written(worker, SECOND_PAYMENT)


async def test_a_run_has_one_file_in_the_making(desk: Desk, api_role: Database) -> None:
    await desk.threshold()
    await desk.households(GOOD)
    run = await desk.pay()
    assert (await desk.order(run["run_id"])).status_code == 202
    columns = "run_id, division_code, encoding, unchanged, job_id, created_by, created_at"
    second = (
        f"INSERT INTO bank_files (bank_file_id, {columns})"  # noqa: S608 (columns above)
        f" SELECT gen_random_uuid(), {columns} FROM bank_files"
    )
    with pytest.raises(IntegrityError, match="uq_bank_files_one_in_the_making"):
        async with api_role.transaction(divisions=(COUNTY,)) as session:
            await session.execute(text(second))


async def test_a_run_that_meets_a_reversal_pays_the_month_once(
    desk: Desk, worker: Database
) -> None:
    """While money that came back is booked, a run of the month finds it paid; the next pays it."""
    file = await sent(desk, GOOD)
    await desk.book(file, await desk.answered(file))
    sheet = await desk.content(file)
    await desk.hand_in(file, bank.send_back(sheet, today(), serials(sheet)))
    (taken,) = await rows(
        worker, "SELECT return_id FROM bank_return_rows WHERE result = 'returned'"
    )
    async with worker.transaction() as session:
        back = await bank_queries.return_rows(session, taken["return_id"], after=0, limit=9)
        assert await returning.book_rows(session, back) == 1
        await session.flush()
        # Held open: the run is ordered and paid meanwhile by the runner's own connections; the
        # job of the return itself waits for this transaction, and then finds nothing to move.
        paying = asyncio.ensure_future(desk.pay())
        await until(lambda: blocked(worker), what="the booking job to wait")
    run = await paying
    again = await desk.pay()
    assert run["payments"] + again["payments"] == 1
    assert sorted(await desk.statuses()) == [("approved", 1), ("reversed", 3)]
    claims = await rows(worker, "SELECT claim FROM payment_beneficiaries ORDER BY claim")
    assert [row["claim"] for row in claims] == ["living", None]
