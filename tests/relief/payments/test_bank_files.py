"""A run is approved and goes to the bank: once, whole, sealed, and never by hand as well."""

import asyncio
import csv
import hashlib
import io
from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

import httpx
import pytest

from deploy.local.provision import ServiceDatabase
from services.relief.payments import bank_jobs
from services.relief.registry_client import Payee
from shared import clock, crypto
from shared.db import Database
from shared.jobs import JobFailedError
from tests.conftest import ClientOf
from tests.relief.payments.bank import GOOD, Accounts, Desk
from tests.relief.support import COUNTY, SCOPES, receive, rows, run_jobs, set_tekun_figures
from tests.relief.tekun.support import TODAY, institution, placing, tekun_household
from tests.support.places import load_divisions


def refused(answer: httpx.Response, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


async def approve(client: httpx.AsyncClient, run: dict[str, Any]) -> httpx.Response:
    return await client.post(f"/v1/payment-runs/{run['run_id']}/approve")


async def test_above_the_threshold_a_second_officer_approves_first(
    desk: Desk, client: httpx.AsyncClient, colleague: httpx.AsyncClient, worker: Database
) -> None:
    await desk.threshold("1299.99")
    await desk.households(GOOD, GOOD)
    run = await desk.pay()
    refused(await desk.order(run["run_id"]), 409, "approval_missing")
    refused(await approve(client, run), 409, "same_officer")
    refused(await desk.order(run["run_id"]), 409, "approval_missing")
    for _ in range(2):
        answer = await approve(colleague, run)
        assert (answer.status_code, answer.json()["approved_by"]) == (200, "o2"), answer.text
    await desk.send(run["run_id"])
    audited = await rows(
        worker, "SELECT detail, officer_id FROM audit_log WHERE action = 'payment_run.approved'"
    )
    assert audited == [{"detail": {"total_yuan": "1300.00"}, "officer_id": "o2"}]
    shown = (await client.get(f"/v1/payment-runs/{run['run_id']}")).json()
    assert shown["approved_by"] == "o2"


async def test_up_to_the_threshold_the_order_suffices(desk: Desk) -> None:
    await desk.threshold("1300")
    await desk.households(GOOD, GOOD)
    run = await desk.pay()
    await desk.send(run["run_id"])


async def test_without_a_threshold_every_run_is_approved(desk: Desk) -> None:
    await desk.households(GOOD)
    run = await desk.pay()
    refused(await desk.order(run["run_id"]), 409, "approval_missing")


async def test_two_approvals_at_once_leave_one(
    desk: Desk, colleague: httpx.AsyncClient, relief: ServiceDatabase, client_of: ClientOf
) -> None:
    await desk.households(GOOD)
    run = await desk.pay()
    third = await client_of("relief", relief, scopes=SCOPES, officer="o3", divisions=(COUNTY,))
    answers = await asyncio.gather(approve(colleague, run), approve(third, run))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert {answer.json().get("code") for answer in answers} == {None, "run_approved"}


async def test_a_run_still_being_paid_is_neither_approved_nor_sent(
    desk: Desk, client: httpx.AsyncClient, colleague: httpx.AsyncClient, month: str
) -> None:
    await desk.households(GOOD)
    order = {"programme": "dibao", "month": month, "division": COUNTY}
    run = (await client.post("/v1/payment-runs", json=order)).json()
    refused(await approve(colleague, run), 409, "run_not_over")
    refused(await desk.order(run["run_id"]), 409, "run_not_over")


async def test_a_file_holds_what_is_approved_to_the_fen_with_its_checksum(
    desk: Desk, client: httpx.AsyncClient, worker: Database, month: str
) -> None:
    await desk.threshold()
    states = await desk.households(GOOD, GOOD)
    desk.accounts.enter(states[1].household_id, "6228480012345678", name="欧阳,𬱖")
    run = await desk.pay()
    bank_file_id = await desk.send(run["run_id"])
    content = await desk.content(bank_file_id)
    head, names, *told, trailer = csv.reader(io.StringIO(content.decode("gb18030"), newline=""))
    assert (head, names) == (["批次", bank_file_id], ["流水号", "户名", "账号", "金额", "用途"])
    assert {tuple(row[1:4]) for row in told} == {
        ("张三丰", GOOD, "650.00"),
        ("欧阳,𬱖", "6228480012345678", "650.00"),
    }
    year, number = month.split("-")
    assert {row[4] for row in told} == {f"最低生活保障金{year}年{int(number)}月"}
    assert len({row[0] for row in told}) == 2
    lines = b"".join(line + b"\r\n" for line in content.split(b"\r\n")[2:-2])
    assert trailer == ["合计", "2", "1300.00", hashlib.sha256(lines).hexdigest()]
    shown = (await client.get(f"/v1/bank-files/{bank_file_id}")).json()
    assert (shown["rows"], shown["total"], shown["checksum"]) == (2, "1300.00", trailer[3])


async def test_a_file_may_be_utf_8(desk: Desk, client: httpx.AsyncClient) -> None:
    await desk.threshold()
    await desk.households(GOOD)
    run = await desk.pay()
    bank_file_id = await desk.send(run["run_id"], encoding="utf-8")
    answer = await client.get(f"/v1/bank-files/{bank_file_id}/content")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert "张三丰" in answer.content.decode()
    refused(await desk.order(run["run_id"], encoding="big5"), 422, "request_invalid")


async def test_names_and_accounts_lie_sealed_and_in_no_event(desk: Desk, worker: Database) -> None:
    await desk.threshold()
    await desk.households(GOOD)
    run = await desk.pay()
    await desk.book(file := await desk.send(run["run_id"]), await desk.answered(file))
    for table in ("bank_files", "bank_file_rows", "bank_returns", "bank_return_rows", "jobs"):
        for row in await rows(worker, f"SELECT * FROM {table}"):  # noqa: S608 (names above)
            assert GOOD not in str(row), table
            assert "张三丰" not in str(row), table
            for value in row.values():
                if isinstance(value, bytes):
                    assert "张三丰".encode("gb18030") not in value, table
                    assert GOOD.encode() not in value, table
    for table in ("events", "audit_log"):
        for row in await rows(worker, f"SELECT * FROM {table}"):  # noqa: S608 (names above)
            assert GOOD not in str(row), table
            assert "张三丰" not in str(row), table
    (stored,) = await rows(worker, "SELECT content_encrypted FROM bank_files")
    opened = crypto.decrypt_bytes(stored["content_encrypted"], purpose="relief.bank_file")
    assert opened == await desk.content(file)
    lines = await rows(worker, "SELECT line_encrypted FROM bank_file_rows")
    assert lines == [{"line_encrypted": None}]


async def test_every_fetch_is_audited_for_the_file_and_each_household(
    desk: Desk, worker: Database, relief: ServiceDatabase, client_of: ClientOf
) -> None:
    await desk.threshold()
    states = await desk.households(GOOD, GOOD)
    run = await desk.pay()
    bank_file_id = await desk.send(run["run_id"])
    rights = SCOPES.replace("relief.payments:fetch", "")
    without = await client_of("relief", relief, scopes=rights, officer="o1", divisions=(COUNTY,))
    refused(await without.get(f"/v1/bank-files/{bank_file_id}/content"), 403, "scope_missing")
    for _ in range(2):
        await desk.content(bank_file_id)
    audited = await rows(
        worker,
        "SELECT subject_id, officer_id FROM audit_log"
        " WHERE action IN ('bank_file.fetched', 'household.account_read')",
    )
    seen = sorted((row["subject_id"], row["officer_id"]) for row in audited)
    about = [bank_file_id, *(str(state.household_id) for state in states)]
    assert seen == sorted((each, "o1") for each in about * 2)


async def test_who_has_no_account_or_name_is_an_exception_until_it_is_sent(
    desk: Desk, client: httpx.AsyncClient
) -> None:
    await desk.threshold()
    unknown, nameless, _ = await desk.households(None, GOOD, GOOD)
    desk.accounts.enter(nameless.household_id, GOOD, name=None)
    run = await desk.pay()
    first = await desk.send(run["run_id"])
    assert await desk.standing(first) == [(1, "open", None)]
    where = f"/v1/payment-runs/{run['run_id']}"
    listed = (await client.get(f"{where}/exceptions")).json()["items"]
    assert {(each["household_id"], each["code"], each["settled_at"]) for each in listed} == {
        (str(unknown.household_id), "account_missing", None),
        (str(nameless.household_id), "account_missing", None),
    }
    assert (await client.get(where)).json()["exceptions"] == 2
    assert [status for status, _ in await desk.statuses()] == ["approved"] * 3
    desk.accounts.enter(unknown.household_id, GOOD)
    second = await desk.send(run["run_id"])
    assert await desk.standing(second) == [(1, "open", None)]
    listed = (await client.get(f"{where}/exceptions")).json()["items"]
    assert {each["household_id"] for each in listed if each["settled_at"] is None} == {
        str(nameless.household_id)
    }
    assert (await client.get(where)).json()["exceptions"] == 1


async def test_nothing_is_sent_twice(desk: Desk) -> None:
    await desk.threshold()
    await desk.households(GOOD, GOOD)
    run = await desk.pay()
    first = await desk.send(run["run_id"])
    refused(await desk.order(run["run_id"]), 409, "nothing_to_send")
    await desk.book(first, await desk.answered(first))
    refused(await desk.order(run["run_id"]), 409, "nothing_to_send")


async def test_two_files_of_one_run_ordered_at_once_leave_one(
    desk: Desk, colleague: httpx.AsyncClient, worker: Database
) -> None:
    await desk.threshold()
    await desk.households(GOOD, GOOD)
    run = await desk.pay()
    where = f"/v1/payment-runs/{run['run_id']}/bank-files"
    asking: list[httpx.AsyncClient] = [desk.client, colleague]
    answers = await asyncio.gather(*(each.post(where, json={}) for each in asking))
    assert sorted(answer.status_code for answer in answers) == [202, 409]
    assert {a.json().get("code") for a in answers} == {None, "bank_file_in_the_making"}
    await desk.work()
    assert len(await rows(worker, "SELECT 1 FROM bank_file_rows")) == 2


async def test_a_file_and_a_confirmation_at_once_leave_one_way(
    desk: Desk, colleague: httpx.AsyncClient
) -> None:
    """Each round another run: it pays the household that came since."""
    await desk.threshold()
    seen = set()
    for turn in range(6):
        await desk.households(GOOD)
        run = await desk.pay()
        confirm = colleague.post(
            f"/v1/payment-runs/{run['run_id']}/confirm", json={"paid_on": f"{clock.today()}"}
        )
        send = desk.order(run["run_id"])
        pair = (confirm, send) if turn % 2 else (send, confirm)
        answers = await asyncio.gather(*pair)
        assert sorted(answer.status_code for answer in answers) == [202, 409], run
        seen |= {answer.json()["code"] for answer in answers if answer.status_code == 409}
        await desk.work()
    assert seen <= {"bank_file_exists", "run_confirmed"}
    assert seen


async def test_each_way_closes_the_other(desk: Desk, colleague: httpx.AsyncClient) -> None:
    await desk.threshold()
    await desk.households(GOOD)
    by_hand = await desk.pay()
    paid = {"paid_on": f"{clock.today()}"}
    where = f"/v1/payment-runs/{by_hand['run_id']}/confirm"
    assert (await colleague.post(where, json=paid)).status_code == 202
    refused(await desk.order(by_hand["run_id"]), 409, "run_confirmed")
    await desk.work()
    await desk.households(GOOD)
    by_bank = await desk.pay()
    await desk.send(by_bank["run_id"])
    where = f"/v1/payment-runs/{by_bank['run_id']}/confirm"
    refused(await colleague.post(where, json=paid), 409, "bank_file_exists")


class Failing(Accounts):
    """A registry that refuses relief's token after its first answer."""

    def __init__(self, known: dict[UUID, Payee]) -> None:
        super().__init__(known)
        self.asked = 0

    async def payees(
        self, household_ids: Collection[UUID], divisions: Collection[str]
    ) -> Mapping[UUID, Payee]:
        self.asked += 1
        if self.asked > 1:
            raise JobFailedError("registry_refused:403")
        return await super().payees(household_ids, divisions)


async def test_a_file_whose_job_failed_goes_on_where_it_was(
    desk: Desk, worker: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bank_jobs, "CHUNK", 2)
    await desk.threshold()
    await desk.households(*[GOOD] * 5)
    run = await desk.pay()
    ordered = (await desk.order(run["run_id"])).json()["bank_file_id"]
    jobs = await desk.work(Failing(desk.accounts.known))
    assert (jobs[-1]["state"], jobs[-1]["failure"]) == ("failed", "registry_refused:403")
    assert len(await rows(worker, "SELECT 1 FROM bank_file_rows")) == 2
    where = f"/v1/bank-files/{ordered}"
    refused(await desk.client.get(f"{where}/content"), 409, "bank_file_in_the_making")
    refused(await desk.hand_in(ordered, b""), 409, "bank_file_in_the_making")
    again = await desk.order(run["run_id"])
    assert (again.status_code, again.json()["bank_file_id"]) == (202, ordered)
    refused(await desk.order(run["run_id"]), 409, "bank_file_in_the_making")
    await desk.work()
    told = (await desk.content(ordered)).decode("gb18030").split("\r\n")[2:-2]
    assert [line.split(",")[0][-6:] for line in told] == [f"{at:06d}" for at in range(1, 6)]
    assert (await desk.client.get(where)).json()["total"] == "3250.00"


async def test_a_registry_that_does_not_answer_is_waited_for(desk: Desk, worker: Database) -> None:
    """The job stays open and nothing of it is written; then it goes on by itself."""

    class Down(Accounts):
        asked = 0

        async def payees(
            self, household_ids: Collection[UUID], divisions: Collection[str]
        ) -> Mapping[UUID, Payee]:
            self.asked += 1
            if self.asked < 3:
                raise ConnectionError("the registry does not answer")
            return await super().payees(household_ids, divisions)

    await desk.threshold()
    await desk.households(GOOD)
    run = await desk.pay()
    await desk.order(run["run_id"])
    registry = Down(desk.accounts.known)
    jobs = await desk.work(registry)
    assert (jobs[-1]["state"], registry.asked) == ("succeeded", 3)


async def test_another_county_knows_nothing_of_it(
    desk: Desk, neighbour: httpx.AsyncClient, month: str
) -> None:
    await desk.threshold()
    await desk.households(GOOD)
    run = await desk.pay()
    file = await desk.send(run["run_id"])
    runs, files = f"/v1/payment-runs/{run['run_id']}", f"/v1/bank-files/{file}"
    refused(await neighbour.post(f"{runs}/approve"), 404, "payment_run_unknown")
    refused(await neighbour.post(f"{runs}/bank-files", json={}), 404, "payment_run_unknown")
    refused(await neighbour.get(f"{runs}/bank-files"), 404, "payment_run_unknown")
    for path in (files, f"{files}/content", f"{files}/rows"):
        refused(await neighbour.get(path), 404, "bank_file_unknown")
    handed_in = await neighbour.post(f"{files}/returns", content=await desk.answered(file))
    refused(handed_in, 404, "bank_file_unknown")
    balance = await neighbour.get("/v1/payment-balances", params={"month": month})
    assert balance.json() == []
    assert await desk.balance(month)


async def test_money_of_an_institution_goes_to_its_own_account(
    desk: Desk, colleague: httpx.AsyncClient, relief: ServiceDatabase, month: str
) -> None:
    await load_divisions(relief)
    await desk.threshold()
    await set_tekun_figures(desk.worker, but="dibao_line")
    state = tekun_household()
    await receive(desk.worker, state)
    home = await institution(desk.client, colleague)
    where = f"/v1/households/{state.household_id}/tekun-supports"
    day = clock.add_months(TODAY, -2)
    assert (await desk.client.post(where, json=placing(state, home, on=day))).status_code == 201
    await run_jobs(desk.worker)
    run = await desk.pay(programme="tekun")
    content = await desk.content(await desk.send(run["run_id"]))
    (line,) = content.decode("gb18030").split("\r\n")[2:-2]
    year, number = month.split("-")
    assert line.split(",")[1:3] == ["西屏街道敬老院", "201000123456789"]
    assert line.split(",")[4] == f"特困人员救助供养金{year}年{int(number)}月"
