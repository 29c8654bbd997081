"""A household that moves between counties: one payer a month, no gap, no double (golden case)."""

from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import pytest

from shared.contracts.registry import FactPeriod, HouseholdState
from shared.db import Database
from tests.conftest import ClientOf
from tests.relief.payments.conftest import Order
from tests.relief.support import COUNTY, receive, rows, set_line, with_periods
from tests.support.builders import household

OTHER = "331121"
OTHER_VILLAGE = "331121001001"
MONTHS = ("2026-04", "2026-05", "2026-06", "2026-07")


def stood(state: HouseholdState, village: str, since: date, **facts: Any) -> FactPeriod:
    """A period of the household in a village."""
    update = {"division_code": village, "valid_from": since} | facts
    return state.periods[-1].model_copy(update=update)


@pytest.fixture
async def neighbours(relief: Any, client_of: ClientOf) -> httpx.AsyncClient:
    """The officers of the county where the household comes from, and goes to."""
    scopes = "relief.payments:write relief.payments:read relief.dibao:read"
    return await client_of("relief", relief, scopes=scopes, officer="o8", divisions=(OTHER,))


async def test_the_old_county_pays_the_month_of_the_move_and_the_new_one_the_next(
    worker: Database, pay: Order, neighbours: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    await set_line(worker, "1200", date(2026, 1, 1), division=OTHER)
    home = household()
    there = home.model_copy(
        update={
            "division_code": OTHER_VILLAGE,
            "periods": (stood(home, OTHER_VILLAGE, date(2026, 3, 10)),),
        }
    )
    here = with_periods(
        there,
        *there.periods,
        stood(home, home.division_code, date(2026, 5, 14)),
        division_code=home.division_code,
    )
    await receive(worker, there)
    await receive(worker, here, version=2)

    for month in MONTHS:
        await pay(neighbours, month=month, division=OTHER)
        await pay(month=month)

    paid = await rows(worker, "SELECT * FROM payments ORDER BY month")
    assert [(f"{row['month']:%Y-%m}", row["division_code"][:6], row["amount"]) for row in paid] == [
        ("2026-04", OTHER, Decimal(700)),
        ("2026-05", OTHER, Decimal(700)),
        ("2026-06", COUNTY, Decimal(650)),
        ("2026-07", COUNTY, Decimal(650)),
    ]
    for month, where in zip(MONTHS, (OTHER, OTHER, COUNTY, COUNTY), strict=True):
        for asking, county in ((neighbours, OTHER), (client, COUNTY)):
            answer = await asking.get("/v1/grants", params={"month": month})
            assert answer.status_code == 200, answer.text
            assert len(answer.json()["items"]) == (county == where)


async def test_there_and_back_again_each_county_pays_its_own_months(
    worker: Database, pay: Order, neighbours: httpx.AsyncClient
) -> None:
    home = household()
    back = with_periods(
        home,
        stood(home, home.division_code, date(2026, 3, 10)),
        stood(home, OTHER_VILLAGE, date(2026, 4, 20)),
        stood(home, home.division_code, date(2026, 5, 1)),
    )
    await receive(worker, back)

    for month in MONTHS:
        await pay(month=month)
        await pay(neighbours, month=month, division=OTHER)

    paid = await rows(worker, "SELECT * FROM payments ORDER BY month")
    assert [row["division_code"][:6] for row in paid] == [COUNTY, OTHER, COUNTY, COUNTY]


async def test_a_move_inside_the_county_writes_no_decision_anew(
    worker: Database, pay: Order
) -> None:
    home = household()
    await receive(worker, home)
    before = await rows(worker, "SELECT grant_id FROM dibao_grants")
    moved = with_periods(
        home,
        home.periods[0].model_copy(update={"division_code": home.division_code}),
        stood(home, "331124212203", date(2026, 5, 14)),
        division_code="331124212203",
    )
    await receive(worker, moved, version=2)

    after = await rows(worker, "SELECT grant_id, division_code, until_month FROM dibao_grants")
    assert [row["grant_id"] for row in after] == [row["grant_id"] for row in before]
    assert [(row["division_code"], row["until_month"]) for row in after] == [("331124212203", None)]
