"""Relatives of staff and of village committees: registered, always visited, decided by others."""

from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import pytest

from services.registry.determination import rules
from services.registry.determination.parameters import DEFINITIONS
from shared import parameters
from shared.auth import Caller
from shared.contracts.registry import Category, RuleSet
from shared.identity import new_id
from tests.registry.conftest import OfficeOf
from tests.registry.determination.casework import RIGHTS, Casework
from tests.registry.filing import OTHER_TOWNSHIP, Office, Registry, problem

VISIT: dict[str, Any] = {"surveyed_on": "2026-01-19", "findings": "情况属实", "kind": "county"}


async def head_of(casework: Casework, household_id: str) -> str:
    return str((await casework.county.read(household_id))["head_person_id"])


async def register(office: Office, whose: str, **given: Any) -> httpx.Response:
    filing = {
        "person_id": whose,
        "kind": "village_committee",
        "position": "大竹溪村村委会主任",
        "relation": "兄弟",
        "registered_on": "2026-01-05",
    }
    return await office.client.post("/v1/staff-relatives", json=filing | given)


async def decide(casework: Casework, application: dict[str, Any]) -> httpx.Response:
    return await casework.ask(application, "decide", by=casework.county, decided_on="2026-01-20")


async def test_a_declared_relative_is_visited_by_the_county_before_the_decision(
    casework: Casework, office_of: OfficeOf
) -> None:
    application = await casework.decidable(staff_relative=True)
    assert set(await casework.tasks(application)) == {"county_visit", "decision"}
    problem(await decide(casework, application), 422, "county_visit_missing")
    by_township = await casework.ask(application, "surveys", **VISIT)
    problem(by_township, 422, "county_decides")
    visitor = await office_of(RIGHTS, officer="c5")

    visited = await casework.step(application, "surveys", by=visitor, **VISIT)

    assert visited["state"] == "on_notice"
    assert set(await casework.tasks(visited)) == {"decision"}
    own = await casework.ask(visited, "decide", by=visitor, decided_on="2026-01-20")
    problem(own, 422, "same_officer")
    assert (await decide(casework, visited)).status_code == 200


async def test_a_registered_relative_is_visited_though_nobody_declared_it(
    casework: Casework,
) -> None:
    household_id = await casework.household()
    entry = await register(casework.county, await head_of(casework, household_id))
    assert entry.status_code == 201, entry.text

    application = await casework.decidable(household_id=household_id)

    assert application["staff_relative"] is True
    problem(await decide(casework, application), 422, "county_visit_missing")


async def test_one_registered_after_the_opinion_is_visited_too(casework: Casework) -> None:
    application = await casework.decidable()
    await register(casework.county, await head_of(casework, application["household_id"]))

    problem(await decide(casework, application), 422, "county_visit_missing")


async def test_an_entry_that_ended_asks_for_nothing(casework: Casework) -> None:
    application = await casework.decidable()
    entry = await register(casework.county, await head_of(casework, application["household_id"]))
    where = f"/v1/staff-relatives/{entry.json()['staff_relative_id']}/end"
    early = await casework.county.client.post(where, json={"ended_on": "2026-01-04"})
    problem(early, 422, "before_registration")
    ended = await casework.county.client.post(where, json={"ended_on": "2026-01-19"})
    assert ended.json()["ended_by"] == "c1"
    again = await casework.county.client.post(where, json={"ended_on": "2026-01-19"})
    problem(again, 409, "staff_relative_ended")

    assert (await decide(casework, application)).status_code == 200


async def test_officers_take_no_part_in_the_case_of_their_relatives(casework: Casework) -> None:
    household_id = await casework.household()
    head = await head_of(casework, household_id)
    for officer in ("t1", "t3", "c1"):
        filing = {"kind": "staff", "position": "民政办工作人员", "staff_officer_id": officer}
        assert (await register(casework.county, head, **filing)).status_code == 201
    application = await casework.accepted(household_id=household_id)
    survey: dict[str, Any] = {"surveyed_on": "2026-01-08", "findings": "困难"}

    problem(await casework.ask(application, "surveys", **survey), 422, "own_relative")
    entered = await casework.step(application, "surveys", by=casework.second, **survey)
    sign = f"surveys/{entered['surveys'][0]['survey_id']}/sign"
    problem(await casework.ask(entered, sign), 422, "own_relative")
    opinion: dict[str, Any] = {"given_on": "2026-01-09", "in_favour": False, "words": "不符合"}
    by_leader = await casework.ask(entered, "opinion", by=casework.leader, **opinion)
    problem(by_leader, 422, "own_relative")
    refusal: dict[str, Any] = {
        "decided_on": "2026-01-20",
        "reason": "x",
        "failed_tests": ["x"],
    }
    refused = await casework.ask(entered, "refuse", by=casework.county, **refusal)
    problem(refused, 422, "own_relative")


@pytest.mark.parametrize(
    ("given", "status", "code"),
    [
        ({"person_id": "01890000-0000-7000-8000-000000000000"}, 404, "person_not_found"),
        ({"registered_on": "2999-01-01"}, 422, "date_in_future"),
        ({"position": " "}, 422, "position_missing"),
        ({"kind": "friend"}, 422, "request_invalid"),
    ],
    ids=["nobody", "tomorrow", "no_position", "no_kind"],
)
async def test_what_is_not_registered(
    casework: Casework, registry: Registry, given: dict[str, Any], status: int, code: str
) -> None:
    head = await head_of(casework, await casework.household())
    before = await registry.counted("staff_relatives", "audit_log")

    problem(await register(casework.county, head, **given), status, code)

    assert await registry.counted("staff_relatives", "audit_log") == before


async def test_the_register_is_seen_and_changed_in_its_own_county_only(
    casework: Casework, office_of: OfficeOf, registry: Registry
) -> None:
    household_id = await casework.household()
    head = await head_of(casework, household_id)
    entry = (await register(casework.county, head)).json()
    neighbours = await office_of(RIGHTS, divisions=("331121",), officer="o9")

    problem(await register(neighbours, head), 404, "person_not_found")
    listed = await neighbours.client.get("/v1/staff-relatives")
    assert listed.json()["items"] == []
    where = f"/v1/staff-relatives/{entry['staff_relative_id']}/end"
    ended = await neighbours.client.post(where, json={"ended_on": "2026-01-19"})
    problem(ended, 404, "staff_relative_not_found")
    own = await casework.county.client.get(
        "/v1/staff-relatives", params={"division": "331124002", "limit": 200}
    )
    assert entry in own.json()["items"]
    assert ("staff_relative.registered", "c1") in await registry.audited(head)

    await casework.county.change(
        household_id, valid_from="2026-01-10", division_code=OTHER_TOWNSHIP
    )
    (moved,) = await registry.rows(
        "SELECT division_code FROM staff_relatives WHERE person_id = :id", id=head
    )
    assert moved == {"division_code": OTHER_TOWNSHIP}


async def test_the_lot_falls_by_the_countys_rate(casework: Casework, registry: Registry) -> None:
    one = Caller(sub="c8", officer_id="c8", divisions=("331124",))
    other = Caller(sub="c9", officer_id="c9", divisions=("331124",))
    entry = parameters.Entry(
        key="sample_rate.CN2025",
        division_code="331124",
        valid_from=date(2026, 6, 1),
        value=Decimal(1),
        document_number="松民〔2026〕1号",
    )
    async with registry.acting(one) as session:
        entered = await parameters.enter(session, one, DEFINITIONS, entry)
        await parameters.approve(session, other, entered.parameter_id)
    application = await casework.surveyed(await casework.accepted())

    drawn = await casework.opined(application, on="2026-06-01")

    assert (drawn["sample_rate"], drawn["sampled"]) == ("1.0000", True)
    assert set(await casework.tasks(drawn)) == {"announcement", "county_visit"}


def test_the_lot_is_drawn_again_the_same_and_falls_about_as_often_as_it_should() -> None:
    ids = [new_id() for _ in range(2000)]
    rate = rules.sample_rate_by_law(RuleSet.LS2016, Category.DIBAO)

    drawn = [rules.drawn(each, rate) for each in ids]

    assert drawn == [rules.drawn(each, rate) for each in ids]
    assert 450 < sum(drawn) < 750
    assert not any(rules.drawn(each, Decimal(0)) for each in ids)
    assert all(rules.drawn(each, Decimal(1)) for each in ids)


@pytest.mark.parametrize(
    ("rule_set", "category", "key", "rate"),
    [
        (RuleSet.LS2016, Category.DIBAO, "sample_rate.LS2016", "0.3"),
        (RuleSet.LS2016, Category.TEKUN, "sample_rate.LS2016", "0.3"),
        (RuleSet.CN2021, Category.DIBAO, "sample_rate.CN2021", "0"),
        (RuleSet.CN2025, Category.TEKUN, "sample_rate.CN2025.tekun", "0.3"),
    ],
)
def test_the_least_rate_is_the_laws(
    rule_set: RuleSet, category: Category, key: str, rate: str
) -> None:
    assert rules.sample_key(rule_set, category) == key
    assert rules.sample_rate_by_law(rule_set, category) == Decimal(rate)
    assert DEFINITIONS[key].minimum == Decimal(rate)
