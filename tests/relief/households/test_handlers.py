"""Households arriving as the consumer hands them over: once, twice, late, skipped, broken."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from services.relief.worker import SUBSCRIPTIONS
from shared.applying import Applier, Tally
from shared.contracts.envelope import Envelope
from shared.contracts.registry import Category, HouseholdEvent, HouseholdState, State
from shared.contracts.topics import HOUSEHOLDS
from shared.db import Database
from shared.parking import Arrival
from tests.contracts.sample_events import load
from tests.relief.support import (
    lifted,
    live,
    rows,
    set_line,
    set_tekun_figures,
    with_periods,
)
from tests.support.builders import household, household_event, member


@pytest.fixture(autouse=True)
async def line(worker: Database) -> None:
    await set_line(worker, "1150", date(2026, 1, 1))


def arrival(envelope: Envelope, offset: int = 0) -> Arrival:
    return Arrival(
        topic=HOUSEHOLDS.name,
        partition=0,
        offset=offset,
        key=envelope.key.encode(),
        value=envelope.data,
        headers=envelope.headers(),
    )


async def take(worker: Database, *envelopes: Envelope) -> Tally:
    """One batch, one transaction, as the consumer does it."""
    async with worker.transaction() as session:
        arrivals = [arrival(each, offset) for offset, each in enumerate(envelopes)]
        return await Applier(SUBSCRIPTIONS).take(session, arrivals)


async def everything(worker: Database) -> list[dict[str, Any]]:
    tables = (
        "household_copy",
        "member_copy",
        "dibao_grants",
        "tekun_grants",
        "events",
        "outbox",
        "audit_log",
    )
    found = []
    for table in tables:
        found += await rows(worker, f"SELECT * FROM {table} ORDER BY 1, 2")  # noqa: S608 (above)
    return found


async def test_once(worker: Database) -> None:
    state = household(members=[member(), member()])
    await take(worker, household_event(state))
    assert await live(worker, state.household_id) == [("2026-04", Decimal(1800), "entitled")]
    assert len(await rows(worker, "SELECT 1 FROM member_copy")) == 2
    told = await rows(worker, "SELECT type FROM events")
    assert told == [{"type": "bangfu.guarantee.changed.v1"}], "a grant is no news to the registry"


async def test_twice(worker: Database) -> None:
    event = household_event(household())
    await take(worker, event)
    before = await everything(worker)
    tally = await take(worker, event)
    assert tally.stale[HOUSEHOLDS.name] == 1
    assert await everything(worker) == before


async def test_late(worker: Database) -> None:
    state = household()
    stopped = lifted(state, date(2026, 8, 1))
    await take(worker, household_event(stopped, version=2, type_=HouseholdEvent.LIFTED))
    before = await everything(worker)
    await take(worker, household_event(state, version=1))
    assert await everything(worker) == before
    assert [reason for *_, reason in await live(worker, state.household_id)] == [
        "entitled",
        "lifted",
    ]


async def test_collapsed_into_one_batch(worker: Database) -> None:
    state = household()
    stopped = lifted(state, date(2026, 8, 1))
    await take(
        worker,
        household_event(state, version=1),
        household_event(stopped, version=2, type_=HouseholdEvent.LIFTED),
    )
    assert [month for month, *_ in await live(worker, state.household_id)] == ["2026-04", "2026-09"]
    assert len(await rows(worker, "SELECT 1 FROM dibao_grants")) == 2


async def test_every_type_is_known(worker: Database) -> None:
    states = [household() for _ in HouseholdEvent]
    events = zip(states, HouseholdEvent, strict=True)
    tally = await take(worker, *[household_event(state, type_=type_) for state, type_ in events])
    assert (tally.applied.total(), tally.unknown.total()) == (len(states), 0)
    for state in states:
        assert len(await live(worker, state.household_id)) == 1


async def test_the_stored_samples_are_understood(worker: Database) -> None:
    samples = [load(str(type_)).envelope for type_ in HouseholdEvent]
    tally = await take(worker, *samples)
    assert tally.parked.total() == 0
    copies = await rows(worker, "SELECT household_id FROM household_copy")
    assert {str(copy["household_id"]) for copy in copies} == {each.subject for each in samples}


async def test_lifted_exited_and_returned_on_one_file(worker: Database) -> None:
    state: HouseholdState = household()
    for version, (on, new_state) in enumerate(
        [
            (date(2026, 5, 31), State.LIFTED),
            (date(2026, 6, 1), State.EXITED),
            (date(2026, 9, 30), State.RETURNED),
        ],
        start=2,
    ):
        period = state.periods[-1].model_copy(update={"valid_from": on, "state": new_state})
        state = with_periods(state, *state.periods, period)
        await take(worker, household_event(state, version=version))
    assert await live(worker, state.household_id) == [
        ("2026-04", Decimal(650), "entitled"),
        ("2026-06", Decimal(0), "lifted"),
        ("2026-07", Decimal(0), "exited"),
        ("2026-10", Decimal(650), "entitled"),
    ]


async def test_tekun_once_twice_and_late(worker: Database) -> None:
    """Dibao first, tekun from June on; delivered newest first, then again, then the older one."""
    await set_tekun_figures(worker, but="dibao_line")
    dibao = household(wage="0")
    period = dibao.periods[-1].model_copy(
        update={"valid_from": date(2026, 6, 9), "category": Category.TEKUN}
    )
    tekun = with_periods(dibao, *dibao.periods, period)
    newest = household_event(tekun, version=2, type_=HouseholdEvent.CHANGED)
    await take(worker, newest)
    expected = [("2026-07", Decimal(1495), "assessment_missing")]
    assert await live(worker, tekun.household_id, "tekun_grants") == expected
    assert await live(worker, tekun.household_id) == [
        ("2026-04", Decimal(1150), "entitled"),
        ("2026-07", Decimal(0), "not_dibao"),
    ]
    before = await everything(worker)
    await take(worker, newest)
    await take(worker, household_event(dibao, version=1))
    assert await everything(worker) == before


async def test_other_categories_are_copied_and_get_no_grant(worker: Database) -> None:
    others = [household(category=each) for each in Category if each is not Category.DIBAO]
    await take(worker, *[household_event(each) for each in others])
    assert len(await rows(worker, "SELECT 1 FROM household_copy")) == len(others)
    assert await rows(worker, "SELECT 1 FROM dibao_grants") == []


async def test_a_broken_household_is_parked_and_holds_nobody_up(worker: Database) -> None:
    good, bad = household(), household()
    broken = household_event(bad, data=b'{"household_id": "nobody"}')
    tally = await take(worker, broken, household_event(good))
    assert (tally.parked[HOUSEHOLDS.name], tally.applied[HOUSEHOLDS.name]) == (1, 1)
    assert len(await live(worker, good.household_id)) == 1
