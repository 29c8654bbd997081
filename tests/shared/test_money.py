"""Yuan with two places, rounded once."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import money


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("833.335", "833.34"),
        ("833.3349999", "833.33"),
        ("-0.005", "-0.01"),
        ("0.004", "0.00"),
        (0, "0.00"),
        (1150, "1150.00"),
        (Decimal("1e3"), "1000.00"),
    ],
)
def test_yuan_has_two_places_rounded_half_up(value: Decimal | int | str, expected: str) -> None:
    assert str(money.yuan(value)) == expected


@pytest.mark.parametrize("value", [1.1, True, None, b"1"])
def test_what_cannot_hold_a_fen_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        money.yuan(value)  # type: ignore[arg-type] # that is the point


@pytest.mark.parametrize("value", ["", "一千", "NaN", "Infinity", "1e40"])
def test_what_is_no_amount_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="no amount"):
        money.yuan(value)


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        ("600", "600.00"),
        ("600.00", "600.00"),
        ("600.01", "601.00"),
        ("600.000001", "601.00"),
        ("599.99", "600.00"),
        ("0", "0.00"),
        ("-0.5", "0.00"),
        ("-1.5", "-1.00"),
    ],
)
def test_up_to_the_yuan(amount: str, expected: str) -> None:
    assert str(money.round_up_to_yuan(Decimal(amount))) == expected


def test_the_household_form_gives_2_where_the_per_capita_form_gives_3() -> None:
    """R10's trap: a line of 664, three members, 1,990 a month."""
    line, n, income = Decimal(664), 3, Decimal(1990)
    assert money.round_up_to_yuan(line * n - income) == 2
    assert n * money.round_up_to_yuan(line - income / n) == 3


@given(st.decimals("-1e9", "1e9", places=6))
def test_rounding_up_never_takes_and_gives_less_than_a_yuan(amount: Decimal) -> None:
    rounded = money.round_up_to_yuan(amount)
    assert Decimal(0) <= rounded - amount < 1
    assert rounded == money.round_up_to_yuan(rounded)
