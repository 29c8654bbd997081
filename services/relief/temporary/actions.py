"""Applications taken in, checked and given an opinion; papers afterwards, referrals (C18, C19).

With ``deciding``, ``stages``, ``announcing``, ``funds`` and ``watching`` the only writers here. The
application is locked first, so of two at once the second sees what the first did.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, insert, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.relief.temporary import announcing, queries, rules, sealed, writing
from services.relief.temporary.models import Application, Referral
from services.relief.temporary.paper_rules import Paper, is_late, papers_faults
from services.relief.temporary.residents import Household
from services.relief.temporary.rules import (
    Cause,
    Kind,
    ReferralOutcome,
    ReferredTo,
    State,
    fault,
)
from shared import clock, identity
from shared.auth import Caller, officer_of
from shared.errors import Conflict, Forbidden, NotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a household asks for; ``papers`` are kinds with their references in the paper file."""

    kind: Kind
    cause: Cause
    person_ids: Sequence[UUID]
    applicant_person_id: UUID
    applicant_birth_date: date | None
    happened_on: date
    applied_on: date
    words: str
    papers: Sequence[Mapping[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """The township's opinion; ``factor`` where it is for helping."""

    favourable: bool
    factor: Decimal | None
    hard_reason: str | None
    words: str


async def register(
    session: AsyncSession, caller: Caller, household: Household, asked: Asked
) -> UUID:
    """Take an application in; gives its id. Raises Refused listing every fault, Forbidden."""
    officer = officer_of(caller)
    if not caller.covers(household.division_code):
        raise Forbidden("division_not_covered", "your token does not cover the household's village")
    born = household.births.get(asked.applicant_person_id, asked.applicant_birth_date)
    writing.refuse_if(
        rules.application_faults(
            happened_on=asked.happened_on,
            applied_on=asked.applied_on,
            words=asked.words,
            persons=asked.person_ids,
            applicant_born=born,
            today=clock.today(),
        )
    )
    row = {
        "application_id": identity.new_id(),
        "household_id": household.household_id,
        "division_code": household.division_code,
        "kind": asked.kind.value,
        "cause": asked.cause.value,
        "person_ids": list(asked.person_ids),
        "applicant_person_id": asked.applicant_person_id,
        "applicant_birth_date": born,
        "happened_on": asked.happened_on,
        "applied_on": asked.applied_on,
        "words_encrypted": sealed.seal(asked.words),
        "papers": [dict(paper) for paper in asked.papers],
        "known": household.known,
        "recipient": household.recipient,
        "state": State.ACCEPTED.value,
        "entered_by": officer,
        "papers_due_provisional": False,
        "recorded_at": clock.now(),
    }
    await session.execute(insert(Application), [row])
    detail = {"kind": asked.kind.value, "cause": asked.cause.value}
    await writing.step(session, caller, row, "registered", asked.applied_on, detail=detail)
    return UUID(str(row["application_id"]))


async def check(
    session: AsyncSession,
    caller: Caller,
    application_id: UUID,
    *,
    checked_on: date,
    words: str,
    expense: Decimal | None,
) -> None:
    """Note a survey of the household, or of a known recipient the check of the expense alone.

    ``expense`` in yuan, which a recipient's check must state [TA]. Raises NotFound, Refused.
    """
    application = await held(session, caller, application_id)
    faults = []
    if State(application["state"]) is not State.ACCEPTED:
        faults.append(fault("", "check_too_late", "已出具意见或已决定,不再登记调查"))
    if not application["applied_on"] <= checked_on <= clock.today():
        faults.append(fault("checked_on", "checked_on_impossible", "日期须在申请日期至今天之间"))
    if not words.strip():
        faults.append(fault("words", "words_missing", "须以文字写明调查情况"))
    if application["recipient"] and (expense is None or expense <= 0):
        message = "在册救助对象只核对支出,须写明支出金额"
        faults.append(fault("expense", "expense_missing", message))
    writing.refuse_if(faults)
    what = "expense" if application["recipient"] else "survey"
    detail = {"what": what, "expense": None if expense is None else f"{expense:.2f}"}
    await writing.step(
        session, caller, application, queries.CHECKED, checked_on, words=words, detail=detail
    )


async def opine(
    session: AsyncSession, caller: Caller, application_id: UUID, opinion: Opinion
) -> None:
    """Give the township's opinion on an ordinary case; one for helping is announced at once (R23).

    Raises NotFound, or Refused listing every fault.
    """
    application = await held(session, caller, application_id)
    case, officer = await queries.case_of(session, application), officer_of(caller)
    faults = rules.opinion_faults(
        case,
        favourable=opinion.favourable,
        factor=opinion.factor,
        words=opinion.words,
        officer=officer,
    )
    writing.refuse_if(faults)
    today = clock.today()
    detail: dict[str, Any] = {"favourable": opinion.favourable}
    state = State.OPINED
    if opinion.favourable and opinion.factor is not None:
        terms = await queries.terms(
            session, application["division_code"], on=today, applied_on=application["applied_on"]
        )
        writing.refuse_if(rules.factor_faults(opinion.factor, opinion.hard_reason, terms))
        total = rules.amount(terms.line.value, opinion.factor, case.persons)
        await announcing.request(session, application, opinion.factor, total)
        detail |= {"factor": f"{opinion.factor:.2f}", "amount": f"{total:.2f}"}
        state = State.ON_NOTICE
    await writing.change(session, application, state=state.value)
    said = "\n".join(each for each in (opinion.words, opinion.hard_reason) if each)
    await writing.step(
        session, caller, application, queries.OPINED, today, words=said, detail=detail
    )


async def sign_repeat(
    session: AsyncSession, caller: Caller, application_id: UUID, reason: str
) -> None:
    """Sign why a household is helped again for the same cause in one year.

    By another officer than whoever then decides. Raises NotFound, Refused, Conflict.
    """
    application = await held(session, caller, application_id)
    _refuse_decided(application)
    faults = []
    if not reason.strip():
        faults.append(fault("reason", "reason_missing", "须以文字写明特殊理由"))
    if officer_of(caller) == application["entered_by"]:
        faults.append(fault("", "same_officer", "登记人不得签署特殊理由"))
    writing.refuse_if(faults)
    await writing.step(session, caller, application, queries.REPEAT, clock.today(), words=reason)


async def enter_papers(
    session: AsyncSession,
    caller: Caller,
    application_id: UUID,
    *,
    received_on: date,
    papers: Sequence[Mapping[str, str]],
) -> None:
    """Enter the papers that follow help paid first; entered late is said so (R23).

    Raises NotFound, Conflict (``papers_not_owed``, ``papers_entered``), Refused.
    """
    application = await held(session, caller, application_id)
    due, today = application["papers_due_on"], clock.today()
    if due is None:
        raise Conflict("papers_not_owed", "no papers follow this application: none was paid first")
    if application["papers_on"] is not None:
        raise Conflict("papers_entered", "the papers of this application were entered already")
    decision = (await queries.whole(session, application)).decision
    if decision is None:
        raise Conflict("papers_not_owed", "nothing has been decided on this application")
    known = {Paper(each["kind"]) for each in (*application["papers"], *papers)}
    writing.refuse_if(
        papers_faults(
            known, received_on=received_on, decided_on=decision["decided_on"], today=today
        )
    )
    late = is_late(due, received_on)
    everything = [*application["papers"], *(dict(each) for each in papers)]
    await writing.change(session, application, papers=everything, papers_on=received_on)
    detail = {"due_on": due.isoformat(), "late": late}
    await writing.step(session, caller, application, "papers", received_on, detail=detail)


async def refer(
    session: AsyncSession,
    caller: Caller,
    application_id: UUID,
    *,
    to: ReferredTo,
    referred_on: date,
    words: str,
) -> UUID:
    """Send a household on to another programme, decided or not; gives the referral's id."""
    application = await held(session, caller, application_id)
    faults = []
    if not application["applied_on"] <= referred_on <= clock.today():
        faults.append(fault("referred_on", "referred_on_impossible", "日期须在申请日期至今天之间"))
    if not words.strip():
        faults.append(fault("words", "words_missing", "须以文字写明转介事由"))
    writing.refuse_if(faults)
    referral_id = identity.new_id()
    row = {
        "referral_id": referral_id,
        "application_id": application_id,
        "division_code": application["division_code"],
        "referred_to": to.value,
        "referred_on": referred_on,
        "referred_by": officer_of(caller),
        "words_encrypted": sealed.seal(words),
        "recorded_at": clock.now(),
    }
    await session.execute(insert(Referral), [row])
    detail = {"referral_id": str(referral_id), "to": to.value}
    await writing.step(session, caller, application, "referred", referred_on, detail=detail)
    return referral_id


async def end_referral(
    session: AsyncSession,
    caller: Caller,
    referral_id: UUID,
    *,
    outcome: ReferralOutcome,
    ended_on: date,
    words: str,
) -> UUID:
    """Note what came of a referral, once; gives its application. Raises NotFound, Conflict."""
    row = await queries.hold_referral(session, referral_id, caller.divisions)
    if row is None:
        raise NotFound("referral_unknown", f"no referral {referral_id}")
    if row["outcome"] is not None:
        raise Conflict("referral_ended", "what came of this referral was noted already")
    if not row["referred_on"] <= ended_on <= clock.today():
        message = "日期须在转介日期至今天之间"
        writing.refuse_if([fault("ended_on", "ended_on_impossible", message)])
    ended = {
        "outcome": outcome.value,
        "ended_on": ended_on,
        "ended_by": officer_of(caller),
        "outcome_words_encrypted": sealed.seal(words),
        "recorded_at": clock.now(),
    }
    theirs = Referral.referral_id == referral_id
    await session.execute(update(Referral).where(theirs).values(**ended))
    detail = {"referral_id": str(referral_id), "outcome": outcome.value}
    await writing.step(session, caller, row, "referral_ended", ended_on, detail=detail)
    return UUID(str(row["application_id"]))


async def held(session: AsyncSession, caller: Caller, application_id: UUID) -> RowMapping:
    """The application, locked. Raises NotFound (``application_unknown``)."""
    application = await queries.one(session, application_id, caller.divisions, lock=True)
    if application is None:
        raise NotFound("application_unknown", f"no application {application_id}")
    return application


def _refuse_decided(application: RowMapping) -> None:
    if State(application["state"]).decided:
        raise Conflict("application_decided", f"it is {application['state']} already")
