"""The monthly light check and the half-yearly sweep of all households on assistance (section 4).

The light check also looks at those lifted and in tracking, for death and prison alone. One job a
check: it makes the questions chunk by chunk, each chunk in two statements, and the worker sends
them like any other. Who has no live authorisation is not asked.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.verification import queries
from services.registry.verification.sources import (
    LIGHT,
    TRACKED,
    ItemState,
    Kind,
    Source,
    SubjectKind,
)
from shared import clock, jobs
from shared.auth import system_caller
from shared.contracts.registry import State
from shared.db import EVERYWHERE
from shared.job_rows import JOBS
from shared.jobs import Job, Step

JOB = "registry.verification_check"
CHUNK = 500
"""Households at a time."""
WINDOW_MONTHS = 12
"""The income window of a scheduled check: the months before the one that it is made in."""

_HALF_YEAR = 6
_BY = system_caller("registry").sub
_SOURCES = {Kind.LIGHT: LIGHT, Kind.SWEEP: tuple(Source)}
_PURPOSES = {Kind.LIGHT: "月度动态核对", Kind.SWEEP: "半年全面核对"}
_ON_ASSISTANCE = [state.value for state in State if state.on_assistance]
_CHECKED = {Kind.LIGHT: [*_ON_ASSISTANCE, State.LIFTED.value], Kind.SWEEP: _ON_ASSISTANCE}
"""Whom a check looks at: the light one also at households that were lifted and are tracked."""


async def order_checks(session: AsyncSession, day: date) -> bool:
    """Once a month the light check, once a half-year the sweep, everywhere."""
    month = clock.month_of(day)
    half_year = month.replace(month=1 if month.month <= _HALF_YEAR else _HALF_YEAR + 1)
    for kind, period in ((Kind.LIGHT, month), (Kind.SWEEP, half_year)):
        arguments = {"kind": kind.value, "period": period.isoformat()}
        known = select(JOBS.c.job_id).where(JOBS.c.kind == JOB, JOBS.c.arguments == arguments)
        if (await session.execute(known.limit(1))).first() is None:
            await jobs.enqueue(session, system_caller("registry"), JOB, arguments, EVERYWHERE)
    return False


async def make_questions(session: AsyncSession, job: Job) -> Step:
    """One chunk of a check: households after the cursor. ``done`` counts households."""
    kind, period = Kind(job.arguments["kind"]), date.fromisoformat(job.arguments["period"])
    before: dict[str, Any] = job.cursor or {"after": None, "questions": 0, "unasked": 0}
    after = UUID(before["after"]) if before["after"] else None
    total = job.total
    if total is None:
        total = await session.scalar(_COUNT, {"states": _CHECKED[kind]}) or 0
    chunk = await _chunk(session, kind, after)
    if not chunk:
        figures = {name: before[name] for name in ("questions", "unasked")}
        return Step(done=job.done, total=job.done, cursor=before, finished=True, result=figures)
    ready = await _ready(session, {row.county for row in chunk})
    chosen = [row.household_id for row in chunk if row.county in ready]
    made = await _make(session, kind, period, chosen)
    cursor = {
        "after": str(chunk[-1].household_id),
        "questions": before["questions"] + made["questions"],
        "unasked": before["unasked"] + len(chunk) - made["households"],
    }
    return Step(done=job.done + len(chunk), total=total, cursor=cursor)


async def _chunk(session: AsyncSession, kind: Kind, after: UUID | None) -> Sequence[Any]:
    rows = await session.execute(_CHUNK, {"states": _CHECKED[kind], "after": after, "most": CHUNK})
    return rows.all()


async def _ready(session: AsyncSession, counties: set[str]) -> set[str]:
    """The counties whose parameters are all approved; the others are not checked."""
    today = clock.today()
    return {
        county for county in counties if not await queries.parameter_faults(session, county, today)
    }


async def _make(
    session: AsyncSession, kind: Kind, period: date, household_ids: Sequence[UUID]
) -> dict[str, int]:
    today = clock.today()
    end = clock.add_months(clock.month_of(today), -1)
    given = {
        "sources": [source.value for source in _SOURCES[kind]],
        "of_tracked": [source.value for source in TRACKED],
        "lifted": State.LIFTED.value,
        "today": today,
        "now": clock.now(),
    }
    window = {
        "window_from": clock.add_months(end, 1 - WINDOW_MONTHS),
        "window_to": end,
    }
    told = {"kind": kind.value, "period": period, "purpose": _PURPOSES[kind], "by": _BY}
    rows = await session.execute(
        _VERIFICATIONS, given | window | told | {"ids": list(household_ids)}
    )
    made = list(rows.scalars())
    states = {"member": SubjectKind.MEMBER.value, "waiting": ItemState.WAITING.value}
    items = await session.execute(_ITEMS, given | states | {"made": made})
    return {"households": len(made), "questions": len(items.all())}


_COUNT = text("SELECT count(*) FROM households WHERE state = ANY (CAST(:states AS text[]))")
_CHUNK = text(
    "SELECT household_id, left(division_code, 6) AS county FROM households "
    "WHERE state = ANY (CAST(:states AS text[])) "
    "AND (CAST(:after AS uuid) IS NULL OR household_id > CAST(:after AS uuid)) "
    "ORDER BY household_id LIMIT :most"
)
# A repeated chunk makes nothing: one verification a household, kind and period.
_VERIFICATIONS = text(
    "INSERT INTO verifications (verification_id, household_id, division_code, kind, period, "
    "aid_type, purpose, window_from, window_to, revision, requested_on, requested_at, "
    "requested_by) "
    "SELECT uuidv7(), household_id, division_code, :kind, :period, category, :purpose, "
    ":window_from, :window_to, revision, :today, :now, :by FROM households AS household "
    "WHERE household_id = ANY (CAST(:ids AS uuid[])) AND EXISTS ("
    "SELECT FROM members AS member JOIN authorizations AS signed "
    "ON signed.household_id = member.household_id AND signed.subject_id = member.person_id "
    "WHERE member.household_id = household.household_id AND member.left_on IS NULL "
    "AND signed.revoked_on IS NULL AND :today BETWEEN signed.valid_from AND signed.valid_to "
    "AND signed.sources && CASE WHEN household.state = :lifted THEN CAST(:of_tracked AS text[]) "
    "ELSE CAST(:sources AS text[]) END) "
    "ON CONFLICT (kind, period, household_id) WHERE period IS NOT NULL DO NOTHING "
    "RETURNING verification_id"
)
_ITEMS = text(
    "INSERT INTO verification_items (household_id, verification_id, subject_id, source, "
    "division_code, subject_kind, authorization_id, state, attempts, due_at) "
    "SELECT DISTINCT ON (verification.household_id, member.person_id, wanted.source) "
    "verification.household_id, verification.verification_id, member.person_id, wanted.source, "
    "verification.division_code, :member, signed.authorization_id, :waiting, 0, "
    "CAST(:now AS timestamptz) "
    "FROM verifications AS verification "
    "JOIN households AS household ON household.household_id = verification.household_id "
    "JOIN members AS member ON member.household_id = verification.household_id "
    "AND member.left_on IS NULL "
    "JOIN authorizations AS signed ON signed.household_id = member.household_id "
    "AND signed.subject_id = member.person_id AND signed.revoked_on IS NULL "
    "AND :today BETWEEN signed.valid_from AND signed.valid_to "
    "JOIN unnest(CASE WHEN household.state = :lifted THEN CAST(:of_tracked AS text[]) "
    "ELSE CAST(:sources AS text[]) END) AS wanted(source) "
    "ON wanted.source = ANY (signed.sources) "
    "WHERE verification.verification_id = ANY (CAST(:made AS uuid[])) "
    "ORDER BY verification.household_id, member.person_id, wanted.source, signed.version DESC "
    "RETURNING 1"
)
