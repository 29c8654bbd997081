"""Who plans: a clerk, a leader and a household's lead helper; what a plan says unless told."""

from itertools import count
from typing import Any

import httpx

from shared import clock
from tests.registry.conftest import OfficeOf
from tests.registry.filing import Office

RIGHTS = "registry.plans:read registry.plans:write registry.plans:decide registry.tasks:read"
TODAY = clock.today()
HEALTH = {
    "kind": "comprehensive",
    "cause": "illness",
    "bureau": "民政局",
    "officer_id": "m1",
    "budget": "3000.00",
    "fund": "县级资金",
    "begins_on": TODAY.isoformat(),
    "due_on": clock.add_months(TODAY, 6).isoformat(),
}
_HELPERS = count(1)
CONTENT = {"target_income": "15000.00", "words": "张建国长期患病", "measures": [HEALTH]}


class Desk:
    """Who plans: a clerk, a leader, and the lead helper of the household filed last."""

    def __init__(self, office_of: OfficeOf, clerk: Office, leader: Office) -> None:
        self._office_of = office_of
        self.clerk, self.leader, self.helper = clerk, leader, clerk

    async def household(self, **given: Any) -> str:
        """An identified household that is ill, with a lead helper of its own."""
        household_id = await self.clerk.identified(**({"causes": ["illness"]} | given))
        officer = f"h{next(_HELPERS)}"
        self.helper = await self._office_of(RIGHTS, officer=officer)
        body = {
            "division_code": "331124",
            "officer_id": officer,
            "name": "吴守信",
            "kind": "village_cadre",
            "unit": "某村",
            "started_on": "2020-01-01",
        }
        made = await self.clerk.client.post("/v1/helpers", json=body)
        assert made.status_code == 201, made.text
        pairing = {
            "household_id": household_id,
            "helper_id": made.json()["helper_id"],
            "lead": True,
            "paired_on": TODAY.isoformat(),
            "related": False,
        }
        answer = await self.clerk.client.post("/v1/pairings", json=pairing)
        assert answer.status_code == 201, answer.text
        return household_id

    async def draft(self, household_id: str, **given: Any) -> httpx.Response:
        where = f"/v1/households/{household_id}/plans"
        return await self.clerk.client.post(where, json=CONTENT | given)

    async def drafted(self, household_id: str, **given: Any) -> dict[str, Any]:
        answer = await self.draft(household_id, **given)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def step(
        self, by: Office, plan: dict[str, Any], step: str, **body: Any
    ) -> httpx.Response:
        headers = {"If-Match": f'"{plan["revision"]}"'}
        where = f"/v1/plans/{plan['plan_id']}/{step}"
        return await by.client.post(where, json=body, headers=headers)

    async def in_force(self, household_id: str, **given: Any) -> dict[str, Any]:
        plan = await self.drafted(household_id, **given)
        signed = await self.step(self.helper, plan, "sign", agreed_on=TODAY.isoformat())
        assert signed.is_success, signed.text
        approved = await self.step(
            self.leader, signed.json(), "approve", approved_on=TODAY.isoformat()
        )
        assert approved.is_success, approved.text
        return dict(approved.json())

    async def tasks(self, household_id: str) -> dict[str, str | None]:
        query: dict[str, str | bool] = {"household_id": household_id, "open": True}
        items = (await self.clerk.client.get("/v1/tasks", params=query)).json()["items"]
        return {each["kind"]: each["due_on"] for each in items if each["kind"].startswith("plan")}
