"""Visits as they are asked for, and which households wait for one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import RowMapping, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.households.models import Episode, Household
from services.registry.lifecycle.ruling import tracking_key
from services.registry.visits import rules
from services.registry.visits.models import Visit
from services.registry.visits.rules import VisitKind
from shared import clock, parameters
from shared.contracts.registry import Category, State
from shared.db import in_divisions
from shared.errors import Conflict

Rows = Sequence[RowMapping]
_ON_ASSISTANCE = [state.value for state in State if state.on_assistance]
# A visit stands for the planned day that it is nearest to: half an interval before it or after.
_HALF_A_MONTH = 15
_KEYS = (rules.MONTHS_BETWEEN, rules.FIRST_YEAR, rules.AFTER, rules.ALARM)


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """Which households: under these prefixes, whose visit is due by a day, after one.

    ``untasked``: those without a task alone; without it those with an alarm too. ``among``: of
    these alone.
    """

    within: Sequence[str]
    by: date
    after: UUID | None
    limit: int
    untasked: bool = False
    among: Sequence[UUID] | None = None


async def visits_of(session: AsyncSession, household_id: UUID, *, divisions: Sequence[str]) -> Rows:
    """The visits to a household, the earliest first."""
    rows = await session.execute(
        select(Visit.__table__)
        .where(Visit.household_id == household_id)
        .where(in_divisions(Visit.division_code, divisions))
        .order_by(Visit.visited_on, Visit.visit_id)
    )
    return rows.mappings().all()


async def page(
    session: AsyncSession,
    *,
    divisions: Sequence[str],
    within: Sequence[str],
    officer_id: str | None,
    after: UUID | None,
    limit: int,
) -> Rows:
    """Visits by division and officer in the order in which they were entered."""
    query = (
        select(Visit.__table__)
        .where(in_divisions(Visit.division_code, divisions))
        .where(in_divisions(Visit.division_code, within))
        .order_by(Visit.visit_id)
        .limit(limit)
    )
    if officer_id is not None:
        query = query.where(Visit.officer_id == officer_id)
    if after is not None:
        query = query.where(Visit.visit_id > after)
    return (await session.execute(query)).mappings().all()


async def planned(
    session: AsyncSession, household_id: UUID, *, divisions: Sequence[str]
) -> tuple[date, tuple[date, ...]]:
    """The last lift of a household, and the days by which it is to be visited since.

    Raises Conflict: ``not_lifted``, or ``parameter_missing`` where the county has not set the
    months of tracking and of its visits.
    """
    rows = await session.execute(
        select(Household.category, Household.division_code, Episode.lifted_on)
        .join(Episode, Episode.household_id == Household.household_id)
        .where(Household.household_id == household_id)
        .where(in_divisions(Household.division_code, divisions))
        .order_by(Episode.number.desc())
        .limit(1)
    )
    known = rows.one_or_none()
    if known is None or known.lifted_on is None:
        raise Conflict("not_lifted", "this household was not lifted in its last episode")
    months = []
    for key in (tracking_key(Category(known.category)), rules.FIRST_YEAR, rules.AFTER):
        value = await parameters.value_at(session, key, known.division_code, clock.today())
        if value is None:
            raise Conflict("parameter_missing", f"the county has no approved {key}")
        months.append(int(value.value))
    return known.lifted_on, rules.tracking_days(known.lifted_on, *months)


async def due(session: AsyncSession, wanted: Due) -> Rows:
    """Households whose next visit is due by a day, by id, with their lead helper's officer.

    The next visit is counted from the last one of this stay; without one from the lift, or from
    the identification or the pairing, whichever came later. In the first year after a lift the last
    visit falls at its end, so that a late one takes none away. The alarm goes by visits alone: a
    new helper does not silence it. A county without the parameters has none due.
    """
    counties = await _counties(session, wanted)
    given = {
        "on_assistance": _ON_ASSISTANCE,
        "within": list(wanted.within),
        "by": wanted.by,
        "after": wanted.after,
        "most": wanted.limit,
        "untasked": wanted.untasked,
        "among": None if wanted.among is None else list(wanted.among),
        **counties,
    }
    return (await session.execute(_DUE, given)).mappings().all()


async def _counties(session: AsyncSession, wanted: Due) -> dict[str, list[object]]:
    """The months of each county that has them all, of those that are asked about."""
    codes = await session.scalars(_COUNTIES, {"within": list(wanted.within)})
    found: dict[str, list[object]] = {"counties": [], **{each: [] for each in _COLUMNS}}
    for county in codes:
        values = [await parameters.value_at(session, key, county, wanted.by) for key in _KEYS]
        known = [value.value for value in values if value is not None]
        if len(known) == len(_KEYS):
            found["counties"].append(county)
            for name, value in zip(_COLUMNS, known, strict=True):
                found[name].append(int(value))
    return found


_COUNTIES = text(
    "SELECT code FROM divisions WHERE level = 'county' AND EXISTS (SELECT FROM "
    "unnest(CAST(:within AS text[])) AS asked(prefix) WHERE code ^@ prefix OR prefix ^@ code)"
)
_COLUMNS = ("between", "first_year", "later", "alarm")
_DUE = text(
    f"""
    WITH terms AS (
        SELECT * FROM unnest(CAST(:counties AS text[]), CAST(:between AS integer[]),
            CAST(:first_year AS integer[]), CAST(:later AS integer[]), CAST(:alarm AS integer[]))
            AS given(county, between_months, first_months, later_months, alarm_months)
    ), waiting AS (
        SELECT h.household_id, h.household_no, h.division_code, h.state, l.officer_id,
            t.alarm_months, v.last AS last_visit,
            t.between_months, t.first_months, t.later_months, l.paired_on,
            CASE WHEN h.state = 'lifted' THEN e.lifted_on + interval '12 months' END AS year_ends,
            coalesce(v.last, CASE WHEN h.state = 'lifted' THEN e.lifted_on
                ELSE e.identified_on END) AS since
        FROM households AS h
        JOIN terms AS t ON t.county = left(h.division_code, 6)
        JOIN LATERAL (
            SELECT identified_on, lifted_on FROM episodes
            WHERE household_id = h.household_id ORDER BY number DESC LIMIT 1) AS e ON true
        LEFT JOIN LATERAL (
            SELECT helpers.officer_id, pairings.paired_on FROM pairings
            JOIN helpers USING (helper_id)
            WHERE pairings.household_id = h.household_id AND lead AND ended_on IS NULL
        ) AS l ON true
        LEFT JOIN LATERAL (
            SELECT max(visited_on) AS last FROM visits
            WHERE visits.household_id = h.household_id AND visited_on >= CASE
                WHEN h.state = 'lifted' THEN e.lifted_on ELSE e.identified_on END) AS v ON true
        WHERE (h.state = ANY(:on_assistance) OR h.state = 'lifted')
            AND EXISTS (SELECT FROM unnest(CAST(:within AS text[])) AS asked(prefix)
                WHERE h.division_code ^@ asked.prefix)
            AND (CAST(:after AS uuid) IS NULL OR h.household_id > CAST(:after AS uuid))
            AND (CAST(:among AS uuid[]) IS NULL OR h.household_id = ANY(CAST(:among AS uuid[])))
    ), dated AS (
        SELECT *, CAST(CASE
                WHEN year_ends IS NULL THEN CASE WHEN last_visit IS NULL
                    THEN greatest(since, paired_on) ELSE since END
                    + make_interval(months => between_months)
                WHEN since + make_interval(days => {_HALF_A_MONTH} * first_months) <= year_ends
                    THEN least(since + make_interval(months => first_months), year_ends)
                ELSE since + make_interval(months => later_months) END AS date) AS due_on,
            CAST(since + make_interval(months => alarm_months) AS date) AS alarm_on
        FROM waiting
    )
    SELECT * FROM dated
    WHERE CASE WHEN NOT CAST(:untasked AS boolean) THEN least(due_on, alarm_on) <= :by
        ELSE due_on <= :by AND (state = 'lifted' OR officer_id IS NOT NULL) AND NOT EXISTS (
            SELECT FROM tasks WHERE tasks.subject_id = dated.household_id AND closed_on IS NULL
                AND kind IN ('{VisitKind.HELPER}_visit', '{VisitKind.TRACKING}_visit')) END
    ORDER BY household_id LIMIT :most
    """  # noqa: S608 (own names)
)
