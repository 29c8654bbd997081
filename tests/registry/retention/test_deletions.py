"""Raw answers past keeping go once two officers have signed, and nothing else does (section 7)."""

import asyncio
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from services.registry.retention import jobs, rules
from shared import clock
from shared.job_rows import find
from shared.jobs import JobFailedError, Step
from tests.registry.conftest import OfficeOf
from tests.registry.filing import Office, Registry, problem
from tests.registry.verification.conftest import changed
from tests.registry.verification.test_reports import Case

RIGHTS = "registry.retention:read registry.retention:write registry.retention:approve"
WHERE = "/v1/answer-deletions"
BEFORE = rules.used_before(clock.today(), 2)
MIDNIGHT = datetime.combine(BEFORE, time(), ZoneInfo("Asia/Shanghai"))
LAST_MOMENT = MIDNIGHT - timedelta(microseconds=1)


@pytest.fixture
async def first(office_of: OfficeOf) -> Office:
    return await office_of(RIGHTS, divisions=("331124",), officer="r1")


@pytest.fixture
async def second(office_of: OfficeOf) -> Office:
    return await office_of(RIGHTS, divisions=("331124",), officer="r2")


async def asked(office: Office) -> dict[str, Any]:
    body = {"division_code": "331124", "reason": "保存期满"}
    answer = await office.client.post(WHERE, json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def approved(first: Office, second: Office) -> dict[str, Any]:
    deletion = await asked(first)
    answer = await second.client.post(f"{WHERE}/{deletion['deletion_id']}/approve", json={})
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


async def carried_out(registry: Registry, deletion: dict[str, Any]) -> Step:
    """Run the job of a deletion to its end, chunk by chunk."""
    async with registry.worker.transaction() as session:
        job = await find(session, UUID(deletion["job_id"]))
    assert job is not None
    while True:
        async with registry.worker.transaction() as session:
            step = await jobs.delete_answers(session, job)
        if step.finished:
            return step
        told = {"cursor": step.cursor, "done": step.done, "total": step.total}
        job = replace(job, **told)


async def answers_of(registry: Registry, case: Case) -> list[bool]:
    """Whether each answered question still has its answer."""
    rows = await registry.rows(
        "SELECT answer_encrypted IS NOT NULL AS there FROM verification_items "
        "WHERE verification_id = :id AND state = 'answered' ORDER BY source",
        id=UUID(case.made["verification_id"]),
    )
    return [row["there"] for row in rows]


async def aged(registry: Registry, case: Case, moment: datetime = LAST_MOMENT) -> None:
    """Let its answers have come then, and its reports have been made on that day."""
    its = case.made["verification_id"]
    for order in (
        "UPDATE verification_items SET answered_at = $2 WHERE verification_id = $1",
        (
            "UPDATE verification_reports SET made_at = $2, "
            "made_on = ($2 AT TIME ZONE 'Asia/Shanghai')::date WHERE verification_id = $1"
        ),
    ):
        await changed(registry, order, its, moment)


async def answered(case: Case) -> None:
    """Both sources answer, without a doubt."""
    await case.said("bank", over_limit=False)
    await case.said("vehicle", vehicles=[{"plate": "浙K1", "status": "scrapped"}])


@pytest.mark.parametrize(
    ("today", "years", "before"),
    [
        (date(2026, 11, 25), 2, date(2024, 11, 25)),
        (date(2028, 2, 29), 2, date(2026, 2, 28)),
        (date(2028, 2, 29), 4, date(2024, 2, 29)),
        (date(2026, 3, 1), 1, date(2025, 3, 1)),
    ],
)
def test_the_day_before_which_answers_were_last_used(today: date, years: int, before: date) -> None:
    assert rules.used_before(today, years) == before


async def test_two_officers_sign_and_the_answers_alone_go(
    registry: Registry, case: Case, first: Office, second: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "CHUNK", 2)
    await answered(case)
    report = (await case.report()).json()
    await aged(registry, case)

    deletion = await asked(first)
    assert (deletion["used_before"], deletion["past_keeping"]) == (BEFORE.isoformat(), 2)
    where = f"{WHERE}/{deletion['deletion_id']}/approve"
    problem(await first.client.post(where, json={}), 409, "same_officer")
    assert await answers_of(registry, case) == [True, True]
    signed = (await second.client.post(where, json={})).json()
    assert (await second.client.post(where, json={})).json()["job_id"] == signed["job_id"]
    step = await carried_out(registry, signed)

    assert await answers_of(registry, case) == [False, False]
    assert step.result == {"deleted": 2}
    assert step.done == step.total
    told = (await first.client.get(f"{WHERE}/{deletion['deletion_id']}")).json()
    assert (told["deleted"], told["past_keeping"]) == (2, 0)
    assert told["done_at"] is not None
    again = await carried_out(registry, signed)
    assert again.result == {"deleted": 2}
    assert await registry.audited(deletion["deletion_id"]) == [
        ("answer_deletion.requested", "r1"),
        ("answer_deletion.approved", "r2"),
        ("answer_deletion.carried_out", None),
    ]
    shown = await case.desk.shown(case.made)
    assert {each["state"] for each in shown["items"]} == {"answered"}
    kept = await case.desk.office.client.get(f"/v1/verification-reports/{report['report_id']}")
    assert kept.status_code == 200, kept.text
    problem(await case.report(), 409, "answers_deleted")


async def test_the_last_day_of_keeping(
    registry: Registry, case: Case, first: Office, second: Office
) -> None:
    await answered(case)
    await aged(registry, case, MIDNIGHT)
    await carried_out(registry, await approved(first, second))
    assert await answers_of(registry, case) == [True, True]

    await aged(registry, case)
    await carried_out(registry, await approved(first, second))
    assert await answers_of(registry, case) == [False, False]


async def test_a_report_made_since_keeps_them(
    registry: Registry, case: Case, first: Office, second: Office
) -> None:
    await answered(case)
    assert (await case.report()).status_code == 201
    await aged(registry, case)
    its = case.made["verification_id"]
    order = "UPDATE verification_reports SET made_on = $2 WHERE verification_id = $1"
    await changed(registry, order, its, BEFORE)

    await carried_out(registry, await approved(first, second))
    assert await answers_of(registry, case) == [True, True]

    await changed(registry, order, its, BEFORE - timedelta(days=1))
    await carried_out(registry, await approved(first, second))
    assert await answers_of(registry, case) == [False, False]


async def test_an_open_doubt_or_a_running_question_keeps_them(
    registry: Registry, case: Case, first: Office, second: Office
) -> None:
    await case.said("bank", over_limit=True)
    await aged(registry, case)
    its = case.made["verification_id"]
    running = "UPDATE verification_items SET state = $2 WHERE verification_id = $1 AND source = $3"
    (doubt,) = await case.doubts()

    await carried_out(registry, await approved(first, second))
    assert await answers_of(registry, case) == [True]

    await case.settle(doubt["doubt_id"])
    await changed(registry, running, its, "sent", "vehicle")
    await carried_out(registry, await approved(first, second))
    assert await answers_of(registry, case) == [True]

    await changed(registry, running, its, "not_returned", "vehicle")
    await carried_out(registry, await approved(first, second))
    assert await answers_of(registry, case) == [False]


async def test_of_two_who_approve_at_once_one_does(
    registry: Registry, first: Office, second: Office, office_of: OfficeOf
) -> None:
    third = await office_of(RIGHTS, divisions=("331124",), officer="r3")
    deletion = await asked(first)
    where = f"{WHERE}/{deletion['deletion_id']}/approve"

    told = await asyncio.gather(*(each.client.post(where, json={}) for each in (second, third)))

    assert sorted(each.status_code for each in told) == [202, 409]
    rows = await registry.rows(
        "SELECT count(*) AS n FROM jobs WHERE arguments ->> 'deletion_id' = :id",
        id=deletion["deletion_id"],
    )
    assert rows == [{"n": 1}]


async def test_nothing_of_another_county_is_touched_or_shown(
    registry: Registry, case: Case, first: Office, office_of: OfficeOf
) -> None:
    await answered(case)
    await aged(registry, case)
    rights = {"divisions": ("331121",)}
    one, two = [await office_of(RIGHTS, officer=name, **rights) for name in ("n1", "n2")]
    ours = await asked(first)
    body = {"division_code": "331121", "reason": "保存期满"}

    problem(await one.client.get(f"{WHERE}/{ours['deletion_id']}"), 404, "deletion_not_found")
    problem(
        await one.client.post(f"{WHERE}/{ours['deletion_id']}/approve", json={}),
        404,
        "deletion_not_found",
    )
    problem(
        await one.client.post(WHERE, json=body | {"division_code": "331124"}),
        403,
        "division_forbidden",
    )
    theirs = (await one.client.post(WHERE, json=body)).json()
    listed = (await one.client.get(WHERE)).json()["items"]
    assert {each["division_code"] for each in listed} == {"331121"}
    answer = await two.client.post(f"{WHERE}/{theirs['deletion_id']}/approve", json={})
    await carried_out(registry, answer.json())

    assert await answers_of(registry, case) == [True, True]


async def test_it_needs_a_reason_and_a_time_of_keeping(
    registry: Registry, first: Office, office_of: OfficeOf
) -> None:
    body = {"division_code": "331124", "reason": " "}
    problem(await first.client.post(WHERE, json=body), 422, "reason_missing")
    reader = await office_of("registry.retention:read", divisions=("331124",), officer="r9")
    problem(await reader.client.post(WHERE, json=body), 403, "scope_missing")
    city = await office_of(RIGHTS, divisions=("3311",), officer="g1")
    body = {"division_code": "331100", "reason": "保存期满"}
    problem(await city.client.post(WHERE, json=body), 422, "county_wanted")
    hangzhou = (
        "INSERT INTO divisions (code, name, level, valid_from) "
        "VALUES ('330102', '上城区', 'county', '2021-04-09')"
    )
    await changed(registry, hangzhou)
    elsewhere = await office_of(RIGHTS, divisions=("330102",), officer="h1")
    body = {"division_code": "330102", "reason": "保存期满"}
    problem(await elsewhere.client.post(WHERE, json=body), 422, "parameter_missing")


async def test_a_job_without_a_signature_deletes_nothing(
    registry: Registry, first: Office, second: Office
) -> None:
    deletion = await approved(first, second)
    order = "UPDATE answer_deletions SET approved_by = NULL WHERE deletion_id = $1"
    await changed(registry, order, deletion["deletion_id"])
    with pytest.raises(JobFailedError, match="deletion_not_approved"):
        await carried_out(registry, deletion)
