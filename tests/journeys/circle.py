"""One household's way round the whole circle, step by step, as the bureaus' officers walk it.

Every step asks the APIs over HTTP, waits for what events must bring about in the other services,
and asserts each service's own state. Nothing sleeps, no parameter is shortened: days pass on the
platform's movable clock.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import httpx

from shared import clock
from tests.support.builders import id_number
from tests.support.platform import Platform
from tests.support.waiting import until

VILLAGE = "331124001003"
REGISTRY = "registry.households:read registry.households:write registry.households:decide"
RELIEF = (
    "relief.dibao:read relief.payments:read relief.payments:write relief.payments:pay "
    "relief.jobs:read"
)
HOUSING = (
    "housing.surveys:read housing.surveys:write "
    "housing.renovations:read housing.renovations:write housing.renovations:pay"
)
EDUCATION = (
    "education.students:read education.students:write education.aid:read education.aid:write "
    "education.aid:pay education.dropout:read education.dropout:write education.jobs:read"
)
EMPLOYMENT = "employment.labour:read employment.jobs:read employment.jobs:write"
NOTIFY = "notify.notices:read notify.timelines:read notify.figures:read notify.feedback:read"
SCOPES = {
    "registry": REGISTRY,
    "relief": RELIEF,
    "housing": HOUSING,
    "education": EDUCATION,
    "employment": EMPLOYMENT,
    "notify": NOTIFY,
}
POOR = {"wage": "6000.00", "business": "0.00", "property": "0.00", "transfer": "0.00"}
WELL = {"wage": "66000.00", "business": "0.00", "property": "0.00", "transfer": "0.00"}


@dataclass(slots=True)
class Circle:
    """A household on its way, and what its officers must remember; ``serial`` tells two apart."""

    platform: Platform
    serial: int
    household_id: str = ""
    people: list[str] = field(default_factory=list)
    village: str = VILLAGE

    async def ask(
        self, method: str, service: str, path: str, *, officer: str = "o1", **content: Any
    ) -> httpx.Response:
        """A request to a service with all the rights that its officers have."""
        return await self.platform.ask(
            method, service, path, scopes=SCOPES[service], officer=officer, **content
        )

    async def get(self, service: str, path: str, **params: Any) -> Any:
        """An answer that must be there."""
        answer = await self.ask("GET", service, path, params=params)
        assert answer.is_success, f"{service} {path}: {answer.status_code} {answer.text}"
        return answer.json()

    async def post(self, service: str, path: str, *, officer: str = "o1", **body: object) -> Any:
        """An order that must be carried out."""
        answer = await self.ask("POST", service, path, officer=officer, json=body)
        assert answer.is_success, f"{service} {path}: {answer.status_code} {answer.text}"
        return answer.json()

    async def refused(self, service: str, path: str, **body: Any) -> set[str]:
        """The codes of an order that must be refused."""
        answer = await self.ask("POST", service, path, json=body)
        assert 400 <= answer.status_code < 500, answer.text
        problem = answer.json()
        return {problem["code"]} | {one["code"] for one in problem.get("errors", [])}

    async def sees(
        self, what: str, look: Callable[[], Awaitable[Any]], *, seconds: float = 60
    ) -> Any:
        """Wait until a service shows what events must have brought it."""
        return await until(look, what=what, seconds=seconds, every=0.1)

    async def finished(self, service: str, job_id: str) -> None:
        """Wait for a job's success."""

        async def look() -> bool:
            job = await self.get(service, f"/v1/jobs/{job_id}")
            assert job["state"] != "failed", job
            return bool(job["state"] == "succeeded")

        await self.sees(f"{service}'s job {job_id}", look)

    # The registry

    async def apply(self) -> None:
        """A family of three applies: two out of work, a child at school, a D-grade house."""
        year = clock.today().year
        able = {"labor_ability": "ordinary", "education": "junior"}
        people = [
            self._person("head", date(year - 41, 3, 2), 1, work="unemployed", **able),
            self._person("spouse", date(year - 40, 7, 9), 2, work="not_working", **able),
            self._person("son", date(year - 9, 5, 4), 3, school_stage="primary"),
        ]
        opened = await self.post(
            "registry",
            "/v1/households",
            division_code=self.village,
            category="dibao",
            house_grade="D",
            incomes=POOR,
            members=people,
            causes=["illness"],
        )
        self.household_id = opened["household_id"]
        self.people = opened["person_ids"]

    def _person(self, relation: str, born: date, order: int, **facts: Any) -> dict[str, Any]:
        return {
            "name": {"head": "周建国", "spouse": "李桂兰", "son": "周小明"}[relation],
            "relation": relation,
            "id_number": id_number(born=born, order=10 * self.serial + order),
            "insured": True,
            "school_stage": "not_at_school",
            **facts,
        }

    async def file(self) -> dict[str, Any]:
        """The household as the registry has it now."""
        found: dict[str, Any] = await self.get("registry", f"/v1/households/{self.household_id}")
        return found

    async def change(self, valid_from: date, **facts: Any) -> None:
        """An officer enters what has changed."""
        path = f"/v1/households/{self.household_id}"
        etag = (await self.ask("GET", "registry", path)).headers["ETag"]
        answer = await self.ask(
            "PATCH",
            "registry",
            path,
            headers={"If-Match": etag},
            json={"valid_from": valid_from.isoformat(), **facts},
        )
        assert answer.is_success, answer.text

    async def decide(self, move: str, **ruling: Any) -> dict[str, Any]:
        """A decision dated today that must stand; signed by an officer of its own."""
        decided: dict[str, Any] = await self.post(
            "registry",
            f"/v1/households/{self.household_id}/{move}",
            officer="decider",
            decided_on=clock.today().isoformat(),
            **ruling,
        )
        return decided

    async def cannot(self, move: str, **ruling: Any) -> set[str]:
        """The reasons for which a decision of today is refused."""
        return await self.refused(
            "registry",
            f"/v1/households/{self.household_id}/{move}",
            decided_on=clock.today().isoformat(),
            **ruling,
        )

    async def guarantees(self) -> dict[str, bool]:
        """Every guarantee as its service last told the registry."""
        rows = await self.get("registry", f"/v1/households/{self.household_id}/guarantees")
        return {row["kind"]: row["met"] for row in rows}

    async def guaranteed(self, **wanted: bool) -> None:
        """Wait until these guarantees stand so in the registry."""

        async def look() -> bool:
            known = await self.guarantees()
            return all(known.get(kind) is met for kind, met in wanted.items())

        await self.sees(f"guarantees {wanted}", look)

    # The public notice

    async def ask_for_notice(self, kind: str, **about: Any) -> None:
        """The registry asks; notify posts it with the applicant's name and nothing else of him."""
        await self.post(
            "registry", f"/v1/households/{self.household_id}/notices", kind=kind, **about
        )

        async def posted() -> Any:
            notices = await self.get("notify", "/v1/notices", division=self.village, kind=kind)
            return [n for n in notices["items"] if self._ours(n) and n["status"] == "posted"]

        (notice,) = await self.sees(f"the {kind} notice posted", posted)
        assert date.fromisoformat(notice["last_day"]) == clock.today() + timedelta(days=7)

    def _ours(self, notice: dict[str, Any]) -> bool:
        return bool(notice["household_id"] == self.household_id)

    async def let_notice_run_out(self, kind: str) -> None:
        """Seven full days pass; notify closes it and the registry hears of it."""
        self.platform.advance(8)

        async def closed() -> bool:
            path = f"/v1/households/{self.household_id}/notices"
            notices = await self.get("registry", path)
            items = notices["items"] if isinstance(notices, dict) else notices
            return any(n["kind"] == kind and n["outcome"] == "unopposed" for n in items)

        await self.sees(f"the {kind} notice closed", closed)

    # Relief

    async def grants(self) -> list[dict[str, Any]]:
        """Relief's schedule of the household."""
        answer = await self.ask("GET", "relief", f"/v1/households/{self.household_id}/grants")
        return list(answer.json()["items"]) if answer.is_success else []

    async def granted(self, month: date, amount: str) -> None:
        """Wait until relief owes exactly so much from a month on."""

        async def look() -> bool:
            held = [g for g in await self.grants() if g["from_month"] <= f"{month:%Y-%m}"]
            return bool(held) and Decimal(held[-1]["amount"]) == Decimal(amount)

        await self.sees(f"a grant of {amount} from {month:%Y-%m}", look)

    async def pay_dibao(self, month: date) -> None:
        """Next month's run is ordered by one officer, and confirmed as paid by another."""
        order = {"programme": "dibao", "month": f"{month:%Y-%m}", "division": self.village}
        run = await self.post("relief", "/v1/payment-runs", **order)
        await self.finished("relief", run["job_id"])
        await self.post(
            "relief",
            f"/v1/payment-runs/{run['run_id']}/confirm",
            officer="o2",
            paid_on=clock.today().isoformat(),
        )

    async def aided(self, programme: str, status: str, amount: str) -> None:
        """Wait until a measure stands in the registry's aid ledger."""

        async def look() -> bool:
            aid = await self.get("registry", f"/v1/households/{self.household_id}/aid", limit=200)
            return any(
                (one["programme"], one["status"]) == (programme, status)
                and Decimal(one["amount"]) == Decimal(amount)
                for one in aid["items"]
            )

        await self.sees(f"{programme} {status} {amount} in the aid ledger", look)
