"""What a household's income comes to (R3–R7): sum first, round once, and every step told. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from services.registry.means import parameters as keys
from services.registry.means.facts import (
    Case,
    CostKind,
    Income,
    IncomeKind,
    Item,
    MeansParameters,
    Obligor,
    Step,
)
from shared.contracts.registry import RuleSet
from shared.money import ZERO, yuan

MONTHS_A_YEAR = 12

_ALWAYS_EXEMPT = frozenset(
    {
        Item.MARTYR_CONSOLATION,
        Item.VETERAN_PENSION,
        Item.FAMILY_PLANNING_AWARD,
        Item.SCHOLARSHIP,
        Item.BRAVERY_AWARD,
        Item.SOCIAL_ASSISTANCE,
    }
)
_EXEMPT_BY_COUNTY = {
    Item.OLD_AGE_ALLOWANCE: keys.EXEMPT_OLD_AGE,
    Item.DISABILITY_SUBSIDY: keys.EXEMPT_DISABILITY,
    Item.EDUCATION_SUBSIDY: keys.EXEMPT_EDUCATION,
}
_PENSION_EXEMPT = (date(2021, 7, 1), date(2025, 12, 31))
"""Between these days the central part of the residents' basic pension is not counted [N21 13]."""

_NETTED_2016 = frozenset({CostKind.INCOME_TAX, CostKind.CONTRIBUTIONS})
_ON_REQUEST = frozenset({CostKind.DISABILITY, CostKind.ILLNESS})


@dataclass(frozen=True, slots=True)
class Reckoned:
    """The income of a window in yuan, unrounded, for ``n`` people; and its steps."""

    total: Decimal
    n: int
    window: int
    steps: tuple[Step, ...]

    @property
    def per_capita_month(self) -> Decimal:
        """Income a head and month, rounded here and nowhere before."""
        return per_head(self.total, self.n, window=self.window)

    @property
    def per_capita_year(self) -> Decimal:
        """Income a head and year, rounded here and nowhere before."""
        return per_head(self.total, self.n, window=self.window, months=MONTHS_A_YEAR)


def per_head(total: Decimal, n: int, *, window: int = MONTHS_A_YEAR, months: int = 1) -> Decimal:
    """A window's total a head over so many months, rounded once (R3).

    Example: 30,000 over 12 months, n = 3: 833.33 a month, 10,000.00 over 12. ``n`` is at least 1.
    """
    return yuan(total * months / (window * n))


def is_exempt(item: Item, parameters: MeansParameters, on: date) -> bool:
    """Whether an income is left out (R4). Example: a scholarship always; 高龄津贴 by the county."""
    if item in _ALWAYS_EXEMPT:
        return True
    if item is Item.BASIC_PENSION:
        return _PENSION_EXEMPT[0] <= on <= _PENSION_EXEMPT[1]
    key = _EXEMPT_BY_COUNTY.get(item)
    return key is not None and parameters.holds(key)


def support_payment(obligor: Obligor, line: Decimal, *, k: Decimal, rate: Decimal) -> Decimal:
    """What an obligor's household is reckoned to pay a parent and month, unrounded (R6).

    Example: 3 people at 2,000, L = 600, k = 1.5, rate = 0.3, two parents: (2,000 − 900) × 3 × 0.3
    / 2 = 495. A court's order or an agreement goes before; who is unable pays nothing.
    """
    if obligor.ordered is not None:
        return obligor.ordered
    if obligor.unable is not None:
        return ZERO
    spare = max(ZERO, obligor.per_capita_month - k * line)
    return spare * obligor.n * rate / obligor.supported_parents


def reckon(
    case: Case,
    counted: Collection[UUID],
    parameters: MeansParameters,
    rule_set: RuleSet,
    on: date,
) -> Reckoned:
    """The income of those who count, over the window (R3–R7). A loss counts as 0, never less.

    Example: wage 30,000, business −5,000, n = 3: 30,000 and 833.33 a head and month.
    """
    window = int(parameters[keys.WINDOW].value)
    declared = [one for one in case.incomes if one.person_id is None or one.person_id in counted]
    exempt = [one for one in declared if is_exempt(one.item, parameters, on)]
    amounts = {kind: _of_kind(declared, exempt, kind) for kind in IncomeKind}
    netted = _netted(case, counted, rule_set)
    amounts[IncomeKind.WAGE] = max(ZERO, amounts[IncomeKind.WAGE] - netted)
    support = _support(case, counted, parameters, window)
    imputed = _imputed(case, counted, parameters, window)
    requested = _costs(case, counted, _ON_REQUEST)
    total = max(ZERO, sum(amounts.values(), ZERO) + support + imputed - requested)
    steps = (
        Step(
            code="income",
            title="家庭收入",
            words=f"核算期{window}个月内各项收入合计，经营亏损按零计，不抵减其他收入",
            numbers={
                **{kind.value: amounts[kind] for kind in IncomeKind},
                "wage_costs": netted,
                "exempt": sum((one.amount for one in exempt), ZERO),
                "support": support,
                "imputed": imputed,
                "deducted": requested,
                "total": total,
            },
            source="N21 第13条" if rule_set is not RuleSet.LS2016 else "N12 第16条",
            used=(parameters[keys.WINDOW],),
        ),
        *_extra_steps(support, imputed, case, parameters),
    )
    return Reckoned(total, len(counted), window, steps)


def _of_kind(declared: Sequence[Income], exempt: Sequence[Income], kind: IncomeKind) -> Decimal:
    kept = [one.amount for one in declared if one.kind is kind and one not in exempt]
    if kind is IncomeKind.BUSINESS:
        return max(ZERO, sum(kept, ZERO))
    return sum((max(ZERO, amount) for amount in kept), ZERO)


def _netted(case: Case, counted: Collection[UUID], rule_set: RuleSet) -> Decimal:
    kinds = {CostKind.EMPLOYMENT}
    if rule_set is RuleSet.LS2016:
        kinds |= _NETTED_2016
    return _costs(case, counted, kinds)


def _costs(case: Case, counted: Collection[UUID], kinds: Collection[CostKind]) -> Decimal:
    return sum(
        (
            one.amount
            for one in case.costs
            if one.kind in kinds and (one.person_id is None or one.person_id in counted)
        ),
        ZERO,
    )


def _support(
    case: Case, counted: Collection[UUID], parameters: MeansParameters, window: int
) -> Decimal:
    line = parameters[keys.DIBAO_LINE].value
    k, rate = parameters[keys.SUPPORT_K].value, parameters[keys.SUPPORT_RATE].value
    return sum(
        (
            support_payment(one, line, k=k, rate=rate)
            * len([parent for parent in one.supports if parent in counted])
            * window
            for one in case.obligors
        ),
        ZERO,
    )


def imputed_persons(case: Case, counted: Collection[UUID]) -> tuple[UUID, ...]:
    """Who is taken to earn something: able, income unproven, not taken away by an officer (R7)."""
    removed = {one.person_id for one in case.removals}
    return tuple(
        who.person_id
        for who in case.members
        if who.unproven_income and who.person_id in counted and who.person_id not in removed
    )


def _imputed(
    case: Case, counted: Collection[UUID], parameters: MeansParameters, window: int
) -> Decimal:
    people = imputed_persons(case, counted)
    if not people:
        return ZERO
    wage = parameters[keys.MINIMUM_WAGE].value
    return parameters[keys.LABOR_COEFFICIENT].value * wage * window * len(people)


def _extra_steps(
    support: Decimal, imputed: Decimal, case: Case, parameters: MeansParameters
) -> tuple[Step, ...]:
    steps = []
    if case.obligors:
        steps.append(
            Step(
                code="support",
                title="赡养、抚养、扶养费",
                words="义务人家庭人均收入超过起算线的部分×人数×比例÷赡养父母数；判决或协议优先",
                numbers={"support": support},
                source="N21 第13条",
                used=(parameters[keys.SUPPORT_K], parameters[keys.SUPPORT_RATE]),
            )
        )
    if imputed:
        steps.append(
            Step(
                code="imputed",
                title="推定收入",
                words="有劳动能力而无法核实收入的成员按最低工资比例推定；经办人可说明理由予以取消",
                numbers={"imputed": imputed},
                source="N22",
                used=(parameters[keys.LABOR_COEFFICIENT], parameters[keys.MINIMUM_WAGE]),
            )
        )
    for one in case.removals:
        words = f"经办人{one.officer_id}取消一名成员的推定收入：{one.reason}"
        steps.append(Step(code="imputed_removed", title="取消推定收入", words=words, source="N22"))
    return tuple(steps)
