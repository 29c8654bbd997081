"""The means test: a case, the parameters and a day in; a finding with every step out (C2, C4).

Pure. The law is that of the day of decision (``RuleSet.on``), the line that of the decision's
month; the application's is shown beside it (golden case).
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from uuid import UUID

from services.registry.households.rules import fault
from services.registry.means import categories, income, keys, steps, tekun
from services.registry.means.assets import look_at
from services.registry.means.categories import Known
from services.registry.means.facts import (
    Case,
    Counted,
    Finding,
    IncomeKind,
    MeansParameters,
    Obligor,
    Reason,
    Step,
    Verdict,
)
from services.registry.means.members import counted_members, separate_reasons
from shared.contracts.registry import Category, RuleSet
from shared.errors import Fault
from shared.money import ZERO

PRECEDENCE = (
    Category.TEKUN,
    Category.DIBAO,
    Category.EXPENDITURE_BASED,
    Category.DIBAO_MARGINAL,
    Category.GROUP_4600,
)
"""Which of several categories is the primary one; the rest stay as tags (section 5) [GK]."""


MOST_ENTRIES = 200
"""More of anything than this is no household."""

MOST_YUAN = Decimal(10) ** 11


class ImpossibleCaseError(ValueError):
    """A case that cannot be reckoned; ``faults`` lists all that is wrong with it."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(each.code for each in faults))
        self.faults = tuple(faults)


def case_faults(case: Case) -> list[Fault]:
    """All that makes a case impossible: nobody in it, negative money, people who are not in it.

    Only a business loss may be negative.
    """
    people = {who.person_id for who in case.members}
    faults = _people_faults(case, people)
    for name, amount, may_be_negative in _amounts(case):
        faults += _amount_faults(name, amount, may_be_negative=may_be_negative)
    for name, length in _lengths(case).items():
        if length > MOST_ENTRIES:
            faults.append(fault(name, "too_many", f"最多{MOST_ENTRIES}项"))
    for at, obligor in enumerate(case.obligors):
        faults += _obligor_faults(f"obligors/{at}", obligor)
    for at, removal in enumerate(case.removals):
        if not removal.reason.strip():
            faults.append(fault(f"removals/{at}", "reason_missing", "取消推定收入须说明理由"))
    if case.rigid_months < 0:
        faults.append(fault("rigid_months", "months_negative", "月数不能为负"))
    return faults


def _people_faults(case: Case, people: set[UUID]) -> list[Fault]:
    faults = []
    if not people:
        faults.append(fault("members", "nobody_counts", "家庭没有成员"))
    if len(people) != len(case.members):
        faults.append(fault("members", "person_twice", "同一人只能列一次"))
    if case.separate and len(people) != 1:
        faults.append(fault("members", "separate_is_one", "单独提出申请的只能是一人"))
    for name, person_id in _mentioned(case):
        if person_id not in people:
            faults.append(fault(name, "person_unknown", "所指的人不在家庭成员中"))
    return faults


def _day_faults(case: Case, decided_on: date) -> list[Fault]:
    """What lies in the future of the decision."""
    faults = []
    if case.applied_on > decided_on:
        faults.append(fault("applied_on", "applied_after_decision", "申请日不能晚于决定日"))
    for at, who in enumerate(case.members):
        if who.birth_date > decided_on:
            faults.append(fault(f"members/{at}", "born_after_decision", "出生日不能晚于决定日"))
    return faults


def _obligor_faults(name: str, obligor: Obligor) -> list[Fault]:
    if not (0 < obligor.n <= MOST_ENTRIES and 0 < obligor.supported_parents <= MOST_ENTRIES):
        return [fault(name, "obligor_counts", "人数至少为一")]
    here = len(obligor.supports)
    if not (0 < here == len(set(obligor.supports)) <= obligor.supported_parents):
        words = "被赡养人须逐一列出，不得重复，且不多于被赡养总人数"
        return [fault(name, "obligor_supports", words)]
    return []


def _lengths(case: Case) -> dict[str, int]:
    named = ("members", "incomes", "costs", "obligors", "assets", "rigid", "removals")
    return {name: len(getattr(case, name)) for name in named}


def _amount_faults(name: str, amount: Decimal, *, may_be_negative: bool) -> list[Fault]:
    if not amount.is_finite() or abs(amount) >= MOST_YUAN or amount != round(amount, 2):
        return [fault(name, "amount_not_money", "金额最多两位小数，且须小于一千亿元")]
    if amount < 0 and not may_be_negative:
        return [fault(name, "amount_negative", "金额不能为负")]
    return []


def _amounts(case: Case) -> list[tuple[str, Decimal, bool]]:
    """Every amount with its place; true says that it may be negative."""
    found = [
        (f"incomes/{at}", one.amount, one.kind is IncomeKind.BUSINESS)
        for at, one in enumerate(case.incomes)
    ]
    found += [(f"costs/{at}", one.amount, False) for at, one in enumerate(case.costs)]
    found += [(f"assets/{at}", one.amount, False) for at, one in enumerate(case.assets)]
    for at, one in enumerate(case.rigid):
        found += [(f"rigid/{at}", each, False) for each in (one.amount, one.reimbursed)]
    for at, obligor in enumerate(case.obligors):
        owed = (obligor.per_capita_month, obligor.ordered or ZERO)
        found += [(f"obligors/{at}", each, False) for each in owed]
    return found


def _mentioned(case: Case) -> list[tuple[str, UUID]]:
    found = [(f"incomes/{at}", one.person_id) for at, one in enumerate(case.incomes)]
    found += [(f"costs/{at}", one.person_id) for at, one in enumerate(case.costs)]
    found += [(f"removals/{at}", one.person_id) for at, one in enumerate(case.removals)]
    for at, one in enumerate(case.obligors):
        found += [(f"obligors/{at}", person_id) for person_id in one.supports]
    return [(name, person_id) for name, person_id in found if person_id is not None]


def decide(case: Case, parameters: MeansParameters, decided_on: date) -> Finding:
    """What the law of the day makes of a case (R1–R9, R15–R19, R24). The same in, the same out.

    Raises ImpossibleCaseError listing every fault, MissingParameterError naming the key. Example:
    L = 600, three people with 14,400 a year and no assets: 400.00 a month, dibao.
    """
    faults = case_faults(case) + _day_faults(case, decided_on)
    if faults:
        raise ImpossibleCaseError(faults)
    rule_set = RuleSet.on(decided_on)
    looked = tekun.look(case, parameters, rule_set, decided_on)
    tekun_persons = tuple(who for who, reasons in looked.against.items() if not reasons)
    counted = counted_members(case, rule_set, decided_on, tekun=tekun_persons)
    opening = (
        steps.law(rule_set, decided_on, parameters),
        *looked.steps,
        steps.members(counted),
    )
    if not any(each.counts for each in counted):
        return _without_others(decided_on, counted, tekun_persons, looked.doubts, opening)
    known, reckoned = _known(case, parameters, rule_set, decided_on, counted)
    by_tekun = _tekun_verdict(looked.against, tekun_persons)
    verdicts, more = _verdicts(known, by_tekun, separate_reasons(case, rule_set, decided_on))
    eligible = [one for one in PRECEDENCE if _eligible(verdicts, one)]
    if tekun_persons:  # somebody else remains: the household goes by what they are
        eligible = [*(one for one in eligible if one is not Category.TEKUN), Category.TEKUN]
    doubts = (*looked.doubts, *known.narrow.doubts, *known.wider.doubts)
    return Finding(
        rule_set=rule_set,
        decided_on=decided_on,
        n=reckoned.n,
        counted=counted,
        income=reckoned.total,
        rigid=categories.rigid_total(case),
        per_capita_month=reckoned.per_capita_month,
        per_capita_year=reckoned.per_capita_year,
        verdicts=verdicts,
        tekun_persons=tekun_persons,
        primary=eligible[0] if eligible else None,
        tags=tuple(eligible[1:]),
        doubts=tuple(dict.fromkeys(doubts)),
        steps=(*opening, *more),
    )


def _known(
    case: Case,
    parameters: MeansParameters,
    rule_set: RuleSet,
    on: date,
    counted: Sequence[Counted],
) -> tuple[Known, income.Reckoned]:
    people = {each.person_id for each in counted if each.counts}
    reckoned = income.reckon(case, people, parameters, rule_set, on)
    held = {
        multiple: look_at(case.assets, parameters, n=len(people), multiple=multiple)
        for multiple in (keys.MONEY_DIBAO, keys.MONEY_WIDER)
    }
    known = Known(
        case=case,
        parameters=parameters,
        rule_set=rule_set,
        income=reckoned,
        narrow=held[keys.MONEY_DIBAO],
        wider=held[keys.MONEY_WIDER],
    )
    return known, reckoned


def _verdicts(
    known: Known, by_tekun: Verdict, separate: tuple[Reason, ...]
) -> tuple[tuple[Verdict, ...], list[Step]]:
    dibao, dibao_step = categories.dibao(known)
    is_dibao = not dibao
    marginal, marginal_step = categories.marginal(known, is_dibao=is_dibao)
    expenditure, expenditure_step = categories.expenditure(
        known, is_dibao=is_dibao, is_marginal=not marginal
    )
    group_4600, group_step = categories.group_4600(known)
    against = {
        Category.DIBAO: dibao,
        Category.DIBAO_MARGINAL: marginal,
        Category.EXPENDITURE_BASED: expenditure,
        Category.GROUP_4600: group_4600,
    }
    verdicts = (
        by_tekun,
        *(
            Verdict(category=category, reasons=(*separate, *reasons))
            for category, reasons in against.items()
        ),
    )
    told = [
        *known.income.steps,
        steps.per_head(known.income),
        known.narrow.step,
        known.wider.step,
        dibao_step,
        marginal_step,
        expenditure_step,
        group_step,
    ]
    return verdicts, told


def _tekun_verdict(against: dict[UUID, tuple[Reason, ...]], found: tuple[UUID, ...]) -> Verdict:
    if found:
        return Verdict(category=Category.TEKUN, reasons=())
    reasons = tuple(dict.fromkeys(reason for each in against.values() for reason in each))
    nobody = Reason(code="nobody_applies", sentence="没有成员申请特困人员救助供养")
    return Verdict(category=Category.TEKUN, reasons=reasons or (nobody,))


def _eligible(verdicts: Sequence[Verdict], category: Category) -> bool:
    return next(each for each in verdicts if each.category is category).eligible


def _without_others(
    decided_on: date,
    counted: tuple[Counted, ...],
    tekun_persons: tuple[UUID, ...],
    doubts: tuple[Reason, ...],
    told: tuple[Step, ...],
) -> Finding:
    """The finding where nobody counts but who is tekun. Raises ImpossibleCaseError if none is."""
    if not tekun_persons:
        raise ImpossibleCaseError([fault("members", "nobody_counts", "家庭没有计入人口的成员")])
    nobody = Reason(code="all_tekun", sentence="家庭成员均为特困人员")
    others = [one for one in PRECEDENCE if one is not Category.TEKUN]
    return Finding(
        rule_set=RuleSet.on(decided_on),
        decided_on=decided_on,
        n=0,
        counted=counted,
        income=ZERO,
        rigid=ZERO,
        per_capita_month=ZERO,
        per_capita_year=ZERO,
        verdicts=(
            _tekun_verdict({}, tekun_persons),
            *(Verdict(category=one, reasons=(nobody,)) for one in others),
        ),
        tekun_persons=tekun_persons,
        primary=Category.TEKUN,
        tags=(),
        doubts=doubts,
        steps=told,
    )
