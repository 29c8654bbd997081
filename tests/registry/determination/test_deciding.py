"""From the opinion to the decision: notice, objections, identification, refusal, withdrawal."""

import asyncio
from typing import Any

import pytest

from tests.registry.conftest import OfficeOf
from tests.registry.determination.casework import RIGHTS, Casework
from tests.registry.filing import WRITTEN, Registry, number, person, problem

TOUCHED = (*WRITTEN, "applications", "application_decisions", "application_papers", "tasks")
REFUSAL: dict[str, Any] = {
    "decided_on": "2026-01-20",
    "reason": "家庭人均收入高于低保标准",
    "failed_tests": ["月人均收入1500.00元,不低于低保标准1150.00元"],
}


async def test_the_decision_in_favour(casework: Casework, registry: Registry) -> None:
    application = await casework.decidable()
    assert application["state"] == "on_notice"
    # 10 working days from the 20th: 21, 22, 23, 26 to 30 January, 2 and 3 February.
    assert application["due_on"] == "2026-02-03"
    assert await casework.tasks(application) == {"decision": "2026-02-03"}

    decided = await casework.step(
        application, "decide", by=casework.county, decided_on="2026-01-20", reason="符合条件"
    )

    assert (decided["state"], decided["ended_on"]) == ("identified", "2026-01-20")
    (decision,) = decided["decisions"]
    shown = ("outcome", "category", "officer_id", "bureau", "rule_set", "reason")
    assert [decision[name] for name in shown] == [
        "identified",
        "dibao",
        "c1",
        "civil-affairs",
        "CN2025",
        "符合条件",
    ]
    assert list(await casework.tasks(decided)) == ["plan"]
    household = await casework.county.read(application["household_id"])
    assert (household["state"], household["category"]) == ("identified", "dibao")
    states = await registry.states(application["household_id"])
    assert [kind for kind, _, _ in states] == ["identified"]
    (kept,) = await registry.rows(
        "SELECT checks FROM decisions WHERE household_id = :id", id=application["household_id"]
    )
    named = [each for each in kept["checks"] if each["code"] == "application_in_progress"]
    assert named[0]["rests_on"] == [application["application_id"]]


async def test_the_clocks_of_2016_from_the_notice_to_the_decision(
    casework: Casework, office_of: OfficeOf
) -> None:
    household_id = await casework.household(opened_on="2016-09-01")
    application = await casework.accepted(
        household_id=household_id, applied_on="2016-09-29", on="2016-09-30"
    )
    application = await casework.surveyed(application, on="2016-10-13")
    application = await casework.step(
        application,
        "appraisal",
        held_on="2016-10-18",
        participants=12,
        villagers=8,
        in_favour=12,
        minutes="同意",
    )
    application = await casework.opined(application, on="2016-10-26")
    application = await casework.noticed(
        await casework.announced(application), posted_on="2016-10-26"
    )

    assert application["due_on"] == "2016-11-10"
    # Whether the lot fell on it or not, the county has been there.
    visitor = await office_of(RIGHTS, officer="c5")
    visit: dict[str, Any] = {"surveyed_on": "2016-10-28", "findings": "属实", "kind": "county"}
    application = await casework.step(application, "surveys", by=visitor, **visit)
    early = await casework.ask(application, "decide", by=casework.county, decided_on="2016-11-02")
    problem(early, 422, "notice_not_closed")
    decided = await casework.step(
        application, "decide", by=casework.county, decided_on="2016-11-03"
    )
    assert decided["decisions"][0]["rule_set"] == "LS2016"


async def test_the_seven_days_run_through_the_spring_festival_and_working_days_do_not(
    casework: Casework,
) -> None:
    application = await casework.surveyed(await casework.accepted(on="2026-02-02"), "2026-02-04")
    application = await casework.opined(application, on="2026-02-12")
    application = await casework.noticed(
        await casework.announced(application), posted_on="2026-02-13"
    )

    request = await casework.request_of(application)
    assert (request["last_day"], request["decidable_from"]) == ("2026-02-20", "2026-02-21")
    # 24 to 27 February, Saturday 28 (worked), 2 to 6 March: ten.
    assert application["due_on"] == "2026-03-06"


@pytest.mark.parametrize(
    ("who", "code"),
    [
        ({"officer": "t1"}, "same_officer"),
        ({"officer": "t2"}, "same_officer"),
        ({"officer": "t3"}, "same_officer"),
        ({"officer": "c9", "divisions": ("331124002",)}, "county_decides"),
        ({"officer": "c9", "bureau": "poverty-alleviation"}, "bureau_not_competent"),
        ({"officer": None}, "officer_missing"),
    ],
)
@pytest.mark.parametrize("step", ["decide", "refuse"])
async def test_who_may_not_decide(
    casework: Casework,
    registry: Registry,
    office_of: OfficeOf,
    *,
    step: str,
    who: dict[str, Any],
    code: str,
) -> None:
    application = await casework.decidable()
    office = await office_of(RIGHTS, **who)
    body = REFUSAL if step == "refuse" else {"decided_on": "2026-01-20"}
    before = await registry.counted(*TOUCHED)

    problem(await casework.ask(application, step, by=office, **body), 422, code)

    assert await registry.counted(*TOUCHED) == before


async def test_the_4600_group_is_decided_by_poverty_alleviation(
    casework: Casework, office_of: OfficeOf
) -> None:
    application = await casework.decidable(category="group_4600")
    civil = await casework.ask(application, "decide", by=casework.county, decided_on="2026-01-20")
    problem(civil, 422, "bureau_not_competent")
    office = await office_of(RIGHTS, officer="p1", bureau="poverty-alleviation")

    decided = await casework.step(
        application, "decide", by=office, decided_on="2026-01-20", reason="经农办研究决定纳入"
    )

    assert decided["decisions"][0]["bureau"] == "poverty-alleviation"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"decided_on": "2026-01-19"}, "notice_not_closed"),
        ({"decided_on": "2026-01-08"}, "before_last_step"),
        ({"decided_on": "2999-01-01"}, "date_in_future"),
        (
            {"decided_on": "2026-01-20", "category": "tekun", "reason": "x"},
            "notice_for_another_category",
        ),
    ],
)
async def test_what_is_no_decision_in_favour(
    casework: Casework, registry: Registry, body: dict[str, Any], code: str
) -> None:
    application = await casework.decidable()
    before = await registry.counted(*TOUCHED)

    answer = await casework.ask(application, "decide", by=casework.county, **body)

    problem(answer, 422, code)
    assert await registry.counted(*TOUCHED) == before


@pytest.mark.parametrize("move", ["identify", "refuse", "close"])
async def test_an_application_in_progress_is_not_bypassed(casework: Casework, move: str) -> None:
    application = await casework.decidable()
    body: dict[str, Any] = {"decided_on": "2026-01-20", "reason": "x"}
    if move == "close":
        body["ground"] = "moved_out"

    answer = await casework.county.client.post(
        f"/v1/households/{application['household_id']}/{move}", json=body
    )

    refused = problem(answer, 422, "application_in_progress")
    assert application["application_id"] in refused["errors"][0]["message"]


async def test_once_the_application_ended_the_file_may_be_decided_on(casework: Casework) -> None:
    application = await casework.decidable()
    withdrawn = await casework.step(
        application, "withdraw", withdrawn_on="2026-01-20", reason="家庭已就业"
    )
    assert (withdrawn["state"], withdrawn["withdrawn_reason"]) == ("withdrawn", "家庭已就业")
    assert await casework.tasks(withdrawn) == {}
    household_id = application["household_id"]

    again = await casework.applied(household_id, applied_on="2026-02-01")
    assert again["state"] == "applied"
    await casework.step(again, "withdraw", withdrawn_on="2026-02-02", reason="不再申请")
    await casework.county.decide(household_id, "identify", decided_on="2026-02-03")


async def test_a_withdrawal_takes_the_running_notice_back(casework: Casework) -> None:
    opinion = await casework.opined(await casework.surveyed(await casework.accepted()))
    application = await casework.announced(opinion)

    await casework.step(application, "withdraw", withdrawn_on="2026-01-12", reason="不再申请")

    request = await casework.request_of(application)
    assert request["withdrawn_reason"] == "不再申请"


async def test_a_refusal_in_writing_is_delivered(casework: Casework, office_of: OfficeOf) -> None:
    household_id = await casework.household(person(name="欧阳<b>修", id_number=number()))
    application = await casework.decidable(household_id=household_id)

    refused = await casework.step(application, "refuse", by=casework.county, **REFUSAL)

    assert refused["state"] == "refused"
    assert refused["decisions"][0]["failed_tests"] == REFUSAL["failed_tests"]
    # 3 working days from Tuesday the 20th.
    assert await casework.tasks(refused) == {"delivery": "2026-01-23"}
    household = await casework.county.read(household_id)
    assert household["state"] == "accepted"

    where = f"/v1/applications/{refused['application_id']}/letter"
    masked = await casework.county.client.get(where)
    assert masked.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in masked.headers["Content-Security-Policy"]
    assert "欧阳" not in masked.text
    plain = await (await office_of(f"{RIGHTS} pii:read", officer="c2")).client.get(where)
    assert "欧阳&lt;b&gt;修" in plain.text
    for said in (
        "不予认定决定书",
        REFUSAL["reason"],
        REFUSAL["failed_tests"][0],
        "松阳县民政局",
        "行政复议",
        "最低生活保障审核确认办法",
        "2026年1月20日",
    ):
        assert said in plain.text

    proof: dict[str, Any] = {"delivery": "handed_over", "reference": "回证-7"}
    early = await casework.ask(refused, "deliver", delivered_on="2026-01-19", **proof)
    problem(early, 422, "before_last_step")
    delivered = await casework.step(refused, "deliver", delivered_on="2026-01-21", **proof)
    assert delivered["decisions"][0]["delivered_by"] == "t1"
    assert delivered["papers"][-1]["kind"] == "delivery_proof"
    assert await casework.tasks(delivered) == {}
    again = await casework.ask(delivered, "deliver", delivered_on="2026-01-21", **proof)
    problem(again, 409, "already_delivered")


async def test_an_opinion_against_goes_to_the_county_without_a_notice(casework: Casework) -> None:
    application = await casework.opined(
        await casework.surveyed(await casework.accepted()), in_favour=False, words="收入超标"
    )
    # 10 working days from Friday the 9th.
    assert await casework.tasks(application) == {"decision": "2026-01-23"}
    problem(await casework.ask(application, "announce"), 422, "opinion_against")

    await casework.step(application, "refuse", by=casework.county, **REFUSAL)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"reason": " "}, "reason_missing"),
        ({"failed_tests": []}, "failed_test_missing"),
        ({"failed_tests": [" "]}, "failed_test_missing"),
        ({"decided_on": "2999-01-01"}, "date_in_future"),
    ],
)
async def test_what_is_no_refusal(
    casework: Casework, registry: Registry, given: dict[str, Any], code: str
) -> None:
    application = await casework.decidable()
    before = await registry.counted(*TOUCHED)

    answer = await casework.ask(application, "refuse", by=casework.county, **(REFUSAL | given))

    problem(answer, 422, code)
    assert await registry.counted(*TOUCHED) == before


async def test_a_refused_household_has_no_letter_before_and_applies_again_after(
    casework: Casework,
) -> None:
    application = await casework.decidable()
    where = f"/v1/applications/{application['application_id']}/letter"
    problem(await casework.county.client.get(where), 409, "not_refused")
    await casework.step(application, "refuse", by=casework.county, **REFUSAL)

    again = await casework.applied(application["household_id"], applied_on="2026-02-01")

    assert again["application_id"] != application["application_id"]


async def test_of_two_decisions_at_once_one_passes(
    casework: Casework, registry: Registry, office_of: OfficeOf, postgres: str
) -> None:
    application = await casework.decidable()
    other = await office_of(RIGHTS, officer="c2")
    household_id = application["household_id"]

    async with registry.held_back(postgres, household_id, waiting=2):
        both = [
            asyncio.ensure_future(
                casework.ask(application, "decide", by=casework.county, decided_on="2026-01-20")
            ),
            asyncio.ensure_future(casework.ask(application, "refuse", by=other, **REFUSAL)),
        ]
    answers = await asyncio.gather(*both)

    assert sorted(answer.status_code for answer in answers) == [200, 412]
    decided = (await casework.read(application))["decisions"]
    assert len(decided) == 1


async def test_a_file_with_an_open_application_is_not_merged_away(
    casework: Casework, office_of: OfficeOf
) -> None:
    merging = await office_of(f"{RIGHTS} registry.mergers:decide", officer="c2")
    application = await casework.accepted()
    survivor = await casework.county.identified()
    body = {
        "merged_id": application["household_id"],
        "merged_on": "2026-05-14",
        "amounts": "added",
        "reason": "同住",
    }

    answer = await merging.client.post(f"/v1/households/{survivor}/mergers", json=body)

    problem(answer, 409, "application_in_progress")
