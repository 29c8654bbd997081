"""What bills come to on a real database: worked examples, the cap, lists and explanations."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from services.relief.medical.explanations import read
from shared import clock
from shared.contracts.registry import Category
from shared.db import Database
from tests.relief.medical.facts import period
from tests.relief.medical.support import grants, line, only, settle, totals, years
from tests.relief.support import COUNTY, lifted, receive, rows, with_periods
from tests.support.builders import IDENTIFIED_ON, household, member


@pytest.mark.parametrize(
    ("category", "amount"),
    [("tekun", "17000"), ("dibao", "11900"), ("dibao_marginal", "9000"), ("group_4600", "0")],
)
async def test_the_worked_examples(
    client: httpx.AsyncClient, worker: Database, category: str, amount: str
) -> None:
    state = household(category=Category(category))
    await receive(worker, state)
    await settle(client, worker, line(state, settlement_no="A1"))
    (grant,) = await grants(worker)
    reason = "assisted" if Decimal(amount) else "parameter_missing"
    assert (grant["amount"], grant["reason"]) == (Decimal(amount), reason)


async def test_the_last_5000_of_the_cap(client: httpx.AsyncClient, worker: Database) -> None:
    state = household()
    await receive(worker, state)
    base = str(Decimal(75000) / Decimal("0.7") + Decimal("0.005"))[:9]
    await settle(client, worker, only(state, base, settlement_no="A1"))
    assert await totals(worker) == {"A1": Decimal("75000.00")}
    await settle(client, worker, line(state, settlement_no="A2"), line(state, settlement_no="A3"))
    found = await totals(worker)
    assert sorted(found.values()) == [Decimal(0), Decimal(5000), Decimal(75000)]
    assert await years(worker) == [(Decimal(80000), Decimal(80000))]


async def test_another_year_has_its_own_cap(client: httpx.AsyncClient, worker: Database) -> None:
    last_year = clock.today().replace(month=1, day=1) - timedelta(days=1)
    periods = [period(last_year - timedelta(days=30), Category.TEKUN)]
    state = with_periods(household(), *periods)
    await receive(worker, state)
    await settle(
        client,
        worker,
        only(state, "90000", discharged_on=last_year.isoformat()),
        only(state, "90000", discharged_on=clock.today().isoformat()),
    )
    assert await years(worker) == [(Decimal(80000), Decimal(80000))] * 2


async def test_each_person_has_a_cap_of_his_own(
    client: httpx.AsyncClient, worker: Database
) -> None:
    one, other = member(), member()
    await receive(worker, household(members=[one, other], category=Category.TEKUN))
    await settle(client, worker, *(only(each.person_id, "90000") for each in (one, other)))
    assert await years(worker) == [(Decimal(80000), Decimal(80000))] * 2


async def test_tags_count_as_well(client: httpx.AsyncClient, worker: Database) -> None:
    periods = [period(IDENTIFIED_ON, Category.DIBAO_MARGINAL, tags=(Category.TEKUN,))]
    state = with_periods(household(), *periods)
    await receive(worker, state)
    await settle(client, worker, line(state))
    (grant,) = await grants(worker)
    assert (grant["amount"], grant["category"]) == (Decimal(17000), "tekun")


async def test_lifted_the_day_before_the_discharge(
    client: httpx.AsyncClient, worker: Database
) -> None:
    day = clock.today() - timedelta(days=30)
    for shift, reason in ((0, "lifted"), (1, "assisted")):
        state = lifted(household(), day + timedelta(days=shift))
        await receive(worker, state)
        await settle(client, worker, line(state))
        assert (await grants(worker))[-1]["reason"] == reason


async def test_an_amount_is_explained_and_decides_the_same_again(
    client: httpx.AsyncClient, worker: Database
) -> None:
    state = household()
    await receive(worker, state)
    await settle(client, worker, line(state))
    (stored,) = await grants(worker)
    answer = await client.get(f"/v1/medical-grants/{stored['grant_id']}")
    assert answer.status_code == 200, answer.text
    explanation = answer.json()["explanation"]
    assert explanation["clauses"] == ["C15", "R20"]
    assert explanation["terms"][0]["ratio"]["document_number"] == "丽民〔2020〕1号"
    assert explanation["text"].endswith("本次结算应救助11900元。")
    assert read(stored["basis"]).amount == stored["total"]
    audited = await rows(worker, "SELECT subject_id FROM audit_log WHERE action = 'medical.read'")
    assert [row["subject_id"] for row in audited] == [str(state.head_person_id)]


async def test_lists_by_division_household_person_and_month(
    client: httpx.AsyncClient, worker: Database
) -> None:
    states = [household(), household(division_code="331124101001")]
    await receive(worker, *states)
    await settle(client, worker, *(line(state) for state in states))
    month = f"{clock.today() - timedelta(days=30):%Y-%m}"

    async def listed(**asked: Any) -> int:
        answer = await client.get("/v1/medical-grants", params=asked)
        assert answer.status_code == 200, answer.text
        return len(answer.json()["items"])

    assert await listed() == await listed(division=COUNTY) == await listed(month=month) == 2
    assert await listed(division="331124101") == 1
    assert await listed(household=str(states[0].household_id)) == 1
    assert await listed(person=str(states[1].head_person_id)) == 1
    assert await listed(month="2019-01") == 0
    first = (await client.get("/v1/medical-grants", params={"limit": 1})).json()
    rest = await client.get("/v1/medical-grants", params={"cursor": first["next_cursor"]})
    assert len(rest.json()["items"]) == 1


async def test_a_quarter_s_sums(client: httpx.AsyncClient, worker: Database) -> None:
    dibao, marginal = household(), household(category=Category.DIBAO_MARGINAL)
    await receive(worker, dibao, marginal)
    await settle(client, worker, line(dibao), line(dibao), line(marginal))
    today = clock.today()
    quarter = f"{today.year}-Q{(today.month + 2) // 3}"
    answer = await client.get("/v1/medical-grants/summary", params={"quarter": quarter})
    found = answer.json()
    assert [(item["category"], item["total_yuan"]) for item in found["items"]] == [
        ("dibao", "23800.00"),
        ("dibao_marginal", "9000.00"),
    ]
    assert (found["total_yuan"], found["paid_yuan"]) == ("32800.00", "0.00")
    empty = await client.get("/v1/medical-grants/summary", params={"quarter": "2019-Q4"})
    assert (empty.json()["items"], empty.json()["total_yuan"]) == ([], "0.00")


@pytest.mark.parametrize("quarter", ["2026", "2026-Q5", "9999-Q4", "Q1-2026", ""])
async def test_what_is_no_quarter_is_refused(client: httpx.AsyncClient, quarter: str) -> None:
    answer = await client.get("/v1/medical-grants/summary", params={"quarter": quarter})
    assert (answer.status_code, answer.json()["code"]) == (422, "request_invalid")


async def test_nothing_is_owed_before_the_first_period(
    client: httpx.AsyncClient, worker: Database
) -> None:
    state = with_periods(household(), period(clock.today()))
    await receive(worker, state)
    await settle(client, worker, line(state))
    (grant,) = await grants(worker)
    assert (grant["amount"], grant["reason"]) == (Decimal(0), "not_assisted")
    assert date.fromisoformat(grant["basis"]["discharged_on"]) < clock.today()
