"""Approving and refusing temporary assistance (R22, R23): by the township, or by the county.

Locks go application, household, fund, so that of two decisions at once the second sees what the
first gave, of the year's times and of the fund's money.
"""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.relief.temporary import announcing, funds, queries, rules, sealed, stages, writing
from services.relief.temporary.actions import held
from services.relief.temporary.explanations import explain
from services.relief.temporary.models import Decision
from services.relief.temporary.paper_rules import AFTERWARDS, Paper, papers_due
from services.relief.temporary.rules import (
    Award,
    Case,
    Cause,
    Kind,
    Level,
    State,
    Terms,
    fault,
)
from shared import clock, identity, workdays
from shared.auth import Caller, officer_of
from shared.workdays import Deadline


async def approve(
    session: AsyncSession, caller: Caller, application_id: UUID, award: Award, *, level: Level
) -> None:
    """Give the award, its stages published as approved; a township pays from its reserve fund.

    Raises NotFound, Refused listing every fault, Conflict (``application_decided``,
    ``year_exhausted``, ``fund_insufficient``).
    """
    application = await held(session, caller, application_id)
    today, officer = clock.today(), officer_of(caller)
    case = await _case(session, application, today)
    terms = await _terms(session, application, today)
    total = rules.amount(terms.line.value, award.factor, case.persons)
    award = award.staged(total, today)
    writing.refuse_if(
        rules.approval_faults(case, award, terms, level=level, officer=officer, today=today)
    )
    fund = stages.COUNTY_FUND
    if level is Level.TOWNSHIP:
        fund, place = stages.PETTY_FUND, application["division_code"]
        await funds.pay(session, caller, place, total, application_id=application_id)
    owed = await _papers(session, application, terms, today)
    explanation = explain(
        case,
        terms,
        cause=Cause(application["cause"]),
        level=level,
        decided_on=today,
        award=award,
        papers_due_on=owed.on if owed else None,
    )
    row = _row(application, State.APPROVED, level, today, officer) | {
        "factor": award.factor,
        "amount": total,
        "fund": fund,
        "reason_encrypted": sealed.seal(award.hard_reason),
        "explanation": explanation,
    }
    await session.execute(insert(Decision), [row])
    await stages.open_stages(
        session, application, award.stages, fund=fund, officer=officer, on=today
    )
    await writing.change(
        session,
        application,
        state=State.APPROVED.value,
        papers_due_on=owed.on if owed else None,
        papers_due_provisional=bool(owed and owed.provisional),
    )
    detail = {"level": level.value, "factor": f"{award.factor:.2f}", "amount": f"{total:.2f}"}
    await writing.step(session, caller, application, "approved", today, detail=detail)


async def refuse(
    session: AsyncSession, caller: Caller, application_id: UUID, reason: str, *, level: Level
) -> None:
    """Refuse an application in writing; its notice, where one runs, is taken back.

    Raises NotFound, Refused listing every fault, Conflict (``application_decided``).
    """
    application = await held(session, caller, application_id)
    today, officer = clock.today(), officer_of(caller)
    case = await _case(session, application, today)
    faults = rules.decider_faults(case, level=level, officer=officer)
    if case.state.decided:
        faults = [fault("", "application_decided", "该申请已作出决定")]
    if not reason.strip():
        faults.append(fault("reason", "reason_missing", "不予救助须以文字写明理由"))
    writing.refuse_if(faults)
    row = _row(application, State.REFUSED, level, today, officer) | {
        "factor": None,
        "amount": Decimal(0),
        "fund": None,
        "reason_encrypted": sealed.seal(reason),
        "explanation": explain(
            case, None, cause=Cause(application["cause"]), level=level, decided_on=today, award=None
        ),
    }
    await session.execute(insert(Decision), [row])
    await announcing.withdraw_open(session, application)
    await writing.change(session, application, state=State.REFUSED.value)
    detail = {"level": level.value}
    await writing.step(session, caller, application, "refused", today, detail=detail)


async def _case(session: AsyncSession, application: RowMapping, today: date) -> Case:
    given = await queries.given_in(
        session, application["household_id"], application["cause"], today.year
    )
    return replace(await queries.case_of(session, application), given_this_year=given)


async def _terms(session: AsyncSession, application: RowMapping, today: date) -> Terms:
    return await queries.terms(
        session, application["division_code"], on=today, applied_on=application["applied_on"]
    )


async def _papers(
    session: AsyncSession, application: RowMapping, terms: Terms, today: date
) -> Deadline | None:
    """Until when papers must follow; None where help is not urgent or none is missing."""
    known = {Paper(each["kind"]) for each in application["papers"]}
    if application["kind"] != Kind.URGENT.value or known.issuperset(AFTERWARDS):
        return None
    return papers_due(today, terms, await workdays.load(session))


def _row(
    application: RowMapping, outcome: State, level: Level, today: date, officer: str
) -> dict[str, Any]:
    return {
        "decision_id": identity.new_id(),
        "application_id": application["application_id"],
        "household_id": application["household_id"],
        "division_code": application["division_code"],
        "cause": application["cause"],
        "outcome": outcome.value,
        "level": level.value,
        "decided_on": today,
        "decided_by": officer,
        "recorded_at": clock.now(),
    }
