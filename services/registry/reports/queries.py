"""The reports' figures, each one statement over what the capabilities keep."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.reports.rules import GapKind
from services.registry.visits import queries as visits
from services.registry.visits.queries import Due
from shared.contracts.registry import State

Rows = Sequence[RowMapping]
_ON_ASSISTANCE = [state.value for state in State if state.on_assistance]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Under which prefixes, after which id, how many."""

    within: Sequence[str]
    after: UUID | None
    limit: int


async def gaps(session: AsyncSession, kind: GapKind, asked: Asked, *, today: date) -> Rows:
    """The gaps of one kind by id: ``subject_id``, ``household_id``, ``division_code``, ``since``.

    The subject is a lead where the household is not on file yet.
    """
    if kind is GapKind.UNVISITED:
        late = today - timedelta(days=1)
        due = Due(within=asked.within, by=late, after=asked.after, limit=asked.limit)
        return await visits.due(session, due)
    given = {
        "states": _ON_ASSISTANCE,
        "within": list(asked.within),
        "after": asked.after,
        "most": asked.limit,
        "today": today,
        "year_began": date(today.year, 1, 1),
    }
    return (await session.execute(_GAPS[kind], given)).mappings().all()


async def premiums_reported(session: AsyncSession, *, since: date) -> bool:
    """Whether the insurance bureau has reported any premium subsidy since a day."""
    return bool(await session.scalar(_PREMIUMS, {"since": since}))


async def returns(session: AsyncSession, within: Sequence[str], year: int) -> Rows:
    """The stays lifted and tracked in a year, and how many of them fell back in it (C7).

    First all of them, then by cause, then by category, both as of the lift: ``category``,
    ``cause``, ``tracked``, ``returned``. A household with two causes counts under each.
    """
    given = {
        "within": list(within),
        "first": date(year, 1, 1),
        "last": date(year, 12, 31),
    }
    return (await session.execute(_RETURNS, given)).mappings().all()


HERE = """EXISTS (SELECT FROM unnest(CAST(:within AS text[])) AS asked(prefix)
        WHERE {row}.division_code ^@ asked.prefix)"""
AFTER = "(CAST(:after AS uuid) IS NULL OR {key} > CAST(:after AS uuid))"
"""Conditions of the reports' statements: the row lies where it was asked, and after an id."""
_HOUSEHOLD_GAP = """
    SELECT h.household_id AS subject_id, h.household_id, h.division_code, {since} AS since
    FROM households AS h
    JOIN LATERAL (SELECT identified_on FROM episodes WHERE household_id = h.household_id
        ORDER BY number DESC LIMIT 1) AS e ON true
    WHERE h.state = ANY(:states) AND {here} AND {after} AND NOT EXISTS ({there})
    ORDER BY h.household_id LIMIT :most
"""


def _households_without(there: str, *, since: str = "e.identified_on") -> Any:
    return text(
        _HOUSEHOLD_GAP.format(
            since=since,
            here=HERE.format(row="h"),
            after=AFTER.format(key="h.household_id"),
            there=there,
        )
    )


_GAPS = {
    GapKind.LEAD_OVERDUE: text(
        f"""
        SELECT t.subject_id, t.household_id, t.division_code, t.due_on AS since FROM tasks AS t
        WHERE t.kind IN ('lead_visit', 'lead_decision') AND t.closed_on IS NULL
            AND t.due_on < :today AND {HERE.format(row="t")}
            AND {AFTER.format(key="t.subject_id")}
        ORDER BY t.subject_id LIMIT :most
        """  # noqa: S608 (own constants)
    ),
    GapKind.HELPER_MISSING: _households_without(
        "SELECT FROM pairings WHERE household_id = h.household_id AND lead AND ended_on IS NULL"
    ),
    GapKind.PLAN_MISSING: _households_without(
        "SELECT FROM plans WHERE household_id = h.household_id AND plans.state = 'in_force'"
    ),
    GapKind.PREMIUM_UNSUBSIDISED: _households_without(
        "SELECT FROM aid_ledger WHERE household_id = h.household_id "
        "AND programme = 'premium_subsidy' AND status = 'paid' "
        "AND date_trunc('year', coalesce(month, granted_on)) = CAST(:year_began AS date)",
        since="greatest(e.identified_on, CAST(:year_began AS date))",
    ),
}
_PREMIUMS = text(
    "SELECT 1 FROM aid_ledger WHERE programme = 'premium_subsidy' "
    "AND coalesce(month, granted_on) >= :since LIMIT 1"
)
# A lifted file that is closed or merged keeps its open stay: it leaves tracking on that day.
_RETURNS = text(
    f"""
    WITH stays AS (
        SELECT e.household_id, e.number, e.lifted_on, e.exited_on,
            lead(e.identified_on) OVER stay AS returned_on
        FROM episodes AS e WHERE {HERE.format(row="e")}
        WINDOW stay AS (PARTITION BY e.household_id ORDER BY e.number)
    ), tracked AS (
        SELECT lifted.category, lifted.causes, coalesce(returned_on <= :last, false) AS returned
        FROM stays JOIN households AS h USING (household_id) JOIN LATERAL (
            SELECT category, facts -> 'causes' AS causes FROM decisions
            WHERE household_id = stays.household_id
                AND kind = 'lift' AND episode = stays.number
            ORDER BY recorded_at DESC LIMIT 1) AS lifted ON true
        WHERE lifted_on <= :last AND (exited_on IS NULL OR exited_on >= :first)
            AND (returned_on IS NULL OR returned_on >= :first)
            AND (h.state <> 'closed' OR returned_on IS NOT NULL OR (
                SELECT max(decided_on) FROM decisions WHERE household_id = stays.household_id
                    AND kind IN ('close', 'merge')) >= :first)
    )
    SELECT category, NULL AS cause, count(*) AS tracked,
        count(*) FILTER (WHERE returned) AS returned
    FROM tracked GROUP BY GROUPING SETS ((), (category))
    UNION ALL
    SELECT NULL, cause, count(*), count(*) FILTER (WHERE returned)
    FROM tracked CROSS JOIN LATERAL jsonb_array_elements_text(causes) AS cause GROUP BY cause
    ORDER BY category NULLS FIRST, cause NULLS FIRST
    """  # noqa: S608 (own constants)
)
