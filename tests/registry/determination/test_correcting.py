"""Decisions that were wrong: the old one is kept, the new one names it, listeners learn of it."""

from typing import Any

import pytest

from tests.registry.conftest import OfficeOf
from tests.registry.determination.casework import RIGHTS, Casework
from tests.registry.filing import Registry, problem

REFUSAL: dict[str, Any] = {
    "decided_on": "2026-01-20",
    "reason": "家庭人均收入高于低保标准",
    "failed_tests": ["月人均收入不低于低保标准"],
}
ERROR: dict[str, Any] = {
    "decided_on": "2026-01-26",
    "error_found": "误将已报销的医疗费计为收入",
    "reason": "经复核更正",
}


async def refused(casework: Casework) -> dict[str, Any]:
    application = await casework.decidable()
    return await casework.step(application, "refuse", by=casework.county, **REFUSAL)


async def identified(casework: Casework, **given: Any) -> dict[str, Any]:
    application = await casework.decidable(**given)
    return await casework.step(
        application, "decide", by=casework.county, decided_on="2026-01-20", amount="650.00"
    )


async def test_a_refusal_found_wrong_takes_the_case_up_again(casework: Casework) -> None:
    wrong = await refused(casework)

    again = await casework.step(wrong, "correct", by=casework.county, **ERROR)

    assert (again["state"], again["round"], again["ended_on"]) == ("verifying", 2, None)
    first, correction = again["decisions"]
    assert first == wrong["decisions"][0]
    assert (correction["corrects"], correction["outcome"]) == (first["decision_id"], "verifying")
    assert correction["error_found"] == ERROR["error_found"]
    assert set(await casework.tasks(again)) == {"survey", "opinion"}
    surveyed = await casework.surveyed(again, "2026-01-27")
    opinion = await casework.opined(surveyed, "2026-01-28")
    closed = await casework.noticed(await casework.announced(opinion), "2026-01-29")
    decided = await casework.step(closed, "decide", by=casework.county, decided_on="2026-02-06")
    assert decided["decisions"][-1]["corrects"] == correction["decision_id"]


async def test_a_category_put_right_holds_from_the_day_of_the_decision(
    casework: Casework, registry: Registry
) -> None:
    wrong = await identified(casework)
    household_id = wrong["household_id"]

    right = await casework.step(
        wrong, "correct", by=casework.county, **ERROR, category="dibao_marginal"
    )

    assert right["state"] == "identified"
    shown = [(each["category"], each["amount"]) for each in right["decisions"]]
    assert shown == [("dibao", "650.00"), ("dibao_marginal", "650.00")]
    assert right["decisions"][1]["corrects"] == right["decisions"][0]["decision_id"]
    then = await casework.county.read(household_id, as_of="2026-01-20")
    assert then["category"] == "dibao_marginal"
    states = await registry.states(household_id)
    assert [(kind, version, state.category) for kind, version, state in states] == [
        ("identified", 1, "dibao"),
        ("changed", 2, "dibao_marginal"),
    ]


async def test_an_amount_put_right_publishes_nothing(
    casework: Casework, registry: Registry
) -> None:
    wrong = await identified(casework)
    before = await registry.counted("events", "outbox", "household_versions")

    right = await casework.step(wrong, "correct", by=casework.county, **ERROR, amount="560.00")

    assert [each["amount"] for each in right["decisions"]] == ["650.00", "560.00"]
    assert await registry.counted("events", "outbox", "household_versions") == before


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"error_found": " "}, "reason_missing"),
        ({"reason": " "}, "reason_missing"),
        ({"decided_on": "2026-01-19"}, "before_last_step"),
        ({"decided_on": "2999-01-01"}, "date_in_future"),
        ({"amount": None}, "correction_empty"),
        ({"category": "group_4600"}, "bureau_not_competent"),
    ],
)
async def test_what_is_no_correction(
    casework: Casework, registry: Registry, given: dict[str, Any], code: str
) -> None:
    wrong = await identified(casework)
    body = ERROR | {"amount": "560.00"} | given
    before = await registry.counted("application_decisions", "household_versions", "audit_log")

    problem(await casework.ask(wrong, "correct", by=casework.county, **body), 422, code)

    after = await registry.counted("application_decisions", "household_versions", "audit_log")
    assert after == before


async def test_a_refusal_takes_no_category_and_no_surveyor_corrects_it(
    casework: Casework, office_of: OfficeOf
) -> None:
    wrong = await refused(casework)
    named = await casework.ask(wrong, "correct", by=casework.county, **ERROR, amount="560.00")
    problem(named, 422, "correction_reopens")
    surveyor = await office_of(RIGHTS, officer="t1")
    problem(await casework.ask(wrong, "correct", by=surveyor, **ERROR), 422, "same_officer")
    township = await casework.ask(wrong, "correct", by=casework.leader, **ERROR)
    problem(township, 422, "same_officer")


async def test_a_refusal_after_which_the_household_applied_again_stays(
    casework: Casework,
) -> None:
    wrong = await refused(casework)
    await casework.applied(wrong["household_id"], applied_on="2026-01-22")

    answer = await casework.ask(wrong, "correct", by=casework.county, **ERROR)

    problem(answer, 409, "application_open")


async def test_a_household_struck_off_since_is_not_corrected(casework: Casework) -> None:
    wrong = await identified(casework)
    await casework.county.announce(wrong["household_id"], "exit", closed_on="2026-02-20")
    await casework.county.decide(
        wrong["household_id"], "exit", decided_on="2026-02-20", reason="死亡"
    )

    answer = await casework.ask(wrong, "correct", by=casework.county, **ERROR, amount="1.00")

    problem(answer, 422, "household_state")
