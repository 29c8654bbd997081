"""Connections, transactions and row-level security.

One request is one transaction: it is opened with the caller's divisions set, and committed before
the answer leaves. Application code never commits.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Annotated, Any, Protocol, cast
from uuid import UUID

import asyncpg
import orjson
from fastapi import Depends, Request
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    MetaData,
    Uuid,
    and_,
    any_,
    event,
    false,
    literal,
    or_,
    true,
)
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import (
    AsyncConnection,
    AsyncEngine,
    AsyncSession,
    create_async_engine,
)
from sqlalchemy.pool import PoolProxiedConnection

from shared.auth import Caller, sender_of

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
"""Names of constraints and indexes; every service's Base takes the same."""

platform_metadata = MetaData(naming_convention=NAMING)
"""The tables that every service has: events, outbox, audit_log and their like."""

EVERYWHERE = ""
"""The prefix that covers every division; only workers and commands hold it, never a token."""

_PREFIX = re.compile(r"[0-9]*", re.ASCII)
_BEGIN = "BEGIN"
_COMMIT = "COMMIT"
_ROLLBACK = "ROLLBACK"
_SET_DIVISIONS = "; SET LOCAL bangfu.divisions = '{}'"
"""In one round trip with BEGIN; the setting is digits and commas, divisions_setting sees to it."""
_CONNECT_SECONDS = 5.0
_IDLE_IN_TRANSACTION = "60s"  # a request that hangs must not hold locks for ever


class Database:
    """An engine and its sessions, for one role of one service's database.

    READ COMMITTED; a statement that runs or waits too long is cancelled by the server. A connection
    that the server closed (a restart) is replaced before use and never handed out.
    """

    def __init__(
        self,
        url: str,
        *,
        application_name: str,
        pool_size: int = 10,
        statement_timeout_ms: int = 15_000,
        lock_timeout_ms: int = 4_000,
    ) -> None:
        self.engine = create_async_engine(
            driver_url(url),
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=_CONNECT_SECONDS,
            pool_recycle=1800,
            hide_parameters=True,
            json_serializer=_to_json,
            json_deserializer=orjson.loads,
            # Transaction begins and commits by itself: SQLAlchemy's own way costs 0.4 ms more
            isolation_level="AUTOCOMMIT",
            connect_args={
                "timeout": _CONNECT_SECONDS,
                "server_settings": {
                    "application_name": application_name,
                    "default_transaction_isolation": "read committed",
                    "idle_in_transaction_session_timeout": _IDLE_IN_TRANSACTION,
                    "jit": "off",
                    "lock_timeout": str(lock_timeout_ms),
                    "statement_timeout": str(statement_timeout_ms),
                    "TimeZone": "UTC",
                },
            },
        )
        event.listen(self.engine.sync_engine, "checkout", _refuse_closed)

    @asynccontextmanager
    async def transaction(
        self, *, divisions: Sequence[str] | None = None
    ) -> AsyncIterator[AsyncSession]:
        """One transaction: committed at the end of the block, rolled back when it raises.

        ``divisions`` are the code prefixes whose rows are visible to a role under row-level
        security; without them such a role sees none, and a worker, which bypasses it, sees all.
        A streamed export opens its own one of these, since the request's is over by then.
        """
        order = _BEGIN
        if divisions is not None:
            order += _SET_DIVISIONS.format(divisions_setting(divisions))
        pooled = await self._pooled()
        session = Transaction(self.engine, pooled)
        try:
            await session.driver.execute(order)
            yield session
            await session.finish()
        except BaseException:
            await asyncio.shield(session.abandon())
            raise
        finally:
            session.give_back()
            await asyncio.sleep(0)  # whoever waits for a connection comes before our next request

    async def statement(self, sql: str, *values: Any) -> list[asyncpg.Record]:
        """Carry out one statement that is a transaction by itself; gives its rows.

        It is committed when this returns. Under row-level security it sees no rows unless it sets
        the caller's divisions itself, for its own length, as ``looks.py`` does.
        """
        pooled = await self._pooled()
        driver: asyncpg.Connection[asyncpg.Record] = cast("Any", pooled.driver_connection)
        try:
            return await driver.fetch(sql, *values)
        except asyncpg.PostgresError:
            raise  # the server answered, so the connection is free
        except BaseException:
            pooled.invalidate()
            raise
        finally:
            pooled.close()
            await asyncio.sleep(0)  # whoever waits for a connection comes before our next request

    async def _pooled(self) -> PoolProxiedConnection:
        try:
            return await self.engine.raw_connection()
        except self.engine.dialect.loaded_dbapi.Error as error:
            # a server that starts or stops: as the driver says it, like all errors of a statement
            raise error.__cause__ or error from None

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()


class Transaction(AsyncSession):
    """A session that lives for one transaction, and its driver connection beside it.

    ``driver`` speaks to PostgreSQL in the same transaction without SQLAlchemy in between, an eighth
    of the cost of a statement: for hot paths. The session itself costs nothing until it is used.
    ``closing`` collects the writes that the last statement of a request carries out
    (``together.py``); None where no such statement will come.
    """

    def __init__(self, engine: AsyncEngine, pooled: PoolProxiedConnection) -> None:
        super().__init__(
            bind=AsyncConnection(engine, Connection(engine.sync_engine, connection=pooled)),
            expire_on_commit=False,
        )
        self.driver: asyncpg.Connection[asyncpg.Record] = cast("Any", pooled.driver_connection)
        self.closing: list[Any] | None = None
        self._pooled = pooled
        self._open = True
        self._afterwards: dict[Callable[[], None], None] = {}

    def after_commit(self, call: Callable[[], None]) -> None:
        """Call this once the transaction is committed; the same one twice is called once."""
        self._afterwards[call] = None

    async def finish(self) -> None:
        """Commit, unless it was rolled back. Raises RuntimeError where PostgreSQL could not."""
        if not self._open:
            return
        if self.closing:
            raise RuntimeError("writes were left to a last statement that never came")
        if self.sync_session.in_transaction():
            await self.commit()  # flushes; ends nothing on the server
            await self.close()
        ended_by = await self.driver.execute(_COMMIT)
        self._open = False
        if ended_by != _COMMIT:
            raise RuntimeError("a statement had failed, so the transaction was rolled back")
        for call in self._afterwards:
            call()

    async def rollback(self) -> None:
        """Undo everything and end the transaction here; nothing may be asked of it afterwards."""
        if self.sync_session.in_transaction():
            await super().rollback()
        if self._open:
            await self.driver.execute(_ROLLBACK)
            self._open = False

    async def abandon(self) -> None:
        """Roll back whatever state it is in; a connection that cannot is given up."""
        try:
            await self.rollback()
            await self.close()
        except Exception:  # noqa: BLE001 - what broke the transaction is raised, not this
            if self._pooled.is_valid:
                self._pooled.invalidate()

    def give_back(self) -> None:
        """Return the connection to the pool; close it unless its transaction surely ended.

        Cancelled twice, a request leaves while its ROLLBACK is still on the way: on this connection
        it would end the next one's transaction. What the driver says is older than the last answer.
        """
        if self._pooled.is_valid and (self._open or self.driver.is_in_transaction()):
            self._pooled.invalidate()
        self._pooled.close()


def driver_of(session: AsyncSession) -> "asyncpg.Connection[asyncpg.Record]":
    """The driver connection of a session that ``Database.transaction`` opened.

    Its statements run in the session's transaction, with ``$1`` for parameters and the driver's
    own types: ``bytes``, ``UUID``, ``date``; JSON goes in as text and comes out read.
    """
    if not isinstance(session, Transaction):
        raise TypeError("only a session of Database.transaction has a driver connection")
    return session.driver


@asynccontextmanager
async def savepoint(session: AsyncSession) -> AsyncIterator[None]:
    """Undo what is written in the block, by the session or by its driver, when the block raises.

    ``begin_nested`` alone marks the savepoint only where SQLAlchemy itself speaks next, so what the
    driver wrote before that would stay.
    """
    async with session.begin_nested():
        await session.connection()
        yield


class Guard(Protocol):
    """What a route puts between the session's opening and its own work (see idempotency.py)."""

    async def enter(self, session: AsyncSession, caller: Caller) -> None:
        """May raise to end the request here."""


async def open_session(request: Request) -> AsyncIterator[AsyncSession]:
    """The request's transaction, as the caller.

    Must be depended on with ``scope="function"`` (SessionDep does): then it commits before the
    answer leaves, and a failing commit becomes an error instead of a lie.
    """
    caller = await sender_of(request)
    database: Database = request.app.state.platform.database
    async with database.transaction(divisions=caller.divisions) as session:
        guard: Guard | None = getattr(request.state, "guard", None)
        if guard is not None:
            await guard.enter(session, caller)
        yield session


SessionDep = Annotated[AsyncSession, Depends(open_session, scope="function")]


def in_divisions(column: Any, divisions: Sequence[str]) -> ColumnElement[bool]:
    """The application's own filter: ``column`` lies under one of ``divisions``.

    Ranges, so that an index on a ``COLLATE "C"`` column serves it and row-level security, which
    asks the same again, does not stand in the way. No divisions: no rows.
    """
    if EVERYWHERE in divisions:
        return true()
    if not divisions:
        return false()
    return or_(*(and_(column >= prefix, column < successor(prefix)) for prefix in divisions))


COVERED = """EXISTS (
    SELECT FROM unnest(${at}::text[]) AS allowed(prefix) WHERE {column} ^@ allowed.prefix)"""
"""``in_divisions`` for a driver's statement that finds rows by their ids: one parameter, the list.

No index serves it. No divisions: no rows; the prefix "" covers every row.
"""


def among(column: Any, ids: Sequence[UUID]) -> ColumnElement[bool]:
    """``column`` is one of ``ids``: one parameter, so that the statement stays the same."""
    matches: ColumnElement[bool] = column == any_(literal(list(ids), ARRAY(Uuid)))
    return matches


def successor(prefix: str) -> str:
    """The least text after everything that begins with ``prefix``: ``331124`` gives ``331125``.

    By code points, as ``COLLATE "C"`` orders: ``339`` gives ``33:``. Raises ValueError for "".
    """
    if not prefix:
        raise ValueError("every text begins with the empty prefix: there is no successor")
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)


def divisions_setting(divisions: Sequence[str]) -> str:
    """``divisions`` as the setting ``bangfu.divisions`` that the row policies read.

    ``","`` holds two empty prefixes and so means everywhere, since ``""`` means nowhere. Raises
    ValueError for a prefix that is not digits: a comma inside would widen what is seen.
    """
    for prefix in divisions:
        if not _PREFIX.fullmatch(prefix):
            raise ValueError("a division prefix is made of digits")
    return "," if EVERYWHERE in divisions else ",".join(divisions)


def driver_url(url: str) -> URL:
    """``postgresql://…`` as SQLAlchemy's asyncpg dialect wants it; libpq's sslmode is kept."""
    parsed = make_url(url).set(drivername="postgresql+asyncpg")
    sslmode = parsed.query.get("sslmode")
    if sslmode is None:
        return parsed
    return parsed.difference_update_query(["sslmode"]).update_query_dict({"ssl": sslmode})


def _refuse_closed(connection: Any, _record: Any, _proxy: Any) -> None:
    if connection.driver_connection.is_closed():
        raise DisconnectionError("the server closed this connection")


def _to_json(value: Any) -> str:
    return orjson.dumps(value, default=_plain).decode()


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form here")
