"""Entering an income check: judged by the lines of its day, stored with all it rests on.

A check changes no fact of the household and so publishes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.checks import rules
from services.registry.checks.models import IncomeCheck
from services.registry.checks.rules import Survey, Verdict
from services.registry.deaths import actions as deaths
from services.registry.households import actions as households
from services.registry.households.actions import File, parameter_used
from services.registry.households.facts import Facts
from services.registry.households.history import facts_at
from services.registry.households.refusals import problem_of, refuse_if
from services.registry.standards import queries as standards
from shared import audit, clock, identity, parameters
from shared.auth import Caller
from shared.contracts.registry import Category, Incomes
from shared.errors import Fault
from shared.money import yuan
from shared.parameters import Parameter


@dataclass(frozen=True, slots=True)
class _Lines:
    standard: RowMapping
    g4600: Sequence[Parameter]

    @property
    def g4600_limit(self) -> Decimal | None:
        if not self.g4600:
            return None
        line, index = self.g4600
        return yuan(line.value * index.value)


async def enter(
    session: AsyncSession, caller: Caller, household_id: UUID, survey: Survey
) -> dict[str, Any]:
    """Judge and store a check; gives its row.

    Raises NotFound, Refused listing every fault (``standard_missing`` where no line is known).
    """
    file = await households.lock_one(session, caller, household_id)
    then = facts_at(file.timeline, survey.checked_on)
    faults = rules.survey_faults(
        file.facts, then, survey, officer_id=caller.officer_id, today=clock.today()
    )
    refuse_if(faults)
    if then is None or then.category is None:
        raise ValueError("a household on assistance has facts and a category")
    survey = _in_yuan(survey)
    lines = await _lines(session, then, then.category, survey)
    verdict = rules.judge(
        survey,
        n=then.n,
        category=then.category,
        line=lines.standard["value"],
        g4600_limit=lines.g4600_limit,
    )
    row = _row(caller, file, then, survey) | _judged(lines, verdict)
    await session.execute(insert(IncomeCheck), [row])
    await deaths.end_with_check(session, household_id, survey.checked_on)
    await audit.record(
        session,
        caller,
        action="household.checked",
        subject_type="household",
        subject_id=household_id,
        division_code=file.facts.division_code,
        detail={"check_id": str(row["check_id"]), "passed": verdict.passed},
    )
    return row


async def _lines(session: AsyncSession, then: Facts, category: Category, survey: Survey) -> _Lines:
    """What the check is judged by. Raises Refused naming every line that is missing."""
    on, faults = survey.checked_on, []
    line = await standards.standard_on(session, standards.DIBAO_LINE, then.division_code, on)
    if line is None:
        message = f"{on}本地没有已公布的低保标准,不能核查收入"
        faults.append(Fault(standards.DIBAO_LINE, "standard_missing", message))
    g4600 = []
    for key in (rules.G4600_LINE, rules.G4600_INDEX) if category is Category.GROUP_4600 else ():
        value = await parameters.value_at(session, key, then.division_code, on)
        if value is None:
            message = f"缺少已批准的参数{key},不能核查收入"
            faults.append(Fault(key, "parameter_missing", message))
        else:
            g4600.append(value)
    if faults or line is None:
        raise problem_of(faults)
    return _Lines(line, g4600)


def _in_yuan(survey: Survey) -> Survey:
    amounts = {kind: yuan(amount) for kind, amount in survey.incomes}
    return replace(survey, incomes=Incomes(**amounts))


def _row(caller: Caller, file: File, then: Facts, survey: Survey) -> dict[str, Any]:
    return {
        "check_id": identity.new_id(),
        "household_id": file.household_id,
        "division_code": file.facts.division_code,
        "episode": file.facts.episodes[-1].number,
        "checked_on": survey.checked_on,
        "category": then.category,
        "n": then.n,
        **{f"income_{kind}": amount for kind, amount in survey.incomes},
        "food_and_clothing": survey.food_and_clothing,
        "note": survey.note.strip(),
        "officer_id": caller.officer_id,
        "recorded_at": clock.now(),
    }


def _judged(lines: _Lines, verdict: Verdict) -> dict[str, Any]:
    return {
        "per_capita_month": verdict.per_capita_month,
        "per_capita_year": verdict.per_capita_year,
        "line": lines.standard["value"],
        "standard_id": lines.standard["standard_id"],
        "document_number": lines.standard["document_number"],
        "g4600_limit": lines.g4600_limit,
        "parameters": [parameter_used(each) for each in lines.g4600],
        "passed": verdict.passed,
        "reasons": [shortfall.value for shortfall in verdict.shortfalls],
    }
