"""Settling a fall of income: by a visit, an income check, or a reason (C9)."""

from uuid import UUID

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.households import actions as households
from services.registry.households import sealed
from services.registry.households.refusals import refuse_if
from services.registry.reports import incomes, rules
from services.registry.reports.models import IncomeFall
from services.registry.reports.rules import LookedAt, Settlement
from services.registry.tasks import actions as tasks
from services.registry.tasks.models import TaskKind
from shared import audit, clock
from shared.auth import Caller
from shared.errors import Conflict, NotFound


async def settle(
    session: AsyncSession, caller: Caller, income_fall_id: UUID, settlement: Settlement
) -> None:
    """Settle a fall of income; its task comes off the board.

    Raises NotFound, Conflict (``income_fall_settled``), or Refused listing every fault.
    """
    where = caller.divisions
    seen = await incomes.one_fall(session, income_fall_id, divisions=where)
    if seen is not None:
        await households.lock(session, [seen["household_id"]], divisions=where)
    fall = await incomes.one_fall(session, income_fall_id, divisions=where)
    if fall is None:
        raise NotFound("income_fall_not_found", "no such fall of income in the caller's divisions")
    if fall["outcome"] is not None:
        raise Conflict("income_fall_settled", f"this fall of income is settled: {fall['outcome']}")
    household_id = fall["household_id"]
    since = await incomes.looked_at_since(session, household_id, fall["opened_on"])
    refuse_if(rules.settlement_faults(settlement, LookedAt(**since), officer_id=caller.officer_id))
    await session.execute(
        update(IncomeFall)
        .where(IncomeFall.income_fall_id == income_fall_id)
        .values(
            outcome=settlement.outcome.value,
            settled_on=clock.today(),
            settled_by=caller.officer_id,
            reason_encrypted=sealed.seal_words(settlement.reason) if settlement.reason else None,
            recorded_at=clock.now(),
        )
    )
    await tasks.close_task(session, kind=TaskKind.INCOME_FALL, subject_id=income_fall_id)
    await audit.record(
        session,
        caller,
        action="income_fall.settled",
        subject_type="household",
        subject_id=household_id,
        division_code=fall["division_code"],
        detail={"income_fall_id": str(income_fall_id), "outcome": settlement.outcome.value},
    )
