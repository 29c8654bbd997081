"""A decision told again: as JSON that recomputes to the same decision years later, and as Chinese
sentences a citizen can check with a pencil (C57; PIPL art. 24 on explaining automated decisions).
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from services.relief.dibao.rules import (
    MONTHS_A_YEAR,
    Decision,
    Line,
    Reason,
    counted_income,
)
from services.relief.schedules.telling import (
    Step,
    day,
    document,
    figure_as_json,
    figure_from_json,
    money,
    steps_as_json,
)
from shared.contracts.registry import FactPeriod, Incomes, RuleSet

INCOME_KINDS = {
    "wage": "工资性收入",
    "business": "经营净收入",
    "property": "财产净收入",
    "transfer": "转移净收入",
}
NOTHING_OWED = {
    Reason.LIFTED: "家庭已脱贫，且没有继续享受政策的期限，停发低保金。",
    Reason.EXITED: "家庭已退出帮扶，且没有继续享受政策的期限，停发低保金。",
    Reason.CLOSED: "家庭档案已注销，停发低保金。",
    Reason.NOT_ASSISTED: "家庭尚未认定为帮扶对象，不发低保金。",
    Reason.NOT_DIBAO: "家庭不属于低保对象，不发低保金。",
}


def explain(decision: Decision) -> dict[str, Any]:
    """The decision's facts, line, steps and text as JSON. ``read`` gives the same decision back."""
    steps = steps_as_json(_steps(decision))
    return {
        "rule_set": decision.rule_set.value,
        "clauses": ["R9", "R10", "R13"],
        "period": decision.period.model_dump(mode="json"),
        "basis": decision.basis.model_dump(mode="json"),
        "line": None if decision.line is None else figure_as_json(decision.line),
        "steps": steps,
        "text": "".join(step["text"] for step in steps),
    }


def read(stored: Mapping[Any, Any]) -> Decision:
    """The decision of a stored grant (its row as a mapping), from the facts kept with it."""
    kept = stored["explanation"]
    period = FactPeriod.model_validate(kept["period"])
    same = kept["basis"] == kept["period"]
    return Decision(
        from_month=stored["from_month"],
        amount=stored["amount"],
        entitled=stored["entitled"],
        reason=Reason(stored["reason"]),
        rule_set=RuleSet(kept["rule_set"]),
        period=period,
        basis=period if same else FactPeriod.model_validate(kept["basis"]),
        line=None if kept["line"] is None else figure_from_json(kept["line"]),
    )


def _steps(decision: Decision) -> Iterator[Step]:
    month = decision.from_month
    begins = f"自{month.year}年{month.month}月起执行。"
    if not decision.entitled:
        since = day(decision.period.valid_from)
        yield "stopped", Decimal(0), f"{since}起，{NOTHING_OWED[decision.reason]}{begins}"
        return
    yield from _household_steps(decision)
    if decision.line is None:
        text = "当地该月尚无经批准的低保标准，金额待标准批准后计算。"
        yield "standard_missing", None, text + begins
        return
    yield from _amount_steps(decision, decision.line, begins)


def _household_steps(decision: Decision) -> Iterator[Step]:
    basis = decision.basis
    people = f"{day(basis.valid_from)}起，家庭属低保对象，核定人口{basis.n}人。"
    yield "people", Decimal(basis.n), people
    if not decision.period.state.on_assistance and decision.period.keep_policy_until is not None:
        until = day(decision.period.keep_policy_until)
        yield "kept", None, f"家庭已脱贫或退出，政策保留至{until}，按原核定情况继续发放。"


def _amount_steps(decision: Decision, line: Line, begins: str) -> Iterator[Step]:
    people, income = decision.basis.n, counted_income(decision.basis.incomes)
    need = line.value * people * MONTHS_A_YEAR
    standard = f"低保标准每人每月{money(line.value)}元，{day(line.valid_from)}起执行，"
    standard += f"{document(line)}。"
    yield "line", line.value, standard
    yield "income", income, f"全年计入收入{money(income)}元：{_incomes(decision.basis.incomes)}。"
    full = f"{money(line.value)}元×{people}人×{MONTHS_A_YEAR}个月={money(need)}元"
    if income >= need:
        text = f"全年保障标准{full}，收入不低于保障标准，本户不发低保金。"
        yield "amount", Decimal(0), text + begins
        return
    gap = need - income
    yield "need", need, f"全年保障标准{full}。"
    yield "gap", gap, f"全年差额{money(need)}元-{money(income)}元={money(gap)}元。"
    amount = decision.amount or Decimal(0)
    rounding = f"{money(gap)}元÷{MONTHS_A_YEAR}个月，不足一元的按一元计"
    yield "amount", amount, f"{rounding}，每月发放{money(amount)}元。{begins}"


def _incomes(incomes: Incomes) -> str:
    parts = []
    for kind, name in INCOME_KINDS.items():
        value: Decimal = getattr(incomes, kind)
        loss = f"（亏损{money(-value)}元，按0元计）" if value < 0 else ""
        parts.append(f"{name}{money(max(value, Decimal(0)))}元{loss}")
    return "、".join(parts)
