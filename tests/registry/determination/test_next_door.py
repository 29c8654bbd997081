"""Every route of an application, asked by another county's office with every right."""

from typing import Any

import pytest

from tests.registry.conftest import OfficeOf
from tests.registry.determination.casework import RIGHTS, Casework
from tests.registry.filing import Registry, problem

PAPER = {"kind": "proof", "received_on": "2026-01-07", "reference": "a"}
STEPS: dict[str, dict[str, Any]] = {
    "papers": {"papers": [PAPER]},
    "declaration": {"declared_on": "2026-01-07", "declaration": {}},
    "accept": {"accepted_on": "2026-01-07"},
    "surveys": {"surveyed_on": "2026-01-08", "findings": "x"},
    "surveys/01890000-0000-7000-8000-000000000000/sign": {},
    "appraisal": {
        "held_on": "2026-01-08",
        "participants": 3,
        "villagers": 3,
        "in_favour": 3,
        "minutes": "x",
    },
    "opinion": {"given_on": "2026-01-09", "in_favour": True, "words": "x"},
    "announce": {},
    "decide": {"decided_on": "2026-01-20"},
    "refuse": {"decided_on": "2026-01-20", "reason": "x", "failed_tests": ["x"]},
    "deliver": {"delivered_on": "2026-01-21", "delivery": "post", "reference": "x"},
    "correct": {"decided_on": "2026-01-26", "error_found": "x", "reason": "x"},
    "withdraw": {"withdrawn_on": "2026-01-20", "reason": "x"},
}
WRITTEN = ("applications", "application_papers", "application_surveys", "audit_log", "tasks")


@pytest.mark.parametrize("step", STEPS)
async def test_an_application_of_another_county_is_not_there(
    casework: Casework, registry: Registry, office_of: OfficeOf, step: str
) -> None:
    application = await casework.accepted()
    neighbours = await office_of(RIGHTS, divisions=("331121",), officer="o9")
    before = await registry.counted(*WRITTEN)

    answer = await casework.ask(application, step, by=neighbours, **STEPS[step])

    problem(answer, 404, "application_not_found")
    assert await registry.counted(*WRITTEN) == before


async def test_it_is_not_read_listed_or_opened_next_door(
    casework: Casework, office_of: OfficeOf
) -> None:
    application = await casework.accepted()
    neighbours = await office_of(RIGHTS, divisions=("331121",), officer="o9")
    where = f"/v1/applications/{application['application_id']}"

    problem(await neighbours.client.get(where), 404, "application_not_found")
    for more in ("letter", "explanation"):
        answer = await neighbours.client.get(f"{where}/{more}")
        problem(answer, 404, "application_not_found")
    listed = await neighbours.client.get("/v1/applications", params={"limit": 200})
    assert listed.json()["items"] == []
    wanted = {
        "household_id": application["household_id"],
        "category": "dibao",
        "applied_on": "2026-01-06",
        "staff_relative": False,
    }
    refused = await neighbours.client.post("/v1/applications", json=wanted)
    problem(refused, 404, "household_not_found")


async def test_each_right_is_asked_for(casework: Casework, office_of: OfficeOf) -> None:
    application = await casework.accepted()
    reader = await office_of("registry.determination:read", officer="r1")
    where = f"/v1/applications/{application['application_id']}"

    assert (await reader.client.get(where)).status_code == 200
    for step, body in STEPS.items():
        answer = await casework.ask(application, step, by=reader, **body)
        problem(answer, 403, "scope_missing")
