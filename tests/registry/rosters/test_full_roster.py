"""The full roster: 80 columns a person, streamed; one's own divisions, masked, each person once."""

import asyncio
import io
from collections.abc import AsyncGenerator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from sqlalchemy import text

from services.registry.rosters import wide, wide_queries
from services.registry.rosters.wide_columns import WIDE
from services.registry.rosters.wide_values import ORIGINS, STATES, Look
from shared import clock
from shared.contracts.registry import State
from shared.db import Database
from tests.registry.rosters import sheets
from tests.registry.rosters.beside import FIRST_OF_YEAR, write_beside
from tests.registry.rosters.conftest import SCOPES, Office
from tests.registry.rosters.sheets import household, person
from tests.registry.rosters.test_placing import NAMES

TWO = [
    household(
        person(1, name="=1+1"), person(2, name="李四", relation="配偶"), wage=Decimal("6921.34")
    ),
    household(person(3, name="王五"), causes="因病、因残", house_grade="D"),
]


def read(content: bytes) -> list[dict[str, Any]]:
    """The people's rows by column key, as another reader sees them; the headers are checked."""
    sheet = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]
    rows = list(sheet.iter_rows(values_only=True))
    assert list(rows[3]) == [column.title for column in WIDE]
    assert sheet.auto_filter.ref == f"A4:CB{len(rows)}"
    return [dict(zip((column.key for column in WIDE), row, strict=True)) for row in rows[4:]]


async def full(office: Office, division: str = "331124", scopes: str = "") -> list[dict[str, Any]]:
    client = await office.client_as(f"{SCOPES} {scopes}".strip())
    answer = await client.get("/v1/rosters/full", params={"division": division})
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return read(answer.content)


def test_there_are_eighty_columns_each_once_with_its_unit() -> None:
    assert len(WIDE) == 80
    assert len({column.key for column in WIDE}) == len({column.title for column in WIDE}) == 80
    assert set(STATES) == set(State)
    assert {"roster", "batch", "application", "split"} == set(ORIGINS)


async def test_a_row_a_person_with_the_households_values_repeated(office: Office) -> None:
    await office.bring_in(sheets.workbook(TWO))
    first, second, third = await full(office, scopes="pii:read")
    assert [row["serial"] for row in (first, second, third)] == [1, 1, 2]
    assert [row["name"] for row in (first, second, third)] == ["=1+1", "李四", "王五"]
    assert [row["head_name"] for row in (first, second, third)] == ["=1+1", "=1+1", "王五"]
    assert first["id_number"] == TWO[0][0]["id_number"] == second["head_id_number"]
    assert second["id_number"] == TWO[0][1]["id_number"]
    assert (first["phone"], first["account"]) == ("18213186091", "6228875749118625276")
    assert first["income"] == second["income"] == 30322.83
    assert first["income_a_head"] == 15161.42
    assert first["people"] == first["n"] == 2
    assert (first["category"], first["state"], first["origin"]) == ("低保", "在册", "花名册导入")
    assert (third["causes"], third["house_grade"]) == ("因病、因残", "D")
    assert (first["township"], first["village"]) == ("三都乡", "下田村村委会")
    assert first["birth_date"].date() == date(1980, 5, 17)
    assert first["identified_on"].date() == clock.today()
    assert first["helper"] is first["plan_approved_on"] is first["living"] is None


async def test_what_other_capabilities_know_stands_beside_it(office: Office) -> None:
    await office.bring_in(sheets.workbook(TWO[1:]))
    await write_beside(office.service)
    (row,) = await full(office)
    days = {key: value.date() for key, value in row.items() if isinstance(value, datetime)}
    assert (row["national_no"], row["hukou_no"]) == (
        f"N{row['household_no']}",
        f"H{row['household_no']}",
    )
    assert (row["living"], row["housing"], row["medical"]) == ("否", "是", None)
    assert (row["schooling"], row["employment"]) == ("是", None)
    assert (row["aid"], row["aid_this_year"]) == (50, 600)
    assert days["aid_on"] == FIRST_OF_YEAR + timedelta(days=2)
    assert (row["helper"], row["helper_unit"]) == ("周*", "县水利局")
    assert row["helper_phone"] == "139****5678"
    assert days["paired_on"] == FIRST_OF_YEAR
    assert days["plan_approved_on"] == FIRST_OF_YEAR + timedelta(days=2)
    assert (row["target_income"], row["measures"], row["measures_done"]) == (15000, 3, 2)
    assert days["visited_on"] == FIRST_OF_YEAR + timedelta(days=1)
    assert row["visits_this_year"] == 2
    assert (days["checked_on"], row["checked_income"]) == (FIRST_OF_YEAR, 100)
    assert row["check_passed"] == "是"
    assert days["review_due_on"] == FIRST_OF_YEAR + timedelta(days=365)
    assert (row["disability_kind"], row["disability_grade"]) == ("肢体", "二级")
    assert (row["willing_to_work"], row["left_behind"], row["counted"]) == ("是", "否", "是")


async def test_without_the_scope_people_are_masked_and_the_look_is_noted(office: Office) -> None:
    await office.bring_in(sheets.workbook(TWO))
    first, *_ = await full(office)
    assert (first["name"], first["head_name"], first["phone"]) == ("=*", "=*", "182****6091")
    number = TWO[0][0]["id_number"]
    assert first["id_number"] == first["head_id_number"] == f"{number[:6]}********{number[14:]}"
    noted = await office.rows(
        "SELECT subject_id, division_code, detail FROM audit_log "
        "WHERE action = 'roster.export_full'"
    )
    assert [(one.subject_id, one.division_code, one.detail["plain"]) for one in noted] == [
        ("331124", "331124", False)
    ]


async def test_it_keeps_to_its_division_and_to_the_callers(office: Office) -> None:
    mine, other = household(person(1)), household(person(3, name="王五"))
    other[0] |= {"township": "西屏街道", "village": "城西社区"}
    await office.bring_in(sheets.workbook([mine, other]))
    assert len(await full(office)) == 2
    assert [row["name"] for row in await full(office, "331124203", "pii:read")] == ["张三"]
    assert await full(office, "331124101") == []
    township = await office.client_as(divisions=("331124203",))
    for division in ("331124", "331121", "331124001", "331100"):
        answer = await township.get("/v1/rosters/full", params={"division": division})
        assert answer.status_code == 404, division
    assert (await township.get("/v1/rosters/full", params={"division": "abc"})).status_code == 422


async def test_row_level_security_keeps_to_the_caller_even_without_the_filter(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, other = household(person(1)), household(person(3, name="王五"))
    other[0] |= {"township": "西屏街道", "village": "城西社区"}
    await office.bring_in(sheets.workbook([mine, other]))
    for name in ("_HOUSEHOLDS", "_PEOPLE"):
        told: str = getattr(wide_queries, name)
        assert "allowed.prefix)" in told
        unfiltered = told.replace("^@ allowed.prefix)", "^@ '')")
        monkeypatch.setattr(wide_queries, name, unfiltered)
    township = await office.client_as(f"{SCOPES} pii:read", divisions=("331124203",))
    answer = await township.get("/v1/rosters/full", params={"division": "331124203"})
    assert [row["name"] for row in read(answer.content)] == ["张三"]


async def test_pages_follow_one_another_without_gap_or_double(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = [household(person(2 * at + 1, name=f"村民{at}")) for at in range(7)]
    await office.bring_in(sheets.workbook(many))
    monkeypatch.setattr(
        wide_queries,
        "_HOUSEHOLDS",
        wide_queries._HOUSEHOLDS.replace(f"LIMIT {wide_queries.PAGE}", "LIMIT 3"),
    )
    rows = await full(office, scopes="pii:read")
    assert sorted(row["name"] for row in rows) == [f"村民{at}" for at in range(7)]
    assert [row["serial"] for row in rows] == list(range(1, 8))


async def test_closed_files_and_people_who_left_are_not_in_it(office: Office) -> None:
    await office.bring_in(sheets.workbook(TWO))
    wang = await office.rows(
        "SELECT household_id FROM persons JOIN members USING (person_id) WHERE name = '王五'"
    )
    await office.rows(
        "UPDATE households SET state = 'closed' WHERE household_id = :id RETURNING 1",
        id=wang[0].household_id,
    )
    await office.rows(
        "UPDATE members SET left_on = '2026-01-01', left_reason = 'died' "
        "WHERE relation = 'spouse' RETURNING 1"
    )
    (row,) = await full(office, scopes="pii:read")
    assert (row["name"], row["people"]) == ("=1+1", 1)


async def test_who_moves_while_it_is_written_stands_once_and_nobody_is_left_out(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = [household(person(2 * at + 1, name=f"村民{at}")) for at in range(6)]
    await office.bring_in(sheets.workbook(many))
    monkeypatch.setattr(
        wide_queries,
        "_HOUSEHOLDS",
        wide_queries._HOUSEHOLDS.replace(f"LIMIT {wide_queries.PAGE}", "LIMIT 1"),
    )
    api = Database(office.service.api_url, application_name="roster-tests", pool_size=4)
    try:
        body = the_county(api)
        pieces = [await anext(body)]
        await office.rows(
            "UPDATE households SET division_code = '331124101201' WHERE household_id IN ("
            "(SELECT min(household_id::text)::uuid FROM households), "
            "(SELECT max(household_id::text)::uuid FROM households)) RETURNING 1"
        )
        pieces += [piece async for piece in body]
    finally:
        await api.close()
    names = sorted(row["name"] for row in read(b"".join(pieces)))
    assert names == [f"村民{at}" for at in range(6)]


async def test_who_stops_listening_ends_what_reads(office: Office) -> None:
    many = [household(person(2 * at + 1, name=f"村民{at}")) for at in range(3)]
    await office.bring_in(sheets.workbook(many))
    api = Database(office.service.api_url, application_name="roster-tests", pool_size=1)
    try:
        before = len(asyncio.all_tasks())
        body = the_county(api)
        await anext(body)
        await body.aclose()
        assert len(asyncio.all_tasks()) == before
        async with asyncio.timeout(5), api.transaction(divisions=("331124",)) as session:
            await session.execute(text("SELECT 1"))
    finally:
        await api.close()


def the_county(database: Database) -> AsyncGenerator[bytes]:
    look = Look(names=NAMES, plain=True, on=clock.today())
    return wide.workbook("标题", "填报", database, "331124", look, divisions=("331124",))
