"""Help proposed, decided, handed over and told, by the real routes (C54, C61)."""

import asyncio
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import httpx
import orjson
import pytest
from sqlalchemy import text

from deploy.local.provision import ServiceDatabase
from shared import clock
from shared.contracts.registry import HouseholdState, State
from shared.db import Database
from tests.conftest import ClientOf
from tests.relief.charity.conftest import Books, person_of
from tests.relief.support import ASSISTED, COUNTY, SCOPES, blocked, lifted, receive, rows
from tests.support.builders import household, member
from tests.support.waiting import until


async def test_help_from_two_gifts_is_handed_over_and_told(
    books: Books, home: HouseholdState, worker: Database
) -> None:
    one, two = (await books.give())["donation_id"], (await books.give("50.05"))["donation_id"]
    asked = {"household_id": str(home.household_id)}
    allocation_id = await books.proposed((one, "100.00"), (two, "0.05"), **asked)
    assert (await books.balance())["allocated"] == "0.00"
    decided = (await books.decide(allocation_id)).json()
    assert (decided["state"], decided["decided_by"]) == ("approved", "o2")
    assert (await books.donation(one))["left"] == "0.00"
    assert await rows(worker, ASSISTED) == []
    handed = (await books.hand_over(allocation_id)).json()
    assert (handed["state"], handed["received_by"], handed["proof"]) == (
        "handed_over",
        "王*",
        "signature",
    )
    assert [line["amount"] for line in handed["lines"]] == ["100.00", "0.05"]
    (event,) = await rows(worker, ASSISTED)
    assert (event["topic"], event["aggregate_version"]) == ("relief.assistance", 3)
    assert orjson.loads(event["data"]) == {
        "assistance_id": allocation_id,
        "household_id": str(home.household_id),
        "person_ids": [],
        "programme": "charity",
        "status": "paid",
        "amount": "100.05",
        "fund": "charity-331124",
        "month": f"{clock.month_of(clock.today())}",
        "granted_on": clock.today().isoformat(),
    }
    deeds = await rows(
        worker,
        "SELECT action, officer_id FROM audit_log"
        " WHERE action LIKE 'charity_allocation.%' ORDER BY id",
    )
    assert [(deed["action"], deed["officer_id"]) for deed in deeds] == [
        ("charity_allocation.proposed", "o1"),
        ("charity_allocation.approved", "o2"),
        ("charity_allocation.handed_over", "o1"),
    ]


async def test_two_decisions_race_for_the_last_yuan(
    books: Books, home: HouseholdState, worker: Database
) -> None:
    donation_id = (await books.give("1.00"))["donation_id"]
    asked = {"household_id": str(home.household_id)}
    wishes = [await books.proposed((donation_id, "1.00"), **asked) for _ in range(2)]
    answers = await asyncio.gather(*(books.decide(wish) for wish in wishes))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert {answer.json().get("code") for answer in answers} == {None, "balance_too_low"}
    states = await rows(worker, "SELECT state FROM charity_allocations ORDER BY state")
    assert [row["state"] for row in states] == ["approved", "proposed"]
    assert (await books.donation(donation_id))["left"] == "0.00"


async def test_a_decision_waits_for_the_one_that_holds_the_federation(
    books: Books, home: HouseholdState, api_role: Database, worker: Database
) -> None:
    """Two connections, one surely before the other: the second sees what the first took."""
    donation_id = (await books.give("1.00"))["donation_id"]
    asked = {"household_id": str(home.household_id)}
    allocation_id = await books.proposed((donation_id, "1.00"), **asked)
    async with api_role.transaction(divisions=(COUNTY,)) as session:
        await session.execute(text("SELECT 1 FROM charity_federations FOR UPDATE"))
        waiting = asyncio.create_task(books.decide(allocation_id))
        await until(lambda: blocked(worker), what="the decision to wait")
        await session.execute(text("UPDATE charity_donations SET allocated = 0.01"))
    answer = await waiting
    assert (answer.status_code, answer.json()["code"]) == (409, "balance_too_low")


async def test_one_allocation_is_decided_and_handed_over_once(
    books: Books, home: HouseholdState, worker: Database
) -> None:
    donation_id = (await books.give())["donation_id"]
    asked = {"household_id": str(home.household_id)}
    allocation_id = await books.proposed((donation_id, "60.00"), **asked)
    early = await books.hand_over(allocation_id)
    assert (early.status_code, early.json()["code"]) == (409, "not_approved")
    decisions = await asyncio.gather(*(books.decide(allocation_id) for _ in range(2)))
    assert sorted(answer.status_code for answer in decisions) == [200, 409]
    assert (await books.donation(donation_id))["allocated"] == "60.00"
    handed = await asyncio.gather(*(books.hand_over(allocation_id) for _ in range(2)))
    assert sorted(answer.status_code for answer in handed) == [200, 409]
    assert len(await rows(worker, ASSISTED)) == 1
    late = await books.client.post(
        f"/v1/charity/allocations/{allocation_id}/cancel", json={"reason": "误发"}
    )
    assert (late.status_code, late.json()["code"]) == (409, "not_open")


async def test_who_proposes_does_not_decide_and_a_refusal_says_why(
    books: Books, home: HouseholdState
) -> None:
    donation_id = (await books.give())["donation_id"]
    asked = {"household_id": str(home.household_id)}
    allocation_id = await books.proposed((donation_id, "60.00"), **asked)
    url = f"/v1/charity/allocations/{allocation_id}/decide"
    own = await books.client.post(url, json={"approve": True})
    assert (own.status_code, own.json()["code"]) == (409, "same_officer")
    silent = await books.decide(allocation_id, approve=False)
    assert (silent.status_code, silent.json()["code"]) == (422, "reason_missing")
    refused = await books.decide(allocation_id, approve=False, reason="本月已享受同类帮扶")
    assert (refused.json()["state"], refused.json()["reason"]) == (
        "refused",
        "本月已享受同类帮扶",
    )
    assert (await books.balance())["allocated"] == "0.00"


async def test_cancelled_help_gives_its_yuan_back(books: Books, home: HouseholdState) -> None:
    donation_id = (await books.give())["donation_id"]
    asked = {"household_id": str(home.household_id)}
    allocation_id = await books.proposed((donation_id, "60.00"), **asked)
    await books.decide(allocation_id)
    url = f"/v1/charity/allocations/{allocation_id}/cancel"
    answers = await asyncio.gather(
        *(books.client.post(url, json={"reason": "户主已迁出"}) for _ in range(2))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert (await books.donation(donation_id))["left"] == "100.00"
    waiting = await books.proposed((donation_id, "60.00"), **asked)
    await books.client.post(
        f"/v1/charity/allocations/{waiting}/cancel", json={"reason": "重复提出"}
    )
    assert (await books.donation(donation_id))["left"] == "100.00"


async def test_a_managers_family_is_not_helped(books: Books, home: HouseholdState) -> None:
    """While in office, up to the last day; also one who came in after the proposal."""
    donation_id = (await books.give())["donation_id"]
    asked = {"household_id": str(home.household_id)}
    before = await books.proposed((donation_id, "1.00"), **asked)
    url = f"/v1/charity/federations/{books.federation_id}/managers"
    today = clock.today()
    body = {
        "officer_id": "o7",
        "person_id": str(person_of(home)),
        "post": "秘书长",
        "from_on": (today - timedelta(days=30)).isoformat(),
    }
    (manager,) = (await books.client.post(url, json=body)).json()
    late = await books.decide(before)
    assert (late.status_code, late.json()["code"]) == (422, "beneficiary_related")
    refused = await books.propose((donation_id, "1.00"), **asked)
    assert (refused.status_code, refused.json()["code"]) == (422, "beneficiary_related")
    end = f"/v1/charity/managers/{manager['manager_id']}/end"
    await books.client.post(end, json={"until_on": (today - timedelta(days=1)).isoformat()})
    assert (await books.propose((donation_id, "1.00"), **asked)).status_code == 201
    declared = await books.propose((donation_id, "1.00"), **asked, declared_relation="family")
    assert (declared.status_code, declared.json()["code"]) == (422, "beneficiary_related")


async def test_a_household_outside_the_categories_needs_a_reason(
    books: Books, home: HouseholdState, worker: Database
) -> None:
    await receive(worker, lifted(home, date(2026, 5, 5)), version=2)
    donation_id = (await books.give())["donation_id"]
    asked = {"household_id": str(home.household_id)}
    bare = await books.propose((donation_id, "1.00"), **asked)
    assert (bare.status_code, bare.json()["code"]) == (422, "reason_missing")
    told = await books.propose((donation_id, "1.00"), **asked, uncategorised_reason="遭遇火灾")
    assert told.json()["uncategorised_reason"] == "遭遇火灾"


async def test_help_without_a_file_or_outside_the_division_is_refused(
    books: Books, worker: Database
) -> None:
    stranger = household(division_code="331102001001")
    closed = household(state=State.CLOSED)
    await receive(worker, stranger, closed)
    donation_id = (await books.give())["donation_id"]
    for household_id in (uuid4(), stranger.household_id):
        answer = await books.propose((donation_id, "1.00"), household_id=str(household_id))
        assert (answer.status_code, answer.json()["code"]) == (422, "household_unknown")
    answer = await books.propose(
        (donation_id, "1.00"), household_id=str(closed.household_id), uncategorised_reason="丧葬"
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "household_closed")


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"lines": []}, "#/lines"),
        ({"words": " "}, "#/words"),
        ({"month": "2026-13"}, "#/month"),
        ({"declared_relation": "friend"}, "#/declared_relation"),
        ({"lines": [{"donation_id": "x", "amount": "1"}]}, "#/lines/0/donation_id"),
        ({"lines": [{"donation_id": str(uuid4()), "amount": "0.001"}]}, "#/lines/0/amount"),
        ({"lines": [{"donation_id": str(uuid4()), "amount": "1"}]}, "#/lines/0/donation_id"),
    ],
)
async def test_a_bad_proposal_is_refused_where_it_is_wrong(
    books: Books, home: HouseholdState, changes: dict[str, Any], where: str
) -> None:
    donation_id = (await books.give())["donation_id"]
    answer = await books.propose(
        (donation_id, "1.00"), **({"household_id": str(home.household_id)} | changes)
    )
    assert answer.status_code == 422, answer.text
    assert where in {fault["where"] for fault in answer.json()["errors"]}


async def test_a_hand_over_is_not_dated_before_its_decision_or_ahead(
    books: Books, home: HouseholdState
) -> None:
    donation_id = (await books.give())["donation_id"]
    allocation_id = await books.proposed((donation_id, "1.00"), household_id=str(home.household_id))
    await books.decide(allocation_id)
    for shift in (-1, 1):
        day = clock.today() + timedelta(days=shift)
        answer = await books.hand_over(allocation_id, handed_over_on=day.isoformat())
        assert answer.json()["code"] == "handed_over_on_impossible"


async def test_the_township_hands_over_and_the_county_decides(
    books: Books, home: HouseholdState, relief: ServiceDatabase, client_of: ClientOf
) -> None:
    """A township sees its households' help and not the federation's books."""
    township = await client_of(
        "relief", relief, scopes=SCOPES, officer="o5", divisions=("331124100",)
    )
    donation_id = (await books.give())["donation_id"]
    allocation_id = await books.proposed((donation_id, "1.00"), household_id=str(home.household_id))
    url = f"/v1/charity/allocations/{allocation_id}"
    decided = await township.post(f"{url}/decide", json={"approve": True})
    assert (decided.status_code, decided.json()["code"]) == (403, "federation_not_covered")
    await books.decide(allocation_id)
    body = {
        "handed_over_on": clock.today().isoformat(),
        "received_by": "王小明",
        "proof": "photo",
        "proof_reference": "照片17",
    }
    handed = await township.post(f"{url}/hand-over", json=body)
    assert (handed.status_code, handed.json()["lines"]) == (200, [])
    assert (await township.get(f"/v1/charity/donations/{donation_id}")).status_code == 404


async def test_nothing_is_done_with_another_countys_allocation(
    books: Books, home: HouseholdState, neighbour: httpx.AsyncClient
) -> None:
    donation_id = (await books.give())["donation_id"]
    allocation_id = await books.proposed((donation_id, "1.00"), household_id=str(home.household_id))
    base = f"/v1/charity/allocations/{allocation_id}"
    hand_over = {
        "handed_over_on": clock.today().isoformat(),
        "received_by": "王",
        "proof": "photo",
        "proof_reference": "1",
    }
    for url, body in (
        (f"{base}/decide", {"approve": True}),
        (f"{base}/cancel", {"reason": "否"}),
        (f"{base}/hand-over", hand_over),
    ):
        answer = await neighbour.post(url, json=body)
        assert (answer.status_code, answer.json()["code"]) == (404, "allocation_unknown")


async def test_feedback_tells_what_for_and_how_many_without_names(
    books: Books, home: HouseholdState, worker: Database
) -> None:
    other = household(members=[member()])
    await receive(worker, other)
    donation_id = (await books.give())["donation_id"]
    url = f"/v1/charity/donations/{donation_id}/feedback"
    (first,) = (await books.client.post(url, json={})).json()["feedback"]
    assert "尚未交付使用" in first["text_zh"]
    for state, yuan in ((home, "30.00"), (home, "10.00"), (other, "20.00")):
        await books.helped((donation_id, yuan), household_id=str(state.household_id))
    second = (await books.client.post(url, json={})).json()["feedback"][1]
    assert "已用于:生活困难帮扶2户60.00元" in second["text_zh"]
    assert "尚余40.00元" in second["text_zh"]
    assert "王" not in second["text_zh"]


async def test_the_books_add_up_after_whatever_happened(
    books: Books, home: HouseholdState, worker: Database
) -> None:
    """Per donation and for the federation, to the fen, at every day's end."""
    gifts = [(await books.give(yuan))["donation_id"] for yuan in ("33.33", "0.01", "66.67")]
    asked = {"household_id": str(home.household_id)}
    wishes = [
        await books.proposed(*lines, **asked)
        for lines in (
            [(gifts[0], "33.32"), (gifts[1], "0.01")],
            [(gifts[0], "0.01"), (gifts[2], "10.10")],
            [(gifts[2], "56.58")],
            [(gifts[2], "5.55")],
        )
    ]
    answers = [await books.decide(wish) for wish in wishes]
    assert [answer.status_code for answer in answers] == [200, 200, 409, 200]
    await books.hand_over(wishes[0])
    await books.client.post(
        f"/v1/charity/allocations/{wishes[3]}/cancel", json={"reason": "户主婉拒"}
    )
    totals = {key: Decimal(value) for key, value in (await books.balance()).items() if "." in value}
    assert totals == {
        "opening": Decimal(0),
        "received": Decimal("100.01"),
        "allocated": Decimal("43.44"),
        "handed_over": Decimal("33.33"),
        "waiting": Decimal("10.11"),
        "left": Decimal("56.57"),
    }
    assert totals["received"] == totals["allocated"] + totals["left"]
    held = await rows(
        worker,
        "SELECT d.amount, d.allocated, coalesce(sum(l.amount), 0) AS taken"
        " FROM charity_donations d LEFT JOIN (charity_allocation_lines l"
        " JOIN charity_allocations a ON a.allocation_id = l.allocation_id"
        " AND a.state IN ('approved', 'handed_over')) ON l.donation_id = d.donation_id"
        " GROUP BY d.donation_id ORDER BY d.receipt_no",
    )
    assert all(row["allocated"] == row["taken"] <= row["amount"] for row in held)
    shown = [await books.donation(gift) for gift in gifts]
    assert [each["left"] for each in shown] == ["0.00", "0.00", "56.57"]
    yesterday = (clock.today() - timedelta(days=1)).isoformat()
    assert (await books.balance(to_on=yesterday))["left"] == "0.00"
    today = clock.today().isoformat()
    assert (await books.balance(from_on=today, to_on=today))["received"] == "100.01"
    wrong = await books.client.get(
        f"/v1/charity/federations/{books.federation_id}/balance",
        params={"from_on": today, "to_on": yesterday},
    )
    assert (wrong.status_code, wrong.json()["code"]) == (422, "period_empty")
