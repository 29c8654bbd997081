"""How notices end by their days: whole, in chunks, once; and what meets on the last day."""

import asyncio
from datetime import date, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from services.notify.notices import actions
from shared import clock
from shared.contracts.notices import NoticeOutcome
from shared.daily import Days
from shared.db import Database
from tests.notify.notices.test_objections import SAID, answers, now, objects, pass_days
from tests.notify.support import (
    held,
    notice,
    posted,
    receive,
    request,
    rows,
    run_jobs,
    told,
    turn,
)
from tests.support.waiting import until


async def test_after_seven_full_days_and_not_before(worker: Database) -> None:
    found = await posted(worker)
    for days, status in ((0, "posted"), (7, "posted"), (8, "closed")):
        await turn(worker, found["posted_on"] + timedelta(days=days))
        assert (await now(worker, found))["status"] == status


async def test_what_was_published_at_the_end_is_the_whole_state(
    worker: Database, clock_file: object
) -> None:
    found = await posted(worker)
    day = found["last_day"] + timedelta(days=1)
    await turn(worker, day)
    await turn(worker, day)
    (_, first), (verb, last) = await told(worker)
    assert (verb, last.status, last.outcome) == ("closed", "closed", NoticeOutcome.UNOPPOSED)
    assert last == first.model_copy(
        update={"status": "closed", "outcome": NoticeOutcome.UNOPPOSED, "closed_on": day}
    )
    (line,) = await rows(worker, "SELECT * FROM audit_log WHERE action = 'notice.closed'")
    assert (line["sub"], line["subject_id"]) == ("system:notify", str(found["notice_id"]))


async def test_all_that_are_over_close_in_chunks(
    worker: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "CHUNK", 4)
    asked = [request() for _ in range(10)]
    await receive(worker, *asked)
    await run_jobs(worker)
    young = await posted(worker)
    async with worker.transaction() as session:
        await session.execute(
            text(
                "UPDATE notices SET posted_on = posted_on - 8, last_day = last_day - 8"
                " WHERE notice_id <> :id"
            ),
            {"id": young["notice_id"]},
        )
    async with worker.transaction() as session:
        assert await actions.close_what_is_over(session, clock.today()) is True
    assert len(await rows(worker, "SELECT 1 FROM notices WHERE status = 'closed'")) == 4
    await turn(worker, clock.today())
    closed = [said.notice_id for verb, said in await told(worker) if verb == "closed"]
    assert len(closed) == len(set(closed)) == 10
    assert (await now(worker, young))["status"] == "posted"


async def test_one_that_waits_to_be_posted_anew_does_not_close(
    worker: Database, clock_file: object
) -> None:
    asked = request()
    await receive(worker, asked)
    await run_jobs(worker)
    await receive(worker, asked.model_copy(update={"n": 4}), version=2)
    await turn(worker, clock.today() + timedelta(days=30))
    assert (await notice(worker, asked))["status"] == "posted"


async def test_the_platforms_day_closes_it(worker: Database, clock_file: object) -> None:
    """The turn as the worker runs it, set off by the moved clock."""
    found = await posted(worker)
    stop = asyncio.Event()
    days = asyncio.create_task(Days(worker, [actions.close_what_is_over]).run(stop))

    async def closed() -> bool:
        return bool((await now(worker, found))["status"] == "closed")

    try:
        pass_days(8)
        await until(closed, what="the notice to close")
    finally:
        stop.set()
        await days


async def test_the_database_itself_lets_nothing_end_early(worker: Database) -> None:
    found = await posted(worker)
    for change in (
        "status = 'closed', outcome = 'unopposed', closed_on = last_day",
        "last_day = posted_on + 6",
        "status = 'closed'",
    ):
        with pytest.raises(IntegrityError):
            async with worker.transaction() as session:
                await session.execute(
                    text(f"UPDATE notices SET {change} WHERE notice_id = :id"),  # noqa: S608 (above)
                    {"id": found["notice_id"]},
                )


async def test_two_turns_at_once_close_each_notice_once(worker: Database) -> None:
    asked = [request() for _ in range(20)]
    await receive(worker, *asked)
    await run_jobs(worker)
    day = clock.today() + timedelta(days=8)
    await asyncio.gather(turn(worker, day), turn(worker, day))
    assert [verb for verb, _ in await told(worker)].count("closed") == 20


async def in_a_race(
    database: Database, found: dict[str, Any], *racing: Any
) -> list[httpx.Response | None]:
    """These at once, all waiting for the notice's row before any may go on."""
    async with held(database, found["notice_id"], waiting=len(racing)):
        tasks = [asyncio.ensure_future(each) for each in racing]
    return list(await asyncio.gather(*tasks))


async def test_two_officers_answer_one_objection_at_once(
    worker: Database, client: httpx.AsyncClient, colleague: httpx.AsyncClient, officer_of: Any
) -> None:
    third = await officer_of("o3")
    found = await posted(worker)
    objection_id = await objects(client, found)
    answered = await in_a_race(
        worker,
        found,
        answers(colleague, found, objection_id, "dismissed"),
        answers(third, found, objection_id, "upheld"),
    )
    assert sorted(each.status_code for each in answered if each) == [200, 409]
    (row,) = await rows(worker, "SELECT * FROM notice_objections")
    status = (await now(worker, found))["status"]
    assert (row["outcome"], status) in {("dismissed", "posted"), ("upheld", "closed")}
    assert len(await told(worker)) == 3


async def test_an_objection_on_the_last_day_races_with_the_closing(
    worker: Database, client: httpx.AsyncClient
) -> None:
    """The closing looks at the row again under its lock: the objection holds it or is late."""
    found = await posted(worker)
    pass_days(7)
    over: date = found["last_day"] + timedelta(days=1)
    objected, _ = await in_a_race(
        worker,
        found,
        client.post(f"/v1/notices/{found['notice_id']}/objections", json=SAID),
        turn(worker, over),
    )
    assert objected is not None
    status = (await now(worker, found))["status"]
    assert (objected.status_code, status) in {(201, "objected"), (409, "closed")}
    if objected.status_code == 409:
        assert objected.json()["code"] == "notice_closed"


async def test_many_objections_at_once_are_all_counted(
    worker: Database, client: httpx.AsyncClient, colleague: httpx.AsyncClient
) -> None:
    found = await posted(worker)
    path = f"/v1/notices/{found['notice_id']}/objections"
    await in_a_race(worker, found, client.post(path, json=SAID), colleague.post(path, json=SAID))
    assert (await now(worker, found))["objections_open"] == 2
    assert [said.objections for _, said in await told(worker)] == [0, 1, 2]


async def test_an_answer_races_with_a_withdrawal(
    worker: Database, client: httpx.AsyncClient, colleague: httpx.AsyncClient
) -> None:
    asked = request()
    await receive(worker, asked)
    await run_jobs(worker)
    found = await notice(worker, asked)
    objection_id = await objects(client, found)
    answered, _ = await in_a_race(
        worker,
        found,
        answers(colleague, found, objection_id, "dismissed"),
        receive(worker, asked.model_copy(update={"withdrawn": True}), version=2),
    )
    assert answered is not None
    assert answered.status_code in {200, 409}
    assert (await now(worker, found))["outcome"] == "withdrawn"
    (row,) = await rows(worker, "SELECT outcome FROM notice_objections")
    assert row["outcome"] == ("dismissed" if answered.status_code == 200 else "lapsed")
