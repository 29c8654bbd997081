"""What the tests of bank files share: accounts that may be corrected, files made and answered."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx

from deploy.local import bank
from services.relief.payments.bank_jobs import making
from services.relief.payments.sending import MAKE
from services.relief.registry_client import AskPayees, Payee
from services.relief.worker import JOBS
from shared import clock
from shared.contracts.registry import HouseholdState
from shared.db import Database
from tests.relief.support import receive, rows, run_jobs, set_figure
from tests.support.builders import household

GOOD, BAD = "79927398713", "79927398710"
"""An account that the reference bank knows, and one that it does not."""


@dataclass
class Accounts:
    """The payees that the registry would tell, as its officers have entered them."""

    known: dict[UUID, Payee] = field(default_factory=dict)

    async def payees(
        self,
        household_ids: Collection[UUID],
        divisions: Collection[str],  # noqa: ARG002 (as AskPayees)
    ) -> Mapping[UUID, Payee]:
        """Those that are known."""
        return {each: self.known[each] for each in household_ids if each in self.known}

    def enter(self, household_id: UUID, account: str | None, name: str | None = "张三丰") -> None:
        """An officer enters or corrects an account."""
        self.known[household_id] = Payee(name=name, account=account)


@dataclass
class Desk:
    """An officer's desk: runs ordered and paid, files made, fetched and answered."""

    client: httpx.AsyncClient
    worker: Database
    pay: Callable[..., Awaitable[dict[str, Any]]]
    accounts: Accounts = field(default_factory=Accounts)

    async def households(self, *accounts: str | None) -> list[HouseholdState]:
        """A household received for every account, each due 650.00; None: it has no account."""
        states = [household() for _ in accounts]
        await receive(self.worker, *states)
        for state, account in zip(states, accounts, strict=True):
            self.accounts.enter(state.household_id, account)
        return states

    async def threshold(self, value: str = "1000000") -> None:
        """Runs up to this need no approval."""
        await set_figure(self.worker, "payments.approval_threshold", value, date(2026, 1, 1))

    async def work(self, registry: AskPayees | None = None) -> list[dict[str, Any]]:
        """Every open job worked off; all jobs afterwards."""
        asked = registry or self.accounts
        return await run_jobs(self.worker, {**JOBS, MAKE: making(lambda: asked)})

    async def order(self, run_id: str, **order: Any) -> httpx.Response:
        """A file ordered, not yet made."""
        return await self.client.post(f"/v1/payment-runs/{run_id}/bank-files", json=order)

    async def send(self, run_id: str, **order: Any) -> str:
        """A file ordered and made; its id."""
        answer = await self.order(run_id, **order)
        assert answer.status_code == 202, answer.text
        jobs = await self.work()
        assert {job["state"] for job in jobs} == {"succeeded"}, jobs
        return str(answer.json()["bank_file_id"])

    async def content(self, bank_file_id: str) -> bytes:
        """The file as the bank gets it."""
        answer = await self.client.get(f"/v1/bank-files/{bank_file_id}/content")
        assert answer.status_code == 200, answer.text
        return answer.content

    async def hand_in(self, bank_file_id: str, content: bytes) -> httpx.Response:
        """A return handed in, not yet booked."""
        where = f"/v1/bank-files/{bank_file_id}/returns"
        return await self.client.post(where, content=content, headers={"Content-Type": "text/csv"})

    async def answered(self, bank_file_id: str) -> bytes:
        """What the reference bank answers today."""
        return bank.answer(await self.content(bank_file_id), today())

    async def book(self, bank_file_id: str, content: bytes) -> None:
        """A return handed in and booked."""
        answer = await self.hand_in(bank_file_id, content)
        assert answer.status_code == 202, answer.text
        jobs = await self.work()
        assert {job["state"] for job in jobs} == {"succeeded"}, jobs

    async def standing(self, bank_file_id: str) -> list[tuple[int, str, str | None]]:
        """The rows of a file: serial, status, reason."""
        answer = await self.client.get(f"/v1/bank-files/{bank_file_id}/rows")
        assert answer.status_code == 200, answer.text
        return [(row["serial"], row["status"], row["reason"]) for row in answer.json()["items"]]

    async def balance(self, month: str, **asked: Any) -> list[dict[str, Any]]:
        """The balance of a month, after asserting that it is one."""
        answer = await self.client.get("/v1/payment-balances", params={"month": month, **asked})
        assert answer.status_code == 200, answer.text
        for row in answer.json():
            parts = ("paid_yuan", "failed_yuan", "returned_yuan", "open_yuan")
            assert Decimal(row["runs_yuan"]) == sum(Decimal(row[part]) for part in parts), row
        return list(answer.json())

    async def statuses(self) -> list[tuple[str, int]]:
        """Status and version of every payment, in the order of their ids."""
        found = await rows(self.worker, "SELECT status, version FROM payments ORDER BY payment_id")
        return [(row["status"], row["version"]) for row in found]


def today() -> str:
    """Today as the bank writes it."""
    return clock.today().isoformat()


def serials(content: bytes) -> list[str]:
    """The serials in a file, in their order."""
    return [line.split(",")[0] for line in content.decode("gb18030").split("\r\n")[2:-2]]
