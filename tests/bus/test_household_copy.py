"""The copy of the households is what the registry published, whatever arrives in whatever order."""

from collections.abc import AsyncIterator, Sequence
from decimal import Decimal

import pytest
from pydantic import ValidationError
from sqlalchemy import text

from shared import household_copy
from shared.contracts.envelope import Envelope
from shared.contracts.registry import (
    Assets,
    Cause,
    Disability,
    DisabilityKind,
    Episode,
    HouseGrade,
    HouseholdEvent,
    HouseholdState,
    LaborAbility,
    Relation,
    RigidExpenses,
)
from shared.db import Database
from tests.conftest import DatabaseOf
from tests.support import builders


@pytest.fixture
async def listener(database_of: DatabaseOf) -> AsyncIterator[Database]:
    """A listener's database, as its worker."""
    database = Database((await database_of("education")).worker_url, application_name="test")
    yield database
    await database.close()


def envelope(state: HouseholdState, version: int) -> Envelope:
    """The event that carries this state."""
    return builders.household_event(state, version=version, type_=HouseholdEvent.CHANGED)


async def take(database: Database, *envelopes: Envelope) -> Sequence[HouseholdState]:
    """Apply in a transaction of its own."""
    async with database.transaction() as session:
        return await household_copy.apply(session, envelopes)


async def stored(database: Database, *states: HouseholdState) -> list[HouseholdState]:
    """The copies of these households."""
    async with database.transaction() as session:
        return await household_copy.load(session, [state.household_id for state in states])


def full() -> HouseholdState:
    """A household with everything filled in."""
    people = [
        builders.member(
            labor_ability=LaborAbility.WEAK,
            disability=Disability(kind=DisabilityKind.SIGHT, grade=2),
            willing_to_work=False,
            insured=True,
        ),
        builders.member(Relation.SPOUSE),
        builders.member(Relation.SON, left_behind=True),
    ]
    return builders.household(
        members=people,
        causes=(Cause.ILLNESS, Cause.DISABILITY),
        house_grade=HouseGrade.C,
        rigid_expenses=RigidExpenses(medical=Decimal("1234.50")),
        assets=Assets(financial=Decimal("0.10"), vehicles=1),
        episodes=(
            Episode(
                number=1,
                origin="roster",
                identified_on=builders.IDENTIFIED_ON,
                lifted_on=builders.IDENTIFIED_ON,
            ),
            Episode(number=2, origin="return", identified_on=builders.IDENTIFIED_ON),
        ),
    )


async def test_what_is_loaded_is_what_was_published(listener: Database) -> None:
    states = sorted((full() for _ in range(5)), key=lambda state: state.household_id)
    assert await take(listener, *[envelope(state, 1) for state in states]) == states
    assert await stored(listener, *states) == states


async def test_the_same_and_an_older_version_change_nothing(listener: Database) -> None:
    old = full()
    new = old.model_copy(update={"members": old.members[:1], "n": 1})
    assert await take(listener, envelope(new, 3)) == [new]
    assert await take(listener, envelope(new, 3)) == []
    assert await take(listener, envelope(old, 2)) == []
    assert await stored(listener, new) == [new]


async def test_a_newer_version_replaces_members_whole(listener: Database) -> None:
    old = full()
    grown = (*old.members[1:], builders.member(Relation.DAUGHTER))
    new = old.model_copy(update={"members": grown, "division_code": "331124101203"})
    await take(listener, envelope(old, 1))
    assert await take(listener, envelope(new, 2)) == [new]
    assert await stored(listener, new) == [new]
    async with listener.transaction() as session:
        codes = await session.scalars(text("SELECT DISTINCT division_code FROM member_copy"))
        assert list(codes) == ["331124101203"]


async def test_two_versions_in_one_call_leave_the_newer(listener: Database) -> None:
    old = full()
    new = old.model_copy(update={"n": 9})
    assert await take(listener, envelope(new, 2), envelope(old, 1)) == [new]
    assert await stored(listener, new) == [new]


async def test_nothing_is_nothing(listener: Database) -> None:
    assert await take(listener) == []
    assert await stored(listener) == []


async def test_a_payload_that_is_no_household_is_refused(listener: Database) -> None:
    broken = envelope(full(), 1)._replace(data=b'{"household_id": 1}')
    with pytest.raises(ValidationError):
        await take(listener, broken)


async def test_an_api_sees_its_divisions_and_writes_nothing(database_of: DatabaseOf) -> None:
    home = await database_of("education")
    worker = Database(home.worker_url, application_name="test")
    api = Database(home.api_url, application_name="test")
    state = full()
    try:
        await take(worker, envelope(state, 1))
        async with api.transaction(divisions=["331199"]) as session:
            assert await household_copy.load(session, [state.household_id]) == []
        async with api.transaction(divisions=[state.division_code[:6]]) as session:
            assert await household_copy.load(session, [state.household_id]) == [state]
            with pytest.raises(Exception, match="permission denied"):
                await household_copy.apply(session, [envelope(state, 2)])
            await session.rollback()
    finally:
        await worker.close()
        await api.close()
