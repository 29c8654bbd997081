"""Figures by county and township: counted from what is stored, within the caller's divisions."""

from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import pytest
from sqlalchemy import insert

from services.notify.figures import queries
from services.notify.figures.queries import Asked
from services.notify.notices.models import Notice
from shared import clock
from shared.contracts.assistance import AssistanceStatus, GuaranteeKind
from shared.contracts.registry import Category, HouseholdState, State
from shared.db import Database
from tests.notify.conftest import OfficerOf
from tests.notify.timelines.support import SCOPES, aid, guarantee, hear, know, lived
from tests.notify.timelines.test_api import a_notice
from tests.support.builders import household, member

SHUINAN, FENGPING, LIANDU = "331124002221", "331124212203", "331102001001"


@pytest.fixture
async def officer(officer_of: OfficerOf) -> httpx.AsyncClient:
    """An officer of the sample county who may read figures."""
    return await officer_of("o1", scopes=SCOPES)


async def figures(client: httpx.AsyncClient, **asked: Any) -> dict[str, Any]:
    answer = await client.get("/v1/figures", params=asked)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def this_month() -> date:
    return clock.month_of(clock.today())


async def a_county(database: Database) -> list[HouseholdState]:
    """Four households in two townships of 331124, one in 331102."""
    month = this_month()
    of_two = [member(), member()]
    states = [
        household(division_code=SHUINAN, members=of_two),
        household(division_code=FENGPING),
        household(division_code=FENGPING, category=Category.GROUP_4600),
        lived(household(division_code=FENGPING), (State.LIFTED, month)),
        household(division_code=LIANDU),
    ]
    await know(database, *states)
    return states


async def test_households_and_people_by_state_and_category(
    worker: Database, officer: httpx.AsyncClient
) -> None:
    await a_county(worker)
    found = await figures(officer)
    counted = {
        (row["state"], row["category"], row["on_assistance"]): (row["households"], row["people"])
        for row in found["households"]
    }
    assert counted == {
        ("identified", "dibao", True): (2, 3),
        ("identified", "group_4600", True): (1, 1),
        ("lifted", "dibao", False): (1, 1),
    }
    assert {row["division_code"] for row in found["households"]} == {"331124"}
    assert found["as_of"] == clock.today().isoformat()


async def test_by_township_and_narrowed_to_one(
    worker: Database, officer: httpx.AsyncClient
) -> None:
    await a_county(worker)
    by = await figures(officer, by="township")
    assert {row["division_code"] for row in by["households"]} == {"331124002", "331124212"}
    one = await figures(officer, by="township", division="331124002")
    assert [(row["division_code"], row["people"]) for row in one["households"]] == [
        ("331124002", 2)
    ]


async def test_a_city_s_code_covers_its_counties(worker: Database, officer_of: OfficerOf) -> None:
    await a_county(worker)
    city = await officer_of("o5", scopes=SCOPES, divisions=("3311",))
    found = await figures(city, division="331100")
    assert {row["division_code"] for row in found["households"]} == {"331102", "331124"}


async def test_the_flow_counts_every_step_in_its_month(
    worker: Database, officer: httpx.AsyncClient
) -> None:
    month = this_month()
    begun = clock.add_months(month, -2)
    found_then = household(division_code=SHUINAN, effective_from=begun)
    episode = found_then.episodes[0].model_copy(update={"identified_on": begun})
    state = lived(
        found_then.model_copy(update={"episodes": (episode,)}),
        (State.LIFTED, clock.add_months(month, -1)),
        (State.EXITED, month),
        (State.RETURNED, month),
    )
    await know(worker, state)
    rows = {row["month"]: row for row in (await figures(officer))["flow"]}
    steps = ("found", "identified", "lifted", "exited", "returned")
    told = {name: [row[step] for step in steps] for name, row in rows.items()}
    assert told == {
        f"{begun:%Y-%m}": [1, 1, 0, 0, 0],
        f"{clock.add_months(month, -1):%Y-%m}": [0, 0, 1, 0, 0],
        f"{month:%Y-%m}": [0, 0, 0, 1, 1],
    }


async def test_a_household_is_found_when_its_notice_was_asked_for(
    worker: Database, officer: httpx.AsyncClient
) -> None:
    month = this_month()
    asked_in = clock.add_months(month, -1)
    state = household(division_code=SHUINAN, effective_from=month)
    episode = state.episodes[0].model_copy(update={"identified_on": month})
    await know(worker, state.model_copy(update={"episodes": (episode,)}))
    notice = a_notice(state.household_id, kind="identification", requested_on=asked_in)
    async with worker.transaction() as session:
        await session.execute(insert(Notice), [notice])
    rows = {row["month"]: row for row in (await figures(officer))["flow"]}
    assert rows[f"{asked_in:%Y-%m}"]["found"] == 1
    assert (rows[f"{month:%Y-%m}"]["found"], rows[f"{month:%Y-%m}"]["identified"]) == (0, 1)


async def test_measures_are_summed_to_the_fen_and_reversed_ones_left_out(
    worker: Database, officer: httpx.AsyncClient
) -> None:
    first, second, *_ = await a_county(worker)
    month = this_month()
    known = {"month": month, "granted_on": month}
    await hear(
        worker,
        aid(first.household_id, amount=Decimal("650.01"), **known),
        aid(second.household_id, amount=Decimal("0.02"), **known),
        aid(second.household_id, status=AssistanceStatus.APPROVED, **known),
        aid(second.household_id, status=AssistanceStatus.REVERSED, **known),
    )
    (row,) = (await figures(officer))["measures"]
    assert row == {
        "division_code": "331124",
        "month": f"{month:%Y-%m}",
        "programme": "dibao",
        "service": "relief",
        "measures": 3,
        "households": 2,
        "approved_yuan": "650.00",
        "paid_yuan": "650.03",
    }


async def test_months_reach_back_as_far_as_asked(
    worker: Database, officer: httpx.AsyncClient
) -> None:
    first, *_ = await a_county(worker)
    last_month = clock.add_months(this_month(), -1)
    await hear(worker, aid(first.household_id, month=last_month))
    assert (await figures(officer, months=1))["measures"] == []
    assert len((await figures(officer, months=2))["measures"]) == 1


async def test_only_a_guarantee_s_newest_word_counts_and_closed_files_do_not(
    worker: Database, officer: httpx.AsyncClient
) -> None:
    first, second, *_ = await a_county(worker)
    closed = household(division_code=SHUINAN, state=State.CLOSED)
    await know(worker, closed)
    red = guarantee(first.household_id)
    await hear(worker, red, guarantee(second.household_id), guarantee(closed.household_id))
    await hear(worker, guarantee(first.household_id, kind=GuaranteeKind.LIVING, met=True))
    green = red.model_copy(update={"met": True, "since": date(2026, 9, 1)})
    await hear(worker, green, version=2)
    found = {
        row["kind"]: (row["met"], row["not_met"], row["oldest"])
        for row in (await figures(officer))["guarantees"]
    }
    assert found == {"housing": (1, 1, "2026-05-04"), "living": (1, 0, None)}


async def test_notices_under_way_and_households_without_measures(
    worker: Database, officer: httpx.AsyncClient
) -> None:
    first, second, *_ = await a_county(worker)
    running = {"outcome": None, "closed_on": None}
    late = running | {"status": "posted"}
    posted = late | {"last_day": date(2999, 1, 1)}
    objected = running | {"status": "objected", "objections_open": 1}
    made = [a_notice(first.household_id, **facts) for facts in (late, posted, objected, {})]
    async with worker.transaction() as session:
        await session.execute(insert(Notice), made)
    await hear(worker, aid(second.household_id))
    found = await figures(officer)
    (row,) = found["notices"]
    assert (row["waiting"], row["posted"], row["objected"], row["over"]) == (0, 2, 1, 1)
    assert [row["households"] for row in found["without_measures"]] == [2]


async def test_another_county_counts_its_own_alone(
    worker: Database, api_role: Database, officer_of: OfficerOf
) -> None:
    first, *_ = await a_county(worker)
    await hear(worker, aid(first.household_id), guarantee(first.household_id))
    neighbour = await officer_of("o9", scopes=SCOPES, divisions=("331102",))
    found = await figures(neighbour)
    assert {row["division_code"] for row in found["households"]} == {"331102"}
    assert found["measures"] == found["guarantees"] == []
    beyond = await figures(neighbour, division="331124")
    assert all(beyond[name] == [] for name in ("households", "flow", "measures", "guarantees"))
    # with the application's filter removed, row-level security still hides it
    async with api_role.transaction(divisions=("331102",)) as session:
        bare = await queries.everything(session, Asked(divisions=("",)), 60)
    assert {row["division_code"] for row in bare["households"]} == {"331102"}
    assert bare["measures"] == bare["guarantees"] == []


async def test_a_division_that_is_none_and_a_missing_scope(officer_of: OfficerOf) -> None:
    officer = await officer_of("o1", scopes=SCOPES)
    answer = await officer.get("/v1/figures", params={"division": "33112"})
    assert (answer.status_code, answer.json()["code"]) == (422, "request_invalid")
    other = await officer_of("o1", scopes="notify.timelines:read")
    assert (await other.get("/v1/figures")).status_code == 403
