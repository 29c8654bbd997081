"""What many households had in a year, by the same rule as ``rules.series`` for one (C9)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.reports.queries import AFTER, HERE, Asked, Rows
from services.registry.reports.rules import WATCHED


@dataclass(frozen=True, slots=True, kw_only=True)
class Years:
    """A day in a year, its last one where it is over, and the last day of the year before."""

    now: date
    before: date

    @property
    def year(self) -> int:
        """The later of the two."""
        return self.now.year

    def named(self) -> dict[str, date]:
        """The days by the names that the statements give them."""
        return {"now": self.now, "before": self.before}

    @classmethod
    def of(cls, year: int, *, today: date) -> "Years":
        """The present year is told as of today."""
        return cls(now=min(date(year, 12, 31), today), before=date(year - 1, 12, 31))


async def fallen(
    session: AsyncSession, years: Years, county: str, percent: Decimal, *, limit: int
) -> Rows:
    """A county's watched households whose income fell and was not asked about, by id; held.

    See ``rules.falls``. ``household_id``, ``division_code``, ``before``, ``now`` (yuan a head).
    """
    given = {
        "county": county,
        "percent": percent,
        "states": _WATCHED,
        "year": years.year,
        "most": limit,
        **years.named(),
    }
    return (await session.execute(_FALLEN, given)).mappings().all()


async def trend(session: AsyncSession, within: Sequence[str], years: Years) -> RowMapping:
    """The sums of a year and of the one before, and how many of the households rose and fell.

    Counted is who was on assistance or in tracking on the day; ``compared`` those with an income a
    head on both days. ``total`` takes a business loss as 0 (R3), the four kinds as they are.
    """
    given = {"within": list(within), "states": _WATCHED, **years.named()}
    return (await session.execute(_TREND, given)).mappings().one()


async def falls(session: AsyncSession, asked: Asked, *, is_open: bool | None) -> Rows:
    """Falls of income by id, the one found first first, open or settled."""
    given = {"within": list(asked.within), "after": asked.after, "most": asked.limit}
    return (await session.execute(_FALLS, given | {"open": is_open})).mappings().all()


async def one_fall(
    session: AsyncSession, income_fall_id: UUID, *, divisions: Sequence[str]
) -> RowMapping | None:
    """One fall of income in these divisions."""
    given = {"within": list(divisions), "id": income_fall_id}
    return (await session.execute(_ONE, given)).mappings().one_or_none()


async def looked_at_since(session: AsyncSession, household_id: UUID, since: date) -> RowMapping:
    """Whether a household was ``visited`` and its income ``checked`` on a day or later."""
    given = {"id": household_id, "since": since}
    return (await session.execute(_LOOKED_AT, given)).mappings().one()


_WATCHED = [state.value for state in WATCHED]
_KINDS = ("wage", "business", "property", "transfer")
_TOTAL = " + ".join(f"greatest({kind}, 0)" for kind in _KINDS)
_ON_FILE = ", ".join(f"CAST(facts -> 'incomes' ->> '{kind}' AS numeric)" for kind in _KINDS)
# The last word counts: a check, unless the file's incomes were changed on its day or later.
_HELD = f"""
    LEFT JOIN LATERAL (
        SELECT facts ->> 'state' AS state, counted.n, {{kinds}}
        FROM (SELECT facts FROM household_versions WHERE household_id = h.household_id
            AND valid_from <= :{{day}} ORDER BY valid_from DESC, revision DESC LIMIT 1) AS held
        CROSS JOIN LATERAL (SELECT count(*) AS n FROM jsonb_array_elements(facts -> 'members')
            AS member WHERE CAST(member ->> 'counted' AS boolean)) AS counted
        LEFT JOIN LATERAL (SELECT * FROM income_checks WHERE household_id = h.household_id
            AND checked_on <= :{{day}} ORDER BY checked_on DESC, check_id DESC LIMIT 1) AS made
            ON checked_on > (
                SELECT max(valid_from) FROM (
                    SELECT valid_from, told, lag(told) OVER (ORDER BY valid_from) AS earlier FROM (
                        SELECT DISTINCT ON (valid_from) valid_from, ARRAY[{_ON_FILE}] AS told
                        FROM household_versions WHERE household_id = h.household_id
                            AND valid_from <= :{{day}} ORDER BY valid_from, revision DESC
                    ) AS known) AS steps
                WHERE told IS DISTINCT FROM earlier)
    ) AS {{alias}}_held ON true
    CROSS JOIN LATERAL (SELECT {_TOTAL} AS total, CASE WHEN n > 0 THEN
        round(({_TOTAL}) / n, 2) END AS a_head FROM (SELECT {{alias}}_held.*) AS each) AS {{alias}}
"""  # noqa: S608 (own constants)


def _held(alias: str) -> str:
    """Joins ``<alias>_held`` and ``<alias>``: state, n and incomes on the day ``:<alias>``."""
    kinds = ", ".join(
        f"CASE WHEN made.check_id IS NULL THEN CAST(facts -> 'incomes' ->> '{kind}' AS numeric) "
        f"ELSE income_{kind} END AS {kind}"
        for kind in _KINDS
    )
    return _HELD.format(alias=alias, day=alias, kinds=kinds)


def _summed(alias: str) -> str:
    there = f"FILTER (WHERE {alias}_held.state = ANY(:states))"
    named = [f"coalesce(sum({alias}_held.{kind}) {there}, 0) AS {alias}_{kind}" for kind in _KINDS]
    return ", ".join(
        (
            f"count(*) {there} AS {alias}_households",
            f"coalesce(sum({alias}_held.n) {there}, 0) AS {alias}_people",
            f"coalesce(sum({alias}.total) {there}, 0) AS {alias}_total",
            *named,
        )
    )


# Held: one that leaves at this moment would keep a task of its earlier state. What was asked is a
# scalar look-up: as an anti-join over a table that a first run fills, it was planned to minutes.
_FALLEN = text(
    f"""
    SELECT h.household_id, h.division_code, before.a_head AS before, now.a_head AS now
    FROM households AS h {_held("now")} {_held("before")}
    WHERE h.division_code ^@ CAST(:county AS text) AND h.state = ANY(:states)
        AND (SELECT year FROM income_falls WHERE household_id = h.household_id
            AND year = CAST(:year AS integer)) IS NULL
        AND now.a_head < before.a_head
        AND (before.a_head - now.a_head) * 100 > CAST(:percent AS numeric) * before.a_head
    ORDER BY h.household_id LIMIT :most FOR SHARE OF h
    """  # noqa: S608 (own constants)
)
_TREND = text(
    f"""
    SELECT {_summed("now")}, {_summed("before")},
        count(*) FILTER (WHERE both_known) AS compared,
        count(*) FILTER (WHERE both_known AND now.a_head > before.a_head) AS rose,
        count(*) FILTER (WHERE both_known AND now.a_head < before.a_head) AS fell
    FROM households AS h {_held("now")} {_held("before")}
    CROSS JOIN LATERAL (SELECT now_held.state = ANY(:states) AND now.a_head IS NOT NULL
        AND before.a_head IS NOT NULL AS both_known) AS compared
    WHERE h.episode > 0 AND {HERE.format(row="h")}
    """  # noqa: S608 (own constants)
)
_FALLS = text(
    f"""
    SELECT * FROM income_falls AS f
    WHERE {HERE.format(row="f")} AND {AFTER.format(key="f.income_fall_id")}
        AND (CAST(:open AS boolean) IS NULL OR (f.outcome IS NULL) = CAST(:open AS boolean))
    ORDER BY f.income_fall_id LIMIT :most
    """  # noqa: S608 (own constants)
)
_ONE = text(
    f"SELECT * FROM income_falls AS f WHERE f.income_fall_id = :id AND {HERE.format(row='f')}"  # noqa: S608 (own constants)
)
_LOOKED_AT = text(
    """
    SELECT EXISTS (SELECT FROM visits WHERE household_id = :id AND visited_on >= :since) AS visited,
        EXISTS (SELECT FROM income_checks WHERE household_id = :id AND checked_on >= :since)
            AS checked
    """
)
