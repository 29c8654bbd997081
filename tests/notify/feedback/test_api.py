"""Word to services and officers: by division and sender, each look noted, none from next door."""

from datetime import date
from typing import Any

import httpx
import pytest

from shared.db import Database
from shared.identity import new_id
from tests.notify.conftest import OfficerOf
from tests.notify.feedback.told import ended, hear, lead, sender, visited
from tests.notify.support import NEXT_VILLAGE, rows

HOUSING = (sender("grid_worker"), sender("other_service", "housing", date(2026, 3, 11)))


async def listed(client: httpx.AsyncClient, **query: Any) -> list[str]:
    answer = await client.get("/v1/feedback", params=query)
    assert answer.status_code == 200, answer.text
    return [one["lead_id"] for one in answer.json()["items"]]


async def test_a_service_finds_what_it_reported_and_what_came_of_it(
    worker: Database, client: httpx.AsyncClient
) -> None:
    theirs, other = ended(lead(senders=HOUSING, source="grid_worker")), lead()
    await hear(worker, theirs, other)

    answer = await client.get("/v1/feedback", params={"service": "housing"})

    (one,) = answer.json()["items"]
    assert one == {
        "lead_id": str(theirs.lead_id),
        "division_code": theirs.division_code,
        "source": "grid_worker",
        "senders": [
            {"source": "grid_worker", "service": None, "reported_on": "2026-03-10"},
            {"source": "other_service", "service": "housing", "reported_on": "2026-03-11"},
        ],
        "state": "dismissed",
        "opened_on": "2026-03-10",
        "visited_on": "2026-03-12",
        "decided_on": "2026-03-20",
        "accord": None,
        "message": "2026年3月11日，收到您反映的情况；2026年3月12日，工作人员已入户走访；"
        "2026年3月20日，经走访核实，暂未列入救助；情况有变化的，请再次反映。",
    }


@pytest.mark.parametrize(
    ("query", "day"),
    [
        ({}, "3月10日"),
        ({"source": "grid_worker"}, "3月10日"),
        ({"source": "other_service"}, "3月11日"),
        ({"service": "housing", "source": "other_service"}, "3月11日"),
    ],
)
async def test_each_sender_is_told_from_his_own_day_on(
    worker: Database, client: httpx.AsyncClient, query: dict[str, str], day: str
) -> None:
    await hear(worker, lead(senders=HOUSING))

    (one,) = (await client.get("/v1/feedback", params=query)).json()["items"]

    assert one["message"].startswith(f"2026年{day}，收到您反映的情况")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, [0, 1, 2]),
        ({"division": "331124002"}, [0, 1]),
        ({"division": "331124212"}, [2]),
        ({"division": "331121"}, []),
        ({"source": "other_service"}, [0]),
        ({"source": "wechat"}, [1, 2]),
        ({"source": "hotline"}, []),
        ({"service": "housing"}, [0]),
        ({"service": "relief"}, []),
        ({"state": "visited"}, [1]),
        ({"state": "open", "source": "wechat"}, [2]),
    ],
)
async def test_they_are_found_by_division_sender_and_state(
    worker: Database, client: httpx.AsyncClient, query: dict[str, str], expected: list[int]
) -> None:
    told = [lead(senders=HOUSING), visited(lead()), lead(division_code=NEXT_VILLAGE)]
    await hear(worker, *told)

    assert await listed(client, **query) == [str(told[at].lead_id) for at in expected]


async def test_pages_follow_one_another(worker: Database, client: httpx.AsyncClient) -> None:
    told = [lead() for _ in range(3)]
    await hear(worker, *told)

    first = (await client.get("/v1/feedback", params={"limit": 2})).json()
    rest = await listed(client, limit=2, cursor=first["next_cursor"])

    found = [one["lead_id"] for one in first["items"]] + rest
    assert found == [str(one.lead_id) for one in told]


async def test_nobody_sees_another_county_s(
    worker: Database, client: httpx.AsyncClient, neighbour: httpx.AsyncClient, officer_of: OfficerOf
) -> None:
    one = lead()
    await hear(worker, one)
    clerk = await officer_of("o3", scopes="notify.notices:read")

    assert await listed(neighbour) == []
    assert await listed(neighbour, division="331124") == []
    for path in (f"/v1/feedback/{one.lead_id}", f"/v1/feedback/{new_id()}"):
        answer = await neighbour.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "lead_unknown")
    for path in ("/v1/feedback", f"/v1/feedback/{one.lead_id}"):
        assert (await clerk.get(path)).status_code == 403
    assert (await client.get(f"/v1/feedback/{one.lead_id}")).status_code == 200


async def test_every_look_is_noted(worker: Database, client: httpx.AsyncClient) -> None:
    told = [lead(), lead()]
    await hear(worker, *told)

    await listed(client, limit=1)
    await client.get(f"/v1/feedback/{told[1].lead_id}")

    noted = await rows(
        worker, "SELECT subject_id, officer_id FROM audit_log WHERE action = 'feedback.read'"
    )
    assert sorted((row["subject_id"], row["officer_id"]) for row in noted) == [
        (str(one.lead_id), "o1") for one in told
    ]


async def test_what_cannot_be_asked_is_refused(client: httpx.AsyncClient) -> None:
    for query in ({"division": "33112"}, {"source": "A B"}, {"state": "lost"}):
        answer = await client.get("/v1/feedback", params=query)
        assert (answer.status_code, answer.json()["code"]) == (422, "request_invalid"), query
