"""Household files in the database: what a file and its revision are, locked and loaded.

Whatever changes a household becomes a ``Revision``; ``writing.write`` puts it into the database.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.households.facts import Facts, LeaveReason
from services.registry.households.history import Entry, Timeline
from shared.auth import Caller
from shared.contracts.registry import HouseholdEvent
from shared.db import COVERED, driver_of
from shared.errors import NotFound
from shared.parameters import Parameter


async def hold(session: AsyncSession, household_ids: Sequence[UUID]) -> None:
    """Keep these households as they are until the end of the transaction, for whoever looks on."""
    await driver_of(session).execute(_HOLD, household_ids)


_HOLD = """
    SELECT FROM households WHERE household_id = ANY ($1::uuid[]) ORDER BY household_id FOR SHARE
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A household file as stored, under its row lock. A new one has no timeline yet."""

    household_id: UUID
    household_no: str
    origin: str
    version: int = 0
    revision: int = 0
    timeline: Timeline = ()

    @property
    def facts(self) -> Facts:
        """What holds now."""
        return self.timeline[-1].facts

    @property
    def opened_on(self) -> date:
        """The first day of the file."""
        return self.timeline[0].valid_from


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """A decision to be stored with a revision: what was decided, why, and on what."""

    kind: str
    decided_on: date
    officer_id: str
    reason: str = ""
    checks: Sequence[dict[str, Any]] = ()
    parameters: Sequence[dict[str, Any]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A file's new timeline, by what was changed on ``day``.

    ``effective_from`` is the first day whose facts differ. ``contact`` holds new phone or account
    blobs by column name; ``left`` says why people are there no longer.
    """

    file: File
    timeline: Timeline
    effective_from: date
    day: date
    type: HouseholdEvent = HouseholdEvent.CHANGED
    personal: bool = False
    contact: dict[str, bytes | None] = field(default_factory=dict)
    ruling: Ruling | None = None
    missing_evidence: tuple[str, ...] = ()
    left: dict[UUID, LeaveReason] = field(default_factory=dict)


def parameter_used(parameter: Parameter) -> dict[str, Any]:
    """What a decision or a check keeps of a parameter it was made with."""
    return {
        "parameter_id": str(parameter.parameter_id),
        "key": parameter.key,
        "value": str(parameter.value),
        "version": parameter.version,
    }


def household_columns(facts: Facts) -> dict[str, Any]:
    """The typed columns that mirror the facts of a household."""
    return {
        "division_code": facts.division_code,
        "state": facts.state,
        "category": facts.category,
        "tags": list(facts.tags),
        "causes": list(facts.causes),
        "rule_set": facts.rule_set,
        "keep_policy_until": facts.keep_policy_until,
        "house_grade": facts.house_grade,
        **{f"income_{kind}": amount for kind, amount in facts.incomes},
        **{f"rigid_{kind}": amount for kind, amount in facts.rigid_expenses},
        "assets_financial": facts.assets.financial,
        "vehicles": facts.assets.vehicles,
        "head_person_id": facts.head_person_id,
        "n": facts.n,
        "episode": facts.episodes[-1].number if facts.episodes else 0,
    }


_FILE = ("household_id", "household_no", "origin", "version", "revision")

# One round trip: the archive and ``seen`` are of the statement's snapshot, the locked columns are
# the newest. They differ where the lock had to be waited for: every change raises the revision.
_LOCK = f"""
    WITH locked AS (
        SELECT household_id, household_no, origin, version, revision FROM households
        WHERE household_id = ANY ($1::uuid[]) AND {COVERED.format(at=2, column="division_code")}
        ORDER BY household_id FOR UPDATE
    )
    SELECT locked.*, known.revision AS seen, days, archive
    FROM locked JOIN households AS known USING (household_id) CROSS JOIN LATERAL (
        SELECT array_agg(valid_from ORDER BY valid_from) AS days,
               array_agg(facts::text ORDER BY valid_from) AS archive
        FROM (
            SELECT DISTINCT ON (valid_from) valid_from, facts FROM household_versions AS version
            WHERE version.household_id = locked.household_id
            ORDER BY valid_from, version.revision DESC
        ) AS newest
    ) AS history
    ORDER BY household_id
"""  # noqa: S608 (constants)
_TIMELINES = """
    SELECT DISTINCT ON (household_id, valid_from) household_id, valid_from, facts::text
    FROM household_versions
    WHERE household_id = ANY ($1::uuid[]) AND ($2::timestamptz IS NULL OR recorded_at <= $2)
    ORDER BY household_id, valid_from, revision DESC
"""


async def lock(
    session: AsyncSession, household_ids: Iterable[UUID], *, divisions: Sequence[str]
) -> dict[UUID, File]:
    """The files with these ids in ``divisions``, locked in the order of their ids."""
    rows = await driver_of(session).fetch(_LOCK, list(set(household_ids)), divisions)
    timelines = {row["household_id"]: _timeline(row) for row in rows if not _waited(row)}
    waited = [row["household_id"] for row in rows if _waited(row)]
    if waited:
        timelines |= await load_timelines(session, waited)
    return {
        row["household_id"]: File(
            **{name: row[name] for name in _FILE}, timeline=timelines[row["household_id"]]
        )
        for row in rows
    }


async def lock_one(session: AsyncSession, caller: Caller, household_id: UUID) -> File:
    """The caller's household, locked. Raises NotFound outside its divisions."""
    files = await lock(session, [household_id], divisions=caller.divisions)
    if household_id not in files:
        raise NotFound("household_not_found", "no such household in the caller's divisions")
    return files[household_id]


def _waited(row: asyncpg.Record) -> bool:
    """Whether others changed the file while we waited for its lock: its archive is older then."""
    return bool(row["revision"] != row["seen"])


def _timeline(row: asyncpg.Record) -> Timeline:
    pairs = zip(row["days"], row["archive"], strict=True)
    return tuple(Entry(day, Facts.model_validate_json(facts)) for day, facts in pairs)


async def load_timelines(
    session: AsyncSession, household_ids: Iterable[UUID], *, known_at: datetime | None = None
) -> dict[UUID, Timeline]:
    """All the facts of these households as known now, or as known at a moment."""
    timelines: dict[UUID, list[Entry]] = {}
    for row in await driver_of(session).fetch(_TIMELINES, list(household_ids), known_at):
        entry = Entry(row["valid_from"], Facts.model_validate_json(row["facts"]))
        timelines.setdefault(row["household_id"], []).append(entry)
    return {household_id: tuple(entries) for household_id, entries in timelines.items()}


async def serials(session: AsyncSession, villages: Sequence[str]) -> list[int]:
    """The next serial for each of these villages, in order; locked until the end, never reused."""
    wanted: dict[str, int] = {}
    for village in villages:
        wanted[village] = wanted.get(village, 0) + 1
    rows = await session.execute(
        text(
            "INSERT INTO household_serials (division_code, last) "
            "SELECT code, count FROM unnest(CAST(:codes AS text[]), CAST(:counts AS int[])) "
            "AS wanted(code, count) ORDER BY code "
            "ON CONFLICT (division_code) DO UPDATE "
            "SET last = household_serials.last + excluded.last "
            "RETURNING division_code, last"
        ),
        {"codes": list(wanted), "counts": list(wanted.values())},
    )
    next_one = {row.division_code: row.last - wanted[row.division_code] for row in rows}
    given = []
    for village in villages:
        next_one[village] += 1
        given.append(next_one[village])
    return given
