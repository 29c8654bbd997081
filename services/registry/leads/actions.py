"""Leads reported, visited, dismissed, accepted and handed on; who may do what (C5, C21).

A lead of a household on file lies where the household does; one that is still open joins whatever
else is reported of the same people (``intake``).
"""

from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, insert, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.households import actions as households
from services.registry.households import queries as files
from services.registry.households import sealed as persons
from services.registry.households.refusals import problem_of, refuse_if
from services.registry.leads import intake, models, publishing, queries, rules, sealed
from services.registry.leads.intake import Incoming, Taken
from services.registry.leads.rules import Accord, Report, Subject, Visit
from services.registry.tasks import actions as tasks
from services.registry.tasks.models import TaskKind
from shared import audit, clock, divisions, identity
from shared.auth import Caller
from shared.contracts.leads import LeadState
from shared.contracts.registry import SOURCE, State
from shared.errors import Conflict, Forbidden, NotFound


async def report(session: AsyncSession, caller: Caller, said: Report) -> Taken:
    """Take in what an officer or another service reports.

    The lead it joins may lie in another county. Raises NotFound, Forbidden, or Refused listing
    every fault.
    """
    refuse_if(rules.report_faults(said, today=clock.today()))
    return await _take(session, caller, said)


async def _take(session: AsyncSession, caller: Caller, said: Report) -> Taken:
    known: dict[str, Any] = {
        "source": said.source,
        "reported_on": said.reported_on,
        "words": said.words,
        "reported_by": caller.officer_id or caller.sub,
        "origin": SOURCE,
        "service": rules.service_of(caller.sub, caller.officer_id),
    }
    subject = said.subject
    if subject is not None:
        if not caller.covers(subject.division_code):
            raise Forbidden("division_not_covered", "the token's divisions do not cover this place")
        return await take_subject(session, subject, caller, **known)
    if said.household_id is None:
        raise ValueError("a report without household and person was let through")
    place = await _hold(session, caller, said.household_id)
    return await _taken(
        session, caller, Incoming(household_id=said.household_id, division_code=place, **known)
    )


async def take_subject(
    session: AsyncSession, subject: Subject, caller: Caller, **known: Any
) -> Taken:
    """Take in a report of somebody described; a member of a file makes it one of the household.

    ``known`` are the other fields of Incoming. Raises Refused for a place that is none.
    """
    place = await divisions.find(session, subject.division_code)
    refuse_if(rules.place_faults(place.level if place else None, "person/division_code"))
    number = identity.parse_id_number(subject.id_number).number if subject.id_number else None
    household_id, where = await _file_of(session, caller, number) if number else (None, None)
    one = Incoming(
        division_code=where or subject.division_code,
        household_id=household_id,
        id_number=number,
        name=subject.name.strip() or None,
        phone=subject.phone,
        **known,
    )
    return await _taken(session, caller, one)


async def _taken(session: AsyncSession, caller: Caller, one: Incoming) -> Taken:
    (taken,) = await intake.take(session, [one])
    await audit.record(
        session,
        caller,
        action="lead.reported",
        subject_type="lead",
        subject_id=taken.lead_id,
        division_code=taken.division_code,
        detail={"source": one.source.value, "joined": taken.joined},
    )
    return taken


async def visit(session: AsyncSession, caller: Caller, lead_id: UUID, made: Visit) -> UUID:
    """Record a visit to whom a lead is about; gives its id.

    Raises NotFound, Conflict (``lead_closed``), or Refused listing every fault.
    """
    lead = await _open_lead(session, caller, lead_id)
    faults = rules.visit_faults(
        made,
        first_reported_on=await queries.first_reported_on(session, lead_id),
        officer_id=caller.officer_id,
        today=clock.today(),
    )
    refuse_if(faults)
    visit_id = identity.new_id()
    await session.execute(
        insert(models.LeadVisit).values(
            visit_id=visit_id,
            lead_id=lead_id,
            division_code=lead["division_code"],
            visited_on=made.visited_on,
            officer_id=caller.officer_id,
            findings_encrypted=sealed.seal_words(made.findings.strip()),
            recorded_at=clock.now(),
        )
    )
    if lead["state"] == LeadState.OPEN:
        await _change(session, lead, state=LeadState.VISITED.value, visited_on=made.visited_on)
        await tasks.close_task(session, kind=TaskKind.LEAD_VISIT, subject_id=lead_id)
        await tasks.open_task(
            session,
            kind=TaskKind.LEAD_DECISION,
            subject_id=lead_id,
            division_code=lead["division_code"],
            household_id=lead["household_id"],
            due_on=None,
        )
    await _record(session, caller, "lead.visited", lead, visit_id=str(visit_id))
    return visit_id


async def dismiss(session: AsyncSession, caller: Caller, lead_id: UUID, reason: str) -> None:
    """End a lead that a visit has shown to be none.

    Raises NotFound, Conflict (``lead_closed``), or Refused listing every fault.
    """
    lead = await _open_lead(session, caller, lead_id)
    refuse_if(rules.dismissal_faults(LeadState(lead["state"]), reason, caller.officer_id))
    await _decide(session, caller, lead, LeadState.DISMISSED, reason=reason.strip())
    await _record(session, caller, "lead.dismissed", lead)


async def accept(
    session: AsyncSession,
    caller: Caller,
    lead_id: UUID,
    *,
    accord: Accord,
    household_id: UUID | None,
) -> None:
    """Make a lead the application of a household on file.

    Raises NotFound, Conflict (``lead_closed``), or Refused listing every fault.
    """
    seen = await queries.one(session, lead_id, divisions=caller.divisions)
    if seen is None:
        raise _unknown()
    faults = rules.household_faults(seen["household_id"], household_id)
    applicant = seen["household_id"] or household_id
    if faults or applicant is None:
        raise problem_of(faults)
    file = await households.lock_one(session, caller, applicant)
    facts = file.facts
    lead = await _open_lead(session, caller, lead_id)
    refuse_if(rules.acceptance_faults(LeadState(lead["state"]), facts.state, caller.officer_id))
    if lead["division_code"] != facts.division_code:
        await _place(session, lead_id, facts.division_code)
    await _decide(
        session,
        caller,
        lead,
        LeadState.ACCEPTED,
        division_code=facts.division_code,
        accord=accord.value,
        household_id=applicant,
    )
    await _record(session, caller, "lead.accepted", lead, household_id=str(applicant))


async def transfer(session: AsyncSession, caller: Caller, lead_id: UUID, there: str) -> None:
    """Hand a lead on to the division where its people live; its time limit goes on.

    Raises NotFound, Conflict (``lead_closed``), or Refused listing every fault.
    """
    lead = await _open_lead(session, caller, lead_id)
    found = await divisions.find(session, there)
    faults = rules.place_faults(found.level if found else None, "division_code")
    faults += rules.transfer_faults(
        household_id=lead["household_id"],
        here=lead["division_code"],
        there=there,
        officer_id=caller.officer_id,
    )
    refuse_if(faults)
    await _change(session, lead, told_in=there)
    await _place(session, lead_id, there)
    await audit.record(
        session,
        caller,
        action="lead.transferred",
        subject_type="lead",
        subject_id=[lead_id, lead_id],
        division_code=[lead["division_code"], there],
        detail={"from": lead["division_code"], "to": there},
    )


async def _file_of(
    session: AsyncSession, caller: Caller, number: str
) -> tuple[UUID | None, str | None]:
    """The open file in the caller's divisions that holds the person of this number, and its place.

    It stays there until the end.
    """
    its_hash = persons.hash_id_number(number)
    found = await files.find_persons_by_hash(session, [its_hash], divisions=caller.divisions)
    household_id = found[its_hash].household_id if its_hash in found else None
    if household_id is None:
        return None, None
    held = await households.lock(session, [household_id], divisions=caller.divisions)
    if household_id not in held or held[household_id].facts.state is State.CLOSED:
        return None, None
    return household_id, held[household_id].facts.division_code


async def _hold(session: AsyncSession, caller: Caller, household_id: UUID) -> str:
    """Where the household lies; it stays there until the end."""
    file = await households.lock_one(session, caller, household_id)
    refuse_if(rules.reportable_faults(file.facts.state))
    return file.facts.division_code


async def _open_lead(session: AsyncSession, caller: Caller, lead_id: UUID) -> RowMapping:
    """The lead, locked; whoever decides second finds it decided."""
    lead = await queries.one(session, lead_id, divisions=caller.divisions, lock=True)
    if lead is None:
        raise _unknown()
    if not LeadState(lead["state"]).is_open:
        raise Conflict("lead_closed", f"this lead has ended: {lead['state']}")
    return lead


def _unknown() -> NotFound:
    return NotFound("lead_not_found", "no such lead in the caller's divisions")


async def _decide(
    session: AsyncSession, caller: Caller, lead: RowMapping, state: LeadState, **more: Any
) -> None:
    await _change(
        session,
        lead,
        state=state.value,
        decided_on=clock.today(),
        decided_by=caller.officer_id,
        **more,
    )
    await tasks.close_task(session, kind=TaskKind.LEAD_DECISION, subject_id=lead["lead_id"])


async def _change(session: AsyncSession, lead: RowMapping, **values: Any) -> None:
    """Store what a locked lead comes to, and tell of it where it will lie (``told_in``)."""
    new = {
        "told_in": values.get("division_code", lead["division_code"]),
        "version": lead["version"] + 1,
        "recorded_at": clock.now(),
    } | values
    await session.execute(
        update(models.Lead).where(models.Lead.lead_id == lead["lead_id"]).values(**new)
    )
    await publishing.publish(session, [{**lead, **new, "division_code": new["told_in"]}])


async def _place(session: AsyncSession, lead_id: UUID, there: str) -> None:
    """Take a lead with its papers to another division, the caller's or not."""
    await session.execute(
        text("SELECT hand_over_lead(:lead_id, :there)"), {"lead_id": lead_id, "there": there}
    )


async def _record(
    session: AsyncSession, caller: Caller, action: str, lead: RowMapping, **detail: str
) -> None:
    await audit.record(
        session,
        caller,
        action=action,
        subject_type="lead",
        subject_id=lead["lead_id"],
        division_code=lead["division_code"],
        detail=detail or None,
    )
