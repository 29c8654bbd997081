"""A request that is cut off in its transaction leaves nothing behind on the pooled connection."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial

import asyncpg
import pytest
from sqlalchemy import func, insert, select, text
from sqlalchemy.engine import make_url

from deploy.local.provision import ServiceDatabase
from shared.db import Database
from shared.identity import new_id
from tests.ledger.proxy import Hop, Mode, client_of
from tests.shared.test_db import fill, names_seen
from tests.support.things import THINGS
from tests.support.waiting import until


@pytest.fixture
async def hop(things_database: ServiceDatabase) -> AsyncIterator[tuple[Hop, Database]]:
    """The api role with one connection, and the wire between it and the server."""
    url = make_url(things_database.api_url)
    assert url.port is not None
    wire = Hop(url.port)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(partial(client_of, wire), "127.0.0.1", 0)
    there = url.set(host="127.0.0.1", port=server.sockets[0].getsockname()[1])
    address = there.render_as_string(hide_password=False)
    database = Database(address, application_name="test", pool_size=1)
    yield wire, database
    wire.turn(Mode.OPEN)
    await database.close()
    server.close()


async def under_way(wire: Hop) -> None:
    """Until something was sent that the black hole keeps."""

    async def held() -> bool:
        return any(side.held for pair in wire.pairs for side in pair.sides.values())

    await until(held, what="something sent", every=0.001)


@pytest.mark.parametrize("at", ["BEGIN", "statement", "COMMIT", "ROLLBACK"])
async def test_a_request_cancelled_at_every_turn_leaves_nothing_behind(
    things_database: ServiceDatabase, hop: tuple[Hop, Database], at: str
) -> None:
    """As anyio cancels: the orphan must not end what the next request does."""
    await fill(things_database)
    wire, api = hop
    ready = asyncio.Event()

    async def work() -> None:
        if at == "BEGIN":
            wire.turn(Mode.BLACK_HOLE)
            ready.set()
        async with api.transaction(divisions=("331124",)) as session:
            await session.execute(select(THINGS))
            wire.turn(Mode.BLACK_HOLE)
            ready.set()
            if at == "statement":
                await session.execute(select(THINGS))
            elif at == "ROLLBACK":
                raise LookupError

    async with api.transaction():
        pass  # the connection is there
    others = asyncio.all_tasks()
    cancelled = asyncio.create_task(work())
    await ready.wait()
    await under_way(wire)
    while not cancelled.done():
        cancelled.cancel()
        await asyncio.sleep(0)
    wire.turn(Mode.OPEN)
    async with api.transaction() as session:
        assert await session.scalar(select(func.count()).select_from(THINGS)) == 0
    async with api.transaction(divisions=("331125",)) as session:
        row = {"id": new_id(), "division_code": "331125", "name": "after"}
        await session.execute(insert(THINGS), row)
    assert "after" in await names_seen(things_database.worker_url, None)

    async def alone() -> bool:
        return not asyncio.all_tasks() - others

    await until(alone, what="the end of every task of the cancelled request", every=0.001)


async def test_a_transaction_that_cannot_begin_gives_its_connection_up(
    hop: tuple[Hop, Database],
) -> None:
    wire, api = hop

    async def begin() -> None:
        async with api.transaction():
            pytest.fail("it began without a connection")

    async with api.transaction():
        pass
    wire.turn(Mode.BLACK_HOLE)
    beginning = asyncio.create_task(begin())
    await under_way(wire)
    wire.turn(Mode.RESET)
    with pytest.raises(asyncpg.PostgresConnectionError):
        await beginning
    wire.turn(Mode.OPEN)
    for _ in range(2):
        async with api.transaction() as session:
            assert await session.scalar(text("SELECT 1")) == 1
