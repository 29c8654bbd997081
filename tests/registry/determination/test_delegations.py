"""A township decides in the county's name where, when and on what the county has left it (R29)."""

import asyncio
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from services.registry.determination.deadlines import Clock, limit
from services.registry.determination.delegable import (
    Delegation,
    delegable,
    wish_faults,
)
from services.registry.determination.rules import Decider
from shared import clock
from shared.contracts.registry import Category, RuleSet
from tests.registry.conftest import OfficeOf
from tests.registry.determination.casework import RIGHTS, TOWNSHIP, Casework
from tests.registry.filing import Office, Registry, problem
from tests.registry.verification.conftest import changed

WHERE = "/v1/delegations"
BY_TOWNSHIP: dict[str, Any] = {"decided_on": "2026-01-20", "reason": "符合条件"}
COUNTY = Decider(officer_id="c1", bureau="civil-affairs", whole_county=True)
WISH: dict[str, Any] = {
    "division_code": "331124002",
    "category": "dibao",
    "valid_from": "2026-01-01",
    "document": "松民〔2026〕1号",
}


@pytest.fixture(autouse=True)
async def _none_left(registry: Registry) -> None:
    """Every test begins without a delegation: those of the last one have ended long ago."""
    await changed(registry, "UPDATE decision_delegations SET ended_on = '2021-07-01'")


@pytest.fixture
async def colleague(office_of: OfficeOf) -> Office:
    return await office_of(RIGHTS, officer="c2")


@pytest.fixture
async def head(office_of: OfficeOf) -> Office:
    """The head of the township, who took no part in the case."""
    return await office_of(RIGHTS, officer="t9", bureau="township", divisions=TOWNSHIP)


async def entered(office: Office, **given: Any) -> httpx.Response:
    return await office.client.post(WHERE, json=WISH | given)


async def approve(office: Office, delegation: dict[str, Any]) -> httpx.Response:
    where = f"{WHERE}/{delegation['delegation_id']}/approve"
    return await office.client.post(where, json={})


async def delegated(
    casework: Casework, colleague: Office, *, since: str = "2026-01-01", **given: Any
) -> dict[str, Any]:
    """A delegation that was approved on the day ``since``."""
    asked = await entered(casework.county, **given)
    assert asked.status_code == 201, asked.text
    assert (await approve(colleague, asked.json())).status_code == 200
    order = "UPDATE decision_delegations SET approved_on = $2 WHERE delegation_id = $1"
    await changed(
        casework.registry, order, asked.json()["delegation_id"], date.fromisoformat(since)
    )
    return dict(asked.json())


async def the_countys(casework: Casework, application: dict[str, Any], head: Office) -> None:
    """The township may not decide."""
    answer = await casework.ask(application, "decide", by=head, **BY_TOWNSHIP)
    problem(answer, 422, "county_decides")


@pytest.mark.parametrize(
    ("on", "approved_on", "ended_on", "holds"),
    [
        ("2026-03-04", "2026-03-05", "2026-03-09", False),
        ("2026-03-05", "2026-03-05", "2026-03-09", True),
        ("2026-03-09", "2026-03-05", "2026-03-09", True),
        ("2026-03-10", "2026-03-05", "2026-03-09", False),
        ("2026-02-28", "2026-02-01", None, False),
        ("2026-03-01", "2026-02-01", None, True),
        ("2036-03-01", "2026-02-01", None, True),
        ("2026-03-05", None, None, False),
    ],
)
def test_the_days_on_which_a_delegation_holds(
    on: str, approved_on: str | None, ended_on: str | None, *, holds: bool
) -> None:
    delegation = Delegation(
        delegation_id=uuid4(),
        township="331124002",
        category=Category.DIBAO,
        valid_from=date(2026, 3, 1),
        approved_on=date.fromisoformat(approved_on) if approved_on else None,
        ended_on=date.fromisoformat(ended_on) if ended_on else None,
    )
    assert delegation.holds(date.fromisoformat(on)) is holds


@pytest.mark.parametrize("category", list(Category))
def test_what_may_be_left_to_a_township(category: Category) -> None:
    ours = category is not Category.GROUP_4600
    assert delegable(category, staff_relative=False) is ours
    assert not delegable(category, staff_relative=True)


@pytest.mark.parametrize(
    ("caller", "given", "codes"),
    [
        ({}, {}, []),
        ({}, {"valid_from": date(2021, 7, 1)}, []),
        ({}, {"valid_from": date(2021, 6, 30)}, ["before_law"]),
        ({}, {"township": "331124"}, ["township_wanted"]),
        ({}, {"township": "331124002221"}, ["township_wanted"]),
        ({}, {"category": Category.GROUP_4600}, ["not_delegable"]),
        ({}, {"document": " "}, ["document_missing"]),
        ({"whole_county": False}, {}, ["county_decides"]),
        ({"bureau": "poverty-alleviation"}, {}, ["bureau_not_competent"]),
        ({"officer_id": None}, {}, ["officer_missing"]),
    ],
)
def test_what_speaks_against_a_delegation(
    caller: dict[str, Any], given: dict[str, Any], codes: list[str]
) -> None:
    wish: dict[str, Any] = {
        "township": "331124002",
        "category": Category.DIBAO,
        "valid_from": date(2026, 1, 1),
        "document": "松民〔2026〕1号",
    }
    who = replace(COUNTY, **caller)
    assert [each.code for each in wish_faults(who, **(wish | given))] == codes


def test_the_whole_is_shorter_where_a_township_decides() -> None:
    for law in (RuleSet.CN2021, RuleSet.CN2025):
        assert limit(Clock.DELEGATED, law, Category.DIBAO) == (f"deadline.delegated.{law}", 20)
        assert limit(Clock.DELEGATED, law, Category.TEKUN) is None
    assert limit(Clock.DELEGATED, RuleSet.LS2016, Category.DIBAO) is None


async def test_a_township_decides_once_two_of_the_county_have_signed(
    casework: Casework, colleague: Office, head: Office
) -> None:
    application = await casework.decidable()
    asked = (await entered(casework.county)).json()
    problem(
        await casework.ask(application, "decide", by=head, **BY_TOWNSHIP), 422, "county_decides"
    )
    problem(await approve(casework.county, asked), 409, "same_officer")
    problem(await approve(head, asked), 422, "county_decides")
    assert (await approve(colleague, asked)).json()["approved_by"] == "c2"
    assert (await approve(colleague, asked)).status_code == 200
    # It does not reach back before its approval.
    problem(
        await casework.ask(application, "decide", by=head, **BY_TOWNSHIP), 422, "county_decides"
    )
    order = "UPDATE decision_delegations SET approved_on = $2 WHERE delegation_id = $1"
    await changed(casework.registry, order, asked["delegation_id"], date(2026, 1, 20))

    by_leader = await casework.ask(application, "decide", by=casework.leader, **BY_TOWNSHIP)
    problem(by_leader, 422, "same_officer")
    decided = await casework.step(application, "decide", by=head, **BY_TOWNSHIP)

    (decision,) = decided["decisions"]
    assert (decision["officer_id"], decision["bureau"]) == ("t9", "township")
    assert decision["delegation_id"] == asked["delegation_id"]


async def test_the_county_may_still_decide_itself(casework: Casework, colleague: Office) -> None:
    await delegated(casework, colleague)
    application = await casework.decidable()
    decided = await casework.step(application, "decide", by=casework.county, **BY_TOWNSHIP)
    assert decided["decisions"][0]["delegation_id"] is None


async def test_its_whole_takes_twenty_working_days(casework: Casework, colleague: Office) -> None:
    by_county = await casework.accepted()
    await delegated(casework, colleague)
    by_township = await casework.accepted()
    # Thirty working days after 7 January, over the Spring Festival; and twenty.
    assert (by_county["due_on"], by_township["due_on"]) == ("2026-02-25", "2026-02-04")


@pytest.mark.parametrize(
    "given",
    [{"category": "dibao_marginal"}, {"division_code": "331124212"}, {"since": "2026-01-21"}],
)
async def test_what_it_does_not_cover_the_county_decides(
    casework: Casework, colleague: Office, head: Office, given: dict[str, Any]
) -> None:
    await delegated(casework, colleague, **given)
    application = await casework.decidable()
    problem(
        await casework.ask(application, "decide", by=head, **BY_TOWNSHIP), 422, "county_decides"
    )


async def test_a_relative_of_staff_is_the_countys(
    casework: Casework, colleague: Office, head: Office
) -> None:
    await delegated(casework, colleague)
    application = await casework.decidable(staff_relative=True)
    problem(
        await casework.ask(application, "decide", by=head, **BY_TOWNSHIP), 422, "county_decides"
    )


async def test_its_last_day(casework: Casework, colleague: Office, head: Office) -> None:
    delegation = await delegated(casework, colleague)
    where = f"{WHERE}/{delegation['delegation_id']}/end"
    problem(await head.client.post(where, json={}), 422, "county_decides")
    assert (await colleague.client.post(where, json={})).json()["ended_by"] == "c2"
    problem(await casework.county.client.post(where, json={}), 409, "delegation_ended")
    problem(await approve(colleague, delegation), 409, "delegation_ended")
    application = await casework.decidable()
    order = "UPDATE decision_delegations SET ended_on = $2 WHERE delegation_id = $1"
    yesterday = clock.today() - timedelta(days=1)
    await changed(casework.registry, order, delegation["delegation_id"], yesterday)
    await the_countys(casework, application, head)
    await changed(casework.registry, order, delegation["delegation_id"], clock.today())
    await casework.step(application, "decide", by=head, **BY_TOWNSHIP)


async def test_the_letter_says_who_decided(
    casework: Casework, colleague: Office, head: Office
) -> None:
    await delegated(casework, colleague)
    application = await casework.decidable()
    refusal = {"decided_on": "2026-01-20", "reason": "收入高于标准", "failed_tests": ["人均收入"]}
    refused = await casework.step(application, "refuse", by=head, **refusal)
    where = f"/v1/applications/{refused['application_id']}/letter"
    letter = (await casework.county.client.get(where)).text
    assert "民政局" in letter
    assert "审核确认)" in letter
    assert "委托" in letter


async def test_of_two_at_once_one_does_it(
    casework: Casework, colleague: Office, office_of: OfficeOf
) -> None:
    both = await asyncio.gather(entered(casework.county), entered(colleague))
    assert sorted(each.status_code for each in both) == [201, 409]
    (asked,) = [each.json() for each in both if each.status_code == 201]
    third, fourth = [await office_of(RIGHTS, officer=name) for name in ("c7", "c8")]
    both = await asyncio.gather(approve(third, asked), approve(fourth, asked))
    assert sorted(each.status_code for each in both) == [200, 409]
    problem(await entered(casework.county), 409, "delegation_stands")


async def test_it_is_asked_and_seen_within_its_county(
    casework: Casework, colleague: Office, office_of: OfficeOf
) -> None:
    problem(await entered(casework.county, division_code="331124999"), 422, "division_unknown")
    problem(await entered(casework.county, division_code="331121002"), 422, "county_decides")
    delegation = await delegated(casework, colleague)
    elsewhere = await office_of(RIGHTS, officer="n1", divisions=("331121",))
    assert (await elsewhere.client.get(WHERE)).json()["items"] == []
    problem(await approve(elsewhere, delegation), 404, "delegation_not_found")
    where = f"{WHERE}/{delegation['delegation_id']}/end"
    problem(await elsewhere.client.post(where, json={}), 404, "delegation_not_found")
    listed = (await casework.county.client.get(WHERE, params={"division": "331124002"})).json()
    assert delegation["delegation_id"] in {each["delegation_id"] for each in listed["items"]}
    clerk = await office_of("registry.determination:read", officer="c9")
    problem(await entered(clerk), 403, "scope_missing")
