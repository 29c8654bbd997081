"""Making two files of one, and looking at the splits that are watched."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.households import actions as households
from services.registry.households import places, records, sealed
from services.registry.households.actions import File, Revision, Ruling
from services.registry.households.admission import contact_faults
from services.registry.households.facts import LeaveReason
from services.registry.households.history import amend
from services.registry.households.refusals import refuse_if
from services.registry.households.rules import beginning, household_no
from services.registry.plans import watching as plans
from services.registry.splits import queries, rules
from services.registry.splits.models import Split
from services.registry.splits.rules import Finding, Splitting
from services.registry.tasks import actions as tasks
from services.registry.tasks import queries as boards
from services.registry.tasks.models import TaskKind
from shared import audit, clock, identity, parameters
from shared.auth import Caller
from shared.contracts.registry import HouseholdEvent
from shared.errors import Conflict, NotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Phone and account of the new household."""

    phone: str | None = None
    account: str | None = None


async def split(
    session: AsyncSession,
    caller: Caller,
    household_id: UUID,
    splitting: Splitting,
    contact: Contact,
) -> UUID:
    """Make two files of one; gives the split's id.

    The old household tells of it (``split``) and keeps its file; the new one is opened, and
    identified if the old one is on assistance. Raises NotFound, Conflict or Refused.
    """
    file = await households.lock_one(session, caller, household_id)
    faults = rules.splitting_faults(
        file.timeline, splitting, officer_id=caller.officer_id, today=clock.today()
    )
    villages = await places.villages(session, [splitting.division_code])
    faults += places.faults(caller, splitting.division_code, villages)
    faults += contact_faults(contact.phone, contact.account)
    refuse_if(faults)
    # The old file first: nobody has two places at once.
    await households.write(session, caller, [_old(caller, file, splitting)])
    new = await _new(session, caller, file, splitting, contact)
    await households.write(session, caller, [new])
    await places.bring(session, sorted(splitting.person_ids), splitting.division_code)
    if new.timeline[-1].facts.state.on_assistance:
        await plans.ask(
            session, {new.file.household_id: splitting.division_code}, splitting.split_on
        )
    return await _keep(session, caller, file, new.file.household_id, splitting)


def _ruling(caller: Caller, splitting: Splitting) -> Ruling:
    return Ruling(
        kind="split",
        decided_on=splitting.split_on,
        officer_id=caller.officer_id or "",
        reason=splitting.reason.strip(),
    )


def _old(caller: Caller, file: File, splitting: Splitting) -> Revision:
    day = splitting.split_on
    return Revision(
        file=file,
        timeline=amend(file.timeline, day, rules.remaining(file.facts, splitting)),
        effective_from=day,
        day=day,
        type=HouseholdEvent.SPLIT,
        ruling=_ruling(caller, splitting),
        left=dict.fromkeys(splitting.person_ids, LeaveReason.SPLIT),
    )


async def _new(
    session: AsyncSession, caller: Caller, old: File, splitting: Splitting, contact: Contact
) -> Revision:
    village, day = splitting.division_code, splitting.split_on
    (serial,) = await records.serials(session, [village])
    new = File(
        household_id=identity.new_id(),
        household_no=household_no(village, serial),
        origin=rules.ORIGIN,
    )
    return Revision(
        file=new,
        timeline=beginning(day, rules.parted(old.facts, splitting, old.household_id)),
        effective_from=day,
        day=day,
        type=HouseholdEvent.IDENTIFIED,
        contact=sealed.contact_columns(contact.phone, contact.account),
        ruling=_ruling(caller, splitting),
    )


async def _keep(
    session: AsyncSession, caller: Caller, old: File, new_id: UUID, splitting: Splitting
) -> UUID:
    day, place = splitting.split_on, splitting.division_code
    months = await parameters.value_at(session, rules.WATCH_MONTHS, place, day)
    row: dict[str, Any] = {
        "split_id": identity.new_id(),
        "household_id": old.household_id,
        "new_household_id": new_id,
        "division_code": old.facts.division_code,
        "split_on": day,
        "reason": splitting.reason.strip(),
        "watched": rules.is_watched(old.facts, day, months.value if months else None),
        "decided_by": caller.officer_id,
        "review_reason": "",
        "recorded_at": clock.now(),
    }
    await session.execute(insert(Split), [row])
    if row["watched"]:
        await _watch(session, row)
    await audit.record(
        session,
        caller,
        action="household.split",
        subject_type="household",
        subject_id=[old.household_id, new_id],
        division_code=[old.facts.division_code, place],
        detail={"split_id": str(row["split_id"])},
    )
    return UUID(str(row["split_id"]))


async def _watch(session: AsyncSession, row: dict[str, Any]) -> None:
    place = row["division_code"]
    due = await boards.deadlines(session, rules.REVIEW_WORKING_DAYS, [place], clock.today())
    task = tasks.Opening(
        kind=TaskKind.SPLIT_REVIEW,
        subject_id=row["split_id"],
        division_code=place,
        due=due[place],
        household_id=row["household_id"],
    )
    await tasks.open_tasks(session, [task])


async def review(
    session: AsyncSession, caller: Caller, split_id: UUID, finding: Finding, reason: str
) -> None:
    """Say what a look at a watched split found; one contrived to pass the test is merged again.

    Raises NotFound, Conflict (``split_not_watched``, ``split_reviewed``) or Refused.
    """
    row = await queries.one(session, split_id, divisions=caller.divisions, lock=True)
    if row is None:
        raise NotFound("split_not_found", "no such split in the caller's divisions")
    if not row["watched"]:
        raise Conflict("split_not_watched", "this split is not watched: there is nothing to find")
    if row["outcome"] is not None:
        raise Conflict("split_reviewed", f"this split was looked at: {row['outcome']}")
    refuse_if(
        rules.review_faults(reason, officer_id=caller.officer_id, decided_by=row["decided_by"])
    )
    found = {
        "outcome": finding.value,
        "reviewed_on": clock.today(),
        "reviewed_by": caller.officer_id,
        "review_reason": reason.strip(),
    }
    await session.execute(update(Split).where(Split.split_id == split_id).values(**found))
    await tasks.close_task(session, kind=TaskKind.SPLIT_REVIEW, subject_id=split_id)
    await audit.record(
        session,
        caller,
        action="split.reviewed",
        subject_type="household",
        subject_id=row["household_id"],
        division_code=row["division_code"],
        detail={"split_id": str(split_id), "outcome": finding.value},
    )
