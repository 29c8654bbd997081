"""A small writer and a small listener on the real event path, for the tests of the path itself.

The listener appends what it applies to ``applied`` and keeps the newest in ``latest``; a note
called ``poison`` breaks a constraint of its database, one called ``bug`` raises in Python.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import ClassVar
from uuid import UUID

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared import events
from shared.applying import Subscription
from shared.contracts.envelope import Envelope, Payload
from shared.contracts.topics import HOUSEHOLDS
from shared.db import Database
from shared.events import NewEvent

CHANGED = "bangfu.note.changed.v1"
STRANGE = "bangfu.note.from_the_future.v9"

PREPARE_WRITER = """
    CREATE TABLE note (household_id uuid PRIMARY KEY, version bigint NOT NULL);
    GRANT ALL ON note TO housing_api, housing_worker;
"""
PREPARE_LISTENER = """
    CREATE TABLE applied (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, subject text, version bigint,
        note text, CONSTRAINT no_poison CHECK (note <> 'poison'), UNIQUE (subject, version));
    CREATE TABLE latest (subject text PRIMARY KEY, version bigint, note text);
    GRANT ALL ON applied, latest TO education_worker;
"""


class Note(Payload):
    """What the tests publish."""

    TOPIC_KEY: ClassVar[str] = "household_id"

    household_id: UUID
    text: str


async def execute(url: str, orders: str) -> None:
    """Run SQL on a session of its own."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(orders)
    finally:
        await connection.close()


def event_of(household: UUID, version: int, note: str, *, kind: str = CHANGED) -> NewEvent:
    """The event of one note."""
    return NewEvent(
        topic=HOUSEHOLDS,
        type=kind,
        subject=household,
        version=version,
        payload=Note(household_id=household, text=note),
    )


async def note_down(
    session: AsyncSession, notes: Iterable[tuple[UUID, int, str]], *, kind: str = CHANGED
) -> None:
    """The domain write under its row lock, then the events, as an action does it."""
    listed = list(notes)
    await session.execute(
        text("""
            INSERT INTO note SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:versions AS bigint[]))
            ON CONFLICT (household_id) DO UPDATE SET version = excluded.version
        """),
        {
            "ids": list({household: None for household, _, _ in listed}),
            "versions": list({household: version for household, version, _ in listed}.values()),
        },
    )
    await events.publish(
        session,
        [event_of(household, version, note, kind=kind) for household, version, note in listed],
    )


async def write(database: Database, *notes: tuple[UUID, int, str], kind: str = CHANGED) -> None:
    """Write and publish in one transaction."""
    async with database.transaction() as session:
        await note_down(session, notes, kind=kind)


async def on_notes(session: AsyncSession, envelopes: Sequence[Envelope]) -> None:
    """The listener's handler: set-based, and blind to versions, for the guard is not its work."""
    notes = [Note.model_validate_json(envelope.data) for envelope in envelopes]
    if any(note.text == "bug" for note in notes):
        raise ValueError("a bug in the handler")
    columns = {
        "subjects": [envelope.subject for envelope in envelopes],
        "versions": [envelope.aggregate_version for envelope in envelopes],
        "notes": [note.text for note in notes],
    }
    await session.execute(_APPEND, columns)
    await session.execute(_KEEP, columns)


_APPEND = text("""
    INSERT INTO applied (subject, version, note)
    SELECT * FROM unnest(CAST(:subjects AS text[]), CAST(:versions AS bigint[]),
                         CAST(:notes AS text[]))
""")
_KEEP = text("""
    INSERT INTO latest (subject, version, note)
    SELECT * FROM unnest(CAST(:subjects AS text[]), CAST(:versions AS bigint[]),
                         CAST(:notes AS text[]))
    ON CONFLICT (subject) DO UPDATE SET version = excluded.version, note = excluded.note
""")

SUBSCRIPTIONS = (Subscription(HOUSEHOLDS, frozenset({CHANGED}), (on_notes,)),)


async def latest(database: Database) -> dict[str, tuple[int, str]]:
    """The listener's rows."""
    async with database.transaction() as session:
        rows = await session.execute(text("SELECT subject, version, note FROM latest"))
        return {row.subject: (row.version, row.note) for row in rows}


async def scalar(database: Database, query: str, **values: object) -> object:
    """One value from one row."""
    async with database.transaction() as session:
        return await session.scalar(text(query), values)


@asynccontextmanager
async def running(
    *parts: Callable[[asyncio.Event], Awaitable[None]],
) -> AsyncIterator[asyncio.Event]:
    """Run parts of a worker beside the test; they must end in time and without an error."""
    stop = asyncio.Event()
    tasks = [asyncio.ensure_future(part(stop)) for part in parts]
    try:
        yield stop
    finally:
        stop.set()
        done, late = await asyncio.wait(tasks, timeout=30)
        for task in late:
            task.cancel()
    assert not late, "a part did not stop within 30 s"
    for task in done:
        task.result()
