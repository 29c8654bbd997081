"""Entering and taking away a household's numbers in other books."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.households import actions as households
from services.registry.households.refusals import refuse_if
from services.registry.numbers import rules
from services.registry.numbers.models import HouseholdAlias
from services.registry.numbers.rules import AliasKind
from shared import audit, clock
from shared.auth import Caller
from shared.errors import Conflict


async def enter(
    session: AsyncSession, caller: Caller, household_id: UUID, given: Mapping[AliasKind, str | None]
) -> None:
    """Put these numbers in the place of the ones there are; None takes one away.

    Raises NotFound, Refused (``number_invalid``), or Conflict (``number_taken``) where another
    household, of any county, has the national number.
    """
    file = await households.lock_one(session, caller, household_id)
    numbers, faults = rules.read(given)
    refuse_if(faults)
    division_code = file.facts.division_code
    gone = [kind.value for kind, number in numbers.items() if number is None]
    await session.execute(
        delete(HouseholdAlias).where(
            HouseholdAlias.household_id == household_id, HouseholdAlias.kind.in_(gone)
        )
    )
    rows: list[dict[str, object]] = [
        {
            "household_id": household_id,
            "kind": kind.value,
            "number": number,
            "division_code": division_code,
            "recorded_by": caller.officer_id or caller.sub,
            "recorded_at": clock.now(),
        }
        for kind, number in numbers.items()
        if number
    ]
    await _put(session, rows)
    await audit.record(
        session,
        caller,
        action="household.numbers_entered",
        subject_type="household",
        subject_id=household_id,
        division_code=division_code,
        detail={"kinds": [kind.value for kind in numbers]},
    )


async def _put(session: AsyncSession, rows: list[dict[str, object]]) -> None:
    if not rows:
        return
    order = insert(HouseholdAlias)
    new = {name: order.excluded[name] for name in ("number", "recorded_by", "recorded_at")}
    try:
        async with session.begin_nested():
            await session.execute(
                order.on_conflict_do_update(index_elements=["household_id", "kind"], set_=new), rows
            )
    except IntegrityError as taken:
        raise Conflict(
            "number_taken", "another household has this national number: check which file is right"
        ) from taken
