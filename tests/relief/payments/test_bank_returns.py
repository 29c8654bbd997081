"""What the bank says is taken whole or not at all, booked once, and always adds up."""

import asyncio
import random
from decimal import Decimal
from uuid import UUID

import httpx
import orjson
import pytest

from deploy.local import bank
from services.relief.payments import bank_jobs, bank_queries, returning
from shared.db import Database
from tests.relief.payments.bank import BAD, GOOD, Desk, serials, today
from tests.relief.support import ASSISTED, payments, rows

PAID = [("paid", 2)]
APPROVED = [("approved", 1)]


async def told(worker: Database) -> list[tuple[str, int]]:
    """The payments' events: status and version."""
    found = await rows(worker, ASSISTED)
    return [(orjson.loads(row["data"])["status"], row["aggregate_version"]) for row in found]


async def sent(desk: Desk, *accounts: str) -> str:
    """A file of households with these accounts; its id."""
    await desk.threshold()
    await desk.households(*accounts)
    return await desk.send((await desk.pay())["run_id"])


async def test_paid_ones_are_told_and_failed_ones_stay_with_the_reason(
    desk: Desk, worker: Database
) -> None:
    file = await sent(desk, GOOD, BAD, GOOD)
    await desk.book(file, await desk.answered(file))
    assert await desk.standing(file) == [
        (1, "paid", None),
        (2, "failed", bank.NO_ACCOUNT),
        (3, "paid", None),
    ]
    assert await desk.statuses() == [("paid", 2), ("approved", 1), ("paid", 2)]
    days = {(row["status"], str(row["paid_on"])) for row in await payments(worker)}
    assert days == {("paid", today()), ("approved", "None")}
    assert sorted(await told(worker)) == [("approved", 1)] * 3 + [("paid", 2)] * 2
    listed = await desk.client.get(f"/v1/bank-files/{file}/rows?status=failed&limit=1")
    assert [row["reason"] for row in listed.json()["items"]] == [bank.NO_ACCOUNT]


async def test_the_same_return_again_changes_nothing(desk: Desk, worker: Database) -> None:
    file = await sent(desk, GOOD, BAD)
    answer = await desk.answered(file)
    first = (await desk.hand_in(file, answer)).json()
    await desk.work()
    before = (await desk.statuses(), await told(worker), await desk.standing(file))
    again = await desk.hand_in(file, answer)
    assert (again.status_code, again.json()) == (202, first)
    await desk.work()
    assert (await desk.statuses(), await told(worker), await desk.standing(file)) == before
    assert len(await rows(worker, "SELECT 1 FROM bank_returns")) == 1


async def test_booked_again_by_another_worker_nothing_moves(desk: Desk, worker: Database) -> None:
    file = await sent(desk, GOOD, BAD)
    taken = (await desk.hand_in(file, await desk.answered(file))).json()
    await desk.work()
    before = await told(worker)
    async with worker.transaction() as session:
        again = await bank_queries.return_rows(session, UUID(taken["return_id"]), after=0, limit=9)
        assert len(again) == 2
        assert await returning.book_rows(session, again) == 0
    assert await told(worker) == before


async def test_returns_booked_out_of_order_come_to_the_same(desk: Desk, worker: Database) -> None:
    """That it came back is booked before that it was paid; both are told, in their order."""
    file = await sent(desk, GOOD)
    content = await desk.content(file)
    paid = (await desk.hand_in(file, bank.answer(content, today()))).json()
    back = bank.send_back(content, today(), serials(content))
    came_back = (await desk.hand_in(file, back)).json()
    for taken, moved in ((came_back, 2), (paid, 0), (came_back, 0)):
        async with worker.transaction() as session:
            return_id = UUID(taken["return_id"])
            found = await bank_queries.return_rows(session, return_id, after=0, limit=9)
            assert await returning.book_rows(session, found) == moved
    await desk.work()
    assert await desk.statuses() == [("reversed", 3)]
    assert await told(worker) == [("approved", 1), ("paid", 2), ("reversed", 3)]
    (payment,) = await payments(worker)
    assert str(payment["paid_on"]) == today()


async def test_two_officers_hand_a_return_in_at_once(
    desk: Desk, colleague: httpx.AsyncClient, worker: Database
) -> None:
    """The very same file: both are told of the one that was taken."""
    file = await sent(desk, GOOD, BAD)
    answer = await desk.answered(file)
    where = f"/v1/bank-files/{file}/returns"
    both: list[httpx.AsyncClient] = [desk.client, colleague]
    answers = await asyncio.gather(*(each.post(where, content=answer) for each in both))
    assert [each.status_code for each in answers] == [202, 202]
    assert len({each.json()["return_id"] for each in answers}) == 1
    await desk.work()
    assert sorted(await told(worker)) == [("approved", 1), ("approved", 1), ("paid", 2)]


async def test_two_returns_at_once_never_speak_of_one_row(
    desk: Desk, colleague: httpx.AsyncClient, worker: Database
) -> None:
    file = await sent(desk, GOOD)
    content = await desk.content(file)
    where = f"/v1/bank-files/{file}/returns"
    one, other = bank.answer(content, today()), _failing(content)
    both = zip((desk.client, colleague), (one, other), strict=True)
    answers = await asyncio.gather(*(each.post(where, content=said) for each, said in both))
    assert sorted(each.status_code for each in answers) == [202, 422]
    (refused,) = (each.json() for each in answers if each.status_code == 422)
    assert [fault["code"] for fault in refused["errors"]] == ["row_answered"]
    await desk.work()
    assert len(await rows(worker, "SELECT 1 FROM bank_return_rows")) == 1


def _failing(content: bytes) -> bytes:
    """A return that says of every row that it failed."""
    return _said(content, dict.fromkeys(serials(content), ("失败", "户名不符")))


def _said(content: bytes, words: dict[str, tuple[str, str]]) -> bytes:
    """A return with these words on these serials, written by the reference bank's own pen."""
    batch, known = bank.read(content, "gb18030")
    lines = [
        (row[0], row[3], *(words[row[0]][0], today(), words[row[0]][1]))
        for row in known
        if row[0] in words
    ]
    return bank.written(batch, lines, "gb18030")


def _altered(content: bytes, answer: bytes, other: bytes) -> dict[str, tuple[bytes, str, str]]:
    """By name: a return that must be refused, the line and the code."""
    lines = answer.split(b"\r\n")
    dropped = b"\r\n".join([*lines[:2], *lines[3:]])
    first = serials(content)[0]
    batch, known = bank.read(content, "gb18030")
    dearer = bank.written(batch, [(first, "650.01", "成功", today(), "")], "gb18030")
    twice = bank.written(batch, [(first, "650.00", "成功", today(), "")] * 2, "gb18030")
    others = serials(other)[0]
    foreign = bank.written(batch, [(others, known[0][3], "成功", today(), "")], "gb18030")
    back = bank.send_back(content, today(), [first])
    return {
        "other file": (bank.answer(other, today()), "line/1", "batch_differs"),
        "other run's serial": (foreign, "line/3", "serial_unknown"),
        "amount": (dearer, "line/3", "amount_differs"),
        "checksum": (dropped, "line/4", "checksum_differs"),
        "byte": (answer.replace(b"650.00", b"550.00", 1), "line/3", "row_altered"),
        "twice": (twice, "line/4", "row_twice"),
        "not paid": (back, "line/3", "not_paid"),
        "empty": (b"", "line/1", "file_cut_off"),
        "noise": (bytes(range(256)), "line/2", "encoding_wrong"),
    }


async def test_a_return_that_is_wrong_is_refused_with_its_row_and_nothing_is_written(
    desk: Desk, worker: Database
) -> None:
    other = await sent(desk, GOOD)
    await desk.households(GOOD, BAD)
    file = await desk.send((await desk.pay())["run_id"])
    content = await desk.content(file)
    answer = bank.answer(content, today())
    before = await rows(worker, "SELECT * FROM bank_file_rows ORDER BY bank_file_id, serial")
    for name, (wrong, line, code) in _altered(content, answer, await desk.content(other)).items():
        refused = await desk.hand_in(file, wrong)
        assert (refused.status_code, refused.json()["code"]) == (422, "return_refused"), name
        faults = {(fault["where"], fault["code"]) for fault in refused.json()["errors"]}
        assert (line, code) in faults, (name, faults)
    assert before == await rows(
        worker, "SELECT * FROM bank_file_rows ORDER BY bank_file_id, serial"
    )
    for table in ("bank_returns", "bank_return_rows"):
        assert await rows(worker, f"SELECT 1 FROM {table}") == []  # noqa: S608 (names above)
    assert {status for status, _ in await desk.statuses()} == {"approved"}


async def test_an_account_that_the_bank_quotes_is_not_kept(desk: Desk) -> None:
    file = await sent(desk, GOOD)
    content = await desk.content(file)
    quoted = ("失败", "账号79927398不存在，代码1234567")
    await desk.book(file, _said(content, dict.fromkeys(serials(content), quoted)))
    assert await desk.standing(file) == [(1, "failed", "账号[masked]不存在，代码1234567")]


async def test_what_failed_is_sent_again_once_the_account_is_corrected(desk: Desk) -> None:
    await desk.threshold()
    (state,) = await desk.households(BAD)
    run = await desk.pay()
    first = await desk.send(run["run_id"])
    await desk.book(first, await desk.answered(first))
    unchanged = await desk.send(run["run_id"])
    assert await desk.standing(unchanged) == []
    listed = await desk.client.get(f"/v1/payment-runs/{run['run_id']}/exceptions")
    assert [each["code"] for each in listed.json()["items"]] == ["account_unchanged"]
    desk.accounts.enter(state.household_id, GOOD)
    second = await desk.send(run["run_id"])
    await desk.book(second, await desk.answered(second))
    assert await desk.statuses() == PAID
    assert [row[1] for row in await desk.standing(first)] == ["failed"]
    assert [row[1] for row in await desk.standing(second)] == ["paid"]


async def test_what_failed_by_no_fault_of_the_account_may_be_sent_unchanged(desk: Desk) -> None:
    await desk.threshold()
    await desk.households(GOOD)
    run = await desk.pay()
    first = await desk.send(run["run_id"])
    await desk.book(first, _failing(await desk.content(first)))
    second = await desk.send(run["run_id"], unchanged=True)
    await desk.book(second, await desk.answered(second))
    assert await desk.statuses() == PAID


async def test_money_that_came_back_is_reversed_and_paid_anew_once(
    desk: Desk, worker: Database, month: str
) -> None:
    file = await sent(desk, GOOD)
    await desk.book(file, await desk.answered(file))
    content = await desk.content(file)
    back = bank.send_back(content, today(), serials(content))
    await desk.book(file, back)
    assert await desk.statuses() == [("reversed", 3)]
    assert await told(worker) == [("approved", 1), ("paid", 2), ("reversed", 3)]
    said = [orjson.loads(row["data"]) for row in await rows(worker, ASSISTED)]
    assert said[2] == said[1] | {"status": "reversed"}
    assert said[2]["person_ids"], "whom it was for is told to the end"
    (balance,) = await desk.balance(month)
    assert (balance["returned_yuan"], balance["unbooked"]) == ("650.00", 0)
    again = await desk.pay()
    assert again["payments"] == 1
    for _ in range(2):
        assert (await desk.pay())["payments"] == 0
    second = await desk.send(again["run_id"])
    await desk.book(second, await desk.answered(second))
    assert await desk.statuses() == [("reversed", 3), ("paid", 2)]
    (balance,) = await desk.balance(month)
    assert (balance["runs_yuan"], balance["paid_yuan"]) == ("1300.00", "650.00")


async def test_a_killed_booking_goes_on_where_it_was(
    desk: Desk, worker: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bank_jobs, "CHUNK", 2)
    file = await sent(desk, *[GOOD, BAD, GOOD, GOOD, BAD])
    await desk.book(file, await desk.answered(file))
    (job,) = await rows(worker, "SELECT * FROM jobs WHERE kind = 'relief.book_bank_return'")
    assert (job["done"], job["result"]["moved"]) == (5, 3)
    assert sorted(await told(worker)) == [("approved", 1)] * 5 + [("paid", 2)] * 3


async def test_while_a_return_waits_to_be_booked_the_balance_says_so(
    desk: Desk, month: str
) -> None:
    file = await sent(desk, GOOD)
    await desk.hand_in(file, await desk.answered(file))
    (balance,) = await desk.balance(month)
    assert (balance["paid_yuan"], balance["unbooked"]) == ("650.00", 1)
    await desk.work()
    (balance,) = await desk.balance(month)
    assert (balance["paid_yuan"], balance["unbooked"]) == ("650.00", 0)


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_files_come_the_month_adds_up(
    desk: Desk, worker: Database, month: str, seed: int
) -> None:
    """Random runs, files and partial returns; after each step runs = the four parts, to the fen."""
    chance = random.Random(seed)  # noqa: S311 (no secret)
    await desk.threshold()
    files: dict[str, dict[str, str]] = {}
    for _ in range(14):
        await _step(desk, files, chance)
        for balance in await desk.balance(month):
            assert balance["unbooked"] == 0
            assert _sums(files) == {
                part: Decimal(balance[f"{part}_yuan"]) for part in ("paid", "returned")
            }
            summed = sum((row["amount"] for row in await payments(worker)), Decimal(0))
            assert Decimal(balance["runs_yuan"]) == summed
    live = "SELECT 1 FROM payments WHERE status <> 'reversed' GROUP BY payee_household_id, month"
    assert await rows(worker, f"{live} HAVING count(*) > 1") == []
    assert files, "the walk sent something"


def _sums(files: dict[str, dict[str, str]]) -> dict[str, Decimal]:
    words = [word for said in files.values() for word in said.values()]
    return {part: 650 * Decimal(words.count(part)) for part in ("paid", "returned")}


async def _step(desk: Desk, files: dict[str, dict[str, str]], chance: random.Random) -> None:
    """A household more and a run, a file of a run, or a return of a file: as chance has it."""
    match chance.choice(("run", "file", "return", "return")):
        case "run":
            await desk.households(*(chance.choice((GOOD, GOOD, BAD)) for _ in range(2)))
            await desk.pay()
        case "file":
            for run in await rows(desk.worker, "SELECT run_id FROM payment_runs ORDER BY run_id"):
                answer = await desk.order(str(run["run_id"]), unchanged=chance.random() < 0.7)
                if answer.status_code == 202:
                    await desk.work()
                    file = str(answer.json()["bank_file_id"])
                    files[file] = dict.fromkeys(serials(await desk.content(file)), "open")
                else:
                    assert answer.json()["code"] == "nothing_to_send"
        case _ if files:
            file = chance.choice(sorted(files))
            await _return(desk, file, files[file], chance)


async def _return(desk: Desk, file: str, known: dict[str, str], chance: random.Random) -> None:
    """Some open rows are answered and some paid ones come back, in one file."""
    words: dict[str, tuple[str, str]] = {}
    after = dict(known)
    for serial, status in known.items():
        if status == "open" and chance.random() < 0.7:
            paid = chance.random() < 0.6
            words[serial] = ("成功", "") if paid else ("失败", "户名不符")
            after[serial] = "paid" if paid else "failed"
        elif status == "paid" and chance.random() < 0.3:
            words[serial] = ("退回", "销户")
            after[serial] = "returned"
    if words:
        await desk.book(file, _said(await desk.content(file), words))
        known.update(after)
