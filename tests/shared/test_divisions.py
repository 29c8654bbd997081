"""Divisions by code and by the names that people write."""

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import divisions
from shared.db import Database
from shared.divisions import Directory, Division, Level, ancestors, county_of, covers
from shared.place_names import township_name, village_name
from tests.conftest import ClientOf, DatabaseOf
from tests.support.places import CSV

SINCE = date(2023, 1, 1)


def place(code: str, name: str, level: Level, **fields: object) -> Division:
    """A division under its digits."""
    parent = {"county": f"{code[:4]}00", "township": code[:6], "village": code[:9]}.get(level)
    known = {"code": code, "name": name, "level": level, "parent_code": parent}
    return Division.model_validate(known | {"valid_from": SINCE} | fields)


SAMPLE = divisions.read_csv(CSV)
LISHUI = Directory(SAMPLE)


@pytest.mark.parametrize(
    ("prefixes", "code", "covered"),
    [
        (("331124",), "331124101203", True),
        (("331124",), "331124", True),
        (("331124101",), "331124", False),
        (("331124",), "331125", False),
        (("331121", "331124101"), "331124101203", True),
        (("",), "331124", True),
        ((), "331124", False),
    ],
)
def test_a_prefix_covers_what_lies_under_it(
    prefixes: tuple[str, ...], code: str, covered: bool
) -> None:
    assert covers(prefixes, code) is covered


@pytest.mark.parametrize(
    ("code", "chain"),
    [
        ("331124101203", ("331124101203", "331124101", "331124", "331100", "330000")),
        ("331124", ("331124", "331100", "330000")),
        ("331100", ("331100", "330000")),
        ("330000", ("330000",)),
    ],
)
def test_ancestors_come_nearest_first(code: str, chain: tuple[str, ...]) -> None:
    assert ancestors(code) == chain
    assert county_of("331124101203") == "331124"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("西屏街道", "331124001"),
        ("西屏", "331124001"),
        (" 西屏 街道", "331124001"),
        ("西屏街道办事处", "331124001"),
        ("古市镇", "331124101"),
        ("古市镇人民政府", "331124101"),
        ("叶村乡", "331124201"),
        ("叶村", "331124201"),
        ("板桥畲族乡", "331124212"),
        ("板桥乡", "331124212"),
        ("板桥", "331124212"),
        ("古镇", None),
        ("乡", None),
        ("", None),
    ],
)
def test_townships_by_the_names_people_write(name: str, code: str | None) -> None:
    found = LISHUI.township("331124", name)
    assert (found.division.code if found.division else None) == code


def test_a_township_is_looked_for_in_its_county_only() -> None:
    assert LISHUI.township("331121", "古市镇").division is None


VILLAGES = Directory(
    [
        place("331102004", "某街道", "township"),
        place("331102004001", "灯塔社区居委会", "village"),
        place("331102004201", "灯塔村委会", "village"),
        place("331102004202", "周庄村村民委员会", "village"),
        place("331102004203", "大港头镇居委会", "village"),
        place("331102004204", "第二居委会", "village"),
        place("331102004205", "周垟村村委员会", "village"),
        place("331102004206", "上村村委会", "village"),
        place("331102005201", "周庄村委会", "village"),
    ]
)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("周庄", "331102004202"),
        ("周庄村", "331102004202"),
        ("周庄村委会", "331102004202"),
        ("周庄村村委会", "331102004202"),
        ("周庄村民委员会", "331102004202"),
        ("周 庄　村", "331102004202"),
        ("周庄社区", "331102004202"),
        ("灯塔村", "331102004201"),
        ("灯塔村村民委员会", "331102004201"),
        ("灯塔社区", "331102004001"),
        ("灯塔居委会", "331102004001"),
        ("灯塔社区居民委员会", "331102004001"),
        ("大港头镇居民委员会", "331102004203"),
        ("大港头镇社区", "331102004203"),
        ("第二居民委员会", "331102004204"),
        ("周垟村", "331102004205"),
        ("上村", "331102004206"),
        ("上村村", "331102004206"),
        ("周", None),
        ("村", None),
        ("村委会", None),
        ("", None),
        ("庄周村", None),
    ],
)
def test_villages_by_the_names_people_write(name: str, code: str | None) -> None:
    found = VILLAGES.village("331102004", name)
    assert (found.division.code if found.division else None) == code
    assert found.candidates == ()


def test_an_ambiguous_name_finds_nothing_and_names_its_candidates() -> None:
    found = VILLAGES.village("331102004", "灯塔")
    assert found.division is None
    assert {division.code for division in found.candidates} == {"331102004001", "331102004201"}


def test_every_village_of_the_sample_is_found_by_its_official_name_alone() -> None:
    for division in SAMPLE:
        if division.level == "village":
            found = LISHUI.village(division.parent_code or "", division.name)
            assert found.division == division


def test_merged_villages_lead_to_what_they_became() -> None:
    directory = Directory(
        [
            place("331124101201", "老村村委会", "village", merged_into="331124101202"),
            place("331124101202", "中村村委会", "village", merged_into="331124101203"),
            place("331124101203", "新村村委会", "village"),
            place("331124101204", "甲村委会", "village", merged_into="331124101205"),
            place("331124101205", "乙村委会", "village", merged_into="331124101204"),
        ]
    )
    found = directory.village("331124101", "老村")
    assert found.division is not None
    assert found.division.code == "331124101203"
    assert directory.get("331124101201") is not None
    circular = directory.village("331124101", "甲村").division
    assert circular is not None


@given(st.text(max_size=12))
def test_no_spelling_breaks_the_reading_of_names(spelling: str) -> None:
    for read in (township_name, village_name):
        name = read(spelling)
        assert bool(name.stem) == bool(name.written)
        assert name.same_text(read(f" {spelling}　"))


@pytest.fixture
async def database(database_of: DatabaseOf) -> AsyncIterator[Database]:
    """A service's database as its worker."""
    service = await database_of("education")
    opened = Database(service.worker_url, application_name="tests")
    yield opened
    await opened.close()


async def test_an_edition_loads_once(database: Database, tmp_path: Path) -> None:
    async with database.transaction() as session:
        assert await divisions.load_csv(session, CSV) == len(SAMPLE) == 2191
    async with database.transaction() as session:
        assert await divisions.load_csv(session, CSV) == 0
    edited = tmp_path / "edited.csv"
    edited.write_text(CSV.read_text().replace(",莲都区,", ",莲都新区,"))
    async with database.transaction() as session:
        assert await divisions.load_csv(session, edited) == 1
        found = await divisions.find(session, "331102")
    assert found is not None
    assert found.name == "莲都新区"


async def test_a_directory_of_one_county(database: Database) -> None:
    async with database.transaction() as session:
        await divisions.load_csv(session, CSV)
        county = await divisions.directory(session, "331124")
    assert county.get("331124101") is not None
    assert county.get("331121") is None


HEADER = "code,name,level,parent_code,valid_from,merged_into,urban_rural"
CITY = "331100,丽水市,city,,2023-01-01,,"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("33112,松阳县,county,331100,2023-01-01,,", "line 3: a county code has 6 digits"),
        ("３３１１２４,松阳县,county,331100,2023-01-01,,", "line 3: a county code has 6 digits"),
        ("331124,松阳县,province,331100,2023-01-01,,", "line 3: level"),
        ("331124,松阳县,county,331100,2023,,", "line 3: valid_from"),
        ("331124,,county,331100,2023-01-01,,", "line 3: name"),
        ("331124,松阳县,county,331900,2023-01-01,,", "line 3: its parent is not in the file"),
        (CITY, "a code stands in it twice"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, line: str, told: str) -> None:
    path = tmp_path / "divisions.csv"
    path.write_text(f"{HEADER}\n{CITY}\n{line}", encoding="utf-8-sig")
    with pytest.raises(ValueError, match=told):
        divisions.read_csv(path)


@pytest.fixture
async def client(database_of: DatabaseOf, client_of: ClientOf) -> httpx.AsyncClient:
    """A service with Lishui's divisions, asked by someone with no rights but a token."""
    service = await database_of("education")
    opened = Database(service.worker_url, application_name="tests")
    async with opened.transaction() as session:
        await divisions.load_csv(session, CSV)
    await opened.close()
    return await client_of("education", service, scopes="", divisions=())


async def test_all_townships_of_a_county_page_by_page(client: httpx.AsyncClient) -> None:
    names: list[str] = []
    cursor = None
    while True:
        query: dict[str, str | int] = {"parent": "331124", "limit": 7}
        if cursor:
            query["cursor"] = cursor
        answer = (await client.get("/v1/divisions", params=query)).raise_for_status().json()
        names += [item["name"] for item in answer["items"]]
        cursor = answer["next_cursor"]
        if cursor is None:
            break
        assert len(answer["items"]) == 7
    assert len(names) == len(set(names)) == 19
    assert names[0] == "西屏街道"


async def test_divisions_by_level_and_by_how_the_name_begins(client: httpx.AsyncClient) -> None:
    counties = (await client.get("/v1/divisions", params={"level": "county"})).json()["items"]
    assert len(counties) == 9
    query = {"name": "古市", "level": "township"}
    (found,) = (await client.get("/v1/divisions", params=query)).json()["items"]
    assert found["code"] == "331124101"
    assert (await client.get("/v1/divisions", params={"name": "%"})).json()["items"] == []


async def test_one_division(client: httpx.AsyncClient) -> None:
    assert (await client.get("/v1/divisions/331124101")).json()["name"] == "古市镇"
    missing = await client.get("/v1/divisions/999999")
    assert (missing.status_code, missing.json()["code"]) == (404, "division_unknown")


@pytest.mark.parametrize("path", ["/v1/divisions/33112", "/v1/divisions?parent=x&limit=0"])
async def test_what_is_no_code_is_refused(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 422


async def test_without_a_token_there_are_no_divisions(client: httpx.AsyncClient) -> None:
    del client.headers["Authorization"]
    assert (await client.get("/v1/divisions")).status_code == 401
