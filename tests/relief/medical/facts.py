"""Made-up bills, figures and standings for medical assistance; tests name only what matters."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from services.relief.medical.entitlement import Figure, Standing
from services.relief.medical.rules import Bill, Case, Terms
from shared.contracts.registry import Category, FactPeriod, Incomes, State
from shared.identity import new_id

DISCHARGED = date(2026, 4, 20)
R20 = {
    Category.TEKUN: ("0", "1", "80000"),
    Category.DIBAO: ("0", "0.7", "80000"),
    Category.DIBAO_MARGINAL: ("2000", "0.6", "80000"),
}
"""Deductible, ratio and yearly cap of R20's defaults."""


def figure(key: str, value: str, valid_from: date = date(2020, 1, 1)) -> Figure:
    return Figure(
        parameter_id=UUID(int=7),
        key=key,
        value=Decimal(value),
        valid_from=valid_from,
        document_number="丽医保〔2020〕7号",
        division_code="331124",
    )


def terms(category: Category = Category.DIBAO, **changes: str) -> Terms:
    deductible, ratio, cap = R20[category]
    values = {"deductible": deductible, "ratio": ratio, "cap": cap} | changes
    kept = {name: figure(f"medical.{name}.{category}", value) for name, value in values.items()}
    return Terms(category=category, **kept)


def bill(cost: str = "60000", **changes: str) -> Bill:
    known = {"off_list": "5000", "basic_paid": "30000", "critical_paid": "8000"} | changes
    return Bill(cost=Decimal(cost), **{name: Decimal(value) for name, value in known.items()})


def plain(base: str) -> Bill:
    """A bill that leaves just this in scope."""
    return Bill(cost=Decimal(base))


def case(given: Bill, *held: Terms, day: date = DISCHARGED, **standing: Any) -> Case:
    categories = tuple(each.category for each in held)
    known: dict[str, Any] = {"since": date(2026, 3, 10), "categories": categories} | standing
    return Case(
        settlement_id=new_id(),
        discharged_on=day,
        bill=given,
        standing=Standing(**known),
        terms=held,
    )


def period(
    valid_from: date,
    category: Category = Category.DIBAO,
    *,
    state: State = State.IDENTIFIED,
    tags: Sequence[Category] | None = (),
    **facts: Any,
) -> FactPeriod:
    known = {"n": 1, "incomes": Incomes(wage=Decimal(6000))} | facts
    kept = None if tags is None else tuple(tags)
    return FactPeriod(valid_from=valid_from, state=state, category=category, tags=kept, **known)
