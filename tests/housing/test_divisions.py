"""Nothing of one county is seen or changed elsewhere: by the API's own filter, and without it."""

from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from services.housing.renovations import queries as renovations
from services.housing.surveys import queries as surveys
from shared.db import EVERYWHERE, Database
from tests.conftest import ClientOf
from tests.housing.conftest import Renovated
from tests.housing.support import COUNTY, SCOPES, apply_for, record, rows

pytestmark = pytest.mark.usefixtures("values")

NEIGHBOUR = "331102"
TABLES = (
    "household_copy",
    "dwellings",
    "dangerous_house_files",
    "renovations",
    "renovation_stages",
    "guarantees_given",
)
NO_FILTER = (EVERYWHERE,)
ONE = (
    "/v1/households/{household_id}/dwelling",
    "/v1/house-files/{file_id}",
    "/v1/renovations/{renovation_id}",
)
LISTS = (
    "/v1/dwellings",
    "/v1/dwellings?grade=D",
    f"/v1/dwellings?division={COUNTY}",
    "/v1/house-files",
    "/v1/house-files?division=3311",
    "/v1/renovations",
    "/v1/renovations?household={household_id}",
)
COUNTS = (("/v1/dwellings/summary", "households"), ("/v1/house-files/summary", "files"))


@pytest.fixture
async def planned(renovated: Renovated) -> dict[str, Any]:
    """A renovation under way in the sample county; what there is to leak."""
    return await renovated("planned")


@pytest.fixture
async def strangers(housing: Any, client_of: ClientOf) -> list[httpx.AsyncClient]:
    """All of housing's rights in another county, in another township, and nowhere."""
    return [
        await client_of("housing", housing, scopes=SCOPES, officer="o9", divisions=divisions)
        for divisions in ((NEIGHBOUR,), ("331124101",), ())
    ]


async def test_nothing_is_seen_from_elsewhere(
    client: httpx.AsyncClient, strangers: list[httpx.AsyncClient], planned: dict[str, Any]
) -> None:
    for path in ONE:
        assert (await client.get(path.format(**planned))).status_code == 200, path
    for path in LISTS:
        assert (await client.get(path.format(**planned))).json()["items"], path
    for path, figure in COUNTS:
        assert (await client.get(path)).json()[figure] == 1, path
    for stranger in strangers:
        for path in ONE:
            assert (await stranger.get(path.format(**planned))).status_code == 404, path
        for path in LISTS:
            theirs = await stranger.get(path.format(**planned))
            assert (theirs.status_code, theirs.json()["items"]) == (200, []), path
        for path, _ in COUNTS:
            assert set((await stranger.get(path)).json().values()) <= {0, None}, path


async def test_nothing_is_changed_from_elsewhere(
    strangers: list[httpx.AsyncClient], worker: Database, planned: dict[str, Any]
) -> None:
    before = await rows(worker, "SELECT xmin::text FROM renovations")
    move = {"occupied": False, "from": "2026-05-01", "reason": "x"}
    occupancy = f"/v1/households/{planned['household_id']}/dwelling/occupancy"
    path = f"/v1/renovations/{planned['renovation_id']}"
    for stranger in strangers:
        answers = [
            await stranger.post(occupancy, json=move),
            await apply_for(stranger, planned["file_id"]),
            await record(stranger, planned, "agreed"),
            await stranger.post(f"{path}/pay", json={"paid_on": "2026-06-01"}),
            await stranger.post(f"{path}/cancel", json={"reason": "x"}),
        ]
        assert [answer.status_code for answer in answers] == [404] * 5
    assert await rows(worker, "SELECT xmin::text FROM renovations") == before


async def test_as_the_api_role_without_a_filter_there_is_nothing(
    api_role: Database, planned: dict[str, Any]
) -> None:
    for table in TABLES:
        counted = text(f"SELECT count(*) FROM {table}")  # noqa: S608 (names above)
        async with api_role.transaction(divisions=(COUNTY,)) as session:
            assert await session.scalar(counted), f"{table} holds something to leak"
        for divisions in ((NEIGHBOUR,), ("331124101",), (), None):
            async with api_role.transaction(divisions=divisions) as session:
                assert await session.scalar(counted) == 0, (table, divisions)


async def test_our_own_queries_with_the_filter_removed_find_nothing(
    api_role: Database, planned: dict[str, Any]
) -> None:
    household_id, file_id = UUID(planned["household_id"]), UUID(planned["file_id"])
    renovation_id = UUID(planned["renovation_id"])
    page: dict[str, Any] = {"after": None, "limit": 9}
    async with api_role.transaction(divisions=(NEIGHBOUR,)) as session:
        assert await surveys.dwelling_of(session, household_id, NO_FILTER) is None
        asked = surveys.DwellingFilter()
        assert not await surveys.dwellings(session, asked, (NO_FILTER,), **page)
        assert (await surveys.coverage(session, (NO_FILTER,)))["households"] == 0
        assert await surveys.file_by_id(session, file_id, NO_FILTER) is None
        assert not await surveys.files_of(session, household_id, NO_FILTER)
        assert not await surveys.files(session, surveys.FileFilter(), (NO_FILTER,), **page)
        assert (await surveys.count_files(session, (NO_FILTER,)))["files"] == 0
        assert not await surveys.lock_dwellings(session, [household_id], NO_FILTER)
        assert not await surveys.open_files(session, [household_id])
        assert await renovations.renovation_by_id(session, renovation_id, NO_FILTER) is None
        assert not await renovations.stages_of(session, renovation_id, NO_FILTER)
        assert not await renovations.renovations_of(session, household_id, NO_FILTER)
        wanted = renovations.RenovationFilter()
        assert not await renovations.renovations(session, wanted, (NO_FILTER,), **page)


async def test_every_table_with_a_division_is_protected_by_force(worker: Database) -> None:
    """A new table cannot be forgotten."""
    open_tables = await rows(
        worker,
        "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
        " WHERE a.attname = 'division_code' AND c.relkind IN ('r', 'p')"
        " AND c.relnamespace = 'public'::regnamespace"
        " AND NOT (c.relrowsecurity AND c.relforcerowsecurity)",
    )
    assert open_tables == []


async def test_the_api_role_cannot_rewrite_the_record(
    api_role: Database, planned: dict[str, Any]
) -> None:
    for order in (
        "DELETE FROM renovations",
        "DELETE FROM dangerous_house_files",
        "UPDATE renovation_stages SET recorded_by = 'o7'",
        "INSERT INTO dwellings SELECT * FROM dwellings",
        "INSERT INTO dangerous_house_files SELECT * FROM dangerous_house_files",
    ):
        with pytest.raises(ProgrammingError, match="permission denied"):
            async with api_role.transaction(divisions=(COUNTY,)) as session:
                await session.execute(text(order))
