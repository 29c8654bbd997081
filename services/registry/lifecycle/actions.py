"""Decisions on a household file: judged, stored with all they were made on, and published.

One decision is one transaction under the household's row lock; a refused one writes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.checks import queries as income_checks
from services.registry.determination import queries as applications
from services.registry.households import actions as households
from services.registry.households.actions import File, Revision, Written
from services.registry.households.facts import Facts, LeaveReason
from services.registry.households.history import amend, facts_at
from services.registry.households.refusals import refuse_if
from services.registry.ledger import queries as ledger
from services.registry.lifecycle import rules
from services.registry.lifecycle.rules import Circumstances, Move, Ruling
from services.registry.notices import actions as notices
from services.registry.notices import queries as announced
from services.registry.notices.rules import Announcement, episode_of
from services.registry.plans import queries as plans
from services.registry.returns import actions as returns
from services.registry.returns import queries as return_checks
from shared import audit, clock, parameters
from shared.auth import Caller
from shared.contracts.registry import State
from shared.parameters import Parameter

__all__ = ["decide"]


async def decide(
    session: AsyncSession, caller: Caller, household_id: UUID, ruling: Ruling
) -> Written:
    """Make a decision on a household. Raises NotFound, or Refused listing every broken rule.

    Open notices that nothing can follow any more are taken back, and open return checks that the
    decision answers are ended, in the same transaction.
    """
    file = await households.lock_one(session, caller, household_id)
    used = await _parameters(session, file, ruling)
    checks = _judge(file, ruling, await _around(session, caller, file, ruling, used))
    refuse_if(rules.faults_of(checks))
    revision = _revision(file, ruling, _stored(caller, ruling, checks, used))
    (written,) = await households.write(session, caller, [revision])
    state = written.facts.state
    await notices.withdraw_unfitting(session, caller, household_id, state)
    await returns.end_with(session, caller, household_id, state, ruling.decided_on)
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


def _revision(file: File, ruling: Ruling, stored: households.Ruling) -> Revision:
    facts = facts_at(file.timeline, ruling.decided_on) or file.facts
    return Revision(
        file=file,
        timeline=amend(file.timeline, ruling.decided_on, rules.moved(facts, ruling)),
        effective_from=ruling.decided_on,
        day=ruling.decided_on,
        type=rules.EVENTS[ruling.move],
        ruling=stored,
        missing_evidence=ruling.missing_evidence,
        left=_leaving(facts, ruling),
    )


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
    used: Mapping[str, Parameter],
) -> Circumstances:
    where, household_id = caller.divisions, file.household_id
    known = Circumstances(
        today=clock.today(),
        officer_id=caller.officer_id,
        opened_on=file.opened_on,
        newest_entry=file.timeline[-1].valid_from,
        notice=await _notice(session, caller, file, ruling),
        tracking_months=_value(used, rules.tracking_key(file.facts.category)),
        months_between=_value(used, rules.BETWEEN_CHECKS),
    )
    if ruling.move in rules.APPLIED_FOR:
        waiting = await applications.open_of(session, household_id, divisions=where)
        return replace(known, application=waiting)
    if ruling.move in {Move.RETURN, Move.EXIT}:
        open_now = await return_checks.open_checks(session, household_id, divisions=where)
        return replace(known, return_checks=open_now)
    if ruling.move is not Move.LIFT or not file.facts.episodes:
        return known
    episode = file.facts.episodes[-1]
    return replace(
        known,
        guarantees=await ledger.stated(session, household_id, divisions=where),
        checks=await income_checks.of_episode(
            session, household_id, episode.number, divisions=where
        ),
        measures=await plans.carried_out(session, household_id, since=episode.identified_on),
    )


async def _notice(
    session: AsyncSession, caller: Caller, file: File, ruling: Ruling
) -> Announcement | None:
    """The last notice of the move's kind for the episode that it would begin or end."""
    kind = rules.ANNOUNCED.get(ruling.move)
    if kind is None:
        return None
    return await announced.newest(
        session,
        file.household_id,
        kind,
        episode_of(kind, file.facts),
        divisions=caller.divisions,
    )


async def _parameters(session: AsyncSession, file: File, ruling: Ruling) -> dict[str, Parameter]:
    """The parameters that the move is judged with, as they hold on its day, by key."""
    keys = []
    if ruling.move is Move.EXIT and file.facts.state is State.LIFTED:
        keys.append(rules.tracking_key(file.facts.category))
    if ruling.move is Move.LIFT:
        keys.append(rules.BETWEEN_CHECKS)
    found = {}
    for key in keys:
        value = await parameters.value_at(session, key, file.facts.division_code, ruling.decided_on)
        if value is not None:
            found[key] = value
    return found


def _value(used: Mapping[str, Parameter], key: str) -> Decimal | None:
    return used[key].value if key in used else None


def _leaving(facts: Facts, ruling: Ruling) -> dict[UUID, LeaveReason]:
    """Only an ending empties the file; no other decision touches who left it before or after."""
    if ruling.move not in (Move.CLOSE, Move.REFUSE):
        return {}
    ground = ruling.ground or LeaveReason.FILE_REFUSED
    return dict.fromkeys((member.person_id for member in facts.members), ground)


def _stored(
    caller: Caller,
    ruling: Ruling,
    checks: Sequence[rules.Check],
    used: Mapping[str, Parameter],
) -> households.Ruling:
    return households.Ruling(
        kind=ruling.move,
        decided_on=ruling.decided_on,
        officer_id=caller.officer_id or "",
        reason=ruling.reason.strip(),
        checks=[check.stored() for check in checks],
        parameters=[households.parameter_used(one) for one in used.values()],
    )
