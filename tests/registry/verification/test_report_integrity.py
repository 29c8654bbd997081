"""A report shows what stands of its people in the integrity records, or 无 (section 4)."""

import re
from typing import Any

import pytest

from services.registry.verification import sealed
from tests.registry.conftest import OfficeOf
from tests.registry.filing import Office, Registry, person
from tests.registry.integrity.records import SCOPES, entered, lift, step
from tests.registry.verification.conftest import Desk, Loner, changed
from tests.registry.verification.sources import Sources, number_of
from tests.registry.verification.test_files import BY_FILE
from tests.registry.verification.test_reports import Case


@pytest.fixture
async def one(office_of: OfficeOf) -> Office:
    """The officer who enters records."""
    return await office_of(SCOPES)


@pytest.fixture
async def other(office_of: OfficeOf) -> Office:
    """The officer who confirms them."""
    return await office_of(SCOPES, officer="o2")


@pytest.fixture
async def case(registry: Registry, sources: Sources, desk: Desk, loner: Loner) -> Case:
    """A verification of somebody who lives alone and has an obligor who signed too."""
    id_number, obligor_number = number_of(bank=BY_FILE), number_of(bank=BY_FILE)
    household_id = await loner(id_number)
    obligor = (await desk.obligor(household_id, id_number=obligor_number)).json()
    await desk.signed(household_id, obligor["obligor_id"])
    made = await desk.asked(household_id, sources=["bank"])
    await sources.rounds(registry)
    made["obligor_id"], made["obligor_number"] = obligor["obligor_id"], obligor_number
    return Case(desk, made, id_number)


async def reported(case: Case) -> dict[str, Any]:
    answer = await case.report(missing_reason="银行按月反馈")
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def section(case: Case, report: dict[str, Any]) -> list[list[str]]:
    """The section of the printed page, cell by cell, its head left out."""
    where = f"/v1/verification-reports/{report['report_id']}/print"
    page = (await case.desk.office.client.post(where)).text
    part = page.split("<h2>诚信记录</h2>")[1].split("<h2>")[0]
    rows = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in part.split("<tr>")]
    return [row for row in rows if row]


async def test_who_has_none_is_said_to_have_none(case: Case) -> None:
    report = await reported(case)

    assert report["integrity"] == []
    assert await section(case, report) == [["张*", "无"], ["张*", "无"]]


async def test_what_stands_is_shown_with_its_paper_and_nothing_else(
    case: Case, one: Office, other: Office
) -> None:
    household_id = case.made["household_id"]
    (head,) = case.desk.people[household_id]
    obligor_id = case.made["obligor_id"]
    stands = await entered(one, household_id, head)
    await step(other, stands, "confirm")
    await entered(one, household_id, head, document="待确认")
    gone = await entered(one, household_id, head, document="已解除")
    await step(other, gone, "confirm")
    await lift(one, gone)
    await step(other, gone, "confirm-lift")
    fraud = {"kind": "fraud", "document": "松民认〔2026〕13号"}
    lifting = await entered(one, household_id, obligor_id, **fraud)
    await step(other, lifting, "confirm")
    await lift(one, lifting)

    report = await reported(case)

    said = {(each["subject_id"], each["kind"], each["document"]) for each in report["integrity"]}
    assert said == {
        (head, "false_declaration", "松民认〔2026〕12号"),
        (obligor_id, "fraud", "松民认〔2026〕13号"),
    }
    rows = await section(case, report)
    assert [row[1:4] for row in rows] == [
        ["申报不实", "松民认〔2026〕12号", "2026-03-10"],
        ["骗取救助", "松民认〔2026〕13号", "2026-03-10"],
    ]
    assert "不予" not in str(rows)
    assert report["conclusion"] == "not_returned"


async def test_a_record_past_its_last_day_is_not_shown(
    registry: Registry, case: Case, one: Office, other: Office
) -> None:
    household_id = case.made["household_id"]
    record_id = await entered(one, household_id, case.desk.people[household_id][0])
    await step(other, record_id, "confirm")
    order = "UPDATE integrity_records SET valid_until = '2026-03-11' WHERE record_id = $1"
    await changed(registry, order, record_id)

    assert (await reported(case))["integrity"] == []


async def test_a_report_finds_what_another_county_recorded_of_an_obligor(
    case: Case, office_of: OfficeOf
) -> None:
    """By his ID number; the kind, the paper and the days alone."""
    far = {"divisions": ("331121",)}
    there, also = [await office_of(SCOPES, officer=who, **far) for who in ("o8", "o9")]
    him = person(id_number=case.made["obligor_number"], name="张小山")
    household_id = await there.open(him, division_code="331121001001")
    member = (await there.read(household_id))["members"][0]["person_id"]
    record_id = await entered(there, household_id, member, words="冒领")
    await step(also, record_id, "confirm")

    report = await reported(case)

    (record,) = report["integrity"]
    assert set(record) == {"subject_id", "kind", "document", "found_on", "valid_until"}
    assert record["subject_id"] == case.made["obligor_id"]
    assert "冒领" not in str(report)


async def test_a_report_keeps_what_stood_when_it_was_made(
    case: Case, one: Office, other: Office
) -> None:
    household_id = case.made["household_id"]
    before = await reported(case)
    record_id = await entered(one, household_id, case.desk.people[household_id][0])
    await step(other, record_id, "confirm")

    where = f"/v1/verification-reports/{before['report_id']}"
    assert (await case.desk.office.client.get(where)).json()["integrity"] == []
    assert len((await reported(case))["integrity"]) == 1


async def test_an_older_report_says_that_nobody_looked(registry: Registry, case: Case) -> None:
    report = await reported(case)
    where = f"/v1/verification-reports/{report['report_id']}"
    query = "SELECT content_encrypted FROM verification_reports WHERE report_id = :id"
    (row,) = await registry.rows(query, id=report["report_id"])
    content = sealed.read_report(row["content_encrypted"])
    del content["integrity"]
    order = "UPDATE verification_reports SET content_encrypted = $2 WHERE report_id = $1"
    await changed(registry, order, report["report_id"], sealed.seal_report(content))

    assert (await case.desk.office.client.get(where)).json()["integrity"] is None
    page = (await case.desk.office.client.post(f"{where}/print")).text
    assert "出具本报告时未列入诚信记录" in page
