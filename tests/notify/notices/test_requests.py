"""Requests as they arrive: once, twice, late, changed, withdrawn, refused, a batch at a time."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import insert, update

from services.notify.notices import actions
from services.notify.notices.handlers import on_notice_requests
from services.notify.notices.models import Notice
from shared import clock
from shared.contracts.notices import NoticeKind, NoticeOutcome, NoticeStatus
from shared.db import Database
from shared.divisions import DIVISIONS
from shared.identity import new_id
from shared.job_rows import JOBS
from tests.notify.support import (
    notice,
    receive,
    request,
    request_event,
    rows,
    run_jobs,
    told,
    versions,
)

pytestmark = pytest.mark.usefixtures("surroundings")


async def test_a_request_is_stored_and_its_posting_ordered(worker: Database) -> None:
    asked = request(amount=Decimal("601.5"))
    await receive(worker, asked)
    found = await notice(worker, asked)
    assert (found["status"], found["to_post"], found["version"]) == ("waiting", True, 0)
    assert (found["n"], found["amount"]) == (3, Decimal("601.50"))
    assert await told(worker) == [], "nothing is told before it is posted"
    (job,) = await rows(worker, "SELECT * FROM jobs")
    assert (job["kind"], job["division_code"]) == (actions.POST, "331124")
    assert job["arguments"] == {"notice_ids": [str(found["notice_id"])]}


async def test_temporary_assistance_is_announced_for_a_household_in_no_category(
    worker: Database,
) -> None:
    kind = NoticeKind.TEMPORARY_ASSISTANCE
    asked = request(kind=kind, category=None, episode=0, amount=Decimal(7200))
    await receive(worker, asked)
    await run_jobs(worker)
    found = await notice(worker, asked)
    assert (found["status"], found["category"]) == ("posted", None)
    ((verb, said),) = await told(worker)
    assert (verb, said.kind, said.last_day) == ("published", kind, found["last_day"])
    await receive(worker, asked, version=2)
    assert len(await told(worker)) == 1, "the same content is no other notice"


async def test_posted_it_runs_for_seven_full_days(worker: Database) -> None:
    asked = request()
    await receive(worker, asked)
    (job,) = await run_jobs(worker)
    assert (job["state"], job["done"], job["result"]) == ("succeeded", 1, {"posted": 1})
    ((verb, said),) = await told(worker)
    today = clock.today()
    assert (verb, said.status) == ("published", NoticeStatus.POSTED)
    assert (said.posted_on, said.last_day) == (today, today + timedelta(days=7))
    assert (said.notice_request_id, said.household_id) == (
        asked.notice_request_id,
        asked.household_id,
    )
    assert (said.objections, said.outcome, said.refusal, said.closed_on) == (0, None, None, None)
    found = await notice(worker, asked)
    assert (found["status"], found["to_post"], found["version"]) == ("posted", False, 1)


async def test_twice_and_late_change_nothing(worker: Database) -> None:
    asked = request()
    await receive(worker, asked, version=2)
    await run_jobs(worker)
    before = await notice(worker, asked)
    await receive(worker, asked, version=2)
    await receive(worker, asked.model_copy(update={"n": 9}), version=1)
    await receive(worker, asked.model_copy(update={"withdrawn": True}), version=2)
    assert await notice(worker, asked) == before
    assert len(await rows(worker, "SELECT 1 FROM jobs")) == 1
    assert len(await told(worker)) == 1


async def test_a_batch_is_one_job_a_county(worker: Database) -> None:
    asked = [request() for _ in range(30)]
    elsewhere = request(division_code="331102001206")
    async with worker.transaction() as session:
        await session.execute(
            insert(DIVISIONS).values(
                code="331102001206", name="水东村", level="village", valid_from=date(2023, 1, 1)
            )
        )
    await receive(worker, *asked, elsewhere)
    done = await run_jobs(worker)
    assert [(job["division_code"], job["total"]) for job in done] == [("331102", 1), ("331124", 30)]
    assert {job["state"] for job in done} == {"succeeded"}
    assert len(await told(worker)) == 31


async def test_of_two_versions_in_one_batch_the_newest_holds(worker: Database) -> None:
    asked = request()
    newest = asked.model_copy(update={"n": 5})
    async with worker.transaction() as session:
        await on_notice_requests(session, [request_event(newest, 2), request_event(asked, 1)])
    found = await notice(worker, asked)
    assert (found["n"], found["request_version"]) == (5, 2)


REFUSED: tuple[tuple[dict[str, Any], str], ...] = (
    ({"n": 0}, "members_missing"),
    ({"division_code": "331124999999"}, "division_unknown"),
    ({"applicant_person_id": new_id()}, "applicant_age_unknown"),
    (
        {"applicant_person_id": new_id(), "applicant_birth_date": date(2015, 6, 1)},
        "minor_named",
    ),
)


async def test_what_cannot_be_posted_is_refused_at_once(worker: Database) -> None:
    for facts, refusal in REFUSED:
        asked = request(**facts)
        await receive(worker, asked)
        await receive(worker, asked)
        # the same trouble again is no news
        await receive(worker, asked, version=2)
        ((verb, said),) = await told(worker, asked)
        assert (verb, said.status, said.outcome) == ("closed", "closed", NoticeOutcome.REFUSED)
        assert (said.refusal, said.posted_on, said.closed_on) == (refusal, None, clock.today())
    assert await rows(worker, "SELECT 1 FROM jobs") == []


async def test_what_was_refused_and_is_mended_is_posted(worker: Database) -> None:
    asked = request(n=0)
    await receive(worker, asked)
    await receive(worker, asked.model_copy(update={"n": 2}), version=2)
    await run_jobs(worker)
    assert [verb for verb, _ in await told(worker)] == ["closed", "published"]
    found = await notice(worker, asked)
    assert (found["status"], found["refusal"], found["closed_on"]) == ("posted", None, None)


async def test_one_minor_s_request_does_not_hold_up_the_others(worker: Database) -> None:
    minor = request(applicant_person_id=new_id(), applicant_birth_date=date(2015, 6, 1))
    others = [request() for _ in range(3)]
    await receive(worker, others[0], minor, *others[1:])
    await run_jobs(worker)
    assert sorted(verb for verb, _ in await told(worker)) == ["closed", *["published"] * 3]
    assert await rows(worker, "SELECT 1 FROM parked") == []


async def age(database: Database, asked: Any, days: int) -> None:
    """The notice was posted so many days ago."""
    ago = timedelta(days=days)
    async with database.transaction() as session:
        await session.execute(
            update(Notice)
            .where(Notice.notice_request_id == asked.notice_request_id)
            .values(posted_on=Notice.posted_on - ago, last_day=Notice.last_day - ago)
        )


async def test_other_content_is_posted_anew_and_its_clock_starts_again(worker: Database) -> None:
    asked = request()
    await receive(worker, asked)
    await run_jobs(worker)
    await age(worker, asked, 6)
    await receive(worker, asked.model_copy(update={"n": 4}), version=2)
    waiting = await notice(worker, asked)
    assert (waiting["status"], waiting["to_post"]) == ("posted", True)
    assert len(await told(worker)) == 1
    await run_jobs(worker)
    (_, first), (verb, second) = await told(worker)
    assert (verb, second.notice_id) == ("published", first.notice_id)
    assert (second.posted_on, second.last_day) == (
        clock.today(),
        clock.today() + timedelta(days=7),
    )
    assert await versions(worker, first.notice_id) == [1, 2]


async def test_the_same_content_again_changes_nothing(worker: Database) -> None:
    asked = request()
    await receive(worker, asked)
    await run_jobs(worker)
    await age(worker, asked, 6)
    before = await notice(worker, asked)
    later = asked.model_copy(update={"requested_on": date(2026, 11, 1), "episode": 2})
    await receive(worker, later, version=2)
    after = await notice(worker, asked)
    assert (after["posted_on"], after["version"]) == (before["posted_on"], before["version"])
    assert (after["request_version"], after["episode"]) == (2, 2)
    assert (len(await told(worker)), len(await rows(worker, "SELECT 1 FROM jobs"))) == (1, 1)


async def test_a_notice_can_be_withdrawn_before_and_after_it_is_posted(worker: Database) -> None:
    early, late, unseen = request(), request(), request(withdrawn=True)
    await receive(worker, late)
    await run_jobs(worker)
    await receive(worker, early)
    gone = [one.model_copy(update={"withdrawn": True}) for one in (early, late)]
    await receive(worker, *gone, unseen, version=2)
    await run_jobs(worker)
    for asked, verbs in (
        (early, ["closed"]),
        (late, ["published", "closed"]),
        (unseen, ["closed"]),
    ):
        heard = await told(worker, asked)
        assert [verb for verb, _ in heard] == verbs
        assert heard[-1][1].outcome is NoticeOutcome.WITHDRAWN
    await receive(worker, *gone, version=3)
    assert len(await told(worker)) == 4
    # asked for again it is posted again, for its clock was stopped
    await receive(worker, early, version=4)
    await run_jobs(worker)
    assert [verb for verb, _ in await told(worker, early)] == ["closed", "published"]


async def test_a_minor_named_later_takes_the_notice_down(worker: Database) -> None:
    asked = request()
    await receive(worker, asked)
    await run_jobs(worker)
    minor = {"applicant_person_id": new_id(), "applicant_birth_date": date(2015, 6, 1)}
    await receive(worker, asked.model_copy(update=minor), version=2)
    _, (verb, said) = await told(worker)
    assert (verb, said.refusal, said.posted_on) == ("closed", "minor_named", None)
    assert (await notice(worker, asked))["content_encrypted"] is None


async def test_what_lost_its_job_is_ordered_again(worker: Database) -> None:
    asked = [request() for _ in range(3)]
    await receive(worker, *asked)

    async def order() -> None:
        async with worker.transaction() as session:
            assert await actions.order_what_was_left(session, clock.today()) is False

    await order()
    assert len(await rows(worker, "SELECT 1 FROM jobs")) == 1, "its job is still there"
    async with worker.transaction() as session:
        await session.execute(update(JOBS).values(state="failed"))
    await order()
    await order()
    assert [job["state"] for job in await run_jobs(worker)] == ["failed", "succeeded"]
    assert len(await told(worker)) == 3


async def test_a_payload_that_is_no_request_is_refused_whole(worker: Database) -> None:
    broken = request_event(request())._replace(data=b'{"n": "many"}')
    with pytest.raises(ValueError, match="NoticeRequest"):
        async with worker.transaction() as session:
            await on_notice_requests(session, [request_event(request()), broken])
    assert await rows(worker, "SELECT 1 FROM notices") == []
