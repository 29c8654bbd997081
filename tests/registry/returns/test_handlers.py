"""Signs of hardship from other services: once, twice, about nobody; and nothing goes out again."""

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text

from services.registry.ledger.actions import UnknownHouseholdError
from services.registry.returns.handlers import SUBSCRIPTIONS, on_hardships
from services.registry.worker import SUBSCRIPTIONS as HEARD
from shared import clock, workdays
from shared.applying import Applier
from shared.contracts.assistance import AssistanceEvent
from shared.contracts.envelope import Envelope
from shared.contracts.topics import ASSISTANCE, RELIEF_ASSISTANCE
from shared.identity import new_id
from shared.parking import Arrival
from tests.registry.filing import Office, Registry
from tests.registry.told import hardship_event


async def hear(registry: Registry, *envelopes: Envelope) -> None:
    async with registry.worker.transaction() as session:
        await on_hardships(session, envelopes)


async def checks(registry: Registry, household_id: str) -> list[dict[str, object]]:
    return await registry.rows(
        "SELECT hardship_id, opened_on, due_on, due_provisional, outcome, division_code "
        "FROM return_checks WHERE household_id = :id ORDER BY return_check_id",
        id=household_id,
    )


async def signs(registry: Registry, household_id: str) -> int:
    return len(
        await registry.rows("SELECT 1 FROM hardships WHERE household_id = :id", id=household_id)
    )


async def test_a_sign_opens_one_check_however_often_it_comes(
    registry: Registry, office: Office
) -> None:
    household_id = await office.struck_off()
    event = hardship_event(household_id=household_id, amount=Decimal("23000.50"))
    before = await registry.counted("events", "outbox", "household_versions")

    for _ in range(3):
        await hear(registry, event)

    async with registry.worker.transaction() as session:
        limit = (await workdays.load(session)).add(clock.today(), 5)
    (check,) = await checks(registry, household_id)
    assert check == {
        "hardship_id": check["hardship_id"],
        "opened_on": clock.today(),
        "due_on": limit.on,
        "due_provisional": limit.provisional,
        "outcome": None,
        "division_code": "331124002221",
    }
    assert str(check["hardship_id"]) == event.subject
    assert await signs(registry, household_id) == 1
    assert await registry.counted("events", "outbox", "household_versions") == before


async def test_the_due_day_goes_by_the_calendar(registry: Registry, office: Office) -> None:
    household_id = await office.struck_off()
    today = clock.today()
    days = [today + timedelta(days=ahead) for ahead in range(1, 30)]
    holiday = days[:9]
    async with registry.worker.transaction() as session:
        await session.execute(
            text("INSERT INTO working_days (day, working, source) VALUES (:day, :working, 'test')"),
            [{"day": day, "working": day not in holiday} for day in days],
        )

    await hear(registry, hardship_event(household_id=household_id))

    (check,) = await checks(registry, household_id)
    await registry.forget("working_days")
    assert (check["due_on"], check["due_provisional"]) == (today + timedelta(days=14), False)


async def test_a_sign_at_a_household_on_assistance_is_kept_and_no_more(
    registry: Registry, office: Office
) -> None:
    accepted, identified = await office.open(), await office.identified()
    closed = await office.identified()
    await office.decide(closed, "close", decided_on="2026-03-01", ground="died")

    for household_id in (accepted, identified, closed):
        await hear(registry, hardship_event(household_id=household_id))
        assert await signs(registry, household_id) == 1
        assert await checks(registry, household_id) == []


async def test_two_services_may_use_one_id_and_a_batch_is_taken_whole(
    registry: Registry, office: Office
) -> None:
    first, second, on_assistance = (
        await office.struck_off(),
        await office.struck_off(),
        await office.identified(),
    )
    one = new_id()

    await hear(
        registry,
        hardship_event(household_id=first, hardship_id=one),
        hardship_event(household_id=first, hardship_id=one, source="/education", kind="dropout"),
        hardship_event(household_id=second, kind="a_sign_of_a_later_writer"),
        hardship_event(household_id=on_assistance),
    )

    assert len(await checks(registry, first)) == 2
    assert len(await checks(registry, second)) == 1
    assert await checks(registry, on_assistance) == []


async def test_nobody_we_know_is_refused_by_name_and_the_batch_with_it(
    registry: Registry, office: Office
) -> None:
    household_id, stranger = await office.struck_off(), str(new_id())

    with pytest.raises(UnknownHouseholdError, match=stranger):
        await hear(
            registry,
            hardship_event(household_id=household_id),
            hardship_event(household_id=stranger),
        )

    assert await signs(registry, household_id) == 0


async def test_the_consumer_parks_it_with_its_reason_and_takes_the_rest(
    registry: Registry, office: Office
) -> None:
    household_id, stranger = await office.struck_off(), str(new_id())
    told = [hardship_event(household_id=each) for each in (stranger, household_id)]
    arrivals = [
        Arrival(
            topic=RELIEF_ASSISTANCE.name,
            partition=0,
            offset=offset,
            key=event.key.encode(),
            value=event.data,
            headers=event.headers(),
        )
        for offset, event in enumerate(told)
    ]

    async with registry.worker.transaction() as session:
        tally = await Applier(HEARD).take(session, arrivals)

    assert (tally.applied.total(), tally.parked.total()) == (1, 1)
    assert len(await checks(registry, household_id)) == 1
    (parked,) = await registry.rows("SELECT reason FROM parked")
    assert stranger in parked["reason"]


@pytest.fixture
async def without_limit(registry: Registry) -> AsyncIterator[None]:
    """As if nobody had approved a time limit; in force again after the test."""
    key = "return.check_working_days"
    rename = text("UPDATE policy_parameters SET key = :new WHERE key = :old")
    async with registry.worker.transaction() as session:
        await session.execute(rename, {"old": key, "new": "away"})
    yield
    async with registry.worker.transaction() as session:
        await session.execute(rename, {"old": "away", "new": key})


async def test_without_an_approved_limit_the_check_opens_all_the_same(
    registry: Registry, office: Office, without_limit: None
) -> None:
    household_id = await office.struck_off()

    await hear(registry, hardship_event(household_id=household_id))

    (check,) = await checks(registry, household_id)
    assert (check["due_on"], check["due_provisional"]) == (None, False)


def test_every_assistance_topic_is_heard() -> None:
    heard = {(each.topic.name, kind) for each in SUBSCRIPTIONS for kind in each.types}

    assert heard == {(topic.name, AssistanceEvent.HARDSHIP_DETECTED.value) for topic in ASSISTANCE}
    assert set(SUBSCRIPTIONS) <= set(HEARD)
