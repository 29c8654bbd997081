"""A finding of dishonesty stands by two signatures and falls by two; nobody next door reads it."""

import asyncio
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from shared import clock
from tests.registry.conftest import OfficeOf
from tests.registry.filing import OTHER_TOWNSHIP, Office, Registry, number, problem
from tests.registry.integrity.records import (
    LIFT_PAPER,
    PAPER,
    SCOPES,
    enter,
    entered,
    lift,
    listed,
    step,
)

NOWHERE = "019a0000-0000-7000-8000-000000000000"


@pytest.fixture
async def office(office_of: OfficeOf) -> Office:
    """The officer who enters."""
    return await office_of(SCOPES)


@pytest.fixture
async def colleague(office_of: OfficeOf) -> Office:
    """The officer who confirms."""
    return await office_of(SCOPES, officer="o2")


async def filed(office: Office, **given: Any) -> tuple[str, str]:
    """A household and its head."""
    household_id = await office.open(**given)
    file = await office.read(household_id)
    return household_id, str(file["members"][0]["person_id"])


async def test_a_record_stands_once_a_colleague_has_confirmed_it(
    registry: Registry, office: Office, colleague: Office
) -> None:
    household_id, head = await filed(office)

    record_id = await entered(office, household_id, head)
    (before,) = await listed(office, household_id)
    problem(await step(office, record_id, "confirm"), 409, "same_officer")
    done = await step(colleague, record_id, "confirm")
    problem(await step(colleague, record_id, "confirm"), 409, "record_not_open")
    problem(await step(office, record_id, "withdraw", reason="x"), 409, "record_not_open")

    assert (before["stage"], before["standing"]) == ("entered", False)
    assert done.status_code == 200, done.text
    shown = ("stage", "standing", "entered_by", "confirmed_by", "confirmed_on", "document")
    assert [done.json()[name] for name in shown] == [
        "standing",
        True,
        "o1",
        "o2",
        clock.today().isoformat(),
        PAPER,
    ]
    assert [action for action, _ in await registry.audited(household_id)][-3:] == [
        "integrity.entered",
        "household.integrity_read",
        "integrity.confirmed",
    ]


async def test_a_lift_takes_two_as_well_and_it_stands_meanwhile(
    registry: Registry, office: Office, colleague: Office
) -> None:
    household_id, head = await filed(office)
    record_id = await entered(office, household_id, head)
    problem(await lift(office, record_id), 409, "record_not_standing")
    await step(colleague, record_id, "confirm")
    problem(await step(office, record_id, "confirm-lift"), 409, "lift_not_entered")
    refused = problem(
        await lift(colleague, record_id, document=" ", reason=""), 422, "document_missing"
    )

    problem(await step(office, record_id, "withdraw-lift"), 409, "lift_not_entered")
    await lift(office, record_id)
    back = (await step(colleague, record_id, "withdraw-lift")).json()
    assert (back["stage"], back["lift_entered_by"], back["lift_reason"]) == ("standing", None, "")
    asked = await lift(colleague, record_id)
    problem(await lift(office, record_id), 409, "record_not_standing")
    problem(await step(colleague, record_id, "confirm-lift"), 409, "same_officer")
    done = await step(office, record_id, "confirm-lift")
    problem(await step(office, record_id, "confirm-lift"), 409, "lift_not_entered")

    assert [each["code"] for each in refused["errors"]] == ["document_missing", "reason_missing"]
    assert (asked.json()["stage"], asked.json()["standing"]) == ("lifting", True)
    shown = ("stage", "standing", "lift_document", "lift_reason", "lift_entered_by", "lifted_by")
    assert [done.json()[name] for name in shown] == [
        "lifted",
        False,
        LIFT_PAPER,
        "已退回多领款项",
        "o2",
        "o1",
    ]
    assert ("integrity.lifted", "o1") in await registry.audited(household_id)


async def test_one_not_borne_out_is_withdrawn_and_never_stands(
    office: Office, colleague: Office
) -> None:
    household_id, head = await filed(office)
    record_id = await entered(office, household_id, head)

    problem(await step(office, record_id, "withdraw", reason=" "), 422, "reason_missing")
    done = await step(office, record_id, "withdraw", reason="查无实据")
    problem(await step(colleague, record_id, "confirm"), 409, "record_not_open")

    assert (done.json()["stage"], done.json()["withdrawn_reason"]) == ("withdrawn", "查无实据")


async def test_every_fault_of_a_finding_is_listed_and_only_people_of_the_file_have_one(
    office: Office,
) -> None:
    household_id, head = await filed(office)

    wrong = {"found_on": "2126-01-01", "valid_until": "2125-01-01", "document": "", "words": " "}
    refused = problem(await enter(office, household_id, head, **wrong), 422, "date_in_future")
    problem(await enter(office, household_id, NOWHERE), 422, "subject_unknown")
    problem(await enter(office, NOWHERE, head), 404, "household_not_found")
    problem(await enter(office, household_id, head, kind="lazy"), 422, "request_invalid")

    assert [each["code"] for each in refused["errors"]] == [
        "date_in_future",
        "validity_missing",
        "document_missing",
        "words_missing",
    ]
    assert await listed(office, household_id) == []


async def test_what_officers_write_is_encrypted(
    registry: Registry, office: Office, colleague: Office
) -> None:
    household_id, head = await filed(office)
    record_id = await entered(office, household_id, head, words="张三丰隐瞒收入")
    await step(colleague, record_id, "confirm")
    await lift(office, record_id, reason="张三丰已退款")

    (row,) = await registry.rows(
        "SELECT * FROM integrity_records WHERE record_id = :id", id=record_id
    )
    stored = b"".join(value for value in row.values() if isinstance(value, bytes))
    assert "张三丰".encode() not in stored
    assert "张三丰" not in str({k: v for k, v in row.items() if not isinstance(v, bytes)})
    assert (await listed(office, household_id))[0]["words"] == "张三丰隐瞒收入"


async def test_an_obligor_has_a_record_too(office: Office) -> None:
    household_id, head = await filed(office)
    body = {"name": "张小山", "id_number": number(), "relation": "son", "person_id": head}
    where = f"/v1/households/{household_id}/obligors"
    obligor = (await office.client.post(where, json=body)).json()

    await entered(office, household_id, obligor["obligor_id"], kind="fraud")

    (record,) = await listed(office, household_id)
    assert (record["subject_kind"], record["kind"]) == ("obligor", "fraud")


async def test_nobody_next_door_or_without_the_right_reads_or_signs(
    registry: Registry, office: Office, office_of: OfficeOf
) -> None:
    household_id, head = await filed(office)
    record_id = await entered(office, household_id, head)
    neighbours = await office_of(f"{SCOPES} pii:read", divisions=("331121",), officer="o9")
    clerk = await office_of("registry.verification:read registry.verification:write")
    nobody = await office_of(SCOPES, officer=None)

    where = f"/v1/households/{household_id}/integrity-records"
    problem(await neighbours.client.get(where), 404, "household_not_found")
    for name, body in (
        ("confirm", {}),
        ("withdraw", {"reason": "x"}),
        ("lift", {"document": "x", "reason": "x"}),
        ("confirm-lift", {}),
        ("withdraw-lift", {}),
    ):
        problem(await step(neighbours, record_id, name, **body), 404, "record_not_found")
        problem(await step(clerk, record_id, name, **body), 403, "scope_missing")
        problem(await step(nobody, record_id, name, **body), 403, "officer_unknown")
    async with registry.api.transaction(divisions=("331121",)) as session:
        seen = await session.scalar(text("SELECT count(*) FROM integrity_records"))
    assert seen == 0


async def test_a_record_moves_with_its_household(office: Office, office_of: OfficeOf) -> None:
    household_id, head = await filed(office)
    await entered(office, household_id, head)
    township = await office_of(SCOPES, divisions=("331124212",), officer="o5")

    await office.change(household_id, valid_from="2026-03-01", division_code=OTHER_TOWNSHIP)

    assert len(await listed(township, household_id)) == 1


@pytest.mark.parametrize("steps", [("confirm", "confirm"), ("confirm", "withdraw")])
async def test_of_two_who_sign_at_once_one_passes(
    registry: Registry,
    office: Office,
    office_of: OfficeOf,
    postgres: str,
    steps: tuple[str, str],
) -> None:
    household_id, head = await filed(office)
    record_id = await entered(office, household_id, head)
    both = [await office_of(SCOPES, officer=officer) for officer in ("o2", "o3")]

    async with registry.worker.transaction() as session:
        held = text("SELECT 1 FROM integrity_records WHERE record_id = :id FOR UPDATE")
        await session.execute(held, {"id": record_id})
        signing: list[asyncio.Future[httpx.Response]] = []
        for one, name in zip(both, steps, strict=True):
            body = {"reason": "查无实据"} if name == "withdraw" else {}
            signing.append(asyncio.ensure_future(step(one, record_id, name, **body)))
        await registry.until_waiting(postgres, 2)
    answers = await asyncio.gather(*signing)

    passed = [answer.status_code == 200 for answer in answers]
    assert sorted(passed) == [False, True]
    problem(answers[passed.index(False)], 409, "record_not_open")
