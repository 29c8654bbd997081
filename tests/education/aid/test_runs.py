"""A term's run: every pupil due, once a programme, to the fen, announced, and paid by another."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deploy.local.provision import ServiceDatabase
from services.education.aid import jobs
from services.education.aid.rules import Term, due_category, term_amount
from shared import clock
from shared.contracts.assistance import Assistance
from shared.contracts.registry import Category, SchoolStage, State
from shared.db import Database
from shared.identity import new_id
from tests.conftest import ClientOf
from tests.education.aid.conftest import Order
from tests.education.support import (
    ASSISTED,
    COUNTY,
    child,
    family,
    files,
    in_state,
    period,
    receive,
    rows,
    run_jobs,
    set_value,
    told,
    with_members,
)

NOT, JUNIOR, SENIOR = SchoolStage.NOT_AT_SCHOOL, SchoolStage.JUNIOR, SchoolStage.SENIOR
PAID_ON = "2026-11-24"


@pytest.fixture
def chunks_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs take two pupils a transaction."""
    monkeypatch.setattr(jobs, "CHUNK", 2)


async def test_every_stage_gets_its_half_year_and_is_announced(
    worker: Database, amounts: None, grant: Order, term: Term
) -> None:
    pupils = {stage: child(stage, age=17) for stage in SchoolStage if stage is not NOT}
    state = family(*pupils.values(), child(NOT))
    await receive(worker, state)
    run = await grant()
    found = await rows(worker, "SELECT * FROM aid")
    assert {row["person_id"]: (row["programme"], row["amount"]) for row in found} == {
        pupils[SchoolStage.PRESCHOOL].person_id: ("preschool_fee_cut", Decimal(250)),
        pupils[SchoolStage.PRIMARY].person_id: ("living_subsidy", Decimal(500)),
        pupils[JUNIOR].person_id: ("living_subsidy", Decimal(625)),
        pupils[SENIOR].person_id: ("national_grant", Decimal(1000)),
        pupils[SchoolStage.VOCATIONAL].person_id: ("national_grant", Decimal(1000)),
        pupils[SchoolStage.JUNIOR_COLLEGE].person_id: ("national_grant", Decimal(1500)),
        pupils[SchoolStage.COLLEGE].person_id: ("national_grant", Decimal(1500)),
    }
    assert (run["aided"], run["paid"], run["exceptions"]) == (7, 0, 0)
    assert run["total_yuan"] == str(sum(row["amount"] for row in found)) == "6375.00"
    assert (run["term"], run["division"], run["created_by"]) == (str(term), COUNTY, "o1")
    events = {event["subject"]: event for event in await told(worker, ASSISTED)}
    assert len(events) == 7
    for row in found:
        event = events[str(row["aid_id"])]
        assert event["version"] == 1
        assert Assistance.model_validate(event["data"]) == Assistance(
            assistance_id=row["aid_id"],
            household_id=state.household_id,
            person_ids=(row["person_id"],),
            programme=row["programme"],
            status="approved",
            amount=row["amount"],
            fund="county_education",
            month=term.start,
            granted_on=clock.today(),
        )


async def test_all_five_categories_are_aided_and_the_row_says_which(
    worker: Database, amounts: None, grant: Order
) -> None:
    await receive(worker, *[family(child(), category=category) for category in Category])
    assert (await grant())["aided"] == 5
    found = await rows(worker, "SELECT category FROM aid")
    assert {row["category"] for row in found} == {category.value for category in Category}


async def test_who_is_not_on_assistance_gets_nothing_unless_policy_is_kept(
    worker: Database, amounts: None, grant: Order, term: Term
) -> None:
    eve = term.start - timedelta(days=1)
    lifted, kept, closed = (family(child()) for _ in range(3))
    await receive(worker, lifted, kept, closed)
    await receive(
        worker,
        in_state(lifted, State.LIFTED, eve, keep_policy_until=eve),
        in_state(kept, State.LIFTED, eve, keep_policy_until=term.start),
        in_state(closed, State.CLOSED, clock.today()),
        version=2,
    )
    run = await grant()
    assert (run["aided"], run["exceptions"]) == (1, 0)
    (row,) = await rows(worker, "SELECT household_id FROM aid")
    assert row["household_id"] == kept.household_id


async def test_a_second_run_grants_only_who_became_due_since(
    worker: Database, amounts: None, grant: Order, term: Term
) -> None:
    first = family(child())
    later = clock.today()
    second = family(child(), effective_from=later, periods=(period(later),))
    await receive(worker, first)
    assert (await grant())["aided"] == 1
    again = await grant()
    assert (again["aided"], again["exceptions"], again["total_yuan"]) == (0, 0, "0.00")
    await receive(worker, second)
    assert (await grant())["aided"] == 1
    assert len(await told(worker, ASSISTED)) == 2


async def test_a_missing_amount_stops_only_its_own_stage(
    worker: Database, grant: Order, client: httpx.AsyncClient
) -> None:
    await set_value(worker, "edu.grant.senior", "2000")
    primary = child()
    await receive(worker, family(primary, child(SENIOR, age=17)))
    run = await grant()
    assert (run["aided"], run["exceptions"], run["total_yuan"]) == (1, 1, "1000.00")
    listed = (await client.get(f"/v1/aid-runs/{run['run_id']}/exceptions")).json()["items"]
    (exception,) = listed
    assert (exception["person_id"], exception["code"], exception["detail"]) == (
        str(primary.person_id),
        "parameter_missing",
        {"stage": "primary", "parameter": "edu.living_subsidy.primary"},
    )
    await set_value(worker, "edu.living_subsidy.primary", "1000")
    assert (await grant())["aided"] == 1


async def test_a_stage_not_known_any_more_is_an_exception(
    worker: Database, amounts: None, grant: Order, client: httpx.AsyncClient
) -> None:
    pupil = child(SENIOR, age=17)
    state = family(pupil)
    await receive(worker, state)
    unsaid = pupil.model_copy(update={"school_stage": None})
    await receive(worker, with_members(state, state.members[0], unsaid), version=2)
    run = await grant()
    assert (run["aided"], run["exceptions"]) == (0, 1)
    found = await client.get(f"/v1/aid-runs/{run['run_id']}/exceptions")
    assert found.json()["items"][0]["code"] == "stage_unknown"


async def test_another_stage_in_the_same_term_is_not_aided_twice(
    worker: Database, amounts: None, grant: Order, client: httpx.AsyncClient
) -> None:
    pupil = child(JUNIOR, age=15)
    state = family(pupil)
    await receive(worker, state)
    await grant()
    senior = pupil.model_copy(update={"school_stage": SENIOR})
    await receive(worker, with_members(state, state.members[0], senior), version=2)
    run = await grant()
    assert (run["aided"], run["exceptions"]) == (0, 1)
    found = await client.get(f"/v1/aid-runs/{run['run_id']}/exceptions")
    assert found.json()["items"][0]["code"] == "aided_at_other_stage"


async def test_one_who_left_school_or_does_not_count_gets_nothing(
    worker: Database, amounts: None, grant: Order
) -> None:
    pupil, uncounted = child(), child(counted=False)
    state = family(pupil, uncounted)
    await receive(worker, state)
    left = pupil.model_copy(update={"school_stage": NOT})
    await receive(worker, with_members(state, state.members[0], left, uncounted), version=2)
    run = await grant()
    assert (run["aided"], run["exceptions"]) == (0, 0)


@pytest.mark.parametrize("chunk", [1, 3])
async def test_chunks_leave_nobody_out(
    worker: Database, amounts: None, grant: Order, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(jobs, "CHUNK", chunk)
    await receive(worker, *[family(child(), child(JUNIOR, age=13)) for _ in range(3)])
    run = await grant()
    assert (run["aided"], run["total_yuan"]) == (6, "3375.00")
    (job,) = await rows(worker, "SELECT * FROM jobs")
    assert (job["done"], job["total"], job["kind"]) == (6, 6, "education.grant_aid")
    assert job["result"] == {"run_id": run["run_id"], "aided": 6}


async def test_the_order_is_refused_outside_its_time_place_and_form(
    worker: Database, client: httpx.AsyncClient, term: Term
) -> None:
    ahead, past = f"{term.year + 2}-autumn", f"{term.year - 1}-spring"
    for written, code in ((ahead, "term_too_early"), (past, "term_over")):
        answer = await client.post("/v1/aid-runs", json={"term": written, "division": COUNTY})
        assert (answer.status_code, answer.json()["code"]) == (422, code)
    for division in ("331102", "3311", "331100"):
        order = {"term": str(term), "division": division}
        answer = await client.post("/v1/aid-runs", json=order)
        assert (answer.status_code, answer.json()["code"]) == (403, "division_not_covered")
    for changes in ({"term": "2026-summer"}, {"term": "x"}, {"division": "33112"}, {"fund": "x"}):
        order = {"term": str(term), "division": COUNTY} | changes
        answer = await client.post("/v1/aid-runs", json=order)
        assert answer.status_code in {400, 422}
        assert answer.json()["errors"]
    for table in ("aid_runs", "jobs", "audit_log"):
        assert await rows(worker, f"SELECT 1 FROM {table}") == []  # noqa: S608 (names above)


@pytest.mark.usefixtures("amounts", "chunks_of_two")
async def test_a_run_is_paid_by_another_officer_and_announced_again(
    worker: Database, grant: Order, client: httpx.AsyncClient, colleague: httpx.AsyncClient
) -> None:
    await receive(worker, *[family(child()) for _ in range(4)])
    run = await grant()
    path, today = f"/v1/aid-runs/{run['run_id']}/pay", clock.today().isoformat()
    same = await client.post(path, json={"paid_on": today})
    assert (same.status_code, same.json()["code"]) == (409, "same_officer")
    tomorrow = (clock.today() + timedelta(days=1)).isoformat()
    early = await colleague.post(path, json={"paid_on": tomorrow})
    assert (early.status_code, early.json()["code"]) == (422, "paid_on_impossible")
    ordered = await colleague.post(path, json={"paid_on": today})
    assert ordered.status_code == 202
    assert {job["state"] for job in await run_jobs(worker)} == {"succeeded"}
    paid = (await client.get(f"/v1/aid-runs/{run['run_id']}")).json()
    assert (paid["paid"], paid["paid_on"], paid["paid_by"]) == (4, today, "o2")
    assert paid["total_yuan"] == run["total_yuan"]
    found = await rows(worker, "SELECT * FROM aid")
    assert {(row["status"], row["version"], row["paid_on"]) for row in found} == {
        ("paid", 2, clock.today())
    }
    events = await told(worker, ASSISTED)
    assert sorted((event["version"], event["data"]["status"]) for event in events) == (
        [(1, "approved")] * 4 + [(2, "paid")] * 4
    )
    again = await colleague.post(path, json={"paid_on": today})
    assert (again.status_code, again.json()["code"]) == (409, "run_paid")
    (job,) = (await client.get("/v1/jobs", params={"kind": "education.pay_aid"})).json()["items"]
    assert (job["job_id"], job["done"], job["total"]) == (paid["pay_job_id"], 4, 4)


async def test_a_run_still_being_granted_is_not_paid(
    client: httpx.AsyncClient, colleague: httpx.AsyncClient, term: Term
) -> None:
    order = {"term": str(term), "division": COUNTY}
    run = (await client.post("/v1/aid-runs", json=order)).json()
    answer = await colleague.post(
        f"/v1/aid-runs/{run['run_id']}/pay", json={"paid_on": clock.today().isoformat()}
    )
    assert (answer.status_code, answer.json()["code"]) == (409, "run_not_over")
    missing = await colleague.post(f"/v1/aid-runs/{new_id()}/pay", json={"paid_on": PAID_ON})
    assert (missing.status_code, missing.json()["code"]) == (404, "aid_run_unknown")


async def test_a_person_must_sign(
    education: ServiceDatabase, client_of: ClientOf, term: Term
) -> None:
    scopes = "education.aid:write education.aid:pay education.aid:read"
    system = await client_of("education", education, scopes=scopes, officer=None)
    order = {"term": str(term), "division": COUNTY}
    answer = await system.post("/v1/aid-runs", json=order)
    assert (answer.status_code, answer.json()["code"]) == (403, "officer_unknown")
    answer = await system.post(f"/v1/aid-runs/{new_id()}/pay", json={"paid_on": PAID_ON})
    assert (answer.status_code, answer.json()["code"]) == (403, "officer_unknown")


async def test_every_route_needs_its_scope(
    education: ServiceDatabase, client_of: ClientOf, term: Term
) -> None:
    reader = await client_of("education", education, scopes="education.aid:read")
    order = {"term": str(term), "division": COUNTY}
    assert (await reader.post("/v1/aid-runs", json=order)).status_code == 403
    pay = await reader.post(f"/v1/aid-runs/{new_id()}/pay", json={"paid_on": PAID_ON})
    assert pay.status_code == 403
    other = await client_of("education", education, scopes="education.aid:write")
    for path in ("aid", f"aid-runs/{new_id()}", f"aid-runs/{new_id()}/exceptions"):
        assert (await other.get(f"/v1/{path}")).status_code == 403


async def test_aid_is_found_by_run_household_person_and_term(
    worker: Database, amounts: None, grant: Order, client: httpx.AsyncClient, term: Term
) -> None:
    pupils = [child() for _ in range(3)]
    here = family(*pupils)
    await receive(worker, here)
    run = await grant()
    await receive(worker, family(child()))
    await grant()
    asked: list[tuple[dict[str, Any], int]] = [
        ({}, 4),
        ({"run": run["run_id"]}, 3),
        ({"household": str(here.household_id)}, 3),
        ({"person": str(pupils[0].person_id)}, 1),
        ({"term": str(term)}, 4),
        ({"term": "2020-spring"}, 0),
    ]
    for question, count in asked:
        found: list[str] = []
        cursor: dict[str, str] = {}
        while True:
            answer = await client.get("/v1/aid", params=question | cursor | {"limit": 2})
            found += [item["aid_id"] for item in answer.json()["items"]]
            if answer.json()["next_cursor"] is None:
                break
            cursor = {"cursor": answer.json()["next_cursor"]}
        assert len(found) == len(set(found)) == count, question
    shown = (await client.get(f"/v1/students/{pupils[0].person_id}")).json()
    assert [(each["amount"], each["term"]) for each in shown["aid"]] == [("500.00", str(term))]
    looked = await rows(worker, "SELECT 1 FROM audit_log WHERE action = 'aid.read'")
    assert len(looked) == 4 + 3 + 3 + 1 + 4


STAGES = st.sampled_from([stage for stage in SchoolStage if stage is not NOT])


@settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    households=st.lists(st.lists(STAGES, max_size=3), min_size=1, max_size=4),
    runs=st.lists(st.sampled_from([COUNTY, "331124100", "331124100201"]), min_size=1, max_size=3),
)
async def test_nobody_twice_and_sums_to_the_fen(
    amounts: None,
    worker: Database,
    grant: Order,
    households: Sequence[Sequence[SchoolStage]],
    runs: Sequence[str],
) -> None:
    """Whatever is ordered, in whatever order: the database goes on from example to example."""
    states = [family(*(child(stage, age=17) for stage in stages)) for stages in households]
    await receive(worker, *states)
    totals = [await grant(division=division) for division in runs]
    found = await rows(worker, "SELECT * FROM aid")
    keys = {(row["person_id"], row["term"], row["programme"]) for row in found}
    assert len(keys) == len(found) == len(await files(worker))
    for run in totals:
        mine = [row["amount"] for row in found if str(row["run_id"]) == run["run_id"]]
        assert Decimal(run["total_yuan"]) == sum(mine, Decimal(0))


async def test_the_rule_and_the_amount_are_those_of_the_rows(
    worker: Database, amounts: None, grant: Order, term: Term
) -> None:
    state = family(child(JUNIOR, age=13))
    await receive(worker, state)
    await grant()
    (row,) = await rows(worker, "SELECT * FROM aid")
    assert due_category(state.periods, term, clock.today()) == row["category"]
    (value,) = await rows(
        worker,
        "SELECT value FROM policy_parameters WHERE parameter_id = :id",
        id=row["parameter_id"],
    )
    assert row["amount"] == term_amount(value["value"])
    assert row["month"] == date(term.start.year, term.start.month, 1)
