"""Rates and yearly incomes as the reports state them (C7, C9), as tables."""

from datetime import date
from decimal import Decimal

import pytest

from services.registry.households.history import Entry
from services.registry.reports import rules
from services.registry.reports.rules import (
    FallOutcome,
    LookedAt,
    Measured,
    SettledBy,
    Settlement,
)
from shared.contracts.registry import Incomes
from tests.registry.lifecycle.judged import accepted

ANY_FALL = Decimal(0)


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
    years = rules.series(timeline, (), today=date(2026, 11, 25), percent=ANY_FALL)

    assert [(each.year, each.a_head, each.falls) for each in years] == [
        (2024, Decimal("9000.00"), False),
        (2025, Decimal("12000.00"), False),
        (2026, Decimal("11999.99"), True),
    ]
    assert [each.change for each in years] == [None, Decimal(3000), Decimal("-0.01")]


def test_a_loss_takes_nothing_from_the_wages_and_the_same_is_no_fall() -> None:
    timeline = (entry("2025-03-01", "8000", "-5000"), entry("2026-03-01", "8000"))
    years = rules.series(timeline, (), today=date(2026, 11, 25), percent=ANY_FALL)

    assert [(each.a_head, each.falls) for each in years] == [(Decimal("8000.00"), False)] * 2


def test_nobody_who_counts_has_no_income_a_head() -> None:
    (member,) = accepted().members
    nobody = accepted(members=(member.model_copy(update={"counted": False}),))
    timeline = (Entry(date(2025, 3, 1), nobody), entry("2026-03-01", "8000"))
    years = rules.series(timeline, (), today=date(2026, 11, 25), percent=ANY_FALL)

    assert [(each.a_head, each.change) for each in years] == [
        (None, None),
        (Decimal("8000.00"), None),
    ]


def test_what_is_to_come_is_no_year_yet() -> None:
    years = rules.series((entry("2026-03-01", "1"),), (), today=date(2026, 3, 1), percent=ANY_FALL)
    assert [each.year for each in years] == [2026]
    assert rules.series((), (), today=date(2026, 3, 1), percent=ANY_FALL) == ()


@pytest.mark.parametrize(
    ("before", "now", "percent", "falls"),
    [
        ("12000.00", "11999.99", "0", True),
        ("12000.00", "12000.00", "0", False),
        ("12000.00", "12000.01", "0", False),
        ("12000.00", "10800.00", "10", False),
        ("12000.00", "10799.99", "10", True),
        ("12000.00", "0.00", "100", False),
        ("0.01", "0.00", "99.99", True),
        ("0.00", "0.00", "0", False),
        (None, "0.00", "0", False),
        ("12000.00", None, "0", False),
    ],
)
def test_what_falls(before: str | None, now: str | None, percent: str, *, falls: bool) -> None:
    was, held = (Decimal(each) if each else None for each in (before, now))
    assert rules.falls(was, held, Decimal(percent)) is falls


def measured(day: str, wage: str) -> Measured:
    return Measured(checked_on=date.fromisoformat(day), incomes=Incomes(wage=Decimal(wage)))


@pytest.mark.parametrize(
    ("checks", "wages"),
    [
        ((), ("8000", "8000", "9000")),
        ((("2025-06-01", "7000"),), ("8000", "7000", "9000")),
        ((("2024-03-01", "7000"),), ("8000", "8000", "9000")),
        ((("2024-03-02", "7000"),), ("7000", "7000", "9000")),
        ((("2026-05-31", "7000"),), ("8000", "8000", "9000")),
        ((("2026-06-01", "7000"),), ("8000", "8000", "9000")),
        ((("2026-06-02", "7000"),), ("8000", "8000", "7000")),
        ((("2025-06-01", "7000"), ("2025-12-31", "6000")), ("8000", "6000", "9000")),
        ((("2025-06-01", "7000"), ("2026-01-01", "6000")), ("8000", "7000", "9000")),
        ((("2025-06-01", "7000"), ("2025-06-01", "6500")), ("8000", "6500", "9000")),
    ],
)
def test_the_last_word_counts(
    checks: tuple[tuple[str, str], ...], wages: tuple[str, str, str]
) -> None:
    """The file says 8,000 from 2024-03-01, the same once more, and 9,000 from 2026-06-01."""
    timeline = (
        entry("2024-03-01", "8000"),
        entry("2025-07-01", "8000.00"),
        entry("2026-06-01", "9000"),
    )
    years = rules.series(
        timeline,
        [measured(*each) for each in checks],
        today=date(2026, 11, 25),
        percent=None,
    )
    assert tuple(each.incomes.wage for each in years) == tuple(Decimal(wage) for wage in wages)
    assert {each.falls for each in years} == {None}


@pytest.mark.parametrize(
    ("outcome", "reason", "since", "codes"),
    [
        (FallOutcome.VISITED, "", LookedAt(visited=True, checked=False), []),
        (FallOutcome.VISITED, "x", LookedAt(visited=False, checked=True), ["visit_missing"]),
        (FallOutcome.CHECKED, "", LookedAt(visited=False, checked=True), []),
        (FallOutcome.CHECKED, "x", LookedAt(visited=True, checked=False), ["check_missing"]),
        (FallOutcome.DISMISSED, "x", LookedAt(visited=False, checked=False), []),
        (FallOutcome.DISMISSED, " ", LookedAt(visited=True, checked=True), ["reason_missing"]),
    ],
)
def test_what_settles_a_fall(
    outcome: SettledBy, reason: str, since: LookedAt, codes: list[str]
) -> None:
    settlement = Settlement(outcome=outcome, reason=reason)
    faults = rules.settlement_faults(settlement, since, officer_id="t1")
    assert [each.code for each in faults] == codes
    (nobody, *_) = rules.settlement_faults(settlement, since, officer_id=None)
    assert nobody.code == "officer_missing"
