"""Ordinary cases: check, opinion, seven days of notice, and the county's decision (R23, R29)."""

from datetime import date, timedelta
from decimal import Decimal

import orjson
import pytest

from services.relief.temporary.announcing import UnknownRequestError
from services.relief.temporary.handlers import SUBSCRIPTIONS
from services.relief.worker import SUBSCRIPTIONS as HEARD
from shared import clock
from shared.applying import Applier
from shared.contracts.notices import (
    NOTICE_REQUESTED,
    NoticeEvent,
    NoticeKind,
    NoticeOutcome,
    NoticeStatus,
)
from shared.contracts.registry import HouseholdState
from shared.contracts.topics import NOTICES
from shared.db import Database
from shared.identity import new_id
from shared.parking import Arrival
from tests.relief.support import ASSISTED, lifted, receive, rows, set_line
from tests.relief.temporary.desk import Desk, award, today, told


def three() -> dict[str, object]:
    """Four people at three times the line of 600, in two stages."""
    return award("3", "3600.00", "3600.00")


async def test_an_opinion_for_helping_is_announced(desk: Desk, family: HouseholdState) -> None:
    path = await desk.announced(family)
    found = await desk.read(path)
    assert found["state"] == "on_notice"
    assert [(step["step"], step["officer_id"]) for step in found["steps"]] == [
        ("registered", "o1"),
        ("checked", "o2"),
        ("opined", "o3"),
    ]
    (event,) = await desk.events(NOTICE_REQUESTED)
    assert (event["topic"], event["aggregate_version"]) == ("relief.notices", 1)
    asked = orjson.loads(event["data"])
    assert {name: asked[name] for name in ("kind", "n", "amount", "category", "withdrawn")} == {
        "kind": "temporary_assistance",
        "n": 4,
        "amount": "7200.00",
        "category": None,
        "withdrawn": False,
    }
    assert asked["applicant_birth_date"] == "1980-05-17"
    assert b"\xe8\xb5\xb7\xe7\x81\xab" not in bytes(event["data"]), "no words travel"


async def test_the_county_decides_once_the_notice_is_over(
    desk: Desk, worker: Database, family: HouseholdState
) -> None:
    path = await desk.announced(family)
    early = await desk.post("o4", f"{path}/county-approval", three(), status=422)
    assert early["code"] == "notice_running"
    await desk.notice_closed(path)
    for officer, code in (("o2", "surveyor_decides"), ("o3", "same_officer")):
        mine = await desk.post(officer, f"{path}/county-approval", three(), status=422)
        assert mine["code"] == code
    given = await desk.post("o4", f"{path}/county-approval", three())
    assert (given["decision"]["amount"], given["papers_due_on"]) == ("7200.00", None)
    assert len(await rows(worker, ASSISTED)) == 2
    text = given["decision"]["text"]
    assert "因患病申请支出型临时救助，救助4人" in text
    assert "分2期发放" in text


async def test_more_than_was_announced_is_announced_anew(
    desk: Desk, family: HouseholdState
) -> None:
    path = await desk.announced(family, "2.99")
    await desk.notice_closed(path)
    refused = await desk.post("o4", f"{path}/county-approval", three(), status=422)
    assert refused["code"] == "factor_over_announced"
    less = await desk.post("o4", f"{path}/county-approval", award("2.99", "7176.00"))
    assert less["state"] == "approved"


async def test_an_objection_upheld_needs_another_opinion_and_notice(
    desk: Desk, family: HouseholdState
) -> None:
    path = await desk.announced(family)
    await desk.notice_closed(path, NoticeOutcome.OBJECTION_UPHELD)
    refused = await desk.post("o4", f"{path}/county-approval", three(), status=422)
    assert refused["code"] == "notice_failed"
    opinion = {"favourable": True, "factor": "2", "words": "复核后同意"}
    again = await desk.post("o3", f"{path}/opinion", opinion)
    assert [notice["factor"] for notice in again["notices"]] == ["3.00", "2.00"]
    early = await desk.post("o4", f"{path}/county-approval", award("2", "4800.00"), status=422)
    assert early["code"] == "notice_running", "the first notice carries nothing"
    await desk.notice_closed(path)
    await desk.post("o4", f"{path}/county-approval", award("2", "4800.00"))


async def test_refused_while_announced_the_notice_is_taken_back(
    desk: Desk, family: HouseholdState
) -> None:
    path = await desk.announced(family)
    refused = await desk.post("o4", f"{path}/county-refusal", {"reason": "支出不属实"})
    assert refused["state"] == "refused"
    asked, taken_back = await desk.events(NOTICE_REQUESTED)
    assert (asked["subject"], asked["aggregate_version"]) == (taken_back["subject"], 1)
    assert taken_back["aggregate_version"] == 2
    assert orjson.loads(taken_back["data"])["withdrawn"] is True


async def test_an_opinion_against_it_is_refused_without_a_notice(
    desk: Desk, family: HouseholdState
) -> None:
    path = await desk.apply(family, kind="expenditure", cause="schooling")
    check = {"checked_on": today(), "words": "学费已减免", "expense": "100.00"}
    await desk.post("o2", f"{path}/checks", check)
    opinion = {"favourable": False, "words": "不同意"}
    opined = await desk.post("o3", f"{path}/opinion", opinion)
    assert (opined["state"], opined["notices"]) == ("opined", [])
    helped = await desk.post("o4", f"{path}/county-approval", three(), status=422)
    assert helped["code"] == "notice_missing"
    await desk.post("o4", f"{path}/county-refusal", {"reason": "费用已减免"})
    assert await desk.events(NOTICE_REQUESTED) == []


async def test_of_a_known_recipient_the_expense_alone_is_checked(
    desk: Desk, worker: Database, family: HouseholdState
) -> None:
    path = await desk.apply(family, kind="expenditure", cause="illness")
    check = {"checked_on": today(), "words": "住院费用属实"}
    refused = await desk.post("o2", f"{path}/checks", check, status=422)
    assert refused["code"] == "expense_missing"
    done = await desk.post("o2", f"{path}/checks", check | {"expense": "30000"})
    assert done["steps"][-1]["detail"] == {"what": "expense", "expense": "30000.00"}
    await receive(worker, lifted(family, date(2026, 6, 1)), version=2)
    other = await desk.apply(family, kind="expenditure", cause="illness")
    done = await desk.post("o2", f"{other}/checks", check)
    assert done["steps"][-1]["detail"] == {"what": "survey", "expense": None}


async def test_the_surveyor_gives_no_opinion_and_nobody_without_a_check(
    desk: Desk, family: HouseholdState
) -> None:
    path = await desk.apply(family, kind="expenditure", cause="illness")
    opinion = {"favourable": True, "factor": "3", "words": "同意"}
    unchecked = await desk.post("o3", f"{path}/opinion", opinion, status=422)
    assert unchecked["code"] == "check_missing"
    check = {"checked_on": today(), "words": "属实", "expense": "1.00"}
    await desk.post("o2", f"{path}/checks", check)
    mine = await desk.post("o2", f"{path}/opinion", opinion, status=422)
    assert mine["code"] == "same_officer"
    await desk.post("o3", f"{path}/opinion", opinion)
    late = await desk.post("o2", f"{path}/checks", check, status=422)
    assert late["code"] == "check_too_late"


async def test_the_line_of_the_decision_month_pays_and_both_are_told(
    desk: Desk, worker: Database, family: HouseholdState
) -> None:
    path = await desk.announced(family)
    month = clock.next_month(clock.today())
    await set_line(worker, "650", month, division="331100")
    await desk.notice_closed(path)
    clock.advance(timedelta(days=30))
    given = await desk.post("o4", f"{path}/county-approval", award("3", "7800.00"))
    figures = given["decision"]["explanation"]["figures"]
    assert (figures["line"]["value"], figures["line_applied"]["value"]) == ("650.00", "600.00")
    assert "申请当月标准为600元，按决定当月标准计发" in given["decision"]["text"]


async def test_a_missing_figure_is_named_and_refuses_nothing_but_the_sum(
    desk: Desk, worker: Database, family: HouseholdState
) -> None:
    async with worker.transaction() as session:
        connection = await session.connection()
        await connection.exec_driver_sql("UPDATE policy_parameters SET approved_at = NULL")
    path = await desk.apply(family)
    refused = await desk.post("o4", f"{path}/county-approval", three(), status=422)
    assert refused["code"] == "parameter_missing"
    assert len(refused["errors"]) == 6
    assert "temp.factor_max" in refused["detail"]
    await desk.post("o4", f"{path}/county-refusal", {"reason": "不属临时救助"})


async def test_notify_s_word_once_twice_and_late(
    desk: Desk, worker: Database, family: HouseholdState
) -> None:
    path = await desk.announced(family)
    found = await desk.read(path)
    (request,) = found["notices"]
    posted = told(found, request, 1, posted_on=date(2026, 5, 1), last_day=date(2026, 5, 8))
    objected = told(
        found,
        request,
        2,
        status=NoticeStatus.OBJECTED,
        posted_on=date(2026, 5, 1),
        last_day=date(2026, 5, 8),
        objections=1,
    )
    before = len(await rows(worker, "SELECT 1 FROM events"))
    await desk.hear(posted)
    assert (await desk.read(path))["notices"][0]["status"] == "posted"
    await desk.hear(objected)
    stored = await rows(worker, "SELECT * FROM temporary_notices")
    await desk.hear(objected)
    await desk.hear(posted)
    assert await rows(worker, "SELECT * FROM temporary_notices") == stored
    assert (stored[0]["status"], stored[0]["objections"]) == ("objected", 1)
    assert stored[0]["version"] == 1, "ours is not touched by what notify says"
    assert len(await rows(worker, "SELECT 1 FROM events")) == before, "no echoes"


async def test_a_batch_out_of_order_ends_with_the_newest(
    desk: Desk, family: HouseholdState
) -> None:
    path = await desk.announced(family)
    found = await desk.read(path)
    (request,) = found["notices"]
    closed = told(
        found,
        request,
        3,
        status=NoticeStatus.CLOSED,
        outcome=NoticeOutcome.UNOPPOSED,
        posted_on=date(2026, 5, 1),
        last_day=date(2026, 5, 8),
    )
    await desk.hear(closed, told(found, request, 1, posted_on=date(2026, 5, 1)))
    assert (await desk.read(path))["notices"][0]["outcome"] == "unopposed"


async def test_the_registry_s_notices_are_passed_over_and_unknown_ones_parked(
    desk: Desk, worker: Database, family: HouseholdState
) -> None:
    path = await desk.announced(family)
    found = await desk.read(path)
    (request,) = found["notices"]
    stranger = request | {"notice_request_id": str(new_id())}
    await desk.hear(told(found, stranger, 1, kind=NoticeKind.IDENTIFICATION))
    with pytest.raises(UnknownRequestError, match=stranger["notice_request_id"]):
        await desk.hear(told(found, stranger, 1))
    arrivals = [
        Arrival(
            topic=NOTICES.name,
            partition=0,
            offset=offset,
            key=event.key.encode(),
            value=event.data,
            headers=event.headers(),
        )
        for offset, event in enumerate((told(found, stranger, 1), told(found, request, 1)))
    ]
    async with worker.transaction() as session:
        tally = await Applier(HEARD).take(session, arrivals)
    assert (tally.applied.total(), tally.parked.total()) == (1, 1)
    assert (await desk.read(path))["notices"][0]["status"] == "posted"


def test_every_word_of_notify_is_heard() -> None:
    heard = {kind for each in SUBSCRIPTIONS if each.topic == NOTICES for kind in each.types}
    assert heard == {kind.value for kind in NoticeEvent}
    assert set(SUBSCRIPTIONS) <= set(HEARD)


async def test_the_sum_of_an_opinion_is_that_of_its_day(desk: Desk, family: HouseholdState) -> None:
    path = await desk.announced(family, "6")
    (notice,) = (await desk.read(path))["notices"]
    assert Decimal(notice["amount"]) == 14400
    over = await desk.apply(family, kind="expenditure", cause="illness")
    check = {"checked_on": today(), "words": "属实", "expense": "1.00"}
    await desk.post("o2", f"{over}/checks", check)
    opinion = {"favourable": True, "factor": "6.01", "words": "同意"}
    refused = await desk.post("o3", f"{over}/opinion", opinion, status=422)
    assert refused["code"] == "factor_over_max"
