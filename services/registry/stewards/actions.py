"""Appointing contacts and ending them; the gate that data comes in only where somebody answers."""

from collections.abc import Collection
from datetime import date
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.households import sealed
from services.registry.households.refusals import refuse_if
from services.registry.stewards import queries, rules
from services.registry.stewards.models import Contact
from services.registry.stewards.rules import Appointment
from shared import audit, clock, identity
from shared.auth import Caller
from shared.errors import Conflict, Forbidden, NotFound


async def appoint(session: AsyncSession, caller: Caller, one: Appointment) -> UUID:
    """Enter a contact; gives its id.

    Raises Forbidden outside the caller's divisions, Refused listing every fault, Conflict
    (``contact_in_office``) where the same official is it already.
    """
    if not caller.covers(one.division_code):
        raise Forbidden("division_not_yours", "appoint contacts of your own divisions")
    refuse_if(rules.appointment_faults(one, today=clock.today()))
    contact_id = identity.new_id()
    entered = await session.scalar(
        insert(Contact)
        .values(
            contact_id=contact_id,
            role=one.role.value,
            division_code=one.division_code,
            bureau=one.bureau,
            unit=one.unit,
            officer_id=one.officer_id,
            name=one.name,
            phone_encrypted=sealed.seal_phone(one.phone),
            appointed_on=one.appointed_on,
            recorded_at=clock.now(),
        )
        .on_conflict_do_nothing()
        .returning(Contact.contact_id)
    )
    if entered is None:
        raise Conflict("contact_in_office", "this official has this role at this unit already")
    await _noted(session, caller, "contact.appointed", contact_id, one.division_code)
    return contact_id


async def end(session: AsyncSession, caller: Caller, contact_id: UUID, ended_on: date) -> None:
    """End an appointment from a day on.

    Raises NotFound, Conflict (``contact_ended``), Refused listing every fault.
    """
    contact = await queries.one(session, contact_id, divisions=caller.divisions)
    if contact is None:
        raise NotFound("contact_not_found", "no such contact in the caller's divisions")
    if contact.ended_on is not None:
        raise Conflict("contact_ended", f"this appointment ended on {contact.ended_on}")
    refuse_if(rules.ending_faults(ended_on, appointed_on=contact.appointed_on, today=clock.today()))
    contact.ended_on, contact.recorded_at = ended_on, clock.now()
    await _noted(session, caller, "contact.ended", contact_id, contact.division_code)


async def require_steward(session: AsyncSession, division_codes: Collection[str]) -> None:
    """Let nothing be imported where nobody answers for the data (C59). Raises Conflict."""
    missing = await queries.unattended(session, division_codes)
    if missing:
        raise Conflict(
            "data_steward_missing",
            f"没有数据管理员的地区不能导入数据：{'、'.join(sorted(missing))}。"
            "请先登记 (POST /v1/contacts, role=data_steward)。",
        )


async def _noted(
    session: AsyncSession, caller: Caller, action: str, contact_id: UUID, division_code: str
) -> None:
    await audit.record(
        session,
        caller,
        action=action,
        subject_type="contact",
        subject_id=contact_id,
        division_code=division_code,
    )
