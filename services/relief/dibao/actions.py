"""Settling grants: what is stored is brought to what the facts and the lines say (C11, C13).

The only writers of dibao_grants. Households are locked in the order of their ids, and settling
and approving a line exclude each other, so that neither can overlook the other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from asyncpg import Record
from pydantic import TypeAdapter
from sqlalchemy import text, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.relief.dibao import queries
from services.relief.dibao.explanations import explain, read
from services.relief.dibao.models import Grant
from services.relief.dibao.rules import (
    Decision,
    Line,
    Lines,
    Place,
    change,
    places,
    schedule,
    seen_from,
)
from shared import audit, clock, identity, jobs
from shared.auth import Caller, system_caller
from shared.contracts.registry import FactPeriod
from shared.db import among, driver_of

RECALCULATE = "relief.recalculate_grants"
"""The job that settles every dibao household of a division after its line changed."""

_LINES_LOCK = 0x62616E6766750001
"""Advisory: settling holds it shared, an approval of a line exclusively, until they commit."""

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
_GRANT = {
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
_ARRAYS = ", ".join(f"${at}::{kind}[]" for at, kind in enumerate(_GRANT.values(), start=1))
_INSERT = f"INSERT INTO dibao_grants ({', '.join(_GRANT)}) SELECT * FROM unnest({_ARRAYS})"  # noqa: S608 (own names)

_MOVE = text(
    """
    UPDATE dibao_grants SET division_code = moved.code, until_month = moved.month
    FROM unnest(CAST(:grant_ids AS uuid[]), CAST(:codes AS text[]), CAST(:months AS date[]))
        AS moved(grant_id, code, month)
    WHERE dibao_grants.grant_id = moved.grant_id
    """
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """What is needed of the locked copy of one household."""

    household_id: UUID
    division_code: str
    version: int
    periods: Sequence[FactPeriod]


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


async def settle_grants(session: AsyncSession, household_ids: Sequence[UUID]) -> int:
    """Bring these households' schedules to what their copies and the lines say now.

    Reads the newest copy under its lock, so it does not matter which event set it off or how
    often. Returns how many households changed; the rest is not written to.
    """
    await hold_lines(session)
    copies = await _lock_copies(session, household_ids)
    lines = await queries.lines_over_time(session, everywhere(copies))
    return await settle_copies(session, copies, lines)


async def settle_copies(
    session: AsyncSession, copies: Sequence[Copy], lines: Mapping[str, Sequence[Line]]
) -> int:
    """As ``settle_grants``, for copies that are locked and lines that are held already.

    ``lines`` are those of ``everywhere(copies)``.
    """
    live = await queries.live_grants(session, [copy.household_id for copy in copies])
    changes = _compare(copies, lines, live, clock.now())
    changed = changes.household_ids(live)
    if changed:
        homes = {copy.household_id: copy.division_code for copy in copies}
        await _write(session, changes)
        await audit.record(
            session,
            system_caller("relief"),
            action="dibao.settled",
            subject_type="household",
            subject_id=changed,
            division_code=[homes[household_id] for household_id in changed],
        )
    return len(changed)


async def hold_lines(session: AsyncSession) -> None:
    """Keep every line as it is until this transaction ends.

    Before any household is locked: whoever holds a household and then queues here behind an
    approval would block the settling that the approval is waiting for.
    """
    await driver_of(session).execute("SELECT pg_advisory_xact_lock_shared($1)", _LINES_LOCK)


async def hold_copies(session: AsyncSession, household_ids: Sequence[UUID]) -> None:
    """Keep these households and every line as they are until this transaction ends."""
    await hold_lines(session)
    await session.execute(_HOLD, {"household_ids": list(household_ids)})


async def recalculate_division(
    session: AsyncSession, caller: Caller, *, division_code: str, parameter_id: UUID
) -> None:
    """Order the recalculation of a division whose line has just been approved.

    To be called in the approval's own transaction: from here to its commit no grant is settled,
    so each is either visible to the job or reckoned with the new line already.
    """
    await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LINES_LOCK})
    arguments = {"division": division_code, "parameter_id": str(parameter_id)}
    await jobs.enqueue(session, caller, RECALCULATE, arguments, division_code)


async def _lock_copies(session: AsyncSession, household_ids: Sequence[UUID]) -> list[Copy]:
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


def _wanted(copy: Copy, lines: Mapping[str, Sequence[Line]]) -> list[tuple[Decision, Place]]:
    periods = seen_from(copy.periods, copy.division_code)
    elsewhere = {code: lines[code] for each in periods if (code := each.division_code)}
    decisions = schedule(periods, Lines(lines[copy.division_code], elsewhere))
    return list(zip(decisions, places(decisions, copy.division_code), strict=True))


def _compare(
    copies: Sequence[Copy],
    lines: Mapping[str, Sequence[Line]],
    live: Mapping[UUID, Sequence[Record]],
    now: datetime,
) -> Changes:
    changes = Changes([], [], [])
    for copy in copies:
        rows = live.get(copy.household_id, ())
        wanted = _wanted(copy, lines)
        where = {decision.from_month: place for decision, place in wanted}
        step = change([read(dict(row)) for row in rows], [decision for decision, _ in wanted])
        changes.written.extend(
            _row(copy, decision, where[decision.from_month], now) for decision in step.written
        )
        for row in rows:
            if row["from_month"] in step.superseded:
                changes.superseded.append(row["grant_id"])
            elif _place(row) != (place := where[row["from_month"]]):
                changes.moved.append((copy.household_id, row["grant_id"], place))
    return changes


def _place(row: Record) -> Place:
    return Place(row["division_code"], row["until_month"])


def _row(copy: Copy, decision: Decision, place: Place, now: datetime) -> dict[str, Any]:
    return {
        "grant_id": identity.new_id(),
        "household_id": copy.household_id,
        "division_code": place.division_code,
        "from_month": decision.from_month,
        "until_month": place.until_month,
        "amount": decision.amount,
        "entitled": decision.entitled,
        "reason": decision.reason.value,
        "people": decision.people,
        "explanation": orjson.dumps(explain(decision)).decode(),
        "household_version": copy.version,
        "decided_at": now,
    }


async def _write(session: AsyncSession, changes: Changes) -> None:
    """Supersede first: of two live rows of one month the index takes one only."""
    if changes.superseded:
        gone = among(Grant.grant_id, changes.superseded)
        await session.execute(update(Grant).where(gone).values(superseded_at=clock.now()))
    if changes.written:
        given = ([row[name] for row in changes.written] for name in _GRANT)
        await driver_of(session).execute(_INSERT, *given)
    if changes.moved:
        moved = {
            "grant_ids": [grant_id for _, grant_id, _ in changes.moved],
            "codes": [place.division_code for _, _, place in changes.moved],
            "months": [place.until_month for _, _, place in changes.moved],
        }
        await session.execute(_MOVE, moved)
