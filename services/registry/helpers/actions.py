"""Registering helpers, pairing them with households, handing over and ending (C51, C52, R35).

The household is locked first, then the helper; so of two leads named at once, or of two that would
be one too many for a helper, the second is refused.
"""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert as insert_unless
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.helpers import fitting, queries, rules
from services.registry.helpers.models import Helper, Pairing
from services.registry.helpers.rules import Candidate, Registration, Wish
from services.registry.households import actions as households
from services.registry.households import sealed
from services.registry.households.actions import File
from services.registry.households.facts import Facts
from services.registry.households.refusals import refuse_if
from services.registry.tasks import actions as tasks
from services.registry.tasks.actions import Opening
from services.registry.tasks.models import TaskKind
from services.registry.tasks.queries import deadlines
from shared import audit, clock, identity, parameters
from shared.asked import prefix_of
from shared.auth import Caller
from shared.errors import Conflict, Forbidden, NotFound


async def register(session: AsyncSession, caller: Caller, one: Registration) -> UUID:
    """Put an official on the register; gives the helper's id.

    Raises Forbidden outside the caller's divisions, Refused listing every fault, Conflict
    (``helper_registered``) where the officer stands on it already.
    """
    if not caller.covers(one.division_code):
        raise Forbidden("division_not_yours", "register helpers of your own divisions")
    refuse_if(rules.registration_faults(one, officer_id=caller.officer_id, today=clock.today()))
    helper_id = identity.new_id()
    entered = await session.scalar(
        insert_unless(Helper)
        .values(
            helper_id=helper_id,
            division_code=one.division_code,
            officer_id=one.officer_id,
            name_encrypted=sealed.seal_official_name(one.name),
            phone_encrypted=sealed.seal_phone(one.phone),
            kind=one.kind.value,
            unit=one.unit,
            unit_uscc=one.unit_uscc,
            started_on=one.started_on,
            registered_by=caller.officer_id,
            recorded_at=clock.now(),
        )
        .on_conflict_do_nothing()
        .returning(Helper.helper_id)
    )
    if entered is None:
        raise Conflict("helper_registered", "this officer is on the register of helpers already")
    await _note(session, caller, "helper.registered", helper_id, one.division_code)
    return helper_id


async def leave(session: AsyncSession, caller: Caller, helper_id: UUID, left_on: date) -> int:
    """Take a helper off the register and end his pairings; gives how many households that leaves.

    Their hand-overs to him are over, and those of the caller's divisions are judged anew without
    him: a cadre may now be the only one of a household that a unit should help.
    Raises NotFound, Conflict (``helper_left``), or Refused listing every fault.
    """
    helped = await queries.helped_by(session, helper_id)
    files = await households.lock(session, helped, divisions=caller.divisions)
    await queries.hold(session, helper_id)
    helper = await queries.helper(session, helper_id, divisions=caller.divisions)
    if helper is None or not caller.covers(helper["division_code"]):
        raise NotFound("helper_not_found", "no such helper in the caller's divisions")
    if helper["left_on"] is not None:
        raise Conflict("helper_left", f"this helper left on {helper['left_on']}")
    faults = rules.ending_faults(
        field="left_on",
        on=left_on,
        since=helper["started_on"],
        reasons=(),
        officer_id=caller.officer_id,
        today=clock.today(),
    )
    refuse_if(faults)
    await session.execute(
        update(Helper)
        .where(Helper.helper_id == helper_id)
        .values(left_on=left_on, recorded_at=clock.now())
    )
    ended = await session.scalars(select(func.end_pairings_of(helper_id, left_on, clock.now())))
    left_alone = list(ended)
    await fitting.reflag(session, {file.household_id: file.facts for file in files.values()})
    await _note(session, caller, "helper.left", helper_id, helper["division_code"])
    return len(left_alone)


async def pair(session: AsyncSession, caller: Caller, wish: Wish) -> UUID:
    """Pair a helper with a household; gives the pairing's id.

    Raises NotFound, Refused listing every fault, Conflict (``lead_exists``, ``already_paired``).
    """
    file = await households.lock_one(session, caller, wish.household_id)
    if wish.lead and await queries.lead_of(session, wish.household_id):
        raise Conflict("lead_exists", "the household has a lead helper: transfer that pairing")
    pairing_id = await _add(session, caller, file, wish)
    await _note(session, caller, "pairing.made", pairing_id, file.facts.division_code)
    return pairing_id


async def transfer(
    session: AsyncSession, caller: Caller, pairing_id: UUID, to: Wish, reason: str
) -> UUID:
    """Give a helper's household to another one, to be handed over in time; gives the new pairing.

    ``to.household_id`` and ``to.lead`` are the pairing's own. Raises as ``pair`` and ``end`` do.
    """
    row, file = await _open(session, caller, pairing_id)
    await _finish(session, caller, row, on=to.paired_on, field="paired_on", reason=reason)
    place = file.facts.division_code
    limits = await deadlines(session, rules.HANDOVER_WORKING_DAYS, [place], to.paired_on)
    due = limits[place]
    new_id = await _add(
        session, caller, file, to, transferred=True, handover_due_on=due.on if due else None
    )
    task = Opening(
        kind=TaskKind.HANDOVER,
        subject_id=new_id,
        household_id=file.household_id,
        division_code=place,
        due=due,
    )
    await tasks.open_tasks(session, [task])
    await _note(session, caller, "pairing.transferred", new_id, place)
    return new_id


async def hand_over(session: AsyncSession, caller: Caller, pairing_id: UUID, on: date) -> None:
    """Note that the household was handed over to its new helper.

    Raises NotFound, Conflict (``pairing_ended``, ``handover_not_open``), Refused.
    """
    row, file = await _open(session, caller, pairing_id)
    if row["handed_over_on"] is not None or not row["transferred"]:
        raise Conflict("handover_not_open", "nothing is to be handed over with this pairing")
    faults = rules.ending_faults(
        field="handed_over_on",
        on=on,
        since=row["paired_on"],
        reasons=(),
        officer_id=caller.officer_id,
        today=clock.today(),
    )
    refuse_if(faults)
    await _change(session, pairing_id, handed_over_on=on)
    await tasks.close_task(session, kind=TaskKind.HANDOVER, subject_id=pairing_id)
    place = file.facts.division_code
    await _note(session, caller, "pairing.handed_over", pairing_id, place)


async def end(
    session: AsyncSession, caller: Caller, pairing_id: UUID, ended_on: date, reason: str
) -> None:
    """End a pairing. Raises NotFound, Conflict (``pairing_ended``), Refused."""
    row, file = await _open(session, caller, pairing_id)
    await _finish(session, caller, row, on=ended_on, field="ended_on", reason=reason)
    await fitting.reflag(session, {file.household_id: file.facts})
    place = file.facts.division_code
    await _note(session, caller, "pairing.ended", pairing_id, place)


async def _add(
    session: AsyncSession, caller: Caller, file: File, wish: Wish, **columns: Any
) -> UUID:
    facts = file.facts
    candidate = await _candidate(session, caller, facts, wish)
    refuse_if(
        rules.pairing_faults(
            facts, wish, candidate, officer_id=caller.officer_id, today=clock.today()
        )
    )
    pairing_id = identity.new_id()
    entered = await session.scalar(
        insert_unless(Pairing)
        .values(
            pairing_id=pairing_id,
            household_id=file.household_id,
            helper_id=wish.helper_id,
            division_code=facts.division_code,
            lead=wish.lead,
            paired_on=wish.paired_on,
            paired_by=caller.officer_id,
            end_reason="",
            recorded_at=clock.now(),
            **columns,
        )
        .on_conflict_do_nothing()
        .returning(Pairing.pairing_id)
    )
    if entered is None:
        raise Conflict("already_paired", "this helper has this household already")
    await fitting.reflag(session, {file.household_id: facts})
    return pairing_id


async def _candidate(session: AsyncSession, caller: Caller, facts: Facts, wish: Wish) -> Candidate:
    """What the rules ask about the helper, who is held until the end: his load counts."""
    load = await queries.hold(session, wish.helper_id)
    helper = await queries.helper(session, wish.helper_id, divisions=caller.divisions)
    if helper is None or helper["left_on"] is not None:
        raise NotFound("helper_not_found", "no such helper in office who may serve there")
    most = await parameters.value_at(
        session, rules.MAX_HOUSEHOLDS, facts.division_code, wish.paired_on
    )
    people = [member.person_id for member in facts.members]
    return Candidate(
        started_on=helper["started_on"],
        serves_there=facts.division_code.startswith(prefix_of(helper["division_code"])),
        registered_relative=await queries.is_relative(session, people, helper["officer_id"]),
        load=load,
        most=most.value if most else None,
    )


async def _open(session: AsyncSession, caller: Caller, pairing_id: UUID) -> tuple[Any, File]:
    seen = await queries.pairing(session, pairing_id, divisions=caller.divisions)
    if seen is None:
        raise NotFound("pairing_not_found", "no such pairing in the caller's divisions")
    file = await households.lock_one(session, caller, seen["household_id"])
    row = await queries.pairing(session, pairing_id, divisions=caller.divisions)
    if row is None or row["ended_on"] is not None:
        raise Conflict("pairing_ended", "this pairing has ended")
    return row, file


async def _finish(
    session: AsyncSession, caller: Caller, row: Any, *, on: date, field: str, reason: str
) -> None:
    faults = rules.ending_faults(
        field=field,
        on=on,
        since=row["paired_on"],
        reasons=(reason,),
        officer_id=caller.officer_id,
        today=clock.today(),
    )
    refuse_if(faults)
    await _change(session, row["pairing_id"], ended_on=on, end_reason=reason.strip())
    await tasks.close_task(session, kind=TaskKind.HANDOVER, subject_id=row["pairing_id"])


async def _change(session: AsyncSession, pairing_id: UUID, **columns: Any) -> None:
    await session.execute(
        update(Pairing)
        .where(Pairing.pairing_id == pairing_id)
        .values(recorded_at=clock.now(), **columns)
    )


async def _note(
    session: AsyncSession, caller: Caller, action: str, subject_id: UUID, division_code: str
) -> None:
    await audit.record(
        session,
        caller,
        action=action,
        subject_type=action.partition(".")[0],
        subject_id=subject_id,
        division_code=division_code,
    )
