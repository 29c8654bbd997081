"""Two files made one and the merger taken back: nobody counts twice, all is as at the start."""

import asyncio
from datetime import date
from typing import Any

import httpx
import pytest

from services.relief.dibao.rules import Line, schedule
from shared.contracts.registry import FactPeriod, Relation, State
from shared.identity import new_id
from shared.money import yuan
from tests.registry.conftest import OfficeOf
from tests.registry.filing import (
    ALL,
    NEXT_VILLAGE,
    OTHER_COUNTY,
    Office,
    Registry,
    household,
    number,
    person,
    problem,
)
from tests.registry.verification.conftest import changed

DAY = "2026-05-14"
UNDONE = {"reason": "误并"}


async def two(office: Office, **given: Any) -> tuple[str, str]:
    """A couple and a lone man of the next village, both on dibao."""
    couple = await office.identified(person(), person("spouse"), incomes={"wage": "6000.25"})
    lone = await office.identified(
        person(), division_code=NEXT_VILLAGE, incomes={"wage": "1200.50"}, **given
    )
    return couple, lone


async def merge(office: Office, survivor: str, merged: str, **given: Any) -> httpx.Response:
    body = {
        "merged_id": merged,
        "merged_on": DAY,
        "amounts": "added",
        "reason": "子女接父亲同住",
    } | given
    return await office.client.post(f"/v1/households/{survivor}/mergers", json=body)


async def merged_in(office: Office, survivor: str, merged: str, **given: Any) -> str:
    answer = await merge(office, survivor, merged, **given)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["merger_id"])


def paid(periods: tuple[FactPeriod, ...]) -> list[tuple[date, Any]]:
    """What relief owes on these periods, month by month."""
    line = Line(
        parameter_id=new_id(),
        value=yuan(1150),
        valid_from=date(2020, 1, 1),
        document_number="丽民〔2020〕1号",
        division_code="331100",
    )
    return [(each.from_month, each.amount) for each in schedule(periods, [line])]


async def test_a_merged_file_closes_into_the_survivor(registry: Registry, office: Office) -> None:
    couple, lone = await two(office)
    (father,) = (await office.read(lone))["members"]

    await merged_in(office, couple, lone, relations={father["person_id"]: "father"})

    kind, version, gone = (await registry.states(lone))[-1]
    assert (kind, version, gone.state) == ("merged", 2, State.CLOSED)
    assert (str(gone.merged_into), gone.members, gone.n) == (couple, (), 0)
    kind, _, kept = (await registry.states(couple))[-1]
    assert (kind, kept.n, str(kept.incomes.wage)) == ("changed", 3, "7200.75")
    assert [member.relation for member in kept.members].count(Relation.FATHER) == 1
    assert (await office.read(couple))["household_no"] != (await office.read(lone))["household_no"]
    standing = await registry.rows(
        "SELECT household_id, division_code FROM members JOIN persons USING (person_id, "
        "division_code) WHERE person_id = :id AND left_on IS NULL",
        id=father["person_id"],
    )
    assert [str(row["household_id"]) for row in standing] == [couple]
    assert paid(gone.periods)[-1] == (date(2026, 6, 1), 0)
    assert paid(kept.periods)[-1][0] == date(2026, 6, 1)
    for after in ("lift", "exit"):
        answer = await office.client.post(
            f"/v1/households/{lone}/{after}", json={"decided_on": DAY, "reason": "x"}
        )
        problem(answer, 422, "transition_forbidden")


async def test_a_merger_undone_leaves_amounts_and_histories_as_at_the_start(
    registry: Registry, office: Office
) -> None:
    """Golden case: household merged, then the merge undone."""
    pair = await two(office)
    before = {each: await registry.states(each) for each in pair}
    shown = {each: await office.read(each) for each in pair}

    merger_id = await merged_in(office, *pair)
    answer = await office.client.post(f"/v1/mergers/{merger_id}/undo", json=UNDONE)

    assert answer.status_code == 200, answer.text
    assert answer.json()["undone_reason"] == "误并"
    for each in pair:
        (*_, old), (*_, now) = before[each][-1], (await registry.states(each))[-1]
        same = old.model_copy(update={"effective_from": now.effective_from})
        assert now == same
        assert paid(now.periods) == paid(old.periods)
        moving = {"version", "revision", "effective_from"}
        again = await office.read(each)
        assert {name: again[name] for name in again.keys() - moving} == {
            name: shown[each][name] for name in again.keys() - moving
        }
        for day in ("2026-02-01", DAY, "2026-06-01"):
            then = await office.read(each, as_of=day)
            assert then["members"] == shown[each]["members"]
    rows = await registry.rows(
        "SELECT count(*) AS n FROM members JOIN persons USING (person_id, division_code) "
        "WHERE left_on IS NULL AND household_id = ANY(:ids)",
        ids=list(pair),
    )
    assert rows == [{"n": 3}]


async def test_the_review_of_a_death_goes_along(office: Office) -> None:
    couple, lone = await two(office)
    members = (await office.read(couple))["members"]
    (spouse,) = [each["person_id"] for each in members if each["relation"] == "spouse"]
    where = f"/v1/households/{couple}/members/{spouse}/leave"
    died = await office.client.post(where, json={"valid_from": "2026-03-01", "reason": "died"})
    assert died.status_code == 200, died.text

    async def reviews(household_id: str) -> list[Any]:
        query: dict[str, str | bool] = {"household_id": household_id, "kind": "death_review"}
        found = await office.client.get("/v1/tasks", params=query | {"open": True})
        return [each["due_on"] for each in found.json()["items"]]

    before = await reviews(couple)
    assert len(before) == 1
    await merged_in(office, lone, couple)
    assert (await reviews(couple), await reviews(lone)) == ([], before)


async def test_its_helper_and_its_plan_come_back_too(
    registry: Registry, office_of: OfficeOf
) -> None:
    plan_rights = "registry.plans:read registry.plans:write registry.plans:decide"
    pairing_rights = "registry.helpers:read registry.helpers:write"
    office = await office_of(f"{ALL} {plan_rights} {pairing_rights} registry.tasks:read")
    couple, lone = await two(office, causes=["illness"])
    helper = {
        "division_code": "331124",
        "officer_id": "h-merged",
        "name": "吴守信",
        "kind": "village_cadre",
        "unit": "某村",
        "started_on": "2020-01-01",
    }
    made = await office.client.post("/v1/helpers", json=helper)
    pairing = {
        "household_id": lone,
        "helper_id": made.json()["helper_id"],
        "lead": True,
        "paired_on": "2026-03-01",
        "related": False,
    }
    assert (await office.client.post("/v1/pairings", json=pairing)).status_code == 201
    measure = {
        "kind": "comprehensive",
        "cause": "illness",
        "bureau": "民政局",
        "officer_id": "m1",
        "budget": "3000.00",
        "fund": "县级资金",
        "begins_on": "2026-03-01",
        "due_on": "2099-12-31",
    }
    content = {"target_income": "15000.00", "measures": [measure]}
    drafted = await office.client.post(f"/v1/households/{lone}/plans", json=content)
    assert drafted.status_code == 201, drafted.text
    in_force = "UPDATE plans SET state = 'in_force', approved_on = $2 WHERE household_id = $1"
    await changed(registry, in_force, lone, date(2026, 3, 2))
    assert (
        await office.client.post(f"/v1/households/{lone}/plans", json=content)
    ).status_code == 201

    async def stand() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        plans = "SELECT plan_id, state, ended_on FROM plans WHERE household_id = :id ORDER BY 1"
        pairings = (
            "SELECT helper_id, lead, paired_on, ended_on, end_reason, flag FROM pairings "
            "WHERE household_id = :id"
        )
        return await registry.rows(plans, id=lone), await registry.rows(pairings, id=lone)

    before = await stand()
    merger_id = await merged_in(office, couple, lone)
    assert await stand() != before
    undone = await office.client.post(f"/v1/mergers/{merger_id}/undo", json=UNDONE)
    assert undone.status_code == 200, undone.text

    assert await stand() == before
    query: dict[str, str | bool] = {"household_id": lone, "open": True}
    kinds = {
        each["kind"]
        for each in (await office.client.get("/v1/tasks", params=query)).json()["items"]
    }
    assert not kinds & {"plan", "re_pair"}


async def test_who_was_filed_twice_does_not_come_over(registry: Registry, office: Office) -> None:
    couple = await office.identified(person(), person("spouse"))
    twice = await office.identified(person(), person("son"))
    first, son = (member["person_id"] for member in (await office.read(twice))["members"])
    old = (await registry.states(couple))[-1][2]

    merger_id = await merged_in(office, couple, twice, amounts="survivor", same_persons=[first])

    kept = (await registry.states(couple))[-1][2]
    assert (kept.n, kept.incomes) == (3, old.incomes)
    assert son in {str(member.person_id) for member in kept.members}
    await office.client.post(f"/v1/mergers/{merger_id}/undo", json=UNDONE)
    both = [(await registry.states(each))[-1][2] for each in (couple, twice)]
    assert [state.n for state in both] == [2, 2]


async def test_a_file_that_was_wholly_double_merges_and_comes_back(
    registry: Registry, office: Office
) -> None:
    couple, twice = await office.identified(person()), await office.identified(person())
    (only,) = (await office.read(twice))["members"]
    before = await registry.states(couple)

    merger_id = await merged_in(
        office, couple, twice, amounts="survivor", same_persons=[only["person_id"]]
    )
    assert await registry.states(couple) == before
    await office.client.post(f"/v1/mergers/{merger_id}/undo", json=UNDONE)

    assert await registry.states(couple) == before
    assert (await registry.states(twice))[-1][2].n == 1


async def test_a_merger_that_something_rests_on_is_not_undone(
    registry: Registry, office: Office
) -> None:
    couple, lone = await two(office)
    merger_id = await merged_in(office, couple, lone)
    undo = f"/v1/mergers/{merger_id}/undo"
    await office.read(couple)
    await office.change(couple, valid_from=DAY, phone="13900001111")
    problem(await office.client.post(undo, json={"reason": " "}), 422, "reason_missing")
    await office.change(couple, valid_from="2026-06-01", house_grade="C")

    answer = await office.client.post(undo, json=UNDONE)

    problem(answer, 422, "changed_since_merger")
    listed = (await office.client.get(f"/v1/households/{lone}/mergers")).json()
    assert [(each["merger_id"], each["undone_on"]) for each in listed] == [(merger_id, None)]


async def test_personal_data_alone_does_not_stop_the_undoing(office: Office) -> None:
    couple, lone = await two(office)
    merger_id = await merged_in(office, couple, lone)
    await office.read(couple)
    await office.change(couple, valid_from=DAY, phone="13900001111")

    answer = await office.client.post(f"/v1/mergers/{merger_id}/undo", json=UNDONE)
    again = await office.client.post(f"/v1/mergers/{merger_id}/undo", json=UNDONE)

    assert answer.status_code == 200, answer.text
    problem(again, 409, "merger_undone")


@pytest.mark.parametrize(
    ("given", "status", "code"),
    [
        ({"merged_on": "2026-01-09"}, 422, "later_facts_exist"),
        ({"merged_on": "2999-01-01"}, 422, "date_in_future"),
        ({"reason": " "}, 422, "reason_missing"),
        ({"relations": {str(new_id()): "son"}}, 422, "member_unknown"),
        ({"same_persons": [str(new_id())]}, 422, "member_unknown"),
        ({"amounts": "none"}, 422, "request_invalid"),
    ],
)
async def test_what_is_no_merger(
    registry: Registry, office: Office, given: dict[str, Any], *, status: int, code: str
) -> None:
    couple, lone = await two(office)
    before = await registry.counted("household_versions", "decisions", "events", "mergers")

    problem(await merge(office, couple, lone, **given), status, code)

    after = await registry.counted("household_versions", "decisions", "events", "mergers")
    assert after == before


async def test_which_file_may_survive(office: Office, office_of: OfficeOf) -> None:
    on_assistance, applying = await office.identified(), await office.open()
    other = await office.open()
    problem(await merge(office, applying, on_assistance), 422, "survivor_not_assisted")
    problem(await merge(office, applying, applying), 409, "same_household")
    await merged_in(office, on_assistance, applying)
    problem(await merge(office, on_assistance, applying), 409, "household_closed")
    problem(await merge(office, applying, other), 409, "household_closed")
    neighbours = await office_of(divisions=("331121",), officer="o9")
    theirs = await neighbours.identified(division_code=OTHER_COUNTY)
    problem(await merge(office, on_assistance, theirs), 404, "household_not_found")
    problem(await merge(neighbours, theirs, on_assistance), 404, "household_not_found")


async def test_a_stranger_undoes_nothing(office: Office, office_of: OfficeOf) -> None:
    merger_id = await merged_in(office, *(await two(office)))
    neighbours = await office_of(divisions=("331121",), officer="o9")

    answer = await neighbours.client.post(f"/v1/mergers/{merger_id}/undo", json=UNDONE)

    problem(answer, 404, "merger_not_found")


async def test_of_two_mergers_of_one_file_at_once_one_passes(
    registry: Registry, office: Office, office_of: OfficeOf, postgres: str
) -> None:
    couple, lone = await two(office)
    third = await office.identified()
    colleague = await office_of(officer="o2")

    async with registry.held_back(postgres, lone, waiting=2):
        both = [
            asyncio.ensure_future(merge(each, survivor, lone))
            for each, survivor in ((office, couple), (colleague, third))
        ]
    answers = await asyncio.gather(*both)

    assert sorted(answer.status_code for answer in answers) == [201, 409]


async def test_of_two_undoings_at_once_one_passes(
    registry: Registry, office: Office, office_of: OfficeOf, postgres: str
) -> None:
    couple, lone = await two(office)
    merger_id = await merged_in(office, couple, lone)
    colleague = await office_of(officer="o2")

    async with registry.held_back(postgres, lone, waiting=2):
        both = [
            asyncio.ensure_future(each.client.post(f"/v1/mergers/{merger_id}/undo", json=UNDONE))
            for each in (office, colleague)
        ]
    answers = await asyncio.gather(*both)

    assert sorted(answer.status_code for answer in answers) == [200, 409]


async def test_a_merger_and_an_opening_at_once_leave_nobody_in_two_files(
    registry: Registry, office: Office, office_of: OfficeOf
) -> None:
    one = number()
    couple = await office.identified()
    lone = await office.identified(person(id_number=one))
    colleague = await office_of(officer="o2")

    merging, opening = await asyncio.gather(
        merge(office, couple, lone),
        colleague.client.post("/v1/households", json=household(person(id_number=one))),
    )

    assert merging.status_code == 201, merging.text
    problem(opening, 409, "person_in_other_household")
