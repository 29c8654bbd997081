"""Eight clients that write to the registry and two officers who pay through relief, without rest.

An answer that is not definite is asked for again, with the same key and the same operation id,
until it is. An operation marked to abort is sent once and must leave nothing behind.
"""

import asyncio
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

import httpx

from deploy.local.tokens import Signer, open_signer
from shared import clock
from tests.ledger.journal import Journal, Operation, Outcome
from tests.ledger.stack import Stack
from tests.ledger.witness import ABORTS, POISON
from tests.support.builders import id_number

COUNTY = "331124"
CLIENTS = 8
_MOVED = 412
_TRY_SECONDS = 8.0
_GIVE_UP_SECONDS = 150.0
_PUBLISHING = ("change", "join", "leave")
"""What puts an event into the outbox; only these can be rolled back by its trigger."""
_SCOPES = (
    "registry.households:read registry.households:write registry.households:decide "
    "relief.payments:read relief.payments:write relief.payments:pay relief.jobs:read"
)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What the load is made of. ``rate`` is operations a second, of all clients together.

    ``forgetful`` plants a bug in the client: it tries again with a new key.
    """

    seed: int
    rate: float
    share_aborted: float = 0.05
    share_poison: float = 1 / 1000
    forgetful: bool = False


@dataclass(slots=True)
class File:
    """A household as its client knows it: the last revision answered."""

    household_id: str
    village: str
    revision: str | None = None
    poisoned: bool = False
    joined: list[str] = field(default_factory=list)


class Load:
    """The clients and their journal."""

    def __init__(self, stack: Stack, plan: Plan, journal: Journal) -> None:
        self.plan = plan
        self._stack = stack
        self._journal = journal
        self._signer: Signer = open_signer(stack.layout.signing_key, stack.layout.issuer)
        self._apis = [stack.api_url(name) for name in ("registry-api-1", "registry-api-2")]
        self._relief = stack.api_url("relief-api-1")
        self._tokens: dict[str, str] = {}
        self._numbers = iter(range(1, 10_000_000))
        self._poisoned = False

    async def run(self, files: Sequence[File], stop: asyncio.Event) -> None:
        """All clients until ``stop``; what is under way then is brought to an answer."""
        limits = httpx.Limits(max_connections=60, max_keepalive_connections=40)
        async with (
            httpx.AsyncClient(trust_env=False, timeout=_TRY_SECONDS, limits=limits) as web,
            asyncio.TaskGroup() as everybody,
        ):
            for number in range(CLIENTS):
                client = Client(self, web, random.Random(f"{self.plan.seed}/{number}"))  # noqa: S311 - a seeded schedule
                mine = files[number::CLIENTS]
                everybody.create_task(client.write_until(stop, mine))
            for officer in ("payer-1", "payer-2"):
                chance = random.Random(f"{self.plan.seed}/{officer}")  # noqa: S311
                payer = Client(self, web, chance, officer=officer)
                everybody.create_task(payer.pay_until(stop))

    def next_number(self) -> int:
        """A number that no other operation of this run has."""
        return next(self._numbers)

    def first_poison(self) -> bool:
        """True once: no run goes without any poison."""
        first, self._poisoned = not self._poisoned, True
        return first

    def headers(self, officer: str, operation: Operation) -> dict[str, str]:
        """Who asks, for which operation; the key is the operation's own."""
        if officer not in self._tokens:
            self._tokens[officer] = self._signer.sign(
                scopes=_SCOPES.split(), officer=officer, divisions=[COUNTY]
            )
        return {
            "Authorization": f"Bearer {self._tokens[officer]}",
            "X-Correlation-Id": operation.op,
            "X-Purpose": "ledger",
            "Idempotency-Key": operation.op,
        }

    def address(self, service: str, chance: random.Random) -> str:
        """One of the service's apis."""
        return self._relief if service == "relief" else chance.choice(self._apis)

    @property
    def journal(self) -> Journal:
        """Where intents and answers go."""
        return self._journal


class Client:
    """One client at work."""

    def __init__(
        self, load: Load, web: httpx.AsyncClient, chance: random.Random, *, officer: str = "o1"
    ) -> None:
        self._load = load
        self._web = web
        self._chance = chance
        self._officer = officer

    async def write_until(self, stop: asyncio.Event, files: Sequence[File]) -> None:
        """Operations at this client's share of the rate."""
        every = CLIENTS / self._load.plan.rate
        loop = asyncio.get_running_loop()
        due = loop.time()
        while not stop.is_set():
            due = max(due + every * self._chance.uniform(0.5, 1.5), loop.time() - 1.0)
            await asyncio.sleep(max(0.0, due - loop.time()))
            # few households are written often and most now and then, as in life
            at = int(len(files) * self._chance.random() ** 2)
            await self._operate(files[at])

    async def _operate(self, file: File) -> None:
        chosen = self._chance.random()
        if chosen < 0.74:
            await self._change(file)
        elif chosen < 0.84:
            await self._check(file)
        elif chosen < 0.92:
            await self._join(file)
        elif file.joined:
            await self._leave(file)
        else:
            await self._open(file)

    def _operation(self, kind: str, subject: str, *, poison: bool = False) -> Operation:
        aborts = (
            kind in _PUBLISHING
            and not poison
            and self._chance.random() < self._load.plan.share_aborted
        )
        made = UUID(int=self._chance.getrandbits(128), version=4).hex
        return Operation(
            op=(ABORTS if aborts else "op-") + made,
            kind=kind,
            subject=subject,
            aborts=aborts,
            poison=poison,
        )

    async def _change(self, file: File) -> None:
        chosen = self._chance.random() < self._load.plan.share_poison
        poison = not file.poisoned and (chosen or self._load.first_poison())
        operation = self._operation("change", file.household_id, poison=poison)
        body: dict[str, Any] = {
            "valid_from": str(clock.today()),
            "incomes": {
                "wage": f"{self._load.next_number() % 90_000}.{self._chance.randrange(100):02d}"
            },
        }
        if poison:
            body["rigid_expenses"] = {"other": POISON}
        said = await self._ask(
            "PATCH", "registry", f"/v1/households/{file.household_id}", operation, body, file=file
        )
        file.poisoned = file.poisoned or (poison and said is not None)

    async def _check(self, file: File) -> None:
        operation = self._operation("check", file.household_id)
        body = {
            "checked_on": str(clock.today()),
            "incomes": {"wage": str(self._load.next_number())},
            "food_and_clothing": True,
            "note": operation.op,
        }
        await self._ask(
            "POST", "registry", f"/v1/households/{file.household_id}/checks", operation, body
        )

    async def _join(self, file: File) -> None:
        operation = self._operation("join", file.household_id)
        body = {"valid_from": str(clock.today()), **self._person("other")}
        said = await self._ask(
            "POST", "registry", f"/v1/households/{file.household_id}/members", operation, body,
            file=file,
        )  # fmt: skip
        if said is not None:
            file.joined += said["person_ids"]

    async def _leave(self, file: File) -> None:
        person = file.joined.pop()
        operation = self._operation("leave", file.household_id)
        body = {"valid_from": str(clock.today()), "reason": "moved_out"}
        path = f"/v1/households/{file.household_id}/members/{person}/leave"
        said = await self._ask("POST", "registry", path, operation, body, file=file)
        if said is None and operation.aborts:
            file.joined.append(person)

    async def _open(self, file: File) -> None:
        operation = self._operation("open", "")
        body = {
            "division_code": file.village,
            "category": "dibao",
            "incomes": {"wage": str(self._load.next_number())},
            "members": [self._person("head")],
        }
        await self._ask("POST", "registry", "/v1/households", operation, body)

    def _person(self, relation: str) -> dict[str, Any]:
        number = self._load.next_number()
        born = date(1950 + number // 999 % 50, number // 50_000 % 12 + 1, 15)
        return {
            "name": "张三丰",
            "relation": relation,
            "id_number": id_number(born=born, order=number % 999 + 1, area="331125"),
        }

    async def pay_until(self, stop: asyncio.Event) -> None:
        """Order the months around today again and again, and confirm what another has ordered."""
        months = [_month(back) for back in (-1, 0, 1, 2)]
        while not stop.is_set():
            month = self._chance.choice(months)
            operation = self._operation("run", month)
            body = {"programme": "dibao", "month": month, "division": COUNTY}
            run = await self._ask("POST", "relief", "/v1/payment-runs", operation, body)
            if run is not None:
                await self._wait(stop, 5)
                confirm = self._operation("confirm", run["run_id"])
                path = f"/v1/payment-runs/{run['run_id']}/confirm"
                body = {"paid_on": str(clock.today())}
                await self._ask("POST", "relief", path, confirm, body, officer="confirmer")
            await self._wait(stop, self._chance.uniform(2, 8))

    async def _wait(self, stop: asyncio.Event, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await stop.wait()
        except TimeoutError:
            pass

    async def _ask(
        self,
        method: str,
        service: str,
        path: str,
        operation: Operation,
        body: Mapping[str, Any],
        *,
        file: File | None = None,
        officer: str | None = None,
    ) -> dict[str, Any] | None:
        """One operation to its definite answer; what it said where it was acknowledged."""
        headers = self._load.headers(officer or self._officer, operation)
        if method == "PATCH" and file is not None:
            headers["If-Match"] = await self._revision(file, headers)
        self._load.journal.intend(operation)
        loop = asyncio.get_running_loop()
        give_up = loop.time() + _GIVE_UP_SECONDS
        tries = 0
        while loop.time() < give_up:
            tries += 1
            url = self._load.address(service, self._chance) + path
            try:
                answer = await self._web.request(method, url, json=body, headers=headers)
            except httpx.TransportError:
                answer = None
            if operation.aborts and answer is None:
                return None
            if answer is not None and (operation.aborts or _definite(answer)):
                return self._settle(operation, answer, file, tries)
            if self._load.plan.forgetful:
                headers["Idempotency-Key"] = UUID(int=self._chance.getrandbits(128)).hex
            await asyncio.sleep(0.3)
        return None

    async def _revision(self, file: File, headers: Mapping[str, str]) -> str:
        """The file's revision as last answered; read where an answer did not say it."""
        while file.revision is None:
            url = self._load.address("registry", self._chance)
            try:
                answer = await self._web.get(
                    f"{url}/v1/households/{file.household_id}", headers=headers
                )
                file.revision = answer.headers.get("ETag")
            except httpx.TransportError:
                pass
            if file.revision is None:
                await asyncio.sleep(0.3)
        return file.revision

    def _settle(
        self, operation: Operation, answer: httpx.Response, file: File | None, tries: int
    ) -> dict[str, Any] | None:
        outcome: Outcome = "acknowledged" if answer.is_success else "refused"
        if answer.status_code == _MOVED and tries > 1 and not operation.aborts:
            outcome = "unknown"  # an earlier try may have been what moved it
        said: dict[str, Any] = answer.json() if answer.content else {}
        if file is not None:
            file.revision = answer.headers.get("ETag") if answer.is_success else None
        version = said.get("version", 0) if said.get("changed") else 0
        self._load.journal.answer(operation.op, outcome, status=answer.status_code, version=version)
        return said if answer.is_success else None


def _definite(answer: httpx.Response) -> bool:
    """Not a fault of the server, and not that an earlier try is still under way."""
    return answer.status_code < 500 and "request_in_flight" not in answer.text


def _month(ahead: int) -> str:
    today = clock.today()
    count = today.year * 12 + today.month - 1 + ahead - 1
    return f"{count // 12:04d}-{count % 12 + 1:02d}"
