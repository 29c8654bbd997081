"""Whether a household fits a category: dibao, marginal, expenditure-based, 4600 (R9, R15–R19).

Pure. Every boundary is tried to the fen on the rounded per-capita figure; which side the boundary
itself belongs to is a parameter.
"""

from dataclasses import dataclass
from decimal import Decimal

from services.registry.checks.rules import G4600_INDEX, G4600_LINE
from services.registry.means import keys
from services.registry.means.assets import Held
from services.registry.means.facts import Case, MeansParameters, Reason, Step
from services.registry.means.income import MONTHS_A_YEAR, Reckoned, per_head
from shared.contracts.registry import RuleSet
from shared.money import ZERO, yuan

Result = tuple[tuple[Reason, ...], Step]
"""What speaks against the category, and the step that tells it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the tests of all categories rest on."""

    case: Case
    parameters: MeansParameters
    rule_set: RuleSet
    income: Reckoned
    narrow: Held
    wider: Held


def dibao(known: Known) -> Result:
    """Income a head and month below L, and assets pass (R9; [SA 9], [ZJ 9]).

    Example: L = 600: 600.00 no, 599.99 yes.
    """
    line = known.parameters[keys.DIBAO_LINE]
    strict = known.parameters.holds(keys.DIBAO_STRICT)
    month = known.income.per_capita_month
    below = month < line.value if strict else month <= line.value
    found = [] if below else [Reason(code="income_not_below_line", sentence=_NOT_BELOW)]
    found += known.narrow.hits
    step = Step(
        code="dibao",
        title="最低生活保障",
        words=_compare(
            "人均月收入", month, "低于" if strict else "不高于", line.value, holds=below
        ),
        numbers={"per_capita_month": month, "line": line.value},
        source="SA 第9条；ZJ 第9条",
        used=(line,),
    )
    return tuple(found), step


_NOT_BELOW = "人均月收入不低于低保标准"


def marginal(known: Known, *, is_dibao: bool) -> Result:
    """Not dibao, income up to 1.5 L but no more than the minimum wage, wider assets (R15).

    Example: L = 600: 900.00 in, 900.01 out. L = 1,000, wage 1,380: the limit is 1,380.
    """
    line, ratio = known.parameters[keys.DIBAO_LINE], known.parameters[keys.MARGINAL_RATIO]
    used = [line, ratio]
    limit = yuan(line.value * ratio.value)
    if known.parameters.holds(keys.MARGINAL_CAPPED):
        wage = known.parameters[keys.MINIMUM_WAGE]
        used.append(wage)
        limit = min(limit, wage.value)
    inclusive = known.parameters.holds(keys.MARGINAL_INCLUSIVE)
    month = known.income.per_capita_month
    inside = month <= limit if inclusive else month < limit
    found = [Reason(code="is_dibao", sentence="已符合低保条件")] if is_dibao else []
    if not inside:
        found.append(Reason(code="income_over_marginal", sentence="人均月收入超过低保边缘上限"))
    found += known.wider.hits
    step = Step(
        code="marginal",
        title="低保边缘",
        words=_compare("人均月收入", month, "不高于" if inclusive else "低于", limit, holds=inside),
        numbers={"per_capita_month": month, "limit": limit},
        source="ZJ 第13条；N21 第8条",
        used=tuple(used),
    )
    return tuple(found), step


def rigid_total(case: Case) -> Decimal:
    """Rigid expenses of the window less what was reimbursed; none is less than nothing (R17)."""
    return sum((max(ZERO, one.amount - one.reimbursed) for one in case.rigid), ZERO)


def expenditure(known: Known, *, is_dibao: bool, is_marginal: bool) -> Result:
    """Expenditure-based poverty by the law of the day (R17, R18).

    Example, R17: n = 4, income 48,000, rigid 30,000, L = 600: 375 < 600, eligible; with 12,000
    reimbursed 625, refused. R18: 30/48 = 62.5 % passes at 60 %. The income is that before what is
    deducted on request (R5), so that no bill counts twice.
    """
    found = []
    if is_dibao:
        found.append(Reason(code="is_dibao", sentence="已符合低保条件"))
    if known.rule_set is RuleSet.CN2025:
        more, step = _rigid_share(known, is_marginal=is_marginal)
    else:
        more, step = _after_rigid(known, is_marginal=is_marginal)
    return (*found, *more, *known.wider.hits), step


def _after_rigid(known: Known, *, is_marginal: bool) -> Result:
    parameters, case, income = known.parameters, known.case, known.income
    line, least = parameters[keys.DIBAO_LINE], parameters[keys.RIGID_MONTHS]
    rigid = rigid_total(case)
    rest = per_head(income.whole - rigid, income.n, window=income.window)
    tests = {
        "not_local": (case.local_hukou, "不是本地户籍"),
        "income_after_rigid": (rest < line.value, "扣除刚性支出后人均月收入不低于低保标准"),
        "not_long_term": (case.rigid_months >= least.value, "刚性支出持续时间不足"),
    }
    used = [line, least]
    if parameters.holds(keys.RIGID_CEILING):
        ceiling = parameters[keys.DISPOSABLE_INCOME]
        used.append(ceiling)
        below = income.per_capita_year <= ceiling.value
        tests["income_over_ceiling"] = (below, "人均年收入高于上年度人均可支配收入")
    if parameters.holds(keys.EXCLUDE_MARGINAL):
        tests["is_marginal"] = (not is_marginal, "已符合低保边缘条件")
    step = Step(
        code="expenditure",
        title="支出型贫困",
        words=(
            f"（收入{yuan(income.whole)}元−刚性支出{yuan(rigid)}元）÷{income.window}个月÷{income.n}人；"
            + _compare(
                "扣除刚性支出后人均月收入", rest, "低于", line.value, holds=rest < line.value
            )
        ),
        numbers={"income": income.whole, "rigid": rigid, "rest_month": rest},
        source="ZJ 第41条",
        used=tuple(used),
    )
    return _failed(tests), step


def _rigid_share(known: Known, *, is_marginal: bool) -> Result:
    parameters, income = known.parameters, known.income
    ceiling, ratio = parameters[keys.DISPOSABLE_INCOME], parameters[keys.RIGID_RATIO]
    rigid = rigid_total(known.case)
    enough = rigid > income.whole * ratio.value
    tests = {
        "is_marginal": (not is_marginal, "已符合低保边缘条件"),
        "income_over_ceiling": (
            income.per_capita_year < ceiling.value,
            "人均年收入不低于上年度人均可支配收入",
        ),
        "rigid_share_too_small": (enough, "刚性支出占家庭收入的比例未超过规定"),
    }
    step = Step(
        code="expenditure",
        title="刚性支出困难",
        words=(
            f"家庭收入{yuan(income.whole)}元×{ratio.value.normalize():f}；"
            + _compare("刚性支出", rigid, "高于", yuan(income.whole * ratio.value), holds=enough)
        ),
        numbers={"income": income.whole, "rigid": rigid, "ratio": ratio.value},
        source="RG 第4条",
        used=(ceiling, ratio),
    )
    return _failed(tests), step


def group_4600(known: Known) -> Result:
    """Net income a head and year within 4,600 × index, and a way into the roster (R19).

    Example: 4,600.00 in, 4,600.01 out; nobody new comes in but as returned or by the office.
    """
    case, parameters = known.case, known.parameters
    line, index = parameters[G4600_LINE], parameters[G4600_INDEX]
    limit, year = yuan(line.value * index.value), known.income.per_capita_year
    inclusive = parameters.holds(keys.G4600_INCLUSIVE)
    inside = year <= limit if inclusive else year < limit
    tests = {
        "income_over_4600": (inside, "人均年纯收入超过原4600元标准"),
        "not_on_roster": (
            case.frozen_roster or case.returned or case.office_decision,
            "不在2015年底原4600元以下农户名册，也未经返贫或扶贫部门认定",
        ),
    }
    step = Step(
        code="group_4600",
        title="原4600元以下",
        words=_compare("人均年收入", year, "不高于" if inclusive else "低于", limit, holds=inside),
        numbers={"per_capita_year": year, "limit": limit, "months": Decimal(MONTHS_A_YEAR)},
        source="P；扶贫部门动态管理",
        used=(line, index),
    )
    return _failed(tests), step


def _failed(tests: dict[str, tuple[bool, str]]) -> tuple[Reason, ...]:
    return tuple(
        Reason(code=code, sentence=sentence)
        for code, (holds, sentence) in tests.items()
        if not holds
    )


def _compare(what: str, value: Decimal, relation: str, limit: Decimal, *, holds: bool) -> str:
    ends = "符合" if holds else "不符合"
    return f"{what}{value:.2f}元，须{relation}{limit:.2f}元：{ends}"
