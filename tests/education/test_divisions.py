"""Nothing of one county is seen from another: by the API's own filter, and without it."""

from datetime import date
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from deploy.local.provision import ServiceDatabase
from services.education.aid import queries as aid
from services.education.aid.rules import Term
from services.education.dropout import queries as dropout
from services.education.students import queries as students
from shared import clock
from shared.contracts.registry import SchoolStage
from shared.db import EVERYWHERE, Database
from tests.conftest import ClientOf
from tests.education.support import (
    COUNTY,
    SCOPES,
    child,
    family,
    receive,
    rows,
    run_jobs,
    set_value,
)

NEIGHBOUR = "331102"
TABLES = (
    "household_copy",
    "member_copy",
    "student_files",
    "student_history",
    "school_statements",
    "school_gaps",
    "settled_households",
    "guarantees_given",
    "dropout_cases",
    "aid_runs",
    "aid",
    "aid_exceptions",
    "jobs",
)
NO_FILTER = (EVERYWHERE,)


@pytest.fixture
async def there(worker: Database, client: httpx.AsyncClient, term: Term) -> dict[str, Any]:
    """A pupil with aid and a case, one without amount, a task, an enrolment: what may leak."""
    await set_value(worker, "edu.living_subsidy.primary", "1000", valid_from=date(2020, 1, 1))
    pupil, senior = child(), child(SchoolStage.SENIOR, age=17)
    unknown, found = child(None), child(SchoolStage.NOT_AT_SCHOOL)
    await receive(worker, family(pupil, senior, unknown, found))
    enrolled = {"stage": "primary", "from": clock.today().isoformat()}
    await client.post(f"/v1/students/{found.person_id}/enrolments", json=enrolled)
    report = {
        "person_id": str(pupil.person_id),
        "absent_since": clock.today().isoformat(),
        "reported_by": "village",
        "kind": "left",
    }
    case = (await client.post("/v1/dropouts", json=report)).json()
    order = {"term": str(term), "division": COUNTY}
    run = (await client.post("/v1/aid-runs", json=order)).json()
    await run_jobs(worker)
    return {
        "person": pupil.person_id,
        "household": case["household_id"],
        "case": case["case_id"],
        "run": run["run_id"],
        "job": run["job_id"],
    }


ONE = (
    "/v1/students/{person}",
    "/v1/dropouts/{case}",
    "/v1/aid-runs/{run}",
    "/v1/aid-runs/{run}/exceptions",
    "/v1/jobs/{job}",
)
LISTS = (
    "/v1/students",
    f"/v1/students?division={COUNTY}",
    "/v1/students?division=3311",
    "/v1/students?household={household}",
    "/v1/school-tasks",
    f"/v1/school-tasks?division={COUNTY}",
    "/v1/dropouts",
    f"/v1/dropouts?division={COUNTY}&open=true",
    "/v1/aid",
    "/v1/aid?run={run}",
    "/v1/aid?person={person}",
    "/v1/aid?household={household}",
    "/v1/jobs",
)


async def test_another_county_or_township_or_nobody_sees_nothing(
    education: ServiceDatabase,
    client_of: ClientOf,
    client: httpx.AsyncClient,
    neighbour: httpx.AsyncClient,
    there: dict[str, Any],
) -> None:
    township = await client_of("education", education, scopes=SCOPES, divisions=("331124101",))
    nobody = await client_of("education", education, scopes=SCOPES, divisions=())
    for path in ONE:
        assert (await client.get(path.format(**there))).status_code == 200, f"{path} is there"
        for other in (neighbour, township, nobody):
            assert (await other.get(path.format(**there))).status_code == 404, path
    for path in LISTS:
        ours = await client.get(path.format(**there))
        assert ours.json()["items"], f"{path} has something to leak"
        for other in (neighbour, township, nobody):
            theirs = await other.get(path.format(**there))
            assert (theirs.status_code, theirs.json()["items"]) == (200, []), path


async def test_counts_of_another_county_are_nought(
    client: httpx.AsyncClient, neighbour: httpx.AsyncClient, there: dict[str, Any]
) -> None:
    for division in (COUNTY, "3311", None):
        asked = {} if division is None else {"division": division}
        ours = (await client.get("/v1/students/summary", params=asked)).json()
        assert (ours["enrolled"], ours["tasks"]) == (3, 1)
        theirs = (await neighbour.get("/v1/students/summary", params=asked)).json()
        figures = ("by_stage", "enrolled", "left", "out_of_school", "tasks")
        assert [theirs[figure] for figure in figures] == [{}, 0, 0, 0, 0]


async def test_as_the_api_role_without_a_filter_there_is_nothing(
    api_role: Database, there: dict[str, Any]
) -> None:
    for table in TABLES:
        counted = text(f"SELECT count(*) FROM {table}")  # noqa: S608 (names above)
        async with api_role.transaction(divisions=(COUNTY,)) as session:
            assert await session.scalar(counted), f"{table} holds something to leak"
        for divisions in ((NEIGHBOUR,), ("331124101",), (), None):
            async with api_role.transaction(divisions=divisions) as session:
                assert await session.scalar(counted) == 0, (table, divisions)


async def test_our_own_queries_with_the_filter_removed_find_nothing(
    api_role: Database, there: dict[str, Any]
) -> None:
    person, run, case = there["person"], UUID(there["run"]), UUID(there["case"])
    every: dict[str, Any] = {"after": None, "limit": 9}
    async with api_role.transaction(divisions=(NEIGHBOUR,)) as session:
        assert not await students.files(session, students.FileFilter(), NO_FILTER, **every)
        assert await students.file_of(session, person, NO_FILTER) is None
        assert not await students.history_of(session, person, NO_FILTER)
        assert not await students.tasks(session, (NO_FILTER,), **every)
        assert (await students.summary(session, (NO_FILTER,))).enrolled == 0
        assert not await students.homes_of(session, [person])
        assert not await dropout.cases(session, (NO_FILTER,), is_open=None, **every)
        assert await dropout.case_by_id(session, case, NO_FILTER) is None
        assert not await dropout.cases_of(session, person, NO_FILTER)
        assert await aid.run_by_id(session, run, NO_FILTER) is None
        totals = await aid.run_totals(session, run, NO_FILTER)
        assert (totals.aided, totals.exceptions) == (0, 0)
        assert not await aid.aid(session, aid.AidFilter(), NO_FILTER, **every)
        assert not await aid.exceptions_of(session, run, NO_FILTER, **every)


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


async def test_the_api_role_cannot_touch_money_or_delete(
    api_role: Database, there: dict[str, Any]
) -> None:
    for order in (
        "UPDATE aid SET amount = amount + 1",
        "INSERT INTO aid SELECT * FROM aid",
        "UPDATE aid_runs SET created_by = 'x'",
        "DELETE FROM aid",
        "DELETE FROM dropout_cases",
        "DELETE FROM student_files",
        "DELETE FROM student_history",
        "DELETE FROM school_statements",
    ):
        with pytest.raises(ProgrammingError, match="permission denied"):
            async with api_role.transaction(divisions=(COUNTY,)) as session:
                await session.execute(text(order))
