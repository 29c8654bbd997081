"""Handing in over HTTP: what is refused leaves nothing; who may read what."""

import io
from datetime import timedelta
from typing import Any

import asyncpg
import openpyxl
import pytest
from sqlalchemy import text
from starlette.formparsers import MultiPartParser

from services.registry.rosters import workbook
from services.registry.rosters.archive import MAX_FILE
from tests.registry.rosters import sheets
from tests.registry.rosters.conftest import SCOPES, Office
from tests.registry.rosters.sheets import household, person
from tests.registry.rosters.test_workbook import BAD

ONE = sheets.workbook([household(person(1))])


async def nothing_left(office: Office) -> bool:
    tables = ("rosters", "roster_findings", "jobs", "households", "idempotency_keys", "events")
    return not any([await office.count(table) for table in tables])


async def test_what_is_no_roster_is_refused_and_leaves_nothing(office: Office) -> None:
    for code, content in BAD:
        answer = await office.hand_in(content)
        assert answer.status_code == 422, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] == code
        assert answer.json()["detail"]
    assert await nothing_left(office)


async def test_no_file_at_all_and_too_large_a_one_are_refused(office: Office) -> None:
    assert (await office.client.post("/v1/rosters")).status_code == 422
    answer = await office.hand_in(b"PK" + b"\0" * (31 << 20))
    assert answer.status_code == 413
    assert await nothing_left(office)


async def test_the_roster_of_another_county_is_refused(office: Office) -> None:
    elsewhere = await office.client_as(divisions=("331121",))
    answer = await office.hand_in(ONE, client=elsewhere)
    assert (answer.status_code, answer.json()["code"]) == (403, "workbook_of_another_county")
    assert await nothing_left(office)


async def test_a_roster_of_two_counties_is_refused_with_its_cells(office: Office) -> None:
    mixed = [household(person(order)) for order in (1, 3)]
    mixed.append(household(person(5), township="鹤城街道"))
    answer = await office.hand_in(sheets.workbook(mixed))
    assert (answer.status_code, answer.json()["code"]) == (422, "workbook_two_counties")
    assert [fault["where"] for fault in answer.json()["errors"]] == ["#/file/B7"]
    assert await nothing_left(office)


async def test_an_import_is_signed_by_an_officer(office: Office) -> None:
    nobody = await office.client_as(officer=None)
    answer = await office.hand_in(ONE, client=nobody)
    assert (answer.status_code, answer.json()["code"]) == (403, "officer_missing")


async def test_the_same_request_again_gets_the_same_answer(office: Office) -> None:
    request: dict[str, Any] = {
        "files": {"file": ("a.xlsx", ONE)},
        "headers": {"Idempotency-Key": "once"},
    }
    first = await office.client.post("/v1/rosters", **request)
    second = await office.client.post("/v1/rosters", **request)
    assert first.status_code == 202
    assert second.json() == first.json()
    assert await office.count("rosters") == 1


async def test_another_county_sees_nothing(office: Office) -> None:
    roster = await office.bring_in(ONE)
    elsewhere = await office.client_as(f"{SCOPES} pii:read", divisions=("331121",))
    assert (await elsewhere.get("/v1/rosters")).json()["items"] == []
    for link in ("roster", "report", "workbook", "job"):
        assert (await elsewhere.get(roster["links"][link])).status_code == 404
    export = await elsewhere.get("/v1/rosters/export", params={"division": "331124"})
    assert export.status_code == 404


async def test_row_level_security_hides_rosters_without_the_filter(office: Office) -> None:
    await office.bring_in(ONE)
    connection = await asyncpg.connect(office.service.api_url)
    try:
        for divisions, seen in (("331121", 0), ("", 0), ("331124", 1)):
            await connection.execute("SELECT set_config('bangfu.divisions', $1, false)", divisions)
            for table in ("rosters", "roster_findings"):
                count = await connection.fetchval(f"SELECT count(*) FROM {table}")  # noqa: S608
                assert count == seen, (divisions, table)
    finally:
        await connection.close()


async def test_names_are_masked_without_the_scope(office: Office) -> None:
    roster = await office.bring_in(ONE)
    assert (await office.report(roster["roster_id"]))[0]["head_name"] == "张*"
    plain = await office.client_as(f"{SCOPES} pii:read")
    rows = (await plain.get(roster["links"]["report"])).json()["items"]
    assert rows[0]["head_name"] == "张三"
    assert await office.count("audit_log", "action = 'roster.read'") == 2


async def test_the_workbook_is_for_its_uploader_or_who_may_see_numbers(office: Office) -> None:
    roster = await office.bring_in(ONE)
    link = roster["links"]["workbook"]
    assert (await office.client.get(link)).status_code == 200
    colleague = await office.client_as(officer="o9")
    refused = await colleague.get(link)
    assert (refused.status_code, refused.json()["code"]) == (403, "pii_not_granted")
    trusted = await office.client_as(f"{SCOPES} pii:read", officer="o9")
    assert (await trusted.get(link)).status_code == 200


async def test_the_workbook_waits_for_the_job(office: Office) -> None:
    links = (await office.hand_in(ONE)).json()["links"]
    answer = await office.client.get(links["workbook"])
    assert (answer.status_code, answer.json()["code"]) == (409, "roster_not_finished")
    await office.work_off()
    assert (await office.client.get(links["workbook"])).status_code == 200


async def test_a_masked_export_shows_no_number_and_would_be_refused(office: Office) -> None:
    await office.bring_in(ONE)
    answer = await office.client.get("/v1/rosters/export", params={"division": "331124203"})
    assert answer.status_code == 200
    assert "filename*=UTF-8''" in answer.headers["content-disposition"]
    sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).worksheets[0]
    shown = [sheet[f"{column}5"].value for column in ("D", "H", "J", "AD", "AE")]
    assert shown == ["张*", "张*", "331124********0018", "182****6091", "****5276"]
    _, rows = workbook.open_sheet(answer.content)
    assert len(list(rows)) == 1
    roster = await office.bring_in(answer.content)
    assert roster["figures"]["verdicts"] == {"rejected": 1}


async def test_an_export_keeps_to_its_division(office: Office) -> None:
    mine, other = household(person(1)), household(person(3, name="王五"))
    other[0] |= {"township": "西屏街道", "village": "城西社区"}
    await office.bring_in(sheets.workbook([mine, other]))

    async def exported(division: str) -> int:
        answer = await office.client.get("/v1/rosters/export", params={"division": division})
        return len(list(workbook.open_sheet(answer.content)[1]))

    assert await exported("331124") == 2
    assert await exported("331124203") == 1
    assert await exported("331124101") == 0


@pytest.mark.parametrize("division", ["331100", "3311", "331121", "abc"])
async def test_an_export_is_of_one_county_at_most(office: Office, division: str) -> None:
    answer = await office.client.get("/v1/rosters/export", params={"division": division})
    assert answer.status_code in {404, 422}


async def test_rosters_are_listed_newest_first_by_page(office: Office) -> None:
    ids = [(await office.hand_in(ONE)).json()["roster_id"] for _ in range(3)]
    first = (await office.client.get("/v1/rosters", params={"limit": 2})).json()
    rest = (
        await office.client.get("/v1/rosters", params={"limit": 2, "cursor": first["next_cursor"]})
    ).json()
    shown = [item["roster_id"] for item in [*first["items"], *rest["items"]]]
    assert shown == ids[::-1]
    assert rest["next_cursor"] is None


async def test_a_report_pages_and_narrows(office: Office) -> None:
    households = [
        household(person(1)),
        household(person(3), count=9),
        household(person(5), wage=-1),
    ]
    roster = await office.bring_in(sheets.workbook(households))

    async def rows(**asked: Any) -> list[int]:
        return [row["first_row"] for row in await office.report(roster["roster_id"], **asked)]

    assert await rows(limit=1) == [5, 6, 7]
    assert await rows(verdict="accepted") == [5, 6]
    assert await rows(verdict="rejected") == [7]
    assert await rows(severity="warn") == [6]


async def test_the_workbook_is_named_by_the_day_in_shanghai(office: Office) -> None:
    roster = await office.bring_in(ONE)
    async with office.worker.transaction() as session:
        # nobody of the service may change a roster: the owner moves it to a late UTC evening
        seen = await session.scalar(text("SELECT created_at FROM rosters"))
    assert seen is not None
    late = seen.replace(hour=20)
    connection = await asyncpg.connect(office.service.owner_url)
    try:
        await connection.execute("SELECT set_config('bangfu.divisions', ',', false)")
        await connection.execute("UPDATE rosters SET created_at = $1", late)
    finally:
        await connection.close()

    answer = await office.client.get(roster["links"]["workbook"])

    assert f"{late + timedelta(days=1):%Y%m%d}.xlsx" in answer.headers["content-disposition"]


async def test_a_colleague_of_the_township_gets_no_workbook_of_the_county(office: Office) -> None:
    township = await office.client_as(divisions=("331124203",), officer="o3")
    mine, other = household(person(1)), household(person(3, name="王五"))
    other[0] |= {"township": "西屏街道", "village": "城西社区"}
    links = (await office.hand_in(sheets.workbook([mine, other]), client=township)).json()["links"]
    await office.work_off()
    assert (await township.get(links["workbook"])).status_code == 200
    colleague = await office.client_as(f"{SCOPES} pii:read", divisions=("331124203",), officer="o4")

    refused = await colleague.get(links["workbook"])

    assert (refused.status_code, refused.json()["code"]) == (403, "workbook_beyond_divisions")
    rows = (await colleague.get(links["report"])).json()["items"]
    assert [row["head_name"] for row in rows] == ["张三", ""]


async def test_what_excel_hides_in_one_row_refuses_at_most_its_household(office: Office) -> None:
    rows = [
        household(person(1, name="张_x0000_三")),
        household(person(3), vehicles=5_000_000_000),
        household(person(5), serial="331124198005170012"),
    ]
    roster = await office.bring_in(sheets.workbook(rows))
    report = await office.report(roster["roster_id"])
    assert [row["verdict"] for row in report] == ["accepted", "rejected", "accepted"]
    assert report[1]["findings"][0]["code"] == "number_too_large"
    assert not any("3311241980" in row["serial"] for row in report)


async def test_an_uploaded_workbook_never_lies_on_the_disk() -> None:
    assert MultiPartParser.spool_max_size > MAX_FILE
