"""Made-up facts and lines for the rules of dibao; each test names only what matters."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from services.relief.dibao.rules import Decision, Line, Reason
from shared.contracts.registry import Category, FactPeriod, Incomes, State


def period(valid_from: date, **fields: Any) -> FactPeriod:
    given_income = fields.pop("income", "14400")
    return FactPeriod(
        **{
            "valid_from": valid_from,
            "state": State.IDENTIFIED,
            "category": Category.DIBAO,
            "n": 3,
            "incomes": Incomes(wage=Decimal(given_income)),
        }
        | fields
    )


def line(value: str = "600", valid_from: date = date(2020, 1, 1), number: int = 1) -> Line:
    return Line(
        parameter_id=UUID(int=number),
        value=Decimal(value),
        valid_from=valid_from,
        document_number=f"丽民〔{valid_from.year}〕{number}号",
        division_code="331124",
    )


def told(decisions: Sequence[Decision]) -> list[tuple[date, object, Reason]]:
    return [(each.from_month, each.amount, each.reason) for each in decisions]
