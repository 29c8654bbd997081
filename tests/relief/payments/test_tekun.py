"""Tekun is paid by runs like dibao, to institutions too, and nobody has both for one month."""

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx
import pytest

from deploy.local.provision import ServiceDatabase
from services.relief.payments import actions, queries
from services.relief.payments.rules import Programme, people_of_tekun
from shared import clock
from shared.contracts.assistance import Assistance
from shared.contracts.registry import Relation
from shared.db import Database
from tests.conftest import ClientOf
from tests.relief.payments.conftest import Order
from tests.relief.support import (
    ASSISTED,
    COUNTY,
    SCOPES,
    blocked,
    payments,
    receive,
    rows,
    run_jobs,
    set_figure,
)
from tests.relief.tekun.support import (
    TODAY,
    confirmed,
    institution,
    person_of,
    placing,
    tekun_household,
)
from tests.support.builders import household, member
from tests.support.places import load_divisions
from tests.support.waiting import until

H1, A, B = UUID(int=1), UUID(int=2), UUID(int=3)


@pytest.fixture(autouse=True)
async def figures(line: None, worker: Database) -> None:
    """Beside the line of 1,150: the basic part is 1,495."""
    for key, value in (
        ("minimum_wage", "2490"),
        ("tekun.basic_multiple", "1.3"),
        ("tekun.care.able", "0.1"),
        ("tekun.care.partly", "0.3"),
        ("tekun.care.lost", "0.5"),
    ):
        await set_figure(worker, key, value, clock.add_months(TODAY, -12), "331100")


@pytest.fixture
async def colleague(relief: ServiceDatabase, client_of: ClientOf) -> httpx.AsyncClient:
    """A second officer of the county."""
    await load_divisions(relief)
    return await client_of("relief", relief, scopes=SCOPES, officer="o2", divisions=(COUNTY,))


@pytest.mark.parametrize(
    ("programme", "on_tekun", "held_up"),
    [
        (Programme.DIBAO, set(), {}),
        (Programme.DIBAO, {B}, {H1: [B]}),
        (Programme.DIBAO, {B, A}, {H1: [A, B]}),
        (Programme.TEKUN, {A, B}, {}),
    ],
)
def test_tekun_comes_before_dibao(
    programme: Programme, on_tekun: set[UUID], held_up: dict[UUID, Sequence[UUID]]
) -> None:
    assert people_of_tekun(programme, {H1: [B, A]}, on_tekun) == held_up


async def test_everyone_due_is_paid_once_and_announced(
    client: httpx.AsyncClient, colleague: httpx.AsyncClient, worker: Database, pay: Order
) -> None:
    looked_at, not_yet, dibao = tekun_household(), tekun_household(), household()
    await receive(worker, looked_at, not_yet, dibao)
    await confirmed(client, colleague, looked_at, failed=2)
    await run_jobs(worker)
    run = await pay(programme="tekun")
    assert (run["programme"], run["payments"], run["exceptions"]) == ("tekun", 2, 0)
    assert run["total_yuan"] == "3737.00"
    paid = {row["payee_household_id"]: row for row in await payments(worker)}
    assert {key: row["amount"] for key, row in paid.items()} == {
        looked_at.household_id: Decimal(1495 + 747),
        not_yet.household_id: Decimal(1495),
    }
    assert {(row["fund"], row["payee_institution_id"]) for row in paid.values()} == {
        ("tekun", None)
    }
    told = [Assistance.model_validate_json(row["data"]) for row in await rows(worker, ASSISTED)]
    assert {(each.programme, each.fund) for each in told} == {("tekun", "tekun")}
    assert {each.person_ids for each in told} == {
        (person_of(state).person_id,) for state in (looked_at, not_yet)
    }
    again = await pay(programme="tekun")
    assert (again["payments"], again["exceptions"]) == (0, 0)
    assert (await pay())["payments"] == 1, "dibao is a run of its own"


async def test_every_payment_s_grant_is_one_of_its_programme(
    worker: Database, pay: Order, client: httpx.AsyncClient
) -> None:
    tekun, dibao = tekun_household(), household()
    await receive(worker, tekun, dibao)
    await pay(programme="tekun")
    await pay()
    listed = (await client.get("/v1/payments")).json()["items"]
    for payment in listed:
        kind = "tekun-grants" if payment["programme"] == "tekun" else "grants"
        grant = (await client.get(f"/v1/{kind}/{payment['grant_id']}")).json()
        assert (grant["household_id"], grant["amount"]) == (
            payment["payee_household_id"],
            payment["amount"],
        )
    assert len(listed) == 2


async def test_an_institution_is_paid_for_who_lives_there(
    client: httpx.AsyncClient, colleague: httpx.AsyncClient, worker: Database, pay: Order
) -> None:
    state = tekun_household()
    await receive(worker, state)
    home = await institution(client, colleague)
    path = f"/v1/households/{state.household_id}/tekun-supports"
    assert (await client.post(path, json=placing(state, home))).status_code == 201
    await pay(programme="tekun")
    (listed,) = (await client.get("/v1/payments")).json()["items"]
    assert (listed["payee_institution_id"], listed["amount"]) == (home, "1495.00")
    earlier = await pay(programme="tekun", month=f"{clock.month_of(TODAY):%Y-%m}")
    assert earlier["payments"] == 1
    (before,) = [row for row in await payments(worker) if row["month"] == clock.month_of(TODAY)]
    assert before["payee_institution_id"] is None, "he lived at home until today"


async def test_brothers_in_different_places_are_left_to_an_officer(
    client: httpx.AsyncClient, colleague: httpx.AsyncClient, worker: Database, pay: Order
) -> None:
    state = tekun_household(members=[member(), member(Relation.SIBLING)])
    await receive(worker, state)
    home = await institution(client, colleague)
    await client.post(
        f"/v1/households/{state.household_id}/tekun-supports", json=placing(state, home)
    )
    run = await pay(programme="tekun")
    assert (run["payments"], run["exceptions"]) == (0, 1)
    found = await client.get(f"/v1/payment-runs/{run['run_id']}/exceptions")
    (listed,) = found.json()["items"]
    assert (listed["household_id"], listed["code"]) == (str(state.household_id), "payees_differ")


@pytest.mark.parametrize("order", [("dibao", "tekun"), ("tekun", "dibao")])
async def test_who_is_tekun_is_paid_as_such_whichever_run_comes_first(
    worker: Database, pay: Order, client: httpx.AsyncClient, order: tuple[str, str]
) -> None:
    father = member()
    own = tekun_household(members=[father])
    son_s = household(members=[member(), father])
    bystander = household()
    await receive(worker, own, son_s, bystander)
    runs = {programme: await pay(programme=programme) for programme in order}
    assert (runs["tekun"]["payments"], runs["tekun"]["exceptions"]) == (1, 0)
    assert (runs["dibao"]["payments"], runs["dibao"]["exceptions"]) == (1, 1)
    found = await client.get(f"/v1/payment-runs/{runs['dibao']['run_id']}/exceptions")
    (listed,) = found.json()["items"]
    assert (listed["household_id"], listed["code"]) == (
        str(son_s.household_id),
        "person_on_tekun",
    )
    assert listed["detail"] == {"person_ids": [str(father.person_id)]}
    paid = {row["payee_household_id"] for row in await payments(worker)}
    assert paid == {own.household_id, bystander.household_id}


async def test_once_the_father_is_out_of_it_the_dibao_household_is_paid(
    worker: Database, pay: Order
) -> None:
    """Golden case: the tekun person leaves n of the dibao household."""
    father, son = member(), member()
    own, son_s = tekun_household(members=[father]), household(members=[son, father])
    await receive(worker, own, son_s)
    await pay()
    apart = son_s.model_copy(update={"members": (son,), "n": 1})
    await receive(worker, apart, version=2)
    assert (await pay())["payments"] == 1
    assert (await pay(programme="tekun"))["payments"] == 1


async def test_a_month_already_paid_as_dibao_is_not_paid_as_tekun(
    worker: Database, pay: Order, month: str
) -> None:
    """The claim stands behind the look: it was dibao when it was paid and tekun afterwards."""
    father = member()
    before = household(members=[father])
    await receive(worker, before)
    assert (await pay())["payments"] == 1
    await receive(worker, tekun_household(members=[father]))
    run = await pay(programme="tekun")
    assert (run["payments"], run["exceptions"]) == (0, 1)
    (exception,) = await rows(worker, "SELECT code FROM payment_exceptions")
    assert exception["code"] == "person_already_paid"


async def _order(asking: httpx.AsyncClient, month: str, programme: str) -> UUID:
    order = {"programme": programme, "month": month, "division": COUNTY}
    answer = await asking.post("/v1/payment-runs", json=order)
    assert answer.status_code == 202, answer.text
    return UUID(answer.json()["run_id"])


async def _pay_held(worker: Database, run_id: UUID, household_ids: list[UUID]) -> int:
    async with worker.transaction() as session:
        run: Any = await queries.run_by_id(session, run_id, ("",))
        return await actions.pay_households(session, run, household_ids)


async def test_a_run_of_each_at_once_pays_the_person_by_one_of_them(
    client: httpx.AsyncClient, worker: Database, month: str
) -> None:
    """He becomes tekun while dibao is being paid: the second claim waits and is then refused."""
    father = member()
    son_s = household(members=[member(), father])
    await receive(worker, son_s)
    dibao, tekun = await _order(client, month, "dibao"), await _order(client, month, "tekun")
    own = tekun_household(members=[father])
    async with worker.transaction() as session:
        run: Any = await queries.run_by_id(session, dibao, ("",))
        assert await actions.pay_households(session, run, [son_s.household_id]) == 1
        await receive(worker, own)
        waiting = asyncio.create_task(_pay_held(worker, tekun, [own.household_id]))
        await until(lambda: blocked(worker), what="the tekun run to wait for the dibao run")
    assert await waiting == 0
    (paid,) = await payments(worker)
    assert paid["programme"] == "dibao"
    claims = await rows(worker, "SELECT person_id, count(*) FROM payment_beneficiaries GROUP BY 1")
    assert {row["count"] for row in claims} == {1}


async def test_two_runs_of_tekun_at_once_pay_it_once(
    client: httpx.AsyncClient, worker: Database, month: str
) -> None:
    state = tekun_household()
    await receive(worker, state)
    first, second = [await _order(client, month, "tekun") for _ in range(2)]
    async with worker.transaction() as session:
        run: Any = await queries.run_by_id(session, first, ("",))
        assert await actions.pay_households(session, run, [state.household_id]) == 1
        waiting = asyncio.create_task(_pay_held(worker, second, [state.household_id]))
        await until(lambda: blocked(worker), what="the second run to wait for the first")
    assert await waiting == 0
    assert len(await payments(worker)) == 1
