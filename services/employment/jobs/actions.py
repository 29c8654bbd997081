"""Placing people, ending placements, and what days do to them (C45, C46, R30).

The only writers of placements. The households that list the person are locked first: profile, case
and guarantee follow in the same transaction, and of two officers one waits for the other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.employment.jobs import queries, writing
from services.employment.jobs.models import Placement
from services.employment.jobs.rules import (
    EndReason,
    Kind,
    Refusal,
    Term,
    counts_from,
    ending_refusals,
    overlaps,
    refusals,
)
from services.employment.labour import actions as labour
from services.employment.labour import facts
from services.employment.labour import queries as profiles
from services.employment.standards.rules import MIGRANT_MONTHS
from shared import audit, clock, identity
from shared.auth import Caller, system_caller
from shared.contracts.registry import Member, State
from shared.db import driver_of
from shared.errors import Conflict, Fault, NotFound, PreconditionFailed, Refused, TryAgain
from shared.parameters import value_at

CHUNK = 500
"""Placements brought to a new day a transaction."""

_FOLLOW_PEOPLE = """
    UPDATE placements AS stored SET division_code = profile.division_code
    FROM labour_profiles AS profile
    WHERE profile.household_id = ANY ($1)
        AND stored.person_id = profile.person_id
        AND stored.division_code <> profile.division_code
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A placement as an officer orders it."""

    person_id: UUID
    kind: Kind
    term: Term
    employer: str | None = None
    monthly_wage: Decimal | None = None


async def place(session: AsyncSession, caller: Caller, order: Order) -> Mapping[str, Any]:
    """Store a placement and what follows from it; returns it as stored.

    Raises NotFound without a labour profile in the caller's divisions, Refused listing all that
    speaks against it, Conflict (``placement_open``, ``public_welfare_job_overlaps``).
    """
    today = clock.today()
    await _refuse_without_profile(session, caller, order, today)
    held = await _hold_person(session, caller, order.person_id)
    _refuse(refusals(await _member(session, order.person_id), order.term, today))
    await _check_others(session, order)
    profile = await _profile(session, caller, order.person_id)
    row = await _row(session, caller, order, profile)
    row |= writing.stood(row, today)
    await session.execute(insert(Placement), [row])
    await writing.publish(session, [row])
    await labour.settle(session, caller, held, person_ids=[order.person_id])
    await _note(session, caller, "placement.made", row)
    return row


async def end(
    session: AsyncSession,
    caller: Caller,
    placement_id: UUID,
    *,
    ended_on: date,
    reason: EndReason,
    revision: int,
) -> Mapping[str, Any]:
    """End a placement; profile, case and guarantee follow. Returns it as stored.

    Raises NotFound, PreconditionFailed when it changed since ``revision``, Conflict
    ``placement_ended``, Refused for a day before it began or after today.
    """
    seen = await queries.placement_by_id(session, placement_id, caller.divisions)
    if seen is None:
        raise NotFound("placement_unknown", f"no placement {placement_id}")
    held = await _hold_person(session, caller, seen["person_id"])
    (found,) = await writing.lock(session, [placement_id])
    if found["revision"] != revision:
        raise PreconditionFailed(
            "placement_changed", f"the placement {placement_id} changed since it was read"
        )
    if found["ended_on"] is not None:
        raise Conflict("placement_ended", f"it ended on {found['ended_on']} already")
    today = clock.today()
    _refuse(ending_refusals(writing.term_of(found), ended_on, today))
    ended = {
        "ended_on": ended_on,
        "end_reason": reason.value,
        "ended_by": caller.officer_id or caller.sub,
        "ended_at": clock.now(),
    }
    (row,) = await writing.bring_up_to(session, [dict(found)], ended, today)
    await labour.settle(session, caller, held, person_ids=[found["person_id"]])
    await _note(session, caller, "placement.ended", row)
    return row


async def follow_the_day(session: AsyncSession, day: date) -> bool:
    """A turn: placements that begin to count by ``day`` or are over by it, and their households.

    Each one's next day is set after today, so that the rows left are the work left.
    """
    due = await queries.due_placements(session, day, limit=CHUNK)
    if not due:
        return False
    people = sorted({row["person_id"] for row in due})
    households = await facts.households_listing(session, people)
    await labour.hold(session, households)
    rows = await writing.lock(session, [row["placement_id"] for row in due])
    await writing.bring_up_to(session, [dict(row) for row in rows], {}, clock.today())
    await labour.settle(session, system_caller("employment"), households, person_ids=people)
    return len(due) == CHUNK


async def follow_moves(session: AsyncSession, household_ids: Sequence[UUID]) -> None:
    """Let placements go along with their people: whose county they are in decides who sees them."""
    await driver_of(session).execute(_FOLLOW_PEOPLE, household_ids)


async def _refuse_without_profile(
    session: AsyncSession, caller: Caller, order: Order, today: date
) -> None:
    """Who has no profile is told why where the reason is known, such as an age under 16."""
    if await profiles.profile_of(session, order.person_id, caller.divisions) is None:
        member = await _member(session, order.person_id)
        if member is not None:
            _refuse(refusals(member, order.term, today))


async def _member(session: AsyncSession, person_id: UUID) -> Member | None:
    """The person as the file lists them that they belong to; nobody belongs to a closed one."""
    home = (await facts.places_of(session, [person_id])).get(person_id)
    return None if home is None or home.state is State.CLOSED else home.member


async def _hold_person(session: AsyncSession, caller: Caller, person_id: UUID) -> list[UUID]:
    """Lock every household whose file lists the person.

    Raises NotFound without a profile, and TryAgain where another file took the person in meanwhile.
    """
    profile = await _profile(session, caller, person_id)
    listing = await facts.households_listing(session, [person_id])
    wanted = {*listing, profile["household_id"]}
    held = list(await labour.hold(session, sorted(wanted)))
    if not set(await facts.households_listing(session, [person_id])) <= wanted:
        raise TryAgain("person_moving", "the person is just moving to another household")
    return held


async def _profile(session: AsyncSession, caller: Caller, person_id: UUID) -> RowMapping:
    profile = await profiles.profile_of(session, person_id, caller.divisions)
    if profile is None:
        raise NotFound("labour_profile_unknown", f"no labour profile of the person {person_id}")
    return profile


def _refuse(found: Sequence[Refusal]) -> None:
    if found:
        faults = [Fault(each.where, each.code, each.message) for each in found]
        detail = f"{len(faults)} fault(s), first: {faults[0].message}"
        raise Refused(faults[0].code, detail, faults=faults)


async def _check_others(session: AsyncSession, order: Order) -> None:
    """One open placement of a kind; public-welfare jobs never at the same time (R31)."""
    known = select(Placement.placement_id, Placement.begins_on, Placement.ended_on).where(
        Placement.person_id == order.person_id,
        Placement.kind == order.kind,
        Placement.end_reason.is_distinct_from(EndReason.ENTERED_IN_ERROR),
    )
    others = (await session.execute(known)).all()
    for other in others:
        if other.ended_on is None:
            raise Conflict(
                "placement_open",
                f"the person holds the {order.kind} {other.placement_id}: end it first",
            )
    if order.kind is Kind.PUBLIC_WELFARE_JOB and overlaps(
        order.term, [(other.begins_on, other.ended_on) for other in others]
    ):
        raise Conflict(
            "public_welfare_job_overlaps",
            "one person holds one public-welfare job at a time: give a later from",
        )


async def _row(
    session: AsyncSession, caller: Caller, order: Order, profile: RowMapping
) -> dict[str, Any]:
    months, parameter_id = await _migrant_months(session, order, profile["division_code"])
    return {
        "placement_id": identity.new_id(),
        "person_id": order.person_id,
        "household_id": profile["household_id"],
        "division_code": profile["division_code"],
        "kind": order.kind.value,
        "employer": order.employer,
        "begins_on": order.term.begins_on,
        "until": order.term.until,
        "monthly_wage": order.monthly_wage,
        "counts_from": counts_from(order.kind, order.term.begins_on, months),
        "months_parameter_id": parameter_id,
        "ended_on": None,
        "end_reason": None,
        "turns_on": None,
        "placed_by": caller.officer_id or caller.sub,
        "placed_at": clock.now(),
        "ended_by": None,
        "ended_at": None,
        "revision": 1,
        "published": None,
        "version": 0,
    }


async def _migrant_months(
    session: AsyncSession, order: Order, division_code: str
) -> tuple[int, UUID | None]:
    """How long migrant work must last by the figure in force today, kept with the placement."""
    if order.kind is not Kind.MIGRANT_WORK:
        return 0, None
    months = await value_at(session, MIGRANT_MONTHS, division_code, clock.today())
    if months is None:
        raise Refused(
            "migrant_months_missing",
            f"no {MIGRANT_MONTHS} is approved for {division_code}: have it entered first",
        )
    return int(months.value), months.parameter_id


async def _note(session: AsyncSession, caller: Caller, action: str, row: Mapping[str, Any]) -> None:
    await audit.record(
        session,
        caller,
        action=action,
        subject_type="placement",
        subject_id=row["placement_id"],
        division_code=row["division_code"],
        detail={
            "person_id": str(row["person_id"]),
            "kind": row["kind"],
            "from": row["begins_on"].isoformat(),
            "end_reason": row["end_reason"],
        },
    )
