"""Decisions through the API: what is stored, published and refused, and two at once."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from sqlalchemy import text

from tests.registry.conftest import OfficeOf
from tests.registry.filing import NEXT_VILLAGE, WRITTEN, Office, Registry, number, person, problem

PARAMETERS = "registry.parameters:read registry.parameters:write registry.parameters:approve"


@pytest.fixture
async def tracking(registry: Registry, office_of: OfficeOf) -> AsyncIterator[None]:
    """Twelve months of tracking for dibao in 331124, approved; gone again after the test."""
    one, other = await office_of(PARAMETERS), await office_of(PARAMETERS, officer="o2")
    entered = await one.client.post(
        "/v1/parameters",
        json={
            "key": "tracking.months.dibao",
            "division_code": "331124",
            "valid_from": "2024-01-01",
            "value": "12",
            "document_number": "sample, not official",
            "sample": True,
        },
    )
    assert entered.status_code == 201, entered.text
    parameter_id = entered.json()["parameter_id"]
    approved = await other.client.post(f"/v1/parameters/{parameter_id}/approve", json={})
    assert approved.status_code == 200, approved.text
    yield
    async with registry.worker.transaction() as session:
        await session.execute(text("DELETE FROM policy_parameters WHERE key ^@ 'tracking.months'"))


async def test_a_whole_life_on_one_file(registry: Registry, office: Office, tracking: None) -> None:
    child = person("son", school_stage="primary")
    household_id = await office.open(person(), child, opened_on="2024-01-05")

    identification = await office.announce(household_id, "identification", closed_on="2024-02-10")
    await office.decide(
        household_id, "identify", decided_on="2024-02-10", missing_evidence=["income_proof"]
    )
    await registry.checked(household_id, "2024-02-20")
    await registry.checked(household_id, "2024-08-20")
    await registry.guaranteed(household_id)
    lift = await office.announce(household_id, "lift", closed_on="2024-09-01")
    await office.decide(
        household_id, "lift", decided_on="2024-09-01", keep_policy_until="2025-09-01"
    )
    await office.decide(household_id, "exit", decided_on="2025-09-01", reason="跟踪期满,无风险")
    back = await office.decide(
        household_id, "return", decided_on="2026-02-01", reason="主要劳动力重病", category="tekun"
    )

    assert (back["state"], back["version"], back["category"]) == ("returned", 4, "tekun")
    states = await registry.states(household_id)
    assert [(kind, version) for kind, version, _ in states] == [
        ("identified", 1),
        ("lifted", 2),
        ("exited", 3),
        ("returned", 4),
    ]
    last = states[-1][2]
    assert [(each.number, each.origin, str(each.identified_on)) for each in last.episodes] == [
        (1, "application", "2024-02-10"),
        (2, "returned", "2026-02-01"),
    ]
    assert (str(last.episodes[0].lifted_on), str(last.episodes[0].exited_on)) == (
        "2024-09-01",
        "2025-09-01",
    )
    assert [member.school_stage for member in last.members] == [None, "primary"]
    assert [
        (str(each.valid_from), each.state, str(each.keep_policy_until)) for each in last.periods
    ] == [
        ("2024-02-10", "identified", "None"),
        ("2024-09-01", "lifted", "2025-09-01"),
        ("2025-09-01", "exited", "2025-09-01"),
        ("2026-02-01", "returned", "None"),
    ]
    decisions = await registry.rows(
        "SELECT * FROM decisions WHERE household_id = :id ORDER BY decided_on", id=household_id
    )
    assert [
        (row["kind"], row["rule_set"], row["episode"], row["officer_id"]) for row in decisions
    ] == [
        ("identify", "CN2021", 1, "o1"),
        ("lift", "CN2021", 1, "o1"),
        ("exit", "CN2021", 1, "o1"),
        ("return", "CN2025", 2, "o1"),
    ]
    assert decisions[2]["reason"] == "跟踪期满,无风险"
    assert decisions[2]["parameters"][0]["key"] == "tracking.months.dibao"
    assert {"code": "tracking_not_over", "holds": True} in decisions[2]["checks"]
    assert decisions[1]["facts"]["incomes"]["wage"] == "6000.00"
    assert decisions[1]["parameters"][0]["key"] == "lift.months_between_checks"
    for decision, notice in zip(decisions, (identification, lift), strict=False):
        announced = {"code": "notice_missing", "holds": True, "rests_on": [notice]}
        assert announced in decision["checks"]
    (episode, _) = await registry.rows(
        "SELECT * FROM episodes WHERE household_id = :id ORDER BY number", id=household_id
    )
    assert episode["missing_evidence"] == ["income_proof"]
    assert [action for action, _ in await registry.audited(household_id)] == [
        "household.opened",
        "notice.requested",
        "household.identified",
        "household.checked",
        "household.checked",
        "notice.requested",
        "household.lifted",
        "household.exited",
        "household.returned",
    ]
    events = await registry.rows(
        "SELECT key, subject, episode, rule_set, effective_from, source, topic FROM events "
        "WHERE subject = :id ORDER BY id",
        id=household_id,
    )
    assert events[-1] | {"effective_from": str(events[-1]["effective_from"])} == {
        "key": household_id,
        "subject": household_id,
        "episode": 2,
        "rule_set": "CN2025",
        "effective_from": "2026-02-01",
        "source": "/registry",
        "topic": "registry.households",
    }


async def test_exit_from_tracking_needs_an_approved_parameter(
    registry: Registry, office: Office
) -> None:
    household_id = await office.long_identified()
    await office.ready_to_lift(household_id)
    await office.decide(household_id, "lift", decided_on="2025-08-01")
    before = await registry.counted(*WRITTEN)

    answer = await office.client.post(
        f"/v1/households/{household_id}/exit", json={"decided_on": "2026-06-01", "reason": "期满"}
    )

    body = problem(answer, 422, "parameter_missing")
    assert body["errors"][0]["where"] == "tracking.months.dibao"
    assert await registry.counted(*WRITTEN) == before


async def test_a_household_may_be_struck_off_for_a_written_reason(
    registry: Registry, office: Office
) -> None:
    household_id = await office.identified()
    where = f"/v1/households/{household_id}/exit"
    await office.announce(household_id, "exit", closed_on="2026-03-01")

    wordless = await office.client.post(where, json={"decided_on": "2026-03-01"})
    await office.decide(household_id, "exit", decided_on="2026-03-01", reason="隐瞒收入")

    problem(wordless, 422, "reason_missing")
    assert [kind for kind, _, _ in await registry.states(household_id)] == ["identified", "exited"]


async def test_a_refused_file_is_told_to_nobody_and_frees_its_people(
    registry: Registry, office: Office
) -> None:
    one = number()
    household_id = await office.open(person(id_number=one))

    refused = await office.decide(
        household_id, "refuse", decided_on="2026-02-01", reason="收入超过标准"
    )
    again = await office.open(person(id_number=one), division_code=NEXT_VILLAGE)

    assert (refused["state"], refused["version"]) == ("closed", 0)
    assert again != household_id
    assert await registry.states(household_id) == []
    late = await office.client.post(
        f"/v1/households/{household_id}/identify", json={"decided_on": "2026-01-20"}
    )
    problem(late, 422, "transition_forbidden")


async def test_a_closed_file_stays_readable_and_changes_no_more(
    registry: Registry, office: Office
) -> None:
    one = number()
    household_id = await office.identified(person(id_number=one), person("spouse"))

    await office.decide(household_id, "close", decided_on="2026-03-01", ground="died")

    kind, version, state = (await registry.states(household_id))[-1]
    assert (kind, version, state.state, state.n, state.members) == ("closed", 2, "closed", 0, ())
    assert (await office.read(household_id, as_of="2026-02-01"))["n"] == 2
    left = await registry.rows(
        "SELECT left_reason FROM members WHERE household_id = :id", id=household_id
    )
    assert [row["left_reason"] for row in left] == ["died", "died"]
    changed = await office.client.patch(
        f"/v1/households/{household_id}",
        json={"valid_from": "2026-04-01", "house_grade": "C"},
        headers={"If-Match": office.etags[household_id]},
    )
    problem(changed, 409, "household_closed")


async def test_a_red_guarantee_blocks_the_lift_until_it_is_met(
    registry: Registry, office: Office
) -> None:
    household_id = await office.long_identified()
    await office.ready_to_lift(household_id)
    where = f"/v1/households/{household_id}/lift"
    guarantee = {
        "source": "/housing",
        "guarantee_id": uuid4(),
        "household_id": household_id,
        "kind": "housing",
    }
    await registry.guarantee(**guarantee, met=False)

    blocked = await office.client.post(where, json={"decided_on": "2025-08-01"})
    await registry.guarantee(**guarantee, met=True)
    free = await office.client.post(where, json={"decided_on": "2025-08-01"})

    body = problem(blocked, 422, "guarantee_not_met")
    assert "housing" in body["errors"][0]["message"]
    assert free.status_code == 200, free.text


async def test_who_only_writes_cannot_decide(office: Office, office_of: OfficeOf) -> None:
    household_id = await office.open()
    clerk = await office_of("registry.households:read registry.households:write")
    nobody = await office_of(officer=None)
    body = {"decided_on": "2026-02-01"}

    without_scope = await clerk.client.post(f"/v1/households/{household_id}/identify", json=body)
    without_name = await nobody.client.post(f"/v1/households/{household_id}/identify", json=body)

    problem(without_scope, 403, "scope_missing")
    problem(without_name, 422, "officer_missing")


async def test_another_county_cannot_decide(office: Office, office_of: OfficeOf) -> None:
    household_id = await office.open()
    neighbours = await office_of(divisions=("331121",))

    for move in ("identify", "refuse", "lift", "exit", "return", "close"):
        answer = await neighbours.client.post(
            f"/v1/households/{household_id}/{move}",
            json={"decided_on": "2026-02-01", "reason": "x"}
            | ({"ground": "died"} if move == "close" else {}),
        )
        problem(answer, 404, "household_not_found")


async def test_a_decision_dated_back_leaves_those_who_left_later_as_they_are(
    registry: Registry, office: Office
) -> None:
    household_id = await office.long_identified(person(), person("son"))
    await office.ready_to_lift(household_id)
    son = (await office.read(household_id))["members"][1]["person_id"]
    left = await office.client.post(
        f"/v1/households/{household_id}/members/{son}/leave",
        json={"valid_from": "2025-09-10", "reason": "died"},
    )
    assert left.status_code == 200, left.text

    await office.decide(household_id, "lift", decided_on="2025-08-05")

    (row,) = await registry.rows(
        "SELECT left_on, left_reason FROM members WHERE person_id = :id", id=son
    )
    assert (str(row["left_on"]), row["left_reason"]) == ("2025-09-10", "died")
