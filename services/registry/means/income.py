"""What a household's income comes to (R3–R7): sum first, round once, and every step told. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from services.registry.means import keys
from services.registry.means.facts import (
    Case,
    Cost,
    CostKind,
    Income,
    IncomeKind,
    Item,
    MeansParameters,
    Step,
)
from services.registry.means.support import imputed, support
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
_ITEMS = {
    Item.MARTYR_CONSOLATION: "烈士遗属、因公牺牲军人遗属抚恤金",
    Item.VETERAN_PENSION: "优抚对象抚恤补助",
    Item.FAMILY_PLANNING_AWARD: "计划生育奖励扶助",
    Item.SCHOLARSHIP: "奖学金、助学金",
    Item.BRAVERY_AWARD: "见义勇为奖励",
    Item.SOCIAL_ASSISTANCE: "社会救助款物",
    Item.BASIC_PENSION: "城乡居民基础养老金",
    Item.OLD_AGE_ALLOWANCE: "高龄津贴",
    Item.DISABILITY_SUBSIDY: "残疾人两项补贴",
    Item.EDUCATION_SUBSIDY: "义务教育补助",
}
_KINDS = {
    IncomeKind.WAGE: "工资性收入",
    IncomeKind.BUSINESS: "经营净收入",
    IncomeKind.PROPERTY: "财产净收入",
    IncomeKind.TRANSFER: "转移净收入",
}

_NETTED_2016 = frozenset({CostKind.INCOME_TAX, CostKind.CONTRIBUTIONS})
_ON_REQUEST = frozenset({CostKind.DISABILITY, CostKind.ILLNESS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reckoned:
    """The income of a window in yuan, unrounded, for ``n`` people; and its steps.

    ``whole`` is the income before what is deducted on request (R5).
    """

    total: Decimal
    whole: Decimal
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
    everyone = {None, *counted}  # what names nobody is the household's
    declared = [one for one in case.incomes if one.person_id in everyone]
    costs = [one for one in case.costs if one.person_id in everyone]
    exempt = [one for one in declared if is_exempt(one.item, parameters, on)]
    kept = [one for one in declared if one not in exempt]
    amounts = {kind: _of_kind(kept, kind) for kind in IncomeKind}
    net_wage = _net_wages(kept, [one for one in costs if one.kind in _netted(rule_set)])
    wage_costs = amounts[IncomeKind.WAGE] - net_wage
    amounts[IncomeKind.WAGE] = net_wage
    owed = support(case, counted, parameters, window)
    earned = imputed(case, counted, parameters, window, on)
    whole = sum(amounts.values(), ZERO) + owed.amount + earned.amount
    deducted = min(whole, sum((one.amount for one in costs if one.kind in _ON_REQUEST), ZERO))
    numbers = {
        **{kind.value: amounts[kind] for kind in IncomeKind},
        "wage_costs": wage_costs,
        "exempt": sum((one.amount for one in exempt), ZERO),
        "support": owed.amount,
        "imputed": earned.amount,
        "deducted": deducted,
        "total": whole - deducted,
    }
    step = Step(
        code="income",
        title="家庭收入",
        words=_words(numbers, exempt, window),
        numbers=numbers,
        source="N12 第16条" if rule_set is RuleSet.LS2016 else "N21 第13条",
        used=(parameters[keys.WINDOW],),
    )
    return Reckoned(
        total=whole - deducted,
        whole=whole,
        n=len(counted),
        window=window,
        steps=(*owed.steps, *earned.steps, step),
    )


def _of_kind(kept: Sequence[Income], kind: IncomeKind) -> Decimal:
    return max(ZERO, sum((one.amount for one in kept if one.kind is kind), ZERO))


def _netted(rule_set: RuleSet) -> frozenset[CostKind]:
    employment = frozenset({CostKind.EMPLOYMENT})
    return employment | _NETTED_2016 if rule_set is RuleSet.LS2016 else employment


def _net_wages(kept: Sequence[Income], costs: Sequence[Cost]) -> Decimal:
    """Wages less what it takes to earn them: nobody's costs eat up what another one earns.

    What the household declares as a whole stands in for whoever has no wage of his own on record.
    """
    earned: dict[UUID | None, Decimal] = {}
    spent: dict[UUID | None, Decimal] = {}
    for income in kept:
        if income.kind is IncomeKind.WAGE:
            earned[income.person_id] = earned.get(income.person_id, ZERO) + income.amount
    for cost in costs:
        spent[cost.person_id] = spent.get(cost.person_id, ZERO) + cost.amount
    shared, of_all = earned.pop(None, ZERO), spent.pop(None, ZERO)
    left = {who: earned.get(who, ZERO) - spent.get(who, ZERO) for who in earned | spent}
    own = sum((each for each in left.values() if each > 0), ZERO)
    over = -sum((each for each in left.values() if each < 0), ZERO)
    return max(ZERO, own + max(ZERO, shared - over) - of_all)


def _words(numbers: Mapping[str, Decimal], exempt: Sequence[Income], window: int) -> str:
    parts = [f"{name}{yuan(numbers[kind.value])}元" for kind, name in _KINDS.items()]
    if numbers["wage_costs"]:
        parts[0] += f"（已扣就业成本等{yuan(numbers['wage_costs'])}元）"
    for key, name in (("support", "赡养、抚养、扶养费"), ("imputed", "推定收入")):
        if numbers[key]:
            parts.append(f"{name}{yuan(numbers[key])}元")
    words = f"核算期{window}个月：" + "＋".join(parts)
    if numbers["deducted"]:
        words += f"−申请扣减的残疾、重病支出{yuan(numbers['deducted'])}元"
    words += f"＝{yuan(numbers['total'])}元；经营亏损按零计，不抵减其他收入"
    left_out = [f"{_ITEMS[one.item]}{yuan(one.amount)}元" for one in exempt]
    return words + ("；不计入收入：" + "、".join(left_out) if left_out else "")
