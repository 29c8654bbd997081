"""The register of staff relatives (近亲属备案): who is related to staff or a village committee.

Whoever stands on it is visited by the county before every decision and never sampled out (R29).
"""

from dataclasses import asdict, dataclass
from datetime import date
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.determination import queries
from services.registry.determination.models import StaffRelative
from services.registry.households import queries as households
from services.registry.households.refusals import refuse_if
from services.registry.households.rules import day_faults, fault, officer_faults
from shared import audit, clock, identity
from shared.auth import Caller
from shared.errors import Conflict, NotFound


class RelativeKind(StrEnum):
    """Whose relative: of staff who handle assistance, or of a member of a village committee."""

    STAFF = "staff"
    VILLAGE_COMMITTEE = "village_committee"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filing:
    """That a person is related to somebody in office. ``position`` names the office, no name.

    ``staff_officer_id``: the relative's own officer id, who may then take no part in the case.
    """

    person_id: UUID
    kind: RelativeKind
    position: str
    relation: str
    registered_on: date
    staff_officer_id: str | None = None


async def register(session: AsyncSession, caller: Caller, filing: Filing) -> UUID:
    """Put a person on the register; gives the entry's id. Raises NotFound, or Refused."""
    where = caller.divisions
    persons = await households.load_persons(session, [filing.person_id], divisions=where)
    if filing.person_id not in persons:
        raise NotFound("person_not_found", "no such person in the caller's divisions")
    faults = officer_faults(caller.officer_id)
    faults += day_faults("registered_on", filing.registered_on, today=clock.today())
    if not (filing.position.strip() and filing.relation.strip()):
        message = "须写明职务和亲属关系"
        faults.append(fault("position", "position_missing", message))
    refuse_if(faults)
    row = asdict(filing) | {
        "staff_relative_id": identity.new_id(),
        "division_code": persons[filing.person_id].division_code,
        "registered_by": caller.officer_id,
        "recorded_at": clock.now(),
    }
    await session.execute(insert(StaffRelative), [row])
    await _note(session, caller, row, "registered")
    return UUID(str(row["staff_relative_id"]))


async def end(
    session: AsyncSession, caller: Caller, staff_relative_id: UUID, ended_on: date
) -> None:
    """End an entry: the office was left. It stays on record. Raises NotFound, Conflict, Refused."""
    row = await queries.relative(session, staff_relative_id, divisions=caller.divisions)
    if row is None:
        raise NotFound("staff_relative_not_found", "no such entry in the caller's divisions")
    if row["ended_on"] is not None:
        raise Conflict("staff_relative_ended", "this entry has ended already")
    faults = officer_faults(caller.officer_id)
    faults += day_faults("ended_on", ended_on, today=clock.today())
    if ended_on < row["registered_on"]:
        faults.append(fault("ended_on", "before_registration", "不能早于备案日期"))
    refuse_if(faults)
    await session.execute(
        update(StaffRelative)
        .where(StaffRelative.staff_relative_id == staff_relative_id)
        .values(ended_on=ended_on, ended_by=caller.officer_id, recorded_at=clock.now())
    )
    await _note(session, caller, dict(row), "ended")


async def _note(session: AsyncSession, caller: Caller, row: dict[str, Any], done: str) -> None:
    await audit.record(
        session,
        caller,
        action=f"staff_relative.{done}",
        subject_type="person",
        subject_id=row["person_id"],
        division_code=row["division_code"],
        detail={"kind": row["kind"]},
    )
