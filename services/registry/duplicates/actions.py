"""Looking for pairs in a division, and ending the look at one: two people, or one."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import RowMapping, bindparam, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.duplicates import candidates, queries, rules
from services.registry.duplicates.models import DuplicateCandidate
from services.registry.duplicates.rules import CandidateState, Confirmation
from services.registry.households import actions as households
from services.registry.households import queries as filed
from services.registry.households import sealed
from services.registry.households.facts import HouseholdChange, LeaveReason, Leaving
from services.registry.households.models import Household, Person
from services.registry.households.refusals import refuse_if, require_done
from services.registry.mergers import actions as mergers
from services.registry.mergers.rules import Amounts, Merging
from services.registry.tasks import actions as tasks
from services.registry.tasks.models import TaskKind
from shared import audit, clock, jobs
from shared.auth import Caller
from shared.errors import Conflict, Forbidden, NotFound
from shared.jobs import Job

SEARCH = "registry.find_duplicates"
"""The job that looks at everybody of a division."""


async def order_search(session: AsyncSession, caller: Caller, division: str) -> Job:
    """Order a look at everybody of a division. Raises Forbidden outside the caller's."""
    if not caller.covers(division):
        raise Forbidden("division_not_covered", f"your token does not cover {division}")
    return await jobs.enqueue(session, caller, SEARCH, {"division": division}, division)


async def look_at(session: AsyncSession, people: Sequence[RowMapping]) -> None:
    """Hash the phones that are not hashed yet, and note the pairs of these people."""
    await _hash_phones(session, people)
    await candidates.note(session, [person["person_id"] for person in people])


async def _hash_phones(session: AsyncSession, people: Sequence[RowMapping]) -> None:
    own = [
        {"of": each["person_id"], "hash": sealed.rehash_phone(each["phone_encrypted"])}
        for each in people
        if each["phone_encrypted"] and not each["phone_hash"]
    ]
    phones = await queries.unhashed_phones(session, [each["person_id"] for each in people])
    theirs = [{"of": key, "hash": sealed.rehash_phone(phone)} for key, phone in phones.items()]
    for table, key, rows in (
        (Person.__table__, Person.person_id, own),
        (Household.__table__, Household.household_id, theirs),
    ):
        if rows:
            order = update(table).where(key == bindparam("of"))  # type: ignore[arg-type] # a mapped class has a Table
            await session.execute(order.values(phone_hash=bindparam("hash")), rows)


async def dismiss(session: AsyncSession, caller: Caller, candidate_id: UUID, reason: str) -> None:
    """They are two. Raises NotFound, Conflict (``candidate_decided``) or Refused."""
    pair = await _open(session, caller, candidate_id)
    refuse_if(rules.dismissal_faults(reason, officer_id=caller.officer_id))
    await _decide(session, caller, pair, CandidateState.DISMISSED, reason)


async def confirm(
    session: AsyncSession, caller: Caller, candidate_id: UUID, confirmation: Confirmation
) -> None:
    """They are one: his other file becomes part of the kept one's, or he leaves it as an error.

    Raises NotFound, Conflict, Refused, and whatever speaks against the merger or the leaving.
    """
    pair = await _open(session, caller, candidate_id)
    both = frozenset({pair["first_person_id"], pair["second_person_id"]})
    faults = rules.confirmation_faults(
        confirmation, both, officer_id=caller.officer_id, today=clock.today()
    )
    refuse_if(faults)
    (other,) = both - {confirmation.kept_person_id}
    standing = await filed.standing_of(session, both, divisions=caller.divisions)
    kept, left = standing.get(confirmation.kept_person_id), standing.get(other)
    if confirmation.merge_households:
        if kept is None or left is None or kept == left:
            raise Conflict("no_two_households", "these two do not stand in two open households")
        merging = Merging(
            merged_on=confirmation.valid_from,
            amounts=Amounts.SURVIVOR,
            same_persons=frozenset({other}),
            reason=confirmation.reason,
        )
        await mergers.merge(session, caller, kept, left, merging)
    elif left is not None:
        await _leave(session, caller, left, other, confirmation)
    await _decide(session, caller, pair, CandidateState.CONFIRMED, confirmation.reason)


async def _leave(
    session: AsyncSession,
    caller: Caller,
    household_id: UUID,
    person_id: UUID,
    confirmation: Confirmation,
) -> None:
    change = HouseholdChange(
        household_id=household_id,
        valid_from=confirmation.valid_from,
        leave=(Leaving(person_id=person_id, reason=LeaveReason.ENTERED_IN_ERROR),),
        head_person_id=confirmation.new_head_person_id,
    )
    (outcome,) = await households.revise_households(session, caller, [change])
    require_done(outcome)


async def _open(session: AsyncSession, caller: Caller, candidate_id: UUID) -> RowMapping:
    pair = await queries.one(session, candidate_id, divisions=caller.divisions, lock=True)
    if pair is None:
        raise NotFound("candidate_not_found", "no such pair in the caller's divisions")
    if pair["state"] != CandidateState.OPEN:
        raise Conflict("candidate_decided", f"this pair was decided: {pair['state']}")
    return pair


async def _decide(
    session: AsyncSession, caller: Caller, pair: RowMapping, state: CandidateState, reason: str
) -> None:
    candidate_id = pair["candidate_id"]
    await session.execute(
        update(DuplicateCandidate)
        .where(DuplicateCandidate.candidate_id == candidate_id)
        .values(
            state=state.value,
            decided_on=clock.today(),
            decided_by=caller.officer_id,
            reason=reason.strip(),
        )
    )
    await tasks.close_task(session, kind=TaskKind.DUPLICATE_CANDIDATE, subject_id=candidate_id)
    await audit.record(
        session,
        caller,
        action=f"duplicate.{state}",
        subject_type="person",
        subject_id=[pair["first_person_id"], pair["second_person_id"]],
        division_code=pair["division_code"],
        detail={"candidate_id": str(candidate_id)},
    )
