"""Looks: one statement that shows only the caller's divisions, with its audit line, or nothing."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from sqlalchemy import insert, select, text

from deploy.local.provision import ServiceDatabase
from shared import audit, looks
from shared.auth import Caller
from shared.db import Database
from shared.identity import new_id
from shared.looks import Look
from tests.support.things import THINGS

PLACES = ("331124", "331124101", "331125", "331102101")
NAMES = "SELECT id::text AS subject_id, division_code, name FROM things"
AMONG_ALL = """
    SELECT id::text AS subject_id, division_code, name FROM things
    WHERE id = ANY (ARRAY(SELECT id FROM things))
"""
SETTING = "SELECT current_setting('bangfu.divisions', true)"
SEEN = "SELECT name FROM things"


@pytest.fixture
async def one_connection(things_database: ServiceDatabase) -> AsyncIterator[Database]:
    """The api role over a single connection, which every look therefore uses again."""
    worker = Database(things_database.worker_url, application_name="test")
    async with worker.transaction() as session:
        rows = [{"id": new_id(), "division_code": place, "name": place} for place in PLACES]
        await session.execute(insert(THINGS), rows)
    await worker.close()
    database = Database(things_database.api_url, application_name="test", pool_size=1)
    yield database
    await database.close()


def look_of(database: Database, *divisions: str) -> Look:
    """A look with the eyes of an officer of these divisions."""
    return Look(database, Caller(sub=f"o-{'-'.join(divisions)}", divisions=divisions))


async def names(look: Look, query: str = NAMES, *values: object) -> list[str]:
    """What the look shows."""
    rows = await look.at(query, *values, action="thing.read", subject_type="thing")
    return sorted(row["name"] for row in rows)


async def noted(things_database: ServiceDatabase) -> list[tuple[str, str | None]]:
    """Who looked at what place, by the audit table, seen from outside."""
    worker = Database(things_database.worker_url, application_name="test")
    lines = audit.audit_log.c
    async with worker.transaction() as session:
        rows = await session.execute(select(lines.sub, lines.division_code).order_by(lines.id))
        found = [(row.sub, row.division_code) for row in rows]
    await worker.close()
    return found


async def assert_nothing_stays(database: Database) -> None:
    """The connection carries nobody's divisions, in a statement and in a transaction."""
    (row,) = await database.statement(SETTING)
    assert row[0] in {None, ""}
    assert await database.statement(SEEN) == []
    async with database.transaction() as session:
        assert list(await session.scalars(text(SEEN))) == []


@pytest.mark.parametrize(
    ("divisions", "seen"),
    [
        ((), []),
        (("331124",), ["331124", "331124101"]),
        (("331124101", "331125"), ["331124101", "331125"]),
        (("",), sorted(PLACES)),
        (("99",), []),
    ],
)
async def test_shows_the_callers_divisions_and_notes_each_row(
    one_connection: Database,
    things_database: ServiceDatabase,
    divisions: tuple[str, ...],
    seen: list[str],
) -> None:
    look = look_of(one_connection, *divisions)
    assert await names(look) == seen
    # from outside, so it is committed
    assert sorted(place or "" for _, place in await noted(things_database)) == seen
    await assert_nothing_stays(one_connection)


async def test_values_are_parameters_of_the_query(one_connection: Database) -> None:
    look = look_of(one_connection, "33")
    assert await names(look, f"{NAMES} WHERE name = $1 OR name = $2", "331125", "331124") == [
        "331124",
        "331125",
    ]


async def test_callers_take_turns_on_one_connection(one_connection: Database) -> None:
    here, there, none = (look_of(one_connection, *d) for d in (("331124",), ("331125",), ()))
    for _ in range(3):
        shown = await asyncio.gather(*(names(each) for each in (here, there, none) * 4))
        assert shown == [["331124", "331124101"], ["331125"], []] * 4


async def test_a_look_between_transactions_of_others(one_connection: Database) -> None:
    for _ in range(2):
        async with one_connection.transaction(divisions=("331102",)) as session:
            assert list(await session.scalars(text(SEEN))) == ["331102101"]
        assert await names(look_of(one_connection, "331125")) == ["331125"]
        await assert_nothing_stays(one_connection)


async def test_a_query_that_fails_leaves_no_line_and_no_divisions(
    one_connection: Database, things_database: ServiceDatabase
) -> None:
    broken = f"{NAMES} WHERE 1 / (length(name) - length(name)) = 1"
    with pytest.raises(asyncpg.DivisionByZeroError):
        await names(look_of(one_connection, "331124"), broken)
    await assert_nothing_stays(one_connection)
    assert await names(look_of(one_connection, "331125")) == ["331125"]
    assert await noted(things_database) == [("o-331125", "331125")]


async def test_a_line_that_cannot_be_written_hides_the_rows(
    one_connection: Database, things_database: ServiceDatabase
) -> None:
    """No deed without its line: a check that only the commit makes lets nothing out."""
    owner = await asyncpg.connect(things_database.owner_url)
    await owner.execute(
        """
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION 'at the commit'; END $$;
        CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON audit_log
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse();
        """
    )
    await owner.close()
    with pytest.raises(asyncpg.RaiseError, match="at the commit"):
        await names(look_of(one_connection, "331124"))
    assert await noted(things_database) == []
    await assert_nothing_stays(one_connection)


async def test_a_look_that_is_cut_off_leaves_nothing_to_the_next(
    one_connection: Database, things_database: ServiceDatabase
) -> None:
    """The client left while the statement ran: its connection is given up, not handed on."""
    owner = await asyncpg.connect(things_database.owner_url)
    async with owner.transaction():
        await owner.execute("LOCK TABLE things IN ACCESS EXCLUSIVE MODE")
        looking = asyncio.create_task(names(look_of(one_connection, "331124")))
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        while not await owner.fetchval(waiting):  # noqa: ASYNC110 - PostgreSQL wakes nobody
            await asyncio.sleep(0.01)
        looking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await looking
    await owner.close()
    assert await names(look_of(one_connection, "331125")) == ["331125"]
    await assert_nothing_stays(one_connection)


async def test_a_connection_that_the_server_closed_is_replaced(
    one_connection: Database, things_database: ServiceDatabase
) -> None:
    (row,) = await one_connection.statement("SELECT pg_backend_pid() AS pid")
    owner = await asyncpg.connect(things_database.worker_url)
    with pytest.raises(asyncpg.PostgresError):
        await one_connection.statement("SELECT pg_terminate_backend($1)", row["pid"])
    await owner.close()
    assert await names(look_of(one_connection, "331125")) == ["331125"]


@pytest.mark.parametrize(
    "ways",
    [
        ("enable_nestloop",),
        ("enable_seqscan", "enable_indexscan", "enable_bitmapscan"),
        ("enable_material", "enable_hashjoin", "enable_mergejoin", "enable_memoize"),
        ("enable_nestloop", "enable_hashjoin", "enable_mergejoin"),
    ],
)
async def test_however_it_is_planned_the_divisions_come_first(
    one_connection: Database, things_database: ServiceDatabase, ways: tuple[str, ...]
) -> None:
    api = await asyncpg.connect(things_database.api_url)
    statement = looks.noted(AMONG_ALL)
    caller = Caller(sub="o", divisions=("331125",))
    line = audit.line(caller, action="thing.read", subject_type="thing")
    try:
        for way in ways:
            await api.execute(f"SET {way} = off")
        plan = [row[0].strip() for row in await api.fetch(f"EXPLAIN {statement}", *line, "331125")]
        # whatever reads the table stands below the step that needs the divisions to be set
        reads = [at for at, step in enumerate(plan) if "on things" in step]
        assert reads
        assert plan.index("One-Time Filter: (caller.divisions IS NOT NULL)") < min(reads)
        for _ in range(8):  # past the fifth, PostgreSQL may turn to a plan for any value
            rows = await api.fetch(statement, *line, "331125")
            assert [row["name"] for row in rows] == ["331125"]
            assert await api.fetch(SEEN) == []
    finally:
        await api.close()
    assert await names(look_of(one_connection, "331124")) == ["331124", "331124101"]
