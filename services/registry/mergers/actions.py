"""Making one file of two, and taking that back: both files in one transaction, under both locks."""

from uuid import UUID

from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.deaths import actions as deaths
from services.registry.determination import queries as applications
from services.registry.helpers import fitting
from services.registry.helpers.rules import is_helped
from services.registry.households import actions as households
from services.registry.households import places
from services.registry.households.actions import File, Revision, Ruling, Written
from services.registry.households.facts import Facts, LeaveReason
from services.registry.households.history import amend
from services.registry.households.refusals import refuse_if
from services.registry.mergers import queries, rules
from services.registry.mergers.models import Merger
from services.registry.mergers.rules import Merging
from services.registry.notices import actions as notices
from services.registry.plans import watching as plans
from services.registry.returns import actions as returns
from shared import audit, clock, identity
from shared.auth import Caller
from shared.contracts.registry import HouseholdEvent, State
from shared.errors import Conflict, NotFound


async def merge(
    session: AsyncSession, caller: Caller, survivor_id: UUID, merged_id: UUID, merging: Merging
) -> UUID:
    """Make one file of two; gives the merger's id.

    The merged file closes (``merged``), the survivor holds its people from the day on
    (``changed``). Raises NotFound, Conflict or Refused.
    """
    survivor, merged = await _both(session, caller, survivor_id, merged_id)
    faults = rules.merging_faults(
        survivor.timeline,
        merged.timeline,
        merging,
        officer_id=caller.officer_id,
        today=clock.today(),
    )
    refuse_if(faults)
    if await applications.open_of(session, merged_id, divisions=caller.divisions):
        raise Conflict(
            "application_in_progress",
            "the file that would close has an open application: decide or withdraw it",
        )
    day = merging.merged_on
    ruling = Ruling(
        kind="merge", decided_on=day, officer_id=caller.officer_id or "", reason=merging.reason
    )
    people = [member.person_id for member in merged.facts.members]
    await deaths.take_along(session, merged_id, survivor_id, survivor.facts.division_code)
    # The merged file first: nobody has two places at once.
    closed = await _close(session, caller, merged, survivor_id, ruling)
    facts = rules.joined(survivor.facts, merged.facts, merging)
    before = await queries.newest_revision(session, survivor_id)
    await _rewrite(session, caller, survivor, facts, ruling)
    await places.bring(session, people, facts.division_code)
    await notices.withdraw_unfitting(session, caller, merged_id, State.CLOSED)
    await returns.end_with(session, caller, merged_id, State.CLOSED, day)
    merger_id = identity.new_id()
    row = {
        "merger_id": merger_id,
        "household_id": survivor_id,
        "merged_id": merged_id,
        "division_code": facts.division_code,
        "merged_on": day,
        "reason": merging.reason.strip(),
        "decided_by": caller.officer_id,
        "revision_before": before,
        "revision": await queries.newest_revision(session, survivor_id),
        "merged_revision": closed.revision,
        "undone_reason": "",
        "recorded_at": clock.now(),
    }
    await session.execute(insert(Merger), [row])
    await _note(session, caller, "household.merged", (survivor, merged), merger_id)
    return merger_id


async def _close(
    session: AsyncSession, caller: Caller, merged: File, survivor_id: UUID, ruling: Ruling
) -> Written:
    day = ruling.decided_on
    people = [member.person_id for member in merged.facts.members]
    revision = Revision(
        file=merged,
        timeline=amend(merged.timeline, day, rules.closed(merged.facts, survivor_id)),
        effective_from=day,
        day=day,
        type=HouseholdEvent.MERGED,
        ruling=ruling,
        left=dict.fromkeys(people, LeaveReason.MERGED),
    )
    (closed,) = await households.write(session, caller, [revision])
    return closed


async def undo(session: AsyncSession, caller: Caller, merger_id: UUID, reason: str) -> None:
    """Take a merger back: both files hold from its day on what they held before it.

    Raises NotFound, Conflict (``merger_undone``) or Refused (``changed_since_merger``).
    """
    seen = await queries.one(session, merger_id, divisions=caller.divisions)
    if seen is None:
        raise NotFound("merger_not_found", "no such merger in the caller's divisions")
    survivor, merged = await _both(session, caller, seen["household_id"], seen["merged_id"])
    merger = await queries.one(session, merger_id, divisions=caller.divisions)
    if merger is None or merger["undone_on"] is not None:
        raise Conflict("merger_undone", "this merger has been taken back already")
    changed = [
        await queries.newest_revision(session, file.household_id) != merger[revision]
        for file, revision in ((survivor, "revision"), (merged, "merged_revision"))
    ]
    refuse_if(rules.undoing_faults(reason, changed=any(changed), officer_id=caller.officer_id))
    before = merger["revision_before"], merger["merged_revision"] - 1
    alone = await queries.facts_up_to(session, survivor.household_id, before[0])
    other = await queries.facts_up_to(session, merged.household_id, before[1])
    ruling = Ruling(
        kind="undo_merge",
        decided_on=merger["merged_on"],
        officer_id=caller.officer_id or "",
        reason=reason.strip(),
    )
    # The survivor first: nobody has two places at once.
    await _rewrite(session, caller, survivor, alone, ruling)
    await _rewrite(session, caller, merged, other, ruling)
    people = [member.person_id for member in other.members]
    await places.bring(session, people, other.division_code)
    day = merger["merged_on"]
    if is_helped(other.state):
        await fitting.bring_back(session, merged.household_id, other, day)
        await plans.bring_back(session, merged.household_id, day)
    done = {
        "undone_on": clock.today(),
        "undone_by": caller.officer_id,
        "undone_reason": reason.strip(),
    }
    await session.execute(update(Merger).where(Merger.merger_id == merger_id).values(**done))
    await _note(session, caller, "household.merger_undone", (survivor, merged), merger_id)


async def _both(
    session: AsyncSession, caller: Caller, survivor_id: UUID, merged_id: UUID
) -> tuple[File, File]:
    """Both files, locked in the order of their ids."""
    if survivor_id == merged_id:
        raise Conflict("same_household", "a household cannot be merged with itself")
    ids = [survivor_id, merged_id]
    files = await households.lock(session, ids, divisions=caller.divisions)
    if len(files) < len(ids):
        raise NotFound("household_not_found", "no such household in the caller's divisions")
    return files[survivor_id], files[merged_id]


async def _rewrite(
    session: AsyncSession, caller: Caller, file: File, facts: Facts, ruling: Ruling
) -> None:
    """Let these facts hold from the decision's day on."""
    standing = {member.person_id for member in facts.members}
    gone = [each.person_id for each in file.facts.members if each.person_id not in standing]
    revision = Revision(
        file=file,
        timeline=amend(file.timeline, ruling.decided_on, facts),
        effective_from=ruling.decided_on,
        day=ruling.decided_on,
        ruling=ruling,
        left=dict.fromkeys(gone, LeaveReason.ENTERED_IN_ERROR),
    )
    await households.write(session, caller, [revision])


async def _note(
    session: AsyncSession, caller: Caller, action: str, files: tuple[File, File], merger_id: UUID
) -> None:
    await audit.record(
        session,
        caller,
        action=action,
        subject_type="household",
        subject_id=[file.household_id for file in files],
        division_code=[file.facts.division_code for file in files],
        detail={"merger_id": str(merger_id)},
    )
