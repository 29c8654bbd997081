"""Placing people and ending placements: what follows, what is refused (C45, C46, R30)."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from shared import clock
from shared.contracts.registry import HouseholdState, Member, State, Work
from shared.db import Database
from shared.identity import new_id
from tests.employment.jobs.placing import end, placed
from tests.employment.support import (
    ASSISTED,
    GUARANTEES,
    advance_to,
    cases,
    days_ago,
    everything,
    guarantee,
    in_state,
    movable_clock,
    profiles,
    receive,
    rows,
    turn,
    with_members,
)

pytestmark = pytest.mark.usefixtures("figures")


@pytest.mark.parametrize("kind", ["contract", "licensed_business", "public_welfare_job"])
async def test_a_placement_that_counts_closes_the_case_at_once(
    client: httpx.AsyncClient,
    worker: Database,
    home: HouseholdState,
    idle: Member,
    kind: str,
) -> None:
    assert await guarantee(worker, home.household_id) == (False, "zero_employment")
    made = await placed(client, idle, kind=kind, employer="松阳县某茶厂", monthly_wage="2490.00")
    assert (made["published"], made["counts_from"]) == ("approved", str(clock.today()))
    (case,) = await cases(worker)
    assert (case["closed_on"], case["outcome"]) == (clock.today(), "employed")
    assert case["closing_evidence"] == f"placement:{made['placement_id']}"
    assert (await profiles(worker))[idle.person_id]["status"] == "employed"
    evidence = f"placement:{made['placement_id']}"
    assert await guarantee(worker, home.household_id) == (True, evidence)
    (told,) = await rows(worker, ASSISTED)
    assert (told["topic"], told["key"]) == ("employment.assistance", str(home.household_id))
    data = told["data"].decode()
    programme = "public_welfare_job" if kind == "public_welfare_job" else "job_placement"
    assert f'"programme":"{programme}"' in data
    assert '"status":"approved"' in data
    assert '"amount":"0.00"' in data
    assert '"fund":"none"' in data
    assert str(idle.person_id) in data
    assert "茶厂" not in data


async def test_the_placement_counts_whatever_the_registry_says(
    client: httpx.AsyncClient, worker: Database, home: HouseholdState, idle: Member
) -> None:
    await placed(client, idle)
    lazy: dict[str, Any] = {"willing_to_work": False}
    for version, facts in enumerate(({"work": Work.NOT_WORKING}, lazy), start=2):
        await receive(worker, with_members(home, idle.model_copy(update=facts)), version=version)
        assert (await profiles(worker))[idle.person_id]["status"] == "employed"
    assert len(await cases(worker)) == 1
    assert len(await rows(worker, GUARANTEES)) == 2, "red, then met, and no more"


async def test_a_lost_job_opens_the_case_again(
    client: httpx.AsyncClient, worker: Database, home: HouseholdState, idle: Member
) -> None:
    made = await placed(client, idle, **{"from": str(days_ago(40))})
    answer = await end(client, made["placement_id"])
    assert answer.status_code == 200, answer.text
    assert (answer.json()["ended_on"], answer.json()["end_reason"]) == (
        str(clock.today()),
        "dismissed",
    )
    assert answer.headers["ETag"] == '"2"'
    first, second = await cases(worker)
    assert (first["outcome"], second["closed_on"]) == ("employed", None)
    assert (await profiles(worker))[idle.person_id]["status"] == "unemployed"
    assert await guarantee(worker, home.household_id) == (False, "zero_employment")
    assert len(await rows(worker, ASSISTED)) == 1, "what was granted stays granted"


async def test_entered_in_error_is_taken_back(
    client: httpx.AsyncClient, worker: Database, home: HouseholdState, idle: Member
) -> None:
    made = await placed(client, idle)
    answer = await end(client, made["placement_id"], reason="entered_in_error")
    assert answer.json()["published"] == "reversed"
    told = await rows(worker, ASSISTED)
    assert [row["aggregate_version"] for row in told] == [1, 2]
    assert '"status":"reversed"' in told[1]["data"].decode()
    await placed(client, idle)


async def test_migrant_work_counts_on_the_day_of_its_third_month(
    client: httpx.AsyncClient,
    worker: Database,
    home: HouseholdState,
    idle: Member,
    tmp_path: Path,
) -> None:
    made = await placed(client, idle, kind="migrant_work")
    third = clock.add_months(clock.today(), 3)
    assert (made["counts_from"], made["published"]) == (str(third), None)
    assert [case["closed_on"] for case in await cases(worker)] == [None]
    with movable_clock(tmp_path):
        advance_to(third - timedelta(days=1))
        await turn(worker)
        assert [case["closed_on"] for case in await cases(worker)] == [None]
        advance_to(third)
        await turn(worker)
        (case,) = await cases(worker)
        assert (case["closed_on"], case["outcome"]) == (third, "employed")
        evidence = f"placement:{made['placement_id']}"
        assert await guarantee(worker, home.household_id) == (True, evidence)
        (told,) = await rows(worker, ASSISTED)
        assert f'"granted_on":"{third}"' in told["data"].decode()
        before = await everything(worker)
        await turn(worker)
        assert await everything(worker) == before


async def test_migrant_work_of_three_months_counts_at_once(
    client: httpx.AsyncClient, worker: Database, home: HouseholdState, idle: Member
) -> None:
    begun = clock.add_months(clock.today(), -3) - timedelta(days=1)
    await placed(client, idle, kind="migrant_work", **{"from": str(begun)})
    (case,) = await cases(worker)
    assert case["outcome"] == "employed"


async def test_migrant_work_that_is_over_makes_nobody_employed(
    client: httpx.AsyncClient, worker: Database, home: HouseholdState, idle: Member
) -> None:
    made = await placed(
        client,
        idle,
        kind="migrant_work",
        **{"from": str(days_ago(200)), "until": str(days_ago(1))},
    )
    assert (made["end_reason"], made["published"]) == ("term_over", "approved")
    assert [case["closed_on"] for case in await cases(worker)] == [None]
    short = await placed(
        client, idle, kind="migrant_work", **{"from": str(days_ago(50)), "until": str(days_ago(9))}
    )
    assert short["published"] is None


async def test_a_term_that_runs_out_ends_by_itself(
    client: httpx.AsyncClient,
    worker: Database,
    home: HouseholdState,
    idle: Member,
    tmp_path: Path,
) -> None:
    last = clock.today() + timedelta(days=10)
    made = await placed(client, idle, until=str(last))
    with movable_clock(tmp_path):
        advance_to(last)
        await turn(worker)
        assert len(await cases(worker)) == 1
        advance_to(last + timedelta(days=1))
        await turn(worker)
        (found,) = await rows(worker, "SELECT * FROM placements")
        assert (found["ended_on"], found["end_reason"]) == (last + timedelta(days=1), "term_over")
        assert [case["closed_on"] is None for case in await cases(worker)] == [False, True]
        assert await guarantee(worker, home.household_id) == (False, "zero_employment")
    stale = await end(client, made["placement_id"])
    assert (stale.status_code, stale.json()["code"]) == (412, "placement_changed")


async def test_a_lifted_household_s_profile_may_still_be_placed(
    client: httpx.AsyncClient, worker: Database, home: HouseholdState, idle: Member
) -> None:
    """Its guarantee is watched on: a job found in the tracking period counts."""
    await receive(worker, in_state(home, State.LIFTED), version=2)
    made = await placed(client, idle)
    assert await guarantee(worker, home.household_id) == (True, f"placement:{made['placement_id']}")
    assert (await profiles(worker))[idle.person_id]["status"] == "resting"


async def test_the_same_request_sent_again_places_once(
    client: httpx.AsyncClient, worker: Database, home: HouseholdState, idle: Member
) -> None:
    body = {"person_id": str(idle.person_id), "kind": "contract", "from": str(clock.today())}
    headers = {"Idempotency-Key": "once"}
    first = await client.post("/v1/placements", json=body, headers=headers)
    again = await client.post("/v1/placements", json=body, headers=headers)
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert len(await rows(worker, "SELECT 1 FROM placements")) == 1


async def test_placements_are_listed_and_shown(
    client: httpx.AsyncClient, worker: Database, home: HouseholdState, idle: Member
) -> None:
    made = await placed(client, idle)
    other = await placed(client, idle, kind="licensed_business")
    await end(client, other["placement_id"])
    for asked, count in (
        ({}, 2),
        ({"open": "true"}, 1),
        ({"open": "false"}, 1),
        ({"person": made["person_id"]}, 2),
        ({"person": str(new_id())}, 0),
        ({"household": str(home.household_id), "division": "331124"}, 2),
        ({"division": "331124101"}, 0),
    ):
        listed = (await client.get("/v1/placements", params=asked)).json()["items"]
        assert len(listed) == count, asked
    shown = await client.get(f"/v1/placements/{made['placement_id']}")
    assert (shown.json()["from"], shown.headers["ETag"]) == (str(clock.today()), '"1"')
    first = (await client.get("/v1/placements", params={"limit": 1})).json()
    rest = await client.get("/v1/placements", params={"cursor": first["next_cursor"]})
    assert [item["placement_id"] for item in first["items"] + rest.json()["items"]] == sorted(
        (made["placement_id"], other["placement_id"])
    )


async def test_placements_go_along_with_who_moves(
    client: httpx.AsyncClient, worker: Database, home: HouseholdState, idle: Member
) -> None:
    await placed(client, idle)
    await receive(worker, home.model_copy(update={"division_code": "331124101201"}), version=2)
    (found,) = await rows(worker, "SELECT division_code FROM placements")
    assert found["division_code"] == "331124101201"
    assert len(await rows(worker, ASSISTED)) == 1


async def test_writing_is_audited(
    client: httpx.AsyncClient, worker: Database, home: HouseholdState, idle: Member
) -> None:
    made = await placed(client, idle)
    await end(client, made["placement_id"])
    lines = await rows(worker, "SELECT * FROM audit_log WHERE subject_type = 'placement'")
    assert [line["action"] for line in lines] == ["placement.made", "placement.ended"]
    assert {UUID(line["subject_id"]) for line in lines} == {UUID(made["placement_id"])}
    assert date.fromisoformat(lines[0]["detail"]["from"]) == clock.today()
