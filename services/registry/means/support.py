"""What is reckoned, not declared: support by obligors and imputed earnings (R6, R7). Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from services.registry.means import keys
from services.registry.means.facts import Case, MeansParameters, Obligor, Step
from services.registry.means.members import able_to_work
from shared.money import ZERO, yuan


@dataclass(frozen=True, slots=True)
class Added:
    """Yuan over the window, unrounded, and the steps that tell them."""

    amount: Decimal
    steps: tuple[Step, ...]


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


def support(
    case: Case, counted: Collection[UUID], parameters: MeansParameters, window: int
) -> Added:
    """What all obligors owe those who count, each obligor in a step of its own."""
    told = [_owed(one, counted, parameters, window) for one in case.obligors]
    return Added(sum((amount for amount, _ in told), ZERO), tuple(step for _, step in told))


def _owed(
    one: Obligor, counted: Collection[UUID], parameters: MeansParameters, window: int
) -> tuple[Decimal, Step]:
    line, k, rate = (
        parameters[key] for key in (keys.DIBAO_LINE, keys.SUPPORT_K, keys.SUPPORT_RATE)
    )
    threshold = k.value * line.value
    month = support_payment(one, line.value, k=k.value, rate=rate.value)
    here = sum(parent in counted for parent in one.supports)
    amount = month * here * window
    step = Step(
        code="support",
        title="赡养、抚养、扶养费",
        words=f"{_how(one, threshold, rate.value, month)}；计入{here}人、{window}个月，"
        f"共{yuan(amount)}元",
        numbers={
            "per_capita_month": one.per_capita_month,
            "threshold": threshold,
            "obligor_n": Decimal(one.n),
            "supported_parents": Decimal(one.supported_parents),
            "month": month,
            "people": Decimal(here),
            "support": amount,
        },
        source="N21 第13条",
        used=(line, k, rate),
    )
    return amount, step


def _how(one: Obligor, threshold: Decimal, rate: Decimal, month: Decimal) -> str:
    if one.ordered is not None:
        return f"按判决或协议每人每月{yuan(month)}元"
    if one.unable is not None:
        return "义务人无履行义务能力，不计"
    income = yuan(one.per_capita_month)
    if one.per_capita_month <= threshold:
        return f"义务人家庭人均月收入{income}元，不高于{yuan(threshold)}元，不计"
    return (
        f"（义务人家庭人均月收入{income}元−{yuan(threshold)}元）×{one.n}人×{rate.normalize():f}"
        f"÷被赡养{one.supported_parents}人＝每人每月{yuan(month)}元"
    )


def imputed(
    case: Case, counted: Collection[UUID], parameters: MeansParameters, window: int, on: date
) -> Added:
    """What those able to work whose income nobody can prove are taken to earn (R7).

    An officer may take it away with a reason, and never does it hold of a child, of the old or of
    whoever cannot work. Example: wage 1,380, coefficient 0.7: 966 a month.
    """
    removed = {one.person_id for one in case.removals}
    people = sum(
        who.unproven_income
        and who.person_id in counted
        and who.person_id not in removed
        and able_to_work(who, on)
        for who in case.members
    )
    amount, steps = _taken_to_earn(people, parameters, window) if people else (ZERO, ())
    return Added(amount, (*steps, *_removals(case)))


def _taken_to_earn(
    people: int, parameters: MeansParameters, window: int
) -> tuple[Decimal, Sequence[Step]]:
    wage, share = parameters[keys.MINIMUM_WAGE], parameters[keys.LABOR_COEFFICIENT]
    amount = wage.value * share.value * people * window
    step = Step(
        code="imputed",
        title="推定收入",
        words=(
            f"有劳动能力而无法核实收入的成员{people}人，每月按最低工资{yuan(wage.value)}元"
            f"×{share.value.normalize():f}推定，{window}个月共{yuan(amount)}元；"
            "经办人可说明理由予以取消"
        ),
        numbers={"people": Decimal(people), "imputed": amount},
        source="N22",
        used=(share, wage),
    )
    return amount, (step,)


def _removals(case: Case) -> Sequence[Step]:
    return [
        Step(
            code="imputed_removed",
            title="取消推定收入",
            words=f"经办人{one.officer_id}取消一名成员的推定收入：{one.reason}",
            source="N22",
        )
        for one in case.removals
    ]
