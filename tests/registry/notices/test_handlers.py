"""What notify says of notices: once, twice, late, about nothing; and nothing goes out again."""

from datetime import date
from typing import Any

import pytest

from services.registry.ledger.actions import UnknownHouseholdError
from services.registry.notices.actions import UnknownRequestError
from services.registry.worker import SUBSCRIPTIONS as HEARD
from shared.applying import Applier
from shared.contracts.notices import NoticeEvent, NoticeOutcome, NoticeStatus
from shared.contracts.topics import NOTICES
from shared.identity import new_id
from shared.parking import Arrival
from tests.registry.filing import Office, Registry
from tests.registry.told import notice_event

POSTED_ON = date(2026, 2, 1)


async def seen(office: Office, household_id: str) -> tuple[object, ...]:
    answer = await office.client.get(f"/v1/households/{household_id}/notices")
    (shown,) = answer.json()["items"]
    return shown["status"], shown["objections"], shown["outcome"]


async def test_once_twice_and_late(registry: Registry, office: Office) -> None:
    household_id = await office.open()
    asked = await office.ask_notice(household_id, "identification")
    notice: dict[str, Any] = {"notice_id": new_id(), "posted_on": POSTED_ON}
    posted = notice_event(asked, 1, **notice)
    objected = notice_event(asked, 2, **notice, status=NoticeStatus.OBJECTED, objections=1)
    closed = notice_event(
        asked,
        4,
        **notice,
        status=NoticeStatus.CLOSED,
        objections=2,
        outcome=NoticeOutcome.OBJECTIONS_DISMISSED,
        closed_on=date(2026, 2, 9),
    )
    before = await registry.counted("events", "outbox", "household_versions", "audit_log")

    told = []
    for event in (posted, posted, objected, posted, closed, objected, closed):
        await registry.notified(event)
        rows = await registry.rows(
            "SELECT status, objections FROM notices WHERE household_id = :id", id=household_id
        )
        told.append(tuple(rows[0].values()))

    assert told == [
        ("posted", 0),
        ("posted", 0),
        ("objected", 1),
        ("objected", 1),
        *[("closed", 2)] * 3,
    ]
    after = await registry.counted("events", "outbox", "household_versions", "audit_log")
    assert after == before
    assert await seen(office, household_id) == ("closed", 2, "objections_dismissed")


async def test_a_batch_of_many_households(registry: Registry, office: Office) -> None:
    asked = [await office.ask_notice(await office.open(), "identification") for _ in range(3)]

    await registry.notified(*(notice_event(each, posted_on=POSTED_ON) for each in asked))

    for each in asked:
        assert await seen(office, each["household_id"]) == ("posted", 0, None)


async def test_an_answer_to_a_request_never_made_is_refused_by_name(
    registry: Registry, office: Office
) -> None:
    asked = await office.ask_notice(await office.open(), "identification")
    never = asked | {"notice_request_id": str(new_id())}
    other = asked | {"household_id": await office.open()}
    nowhere = asked | {"household_id": str(new_id())}

    with pytest.raises(UnknownRequestError, match=never["notice_request_id"]):
        await registry.notified(notice_event(asked), notice_event(never))
    with pytest.raises(UnknownRequestError, match=asked["notice_request_id"]):
        await registry.notified(notice_event(other))
    with pytest.raises(UnknownHouseholdError, match=nowhere["household_id"]):
        await registry.notified(notice_event(nowhere))

    assert await seen(office, asked["household_id"]) == (None, None, None)


async def test_a_notice_that_relief_asked_for_is_passed_over(
    registry: Registry, office: Office
) -> None:
    asked = await office.ask_notice(await office.open(), "identification")
    relief = asked | {"kind": "temporary_assistance", "notice_request_id": str(new_id())}
    closed: dict[str, Any] = {
        "status": NoticeStatus.CLOSED,
        "outcome": NoticeOutcome.UNOPPOSED,
        "posted_on": POSTED_ON,
    }
    await registry.notified(notice_event(relief), notice_event(relief, 2, **closed))

    assert await seen(office, asked["household_id"]) == (None, None, None)


async def test_the_consumer_parks_it_with_its_reason_and_takes_the_rest(
    registry: Registry, office: Office
) -> None:
    asked = await office.ask_notice(await office.open(), "identification")
    never = asked | {"notice_request_id": str(new_id())}
    arrivals = [
        Arrival(
            topic=NOTICES.name,
            partition=0,
            offset=offset,
            key=event.key.encode(),
            value=event.data,
            headers=event.headers(),
        )
        for offset, event in enumerate((notice_event(never), notice_event(asked)))
    ]

    async with registry.worker.transaction() as session:
        tally = await Applier(HEARD).take(session, arrivals)

    assert (tally.applied.total(), tally.parked.total()) == (1, 1)
    assert (await seen(office, asked["household_id"]))[0] == "posted"
    (parked,) = await registry.rows("SELECT reason FROM parked")
    assert "never asked for the notice" in parked["reason"]


def test_every_word_of_notify_is_heard() -> None:
    heard = {kind for each in HEARD if each.topic == NOTICES for kind in each.types}

    assert heard == {kind.value for kind in NoticeEvent}
