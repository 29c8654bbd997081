"""Entering a visit: it takes its task off the board, and what it saw is reported as a sign."""

from dataclasses import asdict
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.households import actions as households
from services.registry.households import sealed
from services.registry.households.refusals import refuse_if
from services.registry.returns import actions as returns
from services.registry.returns.rules import Sign
from services.registry.tasks import actions as tasks
from services.registry.visits import models, rules
from services.registry.visits.rules import Visit
from services.registry.visits.watching import TASKS
from shared import attachments, audit, clock, identity
from shared.auth import Caller


async def enter(session: AsyncSession, caller: Caller, household_id: UUID, visit: Visit) -> UUID:
    """Enter a visit to a household on assistance or in tracking; gives its id.

    Each sign of hardship seen is reported, so that a lifted household has its return check. Raises
    NotFound, or Refused listing every fault.
    """
    file = await households.lock_one(session, caller, household_id)
    known = await attachments.find(session, visit.photos)
    taken = {photo: each.taken_at for photo, each in known.items()}
    named = {f"#/photos/{at}": photo for at, photo in enumerate(visit.photos)}
    faults = rules.visit_faults(
        file.facts, visit, taken, officer_id=caller.officer_id, today=clock.today()
    )
    refuse_if(faults + await attachments.faults_of(session, named, household_id))
    kind = rules.kind_of(file.facts.state)
    visit_id, place = identity.new_id(), file.facts.division_code
    row = asdict(visit) | {
        "visit_id": visit_id,
        "household_id": household_id,
        "division_code": place,
        "kind": kind,
        "officer_id": caller.officer_id,
        "findings_encrypted": sealed.seal_words(visit.findings),
        "photos": list(visit.photos),
        "recorded_at": clock.now(),
    }
    del row["findings"], row["hardships"]
    await session.execute(insert(models.Visit), [row])
    await attachments.attach(session, set(visit.photos), household_id, place)
    for sign in visit.hardships:
        seen = Sign(detected_on=visit.visited_on, **asdict(sign))
        await returns.report(session, caller, household_id, seen)
    for task in TASKS.values():
        await tasks.close_task(session, kind=task, subject_id=household_id)
    await audit.record(
        session,
        caller,
        action="visit.entered",
        subject_type="household",
        subject_id=household_id,
        division_code=place,
        detail={"visit_id": str(visit_id), "kind": kind, "photos": len(visit.photos)},
    )
    return visit_id
