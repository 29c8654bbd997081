"""What a household's plan must say, who signs it, and when another one is due (C53, R35). Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from services.registry.households.facts import Facts
from services.registry.households.rules import day_faults, fault, officer_faults
from services.registry.plans.measures import ANSWERS, MeasureKind
from shared.contracts.registry import Category, Cause
from shared.errors import Fault

DRAFT_WORKING_DAYS = "plans.draft_working_days"
"""The parameter with the working days in which a household newly on assistance gets its plan."""
RESULT_MONTH = "plans.result_month"
"""The parameter with the month by whose end last year's result of every plan is entered."""


class PlanState(StrEnum):
    """How far a plan has come. One is in force and one drafted at most, of a household."""

    DRAFT = "draft"
    IN_FORCE = "in_force"
    REPLACED = "replaced"
    ENDED = "ended"


class MeasureState(StrEnum):
    """How far a measure has come."""

    PLANNED = "planned"
    CARRIED_OUT = "carried_out"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One thing to be done against a cause: by whom, for how much (yuan), from when until when."""

    kind: MeasureKind
    cause: Cause
    bureau: str
    officer_id: str
    budget: Decimal
    fund: str
    begins_on: date
    due_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a plan says. ``target_income``: yuan a head and year; land in mu; the rest in words."""

    target_income: Decimal
    arable_mu: Decimal
    forest_mu: Decimal
    words: str
    measures: tuple[Measure, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafted:
    """A draft as it is signed: what it was made for, and who has signed so far."""

    category: Category | None
    causes: Sequence[Cause]
    drafted_by: str
    drafted_on: date
    lead_signed_by: str | None
    agreed_on: date | None


@dataclass(frozen=True, slots=True)
class Period:
    """From when a plan was in force, and until when; None where it still is."""

    approved_on: date
    ended_on: date | None

    def ran_in(self, year: int) -> bool:
        """Whether it was in force on a day of the year.

        Example: approved in 2023 and ended in 2024: in 2023 and 2024, not in 2025.
        """
        return self.approved_on.year <= year and (
            self.ended_on is None or self.ended_on.year >= year
        )


def content_faults(
    facts: Facts, content: Content, *, officer_id: str | None, today: date
) -> list[Fault]:
    """All that speaks against a draft: each measure answers a cause that stands on the file.

    Example: housing against illness: ``measure_answers_not``; a budget of −1: ``amount_negative``.
    """
    faults = officer_faults(officer_id)
    if not facts.state.on_assistance:
        faults.append(fault("", "household_not_assisted", "只为在册家庭制定帮扶方案"))
    for name in ("target_income", "arable_mu", "forest_mu"):
        if getattr(content, name) < 0:
            faults.append(fault(name, "amount_negative", "不能为负数"))
    for at, measure in enumerate(content.measures):
        faults += _measure_faults(facts, measure, f"measures/{at}", today)
    return faults


def _measure_faults(facts: Facts, measure: Measure, where: str, today: date) -> list[Fault]:
    faults = []
    if measure.cause not in facts.causes:
        faults.append(fault(f"{where}/cause", "cause_not_on_file", "档案没有登记该致贫原因"))
    if measure.kind not in ANSWERS[measure.cause]:
        message = "该类措施不针对所填致贫原因"
        faults.append(fault(f"{where}/kind", "measure_answers_not", message))
    if measure.budget < 0:
        faults.append(fault(f"{where}/budget", "amount_negative", "不能为负数"))
    if measure.due_on < max(measure.begins_on, today):
        message = "完成期限不能早于开始日期,也不能早于今天"
        faults.append(fault(f"{where}/due_on", "due_before_beginning", message))
    for name in ("bureau", "officer_id", "fund"):
        if not getattr(measure, name).strip():
            message = "须写明责任单位、责任人和资金来源"
            faults.append(fault(f"{where}/{name}", "text_missing", message))
    return faults


def unplanned(causes: Sequence[Cause], measures: Sequence[Measure]) -> tuple[Cause, ...]:
    """The causes on the file against which the plan does nothing."""
    named = {measure.cause for measure in measures}
    return tuple(cause for cause in causes if cause not in named)


def lead_faults(
    facts: Facts,
    drafted: Drafted,
    measures: Sequence[Measure],
    *,
    lead: str | None,
    officer_id: str | None,
    agreed_on: date,
    today: date,
) -> list[Fault]:
    """All that speaks against the lead helper's signature; ``agreed_on``: the household's word."""
    faults = officer_faults(officer_id) + _outdated(facts, drafted)
    faults += day_faults("agreed_on", agreed_on, today=today)
    if agreed_on < drafted.drafted_on:
        faults.append(fault("agreed_on", "before_draft", "家庭同意日期不能早于方案拟定日期"))
    if lead is None:
        faults.append(fault("", "lead_missing", "该户没有牵头帮扶责任人,请先结对"))
    elif officer_id != lead:
        faults.append(fault("", "not_the_lead", "须由该户牵头帮扶责任人签署"))
    faults += [
        fault("measures", "cause_unplanned", f"致贫原因“{cause}”没有对应措施")
        for cause in unplanned(facts.causes, measures)
    ]
    return faults


def approval_faults(
    facts: Facts,
    drafted: Drafted,
    *,
    lead: str | None,
    officer_id: str | None,
    on: date,
    today: date,
) -> list[Fault]:
    """All that speaks against bringing a plan into force: another officer than helper and drafter.

    Example: signed by h1, drafted by t1: approved by t3, not by h1 nor t1 (``same_officer``); not
    before the household agreed, and not where h1 is not the lead any more.
    """
    faults = officer_faults(officer_id) + _outdated(facts, drafted)
    faults += day_faults("approved_on", on, today=today)
    if drafted.lead_signed_by is None:
        faults.append(fault("", "lead_signature_missing", "牵头帮扶责任人尚未签署"))
    elif drafted.lead_signed_by != lead:
        message = "签署人已不是该户牵头帮扶责任人,须由现任牵头责任人重新签署"
        faults.append(fault("", "lead_changed", message))
    if officer_id in {drafted.lead_signed_by, drafted.drafted_by}:
        message = "拟定人和牵头帮扶责任人不得审批同一方案"
        faults.append(fault("", "same_officer", message))
    if on < drafted.drafted_on:
        faults.append(fault("approved_on", "before_draft", "审批日期不能早于方案拟定日期"))
    elif drafted.agreed_on is not None and on < drafted.agreed_on:
        faults.append(fault("approved_on", "before_agreement", "审批日期不能早于家庭同意日期"))
    return faults


def _outdated(facts: Facts, drafted: Drafted) -> list[Fault]:
    same = (facts.category, tuple(facts.causes)) == (drafted.category, tuple(drafted.causes))
    if same and facts.state.on_assistance:
        return []
    return [fault("", "plan_outdated", "家庭类别、致贫原因或状态已变更,请重新拟定方案")]


def measure_end_faults(
    field: str,
    on: date,
    reason: str | None,
    *,
    begins_on: date,
    officer_id: str | None,
    today: date,
) -> list[Fault]:
    """A measure was carried out or is dropped: signed, not before it began; dropped with reason."""
    faults = officer_faults(officer_id) + day_faults(f"{field}", on, today=today)
    if reason is None and on < begins_on:
        faults.append(fault(field, "before_beginning", "不能早于措施开始日期"))
    if reason is not None and not reason.strip():
        faults.append(fault("reason", "reason_missing", "须以文字写明理由"))
    return faults


def result_faults(
    year: int,
    income: Decimal,
    plans: Sequence[Period],
    *,
    officer_id: str | None,
    today: date,
) -> list[Fault]:
    """A year's result is of a year that has ended and in which a plan was in force.

    Example: in force from 2026-11-20: the result of 2026 may be entered from 2027-01-01.
    """
    faults = officer_faults(officer_id)
    if year >= today.year:
        faults.append(fault("year", "year_not_over", "年度尚未结束"))
    if income < 0:
        faults.append(fault("income", "amount_negative", "不能为负数"))
    if not any(plan.ran_in(year) for plan in plans):
        faults.append(fault("year", "no_plan_that_year", "该年度没有生效的帮扶方案"))
    return faults
