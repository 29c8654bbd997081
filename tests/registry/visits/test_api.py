"""Visits over the API: entered with photos, due by the month, late ones told (C23, C53)."""

import asyncio
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx
import pytest

from services.registry.parameters import DEFINITIONS
from services.registry.visits import actions
from services.registry.visits.rules import Visit
from services.registry.visits.watching import ask_visits
from shared import clock, parameters
from shared.auth import Caller
from tests.registry.conftest import OfficeOf
from tests.registry.filing import ALL, NEXT_VILLAGE, OFFICER, Office, Registry, problem

RIGHTS = (
    "registry.visits:read registry.visits:write registry.attachments:write "
    "registry.helpers:read registry.helpers:write registry.tasks:read"
)
TODAY = clock.today()
AGO = clock.add_months(TODAY, -8)
SEEN = {"visited_on": TODAY.isoformat(), "findings": "张建国已出院,家中整洁"}


@pytest.fixture
async def desk(office_of: OfficeOf) -> Office:
    return await office_of(f"{ALL} {RIGHTS}", officer="h1")


async def enter(desk: Office, household_id: str, **given: Any) -> httpx.Response:
    return await desk.client.post(f"/v1/households/{household_id}/visits", json=SEEN | given)


async def photo(desk: Office, taken: date = TODAY) -> str:
    at = f"{taken.isoformat()}T00:00:01+08:00"
    answer = await desk.client.post(
        "/v1/attachments",
        params={"division_code": "331124002221", "taken_at": at},
        content=b"\xff\xd8\xff photo",
        headers={"Content-Type": "image/jpeg"},
    )
    assert answer.status_code == 201, answer.text
    return str(answer.json()["attachment_id"])


async def paired(desk: Office, household_id: str, on: date) -> None:
    body = {
        "division_code": "331124",
        "officer_id": f"helper-{household_id[-6:]}",
        "name": "吴守信",
        "kind": "village_cadre",
        "unit": "某村",
        "started_on": "2020-01-01",
    }
    helper = await desk.client.post("/v1/helpers", json=body)
    pairing = {
        "household_id": household_id,
        "helper_id": helper.json()["helper_id"],
        "lead": True,
        "paired_on": on.isoformat(),
        "related": False,
    }
    answer = await desk.client.post("/v1/pairings", json=pairing)
    assert answer.status_code == 201, answer.text


async def turned(registry: Registry, day: date = TODAY) -> None:
    async with registry.worker.transaction() as session:
        assert await ask_visits(session, day) is False


async def tasks(desk: Office, household_id: str) -> list[tuple[str, str | None]]:
    query: dict[str, str | bool] = {"household_id": household_id, "open": True}
    items = (await desk.client.get("/v1/tasks", params=query)).json()["items"]
    return [(each["kind"], each["due_on"]) for each in items if each["kind"].endswith("_visit")]


async def tracked_for_a_year(registry: Registry) -> None:
    one, other = (Caller(sub=name, officer_id=name, divisions=("331124",)) for name in ("c1", "c2"))
    entry = parameters.Entry(
        key="tracking.months.dibao",
        division_code="331124",
        valid_from=date(2024, 1, 1),
        value=Decimal(12),
        document_number="sample, not official",
        sample=True,
    )
    async with registry.acting(one) as session:
        entered = await parameters.enter(session, one, DEFINITIONS, entry)
        await parameters.approve(session, other, entered.parameter_id)


async def test_a_visit_with_its_photo(desk: Office, registry: Registry) -> None:
    household_id = await desk.identified()
    taken = await photo(desk)

    answer = await enter(desk, household_id, housing=True, income=False, photos=[taken, taken])

    made = answer.json()
    assert answer.status_code == 201, answer.text
    assert (made["kind"], made["housing"], made["income"], made["schooling"]) == (
        "helper",
        True,
        False,
        None,
    )
    assert made["photos"] == [taken]
    listed = await desk.client.get(f"/v1/households/{household_id}/visits")
    assert listed.json() == [made]
    (row,) = await registry.rows(
        "SELECT findings_encrypted FROM visits WHERE visit_id = :id", id=made["visit_id"]
    )
    assert "张建国".encode() not in bytes(row["findings_encrypted"])


async def test_every_fault_is_named_and_nothing_kept(desk: Office, registry: Registry) -> None:
    household_id = await desk.identified()
    old = await photo(desk, TODAY - timedelta(days=4))
    before = await registry.counted("visits")

    answer = await enter(
        desk,
        household_id,
        findings=" ",
        latitude="28.4",
        photos=[old, "00000000-0000-7000-8000-000000000001"],
    )

    body = problem(answer, 422, "findings_missing")
    assert [each["code"] for each in body["errors"]] == [
        "findings_missing",
        "place_incomplete",
        "photo_of_another_day",
        "attachment_unknown",
    ]
    assert await registry.counted("visits") == before


async def test_a_visit_falls_due_by_the_month_and_one_task_stands_however_late(
    desk: Office, registry: Registry
) -> None:
    household_id = await desk.identified(opened_on=AGO.isoformat(), on=AGO.isoformat())
    await turned(registry)
    assert await tasks(desk, household_id) == [], "nobody leads its help"

    await paired(desk, household_id, AGO)
    due = clock.add_months(AGO, 1)
    await turned(registry, due - timedelta(days=1))
    assert await tasks(desk, household_id) == []
    for day in (due, TODAY, TODAY):
        await turned(registry, day)
        assert await tasks(desk, household_id) == [("helper_visit", due.isoformat())]
    await enter(desk, household_id)
    assert await tasks(desk, household_id) == []
    await turned(registry, clock.add_months(TODAY, 1) - timedelta(days=1))
    assert await tasks(desk, household_id) == []
    await turned(registry, clock.add_months(TODAY, 1))
    assert [kind for kind, _ in await tasks(desk, household_id)] == ["helper_visit"]


async def test_what_is_late_is_told_with_its_days_and_an_alarm(
    desk: Office, office_of: OfficeOf
) -> None:
    given = {"opened_on": AGO.isoformat(), "on": AGO.isoformat(), "division_code": NEXT_VILLAGE}
    never, late = [await desk.identified(**given) for _ in range(2)]
    visited_on = clock.add_months(TODAY, -2)
    await enter(desk, late, visited_on=visited_on.isoformat())
    fresh = await desk.identified(**given)
    await enter(desk, fresh)

    answer = await desk.client.get("/v1/visits/overdue", params={"division": NEXT_VILLAGE})

    found = {each["household_id"]: each for each in answer.json()["items"]}
    assert set(found) == {never, late}
    assert (found[never]["alarm"], found[never]["last_visit"]) == (True, None)
    assert (found[late]["alarm"], found[late]["last_visit"]) == (False, visited_on.isoformat())
    due = clock.add_months(visited_on, 1)
    assert found[late]["days_late"] == (TODAY - due).days
    there = await office_of(RIGHTS, divisions=("331121",))
    for query in ({}, {"division": NEXT_VILLAGE}):
        elsewhere = await there.client.get("/v1/visits/overdue", params=query)
        assert not {never, late} & {each["household_id"] for each in elsewhere.json()["items"]}
        listed = await there.client.get("/v1/visits", params=query)
        assert listed.json()["items"] == []


async def test_a_day_before_all_calendars_is_refused_in_words(desk: Office) -> None:
    household_id = await desk.identified()
    body = problem(await enter(desk, household_id, visited_on="0001-01-01"), 422, "before_episode")
    assert [each["where"] for each in body["errors"]] == ["#/visited_on"]
    body = problem(await enter(desk, household_id, visited_on="2999-01-01"), 422, "date_in_future")
    assert [each["where"] for each in body["errors"]] == ["#/visited_on"]


async def test_a_new_helper_does_not_silence_the_alarm(desk: Office, registry: Registry) -> None:
    household_id = await desk.identified(
        opened_on=AGO.isoformat(), on=AGO.isoformat(), division_code=NEXT_VILLAGE
    )
    await paired(desk, household_id, TODAY)

    answer = await desk.client.get("/v1/visits/overdue", params={"division": NEXT_VILLAGE})

    found = {each["household_id"]: each for each in answer.json()["items"]}
    assert (found[household_id]["alarm"], found[household_id]["days_late"]) == (True, 0)
    await turned(registry)
    assert await tasks(desk, household_id) == [], "the new helper has his month"


@pytest.mark.parametrize(
    ("visits", "due"),
    [
        ([], "2025-11-01"),
        (["2025-10-20"], "2026-01-20"),
        (["2025-11-05", "2026-02-04", "2026-05-04"], "2026-08-01"),
        (["2026-06-16"], "2026-08-01"),
        (["2026-06-18"], "2026-12-18"),
        (["2026-08-01"], "2027-02-01"),
    ],
)
async def test_late_visits_take_none_of_the_first_year_away(
    desk: Office, registry: Registry, visits: list[str], due: str
) -> None:
    household_id = await desk.long_identified()
    await desk.ready_to_lift(household_id)
    await desk.decide(household_id, "lift", decided_on="2025-08-01", reason="收入稳定")
    for day in visits:
        assert (await enter(desk, household_id, visited_on=day)).status_code == 201

    await turned(registry, date(2029, 1, 1))

    assert await tasks(desk, household_id) == [("tracking_visit", due)]


async def test_a_visit_entered_while_the_turn_looks_is_not_asked_for(
    desk: Office, registry: Registry, postgres: str
) -> None:
    household_id = await desk.identified(opened_on=AGO.isoformat(), on=AGO.isoformat())
    await paired(desk, household_id, AGO)
    seen = Visit(visited_on=TODAY, findings="家中整洁")

    async with registry.acting() as session:
        await actions.enter(session, OFFICER, UUID(household_id), seen)
        turning = asyncio.ensure_future(turned(registry))
        await registry.until_waiting(postgres, 1)
    await turning

    assert await tasks(desk, household_id) == []


async def test_a_lifted_household_is_tracked_and_a_sign_opens_its_return_check(
    desk: Office, registry: Registry
) -> None:
    household_id = await desk.long_identified()
    problem(await desk.client.get(f"/v1/households/{household_id}/tracking"), 409, "not_lifted")
    await desk.ready_to_lift(household_id)
    await desk.decide(household_id, "lift", decided_on="2025-08-01", reason="收入稳定")

    await turned(registry)
    assert await tasks(desk, household_id) == [("tracking_visit", "2025-11-01")]
    sign = {"kind": "illness", "amount": "23000.00"}
    answer = await enter(desk, household_id, visited_on="2025-10-20", hardships=[sign])

    assert answer.json()["kind"] == "tracking"
    assert await tasks(desk, household_id) == []
    where = f"/v1/households/{household_id}/tracking"
    problem(await desk.client.get(where), 409, "parameter_missing")
    await tracked_for_a_year(registry)
    days = (await desk.client.get(where)).json()
    assert len(days) == 4
    assert days[0] == {"due_on": "2025-11-01", "visited_on": "2025-10-20"}
    assert days[1] == {"due_on": "2026-02-01", "visited_on": None}
    checks = await registry.rows(
        "SELECT closed_on FROM return_checks WHERE household_id = :id", id=household_id
    )
    assert [row["closed_on"] for row in checks] == [None]


async def test_who_is_lifted_while_the_turn_looks_keeps_no_visit_of_before(
    desk: Office, registry: Registry, postgres: str
) -> None:
    household_id = await desk.long_identified()
    await paired(desk, household_id, date(2025, 1, 10))
    await desk.ready_to_lift(household_id)
    where = f"/v1/households/{household_id}/lift"

    async with registry.worker.transaction() as session:
        assert await ask_visits(session, TODAY) is False
        lift = asyncio.ensure_future(
            desk.client.post(where, json={"decided_on": "2025-08-01", "reason": "收入稳定"})
        )
        await registry.until_waiting(postgres, 1)
    assert (await lift).is_success

    assert await tasks(desk, household_id) == []
    await turned(registry)
    assert [kind for kind, _ in await tasks(desk, household_id)] == ["tracking_visit"]


async def test_who_leaves_waits_for_no_visit(desk: Office, registry: Registry) -> None:
    household_id = await desk.identified(opened_on=AGO.isoformat(), on=AGO.isoformat())
    await paired(desk, household_id, AGO)
    await turned(registry)
    assert [kind for kind, _ in await tasks(desk, household_id)] == ["helper_visit"]

    await desk.announce(household_id, "exit", closed_on=TODAY.isoformat())
    await desk.decide(household_id, "exit", decided_on=TODAY.isoformat(), reason="自愿退出")

    assert await tasks(desk, household_id) == []
    problem(await enter(desk, household_id), 422, "household_not_assisted")
