"""Papers that follow help paid first: whole, in time, told late, and counted anew."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

from services.relief.temporary.watching import note_overdue_papers, recount_papers_due
from shared import clock, workdays
from shared.contracts.registry import HouseholdState
from shared.db import Database
from tests.relief.support import rows
from tests.relief.temporary.desk import PAPERS, Desk, one, today


async def test_papers_follow_in_time_or_are_told_late(
    desk: Desk, worker: Database, family: HouseholdState
) -> None:
    await desk.allot("5000.00")
    path = await desk.apply(family, 1)
    given = await desk.post("o3", f"{path}/township-approval", one())
    due = given["papers_due_on"]
    async with worker.transaction() as session:
        calendar = await workdays.load(session)
    assert due == calendar.add(clock.today(), 10).on.isoformat()
    while today() < due:
        clock.advance(timedelta(days=1))
    assert await overdue(desk, worker) == [], "the last day itself is in time"
    clock.advance(timedelta(days=1))
    assert await overdue(desk, worker) == [given["application_id"]]
    (since,) = await rows(worker, "SELECT papers_overdue_since FROM temporary_applications")
    assert since["papers_overdue_since"] == clock.today()
    clock.advance(timedelta(days=1))
    assert await overdue(desk, worker) == [given["application_id"]]
    (again,) = await rows(worker, "SELECT papers_overdue_since FROM temporary_applications")
    assert again == since, "noted once"
    noted = "SELECT 1 FROM audit_log WHERE action = 'temporary_assistance.papers_overdue'"
    assert len(await rows(worker, noted)) == 1
    done = await desk.post("o1", f"{path}/papers", {"received_on": today(), "papers": PAPERS})
    assert done["steps"][-1]["detail"] == {"due_on": due, "late": True}
    assert await overdue(desk, worker) == []


async def overdue(desk: Desk, worker: Database) -> list[str]:
    """The list of a day on which the turns have run."""
    async with worker.transaction() as session:
        assert not await note_overdue_papers(session, clock.today())
    found = await desk.read("/overdue-papers")
    return [item["application_id"] for item in found["items"]]


async def test_papers_are_whole_and_entered_once(desk: Desk, family: HouseholdState) -> None:
    path = await desk.apply(family, 1)
    body: dict[str, Any] = {"received_on": today(), "papers": PAPERS}
    early = await desk.post("o1", f"{path}/papers", body, status=409)
    assert early["code"] == "papers_not_owed"
    await desk.post("o4", f"{path}/county-approval", one())
    some = await desk.post("o1", f"{path}/papers", body | {"papers": PAPERS[:2]}, status=422)
    assert [fault["message"] for fault in some["errors"]] == [
        "缺少补办材料“金额凭据”",
        "缺少补办材料“经办人和申请人签字”",
    ]
    done = await desk.post("o1", f"{path}/papers", body)
    assert done["steps"][-1]["detail"]["late"] is False
    assert len(done["papers"]) == 4
    again = await desk.post("o1", f"{path}/papers", body, status=409)
    assert again["code"] == "papers_entered"


async def test_papers_that_came_with_the_application_need_not_follow(
    desk: Desk, family: HouseholdState
) -> None:
    path = await desk.apply(family, 1, papers=PAPERS)
    given = await desk.post("o4", f"{path}/county-approval", one())
    assert given["papers_due_on"] is None
    assert "先行救助" not in given["decision"]["text"]


async def test_a_limit_into_next_year_is_counted_anew_once_its_holidays_are_known(
    desk: Desk, worker: Database, family: HouseholdState, tmp_path: Path
) -> None:
    clock.advance(timedelta(days=(_last_monday() - clock.today()).days))
    path = await desk.apply(family, 1)
    given = await desk.post("o4", f"{path}/county-approval", one())
    assert given["papers_due_provisional"]
    async with worker.transaction() as session:
        await recount_papers_due(session, clock.today())
    assert (await desk.read(path))["papers_due_on"] == given["papers_due_on"]
    announced = tmp_path / "2027.csv"
    announced.write_text("day,working,name\n2027-01-01,0,元旦\n")
    async with worker.transaction() as session:
        await workdays.load_csv(session, announced)
        await recount_papers_due(session, clock.today())
    found = await desk.read(path)
    assert not found["papers_due_provisional"]
    assert found["papers_due_on"] > given["papers_due_on"]


def _last_monday() -> date:
    day = clock.today().replace(month=12, day=28)
    return day - timedelta(days=day.weekday())
