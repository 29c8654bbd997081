"""Nothing of one county is seen from another: by the API's own filter, and without it."""

from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.employment.jobs import queries as jobs
from services.employment.labour import queries as labour
from shared import clock
from shared.db import EVERYWHERE, Database
from tests.conftest import ClientOf
from tests.employment.support import COUNTY, SCOPES, everything, receive, rows, worker_of
from tests.support.builders import household

NEIGHBOUR = "331102"
NO_FILTER = (EVERYWHERE,)
TABLES = (
    "household_copy",
    "member_copy",
    "labour_profiles",
    "household_labour",
    "zero_employment_cases",
    "placements",
    "guarantees_given",
)
ONE = (
    "/v1/labour-profiles/{person}",
    "/v1/households/{household}/employment",
    "/v1/placements/{placement}",
)
LISTS = (
    "/v1/labour-profiles",
    f"/v1/labour-profiles?division={COUNTY}",
    "/v1/labour-profiles?division=3311",
    "/v1/labour-profiles?household={household}",
    "/v1/zero-employment",
    "/v1/zero-employment?open=true",
    "/v1/placements",
    "/v1/placements?person={person}",
    "/v1/placements?household={household}",
)


@pytest.fixture
async def known(worker: Database, client: httpx.AsyncClient) -> dict[str, Any]:
    """One household with a placement and one without work in the sample county."""
    person = worker_of()
    state = household(members=[person])
    await receive(worker, state, household(members=[worker_of()]))
    order = {"person_id": str(person.person_id), "kind": "contract", "from": str(clock.today())}
    answer = await client.post("/v1/placements", json=order)
    assert answer.status_code == 201, answer.text
    return {
        "person": person.person_id,
        "household": state.household_id,
        "placement": answer.json()["placement_id"],
    }


@pytest.fixture
async def strangers(
    employment: Any, neighbour: httpx.AsyncClient, client_of: ClientOf
) -> list[httpx.AsyncClient]:
    """Another county, another township of the same county, and nobody's divisions."""
    others = [
        await client_of("employment", employment, scopes=SCOPES, divisions=divisions)
        for divisions in (("331124101",), ())
    ]
    return [neighbour, *others]


async def test_one_of_another_division_is_not_found(
    client: httpx.AsyncClient, strangers: list[httpx.AsyncClient], known: dict[str, Any]
) -> None:
    for path in ONE:
        assert (await client.get(path.format(**known))).status_code == 200, f"{path} is there"
        for stranger in strangers:
            assert (await stranger.get(path.format(**known))).status_code == 404, path


async def test_lists_and_counts_of_another_division_are_empty(
    client: httpx.AsyncClient, strangers: list[httpx.AsyncClient], known: dict[str, Any]
) -> None:
    for path in LISTS:
        assert (await client.get(path.format(**known))).json()["items"], f"{path} could leak"
        for stranger in strangers:
            assert (await stranger.get(path.format(**known))).json()["items"] == [], path
    ours = (await client.get("/v1/labour-profiles/summary")).json()
    assert (ours["profiles"], ours["zero_employment_open"]) == (2, 1)
    for stranger in strangers:
        theirs = (await stranger.get("/v1/labour-profiles/summary")).json()
        assert {value for name, value in theirs.items() if name != "division"} == {0}


async def test_nobody_writes_in_another_division(
    worker: Database, strangers: list[httpx.AsyncClient], known: dict[str, Any]
) -> None:
    before = await everything(worker)
    order = {
        "person_id": str(known["person"]),
        "kind": "licensed_business",
        "from": str(clock.today()),
    }
    ending = {"ended_on": str(clock.today()), "reason": "other"}
    for stranger in strangers:
        answer = await stranger.post("/v1/placements", json=order)
        assert (answer.status_code, answer.json()["code"]) == (404, "labour_profile_unknown")
        answer = await stranger.post(
            f"/v1/placements/{known['placement']}/end", json=ending, headers={"If-Match": '"1"'}
        )
        assert (answer.status_code, answer.json()["code"]) == (404, "placement_unknown")
    assert await everything(worker) == before


async def test_why_somebody_has_no_profile_is_not_told_to_strangers(
    worker: Database, strangers: list[httpx.AsyncClient]
) -> None:
    child = worker_of(birth_date=clock.add_months(clock.today(), -12 * 10))
    await receive(worker, household(members=[child]))
    order = {"person_id": str(child.person_id), "kind": "contract", "from": str(clock.today())}
    for stranger in strangers:
        answer = await stranger.post("/v1/placements", json=order)
        assert (answer.status_code, answer.json()["code"]) == (404, "labour_profile_unknown")


async def test_as_the_api_role_without_a_filter_there_is_nothing(
    api_role: Database, known: dict[str, Any]
) -> None:
    for table in TABLES:
        counted = text(f"SELECT count(*) FROM {table}")  # noqa: S608 (names above)
        async with api_role.transaction(divisions=(COUNTY,)) as session:
            assert await session.scalar(counted), f"{table} holds something to leak"
        for divisions in ((NEIGHBOUR,), ("331124101",), (), None):
            async with api_role.transaction(divisions=divisions) as session:
                assert await session.scalar(counted) == 0, (table, divisions)


async def test_our_own_queries_with_the_filter_removed_find_nothing(
    api_role: Database, known: dict[str, Any]
) -> None:
    today, within = clock.today(), (NO_FILTER,)
    page: dict[str, Any] = {"after": None, "limit": 9}
    async with api_role.transaction(divisions=(NEIGHBOUR,)) as session:
        asked = labour.ProfileFilter()
        assert not await labour.profiles(session, asked, within, **page)
        assert await labour.profile_of(session, known["person"], NO_FILTER) is None
        assert not await labour.profiles_of_household(session, known["household"], NO_FILTER)
        assert await labour.household(session, known["household"], NO_FILTER) is None
        assert not await labour.cases_of_household(session, known["household"], NO_FILTER)
        assert not await labour.cases(session, labour.CaseFilter(), within, today=today, **page)
        assert (await labour.summary(session, within, today=today)).profiles == 0
        assert not await jobs.placements(session, jobs.PlacementFilter(), within, **page)
        assert await jobs.placement_by_id(session, known["placement"], NO_FILTER) is None
        assert not await jobs.placements_of_person(session, known["person"], NO_FILTER)
        assert not await jobs.jobs_of(session, [known["person"]])


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


async def test_nothing_is_ever_deleted_and_profiles_are_opened_by_the_worker_only(
    api_role: Database, worker: Database, known: dict[str, Any]
) -> None:
    tables = ("labour_profiles", "household_labour", "zero_employment_cases", "placements")
    orders = [f"DELETE FROM {table}" for table in tables]  # noqa: S608 (names above)
    for order in (*orders, "INSERT INTO labour_profiles SELECT * FROM labour_profiles"):
        with pytest.raises(DBAPIError, match="permission denied"):
            async with api_role.transaction(divisions=(COUNTY,)) as session:
                await session.execute(text(order))
    for order in orders:
        with pytest.raises(DBAPIError, match="permission denied"):
            async with worker.transaction() as session:
                await session.execute(text(order))
