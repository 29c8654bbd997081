"""An application at the township: papers, acceptance, survey by two, appraisal, opinion."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from shared.identity import new_id
from tests.registry.conftest import OfficeOf
from tests.registry.determination.casework import EVERY_PAPER, Casework
from tests.registry.filing import OTHER_TOWNSHIP, VERIFY, Registry, number, person, problem
from tests.registry.told import VILLAGE

WRITTEN = (
    "applications",
    "application_papers",
    "application_declarations",
    "application_surveys",
    "survey_signatures",
    "application_appraisals",
    "application_opinions",
    "tasks",
    "audit_log",
)


async def test_all_missing_papers_are_told_at_once(casework: Casework) -> None:
    child = number(born=date(2018, 5, 17))
    household_id = await casework.household(
        person(), person("spouse"), person("son", id_number=child)
    )
    first = {"kind": "application", "received_on": "2026-01-06", "reference": "档-1"}

    application = await casework.applied(household_id, papers=[first], staff_relative=True)

    members = (await casework.clerk.read(household_id))["members"]
    adults = {each["person_id"] for each in members if each["relation"] != "son"}
    told = application["papers_told"]
    assert [each["kind"] for each in told if not each["person_id"]] == [
        *EVERY_PAPER[1:],
        "relative_filing",
    ]
    assert {each["person_id"] for each in told if each["kind"] == "authorization"} == adults
    assert len(told) == 6
    assert await casework.tasks(application) == {"acceptance": None}


async def test_a_papers_scan_goes_with_the_household(
    casework: Casework, office_of: OfficeOf
) -> None:
    desk = await office_of("registry.attachments:write registry.attachments:read", officer="t1")
    scan = await desk.client.post(
        "/v1/attachments",
        params={"division_code": VILLAGE},
        content=b"%PDF-1.7 signed",
        headers={"Content-Type": "application/pdf"},
    )
    scan_id = scan.json()["attachment_id"]
    paper = {"kind": "application", "received_on": "2026-01-06", "reference": "档-1"}

    application = await casework.applied(papers=[paper | {"attachment_id": scan_id}])

    kept = (await desk.client.get(f"/v1/attachments/{scan_id}")).json()
    assert kept["household_id"] == application["household_id"]
    assert kept["division_code"] == application["division_code"]
    assert application["papers"][0]["attachment_id"] == scan_id
    other = await casework.household()
    for wrong, code in ((scan_id, "attachment_taken"), (str(UUID(int=5)), "attachment_unknown")):
        refused = await casework.apply(other, papers=[paper | {"attachment_id": wrong}])
        answer = problem(refused, 422, code)
        assert [each["where"] for each in answer["errors"]] == ["#/papers/0/attachment_id"]


async def test_who_has_signed_for_the_data_check_signs_no_second_time(
    casework: Casework, office_of: OfficeOf
) -> None:
    household_id = await casework.household(person(), person("spouse"))
    people = [each["person_id"] for each in (await casework.clerk.read(household_id))["members"]]
    centre = await office_of(VERIFY, officer="v1")
    paper = {
        "person_id": people[0],
        "purpose": "申请低保",
        "signed_on": "2026-01-05",
        "valid_from": "2026-01-05",
        "valid_to": "2026-12-31",
        "document": "档-3",
    }
    where = f"/v1/households/{household_id}/authorizations"
    assert (await centre.client.post(where, json=paper)).status_code == 201

    application = await casework.applied(household_id)

    told = [each["person_id"] for each in application["papers_told"] if each["person_id"]]
    assert told == people[1:]
    accepted = await casework.complete(application)
    await casework.step(accepted, "accept", accepted_on="2026-01-07")


async def test_acceptance_names_every_paper_that_is_missing(casework: Casework) -> None:
    application = await casework.applied()

    answer = await casework.ask(application, "accept", accepted_on="2026-01-07")

    refused = problem(answer, 422, "papers_missing")
    assert len(refused["errors"]) == 5


async def test_the_way_to_an_opinion(casework: Casework, registry: Registry) -> None:
    application = await casework.accepted()
    assert application["state"] == "accepted"
    # CN2025: survey in 3 working days, the whole in 30: 28 up to Saturday 14 February,
    # which is worked, then the holiday to the 23rd.
    assert await casework.tasks(application) == {"survey": "2026-01-12", "opinion": "2026-02-25"}

    application = await casework.surveyed(application)
    assert application["state"] == "verifying"
    assert application["surveys"][0]["signed_by"] == ["t1", "t2"]
    assert await casework.tasks(application) == {"opinion": "2026-02-25"}

    application = await casework.opined(application, amount="650.00")
    assert application["state"] == "opinion"
    assert application["opinions"][0]["officer_id"] == "t3"
    assert (application["sampled"], application["sample_rate"]) == (False, "0.0000")
    assert await casework.tasks(application) == {"announcement": None}

    audited = await registry.audited(application["household_id"])
    assert [
        line for line in audited if line[0] not in {"application.read", "household.opened"}
    ] == [
        ("application.apply", "t1"),
        ("application.add_papers", "t1"),
        ("application.accept", "t1"),
        ("application.survey", "t1"),
        ("application.sign_survey", "t2"),
        ("application.give_opinion", "t3"),
    ]


async def test_a_survey_that_one_signed_carries_no_opinion(casework: Casework) -> None:
    application = await casework.accepted()
    entered = await casework.step(application, "surveys", surveyed_on="2026-01-08", findings="困难")
    opinion: dict[str, Any] = {
        "given_on": "2026-01-09",
        "in_favour": True,
        "words": "符合",
        "without_report": "核对系统尚未启用",
    }

    problem(await casework.ask(entered, "opinion", **opinion), 422, "surveyors_too_few")

    sign = f"surveys/{entered['surveys'][0]['survey_id']}/sign"
    problem(await casework.ask(entered, sign), 422, "already_signed")
    problem(await casework.ask(entered, f"surveys/{new_id()}/sign"), 404, "survey_not_found")
    signed = await casework.step(entered, sign, by=casework.second)
    await casework.step(signed, "opinion", **opinion)


async def test_the_worked_example_of_2016(casework: Casework) -> None:
    household_id = await casework.household(opened_on="2016-09-01")
    application = await casework.accepted(
        household_id=household_id, applied_on="2016-09-29", on="2016-09-30"
    )

    assert await casework.tasks(application) == {"survey": "2016-10-19", "opinion": "2016-10-26"}
    assert application["due_on"] == "2016-10-26"
    assert application["due_provisional"] is False

    application = await casework.surveyed(application, on="2016-10-13")
    assert await casework.tasks(application) == {"appraisal": "2016-10-20", "opinion": "2016-10-26"}
    opinion: dict[str, Any] = {"given_on": "2016-10-26", "in_favour": True, "words": "符合"}
    problem(await casework.ask(application, "opinion", **opinion), 422, "appraisal_missing")

    appraisal: dict[str, Any] = {
        "held_on": "2016-10-18",
        "participants": 12,
        "in_favour": 11,
        "minutes": "同意",
    }
    refused = await casework.ask(application, "appraisal", **appraisal, villagers=7)
    problem(refused, 422, "villagers_too_few")
    application = await casework.step(application, "appraisal", **appraisal, villagers=8)
    application = await casework.opined(application, on="2016-10-26")
    assert application["sample_rate"] == "0.3000"


async def test_a_household_applies_once_at_a_time_and_only_while_it_waits(
    casework: Casework, registry: Registry
) -> None:
    application = await casework.applied()
    before = await registry.counted(*WRITTEN)

    again = await casework.apply(application["household_id"])
    problem(again, 409, "application_open")
    problem(await casework.apply(str(new_id())), 404, "household_not_found")
    assert await registry.counted(*WRITTEN) == before


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"applied_on": "2999-01-01"}, "date_in_future"),
        ({"applied_on": "2026-01-04"}, "before_file"),
        ({"applicant_person_id": str(new_id())}, "applicant_unknown"),
        ({"category": "poor"}, "request_invalid"),
        (
            {"papers": [{"kind": "proof", "received_on": "2999-01-01", "reference": "a"}]},
            "date_in_future",
        ),
        (
            {"papers": [{"kind": "authorization", "received_on": "2026-01-06", "reference": "a"}]},
            "person_missing",
        ),
        (
            {"papers": [{"kind": "proof", "received_on": "2026-01-06", "reference": " "}]},
            "reference_missing",
        ),
    ],
)
async def test_what_is_no_application(
    casework: Casework, registry: Registry, given: dict[str, Any], code: str
) -> None:
    household_id = await casework.household()
    before = await registry.counted(*WRITTEN)

    problem(await casework.apply(household_id, **given), 422, code)

    assert await registry.counted(*WRITTEN) == before


@pytest.mark.parametrize(
    ("step", "body"),
    [
        ("accept", {"accepted_on": "2026-01-07"}),
        ("opinion", {"given_on": "2026-01-09", "in_favour": True, "words": "符合"}),
    ],
)
async def test_a_step_from_an_older_version_is_refused(
    casework: Casework, step: str, body: dict[str, Any]
) -> None:
    application = await casework.accepted()
    stale = application | {"revision": application["revision"] - 1}

    problem(await casework.ask(stale, step, **body), 412, "revision_moved")


async def test_no_step_goes_back_before_the_last(casework: Casework) -> None:
    application = await casework.complete(await casework.applied())
    early = await casework.ask(application, "accept", accepted_on="2026-01-05")
    problem(early, 422, "before_last_step")
    application = await casework.step(application, "accept", accepted_on="2026-01-07")
    early = await casework.ask(application, "surveys", surveyed_on="2026-01-06", findings="困难")
    problem(early, 422, "before_last_step")
    wordless = await casework.ask(application, "surveys", surveyed_on="2026-01-08", findings=" ")
    problem(wordless, 422, "findings_missing")
    application = await casework.surveyed(application)
    opinion: dict[str, Any] = {"in_favour": False, "given_on": "2026-01-07", "words": "不符合"}
    problem(await casework.ask(application, "opinion", **opinion), 422, "before_last_step")
    silent = opinion | {"given_on": "2026-01-09", "words": " "}
    problem(await casework.ask(application, "opinion", **silent), 422, "words_missing")


async def test_applications_are_listed_by_state_day_and_household(
    casework: Casework, office_of: OfficeOf
) -> None:
    waiting = await casework.applied()
    accepted = await casework.accepted()

    async def listed(**query: Any) -> set[str]:
        answer = await casework.county.client.get("/v1/applications", params=query)
        return {each["application_id"] for each in answer.json()["items"]}

    assert accepted["application_id"] in await listed(state="accepted", limit=200)
    assert waiting["application_id"] not in await listed(state="accepted", limit=200)
    assert await listed(household_id=waiting["household_id"]) == {waiting["application_id"]}
    own = {"household_id": accepted["household_id"]}
    assert await listed(due_by="2026-02-25", **own) == {accepted["application_id"]}
    assert await listed(due_by="2026-02-24", **own) == set()
    assert await listed(division="331124212", limit=200) == set()


async def test_a_household_takes_its_application_along_to_another_village(
    casework: Casework, registry: Registry
) -> None:
    application = await casework.surveyed(await casework.accepted())
    application = await casework.step(
        application, "declaration", declared_on="2026-01-08", declaration={}
    )
    household_id = application["household_id"]
    await casework.county.read(household_id)
    await casework.county.change(
        household_id, valid_from="2026-01-10", division_code=OTHER_TOWNSHIP
    )

    for table in WRITTEN[:5]:
        rows = await registry.rows(
            f"SELECT DISTINCT division_code FROM {table} WHERE household_id = :id",  # noqa: S608 (the test's own)
            id=household_id,
        )
        assert rows == [{"division_code": OTHER_TOWNSHIP}], table
    problem(await casework.ask(application, "papers", papers=[]), 422, "request_invalid")
    gone = await casework.clerk.client.get(f"/v1/applications/{application['application_id']}")
    problem(gone, 404, "application_not_found")
