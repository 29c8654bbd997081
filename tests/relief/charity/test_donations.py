"""Receipts, corrections, earmarks, donors and managers, by the real routes (C54)."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from deploy.local.provision import ServiceDatabase
from shared import clock
from shared.contracts.registry import HouseholdState
from shared.db import Database
from tests.conftest import ClientOf
from tests.relief.charity.conftest import Books, person_of
from tests.relief.support import COUNTY, SCOPES, receive, rows
from tests.support.builders import household

GOODS = {"kind": "goods", "item": "棉被", "quantity": "20", "unit": "床", "value_basis": "invoice"}


async def test_receipts_are_numbered_without_gaps(books: Books, worker: Database) -> None:
    """One is refused in between, and two come in at the same moment."""
    first = await books.give()
    refused = await books.client.post(
        f"/v1/charity/federations/{books.federation_id}/donations",
        json={"kind": "cash", "amount": "1.00", "received_on": "2999-01-01"},
    )
    assert refused.status_code == 422
    await asyncio.gather(*(books.give() for _ in range(4)), books.give("2000.00", **GOODS))
    numbers = await rows(worker, "SELECT receipt_no FROM charity_donations ORDER BY 1")
    assert [row["receipt_no"] for row in numbers] == [1, 2, 3, 4, 5, 6]
    assert first["receipt_no"] == 1


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"amount": "1.005"}, {"#/amount"}),
        ({"amount": "-1.00"}, {"#/amount"}),
        ({"amount": "0"}, {"#/amount"}),
        ({"amount": "NaN"}, {"#/amount"}),
        ({"amount": "1000000000000.00"}, {"#/amount"}),
        ({"voucher_no": "   "}, {"#/voucher_no"}),
        ({"receipt_no": 7}, {"#/receipt_no"}),
        ({"item": "棉被", "received_on": "2999-01-01"}, {"#/item", "#/received_on"}),
        ({"donor_id": str(uuid4())}, {"#/donor_id"}),
        ({"earmark": {"household_id": str(uuid4())}}, {"#/earmark/household_id"}),
        ({"earmark": {"purpose": "travel"}}, {"#/earmark/purpose"}),
    ],
)
async def test_what_cannot_be_receipted_is_refused_with_every_fault(
    books: Books, worker: Database, changes: dict[str, Any], found: set[str]
) -> None:
    body = {"kind": "cash", "amount": "1.00", "received_on": clock.today().isoformat()}
    answer = await books.client.post(
        f"/v1/charity/federations/{books.federation_id}/donations", json=body | changes
    )
    assert answer.status_code == 422, answer.text
    assert {fault["where"] for fault in answer.json()["errors"]} == found
    assert await rows(worker, "SELECT 1 FROM charity_donations") == []


async def test_a_voucher_is_receipted_once(books: Books, worker: Database) -> None:
    """In turn, and by two at the same moment."""
    await books.give(voucher_no="回单88")
    body = {
        "kind": "cash",
        "amount": "5.00",
        "received_on": clock.today().isoformat(),
        "voucher_no": "回单88",
    }
    url = f"/v1/charity/federations/{books.federation_id}/donations"
    again = await books.client.post(url, json=body)
    assert (again.status_code, again.json()["code"]) == (409, "voucher_receipted")
    body["voucher_no"] = "回单89"
    answers = await asyncio.gather(*(books.client.post(url, json=body) for _ in range(2)))
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    assert len(await rows(worker, "SELECT 1 FROM charity_donations")) == 2


async def test_a_correction_is_a_new_receipt_and_the_wrong_one_counts_for_nothing(
    books: Books, home: HouseholdState
) -> None:
    wrong = await books.give("1000.00", voucher_no="回单90")
    body = {
        "kind": "cash",
        "amount": "100.00",
        "received_on": clock.today().isoformat(),
        "voucher_no": "回单90",
    }
    url = f"/v1/charity/donations/{wrong['donation_id']}/correct"
    answers = await asyncio.gather(*(books.client.post(url, json=body) for _ in range(2)))
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    (right,) = (answer.json() for answer in answers if answer.status_code == 201)
    assert (right["receipt_no"], right["corrects"]) == (2, wrong["donation_id"])
    stored = await books.donation(wrong["donation_id"])
    assert (stored["amount"], stored["corrected_by"]) == ("1000.00", right["donation_id"])
    assert (await books.balance())["received"] == "100.00"
    used = await books.propose((wrong["donation_id"], "1.00"), household_id=str(home.household_id))
    assert (used.status_code, used.json()["code"]) == (409, "donation_corrected")


async def test_what_is_allocated_is_not_corrected(books: Books, home: HouseholdState) -> None:
    donation_id = (await books.give())["donation_id"]
    allocation_id = await books.proposed((donation_id, "1.00"), household_id=str(home.household_id))
    await books.decide(allocation_id)
    body = {"kind": "cash", "amount": "9.00", "received_on": clock.today().isoformat()}
    url = f"/v1/charity/donations/{donation_id}/correct"
    refused = await books.client.post(url, json=body)
    assert (refused.status_code, refused.json()["code"]) == (409, "donation_allocated")
    await books.client.post(
        f"/v1/charity/allocations/{allocation_id}/cancel", json={"reason": "收据有误"}
    )
    assert (await books.client.post(url, json=body)).status_code == 201


async def test_a_receipt_cannot_be_rewritten_or_overdrawn(
    books: Books, api_role: Database, worker: Database
) -> None:
    """Not even by the role that serves requests."""
    await books.give()
    for order in (
        "UPDATE charity_donations SET amount = 1",
        "UPDATE charity_donations SET receipt_no = 9",
        "DELETE FROM charity_donations",
        "UPDATE charity_earmark_changes SET ground = 'consent'",
        "UPDATE charity_allocation_lines SET amount = 1",
    ):
        with pytest.raises(ProgrammingError, match="permission denied"):
            async with api_role.transaction(divisions=(COUNTY,)) as session:
                await session.execute(text(order))
    with pytest.raises(Exception, match="never_below_zero"):
        async with api_role.transaction(divisions=(COUNTY,)) as session:
            await session.execute(text("UPDATE charity_donations SET allocated = 100.01"))
    (row,) = await rows(worker, "SELECT amount, allocated FROM charity_donations")
    assert (str(row["amount"]), str(row["allocated"])) == ("100.00", "0.00")


async def _donor(books: Books, **changes: Any) -> dict[str, Any]:
    body = {"kind": "person", "name": "王小明", "contact": "13800001234"} | changes
    answer = await books.client.post(
        f"/v1/charity/federations/{books.federation_id}/donors", json=body
    )
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def test_a_donor_is_encrypted_and_masked(
    books: Books, relief: ServiceDatabase, client_of: ClientOf, worker: Database
) -> None:
    donor = await _donor(books)
    assert (donor["name"], donor["contact"]) == ("王*", "138****1234")
    trusted = await client_of(
        "relief", relief, scopes=f"{SCOPES} pii:read", divisions=(COUNTY,), officer="o3"
    )
    seen = (await trusted.get(f"/v1/charity/donors/{donor['donor_id']}")).json()
    assert (seen["name"], seen["contact"]) == ("王小明", "13800001234")
    (row,) = await rows(worker, "SELECT * FROM charity_donors")
    assert "王小明".encode() not in row["name_encrypted"]
    read = await rows(worker, "SELECT * FROM audit_log WHERE action = 'charity_donor.read'")
    assert [(line["officer_id"], line["subject_id"]) for line in read] == [
        ("o3", donor["donor_id"])
    ]


async def test_a_person_is_never_named_in_publications(books: Books) -> None:
    body = {"kind": "person", "name": "王小明", "name_public": True}
    answer = await books.client.post(
        f"/v1/charity/federations/{books.federation_id}/donors", json=body
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "people_are_not_named")
    person = await _donor(books)
    named = await _donor(books, kind="organisation", name="松阳茶业公司", name_public=True)
    quiet = await _donor(books, kind="organisation", name="低调公司")
    for donor in (person, named, quiet):
        await books.give(donor_id=donor["donor_id"])
    await books.give()
    wrong = await books.give("7.00")
    body = {"kind": "cash", "amount": "8.00", "received_on": clock.today().isoformat()}
    await books.client.post(f"/v1/charity/donations/{wrong['donation_id']}/correct", json=body)
    url = f"/v1/charity/federations/{books.federation_id}/publication"
    asked = {"year": clock.today().year, "limit": 3}
    first = (await books.client.get(url, params=asked)).json()
    rest = (await books.client.get(url, params=asked | {"cursor": first["next_cursor"]})).json()
    shown = [(each["receipt_no"], each["donor"]) for each in first["items"] + rest["items"]]
    assert shown == [
        (1, "爱心人士"),
        (2, "松阳茶业公司"),
        (3, "爱心人士"),
        (4, "爱心人士"),
        (6, "爱心人士"),
    ]
    assert "王" not in str(first) + str(rest)
    empty = await books.client.get(url, params={"year": clock.today().year - 1})
    assert empty.json()["items"] == []


@pytest.mark.parametrize(("days", "status"), [(60, 422), (61, 200)])
async def test_an_earmark_changes_on_the_61st_day_of_its_announcement(
    books: Books, days: int, status: int
) -> None:
    donation = await books.give(earmark={"purpose": "education", "words": "给山区孩子"})
    assert donation["earmark"]["words"] == "给山区孩子"
    announced_on = clock.today() - timedelta(days=days)
    answer = await books.client.post(
        f"/v1/charity/donations/{donation['donation_id']}/earmark-changes",
        json={
            "earmark": {"purpose": "medical"},
            "ground": "announcement",
            "document": "公告2026-5",
            "announced_on": announced_on.isoformat(),
        },
    )
    assert answer.status_code == status, answer.text
    stands = (await books.donation(donation["donation_id"]))["earmark"]["purpose"]
    assert stands == ("medical" if status == 200 else "education")


async def test_consent_changes_an_earmark_at_once_and_the_old_one_stays_on_record(
    books: Books, home: HouseholdState, worker: Database
) -> None:
    donor = await _donor(books)
    donation_id = (await books.give(donor_id=donor["donor_id"], earmark={"purpose": "education"}))[
        "donation_id"
    ]
    asked = {"household_id": str(home.household_id)}
    refused = await books.propose((donation_id, "1.00"), **asked)
    assert (refused.status_code, refused.json()["code"]) == (422, "earmark_purpose")
    change = {"earmark": {"purpose": "living"}, "ground": "consent", "document": "同意书3"}
    url = f"/v1/charity/donations/{donation_id}/earmark-changes"
    assert (await books.client.post(url, json=change)).status_code == 200
    assert (await books.propose((donation_id, "1.00"), **asked)).status_code == 201
    (receipt,) = await rows(worker, "SELECT earmark_purpose FROM charity_donations")
    assert receipt["earmark_purpose"] == "education"
    anonymous = (await books.give())["donation_id"]
    url = f"/v1/charity/donations/{anonymous}/earmark-changes"
    refused = await books.client.post(url, json=change)
    assert (refused.status_code, refused.json()["code"]) == (422, "donor_unknown")


async def test_a_donor_cannot_give_to_their_own_household(
    books: Books, home: HouseholdState
) -> None:
    donor = await _donor(books, person_id=str(person_of(home)))
    body = {
        "kind": "cash",
        "amount": "1.00",
        "received_on": clock.today().isoformat(),
        "donor_id": donor["donor_id"],
        "earmark": {"household_id": str(home.household_id)},
    }
    answer = await books.client.post(
        f"/v1/charity/federations/{books.federation_id}/donations", json=body
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "donor_related")


async def test_a_manager_leaves_once_and_not_before_they_came(books: Books) -> None:
    url = f"/v1/charity/federations/{books.federation_id}/managers"
    today = clock.today()
    body = {"officer_id": "o7", "post": "会长", "from_on": today.isoformat()}
    (manager,) = (await books.client.post(url, json=body)).json()
    again = await books.client.post(url, json=body)
    assert again.status_code == 409
    end = f"/v1/charity/managers/{manager['manager_id']}/end"
    early = {"until_on": (today - timedelta(days=1)).isoformat()}
    refused = await books.client.post(end, json=early)
    assert (refused.status_code, refused.json()["code"]) == (422, "before_start")
    last = {"until_on": today.isoformat()}
    answers = await asyncio.gather(*(books.client.post(end, json=last) for _ in range(2)))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    (shown,) = (await books.client.get(url)).json()
    assert shown["until_on"] == today.isoformat()


async def test_one_federation_a_division_and_in_ones_own_alone(
    books: Books, neighbour: httpx.AsyncClient
) -> None:
    body = {"division": COUNTY, "name": "另一个"}
    twice = await books.client.post("/v1/charity/federations", json=body)
    assert (twice.status_code, twice.json()["code"]) == (409, "federation_exists")
    other = await neighbour.post("/v1/charity/federations", json=body)
    assert (other.status_code, other.json()["code"]) == (403, "division_not_covered")


async def test_nothing_is_done_in_another_countys_books(
    books: Books, neighbour: httpx.AsyncClient, worker: Database
) -> None:
    donation = await books.give()
    today = clock.today().isoformat()
    gift = {"kind": "cash", "amount": "1.00", "received_on": today}
    base, one = f"/v1/charity/federations/{books.federation_id}", donation["donation_id"]
    change = {"earmark": {}, "ground": "consent", "document": "同意书"}
    for url, body in (
        (f"{base}/donations", gift),
        (f"{base}/managers", {"officer_id": "o9", "post": "会长", "from_on": today}),
        (f"{base}/donors", {"kind": "person", "name": "王小明"}),
        (f"/v1/charity/donations/{one}/correct", gift),
        (f"/v1/charity/donations/{one}/earmark-changes", change),
        (f"/v1/charity/donations/{one}/feedback", {}),
    ):
        answer = await neighbour.post(url, json=body)
        assert answer.status_code == 404, (url, answer.text)
    assert len(await rows(worker, "SELECT 1 FROM charity_donations")) == 1


async def test_a_gift_is_not_earmarked_for_another_countys_household(
    books: Books, worker: Database
) -> None:
    stranger = household(division_code="331102001001")
    await receive(worker, stranger)
    body = {
        "kind": "cash",
        "amount": "1.00",
        "received_on": clock.today().isoformat(),
        "earmark": {"household_id": str(stranger.household_id)},
    }
    answer = await books.client.post(
        f"/v1/charity/federations/{books.federation_id}/donations", json=body
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "household_unknown")
