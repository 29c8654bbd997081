"""Entering a review: the next one is dated from it, and its task comes off the board."""

from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.checks import queries as income_checks
from services.registry.households import actions as households
from services.registry.households import sealed
from services.registry.households.refusals import refuse_if
from services.registry.means.review import kind_on_file
from services.registry.reviews import calendar, models, queries, rules
from services.registry.reviews.calendar import Dated
from services.registry.reviews.rules import Review
from services.registry.tasks import actions as tasks
from services.registry.tasks.models import TaskKind
from shared import audit, clock, identity
from shared.auth import Caller


async def enter(session: AsyncSession, caller: Caller, household_id: UUID, review: Review) -> UUID:
    """Enter what a review found; gives its id. Raises NotFound, or Refused listing every fault."""
    file = await households.lock_one(session, caller, household_id)
    facts = file.facts
    known = await queries.one(session, household_id)
    episode = facts.episodes[-1] if facts.episodes else None
    identified_on = episode.identified_on if episode else file.opened_on
    last = await queries.last_reviewed(session, household_id, identified_on)
    checks = await income_checks.of_episode(
        session, household_id, episode.number if episode else 0, divisions=caller.divisions
    )
    refuse_if(
        rules.review_faults(
            facts,
            review,
            checks,
            since=identified_on,
            reviewed_on=last,
            officer_id=caller.officer_id,
            today=clock.today(),
        )
    )
    review_id = identity.new_id()
    row = {
        "review_id": review_id,
        "household_id": household_id,
        "division_code": facts.division_code,
        "kind": known["kind"] if known else kind_on_file(facts, review.reviewed_on).value,
        "due_on": known["due_on"] if known else None,
        "reviewed_on": review.reviewed_on,
        "outcome": review.outcome.value,
        "reason_encrypted": sealed.seal_words(review.reason),
        "officer_id": caller.officer_id,
        "recorded_at": clock.now(),
    }
    await session.execute(insert(models.Review), [row])
    again = Dated(household_id=household_id, facts=facts, from_on=review.reviewed_on)
    await calendar.date_reviews(session, [again], review.reviewed_on)
    await tasks.close_task(session, kind=TaskKind.REVIEW, subject_id=household_id)
    await audit.record(
        session,
        caller,
        action="review.entered",
        subject_type="household",
        subject_id=household_id,
        division_code=facts.division_code,
        detail={"review_id": str(review_id), "outcome": review.outcome.value},
    )
    return review_id
