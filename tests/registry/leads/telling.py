"""Leads as offices report, visit and decide them over the API."""

from typing import Any

import httpx

from tests.registry.filing import Office
from tests.registry.told import VILLAGE

REPORTED_ON, VISITED_ON = "2026-03-10", "2026-03-12"


def described(**given: Any) -> dict[str, Any]:
    """A person as a report describes one."""
    return {"division_code": VILLAGE, "name": "赵钱孙"} | given


def said(**given: Any) -> dict[str, Any]:
    """A report of a grid worker, of a person described unless a household is given."""
    known: dict[str, Any] = {
        "source": "grid_worker",
        "reported_on": REPORTED_ON,
        "text": "独居老人摔伤,无人照料",
    }
    if "household_id" not in given:
        known["person"] = described()
    return known | given


async def report(office: Office, **given: Any) -> httpx.Response:
    """What the office is answered to a report."""
    return await office.client.post("/v1/leads", json=said(**given))


async def reported(office: Office, **given: Any) -> dict[str, Any]:
    """Report somebody, which must pass; gives the answer."""
    answer = await report(office, **given)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def opened(office: Office, **given: Any) -> str:
    """Report somebody, which must open a lead; gives its id."""
    answer = await reported(office, **given)
    assert not answer["joined"], answer
    return str(answer["lead"]["lead_id"])


async def visit(office: Office, lead_id: str, **given: Any) -> httpx.Response:
    """What the office is answered to a visit."""
    body = {"visited_on": VISITED_ON, "findings": "腿部骨折,卧床"} | given
    return await office.client.post(f"/v1/leads/{lead_id}/visits", json=body)


async def visited(office: Office, **given: Any) -> str:
    """A lead reported and visited; gives its id."""
    lead_id = await opened(office, **given)
    answer = await visit(office, lead_id)
    assert answer.status_code == 201, answer.text
    return lead_id


async def dismiss(office: Office, lead_id: str, **given: Any) -> httpx.Response:
    """What the office is answered to a dismissal."""
    body = {"reason": "子女已接走赡养"} | given
    return await office.client.post(f"/v1/leads/{lead_id}/dismiss", json=body)


async def accept(office: Office, lead_id: str, **given: Any) -> httpx.Response:
    """What the office is answered to an acceptance."""
    body = {"accord": "household_agrees"} | given
    return await office.client.post(f"/v1/leads/{lead_id}/accept", json=body)


async def hand_over(office: Office, lead_id: str, there: str) -> httpx.Response:
    """What the office is answered to a transfer."""
    return await office.client.post(f"/v1/leads/{lead_id}/transfer", json={"division_code": there})


async def read(office: Office, lead_id: str) -> dict[str, Any]:
    """The lead as the office sees it."""
    answer = await office.client.get(f"/v1/leads/{lead_id}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def listed(office: Office, **query: Any) -> set[str]:
    """The ids of the leads that the office sees."""
    answer = await office.client.get("/v1/leads", params={"limit": 200} | query)
    assert answer.status_code == 200, answer.text
    return {each["lead_id"] for each in answer.json()["items"]}
