"""Late certification and changed figures: supplementary decisions, and none for what is no news."""

import random
from datetime import date, timedelta
from decimal import Decimal

import httpx
import pytest

from deploy.local.provision import ServiceDatabase
from services.relief.medical import actions
from services.relief.medical.actions import DECIDE_AGAIN
from services.relief.medical.explanations import read
from shared import clock
from shared.contracts.registry import Category, FactPeriod, HouseholdState, State
from shared.db import Database
from tests.conftest import ClientOf
from tests.relief.medical.facts import period
from tests.relief.medical.support import grants, line, only, settle, told, totals, years
from tests.relief.support import COUNTY, SCOPES, receive, rows, run_jobs, set_figure, with_periods
from tests.support.builders import household
from tests.support.places import load_divisions

TEKUN, DIBAO, MARGINAL = Category.TEKUN, Category.DIBAO, Category.DIBAO_MARGINAL


def day(ago: int) -> date:
    return clock.today() - timedelta(days=ago)


def told_by(state: HouseholdState, *periods: FactPeriod) -> HouseholdState:
    return with_periods(state, *periods)


async def amounts(worker: Database) -> list[tuple[int, Decimal, Decimal, str]]:
    return [
        (row["number"], row["amount"], row["total"], row["reason"]) for row in await grants(worker)
    ]


async def test_certified_late_the_difference_is_a_further_decision(
    client: httpx.AsyncClient, worker: Database
) -> None:
    """Marginal when he was discharged, dibao since the week before as it turns out."""
    state = told_by(household(), period(day(90), MARGINAL))
    await receive(worker, state)
    await settle(client, worker, line(state))
    late = told_by(state, period(day(90), MARGINAL), period(day(37), DIBAO))
    await receive(worker, late, version=2)
    assert await amounts(worker) == [
        (1, Decimal(9000), Decimal(9000), "assisted"),
        (2, Decimal(2900), Decimal(11900), "assisted"),
    ]
    assert [event["amount"] for event in await told(worker)] == ["9000.00", "2900.00"]
    assert await years(worker) == [(Decimal(11900), Decimal(80000))]


async def test_a_correction_downwards_is_negative_and_explained(
    client: httpx.AsyncClient, worker: Database
) -> None:
    state = told_by(household(), period(day(90), DIBAO))
    await receive(worker, state)
    await settle(client, worker, line(state))
    lifted_before = told_by(
        state, period(day(90), DIBAO), period(day(31), DIBAO, state=State.LIFTED)
    )
    await receive(worker, lifted_before, version=2)
    first, second = await grants(worker)
    assert (second["amount"], second["total"], second["reason"]) == (-11900, 0, "lifted")
    assert (second["category"], first["category"]) == ("dibao", "dibao")
    answer = await client.get(f"/v1/medical-grants/{second['grant_id']}")
    assert answer.json()["explanation"]["text"].endswith("此前已核定11900元，本次核减11900元。")
    assert [event["amount"] for event in await told(worker)] == ["11900.00", "-11900.00"]
    assert await years(worker) == [(Decimal(0), Decimal(0))]


async def test_twice_late_or_without_news_nothing_is_written(
    client: httpx.AsyncClient, worker: Database
) -> None:
    state = told_by(household(), period(day(90), MARGINAL))
    late = told_by(state, period(day(90), MARGINAL), period(day(37), DIBAO))
    await receive(worker, state)
    await settle(client, worker, line(state))
    await receive(worker, late, version=3)
    before = (await grants(worker), await told(worker))
    await receive(worker, late, version=3)
    await receive(worker, state, version=2)
    later = told_by(late, *late.periods, period(day(1), MARGINAL))
    await receive(worker, later, version=4)
    assert (await grants(worker), await told(worker)) == before


async def test_the_household_of_somebody_else_changes_nothing(
    client: httpx.AsyncClient, worker: Database
) -> None:
    mine, other = (told_by(household(), period(day(90), MARGINAL)) for _ in range(2))
    await receive(worker, mine, other)
    await settle(client, worker, line(mine))
    await receive(worker, told_by(other, period(day(90), TEKUN)), version=2)
    assert len(await grants(worker)) == 1


async def test_a_correction_shares_the_cap_with_what_came_after(
    client: httpx.AsyncClient, worker: Database
) -> None:
    """As if both bills had been known as tekun's from the start: the first one takes it all."""
    state = told_by(household(), period(day(90), DIBAO))
    await receive(worker, state)
    await settle(client, worker, only(state, "100000", settlement_no="A1"))
    await settle(client, worker, only(state, "50000", settlement_no="A2"))
    assert await totals(worker) == {"A1": Decimal(70000), "A2": Decimal(10000)}
    await receive(worker, told_by(state, period(day(90), TEKUN)), version=2)
    assert await totals(worker) == {"A1": Decimal(80000), "A2": Decimal(0)}
    assert [row["amount"] for row in await grants(worker)] == [70000, 10000, 10000, -10000]
    assert await years(worker) == [(Decimal(80000), Decimal(80000))]


@pytest.mark.parametrize(("first_day", "decisions"), [(30, 2), (29, 1)])
async def test_what_was_discharged_before_last_year_stays(
    client: httpx.AsyncClient,
    worker: Database,
    monkeypatch: pytest.MonkeyPatch,
    first_day: int,
    decisions: int,
) -> None:
    """The discharge is 30 days ago, and the first day still decided anew moves over it."""
    state = told_by(household(), period(day(90), MARGINAL))
    await receive(worker, state)
    await settle(client, worker, line(state))
    monkeypatch.setattr(actions, "earliest", lambda _today: day(first_day))
    await receive(worker, told_by(state, period(day(90), DIBAO)), version=2)
    assert len(await grants(worker)) == decisions


async def test_an_approved_figure_decides_its_county_s_bills_anew(
    client: httpx.AsyncClient,
    relief: ServiceDatabase,
    client_of: ClientOf,
    worker: Database,
) -> None:
    await load_divisions(relief)
    colleague = await client_of("relief", relief, scopes=SCOPES, officer="o2", divisions=(COUNTY,))
    here = household(category=Category.GROUP_4600)
    await receive(worker, here)
    await settle(client, worker, line(here))
    assert (await grants(worker))[0]["reason"] == "parameter_missing"
    for name, value in (("deductible", "3000"), ("ratio", "0.5"), ("cap", "50000")):
        entry = {
            "key": f"medical.{name}.group_4600",
            "division_code": COUNTY,
            "valid_from": "2026-01-01",
            "value": value,
            "document_number": "松医保〔2026〕3号",
        }
        entered = await client.post("/v1/parameters", json=entry)
        assert entered.status_code == 201, entered.text
        approved = await colleague.post(f"/v1/parameters/{entered.json()['parameter_id']}/approve")
        assert approved.status_code == 200, approved.text
        jobs = await run_jobs(worker)
    assert sum(job["kind"] == DECIDE_AGAIN for job in jobs) == 3
    assert await amounts(worker) == [
        (1, Decimal(0), Decimal(0), "parameter_missing"),
        (2, Decimal(7000), Decimal(7000), "assisted"),
    ]
    assert (await grants(worker))[1]["basis"]["terms"][0]["ratio"]["document_number"] == (
        "松医保〔2026〕3号"
    )


async def test_other_standards_decide_no_bill_anew(
    client: httpx.AsyncClient,
    relief: ServiceDatabase,
    client_of: ClientOf,
    worker: Database,
) -> None:
    await load_divisions(relief)
    colleague = await client_of("relief", relief, scopes=SCOPES, officer="o2", divisions=(COUNTY,))
    entry = {
        "key": "medical.self_borne_alarm",
        "division_code": COUNTY,
        "valid_from": "2026-01-01",
        "value": "20000",
        "document_number": "松医保〔2026〕3号",
    }
    entered = (await client.post("/v1/parameters", json=entry)).json()
    await colleague.post(f"/v1/parameters/{entered['parameter_id']}/approve")
    assert await rows(worker, "SELECT 1 FROM jobs") == []


@pytest.mark.parametrize("seed", range(6))
async def test_corrections_sum_to_what_was_known_from_the_start(
    client: httpx.AsyncClient, worker: Database, seed: int
) -> None:
    """Bills and certifications in any order, some twice: each bill ends as if all had been known.

    The year is reckoned here once more by hand from the newest facts, bill by bill.
    """
    chance = random.Random(seed)  # noqa: S311 (a test's dice)
    state = told_by(household(), period(day(300), MARGINAL))
    await receive(worker, state)
    facts = state
    for step in range(8):
        if chance.random() < 0.5:
            categories = [chance.choice([TEKUN, DIBAO, MARGINAL]) for _ in range(2)]
            starts = sorted(chance.sample(range(2, 40), 2), reverse=True)
            news = [period(day(ago), each) for ago, each in zip(starts, categories, strict=True)]
            facts = told_by(state, period(day(300), MARGINAL), *news)
            await receive(worker, facts, version=step + 2)
        else:
            bill = only(
                state,
                str(chance.randint(0, 60_000)),
                discharged_on=day(chance.randint(0, 40)).isoformat(),
                settlement_no=f"A{step}",
            )
            await settle(client, worker, bill)
            await settle(client, worker, bill)
    wanted = await _by_hand(worker, facts)
    assert await totals(worker) == wanted
    for row in await grants(worker):
        assert read(row["basis"]).amount == row["total"]
    assert sum(total for total, _ in await years(worker)) == sum(wanted.values())


TERMS = {
    TEKUN: (Decimal(0), Decimal(1)),
    DIBAO: (Decimal(0), Decimal("0.7")),
    MARGINAL: (Decimal(2000), Decimal("0.6")),
}


async def _by_hand(worker: Database, facts: HouseholdState) -> dict[str, Decimal]:
    paid: dict[int, Decimal] = {}
    found = {}
    for bill in await rows(worker, "SELECT * FROM medical_settlements ORDER BY settlement_no"):
        on = bill["discharged_on"]
        held = [each.category for each in facts.periods if each.valid_from <= on][-1]
        deductible, ratio = TERMS[held]
        before = paid.get(on.year, Decimal(0))
        owed = min(max(Decimal(0), bill["cost"] - deductible) * ratio, Decimal(80000) - before)
        paid[on.year] = before + owed
        found[bill["settlement_no"]] = owed
    return found


async def test_a_new_ratio_later_in_the_year_leaves_earlier_bills(
    client: httpx.AsyncClient, worker: Database
) -> None:
    state = told_by(household(), period(day(90), DIBAO))
    await receive(worker, state)
    await settle(client, worker, line(state))
    await set_figure(worker, "medical.ratio.dibao", "0.9", day(29))
    await receive(worker, told_by(state, period(day(90), DIBAO, n=2)), version=2)
    assert len(await grants(worker)) == 1
    await settle(client, worker, line(state, discharged_on=day(29).isoformat()))
    assert [row["amount"] for row in await grants(worker)] == [11900, 15300]
