"""From order to balance with a real registry and the reference bank, failures and all."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import pytest

from deploy.local import bank
from services.relief.registry_client import Registry
from tests.registry.filing import person
from tests.relief.payments.bank import BAD, GOOD, Desk, today
from tests.relief.support import receive, rows
from tests.support.builders import household
from tests.support.databases import Databases
from tests.support.real_registry import RealRegistry, issuing, registry_at_home
from tests.support.services import Surroundings


@pytest.fixture
async def registry(
    databases: Databases, surroundings: Surroundings, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[RealRegistry]:
    """A registry that answers."""
    home = tmp_path_factory.mktemp("issuer")
    async with (
        issuing(home) as issuer_url,
        registry_at_home(databases, surroundings, issuer_url) as opened,
    ):
        await opened.start()
        yield opened
        await opened.stop()


async def filed(
    registry: RealRegistry, desk: Desk, name: str, account: str | None
) -> dict[str, Any]:
    """A household in the registry, and relief's copy of it."""
    file = await registry.file(person(name=name), account=account)
    await receive(
        desk.worker,
        household(household_id=UUID(file["household_id"]), division_code=file["division_code"]),
    )
    return file


async def corrected(registry: RealRegistry, file: dict[str, Any], account: str) -> None:
    """An officer of the registry enters another account."""
    async with registry.office() as office:
        where = f"/v1/households/{file['household_id']}"
        answer = await office.patch(
            where,
            json={"valid_from": file["effective_from"], "account": account, "reason": "更正账号"},
            headers={"If-Match": f'"{file["revision"]}"'},
        )
        assert answer.status_code == 200, answer.text


async def made(desk: Desk, registry: RealRegistry, run_id: str) -> str:
    """A file of a run, with what the registry tells relief's own token."""
    answer = await desk.order(run_id)
    assert answer.status_code == 202, answer.text
    jobs = await desk.work(Registry(**registry.asked_by("relief")))
    assert {job["state"] for job in jobs} == {"succeeded"}, jobs
    return str(answer.json()["bank_file_id"])


async def test_order_approve_file_return_correct_reissue_paid_back_and_balance(
    desk: Desk, colleague: httpx.AsyncClient, registry: RealRegistry, month: str
) -> None:
    await desk.threshold("1000")
    good = await filed(registry, desk, "欧阳修", GOOD)
    bad = await filed(registry, desk, "张三丰", BAD)
    await filed(registry, desk, "李四光", None)
    run = await desk.pay()
    assert (run["payments"], run["total_yuan"]) == (3, "1950.00")
    assert (await desk.order(run["run_id"])).json()["code"] == "approval_missing"
    assert (await colleague.post(f"/v1/payment-runs/{run['run_id']}/approve")).status_code == 200

    first = await made(desk, registry, run["run_id"])
    content = await desk.content(first)
    told = {tuple(line.split(",")[1:3]) for line in content.decode("gb18030").split("\r\n")[2:-2]}
    assert told == {("欧阳修", GOOD), ("张三丰", BAD)}
    await desk.book(first, bank.answer(content, today()))
    assert sorted(row[1:] for row in await desk.standing(first)) == [
        ("failed", bank.NO_ACCOUNT),
        ("paid", None),
    ]
    (balance,) = await desk.balance(month)
    parts = ("paid_yuan", "failed_yuan", "returned_yuan", "open_yuan")
    assert [balance[part] for part in parts] == ["650.00", "650.00", "0.00", "650.00"]

    await corrected(registry, bad, "4539578763621486")
    second = await made(desk, registry, run["run_id"])
    await desk.book(second, await desk.answered(second))
    assert sorted(await desk.statuses()) == [("approved", 1), ("paid", 2), ("paid", 2)]

    await desk.book(first, bank.send_back(content, today(), [_paid(content, GOOD)]))
    again = await desk.pay()
    assert again["payments"] == 1
    assert (await colleague.post(f"/v1/payment-runs/{again['run_id']}/approve")).status_code == 200
    third = await made(desk, registry, again["run_id"])
    await desk.book(third, await desk.answered(third))
    (balance,) = await desk.balance(month, programme="dibao", division="331124")
    assert [balance[part] for part in parts] == ["1300.00", "0.00", "650.00", "650.00"]
    assert (balance["runs_yuan"], balance["unbooked"]) == ("2600.00", 0)
    await _audited(registry, good, times=2)
    await _audited(registry, bad, times=2)


def _paid(content: bytes, account: str) -> str:
    lines = content.decode("gb18030").split("\r\n")[2:-2]
    return next(line.split(",")[0] for line in lines if line.split(",")[2] == account)


async def _audited(registry: RealRegistry, file: dict[str, Any], *, times: int) -> None:
    """The registry wrote down who asked, and what for."""
    query = (
        "SELECT why, officer_id FROM audit_log"
        " WHERE subject_id = :id AND action = 'household.account_read'"
    )
    found = await rows(registry.database, query, id=file["household_id"])
    assert found == [{"why": "payment", "officer_id": None}] * times


async def test_a_registry_that_refuses_relief_fails_the_job_with_a_code(
    desk: Desk, registry: RealRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.relief.registry_client.SCOPES", "registry.households:read")
    await desk.threshold()
    await filed(registry, desk, "张三丰", GOOD)
    run = await desk.pay()
    await desk.order(run["run_id"])
    for asked in (registry.asked_by("relief"), registry.asked_by("relief") | {"registry_url": ""}):
        *_, job = await desk.work(Registry(**asked))
        wanted = "registry_refused:403" if asked["registry_url"] else "registry_not_configured"
        assert (job["state"], job["failure"]) == ("failed", wanted)
        assert (await desk.order(run["run_id"])).status_code == 202
    assert [status for status, _ in await desk.statuses()] == ["approved"]
