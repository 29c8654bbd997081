"""Reported changes: by when they are looked at, who is late, what closes them (TK 23)."""

import asyncio
from datetime import date, timedelta

import httpx
import pytest
from sqlalchemy import text

from services.relief.tekun import assessing
from services.relief.tekun.selfcare import ChangeReason
from shared import clock, workdays
from shared.auth import Caller
from shared.contracts.registry import HouseholdState
from shared.db import Database
from shared.errors import Conflict
from shared.identity import new_id
from shared.workdays import WorkingDay
from tests.relief.support import COUNTY, blocked, lifted, receive, rows, set_figure
from tests.relief.tekun.support import (
    TODAY,
    changes_of,
    confirmed,
    person_of,
    report,
    tekun_household,
)
from tests.support.waiting import until

pytestmark = pytest.mark.usefixtures("known")
YESTERDAY, TOMORROW = TODAY - timedelta(days=1), TODAY + timedelta(days=1)
FIRST = Caller(sub="first", officer_id="o1", divisions=(COUNTY,))
SECOND = Caller(sub="second", officer_id="o2", divisions=(COUNTY,))


async def test_a_change_is_due_in_ten_working_days_and_closed_by_the_next_assessment(
    client: httpx.AsyncClient,
    colleague: httpx.AsyncClient,
    worker: Database,
    state: HouseholdState,
) -> None:
    answer = await client.post(changes_of(state), json=report(state, YESTERDAY))
    assert answer.status_code == 201, answer.text
    told = answer.json()
    async with worker.transaction() as session:
        due = (await workdays.load(session)).add(YESTERDAY, 10)
    assert (told["due_on"], told["working_days"], told["days_late"]) == (
        due.on.isoformat(),
        10,
        0,
    )
    assert told["due_provisional"] is due.provisional
    assert (await client.get("/v1/tekun-reassessments")).json()["items"] == [told]
    before = await confirmed(client, colleague, state, assessed_on="2026-01-20")
    assert len((await client.get("/v1/tekun-reassessments")).json()["items"]) == 1, (
        "who was looked at before the change was not looked at again"
    )
    after = await confirmed(client, colleague, state, failed=4)
    assert before["assessment_id"] != after["assessment_id"]
    assert (await client.get("/v1/tekun-reassessments")).json()["items"] == []
    (closed,) = await rows(worker, "SELECT assessment_id, closed_on FROM tekun_reassessments")
    assert (str(closed["assessment_id"]), closed["closed_on"]) == (after["assessment_id"], TODAY)


async def test_a_parameter_shortens_the_limit(
    client: httpx.AsyncClient, worker: Database, state: HouseholdState
) -> None:
    await set_figure(worker, "tekun.reassess_working_days", "3", date(2026, 1, 1))
    told = (await client.post(changes_of(state), json=report(state, date(2026, 9, 30)))).json()
    assert (told["working_days"], told["due_on"]) == (3, "2026-10-10")


async def test_what_is_late_is_listed_from_the_day_after(
    client: httpx.AsyncClient, worker: Database, state: HouseholdState
) -> None:
    on_time = tekun_household()
    await receive(worker, on_time)
    await client.post(changes_of(state), json=report(state, date(2026, 9, 30)))
    await client.post(changes_of(on_time), json=report(on_time))
    overdue = {"overdue": "true"}

    async def late(due_on: date) -> list[int]:
        async with worker.transaction() as session:
            await session.execute(
                text("UPDATE tekun_reassessments SET due_on = :due WHERE household_id = :id"),
                {"due": due_on, "id": state.household_id},
            )
        found = (await client.get("/v1/tekun-reassessments", params=overdue)).json()["items"]
        return [each["days_late"] for each in found]

    assert await late(TODAY) == []
    assert await late(YESTERDAY) == [1]
    assert len((await client.get("/v1/tekun-reassessments")).json()["items"]) == 2
    await receive(worker, lifted(state, TODAY), version=2)
    assert (await client.get("/v1/tekun-reassessments", params=overdue)).json()["items"] == []


async def test_a_second_report_and_a_late_one_are_refused(
    client: httpx.AsyncClient, colleague: httpx.AsyncClient, state: HouseholdState
) -> None:
    await client.post(changes_of(state), json=report(state, YESTERDAY))
    answer = await client.post(changes_of(state), json=report(state))
    assert (answer.status_code, answer.json()["code"]) == (409, "reassessment_open")
    await confirmed(client, colleague, state)
    answer = await client.post(changes_of(state), json=report(state))
    assert (answer.status_code, answer.json()["code"]) == (409, "assessed_since")
    future, stranger = report(state, TOMORROW), report(state, person_id=str(new_id()))
    for given, code in ((future, "in_future"), (stranger, "person_not_member")):
        answer = await client.post(changes_of(state), json=given)
        assert (answer.status_code, answer.json()["code"]) == (422, code)


async def test_a_limit_is_counted_anew_once_its_year_is_announced(
    worker: Database, api_role: Database, state: HouseholdState
) -> None:
    person_id, reassessment_id = person_of(state).person_id, new_id()
    row = {
        "reassessment_id": reassessment_id,
        "household_id": state.household_id,
        "person_id": person_id,
        "division_code": state.division_code,
        "reason": "worse",
        "reported_on": date(2026, 12, 30),
        "reported_by": "o1",
        "working_days": 3,
        "due_on": date(2027, 1, 4),
        "due_provisional": True,
        "recorded_at": clock.now(),
    }
    names = ", ".join(row)
    marks = ", ".join(f":{name}" for name in row)
    insert = f"INSERT INTO tekun_reassessments ({names}) VALUES ({marks})"  # noqa: S608 (above)

    async def recount() -> tuple[date, bool]:
        async with worker.transaction() as session:
            assert await assessing.recount_provisional(session, TODAY) is False
        (found,) = await rows(worker, "SELECT due_on, due_provisional FROM tekun_reassessments")
        return found["due_on"], found["due_provisional"]

    async with api_role.transaction(divisions=(COUNTY,)) as session:
        await session.execute(text(insert), row)
    assert await recount() == (date(2027, 1, 4), True), "2027 is not announced yet"
    async with worker.transaction() as session:
        year = workdays.year_rows([WorkingDay(date(2027, 1, 1), working=False, name="元旦")])
        await workdays._store(session, year, source="test")
    assert await recount() == (date(2027, 1, 5), False)


async def test_of_two_reports_at_once_one_is_kept(
    api_role: Database, worker: Database, state: HouseholdState
) -> None:
    person_id = person_of(state).person_id

    async def tell(caller: Caller) -> None:
        async with api_role.transaction(divisions=caller.divisions) as session:
            await assessing.report_change(
                session,
                caller,
                state.household_id,
                person_id=person_id,
                reason=ChangeReason.WORSE,
                reported_on=TODAY,
            )

    async with api_role.transaction(divisions=FIRST.divisions) as session:
        await assessing.report_change(
            session,
            FIRST,
            state.household_id,
            person_id=person_id,
            reason=ChangeReason.ILLNESS,
            reported_on=TODAY,
        )
        racing = asyncio.create_task(tell(SECOND))
        await until(lambda: blocked(worker), what="the second report to wait for the first")
    with pytest.raises(Conflict, match="due already"):
        await racing
    assert len(await rows(worker, "SELECT 1 FROM tekun_reassessments")) == 1
