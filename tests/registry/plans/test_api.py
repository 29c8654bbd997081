"""A household's plan over the API: drafted, signed by two, followed, replaced, ended (C53)."""

import asyncio
from datetime import timedelta
from uuid import UUID

from sqlalchemy import text

from services.registry.ledger.handlers import on_assisted
from services.registry.plans import queries
from tests.registry.conftest import OfficeOf
from tests.registry.filing import Registry, problem
from tests.registry.plans.planning import CONTENT, HEALTH, RIGHTS, TODAY, Desk
from tests.registry.told import aid_event
from tests.registry.verification.conftest import changed


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
