"""A household's card: relief's payments and charity's help, double help flagged (C54)."""

from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import pytest

from shared import clock
from shared.contracts.registry import HouseholdState
from shared.db import Database
from tests.relief.charity.conftest import Books
from tests.relief.support import COUNTY, receive, rows, run_jobs, set_line

MONTH = clock.next_month(clock.today())


@pytest.fixture
async def paid(home: HouseholdState, client: httpx.AsyncClient, worker: Database) -> None:
    """The household's dibao of next month."""
    await set_line(worker, "1150", date(2026, 1, 1), division="331100")
    order = {"programme": "dibao", "month": f"{MONTH:%Y-%m}", "division": COUNTY}
    assert (await client.post("/v1/payment-runs", json=order)).status_code == 202
    await run_jobs(worker)


async def card(client: httpx.AsyncClient, home: HouseholdState) -> dict[str, Any]:
    answer = await client.get(
        f"/v1/households/{home.household_id}/aid-view", params={"year": MONTH.year}
    )
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


@pytest.mark.usefixtures("paid")
async def test_charity_stands_beside_dibao_and_double_help_is_flagged(
    books: Books, home: HouseholdState, worker: Database
) -> None:
    donation_id = (await books.give())["donation_id"]
    asked = {"household_id": str(home.household_id), "month": f"{MONTH:%Y-%m}"}
    before = await card(books.client, home)
    assert [(each["programme"], each["doubled"]) for each in before["items"]] == [("dibao", False)]
    medical = await books.helped((donation_id, "30.00"), **asked, purpose="medical")
    single = (await books.client.get(f"/v1/charity/allocations/{medical}")).json()
    assert single["doubled"] is False
    proposed = (await books.propose((donation_id, "20.00"), **asked)).json()
    allocation_id, warned = proposed["allocation_id"], proposed["doubled"]
    assert warned, "who proposes and who decides see it before anything is given"
    refused = await books.proposed((donation_id, "1.00"), **asked)
    await books.decide(refused, approve=False, reason="重复")
    assert all(not each["doubled"] for each in (await card(books.client, home))["items"])
    decided = (await books.decide(allocation_id)).json()
    assert (decided["state"], decided["doubled"]) == ("approved", True)
    shown = await card(books.client, home)
    found = {(each["source"], each["purpose"]): each for each in shown["items"]}
    assert {key: each["doubled"] for key, each in found.items()} == {
        ("government", "living"): True,
        ("charity", "living"): True,
        ("charity", "medical"): False,
    }
    assert found["charity", "living"]["status"] == "approved"
    assert found["charity", "medical"]["status"] == "handed_over"
    dibao = Decimal(found["government", "living"]["amount"])
    assert Decimal(shown["total_yuan"]) == dibao + 50
    read = await rows(worker, "SELECT * FROM audit_log WHERE action = 'household.aid_read'")
    assert {line["subject_id"] for line in read} == {str(home.household_id)}


async def test_the_same_purpose_in_another_month_is_not_double(
    books: Books, home: HouseholdState
) -> None:
    donation_id = (await books.give())["donation_id"]
    months = (f"{MONTH.year}-01", f"{MONTH.year}-02", f"{MONTH.year - 1}-12")
    for month in months:
        asked = {"household_id": str(home.household_id), "month": month}
        await books.helped((donation_id, "1.00"), **asked)
    shown = await card(books.client, home)
    assert [(each["month"], each["doubled"]) for each in shown["items"]] == [
        (months[0], False),
        (months[1], False),
    ]


@pytest.mark.parametrize(
    ("moved_to", "kept_in"),
    [("331124101201", "331124101201"), ("331102001001", "331124100201")],
)
async def test_help_goes_along_within_the_county(
    books: Books, home: HouseholdState, worker: Database, moved_to: str, kept_in: str
) -> None:
    """Once, told twice, and told late by an older version."""
    donation_id = (await books.give())["donation_id"]
    await books.helped((donation_id, "1.00"), household_id=str(home.household_id))
    moved = home.model_copy(update={"division_code": moved_to})
    for state, version in ((moved, 3), (moved, 3), (home, 2)):
        await receive(worker, state, version=version)
        (row,) = await rows(worker, "SELECT division_code FROM charity_allocations")
        assert row["division_code"] == kept_in


async def test_a_card_needs_a_file_and_ones_own_division(
    books: Books, home: HouseholdState, neighbour: httpx.AsyncClient
) -> None:
    assert (await card(books.client, home))["items"] == []
    url = f"/v1/households/{home.household_id}/aid-view"
    hidden = await neighbour.get(url)
    assert (hidden.status_code, hidden.json()["code"]) == (404, "household_unknown")
