"""Where tekun people live: the register of institutions, and each person's form of support (R25).

The only writers of tekun_institutions and tekun_supports.
"""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import insert, update
from sqlalchemy.dialects.postgresql import insert as insert_or_skip
from sqlalchemy.ext.asyncio import AsyncSession

from services.relief.tekun import records
from services.relief.tekun.actions import order_settling
from services.relief.tekun.assessing import known_household, refuse_if, tekun_faults
from services.relief.tekun.models import Institution, Support
from services.relief.tekun.rules import Form
from services.relief.tekun.selfcare import day_faults, person_faults
from shared import audit, clock, crypto, divisions, identity
from shared.auth import Caller, officer_of
from shared.errors import Conflict, Fault, Forbidden, NotFound

_ACCOUNT = "relief.tekun_institution_account"
_COUNTY = len("331124")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewInstitution:
    """An institution as an officer enters it; ``account`` in digits."""

    division_code: str
    name: str
    bank: str
    account: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Placing:
    """A person's form of support from a day on; an institution where it is centralised."""

    person_id: UUID
    form: Form
    valid_from: date
    institution_id: UUID | None = None


def shown_account(sealed: bytes) -> str:
    """An institution's account as screens show it: the last four digits."""
    return crypto.mask_account(crypto.decrypt(sealed, purpose=_ACCOUNT))


async def register(session: AsyncSession, caller: Caller, new: NewInstitution) -> UUID:
    """Enter an institution, which may house people once another officer confirms it; its id.

    Raises Forbidden (``division_not_covered``, no officer), Refused (``division_unknown``) and
    Conflict (``institution_exists``) for a second one of a name in a division.
    """
    officer = officer_of(caller)
    if not caller.covers(new.division_code):
        detail = f"your token does not cover the division {new.division_code}"
        raise Forbidden("division_not_covered", detail)
    if await divisions.find(session, new.division_code) is None:
        refuse_if([Fault("#/division_code", "division_unknown", "没有这个行政区划")])
    row = {
        "institution_id": identity.new_id(),
        "division_code": new.division_code,
        "name": new.name,
        "bank": new.bank,
        "account_encrypted": crypto.encrypt(new.account, purpose=_ACCOUNT),
        "entered_by": officer,
        "entered_at": clock.now(),
    }
    once = insert_or_skip(Institution).values(row).on_conflict_do_nothing()
    entered = await session.execute(once.returning(Institution.institution_id))
    institution_id = entered.scalar_one_or_none()
    if institution_id is None:
        raise Conflict("institution_exists", f"{new.division_code} has an institution of this name")
    await _record(session, caller, "tekun_institution.entered", institution_id, new.division_code)
    return institution_id


async def confirm_institution(session: AsyncSession, caller: Caller, institution_id: UUID) -> None:
    """Confirm an institution and its account, as its second officer; again changes nothing.

    Raises NotFound, Forbidden without an officer, Conflict (``same_officer``,
    ``institution_confirmed``).
    """
    officer = officer_of(caller)
    row = await records.institution_by_id(session, institution_id, caller.divisions, lock=True)
    if row is None:
        raise NotFound("institution_unknown", f"no institution {institution_id}")
    if row["entered_by"] == officer:
        raise Conflict("same_officer", "who entered an institution cannot confirm it")
    if row["confirmed_by"] == officer:
        return
    if row["confirmed_at"] is not None:
        raise Conflict("institution_confirmed", "another officer confirmed it already")
    signed = {"confirmed_by": officer, "confirmed_at": clock.now()}
    this_one = Institution.institution_id == institution_id
    await session.execute(update(Institution).where(this_one).values(signed))
    division_code = row["division_code"]
    await _record(session, caller, "tekun_institution.confirmed", institution_id, division_code)


async def place(
    session: AsyncSession, caller: Caller, household_id: UUID, placing: Placing
) -> UUID:
    """Enter a person's form of support from a day on, and order that the household be settled.

    It pays from the month after that day. Entered again for the same day, the later entry stands.
    Raises NotFound, Forbidden without an officer, and Refused listing every fault.
    """
    officer = officer_of(caller)
    home = await known_household(session, caller, household_id)
    faults = tekun_faults(home) + person_faults(placing.person_id, home.members)
    faults += day_faults("valid_from", placing.valid_from, today=clock.today())
    refuse_if(faults + await _institution_faults(session, caller, placing, home.division_code))
    row = {
        "support_id": identity.new_id(),
        "household_id": household_id,
        "person_id": placing.person_id,
        "division_code": home.division_code,
        "form": placing.form.value,
        "institution_id": placing.institution_id,
        "valid_from": placing.valid_from,
        "recorded_by": officer,
        "recorded_at": clock.now(),
    }
    await session.execute(insert(Support), [row])
    await order_settling(session, caller, household_id, home.division_code)
    await audit.record(
        session,
        caller,
        action="tekun_support.entered",
        subject_type="household",
        subject_id=household_id,
        division_code=home.division_code,
        detail={"record_id": str(row["support_id"]), "form": placing.form.value},
    )
    return UUID(str(row["support_id"]))


async def _institution_faults(
    session: AsyncSession, caller: Caller, placing: Placing, home: str
) -> list[Fault]:
    given, where = placing.institution_id, "#/institution_id"
    if placing.form is Form.DISPERSED:
        unneeded = Fault(where, "institution_unneeded", "分散供养不填供养服务机构")
        return [] if given is None else [unneeded]
    if given is None:
        return [Fault(where, "institution_missing", "集中供养须填写供养服务机构")]
    found = await records.institution_by_id(session, given, caller.divisions)
    if found is None:
        return [Fault(where, "institution_unknown", "没有这个供养服务机构")]
    faults = []
    if found["confirmed_at"] is None:
        message = "该机构及其账户尚未经第二名经办人员确认"
        faults.append(Fault(where, "institution_unconfirmed", message))
    if found["division_code"][:_COUNTY] != home[:_COUNTY]:
        faults.append(Fault(where, "institution_elsewhere", "该机构属于其他县（市、区）"))
    return faults


async def _record(
    session: AsyncSession, caller: Caller, action: str, institution_id: UUID, division_code: str
) -> None:
    await audit.record(
        session,
        caller,
        action=action,
        subject_type="tekun_institution",
        subject_id=institution_id,
        division_code=division_code,
    )
