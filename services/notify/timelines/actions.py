"""Writing the time lines: a household's own part replaced whole, the rest by newest version.

Set-based, one statement a batch. A measure may arrive before its household: it is kept, and its
division filled in when the household comes. So that neither misses the other, whoever writes here
holds one lock to the end of his transaction: notify's batches of these topics go one by one.
"""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from services.notify.timelines.rules import RANKS, Told, told_by_household
from shared.contracts.registry import SOURCE, HouseholdState
from shared.db import driver_of

_LOCK = 0x62616E6766750010


async def hold(session: AsyncSession) -> None:
    """Wait until nobody else writes happenings. Call it before the copy of a household is taken."""
    await driver_of(session).execute("SELECT pg_advisory_xact_lock($1)", _LOCK)


async def retell_households(
    session: AsyncSession, states: Sequence[HouseholdState], versions: Mapping[UUID, int]
) -> None:
    """Replace what these households' own states tell, and move all their rows where they live.

    Call it after ``hold`` with the states that ``household_copy.apply`` took.
    """
    if not states:
        return
    ids = [state.household_id for state in states]
    await driver_of(session).execute(_FORGET, SOURCE, ids)
    told = [
        each
        for state in states
        for each in told_by_household(state, versions.get(state.household_id, 0))
    ]
    await _write(session, told)
    await driver_of(session).execute(_PLACE, ids)


async def tell(session: AsyncSession, told: Iterable[Told]) -> None:
    """Store what services told, each happening in its newest version; an older one is no news."""
    newest: dict[tuple[str, UUID, str], Told] = {}
    for each in told:
        known = newest.get(each.key)
        if known is None or known.version < each.version:
            newest[each.key] = each
    if newest:
        await hold(session)
        await _write(session, list(newest.values()))


async def tell_guarantees(session: AsyncSession, told: Sequence[Told]) -> None:
    """As ``tell``; of one guarantee's turns the one of the highest version is the newest."""
    await tell(session, told)
    await driver_of(session).execute(
        _MARK_NEWEST, [each.source for each in told], [each.aggregate_id for each in told]
    )


async def _write(session: AsyncSession, told: Sequence[Told]) -> None:
    await driver_of(session).execute(
        _TELL,
        [each.source for each in told],
        [each.aggregate_id for each in told],
        [each.part for each in told],
        [each.household_id for each in told],
        [each.happened_on for each in told],
        [RANKS[each.kind] for each in told],
        [each.kind.value for each in told],
        [each.code for each in told],
        [each.amount for each in told],
        [each.month for each in told],
        [orjson.dumps(each.detail).decode() for each in told],
        [each.version for each in told],
    )


_FORGET = """
    DELETE FROM happenings WHERE source = $1 AND household_id = ANY ($2)
"""

_TELL = """
    INSERT INTO happenings AS stored (
        source, aggregate_id, part, household_id, division_code, happened_on, rank, kind, code,
        amount, month, detail, version, newest)
    SELECT sent.source, sent.aggregate_id, sent.part, sent.household_id, home.division_code,
        sent.happened_on, sent.rank, sent.kind, sent.code, sent.amount, sent.month,
        CAST(sent.detail AS jsonb), sent.version, true
    FROM unnest($1::text[], $2::uuid[], $3::text[], $4::uuid[], $5::date[], $6::smallint[],
                $7::text[], $8::text[], $9::numeric[], $10::date[], $11::text[], $12::bigint[])
        AS sent(source, aggregate_id, part, household_id, happened_on, rank, kind, code, amount,
                month, detail, version)
    LEFT JOIN household_copy AS home ON home.household_id = sent.household_id
    ORDER BY sent.source, sent.aggregate_id, sent.part
    ON CONFLICT (source, aggregate_id, part) DO UPDATE SET
        household_id = excluded.household_id, division_code = excluded.division_code,
        happened_on = excluded.happened_on, rank = excluded.rank, kind = excluded.kind,
        code = excluded.code, amount = excluded.amount, month = excluded.month,
        detail = excluded.detail, version = excluded.version
        WHERE stored.version < excluded.version
"""

_PLACE = """
    UPDATE happenings AS stored SET division_code = home.division_code
    FROM household_copy AS home
    WHERE home.household_id = ANY ($1)
        AND stored.household_id = home.household_id
        AND stored.division_code IS DISTINCT FROM home.division_code
"""

_MARK_NEWEST = """
    UPDATE happenings AS stored SET newest = (stored.version = last.version)
    FROM (
        SELECT told.source, told.aggregate_id, max(told.version) AS version
        FROM happenings AS told
        WHERE (told.source, told.aggregate_id) IN (
            SELECT * FROM unnest($1::text[], $2::uuid[]))
        GROUP BY told.source, told.aggregate_id
    ) AS last
    WHERE stored.source = last.source AND stored.aggregate_id = last.aggregate_id
        AND stored.newest <> (stored.version = last.version)
"""
