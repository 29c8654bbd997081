"""A township's work on one household over the whole platform: word, visit, papers, data check,
survey, opinion, notice, decision, helper.

Officers are told apart as the rules want it: two clerks and a leader of the township, the county's
civil affairs. The sources that the data check asks are those of the running platform.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import httpx

from deploy.local import sources as reference
from deploy.local.sources import Way
from shared import clock
from tests.journeys.circle import Circle
from tests.support.builders import id_number

CLERK, SECOND, LEADER, COUNTY, HELPER = "t1", "t2", "t3", "c1", "h1"
TOWNSHIP = ("331124001",)
_CAPABILITIES = (
    "households leads tasks determination verification means helpers attachments plans visits"
)
_RIGHTS = " ".join(
    f"registry.{capability}:{verb}"
    for capability in _CAPABILITIES.split()
    for verb in ("read", "write", "decide")
)


def known_to_the_bank_alone(born: date) -> str:
    """A number of whose person every source answers at once, and the bank reports too much money.

    The reference sources go by the number; this finds one that they treat so.
    """
    return next(
        number
        for number in _numbers(born)
        if all(reference.way_of(source, number) is Way.AT_ONCE for source in reference.SOURCES)
        and [each for each in reference.SOURCES if reference.finds(each, number)] == ["bank"]
        and reference.found_of("bank", reference.digest("bank", number), born)["over_limit"]
    )


def _numbers(born: date) -> Iterator[str]:
    for days in range(3_650):
        for order in range(1, 1_000, 2):
            yield id_number(born=born + timedelta(days=days), order=order)


@dataclass(slots=True)
class Township(Circle):
    """A household on its way through a township's offices."""

    application: dict[str, Any] = field(default_factory=dict)

    async def ask(
        self, method: str, service: str, path: str, *, officer: str = CLERK, **content: Any
    ) -> httpx.Response:
        """A request of an officer of the township, or of the county for ``c1``."""
        if service != "registry":
            # a slotted dataclass has no super() of its methods
            return await Circle.ask(self, method, service, path, officer=officer, **content)
        places = {} if officer == COUNTY else {"divisions": TOWNSHIP}
        return await self.platform.ask(
            method, service, path, scopes=_RIGHTS, officer=officer, **places, **content
        )

    async def tell(self, name: str, number: str) -> str:
        """A grid worker tells of somebody; gives the lead's id."""
        told = await self.post(
            "registry",
            "/v1/leads",
            source="grid_worker",
            reported_on=today(),
            text="独居老人,近日住院,无人照料",
            person={"name": name, "id_number": number, "division_code": self.village},
        )
        return str(told["lead"]["lead_id"])

    async def without_token(self, service: str, path: str, **body: Any) -> Any:
        """What anybody is answered who has no token."""
        answer = await self.platform.client.post(
            self.platform.layout.api(service) + path,
            json=body,
            headers={"Idempotency-Key": str(uuid4())},
        )
        assert answer.is_success, f"{service} {path}: {answer.status_code} {answer.text}"
        return answer.json()

    async def neighbour_tells(self, number: str) -> str:
        """A neighbour tells of the same person by WeChat; gives the receipt number."""
        told = await self.without_token(
            "registry",
            "/v1/public/leads",
            text="老人住院,无人照料",
            division_code=self.village,
            phone="13900001234",
            id_number=number,
        )
        return str(told["receipt"])

    async def neighbour_hears(self, receipt: str, status: str) -> list[str]:
        """Wait until notify says so to who holds the receipt; gives what happened, in words."""
        steps: list[str] = []

        async def look() -> bool:
            word = await self.without_token("notify", "/v1/public/feedback", receipt=receipt)
            steps[:] = word["steps"]
            return bool(word["status"] == status)

        await self.sees("notify's word to the neighbour", look)
        return steps

    async def hears_of(self, lead_id: str, word: str) -> None:
        """Wait until notify has this word for who told of a lead."""

        async def look() -> bool:
            answer = await self.ask("GET", "notify", f"/v1/feedback/{lead_id}")
            return answer.is_success and word in answer.json()["message"]

        await self.sees("notify's word to who told of the lead", look)

    async def tasks(self) -> set[str]:
        """What stands open for the household on the board."""
        board = await self.get("registry", "/v1/tasks", household_id=self.household_id, open=True)
        return {task["kind"] for task in board["items"]}

    async def waits_for(self, kind: str) -> None:
        """Wait until the turn of the day has put a task of this kind on the board."""

        async def there() -> bool:
            return kind in await self.tasks()

        await self.sees(f"the task {kind}", there)

    async def step(self, step: str, *, by: str = CLERK, **body: Any) -> dict[str, Any]:
        """The next step of the application, from the version that was read last."""
        answer = await self.ask(
            "POST",
            "registry",
            f"/v1/applications/{self.application['application_id']}/{step}",
            officer=by,
            json=body,
            headers={"If-Match": f'"{self.application["revision"]}"'},
        )
        assert answer.is_success, f"{step}: {answer.status_code} {answer.text}"
        self.application = answer.json()
        return self.application

    async def read_application(self) -> dict[str, Any]:
        """The application as it stands now."""
        self.application = await self.get(
            "registry", f"/v1/applications/{self.application['application_id']}"
        )
        return self.application

    async def hand_in_papers(self) -> None:
        """All that the applicant was told to bring; then the township accepts."""
        papers = [
            told | {"received_on": today(), "reference": "档-1"}
            for told in self.application["papers_told"]
        ]
        await self.step("papers", papers=papers)
        accepted = await self.step("accept", accepted_on=today())
        assert accepted["state"] == "accepted"

    async def verify(self) -> dict[str, Any]:
        """Everybody has signed, all sources are asked and answer; gives the one doubt."""
        for person_id in self.people:
            await self.post(
                "registry",
                f"{self._home}/authorizations",
                person_id=person_id,
                sources=list(reference.SOURCES),
                purpose="申请低保",
                signed_on=today(),
                valid_from=today(),
                valid_to=clock.add_months(clock.today(), 12).isoformat(),
                document="授权-1",
            )
        asked = await self.post(
            "registry",
            f"{self._home}/verifications",
            aid_type="dibao",
            purpose="申请低保",
            from_month=f"{clock.add_months(clock.today(), -11):%Y-%m}",
            to_month=f"{clock.today():%Y-%m}",
        )
        where = f"{self._home}/verifications/{asked['verification_id']}"

        async def answered() -> bool:
            shown = await self.get("registry", where)
            return {each["state"] for each in shown["items"]} <= {"answered", "nothing_found"}

        await self.sees("every source's answer", answered)
        (doubt,) = await self.get("registry", f"{where}/doubts")
        await self.post(
            "registry",
            f"/v1/verification-doubts/{doubt['doubt_id']}/settle",
            outcome="explained",
            words="存款系已故丈夫的丧葬补助,已核实",
            proof="收据-1",
        )
        return dict(await self.post("registry", f"{where}/reports", missing_reason=""))

    async def survey(self) -> None:
        """Two clerks at the household's door; both sign, each by his own account."""
        surveyed = await self.step(
            "surveys", surveyed_on=today(), findings="独居,住房安全,无力劳动", neighbours_heard=2
        )
        survey_id = surveyed["surveys"][-1]["survey_id"]
        await self.step(f"surveys/{survey_id}/sign", by=SECOND)

    async def announce(self) -> None:
        """The leader's opinion, then the notice that notify posts on the village's board."""
        await self.step(
            "opinion", by=LEADER, given_on=today(), in_favour=True, words="符合条件,建议认定"
        )
        announced = await self.step("announce", by=LEADER)
        assert announced["state"] == "on_notice"

        async def posted() -> bool:
            shown = await self.get("notify", "/v1/notices", division=self.village)
            return any(self._ours(each) and each["status"] == "posted" for each in shown["items"])

        await self.sees("the notice posted", posted)

    async def pair(self) -> str:
        """A cadre of the village becomes the household's one lead helper; gives the pairing."""
        helper = await self.post(
            "registry",
            "/v1/helpers",
            officer=COUNTY,
            division_code=TOWNSHIP[0],
            officer_id="h1",
            name="吴守信",
            kind="village_cadre",
            unit="某村村委会",
            started_on=today(),
        )
        paired = await self.post(
            "registry",
            "/v1/pairings",
            household_id=self.household_id,
            helper_id=helper["helper_id"],
            lead=True,
            paired_on=today(),
            related=False,
        )
        return str(paired["pairing_id"])

    async def plan(self) -> str:
        """Drafted by a clerk, signed by the lead helper, approved; gives its one measure."""
        day = clock.today()
        measure = {
            "kind": "comprehensive",
            "cause": "old_age",
            "bureau": "民政局",
            "officer_id": CLERK,
            "budget": "3000.00",
            "fund": "县级资金",
            "begins_on": day.isoformat(),
            "due_on": clock.add_months(day, 6).isoformat(),
        }
        plan = await self.post(
            "registry",
            f"{self._home}/plans",
            officer=CLERK,
            target_income="15000.00",
            measures=[measure],
        )
        plan = await self._plan_step(plan, "sign", HELPER, agreed_on=day.isoformat())
        plan = await self._plan_step(plan, "approve", LEADER, approved_on=day.isoformat())
        assert plan["state"] == "in_force"
        return str(plan["measures"][0]["measure_id"])

    async def _plan_step(
        self, plan: dict[str, Any], step: str, officer: str, **body: Any
    ) -> dict[str, Any]:
        answer = await self.ask(
            "POST",
            "registry",
            f"/v1/plans/{plan['plan_id']}/{step}",
            officer=officer,
            json=body,
            headers={"If-Match": f'"{plan["revision"]}"'},
        )
        assert answer.is_success, f"{step}: {answer.status_code} {answer.text}"
        return dict(answer.json())

    async def visit(self, **seen: Any) -> dict[str, Any]:
        """The helper calls, with a photo of the house."""
        taken = await self.ask(
            "POST",
            "registry",
            "/v1/attachments",
            officer=HELPER,
            params={"division_code": self.village, "taken_at": clock.now().isoformat()},
            content=b"\xff\xd8\xff a photo",
            headers={"Content-Type": "image/jpeg"},
        )
        assert taken.is_success, taken.text
        return dict(
            await self.post(
                "registry",
                f"{self._home}/visits",
                officer=HELPER,
                visited_on=today(),
                findings="生活正常",
                photos=[taken.json()["attachment_id"]],
                **seen,
            )
        )

    @property
    def _home(self) -> str:
        return f"/v1/households/{self.household_id}"


def today() -> str:
    """Today on the platform's clock."""
    return clock.today().isoformat()
