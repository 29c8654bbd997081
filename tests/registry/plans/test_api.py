"""A household's plan over the API: drafted, signed by two, followed, replaced, ended (C53)."""

import asyncio
from datetime import date, timedelta
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from services.registry.ledger.handlers import on_assisted
from services.registry.plans import actions, queries
from services.registry.plans.results import ask_results
from shared import clock
from tests.registry.conftest import OfficeOf
from tests.registry.filing import ALL, OFFICER, Office, Registry, problem
from tests.registry.told import aid_event
from tests.registry.verification.conftest import changed

RIGHTS = "registry.plans:read registry.plans:write registry.plans:decide registry.tasks:read"
TODAY = clock.today()
HEALTH = {
    "kind": "comprehensive",
    "cause": "illness",
    "bureau": "民政局",
    "officer_id": "m1",
    "budget": "3000.00",
    "fund": "县级资金",
    "begins_on": TODAY.isoformat(),
    "due_on": clock.add_months(TODAY, 6).isoformat(),
}
_HELPERS = count(1)
CONTENT = {"target_income": "15000.00", "words": "张建国长期患病", "measures": [HEALTH]}


class Desk:
    """Who plans: a clerk, a leader, and the lead helper of the household filed last."""

    def __init__(self, office_of: OfficeOf, clerk: Office, leader: Office) -> None:
        self._office_of = office_of
        self.clerk, self.leader, self.helper = clerk, leader, clerk

    async def household(self, **given: Any) -> str:
        """An identified household that is ill, with a lead helper of its own."""
        household_id = await self.clerk.identified(**({"causes": ["illness"]} | given))
        officer = f"h{next(_HELPERS)}"
        self.helper = await self._office_of(RIGHTS, officer=officer)
        body = {
            "division_code": "331124",
            "officer_id": officer,
            "name": "吴守信",
            "kind": "village_cadre",
            "unit": "某村",
            "started_on": "2020-01-01",
        }
        made = await self.clerk.client.post("/v1/helpers", json=body)
        assert made.status_code == 201, made.text
        pairing = {
            "household_id": household_id,
            "helper_id": made.json()["helper_id"],
            "lead": True,
            "paired_on": TODAY.isoformat(),
            "related": False,
        }
        answer = await self.clerk.client.post("/v1/pairings", json=pairing)
        assert answer.status_code == 201, answer.text
        return household_id

    async def draft(self, household_id: str, **given: Any) -> httpx.Response:
        where = f"/v1/households/{household_id}/plans"
        return await self.clerk.client.post(where, json=CONTENT | given)

    async def drafted(self, household_id: str, **given: Any) -> dict[str, Any]:
        answer = await self.draft(household_id, **given)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def step(
        self, by: Office, plan: dict[str, Any], step: str, **body: Any
    ) -> httpx.Response:
        headers = {"If-Match": f'"{plan["revision"]}"'}
        where = f"/v1/plans/{plan['plan_id']}/{step}"
        return await by.client.post(where, json=body, headers=headers)

    async def in_force(self, household_id: str, **given: Any) -> dict[str, Any]:
        plan = await self.drafted(household_id, **given)
        signed = await self.step(self.helper, plan, "sign", agreed_on=TODAY.isoformat())
        assert signed.is_success, signed.text
        approved = await self.step(
            self.leader, signed.json(), "approve", approved_on=TODAY.isoformat()
        )
        assert approved.is_success, approved.text
        return dict(approved.json())

    async def tasks(self, household_id: str) -> dict[str, str | None]:
        query: dict[str, str | bool] = {"household_id": household_id, "open": True}
        items = (await self.clerk.client.get("/v1/tasks", params=query)).json()["items"]
        return {each["kind"]: each["due_on"] for each in items if each["kind"].startswith("plan")}


@pytest.fixture
async def desk(office_of: OfficeOf) -> Desk:
    scopes = f"{ALL} {RIGHTS} registry.helpers:read registry.helpers:write"
    clerk, leader = await office_of(scopes, officer="t1"), await office_of(RIGHTS, officer="t3")
    return Desk(office_of, clerk, leader)


async def test_a_plan_is_asked_for_signed_by_two_and_in_force(desk: Desk) -> None:
    household_id = await desk.household()
    assert list(await desk.tasks(household_id)) == ["plan"]

    plan = await desk.drafted(household_id)
    early = await desk.step(desk.leader, plan, "approve", approved_on=TODAY.isoformat())
    not_he = await desk.step(desk.leader, plan, "sign", agreed_on=TODAY.isoformat())
    signed = (await desk.step(desk.helper, plan, "sign", agreed_on=TODAY.isoformat())).json()
    himself = await desk.step(desk.helper, signed, "approve", approved_on=TODAY.isoformat())
    stale = await desk.step(desk.leader, plan, "approve", approved_on=TODAY.isoformat())
    done = (await desk.step(desk.leader, signed, "approve", approved_on=TODAY.isoformat())).json()

    problem(early, 422, "lead_signature_missing")
    problem(not_he, 422, "not_the_lead")
    problem(himself, 422, "same_officer")
    problem(stale, 412, "plan_changed")
    assert (done["state"], done["version"], done["approved_by"]) == ("in_force", 1, "t3")
    assert done["words"] == "张建国长期患病"
    assert await desk.tasks(household_id) == {}


async def test_every_fault_is_named_and_nothing_kept(desk: Desk, registry: Registry) -> None:
    household_id = await desk.household()
    before = await registry.counted("plans", "plan_measures")
    wrong = HEALTH | {"kind": "housing", "budget": "-1.00", "due_on": "2020-01-01"}

    answer = await desk.draft(household_id, target_income="-1.00", measures=[wrong])
    three = await desk.draft(household_id, target_income="1.005")

    body = problem(answer, 422, "amount_negative")
    assert [each["where"] for each in body["errors"]] == [
        "#/target_income",
        "#/measures/0/kind",
        "#/measures/0/budget",
        "#/measures/0/due_on",
    ]
    problem(three, 422, "request_invalid")
    assert await registry.counted("plans", "plan_measures") == before


async def test_a_draft_is_changed_and_signed_anew(desk: Desk) -> None:
    household_id = await desk.household()
    plan = await desk.drafted(household_id)
    problem(await desk.draft(household_id), 409, "plan_drafted")
    signed = (await desk.step(desk.helper, plan, "sign", agreed_on=TODAY.isoformat())).json()

    answer = await desk.clerk.client.put(
        f"/v1/plans/{plan['plan_id']}",
        json=CONTENT | {"target_income": "16000.00"},
        headers={"If-Match": f'"{signed["revision"]}"'},
    )

    changed = answer.json()
    assert (changed["target_income"], changed["lead_signed_by"]) == ("16000.00", None)
    assert len(changed["measures"]) == 1


async def test_a_new_version_replaces_the_old_one_which_stays_readable(desk: Desk) -> None:
    household_id = await desk.household()
    first = await desk.in_force(household_id)
    second = await desk.in_force(household_id, target_income="18000.00")

    answer = await desk.clerk.client.get(f"/v1/households/{household_id}/plans")

    assert [(each["version"], each["state"]) for each in answer.json()] == [
        (1, "replaced"),
        (2, "in_force"),
    ]
    assert first["plan_id"] != second["plan_id"]
    again = await desk.step(desk.leader, first, "approve", approved_on=TODAY.isoformat())
    problem(again, 412, "plan_changed")


async def test_measures_are_carried_out_once(desk: Desk) -> None:
    household_id = await desk.household()
    plan = await desk.in_force(household_id)
    (measure,) = plan["measures"]
    where = f"/v1/plan-measures/{measure['measure_id']}"

    done = await desk.helper.client.post(
        f"{where}/carry-out", json={"carried_out_on": TODAY.isoformat()}
    )
    again = await desk.helper.client.post(
        f"{where}/drop", json={"dropped_on": TODAY.isoformat(), "reason": "不再需要"}
    )

    assert [each["state"] for each in done.json()["measures"]] == ["carried_out"]
    problem(again, 409, "measure_ended")


async def test_a_change_of_category_asks_for_a_new_plan(desk: Desk) -> None:
    household_id = await desk.household()
    await desk.in_force(household_id)

    await desk.clerk.change(household_id, valid_from=TODAY.isoformat(), category="dibao_marginal")

    assert list(await desk.tasks(household_id)) == ["plan"]
    signed_for_dibao = await desk.clerk.client.get(f"/v1/households/{household_id}/plans")
    assert [each["state"] for each in signed_for_dibao.json()] == ["in_force"]


async def test_who_leaves_has_no_plan_any_more(desk: Desk) -> None:
    household_id = await desk.household()
    await desk.in_force(household_id)
    await desk.drafted(household_id)

    await desk.clerk.announce(household_id, "exit", closed_on=TODAY.isoformat())
    await desk.clerk.decide(household_id, "exit", decided_on=TODAY.isoformat(), reason="自愿退出")

    answer = await desk.clerk.client.get(f"/v1/households/{household_id}/plans")
    assert [each["state"] for each in answer.json()] == ["ended", "ended"]
    assert await desk.tasks(household_id) == {}
    problem(await desk.draft(household_id), 422, "household_not_assisted")


async def test_exceptions_are_exactly_those_without_plan_or_lead(
    desk: Desk, office_of: OfficeOf
) -> None:
    fine = await desk.household(division_code=QUIET)
    await desk.in_force(fine)
    planless = await desk.household(division_code=QUIET)
    leadless = await desk.clerk.identified(causes=["illness"], division_code=QUIET)

    answer = await desk.clerk.client.get("/v1/plans/exceptions", params={"division": QUIET})

    found = {each["household_id"]: each for each in answer.json()["items"]}
    assert set(found) == {planless, leadless}
    assert (found[planless]["plan_missing"], found[planless]["lead_missing"]) == (True, False)
    assert (found[leadless]["plan_missing"], found[leadless]["lead_missing"]) == (True, True)
    neighbours = await office_of(RIGHTS, divisions=("331121",))
    there = await neighbours.client.get("/v1/plans/exceptions")
    assert not {planless, leadless} & {each["household_id"] for each in there.json()["items"]}


QUIET = "331124212203"


async def test_the_years_result_is_asked_for_and_entered_once(
    desk: Desk, registry: Registry
) -> None:
    household_id = await desk.household()
    await desk.in_force(household_id)
    next_year = date(TODAY.year + 1, 1, 2)

    for _ in range(2):
        async with registry.worker.transaction() as session:
            assert await ask_results(session, TODAY) is False
    assert await desk.tasks(household_id) == {}
    for _ in range(2):
        async with registry.worker.transaction() as session:
            assert await ask_results(session, next_year) is False
    assert list(await desk.tasks(household_id)) == ["plan_result"]
    body = {"year": TODAY.year, "income": "13000.00", "words": "收入有所增加"}
    early = await desk.helper.client.post(f"/v1/households/{household_id}/plan-results", json=body)
    problem(early, 422, "year_not_over")


async def test_a_result_is_entered_once_and_for_years_in_which_a_plan_ran(
    desk: Desk, registry: Registry
) -> None:
    household_id = await desk.household()
    await desk.in_force(household_id)
    order = "UPDATE plans SET approved_on = $2, drafted_on = $2 WHERE household_id = $1"
    await changed(registry, order, household_id, date(TODAY.year - 2, 12, 31))
    async with registry.worker.transaction() as session:
        assert await ask_results(session, TODAY) is False
    assert list(await desk.tasks(household_id)) == ["plan_result"]

    async def entered(year: int) -> httpx.Response:
        body = {"year": year, "income": "13000.00", "words": "收入有所增加"}
        where = f"/v1/households/{household_id}/plan-results"
        return await desk.helper.client.post(where, json=body)

    problem(await entered(TODAY.year - 3), 422, "no_plan_that_year")
    assert (await entered(TODAY.year - 2)).status_code == 201
    assert list(await desk.tasks(household_id)) == ["plan_result"], "the last year is still asked"
    assert (await entered(TODAY.year - 1)).status_code == 201
    assert await desk.tasks(household_id) == {}
    problem(await entered(TODAY.year - 1), 409, "result_entered")
    async with registry.worker.transaction() as session:
        assert await ask_results(session, TODAY) is False
    assert await desk.tasks(household_id) == {}


async def test_a_plan_that_ended_is_asked_for_no_later_year(desk: Desk, registry: Registry) -> None:
    household_id = await desk.household()
    ended = await desk.in_force(household_id)
    await desk.in_force(household_id)
    order = "UPDATE plans SET approved_on = $2, ended_on = $3 WHERE plan_id = $1"
    long_ago = date(TODAY.year - 3, 3, 1)
    await changed(registry, order, ended["plan_id"], long_ago, date(TODAY.year - 2, 12, 31))
    async with registry.worker.transaction() as session:
        assert await ask_results(session, TODAY) is False
    assert await desk.tasks(household_id) == {}

    await changed(registry, order, ended["plan_id"], long_ago, date(TODAY.year - 1, 1, 1))
    async with registry.worker.transaction() as session:
        assert await ask_results(session, TODAY) is False
    assert list(await desk.tasks(household_id)) == ["plan_result"]


async def test_a_result_entered_while_the_turn_looks_is_not_asked_for(
    desk: Desk, registry: Registry, postgres: str
) -> None:
    household_id = await desk.household()
    await desk.in_force(household_id)
    order = "UPDATE plans SET approved_on = $2 WHERE household_id = $1"
    await changed(registry, order, household_id, date(TODAY.year - 1, 12, 31))
    result: dict[str, Any] = {"year": TODAY.year - 1, "income": Decimal(1), "words": "x"}

    async def turn() -> None:
        async with registry.worker.transaction() as session:
            await ask_results(session, TODAY)

    async with registry.acting() as session:
        await actions.enter_result(session, OFFICER, UUID(household_id), **result)
        turning = asyncio.ensure_future(turn())
        await registry.until_waiting(postgres, 1)
    await turning

    assert await desk.tasks(household_id) == {}


async def test_what_was_done_in_an_earlier_stay_answers_nothing(
    desk: Desk, registry: Registry
) -> None:
    household_id = await desk.household()
    plan = await desk.in_force(household_id)
    await changed(
        registry, "UPDATE plan_measures SET kind = 'social' WHERE plan_id = $1", plan["plan_id"]
    )
    where = f"/v1/plan-measures/{plan['measures'][0]['measure_id']}/carry-out"
    answer = await desk.clerk.client.post(where, json={"carried_out_on": TODAY.isoformat()})
    assert answer.is_success, answer.text
    async with registry.worker.transaction() as session:
        await on_assisted(session, [aid_event(household_id=household_id)])
        paid_on = await session.scalar(
            text("SELECT granted_on FROM aid_ledger WHERE household_id = :id"),
            {"id": household_id},
        )
        assert paid_on < TODAY
        for since, done in (
            (paid_on, {"comprehensive", "social"}),
            (paid_on + timedelta(days=1), {"social"}),
            (TODAY, {"social"}),
            (TODAY + timedelta(days=1), set()),
        ):
            assert await queries.carried_out(session, UUID(household_id), since=since) == done


async def test_why_a_measure_was_dropped_is_sealed(desk: Desk, registry: Registry) -> None:
    household_id = await desk.household()
    plan = await desk.in_force(household_id)
    where = f"/v1/plan-measures/{plan['measures'][0]['measure_id']}/drop"
    body = {"dropped_on": TODAY.isoformat(), "reason": "张建国已康复"}
    shown = (await desk.clerk.client.post(where, json=body)).json()
    assert shown["measures"][0]["reason"] == "张建国已康复"
    (row,) = await registry.rows(
        "SELECT reason_encrypted FROM plan_measures WHERE plan_id = :id", id=plan["plan_id"]
    )
    assert "张建国".encode() not in bytes(row["reason_encrypted"])


async def test_of_two_drafts_at_once_one_passes(
    desk: Desk, registry: Registry, postgres: str
) -> None:
    household_id = await desk.household()

    async with registry.held_back(postgres, household_id, waiting=2):
        both = [asyncio.ensure_future(desk.draft(household_id)) for _ in range(2)]
    answers = await asyncio.gather(*both)

    assert sorted(answer.status_code for answer in answers) == [201, 409]


async def test_of_two_approvals_at_once_one_passes(
    desk: Desk, registry: Registry, office_of: OfficeOf, postgres: str
) -> None:
    household_id = await desk.household()
    plan = await desk.drafted(household_id)
    signed = (await desk.step(desk.helper, plan, "sign", agreed_on=TODAY.isoformat())).json()
    other = await office_of(RIGHTS, officer="t4")

    async with registry.held_back(postgres, household_id, waiting=2):
        both = [
            asyncio.ensure_future(desk.step(each, signed, "approve", approved_on=TODAY.isoformat()))
            for each in (desk.leader, other)
        ]
    answers = await asyncio.gather(*both)

    assert sorted(answer.status_code for answer in answers) == [200, 412]


async def test_another_county_sees_no_plan(desk: Desk, office_of: OfficeOf) -> None:
    household_id = await desk.household()
    plan = await desk.in_force(household_id)
    (measure,) = plan["measures"]
    there = await office_of(RIGHTS, divisions=("331121",), officer="o9")
    ifmatch = {"If-Match": f'"{plan["revision"]}"'}

    answers = [
        await there.client.get(f"/v1/plans/{plan['plan_id']}"),
        await there.client.put(f"/v1/plans/{plan['plan_id']}", json=CONTENT, headers=ifmatch),
        await desk.step(there, plan, "sign", agreed_on=TODAY.isoformat()),
        await desk.step(there, plan, "approve", approved_on=TODAY.isoformat()),
        await there.client.post(
            f"/v1/plan-measures/{measure['measure_id']}/carry-out",
            json={"carried_out_on": TODAY.isoformat()},
        ),
        await there.client.post(
            f"/v1/plan-measures/{measure['measure_id']}/drop",
            json={"dropped_on": TODAY.isoformat(), "reason": "x"},
        ),
    ]

    codes = {answer.json()["code"] for answer in answers}
    assert {answer.status_code for answer in answers} == {404}
    assert codes == {"plan_not_found", "measure_not_found"}
