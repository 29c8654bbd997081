"""Helping households from donations: proposed, decided by another, handed over, told (C54).

A decision locks the federation, the allocation and its donations, in this order; the database's
own check that no donation falls below zero stands behind that.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, insert, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.relief.charity import queries, rules, sealed
from services.relief.charity.actions import beneficiary, hold, note, people_of
from services.relief.charity.models import Allocation, AllocationLine, Donation
from services.relief.charity.rules import (
    AllocationState,
    DeclaredRelation,
    Earmark,
    Holding,
    Line,
    Proof,
    Purpose,
)
from services.relief.faults import refuse_if
from shared import clock, events, identity
from shared.auth import Caller, officer_of
from shared.contracts.assistance import Assistance, AssistanceEvent, AssistanceStatus
from shared.contracts.registry import HouseholdState, State
from shared.contracts.topics import RELIEF_ASSISTANCE
from shared.db import driver_of
from shared.errors import Conflict, Fault, Forbidden, NotFound

PROGRAMME = "charity"
"""What charity's help is called beside relief's own programmes."""


_FOLLOW = """
    UPDATE charity_allocations AS given SET division_code = moved.division_code
    FROM unnest($1::uuid[], $2::text[]) AS moved(household_id, division_code)
    WHERE given.household_id = moved.household_id
        AND given.division_code <> moved.division_code
        AND left(given.division_code, 6) = left(moved.division_code, 6)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Help for one household as an officer proposes it; ``words`` say what it consists of."""

    household_id: UUID
    purpose: Purpose
    month: date
    words: str
    uncategorised_reason: str | None
    declared_relation: DeclaredRelation
    lines: Sequence[Line]


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOver:
    """Who of the household received it on which day, and what shows it."""

    handed_over_on: date
    received_by: str
    proof: Proof
    proof_reference: str


async def propose(session: AsyncSession, caller: Caller, federation_id: UUID, wish: Wish) -> UUID:
    """Propose help, which holds no money until it is approved; gives its id.

    Raises NotFound, Conflict or Refused, listing every fault.
    """
    federation = await queries.federation_by_id(session, federation_id, caller.divisions)
    if federation is None:
        raise NotFound("federation_unknown", f"no charity federation {federation_id}")
    household = await beneficiary(session, caller, federation, wish.household_id)
    donations = await queries.donations_by_id(
        session, [line.donation_id for line in wish.lines], caller.divisions
    )
    faults = await _beneficiary_faults(
        session, federation, household, wish.declared_relation, wish.uncategorised_reason
    )
    holdings = await _holdings(session, federation_id, donations)
    refuse_if(
        faults
        + rules.line_faults(
            wish.lines, holdings, purpose=wish.purpose, household_id=wish.household_id
        )
    )
    row = _draft(caller, federation, household, wish)
    await session.execute(insert(Allocation), [row])
    lines = [
        {
            "allocation_id": row["allocation_id"],
            "donation_id": line.donation_id,
            "division_code": federation["division_code"],
            "amount": line.amount,
        }
        for line in wish.lines
    ]
    await session.execute(insert(AllocationLine), lines)
    await note(session, caller, row, "charity_allocation.proposed", row["allocation_id"])
    return UUID(str(row["allocation_id"]))


def _draft(
    caller: Caller, federation: RowMapping, household: dict[str, Any], wish: Wish
) -> dict[str, Any]:
    return {
        "allocation_id": identity.new_id(),
        "federation_id": federation["federation_id"],
        "fund": f"{PROGRAMME}-{federation['division_code']}",
        "household_id": wish.household_id,
        "division_code": household["division_code"],
        "purpose": wish.purpose,
        "month": wish.month,
        "amount": rules.total_of([line.amount for line in wish.lines]),
        "words_encrypted": sealed.seal(wish.words, sealed.WORDS),
        "uncategorised_reason_encrypted": sealed.seal(wish.uncategorised_reason, sealed.WORDS),
        "declared_relation": wish.declared_relation,
        "state": AllocationState.PROPOSED,
        "proposed_by": officer_of(caller),
        "proposed_at": clock.now(),
        "version": 1,
    }


async def decide(
    session: AsyncSession, caller: Caller, allocation_id: UUID, *, approve: bool, reason: str
) -> None:
    """Approve or refuse what another officer proposed; an approval holds its yuan at once.

    Everything is looked at again, as it is now. Raises NotFound, Forbidden, Conflict
    (``not_proposed``, ``same_officer``, ``balance_too_low``) or Refused, listing every fault.
    """
    officer = officer_of(caller)
    federation, row = await _hold_allocation(session, caller, allocation_id)
    _refuse_unless(row, AllocationState.PROPOSED, code="not_proposed")
    faults = rules.decision_faults(
        approve=approve, reason=reason, officer=officer, proposed_by=row["proposed_by"]
    )
    if approve:
        lines = await _lines(session, allocation_id)
        faults += await _faults_now(session, caller, federation, row, lines)
    refuse_if(faults)
    if approve:
        await _move(session, lines, sign=1)
    state = AllocationState.APPROVED if approve else AllocationState.REFUSED
    await _change(
        session,
        row,
        state=state,
        decided_by=officer,
        decided_on=clock.today(),
        reason_encrypted=sealed.seal(reason, sealed.WORDS),
    )
    await note(session, caller, row, f"charity_allocation.{state.value}", allocation_id)


async def cancel(session: AsyncSession, caller: Caller, allocation_id: UUID, reason: str) -> None:
    """Give up help not handed over; what it held goes back to its donations.

    Raises NotFound, Forbidden or Conflict (``not_open``).
    """
    officer = officer_of(caller)
    _, row = await _hold_allocation(session, caller, allocation_id)
    _refuse_unless(row, AllocationState.PROPOSED, AllocationState.APPROVED, code="not_open")
    if row["state"] == AllocationState.APPROVED:
        await _move(session, await _lines(session, allocation_id), sign=-1)
    await _change(
        session,
        row,
        state=AllocationState.CANCELLED,
        cancelled_by=officer,
        reason_encrypted=sealed.seal(reason, sealed.WORDS),
    )
    await note(session, caller, row, "charity_allocation.cancelled", allocation_id)


async def hand_over(
    session: AsyncSession, caller: Caller, allocation_id: UUID, given: HandOver
) -> None:
    """Note that approved help arrived, and announce it as ``assisted`` in the same transaction.

    Raises NotFound, Conflict (``not_approved``), or Refused (``handed_over_on_impossible``).
    """
    officer = officer_of(caller)
    row = await queries.allocation_by_id(session, allocation_id, caller.divisions, lock=True)
    if row is None:
        raise _unknown(allocation_id)
    _refuse_unless(row, AllocationState.APPROVED, code="not_approved")
    refuse_if(
        rules.hand_over_faults(
            given.handed_over_on, decided_on=row["decided_on"], today=clock.today()
        )
    )
    await _change(
        session,
        row,
        state=AllocationState.HANDED_OVER,
        handed_over_on=given.handed_over_on,
        handed_over_by=officer,
        received_by_encrypted=sealed.seal(given.received_by, sealed.NAME),
        proof=given.proof,
        proof_reference=given.proof_reference,
    )
    await events.publish(session, [_assisted(row, given.handed_over_on)])
    await note(session, caller, row, "charity_allocation.handed_over", allocation_id)


async def follow_moves(session: AsyncSession, states: Sequence[HouseholdState]) -> None:
    """Take a household's help along when it moves within its county; elsewhere it stays."""
    if states:
        await driver_of(session).execute(
            _FOLLOW,
            [state.household_id for state in states],
            [state.division_code for state in states],
        )


async def _hold_allocation(
    session: AsyncSession, caller: Caller, allocation_id: UUID
) -> tuple[RowMapping, RowMapping]:
    """An allocation and its federation, both locked."""
    seen = await queries.allocation_by_id(session, allocation_id, caller.divisions)
    if seen is None:
        raise _unknown(allocation_id)
    try:
        federation = await hold(session, caller, seen["federation_id"])
    except NotFound:
        raise Forbidden(
            "federation_not_covered", "your token does not cover the federation's division"
        ) from None
    row = await queries.allocation_by_id(session, allocation_id, caller.divisions, lock=True)
    if row is None:
        raise _unknown(allocation_id)
    return federation, row


async def _faults_now(
    session: AsyncSession,
    caller: Caller,
    federation: RowMapping,
    row: RowMapping,
    lines: Sequence[Line],
) -> list[Fault]:
    """What speaks against an allocation at its decision; its donations are locked for it."""
    household = await beneficiary(session, caller, federation, row["household_id"])
    reason = sealed.unseal(row["uncategorised_reason_encrypted"], sealed.WORDS)
    declared = DeclaredRelation(row["declared_relation"])
    faults = await _beneficiary_faults(session, federation, household, declared, reason)
    donations = await queries.donations_by_id(
        session, [line.donation_id for line in lines], caller.divisions, lock=True
    )
    holdings = await _holdings(session, row["federation_id"], donations)
    purpose, household_id = Purpose(row["purpose"]), row["household_id"]
    return faults + rules.line_faults(lines, holdings, purpose=purpose, household_id=household_id)


async def _beneficiary_faults(
    session: AsyncSession,
    federation: RowMapping,
    household: dict[str, Any],
    declared: DeclaredRelation,
    reason: str | None,
) -> list[Fault]:
    today = clock.today()
    state = State(household["state"])
    return rules.beneficiary_faults(
        managers=await queries.managing_people(session, federation["federation_id"], today),
        people=people_of(household),
        declared=declared,
        categorised=state.on_assistance,
        closed=state is State.CLOSED,
        reason=reason,
    )


async def _holdings(
    session: AsyncSession, federation_id: UUID, donations: dict[UUID, RowMapping]
) -> dict[UUID, Holding]:
    changed = await queries.newest_changes(session, list(donations))
    return {
        donation_id: Holding(
            left=row["amount"] - row["allocated"],
            earmark=_earmark(changed.get(donation_id, row)),
            corrected=row["corrected_by"] is not None,
            same_federation=row["federation_id"] == federation_id,
        )
        for donation_id, row in donations.items()
    }


def _earmark(row: RowMapping) -> Earmark:
    purpose = row["earmark_purpose"]
    return Earmark(
        purpose=Purpose(purpose) if purpose else None, household_id=row["earmark_household_id"]
    )


async def _lines(session: AsyncSession, allocation_id: UUID) -> list[Line]:
    return [
        Line(donation_id=row["donation_id"], amount=row["amount"])
        for row in await queries.lines_of(session, allocation_id)
    ]


async def _move(session: AsyncSession, lines: Sequence[Line], *, sign: int) -> None:
    """Take the lines' yuan from their donations, or give them back; in the order of their ids."""
    for line in sorted(lines, key=lambda each: each.donation_id):
        moved = Donation.allocated + Decimal(sign) * line.amount
        taken = update(Donation).where(Donation.donation_id == line.donation_id)
        await session.execute(taken.values(allocated=moved))


async def _change(session: AsyncSession, row: RowMapping, **values: Any) -> None:
    changed = update(Allocation).where(Allocation.allocation_id == row["allocation_id"])
    await session.execute(changed.values(**values, version=row["version"] + 1))


def _refuse_unless(row: RowMapping, *states: AllocationState, code: str) -> None:
    if row["state"] not in states:
        raise Conflict(code, f"this allocation is {row['state']} already")


def _unknown(allocation_id: UUID) -> NotFound:
    return NotFound("allocation_unknown", f"no allocation {allocation_id}")


def _assisted(row: RowMapping, handed_over_on: date) -> events.NewEvent:
    return events.NewEvent(
        topic=RELIEF_ASSISTANCE,
        type=AssistanceEvent.ASSISTED,
        subject=row["allocation_id"],
        version=row["version"] + 1,
        payload=Assistance(
            assistance_id=row["allocation_id"],
            household_id=row["household_id"],
            programme=PROGRAMME,
            status=AssistanceStatus.PAID,
            amount=row["amount"],
            fund=row["fund"],
            month=row["month"],
            granted_on=handed_over_on,
        ),
    )
