"""A township's reserve fund: every movement under the fund's row lock, with an entry (R23).

Two decisions that race for the last yuan are one after the other here, and the table's own check
stands behind that.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import insert, update
from sqlalchemy.dialects.postgresql import insert as insert_or_skip
from sqlalchemy.ext.asyncio import AsyncSession

from services.relief.temporary import queries, writing
from services.relief.temporary.fund_rules import BY_COUNTY, EntryKind, Fund, entry_faults
from services.relief.temporary.models import PettyFund, PettyFundEntry
from services.relief.temporary.rules import fault
from shared import audit, clock, identity
from shared.auth import Caller, officer_of
from shared.errors import Forbidden

TOWNSHIP = len("331124101")


def township_of(division_code: str) -> str:
    """The township of a village: 331124101203 lies in 331124101."""
    return division_code[:TOWNSHIP]


async def enter(
    session: AsyncSession,
    caller: Caller,
    division_code: str,
    *,
    kind: EntryKind,
    amount: Decimal,
    document_number: str,
) -> None:
    """The county allots a fund, accepts its accounts, or tops it up.

    Raises Forbidden, Refused (``more_than_paid``, ``more_than_accounted``, ``entry_not_entered``).
    """
    faults = []
    if kind not in BY_COUNTY:
        message = "发放和退回由救助决定自动记账,不能手工登记"
        faults.append(fault("kind", "entry_not_entered", message))
    writing.refuse_if(faults)
    await _open(session, caller, division_code)
    await _move(session, caller, division_code, kind, amount, document_number=document_number)


async def pay(
    session: AsyncSession,
    caller: Caller,
    village_code: str,
    amount: Decimal,
    *,
    application_id: UUID,
) -> None:
    """Take what a township decided out of its fund. Raises Conflict (``fund_insufficient``)."""
    township = township_of(village_code)
    await _open(session, caller, township)
    await _move(session, caller, township, EntryKind.PAID, amount, application_id=application_id)


async def give_back(
    session: AsyncSession,
    caller: Caller,
    village_code: str,
    amount: Decimal,
    *,
    application_id: UUID,
) -> None:
    """Put a reversed stage's money back into the fund it came from."""
    township = township_of(village_code)
    await _move(
        session, caller, township, EntryKind.RETURNED, amount, application_id=application_id
    )


def fund_of(row: Mapping[Any, Any]) -> Fund:
    """A fund's row as the rules take it."""
    return Fund(**{name: row[name] for name in Fund.__dataclass_fields__})


async def _open(session: AsyncSession, caller: Caller, division_code: str) -> None:
    if not caller.covers(division_code):
        raise Forbidden("division_not_covered", f"your token does not cover {division_code}")
    empty = {kind.value: Decimal(0) for kind in EntryKind}
    row = {"division_code": division_code, "recorded_at": clock.now(), **empty}
    await session.execute(insert_or_skip(PettyFund).values(**row).on_conflict_do_nothing())


async def _move(
    session: AsyncSession,
    caller: Caller,
    division_code: str,
    kind: EntryKind,
    amount: Decimal,
    *,
    application_id: UUID | None = None,
    document_number: str | None = None,
) -> None:
    row = await queries.fund(session, division_code, caller.divisions, lock=True)
    if row is None:
        raise Forbidden("division_not_covered", f"your token does not cover {division_code}")
    before = fund_of(row)
    writing.refuse_if(entry_faults(before, kind, amount))
    sums = {kind.value: row[kind.value] + amount}
    after = fund_of({**row, **sums})
    theirs = PettyFund.division_code == division_code
    await session.execute(update(PettyFund).where(theirs).values(**sums, recorded_at=clock.now()))
    entry = {
        "entry_id": identity.new_id(),
        "division_code": division_code,
        "kind": kind.value,
        "amount": amount,
        "balance_after": after.balance,
        "application_id": application_id,
        "document_number": document_number,
        "entered_on": clock.today(),
        "entered_by": officer_of(caller),
        "recorded_at": clock.now(),
    }
    await session.execute(insert(PettyFundEntry), [entry])
    await audit.record(
        session,
        caller,
        action=f"petty_fund.{kind.value}",
        subject_type="petty_fund",
        subject_id=division_code,
        division_code=division_code,
        detail={"amount": f"{amount:.2f}", "entry_id": str(entry["entry_id"])},
    )
