"""Where tekun people live: the register of institutions, and each person's form of support (R25).

The only writers of tekun_institutions, tekun_institution_accounts and tekun_supports.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_skip
from sqlalchemy.ext.asyncio import AsyncSession

from services.relief.faults import refuse_if
from services.relief.tekun import records
from services.relief.tekun.actions import order_settling
from services.relief.tekun.assessing import known_household, tekun_faults
from services.relief.tekun.models import Institution, InstitutionAccount, Support
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


def plain_account(sealed: bytes) -> str:
    """An institution's account as the bank needs it; nobody is shown it."""
    return crypto.decrypt(sealed, purpose=_ACCOUNT)


def shown_account(sealed: bytes) -> str:
    """An institution's account as screens show it: the last four digits."""
    return crypto.mask_account(plain_account(sealed))


async def register(session: AsyncSession, caller: Caller, new: NewInstitution) -> UUID:
    """Enter an institution and its account, which another officer has to confirm; its id.

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
        "entered_by": officer,
        "entered_at": clock.now(),
    }
    once = insert_or_skip(Institution).values(row).on_conflict_do_nothing()
    entered = await session.execute(once.returning(Institution.institution_id))
    institution_id = entered.scalar_one_or_none()
    if institution_id is None:
        raise Conflict("institution_exists", f"{new.division_code} has an institution of this name")
    await _enter_account(session, officer, row, bank=new.bank, account=new.account)
    await _record(session, caller, "tekun_institution.entered", institution_id, new.division_code)
    return institution_id


async def change_account(
    session: AsyncSession, caller: Caller, institution_id: UUID, *, bank: str, account: str
) -> None:
    """Enter another account, which is paid to once another officer confirms it.

    One that still waits is withdrawn. Raises NotFound, and Forbidden without an officer.
    """
    officer = officer_of(caller)
    row = await _institution(session, caller, institution_id)
    await _hold_institution(session, institution_id)
    waiting = await records.waiting_account(session, institution_id)
    if waiting is not None:
        this_one = InstitutionAccount.account_id == waiting["account_id"]
        await session.execute(
            update(InstitutionAccount).where(this_one).values(withdrawn_at=clock.now())
        )
    await _enter_account(session, officer, row, bank=bank, account=account)
    action = "tekun_institution.account_entered"
    await _record(session, caller, action, institution_id, row["division_code"])


async def confirm_account(
    session: AsyncSession, caller: Caller, institution_id: UUID, *, account: str
) -> None:
    """Confirm the account that waits, as its second officer, who types it from the paper again.

    Raises NotFound, Forbidden without an officer, Conflict (``nothing_waits``, ``same_officer``)
    and Refused (``account_differs``).
    """
    officer = officer_of(caller)
    row = await _institution(session, caller, institution_id)
    waiting = await records.waiting_account(session, institution_id)
    if waiting is None:
        raise Conflict("nothing_waits", "no account of this institution waits to be confirmed")
    if waiting["entered_by"] == officer:
        raise Conflict("same_officer", "who entered an account cannot confirm it: ask a colleague")
    if crypto.decrypt(waiting["account_encrypted"], purpose=_ACCOUNT) != account:
        refuse_if([Fault("#/account", "account_differs", "账号与登记的不一致，请核对原件")])
    signed = {"confirmed_by": officer, "confirmed_at": clock.now()}
    this_one = InstitutionAccount.account_id == waiting["account_id"]
    await session.execute(update(InstitutionAccount).where(this_one).values(signed))
    action = "tekun_institution.account_confirmed"
    await _record(session, caller, action, institution_id, row["division_code"])


async def _institution(
    session: AsyncSession, caller: Caller, institution_id: UUID
) -> Mapping[Any, Any]:
    row = await records.institution_by_id(session, institution_id, caller.divisions)
    if row is None:
        raise NotFound("institution_unknown", f"no institution {institution_id}")
    return row


async def _hold_institution(session: AsyncSession, institution_id: UUID) -> None:
    name = f"bangfu.tekun_institution:{institution_id}"
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))


async def _enter_account(
    session: AsyncSession, officer: str, institution: Mapping[Any, Any], *, bank: str, account: str
) -> None:
    row = {
        "account_id": identity.new_id(),
        "institution_id": institution["institution_id"],
        "division_code": institution["division_code"],
        "bank": bank,
        "account_encrypted": crypto.encrypt(account, purpose=_ACCOUNT),
        "entered_by": officer,
        "entered_at": clock.now(),
    }
    await session.execute(insert(InstitutionAccount), [row])


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
    accounts = (await records.accounts_of(session, [given])).get(given, [])
    if all(account["confirmed_at"] is None for account in accounts):
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
