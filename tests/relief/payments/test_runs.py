"""A month's run: everyone due, once, to the fen, and announced."""

import json
from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import pytest

from deploy.local.provision import ServiceDatabase
from services.relief.payments import jobs
from shared import clock
from shared.contracts.assistance import Assistance, AssistanceEvent, AssistanceStatus
from shared.contracts.registry import Category, Relation
from shared.db import Database
from shared.identity import new_id
from tests.conftest import ClientOf
from tests.relief.payments.conftest import Order
from tests.relief.support import ASSISTED, COUNTY, lifted, payments, receive, rows, with_periods
from tests.support.builders import household, member


async def test_everyone_due_is_paid_once_and_announced(
    worker: Database, pay: Order, month: str
) -> None:
    family = household(members=[member(), member()], wage="9999.99")
    alone, nothing = household(), household(wage="13800")
    gone = lifted(household(), date(2026, 5, 5))
    await receive(worker, family, alone, nothing, gone)
    run = await pay()
    assert (run["payments"], run["exceptions"], run["total_yuan"]) == (2, 0, "2117.00")
    assert (run["programme"], run["month"], run["division"]) == ("dibao", month, COUNTY)
    assert run["created_by"] == "o1"

    paid = await payments(worker)
    assert {row["payee_household_id"]: row["amount"] for row in paid} == {
        family.household_id: Decimal(1467),
        alone.household_id: Decimal(650),
    }
    assert sum(row["amount"] for row in paid) == Decimal(run["total_yuan"])
    assert {(row["status"], row["fund"], row["version"]) for row in paid} == {
        ("approved", "dibao", 1)
    }
    people = await rows(worker, "SELECT person_id FROM payment_beneficiaries")
    assert {row["person_id"] for row in people} == {
        person.person_id for state in (family, alone) for person in state.members
    }
    (line,) = await rows(worker, "SELECT * FROM audit_log WHERE action = 'payment_run.ordered'")
    assert (line["subject_id"], line["officer_id"]) == (run["run_id"], "o1")


async def test_who_does_not_count_is_no_beneficiary(worker: Database, pay: Order) -> None:
    """R1: a son in prison stays in the file, and is neither reckoned nor paid for."""
    father, son = member(), member(Relation.SON, counted=False)
    await receive(worker, household(members=[father, son], n=1))
    await pay()
    people = await rows(worker, "SELECT person_id FROM payment_beneficiaries")
    assert [row["person_id"] for row in people] == [father.person_id]
    (event,) = await rows(worker, ASSISTED)
    assert Assistance.model_validate_json(event["data"]).person_ids == (father.person_id,)


async def test_each_payment_is_an_event_that_reads_as_its_contract(
    worker: Database, pay: Order, month: str
) -> None:
    family = household(members=[member(), member()])
    await receive(worker, family)
    await pay()
    (event,) = await rows(worker, ASSISTED)
    (payment,) = await payments(worker)
    assert (event["topic"], event["type"]) == ("relief.assistance", AssistanceEvent.ASSISTED)
    assert (event["subject"], event["key"]) == (
        str(payment["payment_id"]),
        str(family.household_id),
    )
    assert (event["source"], event["aggregate_version"]) == ("/relief", 1)
    told = Assistance.model_validate_json(event["data"])
    assert told == Assistance(
        assistance_id=payment["payment_id"],
        household_id=family.household_id,
        person_ids=tuple(sorted(person.person_id for person in family.members)),
        programme="dibao",
        status=AssistanceStatus.APPROVED,
        amount=Decimal("1800.00"),
        fund="dibao",
        month=date.fromisoformat(f"{month}-01"),
        granted_on=clock.today(),
    )
    waiting = await rows(worker, "SELECT 1 FROM outbox WHERE event_id = :id", id=event["id"])
    assert len(waiting) == 1


async def test_a_second_run_pays_only_who_became_due_since(worker: Database, pay: Order) -> None:
    first, second = household(), household()
    await receive(worker, first)
    assert (await pay())["payments"] == 1
    again = await pay()
    assert (again["payments"], again["exceptions"], again["total_yuan"]) == (0, 0, "0.00")
    await receive(worker, second)
    run = await pay()
    assert (run["payments"], run["exceptions"], run["total_yuan"]) == (1, 0, "650.00")
    assert len(await payments(worker)) == 2
    assert len(await rows(worker, ASSISTED)) == 2


async def test_each_month_is_paid_by_itself(worker: Database, pay: Order) -> None:
    await receive(worker, household())
    for month in ("2026-03", "2026-04", "2026-05"):
        assert (await pay(month=month))["payments"] == (0 if month == "2026-03" else 1)


async def test_a_paid_month_stays_paid_and_explained_when_its_grant_is_superseded(
    worker: Database, pay: Order
) -> None:
    state = household()
    await receive(worker, state)
    await pay(month="2026-05")
    never = state.periods[0].model_copy(update={"category": Category.TEKUN})
    await receive(worker, with_periods(state, never), version=2)
    assert (await pay(month="2026-05"))["payments"] == 0
    (paid,) = await payments(worker)
    (why,) = await rows(
        worker,
        "SELECT amount, superseded_at FROM dibao_grants WHERE grant_id = :id",
        id=paid["grant_id"],
    )
    assert why["amount"] == paid["amount"] == 650
    assert why["superseded_at"] is not None


async def test_a_person_already_paid_for_elsewhere_is_an_exception(
    worker: Database, pay: Order, client: httpx.AsyncClient
) -> None:
    daughter = member()
    parents = household(members=[member(), daughter])
    own = household(members=[member(), daughter, member()])
    bystander = household()
    await receive(worker, parents)
    await pay()
    await receive(worker, own, bystander)
    run = await pay()
    assert (run["payments"], run["exceptions"], run["total_yuan"]) == (1, 1, "650.00")
    found = await client.get(f"/v1/payment-runs/{run['run_id']}/exceptions")
    (listed,) = found.json()["items"]
    assert (listed["household_id"], listed["code"]) == (
        str(own.household_id),
        "person_already_paid",
    )
    assert listed["detail"] == {"person_ids": [str(daughter.person_id)]}
    people = await rows(worker, "SELECT person_id FROM payment_beneficiaries")
    assert sorted(row["person_id"] for row in people) == sorted(
        person.person_id for state in (parents, bystander) for person in state.members
    ), "what the blocked household had claimed is given back"


async def test_two_due_households_with_one_person_in_common_are_not_both_paid(
    worker: Database, pay: Order
) -> None:
    shared_person = member()
    await receive(
        worker,
        household(members=[member(), shared_person]),
        household(members=[shared_person, member()]),
    )
    run = await pay()
    assert (run["payments"], run["exceptions"]) == (1, 1)


@pytest.mark.parametrize("chunk", [1, 2, 3, 100])
async def test_chunks_leave_nobody_out_and_sum_to_the_fen(
    worker: Database, pay: Order, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(jobs, "CHUNK", chunk)
    # 1150, 984, 817, 650, 484, 317, 150 and, above the line, nothing
    states = [household(wage=str(wage)) for wage in range(0, 14001, 2000)]
    await receive(worker, *states)
    run = await pay()
    (summed,) = await rows(worker, "SELECT sum(amount) AS yuan, count(*) AS n FROM payments")
    assert run["total_yuan"] == str(summed["yuan"]) == "4552.00"
    assert run["payments"] == summed["n"] == 7
    (job,) = await rows(worker, "SELECT * FROM jobs")
    assert (job["done"], job["total"]) == (8, 8)
    assert job["result"] == {"run_id": run["run_id"], "paid": 7}


async def test_a_month_later_than_next_month_is_refused(
    client: httpx.AsyncClient, worker: Database
) -> None:
    for ahead in (2, 12):
        month = f"{clock.add_months(clock.month_of(clock.today()), ahead):%Y-%m}"
        order = {"programme": "dibao", "month": month, "division": COUNTY}
        answer = await client.post("/v1/payment-runs", json=order)
        assert (answer.status_code, answer.json()["code"]) == (422, "month_too_late")
    for table in ("payment_runs", "jobs", "audit_log"):
        assert await rows(worker, f"SELECT 1 FROM {table}") == []  # noqa: S608 (names above)


async def test_a_malformed_order_is_refused(client: httpx.AsyncClient, month: str) -> None:
    for changes in (
        {"programme": "temporary"},
        {"month": "2026-12-01"},
        {"division": "33112"},
        {"division": ""},
        {"division": "３３１１２４"},
        {"fund": "x"},
    ):
        order = {"programme": "dibao", "month": month, "division": COUNTY} | changes
        answer = await client.post("/v1/payment-runs", json=order)
        assert answer.status_code in {400, 422}
        assert answer.json()["errors"]


async def test_nobody_orders_a_run_outside_their_divisions(
    client: httpx.AsyncClient, worker: Database, month: str
) -> None:
    for division in ("331102", "3311", "331100"):
        order = {"programme": "dibao", "month": month, "division": division}
        answer = await client.post("/v1/payment-runs", json=order)
        assert (answer.status_code, answer.json()["code"]) == (403, "division_not_covered")
    assert await rows(worker, "SELECT 1 FROM jobs") == []


async def test_ordering_and_reading_need_their_scopes(
    relief: ServiceDatabase, client_of: ClientOf, month: str
) -> None:
    reader = await client_of("relief", relief, scopes="relief.payments:read")
    order = {"programme": "dibao", "month": month, "division": COUNTY}
    answer = await reader.post("/v1/payment-runs", json=order)
    assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")
    stranger = await client_of("relief", relief, scopes="relief.dibao:read")
    for path in ("payments", f"payment-runs/{new_id()}", f"payment-runs/{new_id()}/exceptions"):
        assert (await stranger.get(f"/v1/{path}")).status_code == 403


async def test_a_township_s_run_pays_the_township_alone(worker: Database, pay: Order) -> None:
    here, there = household(), household(division_code="331124101201")
    await receive(worker, here, there)
    assert (await pay(division="331124100"))["payments"] == 1
    assert (await pay())["payments"] == 1
    assert len(await payments(worker)) == 2


async def test_payments_are_found_by_run_household_and_month(
    worker: Database, pay: Order, client: httpx.AsyncClient
) -> None:
    states = [household() for _ in range(3)]
    await receive(worker, *states)
    first, second = await pay(month="2026-05"), await pay(month="2026-06")
    asked: list[tuple[dict[str, Any], int]] = [
        ({}, 6),
        ({"run": first["run_id"]}, 3),
        ({"month": "2026-06"}, 3),
        ({"household": str(states[0].household_id)}, 2),
        ({"household": str(states[0].household_id), "run": second["run_id"]}, 1),
        ({"month": "2026-07"}, 0),
    ]
    for question, count in asked:
        found: list[str] = []
        cursor: dict[str, str] = {}
        while True:
            answer = await client.get("/v1/payments", params=question | cursor | {"limit": 2})
            found += [item["payment_id"] for item in answer.json()["items"]]
            if answer.json()["next_cursor"] is None:
                break
            cursor = {"cursor": answer.json()["next_cursor"]}
        assert len(found) == len(set(found)) == count, question
    looked = await rows(worker, "SELECT 1 FROM audit_log WHERE action = 'payments.read'")
    assert len(looked) == 15


async def test_the_same_order_sent_twice_is_one_run(
    client: httpx.AsyncClient, worker: Database, month: str
) -> None:
    order = {"programme": "dibao", "month": month, "division": COUNTY}
    key = {"Idempotency-Key": "once"}
    answers = [await client.post("/v1/payment-runs", json=order, headers=key) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json() == answers[1].json()
    assert len(await rows(worker, "SELECT 1 FROM payment_runs")) == 1
    assert len(await rows(worker, "SELECT 1 FROM jobs")) == 1


async def test_a_payment_s_event_holds_ids_codes_money_and_dates_only(
    worker: Database, pay: Order
) -> None:
    await receive(worker, household())
    await pay()
    (event,) = await rows(worker, ASSISTED)
    assert set(json.loads(event["data"])) == {
        "assistance_id",
        "household_id",
        "person_ids",
        "programme",
        "status",
        "amount",
        "fund",
        "month",
        "granted_on",
    }
