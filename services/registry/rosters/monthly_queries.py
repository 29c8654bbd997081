"""Who stands in a monthly list: pages by household, with the facts that held on the list's day.

One statement a page. A list of a past month says what held then as it is known now; a household
that has moved since is told of by the county that has it, if it stood there then.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.households import queries as households
from services.registry.households.facts import Facts
from services.registry.households.queries import PersonalData
from services.registry.lifecycle.ruling import Move
from services.registry.rosters.monthly_rules import (
    CUT_OFF_DAY,
    LAST_DAY,
    ListKind,
    Period,
    way_out,
)
from shared import parameters
from shared.contracts.assistance import AssistanceStatus
from shared.contracts.registry import Category
from shared.db import COVERED, Database, driver_of, successor
from shared.divisions import covers

PAGE = 250


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which list: of a division, as far as these divisions cover it, as of ``today`` at most."""

    kind: ListKind
    period: Period
    division: str
    divisions: Sequence[str]
    today: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One household of a list. ``on`` is the day that ``facts`` are of; the rest is of its kind.

    ``happened_on`` and ``way`` of those who came or went, ``reason`` of those who went; ``before``
    and ``now`` in yuan of those whose grant changed, with their category and how many people they
    were when the period began.
    """

    household_no: str
    phone_encrypted: bytes | None
    facts: Facts
    head: PersonalData | None
    on: date
    happened_on: date | None = None
    way: str = ""
    reason: str = ""
    category_before: Category | None = None
    people_before: int | None = None
    before: Decimal | None = None
    now: Decimal | None = None


async def cut_offs(session: AsyncSession, county: str, month: date) -> tuple[int, int]:
    """The day on which a month ends in a county, and on which the one before ended (31: its last).

    The value in force on the first day of a month holds for it.
    """
    return (
        await _cut_off(session, county, month),
        await _cut_off(session, county, _month_before(month)),
    )


async def _cut_off(session: AsyncSession, county: str, month: date) -> int:
    value = await parameters.value_at(session, CUT_OFF_DAY, county, month)
    return int(value.value) if value else LAST_DAY


def _month_before(month: date) -> date:
    return date(month.year - (month.month == 1), (month.month - 2) % 12 + 1, 1)


async def pages(database: Database, asked: Asked) -> AsyncIterator[list[Listed]]:
    """The list page after page, each read in a transaction of its own."""
    after = UUID(int=0)
    while True:
        async with database.transaction(divisions=asked.divisions) as session:
            rows = await _page(session, asked, after)
            heads = await households.load_persons(
                session, [row["head_person_id"] for row in rows], divisions=asked.divisions
            )
        if not rows:
            return
        after = rows[-1]["household_id"]
        listed = (_listed(row, heads, asked) for row in rows)
        yield [one for one in listed if one is not None]


async def _page(session: AsyncSession, asked: Asked, after: UUID) -> list[asyncpg.Record]:
    driver = driver_of(session)
    # A plan for any county would be one for none: it has to know how much lies under the division.
    await driver.execute("SET LOCAL plan_cache_mode = force_custom_plan")
    period = asked.period
    if asked.kind in _OF_GRANTS:
        days = (_month_before(period.month), period.month)
    else:
        days = (period.begins_on, period.ends_on)
    return await driver.fetch(
        _LISTS[asked.kind],
        asked.division,
        successor(asked.division),
        asked.divisions,
        after,
        *days,
        min(period.ends_on, asked.today),
        period.begins_on,
    )


def _listed(row: asyncpg.Record, heads: Mapping[UUID, PersonalData], asked: Asked) -> Listed | None:
    facts = Facts.model_validate_json(row["facts"])
    if not covers([asked.division], facts.division_code):
        return None
    known: dict[str, Any] = {
        "household_no": row["household_no"],
        "phone_encrypted": row["phone_encrypted"],
        "facts": facts,
        "head": heads.get(facts.head_person_id),
        "on": row["as_of"],
    }
    if asked.kind is ListKind.NEW:
        way = "返贫重新认定" if row["again"] else "新认定"
        return Listed(**known, happened_on=row["happened_on"], way=way)
    if asked.kind is ListKind.EXIT:
        left = way_out(Move(row["kind"]), facts.state)
        if left is None:
            return None
        return Listed(**known, happened_on=row["happened_on"], way=left, reason=row["reason"])
    category = row["category_before"]
    return Listed(
        **known,
        category_before=Category(category) if category else None,
        people_before=row["people_before"],
        before=row["before"],
        now=row["now"],
    )


_HERE = f"""division_code >= $1 AND division_code < $2 AND household_id > $4
          AND {COVERED.format(at=3, column="division_code")}"""

_CAME = f"""
    SELECT DISTINCT ON (household_id) household_id, $7::date AS as_of,
           identified_on AS happened_on, number > 1 AS again
    FROM episodes
    WHERE identified_on BETWEEN $5 AND $6 AND $8::date IS NOT NULL AND {_HERE}
    ORDER BY household_id, number DESC LIMIT {PAGE}
"""  # noqa: S608 (constants)

_WENT = f"""
    SELECT DISTINCT ON (household_id) household_id, decided_on - 1 AS as_of,
           decided_on AS happened_on, kind, reason
    FROM decisions
    WHERE kind IN ('{Move.LIFT.value}', '{Move.EXIT.value}', '{Move.CLOSE.value}')
      AND episode > 0 AND decided_on BETWEEN $5 AND $6 AND $7::date >= $8::date AND {_HERE}
    ORDER BY household_id, decided_on DESC, decision_id DESC LIMIT {PAGE}
"""  # noqa: S608 (constants)


def _changed(how: str) -> str:
    """Households whose dibao of the month is ``how`` that of the one before, both being told of."""
    return f"""
    SELECT household_id, $7::date AS as_of, before, now, category_before, people_before
    FROM (
        SELECT household_id, sum(amount) FILTER (WHERE month = $5) AS before,
               sum(amount) FILTER (WHERE month = $6) AS now
        FROM aid_ledger
        WHERE programme = '{Category.DIBAO.value}' AND month IN ($5, $6)
          AND status <> '{AssistanceStatus.REVERSED.value}' AND {_HERE}
        GROUP BY household_id
    ) AS told
    LEFT JOIN LATERAL (
        SELECT facts->>'category' AS category_before,
               jsonb_array_length(facts->'members') AS people_before
        FROM household_versions AS archive
        WHERE archive.household_id = told.household_id AND valid_from < $8::date
        ORDER BY valid_from DESC, revision DESC LIMIT 1
    ) AS earlier ON true
    WHERE now {how} before
    ORDER BY household_id LIMIT {PAGE}
"""  # noqa: S608 (constants)


def _with_facts(found: str) -> str:
    return f"""
    WITH found AS MATERIALIZED ({found})
    SELECT found.*, household_no, phone_encrypted, known.facts::text,
           (known.facts->>'head_person_id')::uuid AS head_person_id
    FROM found JOIN households ON households.household_id = found.household_id
    CROSS JOIN LATERAL (
        SELECT facts FROM household_versions AS archive
        WHERE archive.household_id = found.household_id
        ORDER BY valid_from <= found.as_of DESC,
                 CASE WHEN valid_from <= found.as_of THEN valid_from END DESC,
                 valid_from, revision DESC LIMIT 1
    ) AS known
    ORDER BY found.household_id
"""  # noqa: S608 (constants)


_OF_GRANTS = frozenset({ListKind.INCREASE, ListKind.DECREASE})
_LISTS: Mapping[ListKind, str] = {
    ListKind.NEW: _with_facts(_CAME),
    ListKind.EXIT: _with_facts(_WENT),
    ListKind.INCREASE: _with_facts(_changed(">")),
    ListKind.DECREASE: _with_facts(_changed("<")),
}
