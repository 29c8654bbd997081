"""How much temporary assistance, decided by whom and on what (C18, C19; R22, R23, R29). Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from shared.contracts.notices import NoticeOutcome
from shared.errors import Fault
from shared.money import CENT, ZERO, yuan

ADULT_YEARS = 18
"""Nobody younger applies, for the applicant's name is printed on a notice (ZJ 55)."""


class Kind(StrEnum):
    """URGENT 急难型 is paid first and papered afterwards; EXPENDITURE 支出型 is announced first."""

    URGENT = "urgent"
    EXPENDITURE = "expenditure"


class Cause(StrEnum):
    """What happened to the household."""

    FIRE = "fire"
    ACCIDENT = "accident"
    ILLNESS = "illness"
    SCHOOLING = "schooling"
    DISASTER = "disaster"
    OTHER = "other"


class State(StrEnum):
    """How far an application has come."""

    ACCEPTED = "accepted"
    OPINED = "opined"
    ON_NOTICE = "on_notice"
    APPROVED = "approved"
    REFUSED = "refused"

    @property
    def decided(self) -> bool:
        """Whether nothing more can be decided."""
        return self in {State.APPROVED, State.REFUSED}


class Level(StrEnum):
    """Who decides: the township by delegation (SA 48; ZJ 40), or the county."""

    TOWNSHIP = "township"
    COUNTY = "county"


class Form(StrEnum):
    """How a stage is given; goods count with their fair value."""

    CASH = "cash"
    GOODS = "goods"


class ReferredTo(StrEnum):
    """Where a household is sent on to (转介) for what temporary assistance cannot do."""

    CHARITY = "charity"
    MEDICAL_ASSISTANCE = "medical_assistance"
    EDUCATION = "education"
    HOUSING = "housing"
    EMPLOYMENT = "employment"
    OTHER = "other"


class ReferralOutcome(StrEnum):
    """What came of it."""

    HELPED = "helped"
    DECLINED = "declined"
    NO_ANSWER = "no_answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One approved figure that a decision rests on, and the document that it stands in."""

    key: str
    value: Decimal
    valid_from: date
    document_number: str
    division_code: str
    sample: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """All figures of a decision's day. ``line``: dibao line of the decision month, yuan a month.

    ``line_applied`` is that of the month of application, shown beside it (golden cases: the line of
    the decision month pays).
    """

    line: Term
    line_applied: Term | None
    factor_max: Term
    factor_special: Term
    township_limit: Term
    per_year: Term
    paper_days: Term


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One instalment: ``amount`` in yuan, when it is due; ``words`` say which goods."""

    form: Form
    amount: Decimal
    due_on: date
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Award:
    """What is to be given; ``hard_reason`` makes it a specially hard case (R22)."""

    factor: Decimal
    hard_reason: str | None
    stages: Sequence[Stage]

    def staged(self, total: Decimal, today: date) -> "Award":
        """The same with its stages; where none are named, all of it in cash today."""
        whole = Stage(form=Form.CASH, amount=total, due_on=today)
        return self if self.stages else replace(self, stages=(whole,))


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """The notice of an application as it stands. ``factor`` is what was announced."""

    factor: Decimal
    outcome: NoticeOutcome | None
    last_day: date | None
    closed_on: date | None

    @property
    def decidable_from(self) -> date | None:
        """The first day on which a decision may follow; None while it runs or led to nothing.

        Example: last day 2 November, closed on the 3rd: the 3rd (R29).
        """
        if self.outcome is None or not self.outcome.allows_decision or self.last_day is None:
            return None
        return max(self.last_day + timedelta(days=1), self.closed_on or self.last_day)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An application as it is decided on: what it is, who did what, and what came of its notice.

    ``given_this_year``: how often the household was helped for this cause in the calendar year.
    """

    kind: Kind
    state: State
    persons: int
    applied_on: date
    entered_by: str
    checked_by: frozenset[str] = frozenset()
    opinion_by: str | None = None
    announced: Announced | None = None
    given_this_year: int = 0
    repeat_signed_by: frozenset[str] = frozenset()


def amount(line: Decimal, factor: Decimal, persons: int) -> Decimal:
    """``L x factor x persons`` in yuan (R22; ZJ 39). Example: 600, 3, 4 persons -> 7,200.00."""
    return yuan(line * factor * persons)


def factor_faults(factor: Decimal, hard_reason: str | None, terms: Terms) -> list[Fault]:
    """A factor is at most ``temp.factor_max``, of a specially hard case ``temp.factor_special``.

    Examples (6 and 12): 6.00 passes, 6.01 needs a reason; with one 12.00 passes, 12.01 never.
    """
    if factor <= 0:
        return [fault("factor", "factor_not_positive", "救助倍数须大于零")]
    if hard_reason is not None and not hard_reason.strip():
        return [fault("hard_reason", "hard_reason_missing", "特别困难须以文字写明理由")]
    limit = terms.factor_max if hard_reason is None else terms.factor_special
    if factor <= limit.value:
        return []
    if hard_reason is None and factor <= terms.factor_special.value:
        message = f"救助倍数{factor}超过{limit.value},属特别困难的须写明理由"
        return [fault("factor", "factor_over_max", message)]
    return [fault("factor", "factor_over_special", f"救助倍数不得超过{limit.value}")]


def stage_faults(stages: Sequence[Stage], total: Decimal, today: date) -> list[Fault]:
    """The stages are each worth something, none is due in the past, and they add up to the fen.

    Example: 7,200 in 3,000 and 4,200; with 4,199.99 refused as ``stages_do_not_add_up``.
    """
    faults = []
    for at, stage in enumerate(stages):
        where = f"stages/{at}"
        if stage.amount < CENT:
            faults.append(fault(f"{where}/amount", "amount_not_positive", "金额须大于零"))
        if stage.due_on < today:
            faults.append(fault(f"{where}/due_on", "due_in_the_past", "发放日期不能早于今天"))
        if stage.form is Form.GOODS and not stage.words.strip():
            faults.append(fault(f"{where}/words", "goods_unnamed", "发放实物须写明品名和数量"))
    come_to = sum((stage.amount for stage in stages), ZERO)
    if come_to != total:
        message = f"各期合计{come_to:.2f}元,与核定救助金额{total:.2f}元不符"
        faults.append(fault("stages", "stages_do_not_add_up", message))
    return faults


def approval_faults(
    case: Case, award: Award, terms: Terms, *, level: Level, officer: str, today: date
) -> list[Fault]:
    """All that speaks against an approval (R22, R23): sum, stages, who signs, what must precede.

    Example: urgent, 2,000.00 by the township: none; 2,000.01: ``over_township_limit``.
    """
    if case.state.decided:
        return [fault("", "application_decided", "该申请已作出决定")]
    total = amount(terms.line.value, award.factor, case.persons)
    faults = factor_faults(award.factor, award.hard_reason, terms)
    faults += stage_faults(award.stages, total, today)
    faults += decider_faults(case, level=level, officer=officer)
    if level is Level.TOWNSHIP and total > terms.township_limit.value:
        message = f"核定{total:.2f}元,超过乡镇审批限额{terms.township_limit.value:.2f}元,报县级审批"
        faults.append(fault("factor", "over_township_limit", message))
    if case.kind is Kind.EXPENDITURE:
        faults += _announcement_faults(case, award.factor, today)
    return faults + _year_faults(case, terms, officer)


def decider_faults(case: Case, *, level: Level, officer: str) -> list[Fault]:
    """Who checked, gave the opinion or entered a case does not decide it (R29, split of roles)."""
    faults = []
    if level is Level.TOWNSHIP and case.kind is Kind.EXPENDITURE:
        faults.append(fault("", "decided_by_county", "支出型临时救助由县级审批"))
    if officer in case.checked_by:
        faults.append(fault("", "surveyor_decides", "调查人员不得审批同一申请"))
    if officer in {case.opinion_by, case.entered_by}:
        faults.append(fault("", "same_officer", "登记人和出具意见人不得审批同一申请"))
    return faults


def _announcement_faults(case: Case, factor: Decimal, today: date) -> list[Fault]:
    if case.opinion_by is None:
        return [fault("", "opinion_missing", "须先由乡镇出具初审意见")]
    if case.announced is None or case.state is not State.ON_NOTICE:
        return [fault("", "notice_missing", "须先公示七日;请乡镇出具同意意见后公示")]
    if case.announced.outcome is None:
        return [fault("", "notice_running", "公示尚未结束")]
    first_day = case.announced.decidable_from
    if first_day is None:
        return [fault("", "notice_failed", "公示异议成立或公示未能张贴,须重新出具意见并公示")]
    faults = []
    if today < first_day:
        faults.append(fault("", "notice_running", f"公示期满后方可审批,最早{first_day}"))
    if factor > case.announced.factor:
        message = f"倍数高于公示的{case.announced.factor},须重新出具意见并公示"
        faults.append(fault("factor", "factor_over_announced", message))
    return faults


def _year_faults(case: Case, terms: Terms, officer: str) -> list[Fault]:
    if case.given_this_year < terms.per_year.value or case.repeat_signed_by - {officer}:
        return []
    message = (
        f"本年度同一原因已救助{case.given_this_year}次,规定为{terms.per_year.value.normalize():f}次;"
        "确需再次救助的,须由另一名经办人签署特殊理由"
    )
    return [fault("", "year_exhausted", message)]


def opinion_faults(
    case: Case, *, favourable: bool, factor: Decimal | None, words: str, officer: str
) -> list[Fault]:
    """The township gives its opinion on an ordinary case, after the check and by another officer.

    Given anew only before the notice, or after a notice that carries no decision.
    """
    if case.state.decided:
        return [fault("", "application_decided", "该申请已作出决定")]
    if case.kind is Kind.URGENT:
        return [fault("", "urgent_needs_no_opinion", "急难型直接审批,不需初审意见和公示")]
    faults = []
    if case.announced is not None and case.state is State.ON_NOTICE:
        ended = case.announced.outcome
        if ended is None or ended.allows_decision:
            faults.append(fault("", "opinion_on_notice", "已公示,不能再次出具意见"))
    if not case.checked_by:
        faults.append(fault("", "check_missing", "须先入户调查或核对支出"))
    if officer in case.checked_by | {case.entered_by}:
        faults.append(fault("", "same_officer", "登记人和调查人员不得出具意见"))
    if favourable and factor is None:
        faults.append(fault("factor", "factor_missing", "同意救助须写明倍数"))
    if not words.strip():
        faults.append(fault("words", "words_missing", "须以文字写明意见"))
    return faults


def application_faults(
    *,
    happened_on: date,
    applied_on: date,
    words: str,
    persons: Sequence[object],
    applicant_born: date | None,
    today: date,
) -> list[Fault]:
    """All that speaks against taking an application in, but for whose household it is."""
    faults = []
    if not happened_on <= applied_on:
        faults.append(fault("happened_on", "after_application", "发生日期不能晚于申请日期"))
    if applied_on > today:
        faults.append(fault("applied_on", "in_the_future", "申请日期不能晚于今天"))
    if not words.strip():
        faults.append(fault("words", "words_missing", "须以文字写明困难情形"))
    if len(set(persons)) != len(persons):
        faults.append(fault("person_ids", "person_twice", "救助对象不能重复"))
    if applicant_born is None:
        message = "申请人不是在册成员的,须填写其出生日期"
        faults.append(fault("applicant_birth_date", "birth_date_missing", message))
    elif not is_adult(applicant_born, today):
        message = "申请人须为成年人,未成年人由监护人申请"
        faults.append(fault("applicant_person_id", "applicant_minor", message))
    return faults


def is_adult(born: date, on: date) -> bool:
    """Whether somebody has turned 18 by a day. Example: born 2008-05-17, adult on 2026-05-17."""
    return (on.year - born.year) - ((on.month, on.day) < (born.month, born.day)) >= ADULT_YEARS


def payment_faults(
    *, approved_by: str, approved_on: date, officer: str, paid_on: date, today: date
) -> list[Fault]:
    """A stage is confirmed as paid by another officer than who approved it, on a day since then."""
    faults = []
    if officer == approved_by:
        faults.append(fault("", "same_officer", "审批人不得确认发放,请由其他经办人确认"))
    if not approved_on <= paid_on <= today:
        message = f"发放日期须在{approved_on}至{today}之间"
        faults.append(fault("paid_on", "paid_on_impossible", message))
    return faults


def fault(where: str, code: str, message: str) -> Fault:
    """A fault of the body's field ``where``; "" is the whole body."""
    return Fault(f"#/{where}" if where else "#", code, message)
