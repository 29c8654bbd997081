"""The county's real workbook through HTTP, the job and the registry: exact figures, and no echo.

The county is imported once; what follows reads it, or hands in what must change nothing.
"""

import io
import re
import zipfile
from collections import Counter
from collections.abc import AsyncIterator
from decimal import ROUND_CEILING, Decimal
from typing import Any

import openpyxl
import pytest
from sqlalchemy import text

from services.registry.rosters.remarks import VERDICTS
from shared.contracts.registry import HouseholdState
from tests.registry.rosters.conftest import SCOPES, Office, opened
from tests.support.databases import Databases
from tests.support.services import Surroundings
from tests.support.tokens import Tokens

LINE = 1150


@pytest.fixture(scope="module")
async def office_of_county(
    databases: Databases, surroundings: Surroundings, tokens: Tokens
) -> AsyncIterator[Office]:
    """An office whose registry lives as long as this file."""
    async with (
        databases.copy("registry") as service,
        opened(service, surroundings.settings("registry", service), tokens) as office,
    ):
        yield office


@pytest.fixture(scope="module")
async def trial(office_of_county: Office, sample: bytes) -> dict[str, Any]:
    """A dry run on the empty registry; what stands afterwards is noted in it."""
    roster = await office_of_county.bring_in(sample, dry_run=True)
    kept = {
        table: await office_of_county.count(table)
        for table in ("households", "persons", "members", "events", "outbox", "household_serials")
    }
    return {**roster, "kept": kept}


@pytest.fixture(scope="module")
async def county(office_of_county: Office, sample: bytes, trial: dict[str, Any]) -> dict[str, Any]:
    """The import itself."""
    return await office_of_county.bring_in(sample)


def test_a_dry_run_gives_the_same_figures_and_writes_nothing(trial: dict[str, Any]) -> None:
    assert trial["state"] == "succeeded"
    assert trial["dry_run"] is True
    assert trial["figures"]["verdicts"] == {"accepted": 1183, "rejected": 17}
    assert set(trial["kept"].values()) == {0}, trial["kept"]


async def test_the_county_comes_out_exactly(
    office_of_county: Office, county: dict[str, Any], expected: dict[str, Any]
) -> None:
    office = office_of_county
    accepted = expected["accepted"]
    assert county["state"] == "succeeded"
    assert (county["done"], county["total"], county["rows"]) == (1200, 1200, 3508)
    figures = county["figures"]
    assert figures["verdicts"] == {"accepted": 1183, "rejected": 17}
    assert figures["households"] == expected["households"]
    assert figures["taken_households"] == accepted["households"]
    assert figures["taken_people"] == accepted["people"]
    categories = {
        "低保": "dibao",
        "特困供养": "tekun",
        "原4600元以下": "group_4600",
        "支出型": "expenditure_based",
        "低保边缘": "dibao_marginal",
    }
    assert figures["taken_by_category"] == {
        categories[word]: count for word, count in accepted["by_category"].items()
    }
    assert await office.count("households") == accepted["households"]
    assert await office.count("members", "left_on IS NULL") == accepted["people"]
    assert await office.count("persons") == accepted["people"]


async def test_the_events_carry_what_the_grants_are_made_of(
    office_of_county: Office, county: dict[str, Any], expected: dict[str, Any]
) -> None:
    rows = await office_of_county.rows("SELECT type, aggregate_version, data FROM events")
    states = [HouseholdState.model_validate_json(row.data) for row in rows]
    assert {(row.type, row.aggregate_version) for row in rows} == {
        ("bangfu.household.identified.v1", 1)
    }
    grants = [_grant(state) for state in states if state.category == "dibao"]
    wanted = expected["dibao_grants_at_line_1150_a_month"]
    assert len(states) == expected["accepted"]["households"]
    assert len(grants) == wanted["households"]
    assert sum(grant > 0 for grant in grants) == wanted["above_zero"]
    assert str(sum(grants)) == wanted["total_yuan"]


def _grant(state: HouseholdState) -> Decimal:
    """R10, as the policy says it: a business loss counts as 0."""
    counted = sum((max(Decimal(0), amount) for _, amount in state.incomes), Decimal(0))
    due = (LINE * state.n - counted / 12).to_integral_value(rounding=ROUND_CEILING)
    return max(Decimal(0), due)


CODES = {
    "bad_checksum": "id_number_checksum",
    "id_used_twice": "person_in_earlier_household",
    "sex_differs": "sex_differs",
    "count_differs": "count_differs",
    "unknown_village": "village_unknown",
    "negative_income": "number_negative",
    "no_head": "head_by_name",
    "missing_id": "id_number_missing",
}


async def test_every_listed_fault_has_its_verdict_and_no_other_is_refused(
    office_of_county: Office, county: dict[str, Any], expected: dict[str, Any]
) -> None:
    rows = {row["first_row"]: row for row in await office_of_county.report(county["roster_id"])}
    assert len(rows) == expected["households"]
    for fault in expected["faults"]:
        row = rows[fault["row"]]
        found = {finding["code"]: finding for finding in row["findings"]}
        refused = fault["verdict"].startswith("rejected")
        assert row["verdict"] == ("rejected" if refused else "accepted"), fault
        if fault["fault"] in CODES:
            finding = found[CODES[fault["fault"]]]
            assert finding["severity"] == ("reject" if refused else "warn"), fault
            at = int(re.sub(r"\D", "", finding["cell"]))
            assert row["first_row"] <= at <= row["last_row"], fault
        if other := re.search(r"household (\d+)", fault["verdict"]):
            assert f"序号 {other[1]}，" in found[CODES["id_used_twice"]]["message"]
            keeper = next(row for row in rows.values() if row["serial"] == other[1])
            assert keeper["verdict"] == "accepted"
            assert f"序号 {fault['household']}，" in " ".join(
                finding["message"] for finding in keeper["findings"]
            )
    listed = {fault["row"] for fault in expected["faults"] if "rejected" in fault["verdict"]}
    assert {at for at, row in rows.items() if row["verdict"] == "rejected"} == listed


async def test_everybody_is_identified_by_a_roster_with_evidence_missing(
    office_of_county: Office, county: dict[str, Any]
) -> None:
    (episode,) = await office_of_county.rows(
        "SELECT count(*) AS files, min(origin) AS origin, max(origin) AS last_origin,"
        " min(cardinality(missing_evidence)) AS missing, count(DISTINCT identified_on) AS days"
        " FROM episodes"
    )
    assert (episode.files, episode.origin, episode.last_origin) == (1183, "roster", "roster")
    assert episode.missing > 0
    assert episode.days == 1
    assert await office_of_county.count("households", "state = 'identified'") == 1183


async def test_the_same_file_again_changes_nothing_and_publishes_nothing(
    office_of_county: Office, county: dict[str, Any], sample: bytes
) -> None:
    office = office_of_county
    before = await _standing(office)
    again = await office.bring_in(sample)
    assert again["figures"]["verdicts"] == {"unchanged": 1183, "rejected": 17}
    assert again["figures"]["absent"] == 0
    assert await _standing(office) == before


async def _standing(office: Office) -> list[Any]:
    tables = ("events", "outbox", "household_versions", "decisions", "members", "persons")
    newest = await office.rows(
        "SELECT max(recorded_at), sum(version), sum(revision) FROM households"
    )
    return [*[await office.count(table) for table in tables], *map(tuple, newest)]


async def test_an_edited_cell_would_change_that_household_alone(
    office_of_county: Office, county: dict[str, Any], sample: bytes
) -> None:
    """As a dry run, for the county is to stay; test_imports.py carries one out."""
    edited = _with_sheet(sample, b"<v>6921.34</v>", b"<v>7000</v>")
    roster = await office_of_county.bring_in(edited, dry_run=True)
    assert roster["figures"]["verdicts"] == {"changed": 1, "unchanged": 1182, "rejected": 17}
    (changed,) = await office_of_county.report(roster["roster_id"], verdict="changed")
    assert changed["first_row"] == 5


def _with_sheet(content: bytes, old: bytes, new: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(target, "w") as written:
        for entry in source.infolist():
            part = source.read(entry)
            if entry.filename == "xl/worksheets/sheet1.xml":
                assert part.count(old) == 1
                part = part.replace(old, new)
            written.writestr(entry.filename, part, zipfile.ZIP_DEFLATED)
    return target.getvalue()


async def test_the_workbook_comes_back_with_a_column_of_remarks(
    office_of_county: Office, county: dict[str, Any]
) -> None:
    answer = await office_of_county.client.get(county["links"]["workbook"])
    assert answer.status_code == 200
    remarks = _remarks(answer.content)
    verdicts = Counter(remark.split("】")[0] for remark in remarks.values() if "【" in remark)
    assert verdicts == {
        f"【{VERDICTS['accepted']}": 1183,  # type: ignore[index] # a StrEnum is its text
        f"【{VERDICTS['rejected']}": 17,  # type: ignore[index] # likewise
    }
    assert remarks[3] == "导入意见"
    assert remarks[2425].startswith("【不予导入】")
    assert remarks[2427] == "错误 J2427 公民身份号码：身份证号码校验位不正确"
    assert await office_of_county.count("audit_log", "action = 'roster.download'") == 1


def _remarks(content: bytes) -> dict[int, str]:
    sheet = openpyxl.load_workbook(io.BytesIO(content), read_only=True).worksheets[0]
    columns = sheet.iter_rows(min_col=33, max_col=33, values_only=True)
    return {row: str(cell) for row, (cell,) in enumerate(columns, start=1) if cell}


async def test_an_unmasked_export_read_back_changes_nothing(
    office_of_county: Office, county: dict[str, Any]
) -> None:
    office = office_of_county
    client = await office.client_as(f"{SCOPES} pii:read")
    exported = await client.get("/v1/rosters/export", params={"division": "331124"})
    assert exported.status_code == 200
    before = await _standing(office)
    roster = await office.bring_in(exported.content)
    assert roster["figures"]["verdicts"] == {"unchanged": 1183}
    assert roster["figures"]["absent"] == 0
    assert await _standing(office) == before
    assert await office.count("audit_log", "action = 'roster.export'") == 1


async def test_what_the_sheet_said_of_people_is_kept_no_longer_than_needed(
    office_of_county: Office, county: dict[str, Any]
) -> None:
    assert await office_of_county.count("roster_findings", "facts_encrypted IS NOT NULL") == 0
    async with office_of_county.worker.transaction() as session:
        told = (
            await session.execute(
                text("SELECT string_agg(findings::text, ' ') FROM roster_findings")
            )
        ).scalar_one()
        kept = (await session.execute(text("SELECT file_encrypted FROM rosters"))).scalars().all()
    assert not re.search(r"\d{15}", told)
    assert not any(blob.startswith(b"PK") for blob in kept)
