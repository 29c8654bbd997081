"""An application on its way through real offices: township clerks, a leader, the county."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import httpx

from services.registry.determination.handlers import on_closed_notices
from shared.contracts.notices import NoticeOutcome, NoticeStatus
from tests.registry.filing import EIGHT_DAYS, Office, Registry
from tests.registry.told import notice_event

RIGHTS = (
    "registry.households:read registry.households:write registry.households:decide "
    "registry.determination:read registry.determination:write registry.determination:decide "
    "registry.tasks:read"
)
TOWNSHIP = ("331124002",)
EVERY_PAPER = ("application", "commitment", "identity_copy", "declaration")


@dataclass
class Casework:
    """Who works on a case; each step is checked and gives the application as it then stands."""

    registry: Registry
    clerk: Office
    second: Office
    leader: Office
    county: Office

    async def household(self, *members: dict[str, Any], **given: Any) -> str:
        """A household on file, not identified; gives its id."""
        return await self.clerk.open(*members, **({"opened_on": "2026-01-05"} | given))

    async def apply(self, household_id: str, **given: Any) -> httpx.Response:
        """What the clerk is answered to an application."""
        known = {
            "household_id": household_id,
            "category": "dibao",
            "applied_on": "2026-01-06",
            "staff_relative": False,
        }
        return await self.clerk.client.post("/v1/applications", json=known | given)

    async def applied(self, household_id: str | None = None, **given: Any) -> dict[str, Any]:
        """An application with no papers yet."""
        where = household_id or await self.household()
        return done(await self.apply(where, **given), 201)

    async def complete(self, application: dict[str, Any]) -> dict[str, Any]:
        """Hand in whatever the applicant was told to bring."""
        on = application["applied_on"]
        papers = [
            told | {"received_on": on, "reference": "档-1"} for told in application["papers_told"]
        ]
        return await self.step(application, "papers", papers=papers)

    async def accepted(self, *, on: str = "2026-01-07", **given: Any) -> dict[str, Any]:
        """An application whose papers are complete, accepted."""
        application = await self.complete(await self.applied(**given))
        return await self.step(application, "accept", accepted_on=on)

    async def surveyed(self, application: dict[str, Any], on: str = "2026-01-08") -> dict[str, Any]:
        """Surveyed by the clerk and signed by a second officer."""
        entered = await self.step(
            application, "surveys", surveyed_on=on, findings="住房简陋,主要劳动力患病"
        )
        survey_id = entered["surveys"][-1]["survey_id"]
        return await self.step(entered, f"surveys/{survey_id}/sign", by=self.second)

    async def opined(
        self, application: dict[str, Any], on: str = "2026-01-09", **given: Any
    ) -> dict[str, Any]:
        """With the leader's opinion, in favour unless said otherwise."""
        opinion = {
            "given_on": on,
            "in_favour": True,
            "words": "符合条件,建议认定",
            "without_report": "核对系统尚未启用",
        }
        return await self.step(application, "opinion", by=self.leader, **(opinion | given))

    async def announced(self, application: dict[str, Any]) -> dict[str, Any]:
        """With its public notice asked for."""
        return await self.step(application, "announce", by=self.leader)

    async def noticed(
        self,
        application: dict[str, Any],
        posted_on: str = "2026-01-12",
        outcome: NoticeOutcome = NoticeOutcome.UNOPPOSED,
        **given: Any,
    ) -> dict[str, Any]:
        """Notify says that the notice has ended, on the day after its seven full days."""
        day = date.fromisoformat(posted_on)
        closed: dict[str, Any] = {
            "posted_on": day,
            "status": NoticeStatus.CLOSED,
            "outcome": outcome,
            "closed_on": day + EIGHT_DAYS,
        }
        event = notice_event(await self.request_of(application), **(closed | given))
        await self.registry.notified(event)
        async with self.registry.worker.transaction() as session:
            await on_closed_notices(session, [event])
        return await self.read(application)

    async def request_of(self, application: dict[str, Any]) -> dict[str, Any]:
        """The application's notice request, as the API shows it."""
        where = f"/v1/households/{application['household_id']}/notices"
        items = (await self.county.client.get(where)).json()["items"]
        (own,) = [
            each for each in items if each["notice_request_id"] == application["notice_request_id"]
        ]
        return dict(own)

    async def read(self, application: dict[str, Any]) -> dict[str, Any]:
        """The application as the county sees it now."""
        where = f"/v1/applications/{application['application_id']}"
        return done(await self.county.client.get(where), 200)

    async def decidable(self, **given: Any) -> dict[str, Any]:
        """An application whose notice ended unopposed on 19 January: decided from the 20th on."""
        application = await self.surveyed(await self.accepted(**given))
        opinion = await self.opined(application)
        return await self.noticed(await self.announced(opinion))

    async def step(
        self, application: dict[str, Any], step: str, *, by: Office | None = None, **body: Any
    ) -> dict[str, Any]:
        """A step that must pass."""
        return done(await self.ask(application, step, by=by, **body), 200, 201)

    async def ask(
        self, application: dict[str, Any], step: str, *, by: Office | None = None, **body: Any
    ) -> httpx.Response:
        """What an office is answered to a step, asked from the version shown."""
        return await (by or self.clerk).client.post(
            f"/v1/applications/{application['application_id']}/{step}",
            json=body,
            headers={"If-Match": f'"{application["revision"]}"'},
        )

    async def tasks(self, application: dict[str, Any]) -> dict[str, str | None]:
        """The steps of an application that stand open on the board, with their last days."""
        query = {"household_id": application["household_id"], "open": True}
        answer = await self.county.client.get("/v1/tasks", params=query)
        return {task["kind"]: task["due_on"] for task in answer.json()["items"]}


def done(answer: httpx.Response, *statuses: int) -> dict[str, Any]:
    """The body of an answer that must have passed."""
    assert answer.status_code in statuses, answer.text
    return dict(answer.json())
