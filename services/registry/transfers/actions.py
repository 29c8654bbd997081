"""Agreeing on, refusing and carrying out moves between counties and townships (section 5).

Each side acts under its own divisions. Only a take-over reaches into the other county, for its own
transaction and for what that county agreed to, since both files must change together.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.households import actions as households
from services.registry.households import places
from services.registry.households.facts import HouseholdChange, LeaveReason, Leaving, Outcome
from services.registry.households.models import Person
from services.registry.households.records import File
from services.registry.households.refusals import refuse_if, require_done
from services.registry.households.rules import fault
from services.registry.transfers import queries, rules
from services.registry.transfers.models import TransferTask
from services.registry.transfers.rules import Agreement, TransferState
from shared import audit, clock, identity
from shared.auth import Caller
from shared.db import divisions_setting, in_divisions
from shared.errors import Conflict, NotFound

_COUNTY = len("331124")


async def agree(session: AsyncSession, caller: Caller, task_id: UUID, agreement: Agreement) -> None:
    """Let the person, or his whole household, go from a day on.

    Raises NotFound, Conflict (``transfer_agreed``, ``transfer_agreed_elsewhere`` …) or Refused.
    """
    task = await _held(session, caller, task_id)
    file = await _household_of(session, caller, task["person_id"])
    facts = file.facts if file else None
    faults = rules.agreement_faults(
        facts, task["person_id"], agreement, officer_id=caller.officer_id
    )
    refuse_if(faults)
    await _hold_person(session, caller, task["person_id"])
    await _decide(
        session,
        caller,
        task,
        TransferState.AGREED,
        moves_on=agreement.moves_on,
        household_id=file.household_id if file and agreement.whole_household else None,
        new_head_person_id=agreement.new_head_person_id,
        reason=agreement.reason.strip(),
    )


async def refuse(session: AsyncSession, caller: Caller, task_id: UUID, reason: str) -> None:
    """Keep the person, with the reason. Raises NotFound, Conflict or Refused."""
    task = await _held(session, caller, task_id)
    refuse_if(rules.refusal_faults(reason, officer_id=caller.officer_id))
    await _decide(session, caller, task, TransferState.REFUSED, reason=reason.strip())


async def take_back(session: AsyncSession, caller: Caller, task_id: UUID, reason: str) -> None:
    """Withdraw an agreement, or an offer, that was not carried out yet: who was to go stays.

    Raises NotFound, Conflict (``transfer_not_agreed``, ``transfer_done`` …) or Refused.
    """
    task = await _held(session, caller, task_id, TransferState.AGREED)
    refuse_if(rules.refusal_faults(reason, officer_id=caller.officer_id))
    await _decide(session, caller, task, TransferState.REFUSED, reason=reason.strip())


async def offer(
    session: AsyncSession, caller: Caller, household_id: UUID, to: str, agreement: Agreement
) -> UUID:
    """Offer a household that moves to the village it moves to; gives the task's id.

    Raises NotFound, Conflict (``transfer_agreed_elsewhere``) or Refused.
    """
    file = await households.lock_one(session, caller, household_id)
    facts = file.facts
    faults = rules.offer_faults(facts, to, officer_id=caller.officer_id)
    if to not in await places.villages(session, [to]):
        faults.append(fault("to", "division_unknown", "行政村代码不存在"))
    refuse_if(faults)
    await _hold_person(session, caller, facts.head_person_id)
    row: dict[str, Any] = {
        "task_id": identity.new_id(),
        "person_id": facts.head_person_id,
        "household_id": household_id,
        "from_county": facts.division_code[:_COUNTY],
        "offered_from": facts.division_code,
        "division_code": to,
        "state": TransferState.AGREED.value,
        "opened_by": caller.officer_id,
        "opened_at": clock.now(),
        "moves_on": agreement.moves_on,
        "decided_by": caller.officer_id,
        "decided_at": clock.now(),
        "reason": agreement.reason.strip(),
    }
    await session.execute(insert(TransferTask), [row])
    await _note(session, caller, "transfer.offered", row)
    return UUID(str(row["task_id"]))


async def take_over(
    session: AsyncSession, caller: Caller, task_id: UUID, valid_from: date
) -> Outcome | None:
    """Carry out an agreed transfer from a day on; gives what became of the household that changed.

    A household comes with its whole file: id, number, episodes and history stay. A person leaves
    the household he stood in and may be taken into another one from that day on; None where he
    stood in none. Raises NotFound, Conflict or Refused.
    """
    task = await queries.one(session, task_id, queries.asking(caller.divisions), lock=True)
    if task is None:
        raise _not_found()
    state = TransferState(task["state"])
    if state is not TransferState.AGREED:
        code = rules.ENDED.get(state, "transfer_not_agreed")
        raise Conflict(code, f"this transfer is {state}: only an agreed one is carried out")
    faults = rules.take_over_faults(
        valid_from, task["moves_on"], officer_id=caller.officer_id, today=clock.today()
    )
    refuse_if(faults)
    reaching = await _reach(session, caller, task["from_county"])
    take = _take_household if task["household_id"] else _take_person
    outcome, moved = await take(session, reaching, task, valid_from)
    await _ask_anew(session, task, moved)
    await session.execute(
        update(TransferTask)
        .where(TransferTask.task_id == task_id)
        .values(
            state=TransferState.TAKEN_OVER.value,
            taken_over_by=caller.officer_id,
            taken_over_on=valid_from,
        )
    )
    await _note(session, caller, "transfer.taken_over", task)
    return outcome


async def _take_household(
    session: AsyncSession, caller: Caller, task: RowMapping, valid_from: date
) -> tuple[Outcome | None, Sequence[UUID]]:
    change = HouseholdChange(
        household_id=task["household_id"],
        valid_from=valid_from,
        facts={"division_code": task["division_code"]},
    )
    (outcome,) = await households.revise_households(session, caller, [change])
    files = await households.lock(session, [change.household_id], divisions=caller.divisions)
    members = [member.person_id for file in files.values() for member in file.facts.members]
    return require_done(outcome), members


async def _take_person(
    session: AsyncSession, caller: Caller, task: RowMapping, valid_from: date
) -> tuple[Outcome | None, Sequence[UUID]]:
    person_id = task["person_id"]
    stands_in = await queries.standing(session, person_id, divisions=caller.divisions)
    outcome = None
    if stands_in:
        change = HouseholdChange(
            household_id=stands_in,
            valid_from=valid_from,
            leave=(Leaving(person_id=person_id, reason=LeaveReason.MOVED_OUT),),
            head_person_id=task["new_head_person_id"],
        )
        (outcome,) = await households.revise_households(session, caller, [change])
        require_done(outcome)
    await places.bring(session, [person_id], task["division_code"])
    return outcome, [person_id]


async def _reach(session: AsyncSession, caller: Caller, county: str) -> Caller:
    """The caller with the county that agreed, for the rest of this transaction."""
    reaching = replace(caller, divisions=(*caller.divisions, county))
    setting = {"divisions": divisions_setting(reaching.divisions)}
    await session.execute(text("SELECT set_config('bangfu.divisions', :divisions, true)"), setting)
    return reaching


async def _ask_anew(session: AsyncSession, task: RowMapping, moved: Sequence[UUID]) -> None:
    """What others want of the people who moved is asked of their new county from now on."""
    county = task["division_code"][:_COUNTY]
    if county == task["from_county"]:
        return
    await session.execute(
        text(
            "UPDATE transfer_tasks SET from_county = :county, state = CASE "
            "WHEN left(division_code, 6) = :county THEN 'lapsed' ELSE 'requested' END "
            "WHERE person_id = ANY(:moved) AND task_id <> :task_id "
            "AND (state = 'requested' OR state = 'agreed')"
        ),
        {"county": county, "moved": list(moved), "task_id": task["task_id"]},
    )


async def _held(
    session: AsyncSession,
    caller: Caller,
    task_id: UUID,
    wanted: TransferState = TransferState.REQUESTED,
) -> RowMapping:
    """The task under its lock, for the county that holds; only in the state wanted."""
    task = await queries.one(session, task_id, queries.holding(caller.divisions), lock=True)
    if task is None:
        raise _not_found()
    state = TransferState(task["state"])
    if state is not wanted:
        code = rules.ENDED.get(state, "transfer_not_agreed")
        raise Conflict(code, f"this transfer is {state}, not {wanted}")
    return task


def _not_found() -> NotFound:
    return NotFound("transfer_task_not_found", "no such transfer task for the caller's divisions")


async def _household_of(session: AsyncSession, caller: Caller, person_id: UUID) -> File | None:
    """The open file that a person stands in, locked."""
    household_id = await queries.standing(session, person_id, divisions=caller.divisions)
    if household_id is None:
        return None
    files = await households.lock(session, [household_id], divisions=caller.divisions)
    file = files.get(household_id)
    return file if file and file.facts.member(person_id) else None


async def _hold_person(session: AsyncSession, caller: Caller, person_id: UUID) -> None:
    """Nobody is let go to two places. Raises NotFound, Conflict (``transfer_agreed_elsewhere``)."""
    held = await session.scalar(
        select(Person.person_id)
        .where(Person.person_id == person_id)
        .where(in_divisions(Person.division_code, caller.divisions))
        .with_for_update()
    )
    if held is None:
        raise NotFound("person_not_here", "the person is no longer in the caller's divisions")
    agreed = await session.scalar(
        select(TransferTask.task_id).where(
            TransferTask.person_id == person_id,
            TransferTask.state == TransferState.AGREED.value,
        )
    )
    if agreed:
        raise Conflict("transfer_agreed_elsewhere", "a move of this person is agreed on already")


async def _decide(
    session: AsyncSession, caller: Caller, task: RowMapping, state: TransferState, **values: Any
) -> None:
    decided = {"state": state.value, "decided_by": caller.officer_id, "decided_at": clock.now()}
    await session.execute(
        update(TransferTask)
        .where(TransferTask.task_id == task["task_id"])
        .values(**decided, **values)
    )
    await _note(session, caller, f"transfer.{state}", task)


async def _note(
    session: AsyncSession, caller: Caller, action: str, task: RowMapping | dict[str, Any]
) -> None:
    await audit.record(
        session,
        caller,
        action=action,
        subject_type="person",
        subject_id=task["person_id"],
        division_code=task["division_code"],
        detail={"task_id": str(task["task_id"]), "from_county": task["from_county"]},
    )
