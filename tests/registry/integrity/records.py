"""Integrity records as offices enter, confirm and lift them over the API."""

from datetime import timedelta
from typing import Any

import httpx

from shared import clock
from tests.registry.filing import ALL, VERIFY, Office

SCOPES = f"{ALL} {VERIFY} registry.integrity:read registry.integrity:write"
PAPER, LIFT_PAPER = "松民认〔2026〕12号", "松民解〔2026〕3号"


def found(subject_id: str, **given: Any) -> dict[str, Any]:
    """A false declaration found in March, valid for a year from today."""
    return {
        "subject_id": subject_id,
        "kind": "false_declaration",
        "found_on": "2026-03-10",
        "valid_until": (clock.today() + timedelta(days=365)).isoformat(),
        "document": PAPER,
        "words": "隐瞒在外务工收入",
    } | given


async def enter(office: Office, household_id: str, subject_id: str, **given: Any) -> httpx.Response:
    """What the office is answered to a finding."""
    where = f"/v1/households/{household_id}/integrity-records"
    return await office.client.post(where, json=found(subject_id, **given))


async def entered(office: Office, household_id: str, subject_id: str, **given: Any) -> str:
    """Enter a finding, which must pass; gives its id."""
    answer = await enter(office, household_id, subject_id, **given)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["record_id"])


async def step(office: Office, record_id: str, name: str, **body: Any) -> httpx.Response:
    """What the office is answered to ``confirm``, ``withdraw``, ``lift`` or ``confirm-lift``."""
    return await office.client.post(f"/v1/integrity-records/{record_id}/{name}", json=body)


async def lift(office: Office, record_id: str, **given: Any) -> httpx.Response:
    """What the office is answered to a lift."""
    body = {"document": LIFT_PAPER, "reason": "已退回多领款项"} | given
    return await step(office, record_id, "lift", **body)


async def listed(office: Office, household_id: str) -> list[dict[str, Any]]:
    """The household's records as the office sees them."""
    answer = await office.client.get(f"/v1/households/{household_id}/integrity-records")
    assert answer.status_code == 200, answer.text
    return list(answer.json())
