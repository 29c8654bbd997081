"""Rates and yearly incomes as the reports state them (C7, C9), as tables."""

from datetime import date
from decimal import Decimal

import pytest

from services.registry.households.history import Entry
from services.registry.reports import rules
from shared.contracts.registry import Incomes
from tests.registry.lifecycle.judged import accepted


@pytest.mark.parametrize(
    ("returned", "tracked", "rate"),
    [
        (0, 0, None),
        (0, 3, "0.0000"),
        (1, 3, "0.3333"),
        (2, 3, "0.6667"),
        (3, 3, "1.0000"),
        (1, 20_000, "0.0001"),
        (1, 20_001, "0.0000"),
    ],
)
def test_a_rate_of_nobody_is_none(returned: int, tracked: int, rate: str | None) -> None:
    assert rules.rate(returned, tracked) == (Decimal(rate) if rate else None)


def entry(day: str, wage: str, business: str = "0") -> Entry:
    incomes = Incomes(wage=Decimal(wage), business=Decimal(business))
    return Entry(date.fromisoformat(day), accepted(incomes=incomes))


def test_three_years_and_a_fall() -> None:
    timeline = (
        entry("2024-03-01", "8000"),
        entry("2024-12-31", "9000"),
        entry("2025-06-01", "12000"),
        entry("2026-01-01", "11999.99"),
    )
    years = rules.series(timeline, today=date(2026, 11, 25))

    assert [(each.year, each.a_head, each.falls) for each in years] == [
        (2024, Decimal("9000.00"), False),
        (2025, Decimal("12000.00"), False),
        (2026, Decimal("11999.99"), True),
    ]
    assert [each.change for each in years] == [None, Decimal(3000), Decimal("-0.01")]


def test_a_loss_takes_nothing_from_the_wages_and_the_same_is_no_fall() -> None:
    timeline = (entry("2025-03-01", "8000", "-5000"), entry("2026-03-01", "8000"))
    years = rules.series(timeline, today=date(2026, 11, 25))

    assert [(each.a_head, each.falls) for each in years] == [(Decimal("8000.00"), False)] * 2


def test_nobody_who_counts_has_no_income_a_head() -> None:
    (member,) = accepted().members
    nobody = accepted(members=(member.model_copy(update={"counted": False}),))
    timeline = (Entry(date(2025, 3, 1), nobody), entry("2026-03-01", "8000"))
    years = rules.series(timeline, today=date(2026, 11, 25))

    assert [(each.a_head, each.change) for each in years] == [
        (None, None),
        (Decimal("8000.00"), None),
    ]


def test_what_is_to_come_is_no_year_yet() -> None:
    years = rules.series((entry("2026-03-01", "1"),), today=date(2026, 3, 1))
    assert [each.year for each in years] == [2026]
    assert rules.series((), today=date(2026, 3, 1)) == ()
