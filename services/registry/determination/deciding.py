"""The notice and the county's decision on an application (C4, C60, R29 "Who decides").

A household is identified by the life cycle's own action and no other way; an application in
progress decides when. Every decision is kept with all it was made on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.determination import delegations, findings, models, rules, steps
from services.registry.determination import queries as applications
from services.registry.determination.actions import covers_county
from services.registry.determination.deadlines import Clock
from services.registry.determination.findings import Reckoned
from services.registry.determination.process import ApplicationState, Delivery, PaperKind, Step
from services.registry.determination.rules import Decider
from services.registry.determination.steps import Opened
from services.registry.households.history import facts_at
from services.registry.households.refusals import refuse_if
from services.registry.households.rules import officer_faults
from services.registry.lifecycle import actions as lifecycle
from services.registry.lifecycle.rules import Move, Ruling
from services.registry.notices import actions as notices
from services.registry.notices import queries as announced
from services.registry.notices.rules import Wish
from services.registry.tasks.models import TaskKind
from services.registry.verification import queries as verification
from shared import clock, identity
from shared.auth import Caller
from shared.contracts.notices import NoticeKind
from shared.contracts.registry import Category, RuleSet
from shared.errors import Conflict, Fault, Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Identification:
    """What the county decides in favour; category and amount of the opinion unless given."""

    decided_on: date
    reason: str = ""
    category: Category | None = None
    amount: Decimal | None = None
    tags: tuple[Category, ...] | None = None
    missing_evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """What the county decides against: why, and which tests failed, both in words.

    The tests that the means test found failed are added by themselves.
    """

    decided_on: date
    reason: str
    failed_tests: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """How and when a written refusal reached the applicant; ``reference``: where its proof is."""

    delivered_on: date
    delivery: Delivery
    reference: str


async def announce(
    session: AsyncSession, caller: Caller, application_id: UUID, revision: int
) -> None:
    """Ask for the public notice of the opinion, anew where the household changed since.

    Raises Refused (``opinion_against``), or Conflict (``notice_open``) while one runs.
    """
    opened = await steps.begin(session, caller, application_id, Step.ANNOUNCE, revision)
    refuse_if(rules.announcement_faults(opened.case, caller.officer_id))
    given = opened.case.opinion
    if given is None:
        raise ValueError("an application with the state opinion has one")
    wish = Wish(
        kind=NoticeKind.IDENTIFICATION,
        category=given.category,
        amount=given.amount,
        applicant_person_id=opened.whole.application["applicant_person_id"],
    )
    request_id = await notices.request(session, caller, opened.case.household_id, wish)
    changed = {"state": ApplicationState.ON_NOTICE, "notice_request_id": request_id}
    changed |= steps.due_columns(None)
    await steps.move(session, caller, opened, Step.ANNOUNCE, changed)
    await steps.close_tasks(session, application_id, [TaskKind.ANNOUNCEMENT, TaskKind.DECISION])


async def identify(
    session: AsyncSession,
    caller: Caller,
    application_id: UUID,
    revision: int,
    decision: Identification,
) -> UUID:
    """Identify the household; gives the decision's id.

    The life cycle judges the notice, its seven days and its category, and publishes.
    """
    opened = await steps.begin(session, caller, application_id, Step.IDENTIFY, revision)
    category, day = decision.category or _announced(opened), decision.decided_on
    by = await _delegation(session, caller, opened, category, day)
    decider = decider_of(caller, opened, delegated=by is not None)
    faults = rules.decision_faults(opened.case, decider, category, day, clock.today())
    faults += rules.visit_faults(opened.case)
    report_id, more = await _verified(session, caller, opened, day)
    refuse_if(faults + more)
    reckoned = await reckon(session, opened, day)
    refuse_if(rules.finding_faults(reckoned.finding, category, decision.reason))
    ruling = Ruling(
        move=Move.IDENTIFY,
        decided_on=day,
        reason=decision.reason,
        category=category,
        tags=decision.tags,
        missing_evidence=decision.missing_evidence,
        application_id=application_id,
    )
    await lifecycle.decide(session, caller, opened.case.household_id, ruling)
    amount = decision.amount
    if amount is None and opened.case.opinion:
        amount = opened.case.opinion.amount
    row = decision_row(caller, opened, day) | {
        "delegation_id": by,
        "outcome": ApplicationState.IDENTIFIED,
        "category": category,
        "amount": amount,
        "reason": decision.reason,
        "failed_tests": [],
        "finding": reckoned.stored(),
        "report_id": report_id,
    }
    await _end(session, caller, opened, Step.IDENTIFY, row)
    return UUID(str(row["decision_id"]))


async def refuse(
    session: AsyncSession, caller: Caller, application_id: UUID, revision: int, refusal: Refusal
) -> UUID:
    """Refuse an application in writing; gives the decision's id. The file stays as it is.

    A notice that runs is taken back, and the delivery of the refusal has its own last day.
    """
    opened = await steps.begin(session, caller, application_id, Step.REFUSE, revision)
    category, day = _announced(opened), refusal.decided_on
    by = await _delegation(session, caller, opened, category, day)
    decider = decider_of(caller, opened, delegated=by is not None)
    refuse_if(rules.decision_faults(opened.case, decider, category, day, clock.today()))
    reckoned = await _reckoned_if_possible(session, opened, refusal)
    failed = list(refusal.failed_tests)
    if reckoned is not None:
        failed += [each.sentence for each in reckoned.finding.verdict(category).reasons]
    refuse_if(rules.refusal_faults(refusal.reason, failed))
    await _take_back_notice(session, caller, opened, refusal.reason)
    row = decision_row(caller, opened, day) | {
        "delegation_id": by,
        "outcome": ApplicationState.REFUSED,
        "category": category,
        "amount": None,
        "reason": refusal.reason,
        "failed_tests": failed,
        "finding": reckoned.stored() if reckoned else None,
        "report_id": opened.report_id,
    }
    await _end(session, caller, opened, Step.REFUSE, row)
    limit = await applications.due(session, opened.case, Clock.DELIVERY, day, opened.place)
    application = opened.whole.application
    await steps.open_tasks(session, application, {TaskKind.DELIVERY: limit})
    return UUID(str(row["decision_id"]))


async def deliver(
    session: AsyncSession, caller: Caller, application_id: UUID, revision: int, how: Delivered
) -> None:
    """Keep how the written refusal was delivered. Raises Conflict (``already_delivered``)."""
    opened = await steps.begin(session, caller, application_id, Step.DELIVER, revision)
    last = opened.whole.decisions[-1]
    if last["delivered_on"] is not None:
        raise Conflict("already_delivered", "the delivery of this decision is on record already")
    faults = officer_faults(caller.officer_id)
    faults += rules.delivery_faults(
        how.delivered_on, last["decided_on"], how.reference, clock.today()
    )
    refuse_if(faults)
    await session.execute(
        update(models.ApplicationDecision)
        .where(models.ApplicationDecision.decision_id == last["decision_id"])
        .values(
            delivered_on=how.delivered_on, delivery=how.delivery, delivered_by=caller.officer_id
        )
    )
    proof = opened.belongs | {
        "paper_id": identity.new_id(),
        "kind": PaperKind.DELIVERY_PROOF,
        "reference": how.reference,
        "received_on": how.delivered_on,
        "received_by": caller.officer_id,
    }
    del proof["round"]
    await session.execute(insert(models.ApplicationPaper), [proof])
    await steps.move(session, caller, opened, Step.DELIVER, {})
    await steps.close_tasks(session, application_id, [TaskKind.DELIVERY])


async def withdraw(
    session: AsyncSession,
    caller: Caller,
    application_id: UUID,
    revision: int,
    *,
    withdrawn_on: date,
    reason: str,
) -> None:
    """End an application because the applicant no longer wants it, its notice with it."""
    opened = await steps.begin(session, caller, application_id, Step.WITHDRAW, revision)
    faults = officer_faults(caller.officer_id)
    faults += rules.withdrawal_faults(opened.case, withdrawn_on, reason, clock.today())
    refuse_if(faults)
    await _take_back_notice(session, caller, opened, reason)
    changed = {
        "state": ApplicationState.WITHDRAWN,
        "ended_on": withdrawn_on,
        "withdrawn_reason": reason.strip(),
    }
    changed |= steps.due_columns(None)
    await steps.move(session, caller, opened, Step.WITHDRAW, changed)
    await steps.close_tasks(session, application_id, steps.WAITING)


async def reckon(session: AsyncSession, opened: Opened, decided_on: date) -> Reckoned:
    """The means test as the file stood on the day of the decision."""
    facts = facts_at(opened.file.timeline, decided_on) or opened.file.facts
    return await findings.reckon(session, opened.whole, facts, decided_on)


async def _reckoned_if_possible(
    session: AsyncSession, opened: Opened, refusal: Refusal
) -> Reckoned | None:
    """Whoever names the failed test himself may refuse what cannot be reckoned."""
    try:
        return await reckon(session, opened, refusal.decided_on)
    except Refused:
        if any(test.strip() for test in refusal.failed_tests):
            return None
        raise


async def _verified(
    session: AsyncSession, caller: Caller, opened: Opened, decided_on: date
) -> tuple[UUID | None, list[Fault]]:
    """The report that holds on the day, and what it forbids; one went without it by signature."""
    report = await verification.latest_report(
        session, opened.case.household_id, divisions=caller.divisions, on=decided_on
    )
    if report is not None:
        return report.report_id, rules.verified_faults(report)
    given = opened.case.opinion
    if given is not None and given.without_report:
        return None, []
    return None, [rules.report_expired()]


def _announced(opened: Opened) -> Category:
    given = opened.case.opinion
    return given.category if given else opened.case.category


def decider_of(caller: Caller, opened: Opened, *, delegated: bool = False) -> Decider:
    """The caller as the one who decides on this case."""
    return Decider(
        officer_id=caller.officer_id,
        bureau=caller.bureau,
        whole_county=covers_county(caller, opened.place),
        delegated=delegated,
    )


async def _delegation(
    session: AsyncSession, caller: Caller, opened: Opened, category: Category, day: date
) -> UUID | None:
    """By which delegation an officer of the township decides; the county needs none.

    It held on the day of the decision and holds today: what has ended decides nothing afterwards.
    """
    if covers_county(caller, opened.place):
        return None
    found = [
        await delegations.holding(
            session, opened.place, category, on, staff_relative=opened.case.staff_relative
        )
        for on in (day, clock.today())
    ]
    return found[0] if all(found) else None


def decision_row(caller: Caller, opened: Opened, decided_on: date) -> dict[str, Any]:
    """What every decision's row begins with; it names the decision before it, if there was one."""
    earlier = opened.whole.decisions
    return opened.belongs | {
        "decision_id": identity.new_id(),
        "decided_on": decided_on,
        "officer_id": caller.officer_id,
        "bureau": caller.bureau,
        "decided_in": opened.place,
        "rule_set": RuleSet.on(decided_on),
        "corrects": earlier[-1]["decision_id"] if earlier else None,
    }


async def _end(
    session: AsyncSession, caller: Caller, opened: Opened, step: Step, row: dict[str, Any]
) -> None:
    await session.execute(insert(models.ApplicationDecision), [row])
    changed = {"state": row["outcome"], "ended_on": row["decided_on"]} | steps.due_columns(None)
    await steps.move(session, caller, opened, step, changed)
    await steps.close_tasks(session, opened.case.application_id, steps.WAITING)


async def _take_back_notice(
    session: AsyncSession, caller: Caller, opened: Opened, reason: str
) -> None:
    """Withdraw the application's notice if it still runs."""
    household_id = opened.case.household_id
    known = await announced.announcements(session, household_id, divisions=caller.divisions)
    asked = opened.whole.application["notice_request_id"]
    if any(each.notice_request_id == asked and each.is_open for each in known):
        await notices.withdraw(session, caller, household_id, asked, reason)
