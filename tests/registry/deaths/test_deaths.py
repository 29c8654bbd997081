"""A death in the household: who follows, when it is looked at again, and what ends the review."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from services.registry.deaths.parameters import DEFINITIONS
from services.registry.deaths.rules import answers, due_on
from shared import parameters
from shared.auth import Caller
from tests.registry.filing import Office, Registry, person


@pytest.mark.parametrize(
    ("death", "months", "due"),
    [
        (date(2026, 11, 30), Decimal(3), date(2027, 2, 28)),
        (date(2026, 2, 10), Decimal(3), date(2026, 5, 10)),
        (date(2026, 2, 10), None, None),
    ],
)
def test_when_the_review_is_due(death: date, months: Decimal | None, due: date | None) -> None:
    assert due_on(death, months) == due


def test_a_check_before_the_death_is_no_review() -> None:
    died = [date(2026, 2, 10), date(2026, 3, 1)]
    assert not answers(date(2026, 2, 28), died)
    assert answers(date(2026, 3, 1), died)


async def three_months(registry: Registry) -> None:
    """The city's parameter, entered and approved."""
    one = Caller(sub="c1", officer_id="c1", divisions=("3311",))
    other = Caller(sub="c2", officer_id="c2", divisions=("3311",))
    entry = parameters.Entry(
        key="death.review_months",
        division_code="331100",
        valid_from=date(2024, 1, 1),
        value=Decimal(3),
        document_number="sample, not official",
        sample=True,
    )
    async with registry.api.transaction(divisions=one.divisions) as session:
        entered = await parameters.enter(session, one, DEFINITIONS, entry)
        await parameters.approve(session, other, entered.parameter_id)


async def reviews(office: Office, household_id: str) -> list[dict[str, Any]]:
    asked = {"kind": "death_review", "household_id": household_id, "open": "true"}
    return list((await office.client.get("/v1/tasks", params=asked)).json()["items"])


async def die(office: Office, household_id: str, who: str, on: str, **more: Any) -> None:
    answer = await office.client.post(
        f"/v1/households/{household_id}/members/{who}/leave",
        json={"valid_from": on, "reason": "died"} | more,
    )
    assert answer.status_code == 200, answer.text


async def test_the_head_dies_and_the_file_goes_on_under_the_widow(
    registry: Registry, office: Office
) -> None:
    await three_months(registry)
    household_id = await office.identified(person(), person("spouse"), person("son"))
    shown = await office.read(household_id)
    head, spouse, son = (shown["head_person_id"], *_others(shown))
    assert await reviews(office, household_id) == []

    await die(office, household_id, head, "2026-02-10", new_head_person_id=spouse)

    after = await office.read(household_id)
    assert (after["household_no"], after["head_person_id"], after["n"]) == (
        shown["household_no"],
        spouse,
        2,
    )
    assert [period.n for period in (await registry.states(household_id))[-1][2].periods] == [3, 2]
    (task,) = await reviews(office, household_id)
    assert (task["subject_id"], task["due_on"]) == (household_id, "2026-05-10")

    await die(office, household_id, son, "2026-03-01")
    assert await reviews(office, household_id) == [task], "one review a household"
    await registry.checked(household_id, "2026-02-28")
    assert await reviews(office, household_id) == [task]
    await registry.checked(household_id, "2026-03-01")
    assert await reviews(office, household_id) == []


def _others(shown: dict[str, Any]) -> list[str]:
    relations = {each["relation"]: each["person_id"] for each in shown["members"]}
    return [relations["spouse"], relations["son"]]


async def test_whoever_goes_alive_or_from_a_file_not_assisted_asks_for_no_review(
    office: Office,
) -> None:
    assisted = await office.identified(person(), person("son"))
    applying = await office.open(person(), person("son"))
    sons = [
        next(
            UUID(each["person_id"])
            for each in (await office.read(household_id))["members"]
            if each["relation"] == "son"
        )
        for household_id in (assisted, applying)
    ]

    await die(office, assisted, str(sons[0]), "2026-02-10", reason="moved_out")
    await die(office, applying, str(sons[1]), "2026-02-10")

    assert await reviews(office, assisted) == []
    assert await reviews(office, applying) == []


async def test_who_leaves_assistance_is_reviewed_no_more(office: Office) -> None:
    household_id = await office.identified(person(), person("son"))
    members = (await office.read(household_id))["members"]
    (son,) = [each["person_id"] for each in members if each["relation"] == "son"]
    await die(office, household_id, son, "2026-02-10")
    assert len(await reviews(office, household_id)) == 1

    await office.announce(household_id, "exit", closed_on="2026-03-01")
    await office.decide(household_id, "exit", decided_on="2026-03-01", reason="自愿退出")

    assert await reviews(office, household_id) == []


async def test_a_bride_counts_in_one_of_two_households_each_day(
    registry: Registry, office: Office
) -> None:
    bride = person("daughter")
    parents = await office.identified(person(), bride)
    groom = await office.identified(person())
    gone = next(
        each["person_id"]
        for each in (await office.read(parents))["members"]
        if each["relation"] == "daughter"
    )
    joining = bride | {"relation": "spouse", "valid_from": "2026-05-14"}
    where = f"/v1/households/{groom}/members"

    early = await office.client.post(where, json=joining)
    assert early.json()["code"] == "person_in_other_household"
    await die(office, parents, gone, "2026-05-14", reason="married_out")
    answer = await office.client.post(where, json=joining)

    assert answer.json()["person_ids"] == [gone]
    counts = {
        day: [(await office.read(each, as_of=day))["n"] for each in (parents, groom)]
        for day in ("2026-05-13", "2026-05-14")
    }
    assert counts == {"2026-05-13": [2, 1], "2026-05-14": [1, 2]}
