"""The steps every finding begins with: the law and its lines, who counts, income a head. Pure."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from services.registry.means import keys
from services.registry.means.facts import Counted, MeansParameters, Step
from services.registry.means.income import Reckoned
from shared.contracts.registry import RuleSet
from shared.money import yuan


def law(rule_set: RuleSet, decided_on: date, parameters: MeansParameters) -> Step:
    """Which law holds, and the lines of the decision's and the application's day (golden case)."""
    line, applied = parameters[keys.DIBAO_LINE], parameters.line_applied
    numbers = {"line": line.value}
    words = (
        f"按{decided_on.isoformat()}（决定日）适用的规则{rule_set.value}和"
        f"当月低保标准{yuan(line.value)}元／月计算"
    )
    if applied is not None:
        numbers["line_applied"] = applied.value
        words += f"；申请当月低保标准为{yuan(applied.value)}元／月"
    return Step(
        code="law",
        title="适用规则",
        words=words,
        numbers=numbers,
        source=rule_set.value,
        used=(line,) if applied is None else (line, applied),
    )


def members(counted: Sequence[Counted]) -> Step:
    """How many count, for which reasons, and why the others do not (R1)."""
    inside = [each.reason.sentence for each in counted if each.counts]
    left_out = [each.reason.sentence for each in counted if not each.counts]
    words = f"计入家庭人口{len(inside)}人"
    if inside:
        words += f"（{'、'.join(inside)}）"
    return Step(
        code="members",
        title="家庭成员",
        words="；".join((words, *left_out)),
        numbers={"n": Decimal(len(inside))},
        source="N12 第5条；N21 第7条",
    )


def per_head(reckoned: Reckoned) -> Step:
    """Income a head, a month and a year, from the total (R3)."""
    return Step(
        code="per_head",
        title="人均收入",
        words=(
            f"{yuan(reckoned.total)}元÷{reckoned.window}个月÷{reckoned.n}人"
            f"={reckoned.per_capita_month}元／月，只在最后取舍一次"
        ),
        numbers={
            "per_capita_month": reckoned.per_capita_month,
            "per_capita_year": reckoned.per_capita_year,
        },
        source="N21 第13条",
    )
