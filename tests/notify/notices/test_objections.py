"""Objections through the API: recorded, answered by another officer, and what comes of them."""

from datetime import date, timedelta
from typing import Any

import httpx

from services.notify.households.handlers import on_households
from services.notify.notices import sealed
from shared import clock
from shared.contracts.notices import NoticeOutcome
from shared.db import Database
from tests.notify.conftest import OfficerOf
from tests.notify.support import (
    SCOPES,
    notice,
    posted,
    receive,
    request,
    rows,
    run_jobs,
    told,
    turn,
    versions,
)
from tests.support.builders import household, household_event

SAID = {"text": "该户在县城有商铺", "objector": "李四光", "contact": "13812340000"}


async def objects(client: httpx.AsyncClient, found: dict[str, Any], **changes: Any) -> str:
    """An objection recorded; its id."""
    path = f"/v1/notices/{found['notice_id']}/objections"
    answer = await client.post(path, json=SAID | changes)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["objection_id"])


async def answers(
    client: httpx.AsyncClient, found: dict[str, Any], objection_id: str, outcome: str
) -> httpx.Response:
    """An answer to an objection."""
    path = f"/v1/notices/{found['notice_id']}/objections/{objection_id}/answer"
    return await client.post(path, json={"outcome": outcome, "reason": "已入户核实"})


def pass_days(days: int) -> date:
    """Move the platform's clock; gives the new day."""
    clock.advance(timedelta(days=days))
    return clock.today()


async def now(database: Database, found: dict[str, Any]) -> dict[str, Any]:
    """The notice as it stands now."""
    query = "SELECT * FROM notices WHERE notice_id = :id"
    (row,) = await rows(database, query, id=found["notice_id"])
    return row


async def test_an_objection_holds_the_notice(worker: Database, client: httpx.AsyncClient) -> None:
    found = await posted(worker)
    answer = await client.post(f"/v1/notices/{found['notice_id']}/objections", json=SAID)
    assert answer.status_code == 201, answer.text
    shown = answer.json()
    assert (shown["text"], shown["objector"], shown["contact"]) == (
        SAID["text"],
        "李*",
        "138****0000",
    )
    assert (shown["recorded_by"], shown["outcome"]) == ("o1", None)
    *_, (verb, said) = await told(worker)
    assert (verb, said.status, said.objections) == ("objected", "objected", 1)
    assert said.last_day == found["last_day"], "an objection stops no clock"


async def test_what_is_said_is_stored_encrypted(
    worker: Database, client: httpx.AsyncClient, colleague: httpx.AsyncClient
) -> None:
    found = await posted(worker)
    objection_id = await objects(client, found)
    await answers(colleague, found, objection_id, "dismissed")
    (row,) = await rows(worker, "SELECT * FROM notice_objections")
    assert sealed.show(row["text_encrypted"]) == SAID["text"]
    assert sealed.show(row["reason_encrypted"]) == "已入户核实"
    for table in ("notice_objections", "events", "audit_log", "idempotency_keys", "notices"):
        for each in await rows(worker, f"SELECT * FROM {table}"):  # noqa: S608 (names above)
            plain = b"".join(v if isinstance(v, bytes) else str(v).encode() for v in each.values())
            for secret in (*SAID.values(), "已入户核实"):
                assert secret.encode() not in plain, table


async def test_anonymous_and_without_contact(worker: Database, client: httpx.AsyncClient) -> None:
    found = await posted(worker)
    path = f"/v1/notices/{found['notice_id']}/objections"
    shown = (await client.post(path, json={"text": "不属实"})).json()
    assert (shown["objector"], shown["contact"]) == ("匿名", None)


async def test_who_may_read_personal_data_sees_who_objects_and_every_look_is_noted(
    worker: Database, client: httpx.AsyncClient, officer_of: OfficerOf
) -> None:
    found = await posted(worker)
    objection_id = await objects(client, found)
    path = f"/v1/notices/{found['notice_id']}/objections"
    plainly = await officer_of("o3", scopes=f"{SCOPES} pii:read")
    (masked,) = (await client.get(path)).json()["items"]
    (plain,) = (await plainly.get(path)).json()["items"]
    assert (masked["objector"], masked["contact"]) == ("李*", "138****0000")
    assert (plain["objector"], plain["contact"]) == ("李四光", "13812340000")
    query = "SELECT officer_id FROM audit_log WHERE action = 'objection.read' AND subject_id = :id"
    read = await rows(worker, f"{query} ORDER BY id", id=objection_id)
    assert [row["officer_id"] for row in read] == ["o1", "o3"]


async def test_all_dismissed_it_runs_on_and_closes_on_time(
    worker: Database, client: httpx.AsyncClient, colleague: httpx.AsyncClient
) -> None:
    found = await posted(worker)
    first, second = await objects(client, found), await objects(client, found)
    shown = (await answers(colleague, found, first, "dismissed")).json()
    assert (shown["status"], shown["objections_open"]) == ("objected", 1)
    shown = (await answers(colleague, found, second, "dismissed")).json()
    assert (shown["status"], shown["objections_open"], shown["objections_dismissed"]) == (
        "posted",
        0,
        2,
    )
    await turn(worker, found["last_day"])
    assert (await now(worker, found))["status"] == "posted", "not before its last day is over"
    await turn(worker, pass_days(8))
    heard = await told(worker)
    assert [verb for verb, _ in heard] == [
        "published",
        "objected",
        "objected",
        "objected",
        "published",
        "closed",
    ]
    assert heard[-1][1].outcome is NoticeOutcome.OBJECTIONS_DISMISSED
    assert await versions(worker, found["notice_id"]) == [1, 2, 3, 4, 5, 6]


async def test_upheld_it_closes_at_once_and_the_others_lapse(
    worker: Database, client: httpx.AsyncClient, colleague: httpx.AsyncClient
) -> None:
    found = await posted(worker)
    first, second = await objects(client, found), await objects(client, found)
    shown = (await answers(colleague, found, first, "upheld")).json()
    assert (shown["status"], shown["outcome"]) == ("closed", "objection_upheld")
    assert shown["closed_on"] == f"{clock.today()}"
    outcomes = await rows(worker, "SELECT outcome FROM notice_objections ORDER BY objection_id")
    assert [row["outcome"] for row in outcomes] == ["upheld", "lapsed"]
    refused = await answers(colleague, found, second, "dismissed")
    assert (refused.status_code, refused.json()["code"]) == (409, "objection_answered")
    *_, (verb, said) = await told(worker)
    assert (verb, said.outcome, said.objections) == ("closed", NoticeOutcome.OBJECTION_UPHELD, 0)


async def test_an_open_objection_keeps_it_open_past_its_days_until_it_is_answered(
    worker: Database, client: httpx.AsyncClient, colleague: httpx.AsyncClient
) -> None:
    found = await posted(worker)
    objection_id = await objects(client, found)
    day = pass_days(30)
    await turn(worker, day)
    assert (await now(worker, found))["status"] == "objected"
    shown = (await answers(colleague, found, objection_id, "dismissed")).json()
    assert (shown["status"], shown["outcome"]) == ("closed", "objections_dismissed")
    assert shown["closed_on"] == f"{day}"


async def test_until_the_end_of_the_last_day(worker: Database, client: httpx.AsyncClient) -> None:
    found = await posted(worker)
    pass_days(7)
    await objects(client, found)
    pass_days(1)
    answer = await client.post(f"/v1/notices/{found['notice_id']}/objections", json=SAID)
    assert (answer.status_code, answer.json()["code"]) == (409, "notice_period_over")
    assert len(await rows(worker, "SELECT 1 FROM notice_objections")) == 1


async def test_nobody_objects_to_what_is_not_posted_or_over(
    worker: Database, client: httpx.AsyncClient
) -> None:
    asked = request()
    await receive(worker, asked)
    path = f"/v1/notices/{(await notice(worker, asked))['notice_id']}/objections"
    assert (await client.post(path, json=SAID)).json()["code"] == "notice_not_posted"
    await receive(worker, asked.model_copy(update={"withdrawn": True}), version=2)
    assert (await client.post(path, json=SAID)).json()["code"] == "notice_closed"


async def test_who_recorded_it_does_not_answer_it(
    worker: Database, client: httpx.AsyncClient, officer_of: OfficerOf
) -> None:
    found = await posted(worker)
    objection_id = await objects(client, found)
    same_human = await officer_of("o1", sub="another-account")
    for asking in (client, same_human):
        refused = await answers(asking, found, objection_id, "dismissed")
        assert (refused.status_code, refused.json()["code"]) == (409, "same_officer")
    nobody = await officer_of(None)
    refused = await answers(nobody, found, objection_id, "dismissed")
    assert (refused.status_code, refused.json()["code"]) == (403, "officer_unknown")
    recorded = await nobody.post(f"/v1/notices/{found['notice_id']}/objections", json=SAID)
    assert (recorded.status_code, recorded.json()["code"]) == (403, "officer_unknown")


FAULTY: tuple[tuple[dict[str, Any], list[str]], ...] = (
    ({}, ["#/text"]),
    ({"text": "   "}, ["#/text"]),
    ({"text": "长" * 1001}, ["#/text"]),
    ({"text": "不属实", "objector": "", "contact": "1" * 51}, ["#/contact", "#/objector"]),
    ({"text": "不属实", "phone": "13812340000"}, ["#/phone"]),
)


async def test_every_fault_of_an_objection_is_listed(
    worker: Database, client: httpx.AsyncClient
) -> None:
    found = await posted(worker)
    for entry, faults in FAULTY:
        answer = await client.post(f"/v1/notices/{found['notice_id']}/objections", json=entry)
        assert answer.status_code == 422
        assert sorted(fault["where"] for fault in answer.json()["errors"]) == faults
    assert (await now(worker, found))["status"] == "posted"


async def test_a_thousand_characters_are_taken(worker: Database, client: httpx.AsyncClient) -> None:
    found = await posted(worker)
    await objects(client, found, text="长" * 1000)


async def test_an_answer_needs_an_outcome_and_a_reason(
    worker: Database, client: httpx.AsyncClient, colleague: httpx.AsyncClient
) -> None:
    found = await posted(worker)
    path = f"/v1/notices/{found['notice_id']}/objections/{await objects(client, found)}/answer"
    for entry in ({}, {"outcome": "lapsed", "reason": "无"}, {"outcome": "upheld", "reason": " "}):
        assert (await colleague.post(path, json=entry)).status_code == 422
    assert (await now(worker, found))["status"] == "objected"


async def test_while_it_is_posted_anew_one_may_object_and_the_objection_stays(
    worker: Database, client: httpx.AsyncClient, colleague: httpx.AsyncClient
) -> None:
    asked = request()
    await receive(worker, asked)
    await run_jobs(worker)
    found = await notice(worker, asked)
    pass_days(7)
    await receive(worker, asked.model_copy(update={"n": 4}), version=2)
    pass_days(3)
    objection_id = await objects(client, found)
    await turn(worker, clock.today())
    await run_jobs(worker)
    again = await now(worker, found)
    assert (again["status"], again["posted_on"]) == ("objected", clock.today())
    shown = (await answers(colleague, found, objection_id, "dismissed")).json()
    assert (shown["status"], shown["last_day"]) == ("posted", f"{again['last_day']}")


async def test_a_notice_goes_along_with_a_household_that_moves(
    worker: Database, client: httpx.AsyncClient, neighbour: httpx.AsyncClient
) -> None:
    found = await posted(worker)
    await objects(client, found)
    moved = household(household_id=found["household_id"], division_code="331102001001")
    async with worker.transaction() as session:
        await on_households(session, [household_event(moved)])
    where = f"/v1/notices/{found['notice_id']}"
    assert (await client.get(where)).status_code == 404
    assert (await neighbour.get(where)).json()["version"] == found["version"] + 1
    assert len((await neighbour.get(f"{where}/objections")).json()["items"]) == 1
