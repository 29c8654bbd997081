"""A decision told so that a citizen can check it with a pencil."""

from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest

from services.relief.dibao.explanations import explain
from services.relief.dibao.rules import (
    Line,
    schedule,
)
from shared.contracts.registry import Category, FactPeriod, Incomes, State
from tests.relief.dibao.facts import line, period


def test_the_explanation_can_be_checked_with_a_pencil() -> None:
    facts = period(
        date(2026, 11, 23),
        incomes=Incomes(wage=Decimal(23880), business=Decimal("-5000.50")),
    )
    text = explain(schedule([facts], [line("664")])[0])["text"]
    for part in (
        "2026年11月23日起,家庭属低保对象,核定人口3人".replace(",", "，"),
        "低保标准每人每月664元，2020年1月1日起执行，文件号：丽民〔2020〕1号。",
        "全年计入收入23880元",
        "经营净收入0元（亏损5000.50元，按0元计）",
        "664元×3人×12个月=23904元",
        "23904元-23880元=24元",
        "24元÷12个月，不足一元的按一元计，每月发放2元。",
        "自2026年12月起执行。",
    ):
        assert part in text


def test_a_sample_line_says_so_in_the_explanation() -> None:
    sample = Line(
        parameter_id=UUID(int=9),
        value=Decimal(1150),
        valid_from=date(2026, 1, 1),
        document_number="示例",
        division_code="331124",
        sample=True,
    )
    assert (
        "示例标准，非官方公布" in explain(schedule([period(date(2026, 1, 5))], [sample])[0])["text"]
    )


@pytest.mark.parametrize(
    ("last", "part"),
    [
        (period(date(2026, 5, 4), state=State.LIFTED), "家庭已脱贫，且没有继续享受政策的期限"),
        (period(date(2026, 5, 4), state=State.EXITED), "家庭已退出帮扶"),
        (period(date(2026, 5, 4), category=Category.TEKUN), "家庭不属于低保对象"),
        (
            period(date(2026, 5, 4), state=State.LIFTED, keep_policy_until=date(2027, 1, 1)),
            "政策保留至2027年1月1日",
        ),
        (period(date(2026, 5, 4), income="21600"), "收入不低于保障标准，本户不发低保金"),
    ],
)
def test_every_reason_is_told(last: FactPeriod, part: str) -> None:
    decisions = schedule([period(date(2026, 1, 5)), last], [line()])
    assert part in explain(decisions[1])["text"]


def test_a_missing_standard_is_told() -> None:
    assert "尚无经批准的低保标准" in explain(schedule([period(date(2026, 1, 5))], [])[0])["text"]
