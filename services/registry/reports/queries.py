"""The reports' figures, each one statement over what the capabilities keep."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
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
        due = Due(within=asked.within, by=today, after=asked.after, limit=asked.limit)
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


async def filing(
    session: AsyncSession, within: Sequence[str], first: date, last: date
) -> RowMapping:
    """Of the households found in a period: filed, rejected, pending, closed otherwise (C6).

    Found is every file opened in it: by an application, a roster, a batch or a split. Filed are
    those identified since, rejected those refused, pending those still accepted.
    """
    given = {"within": list(within), "first": first, "last": last}
    return (await session.execute(_FILING, given)).mappings().one()


async def pending(session: AsyncSession, first: date, last: date, asked: Asked) -> Rows:
    """The households found in a period that nobody has decided on yet, by id."""
    given: dict[str, Any] = {"first": first, "last": last, "within": list(asked.within)}
    given |= {"after": asked.after, "most": asked.limit}
    return (await session.execute(_PENDING, given)).mappings().all()


async def returns(session: AsyncSession, within: Sequence[str], year: int) -> Rows:
    """By category: the stays lifted and tracked in a year, and how many of them fell back in it."""
    given = {
        "within": list(within),
        "first": date(year, 1, 1),
        "last": date(year, 12, 31),
    }
    return (await session.execute(_RETURNS, given)).mappings().all()


_HERE = """EXISTS (SELECT FROM unnest(CAST(:within AS text[])) AS asked(prefix)
        WHERE {row}.division_code ^@ asked.prefix)"""
_AFTER = "(CAST(:after AS uuid) IS NULL OR {key} > CAST(:after AS uuid))"
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
            here=_HERE.format(row="h"),
            after=_AFTER.format(key="h.household_id"),
            there=there,
        )
    )


_GAPS = {
    GapKind.LEAD_OVERDUE: text(
        f"""
        SELECT t.subject_id, t.household_id, t.division_code, t.due_on AS since FROM tasks AS t
        WHERE t.kind IN ('lead_visit', 'lead_decision') AND t.closed_on IS NULL
            AND t.due_on < :today AND {_HERE.format(row="t")}
            AND {_AFTER.format(key="t.subject_id")}
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
        "AND programme = 'premium_subsidy' AND status = 'paid' AND granted_on >= :year_began",
        since="greatest(e.identified_on, CAST(:year_began AS date))",
    ),
}
_PREMIUMS = text(
    "SELECT 1 FROM aid_ledger WHERE programme = 'premium_subsidy' AND granted_on >= :since LIMIT 1"
)
_FOUND = f"""
    SELECT h.household_id, h.division_code, h.opened_on, h.state, h.origin,
        EXISTS (SELECT FROM episodes WHERE household_id = h.household_id) AS filed,
        EXISTS (SELECT FROM decisions WHERE household_id = h.household_id
            AND decisions.kind = 'refuse') AS refused
    FROM households AS h
    WHERE h.opened_on BETWEEN :first AND :last AND {_HERE.format(row="h")}
"""  # noqa: S608 (own constants)
_FILING = text(
    f"""
    WITH found AS ({_FOUND})
    SELECT count(*) AS found,
        count(*) FILTER (WHERE filed) AS filed,
        count(*) FILTER (WHERE NOT filed AND refused) AS rejected,
        count(*) FILTER (WHERE NOT filed AND NOT refused AND state = 'accepted') AS pending,
        count(*) FILTER (WHERE NOT filed AND NOT refused AND state = 'closed') AS closed,
        count(*) FILTER (WHERE origin = 'roster') AS by_roster
    FROM found
    """  # noqa: S608 (own constants)
)
_PENDING = text(
    f"""
    WITH found AS ({_FOUND})
    SELECT household_id, division_code, opened_on FROM found
    WHERE NOT filed AND NOT refused AND state = 'accepted' AND {_AFTER.format(key="household_id")}
    ORDER BY household_id LIMIT :most
    """  # noqa: S608 (own constants)
)
_RETURNS = text(
    f"""
    WITH stays AS (
        SELECT e.household_id, e.number, e.lifted_on, e.exited_on,
            lead(e.identified_on) OVER stay AS returned_on
        FROM episodes AS e WHERE {_HERE.format(row="e")}
        WINDOW stay AS (PARTITION BY e.household_id ORDER BY e.number)
    )
    SELECT lifted.category, count(*) AS tracked,
        count(*) FILTER (WHERE returned_on <= :last) AS returned
    FROM stays JOIN LATERAL (
        SELECT category FROM decisions WHERE household_id = stays.household_id
            AND kind = 'lift' AND episode = stays.number
        ORDER BY recorded_at DESC LIMIT 1) AS lifted ON true
    WHERE lifted_on <= :last AND (exited_on IS NULL OR exited_on >= :first)
        AND (returned_on IS NULL OR returned_on >= :first)
    GROUP BY lifted.category ORDER BY lifted.category
    """  # noqa: S608 (own constants)
)
