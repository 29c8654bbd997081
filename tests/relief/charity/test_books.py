"""Whatever officers do in whatever order, the books add up to the fen (C54)."""

import random
from decimal import Decimal
from typing import Any

import pytest

from deploy.local.provision import ServiceDatabase
from shared import clock
from shared.contracts.registry import HouseholdState
from shared.db import Database
from tests.conftest import ClientOf
from tests.relief.charity.conftest import Books
from tests.relief.support import SCOPES, rows

DONATIONS = """
    SELECT d.donation_id, d.receipt_no, d.amount, d.allocated, d.corrected_by,
        coalesce(sum(l.amount) FILTER (WHERE a.state IN ('approved', 'handed_over')), 0) AS taken
    FROM charity_donations d
    LEFT JOIN charity_allocation_lines l ON l.donation_id = d.donation_id
    LEFT JOIN charity_allocations a ON a.allocation_id = l.allocation_id
    GROUP BY d.donation_id ORDER BY d.receipt_no
"""
ALLOCATIONS = "SELECT allocation_id, state FROM charity_allocations ORDER BY allocation_id"


class Officers:
    """Who do something at random; what may not be done is refused and changes nothing."""

    def __init__(self, books: Books, home: HouseholdState, chance: random.Random) -> None:
        self.books = books
        self.household = str(home.household_id)
        self.chance = chance
        self.answers: list[int] = []

    def _yuan(self, most: int = 10_000) -> str:
        return str(Decimal(self.chance.randint(1, most)) / 100)

    async def act(self, gifts: list[dict[str, Any]], helps: list[dict[str, Any]]) -> None:
        """One deed on what there is."""
        deed = self.chance.choice(
            ("give", "propose", "propose", "decide", "decide", "end", "right")
        )
        if deed == "give" or not gifts:
            await self.books.give(self._yuan())
        elif deed == "propose" or not helps:
            named = self.chance.sample(gifts, min(len(gifts), 2))
            lines = [(str(gift["donation_id"]), self._yuan(4_000)) for gift in named]
            answer = await self.books.propose(*lines, household_id=self.household)
            self.answers.append(answer.status_code)
        elif deed == "right":
            await self._correct(str(self.chance.choice(gifts)["donation_id"]))
        else:
            await self._go_on(str(self.chance.choice(helps)["allocation_id"]), deed)

    async def _correct(self, donation_id: str) -> None:
        body = {
            "kind": "cash",
            "amount": self._yuan(),
            "received_on": clock.today().isoformat(),
        }
        url = f"/v1/charity/donations/{donation_id}/correct"
        self.answers.append((await self.books.client.post(url, json=body)).status_code)

    async def _go_on(self, allocation_id: str, deed: str) -> None:
        if deed == "decide":
            answer = await self.books.decide(allocation_id)
        elif self.chance.random() < 0.5:
            answer = await self.books.hand_over(allocation_id)
        else:
            url = f"/v1/charity/allocations/{allocation_id}/cancel"
            answer = await self.books.client.post(url, json={"reason": "户主婉拒"})
        self.answers.append(answer.status_code)


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_received_is_allocated_and_left_after_every_deed(
    books: Books, home: HouseholdState, worker: Database, seed: int
) -> None:
    officers = Officers(books, home, random.Random(seed))  # noqa: S311 (repeatable, no secret)
    for _ in range(60):
        await officers.act(await rows(worker, DONATIONS), await rows(worker, ALLOCATIONS))
        gifts = await rows(worker, DONATIONS)
        assert all(gift["allocated"] == gift["taken"] <= gift["amount"] for gift in gifts)
        standing = [gift for gift in gifts if gift["corrected_by"] is None]
        shown = {key: Decimal(yuan) for key, yuan in (await books.balance()).items() if "." in yuan}
        assert shown["received"] == sum(gift["amount"] for gift in standing)
        assert shown["left"] == sum(gift["amount"] - gift["taken"] for gift in standing)
        assert shown["opening"] + shown["received"] == shown["allocated"] + shown["left"]
        assert shown["allocated"] == shown["handed_over"] + shown["waiting"]
    assert [gift["receipt_no"] for gift in gifts] == list(range(1, len(gifts) + 1))
    assert set(officers.answers) >= {200, 201, 409}, "too tame to prove anything"
    assert set(officers.answers) <= {200, 201, 409}


async def test_a_city_needs_a_token_for_all_of_it(
    relief: ServiceDatabase, client_of: ClientOf, home: HouseholdState
) -> None:
    """One for 331100 alone would not see the help in the counties, and show wrong sums."""
    whole = await client_of("relief", relief, scopes=SCOPES, divisions=("3311",))
    narrow = await client_of("relief", relief, scopes=SCOPES, divisions=("331100",))
    body = {"division": "331100", "name": "丽水市慈善总会"}
    refused = await narrow.post("/v1/charity/federations", json=body)
    assert (refused.status_code, refused.json()["code"]) == (403, "division_not_covered")
    founded = await whole.post("/v1/charity/federations", json=body)
    assert founded.status_code == 201, founded.text
    city = Books(
        whole,
        await client_of("relief", relief, scopes=SCOPES, officer="o2", divisions=("3311",)),
        founded.json()["federation_id"],
    )
    donation_id = (await city.give())["donation_id"]
    await city.helped((donation_id, "40.00"), household_id=str(home.household_id))
    assert (await city.balance())["left"] == "60.00"
    hidden = await narrow.get(
        f"/v1/charity/federations/{city.federation_id}/balance",
        params={"from_on": "2026-01-01", "to_on": clock.today().isoformat()},
    )
    assert (hidden.status_code, hidden.json()["code"]) == (403, "division_not_covered")
