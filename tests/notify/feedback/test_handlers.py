"""What the registry tells of leads is kept in its newest version: once, twice, late, at once."""

import asyncio
from typing import Any

import pytest
from pydantic import ValidationError

from services.notify.feedback.handlers import on_leads
from shared import receipts
from shared.contracts.leads import LeadEvent, LeadState
from shared.db import Database
from tests.contracts.sample_events import load
from tests.notify.feedback.told import (
    OVER,
    SEEN,
    TOLD,
    ended,
    event,
    hear,
    held,
    lead,
    sender,
    visited,
)
from tests.notify.support import NEXT_VILLAGE, VILLAGE, blocked, rows
from tests.support.waiting import until


async def stored(database: Database) -> list[dict[str, Any]]:
    return await rows(database, "SELECT * FROM feedback ORDER BY lead_id")


async def test_a_lead_is_kept_as_it_was_told(worker: Database) -> None:
    receipt = receipts.new()
    senders = (sender("wechat"), sender("other_service", "housing", SEEN))
    one = ended(lead(receipts=(held(receipt),), senders=senders))

    await hear(worker, one, version=4)

    (row,) = await stored(worker)
    assert row == {
        "lead_id": one.lead_id,
        "division_code": VILLAGE,
        "source": "wechat",
        "state": "dismissed",
        "opened_on": TOLD,
        "visited_on": SEEN,
        "decided_on": OVER,
        "accord": None,
        "sources": ["wechat", "other_service"],
        "services": [None, "housing"],
        "reported_on": [TOLD, SEEN],
        "receipts": [receipts.hash_of(receipt)],
        "received_on": [TOLD],
        "version": 4,
    }


async def test_twice_late_and_skipped_come_to_the_same(worker: Database) -> None:
    one = lead()
    await hear(worker, one, version=1)
    await hear(worker, ended(one), version=3)
    before = await stored(worker)

    await hear(worker, ended(one), version=3)
    await hear(worker, visited(one), version=2)
    await hear(worker, one, version=1)

    assert await stored(worker) == before
    assert [(row["state"], row["version"]) for row in before] == [("dismissed", 3)]


async def test_a_batch_with_two_versions_of_one_lead_keeps_the_newer(worker: Database) -> None:
    one, other = lead(), lead()

    async with worker.transaction() as session:
        await on_leads(session, [event(visited(one), 2), event(one, 1), event(other, 1)])

    assert {row["lead_id"]: row["state"] for row in await stored(worker)} == {
        one.lead_id: "visited",
        other.lead_id: "open",
    }


async def test_a_further_receipt_and_another_place_come_with_the_newer_version(
    worker: Database,
) -> None:
    first, second = receipts.new(), receipts.new()
    one = lead(receipts=(held(first),))
    await hear(worker, one, version=1)

    moved = {"receipts": (held(first), held(second, SEEN)), "division_code": NEXT_VILLAGE}
    await hear(worker, one.model_copy(update=moved), version=2)

    (row,) = await stored(worker)
    assert row["division_code"] == NEXT_VILLAGE
    assert row["receipts"] == [receipts.hash_of(first), receipts.hash_of(second)]
    assert row["received_on"] == [TOLD, SEEN]


@pytest.mark.parametrize("newer_first", [True, False])
async def test_of_two_workers_at_once_the_newer_version_stays(
    worker: Database, newer_first: bool
) -> None:
    one = lead()
    told = [(1, one), (2, visited(one))]
    (held_version, held_lead), (late_version, late_lead) = told[::-1] if newer_first else told

    async with worker.transaction() as session:
        await on_leads(session, [event(held_lead, held_version)])
        coming = asyncio.create_task(hear(worker, late_lead, version=late_version))
        await until(lambda: blocked(worker), what="the other to wait", every=0.01)
    await coming

    assert [(row["state"], row["version"]) for row in await stored(worker)] == [("visited", 2)]


@pytest.mark.parametrize("event_type", LeadEvent)
async def test_the_stored_samples_are_taken(worker: Database, event_type: LeadEvent) -> None:
    sample = load(event_type).envelope

    async with worker.transaction() as session:
        await on_leads(session, [sample])

    (row,) = await stored(worker)
    assert str(row["lead_id"]) == sample.subject


async def test_what_is_no_lead_is_refused_so_that_it_is_parked(worker: Database) -> None:
    broken = event(lead(state=LeadState.OPEN), 1)._replace(data=b'{"lead_id": "x"}')
    with pytest.raises(ValidationError):
        async with worker.transaction() as session:
            await on_leads(session, [broken])
    assert await stored(worker) == []
