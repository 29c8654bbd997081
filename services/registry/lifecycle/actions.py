"""Decisions on a household file: judged, stored with all they were made on, and published.

One decision is one transaction under the household's row lock; a refused one writes nothing.
"""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.households import actions as households
from services.registry.households.actions import File, Revision, Written
from services.registry.households.facts import Facts, LeaveReason
from services.registry.households.history import amend, facts_at
from services.registry.households.refusals import problem_of
from services.registry.ledger import queries as ledger
from services.registry.lifecycle import rules
from services.registry.lifecycle.rules import Circumstances, Move, Ruling
from shared import audit, clock, parameters
from shared.auth import Caller
from shared.contracts.registry import State
from shared.errors import NotFound
from shared.parameters import Parameter

__all__ = ["decide"]


async def decide(
    session: AsyncSession, caller: Caller, household_id: UUID, ruling: Ruling
) -> Written:
    """Make a decision on a household. Raises NotFound, or Refused listing every broken rule."""
    files = await households.lock(session, [household_id], divisions=caller.divisions)
    if household_id not in files:
        raise NotFound("household_not_found", "no such household in the caller's divisions")
    file = files[household_id]
    tracking = await _tracking(session, file, ruling)
    checks = _judge(file, ruling, await _around(session, caller, file, ruling, tracking))
    faults = rules.faults_of(checks)
    if faults:
        raise problem_of(faults)
    facts = facts_at(file.timeline, ruling.decided_on) or file.facts
    revision = Revision(
        file=file,
        timeline=amend(file.timeline, ruling.decided_on, rules.moved(facts, ruling)),
        effective_from=ruling.decided_on,
        day=ruling.decided_on,
        type=rules.EVENTS[ruling.move],
        ruling=_stored(caller, ruling, checks, tracking),
        missing_evidence=ruling.missing_evidence,
        left=_leaving(facts, ruling),
    )
    (written,) = await households.write(session, caller, [revision])
    await audit.record(
        session,
        caller,
        action=f"household.{rules.DONE[ruling.move]}",
        subject_type="household",
        subject_id=household_id,
        division_code=written.facts.division_code,
        detail={"decided_on": ruling.decided_on.isoformat(), "version": written.version},
    )
    return written


def _judge(file: File, ruling: Ruling, around: Circumstances) -> list[rules.Check]:
    """Asked of the facts of the decision's day; of today's, if the file has moved on since."""
    facts = facts_at(file.timeline, ruling.decided_on)
    now = file.facts
    same = facts and (facts.state, facts.episodes) == (now.state, now.episodes)
    return rules.judge(facts if facts and same else now, ruling, around)


async def _around(
    session: AsyncSession,
    caller: Caller,
    file: File,
    ruling: Ruling,
    tracking: Parameter | None,
) -> Circumstances:
    unmet = (
        await ledger.unmet(session, file.household_id, divisions=caller.divisions)
        if ruling.move is Move.LIFT
        else []
    )
    return Circumstances(
        today=clock.today(),
        officer_id=caller.officer_id,
        opened_on=file.opened_on,
        newest_entry=file.timeline[-1].valid_from,
        unmet=unmet,
        tracking_months=tracking.value if tracking else None,
    )


async def _tracking(session: AsyncSession, file: File, ruling: Ruling) -> Parameter | None:
    """The tracking period in force on the day of an exit from tracking."""
    if ruling.move is not Move.EXIT or file.facts.state is not State.LIFTED:
        return None
    return await parameters.value_at(
        session,
        rules.tracking_key(file.facts.category),
        file.facts.division_code,
        ruling.decided_on,
    )


def _leaving(facts: Facts, ruling: Ruling) -> dict[UUID, LeaveReason]:
    """Only an ending empties the file; no other decision touches who left it before or after."""
    if ruling.move not in (Move.CLOSE, Move.REFUSE):
        return {}
    ground = ruling.ground or LeaveReason.FILE_REFUSED
    return dict.fromkeys((member.person_id for member in facts.members), ground)


def _stored(
    caller: Caller, ruling: Ruling, checks: list[rules.Check], tracking: Parameter | None
) -> households.Ruling:
    used = [tracking] if tracking else []
    return households.Ruling(
        kind=ruling.move,
        decided_on=ruling.decided_on,
        officer_id=caller.officer_id or "",
        reason=ruling.reason.strip(),
        checks=[check.stored() for check in checks],
        parameters=[
            {
                "parameter_id": str(one.parameter_id),
                "key": one.key,
                "value": str(one.value),
                "version": one.version,
            }
            for one in used
        ],
    )
