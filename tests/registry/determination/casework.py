"""An application on its way through real offices: township clerks, a leader, the county."""

from dataclasses import dataclass
from typing import Any

import httpx

from tests.registry.filing import Office, Registry

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
        opinion = {"given_on": on, "in_favour": True, "words": "符合条件,建议认定"}
        return await self.step(application, "opinion", by=self.leader, **(opinion | given))

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
