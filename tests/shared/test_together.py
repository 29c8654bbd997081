"""Several writes as one statement, and what a transaction does besides: on a real database."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from deploy.local.provision import ServiceDatabase
from shared import events, together
from shared.db import Database, Transaction, driver_of, savepoint
from shared.identity import new_id
from shared.together import Write
from tests.bus.notes import event_of
from tests.support.things import THINGS

_THING = "INSERT INTO things (id, division_code, name) VALUES ($1, $2, $3)"


@pytest.fixture
async def worker(things_database: ServiceDatabase) -> AsyncIterator[Database]:
    """The worker's sessions, which see every division."""
    database = Database(things_database.worker_url, application_name="test")
    yield database
    await database.close()


def thing(name: str) -> Write:
    """A thing to be written."""
    return Write(_THING, (new_id(), "331124", name))


async def names(worker: Database) -> list[str]:
    """The things that are there."""
    async with worker.transaction() as session:
        return sorted(await session.scalars(select(THINGS.c.name)))


async def test_each_write_has_its_own_values_and_names(worker: Database) -> None:
    chosen = Write(
        "INSERT INTO things (id, division_code, name) SELECT $1, $2, name FROM chosen_#",
        (new_id(), "331124", "third"),
        before=(("chosen_#", "(SELECT $3::text AS name)"),),
    )
    again = Write(chosen.sql, (new_id(), "331124", "fourth"), chosen.before)
    async with worker.transaction() as session:
        status = await together.write(session, [thing("first"), thing("second"), chosen, again])
    assert status == "INSERT 0 1"
    assert await names(worker) == ["first", "fourth", "second", "third"]


async def test_one_write_that_fails_leaves_none(worker: Database) -> None:
    with pytest.raises(Exception, match="null value"):
        async with worker.transaction() as session:
            await together.write(session, [thing("a"), Write(_THING, (new_id(), "331124", None))])
    assert await names(worker) == []


async def test_what_is_left_to_the_end_must_be_carried_out(worker: Database) -> None:
    async def leave_one() -> None:
        async with worker.transaction() as session:
            assert isinstance(session, Transaction)
            session.closing = []
            await together.write_at_the_end(session, thing("lost"))

    with pytest.raises(RuntimeError, match="never came"):
        await leave_one()
    assert await names(worker) == []
    async with worker.transaction() as session:
        await together.write_at_the_end(session, thing("kept"))
    assert await names(worker) == ["kept"]


async def test_events_of_one_request_keep_their_order(worker: Database) -> None:
    """What stands together runs in no order, so of the events only the last are left to the end."""
    household = new_id()
    async with worker.transaction() as session:
        assert isinstance(session, Transaction)
        session.closing = []
        for version in (1, 2, 3):
            await together.write_at_the_end(session, thing(f"thing {version}"))
            await events.publish(session, [event_of(household, version, "note")])
        assert [each.in_order for each in session.closing] == [False, False, False, True]
        closing, session.closing = session.closing, None
        await together.write(session, closing)
    async with worker.transaction() as session:
        sent = await driver_of(session).fetch(
            "SELECT aggregate_version FROM outbox JOIN events USING (id) ORDER BY id"
        )
    assert [row["aggregate_version"] for row in sent] == [1, 2, 3]
    assert await names(worker) == ["thing 1", "thing 2", "thing 3"]


async def test_the_driver_and_the_session_share_one_transaction(worker: Database) -> None:
    async with worker.transaction() as session:
        await session.execute(
            insert(THINGS).values(id=new_id(), division_code="331124", name="by-session")
        )
        assert await driver_of(session).fetchval("SELECT name FROM things") == "by-session"
        await session.rollback()
    assert await names(worker) == []


async def write_in_vain(session: AsyncSession, one: Write) -> None:
    """Write it under a savepoint that is not kept."""
    async with savepoint(session):
        await together.write(session, [one])
        raise ZeroDivisionError


async def test_a_savepoint_undoes_what_the_driver_wrote_in_it(worker: Database) -> None:
    async with worker.transaction() as session:
        await together.write(session, [thing("before")])
        with pytest.raises(ZeroDivisionError):
            await write_in_vain(session, thing("inside"))
        await together.write(session, [thing("after")])
    assert await names(worker) == ["after", "before"]


async def test_a_failure_that_was_swallowed_is_no_commit(worker: Database) -> None:
    async def swallow() -> None:
        async with worker.transaction() as session:
            await together.write(session, [thing("half")])
            with pytest.raises(DBAPIError):
                await session.execute(text("SELECT 1 / 0"))

    with pytest.raises(RuntimeError, match="rolled back"):
        await swallow()
    assert await names(worker) == []


async def test_a_call_after_commit_comes_after_it(worker: Database) -> None:
    called: list[str] = []

    def note() -> None:
        called.append("once")

    async with worker.transaction() as session:
        assert isinstance(session, Transaction)
        session.after_commit(note)
        session.after_commit(note)
        assert called == []
    assert called == ["once"]
    async with worker.transaction() as session:
        assert isinstance(session, Transaction)
        session.after_commit(note)
        await session.rollback()
    assert called == ["once"]
