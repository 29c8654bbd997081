"""Shares and scores to the second place, and the days of an appointment on both sides."""

from datetime import date
from decimal import Decimal

import pytest

from services.registry.stewards.rules import (
    MEASURES,
    Appointment,
    Role,
    appointment_faults,
    ending_faults,
    score,
    share,
)

TODAY = date(2026, 6, 10)
WHOLE = {"households": 4, "people": 10} | {
    name: 10 if of == "people" else 4 for name, of in MEASURES.items()
}


@pytest.mark.parametrize(
    ("counted", "of", "percent"),
    [(2, 3, "66.67"), (1, 3, "33.33"), (0, 3, "0.00"), (3, 3, "100.00"), (0, 0, "100.00")],
)
def test_a_share_is_rounded_once(counted: int, of: int, percent: str) -> None:
    assert share(counted, of) == Decimal(percent)


@pytest.mark.parametrize(
    ("missing", "points"),
    [
        ({}, "100.00"),
        ({"id_numbers": 9}, "98.75"),
        (dict.fromkeys(MEASURES, 0), "0.00"),
        ({"households": 0, "people": 0} | dict.fromkeys(MEASURES, 0), "100.00"),
    ],
)
def test_the_score_is_the_mean_of_all_shares(missing: dict[str, int], points: str) -> None:
    assert score(WHOLE | missing) == Decimal(points)


@pytest.mark.parametrize(
    ("appointed_on", "phone", "codes"),
    [
        (TODAY, "13812340000", []),
        (date(2026, 6, 11), None, ["date_in_future"]),
        (TODAY, "abc", ["phone_invalid"]),
    ],
)
def test_what_speaks_against_an_appointment(
    appointed_on: date, phone: str | None, codes: list[str]
) -> None:
    one = Appointment(
        role=Role.LIAISON,
        division_code="331124",
        unit="民政局",
        officer_id="o1",
        name="王",
        appointed_on=appointed_on,
        phone=phone,
    )

    assert [fault.code for fault in appointment_faults(one, today=TODAY)] == codes


@pytest.mark.parametrize(
    ("ended_on", "codes"),
    [
        (date(2026, 6, 1), []),
        (TODAY, []),
        (date(2026, 5, 31), ["ended_before_appointed"]),
        (date(2026, 6, 11), ["date_in_future"]),
    ],
)
def test_the_days_on_which_one_may_end(ended_on: date, codes: list[str]) -> None:
    faults = ending_faults(ended_on, appointed_on=date(2026, 6, 1), today=TODAY)

    assert [fault.code for fault in faults] == codes
