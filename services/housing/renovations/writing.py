"""How a renovation is held and moved to its next stage, each one signed; for actions alone."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from asyncpg import Record
from sqlalchemy import RowMapping, insert, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.housing.renovations import queries
from services.housing.renovations.models import Renovation, RenovationStage
from services.housing.renovations.rules import Stage, StageFacts, order_fault
from services.housing.surveys import actions as surveys
from shared import audit, clock
from shared.auth import Caller
from shared.errors import Conflict, Fault, NotFound, Refused


async def hold(
    session: AsyncSession, caller: Caller, renovation_id: UUID
) -> tuple[RowMapping, Record]:
    """The renovation and its household's dwelling, both locked, the dwelling first."""
    seen = await stored(session, caller, renovation_id)
    dwelling = await surveys.hold_dwelling(session, caller, seen["household_id"])
    return await stored(session, caller, renovation_id, lock=True), dwelling


async def stored(
    session: AsyncSession, caller: Caller, renovation_id: UUID, *, lock: bool = False
) -> RowMapping:
    """The renovation as it is stored. Raises NotFound where the caller may see none."""
    found = await queries.renovation_by_id(session, renovation_id, caller.divisions, lock=lock)
    if found is None:
        raise NotFound("renovation_unknown", f"no renovation {renovation_id}")
    return found


async def advance(
    session: AsyncSession,
    caller: Caller,
    renovation: RowMapping,
    given: StageFacts,
    **changes: Any,
) -> RowMapping:
    """Move a held renovation to a stage; returns it as it then is."""
    moved = update(Renovation).where(Renovation.renovation_id == renovation["renovation_id"])
    await session.execute(
        moved.values(stage=given.stage, revision=renovation["revision"] + 1, **changes)
    )
    await sign(session, caller, renovation, given)
    return await stored(session, caller, renovation["renovation_id"])


async def sign(session: AsyncSession, caller: Caller, renovation: Any, given: StageFacts) -> None:
    """Keep the stage with who recorded it, and note the deed."""
    row = {
        "renovation_id": renovation["renovation_id"],
        "stage": given.stage,
        "division_code": renovation["division_code"],
        "done_on": given.done_on,
        "note": given.note,
        "parties": list(given.parties),
        "recorded_by": caller.officer_id or caller.sub,
        "recorded_at": clock.now(),
    }
    await session.execute(insert(RenovationStage), [row])
    await audit.record(
        session,
        caller,
        action=f"renovation.{given.stage}",
        subject_type="renovation",
        subject_id=renovation["renovation_id"],
        division_code=renovation["division_code"],
        detail={"done_on": given.done_on.isoformat()},
    )


def check_order(renovation: RowMapping, asked: Stage) -> None:
    """Raise Conflict (``stage_not_due``) unless ``asked`` is the stage that is due."""
    fault = order_fault(Stage(renovation["stage"]), asked)
    if fault is not None:
        raise Conflict(fault.code, fault.message, faults=[fault])


def refuse(faults: Sequence[Fault]) -> None:
    """Raise Refused with all of these faults; nothing where there are none."""
    if faults:
        told = "；".join(fault.message for fault in faults)
        raise Refused(faults[0].code, told, faults=faults)
