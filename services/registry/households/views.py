"""Households and persons as they are shown: masked, or plain by scope; every look is noted."""

from collections.abc import Iterable
from uuid import UUID

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.households import finding, queries, sealed
from services.registry.households.finding import Filter
from services.registry.households.queries import FoundPerson, PersonalData
from services.registry.households.schemas import Listed
from shared import api, audit
from shared.auth import Caller
from shared.errors import NotFound

PLAIN = "pii:read"
"""The scope that shows names, numbers, phones and accounts as they are."""


async def looked_at(session: AsyncSession, caller: Caller, household_id: UUID, action: str) -> None:
    """Note a look at what stands beside a household's facts. Raises NotFound out of reach."""
    place = await queries.division_of(session, household_id, divisions=caller.divisions)
    if place is None:
        raise NotFound("household_not_found", "no such household in the caller's divisions")
    await audit.record(
        session,
        caller,
        action=action,
        subject_type="household",
        subject_id=household_id,
        division_code=place,
    )


async def page(
    session: AsyncSession, caller: Caller, wanted: Filter, cursor: str | None, limit: int
) -> api.Page[Listed]:
    """One page of households with their heads' names; audited, for names are personal data."""
    after = api.decode_cursor(cursor, UUID)[0] if cursor else None
    rows = await finding.list_households(
        session, wanted, divisions=caller.divisions, after=after, limit=limit + 1
    )
    shown = rows[:limit]
    await audit.record(
        session,
        caller,
        action="household.listed",
        subject_type="household",
        subject_id=[row["household_id"] for row in shown],
        division_code=[row["division_code"] for row in shown],
        detail={"plain": caller.can(PLAIN)},
    )
    more = len(rows) > limit
    return api.Page(
        items=[_listed(row, plain=caller.can(PLAIN)) for row in shown],
        next_cursor=api.encode_cursor([shown[-1]["household_id"]]) if more else None,
    )


def _listed(row: asyncpg.Record, *, plain: bool) -> Listed:
    name = sealed.show_name(row["head_name"] or "", plain=plain)
    return Listed.model_validate({**row, "head_name": name})


async def audit_persons(
    session: AsyncSession,
    caller: Caller,
    action: str,
    persons: Iterable[PersonalData | FoundPerson],
) -> None:
    """One line for every person that was looked at, in the village where he stands."""
    seen = {person.person_id: person.division_code for person in persons}
    await audit.record(
        session,
        caller,
        action=action,
        subject_type="person",
        subject_id=list(seen),
        division_code=list(seen.values()),
        detail={"plain": caller.can(PLAIN)},
    )
