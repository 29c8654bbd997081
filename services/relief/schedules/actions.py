"""Bringing what is stored of a programme's grants to what its schedules say now (C11, C13).

Households are locked in the order of their ids, and settling and approving a figure exclude each
other, so that neither can overlook the other.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

import orjson
from asyncpg import Record
from pydantic import TypeAdapter
from sqlalchemy import text, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.relief.schedules import queries, rules
from services.relief.schedules.models import Grant
from services.relief.schedules.rules import Place, change, places
from shared import audit, clock, identity
from shared.auth import system_caller
from shared.contracts.registry import FactPeriod
from shared.db import among, driver_of

_FIGURES_LOCK = 0x62616E6766750001
"""Advisory: settling holds it shared, an approval of a figure exclusively, until they commit."""

_COPIES = """
    SELECT household_id, division_code, version, periods::text AS periods
    FROM household_copy WHERE household_id = ANY ($1) ORDER BY household_id FOR UPDATE
"""
_HOLD = text(
    """
    SELECT FROM household_copy WHERE household_id = ANY(CAST(:household_ids AS uuid[]))
    ORDER BY household_id FOR UPDATE
    """
)
_PERIODS = TypeAdapter(tuple[FactPeriod, ...])
GRANT: Mapping[str, str] = {
    "grant_id": "uuid",
    "household_id": "uuid",
    "division_code": "text",
    "from_month": "date",
    "until_month": "date",
    "amount": "numeric",
    "entitled": "boolean",
    "reason": "text",
    "people": "smallint",
    "explanation": "jsonb",
    "household_version": "bigint",
    "decided_at": "timestamptz",
}
"""The columns that every grant is written with, and their types."""


class Decision(rules.Decision, Protocol):
    """A decision with what its row says beside its explanation."""

    @property
    def amount(self) -> Decimal | None:
        """Yuan a month."""
        ...

    @property
    def reason(self) -> Any:
        """Why, as a StrEnum."""
        ...

    @property
    def people(self) -> int:
        """How many people the amount is for."""
        ...


D = TypeVar("D", bound=Decision)


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """What is needed of the locked copy of one household."""

    household_id: UUID
    division_code: str
    version: int
    periods: Sequence[FactPeriod]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger(Generic[D]):
    """Where a programme keeps its decisions and how it writes and reads one.

    ``columns`` are those beside GRANT, with their types, and ``more`` gives their values.
    """

    table: type[Grant]
    read: Callable[[Mapping[Any, Any]], D]
    explain: Callable[[D], dict[str, Any]]
    audit_action: str
    columns: Mapping[str, str] = field(default_factory=dict)
    more: Callable[[D], Mapping[str, Any]] = lambda _: {}


@dataclass(slots=True)
class Changes:
    """What a batch has to write; nothing where everything stands as it should."""

    superseded: list[UUID]
    written: list[dict[str, Any]]
    moved: list[tuple[UUID, UUID, Place]]

    def household_ids(self, live: Mapping[UUID, Sequence[Record]]) -> list[UUID]:
        """The households that something changes for, by id."""
        gone = set(self.superseded)
        changed = {row["household_id"] for row in self.written}
        changed |= {household_id for household_id, _, _ in self.moved}
        for household_id, rows in live.items():
            if any(row["grant_id"] in gone for row in rows):
                changed.add(household_id)
        return sorted(changed)


async def hold_figures(session: AsyncSession) -> None:
    """Keep every figure as it is until this transaction ends.

    Before any household is locked: whoever holds a household and then queues here behind an
    approval would block the settling that the approval is waiting for.
    """
    await driver_of(session).execute("SELECT pg_advisory_xact_lock_shared($1)", _FIGURES_LOCK)


async def hold_off_settling(session: AsyncSession) -> None:
    """Let no grant be settled from here to this transaction's end: for an approval."""
    await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _FIGURES_LOCK})


async def hold_copies(session: AsyncSession, household_ids: Sequence[UUID]) -> None:
    """Keep these households and every figure as they are until this transaction ends."""
    await hold_figures(session)
    await session.execute(_HOLD, {"household_ids": list(household_ids)})


async def lock_copies(session: AsyncSession, household_ids: Sequence[UUID]) -> list[Copy]:
    """These households as they are stored, by id, locked until this transaction ends."""
    return [
        Copy(
            household_id=row["household_id"],
            division_code=row["division_code"],
            version=row["version"],
            periods=_PERIODS.validate_json(row["periods"]),
        )
        for row in await driver_of(session).fetch(_COPIES, household_ids)
    ]


def everywhere(copies: Sequence[Copy]) -> set[str]:
    """Where these households stand and stood."""
    stood = {period.division_code for copy in copies for period in copy.periods}
    return {code for code in stood if code} | {copy.division_code for copy in copies}


async def settle(
    session: AsyncSession,
    ledger: Ledger[D],
    copies: Sequence[Copy],
    wanted: Mapping[UUID, Sequence[D]],
    live: Mapping[UUID, Sequence[Record]],
) -> int:
    """Write what is ``wanted`` of these locked households over what is ``live`` of them.

    Only what differs is written. Returns how many households changed.
    """
    changes = _compare(ledger, copies, wanted, live)
    changed = changes.household_ids(live)
    if changed:
        homes = {copy.household_id: copy.division_code for copy in copies}
        await _write(session, ledger, changes)
        await audit.record(
            session,
            system_caller("relief"),
            action=ledger.audit_action,
            subject_type="household",
            subject_id=changed,
            division_code=[homes[household_id] for household_id in changed],
        )
    return len(changed)


async def live_grants(
    session: AsyncSession, ledger: Ledger[D], copies: Sequence[Copy]
) -> dict[UUID, list[Record]]:
    """The decisions on these households that stand now."""
    return await queries.live_grants(ledger.table, session, [each.household_id for each in copies])


def _compare(
    ledger: Ledger[D],
    copies: Sequence[Copy],
    wanted: Mapping[UUID, Sequence[D]],
    live: Mapping[UUID, Sequence[Record]],
) -> Changes:
    changes, now = Changes([], [], []), clock.now()
    for copy in copies:
        rows = live.get(copy.household_id, ())
        decisions = wanted.get(copy.household_id, ())
        months = [decision.from_month for decision in decisions]
        where = dict(zip(months, places(decisions, copy.division_code), strict=True))
        step = change([ledger.read(dict(row)) for row in rows], decisions)
        changes.written.extend(
            _row(ledger, copy, decision, where[decision.from_month], now)
            for decision in step.written
        )
        for row in rows:
            if row["from_month"] in step.superseded:
                changes.superseded.append(row["grant_id"])
            elif _place(row) != (place := where[row["from_month"]]):
                changes.moved.append((copy.household_id, row["grant_id"], place))
    return changes


def _place(row: Record) -> Place:
    return Place(row["division_code"], row["until_month"])


def _row(ledger: Ledger[D], copy: Copy, decision: D, place: Place, now: datetime) -> dict[str, Any]:
    month: date = decision.from_month
    return {
        "grant_id": identity.new_id(),
        "household_id": copy.household_id,
        "division_code": place.division_code,
        "from_month": month,
        "until_month": place.until_month,
        "amount": decision.amount,
        "entitled": decision.entitled,
        "reason": decision.reason.value,
        "people": decision.people,
        "explanation": orjson.dumps(ledger.explain(decision)).decode(),
        "household_version": copy.version,
        "decided_at": now,
        **ledger.more(decision),
    }


async def _write(session: AsyncSession, ledger: Ledger[D], changes: Changes) -> None:
    """Supersede first: of two live rows of one month the index takes one only."""
    table = ledger.table
    if changes.superseded:
        gone = among(table.grant_id, changes.superseded)
        await session.execute(update(table).where(gone).values(superseded_at=clock.now()))
    if changes.written:
        columns = {**GRANT, **ledger.columns}
        given = ([row[name] for row in changes.written] for name in columns)
        await driver_of(session).execute(_insert(table, columns), *given)
    if changes.moved:
        moved = {
            "grant_ids": [grant_id for _, grant_id, _ in changes.moved],
            "codes": [place.division_code for _, _, place in changes.moved],
            "months": [place.until_month for _, _, place in changes.moved],
        }
        await session.execute(text(_move(table)), moved)


def _insert(table: type[Grant], columns: Mapping[str, str]) -> str:
    arrays = ", ".join(f"${at}::{kind}[]" for at, kind in enumerate(columns.values(), start=1))
    names = ", ".join(columns)
    return f"INSERT INTO {table.__tablename__} ({names}) SELECT * FROM unnest({arrays})"  # noqa: S608 (own names)


def _move(table: type[Grant]) -> str:
    name = table.__tablename__
    return f"""
        UPDATE {name} SET division_code = moved.code, until_month = moved.month
        FROM unnest(CAST(:grant_ids AS uuid[]), CAST(:codes AS text[]), CAST(:months AS date[]))
            AS moved(grant_id, code, month)
        WHERE {name}.grant_id = moved.grant_id
    """  # noqa: S608 (own name)
