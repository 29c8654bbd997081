"""Money is ``Decimal`` yuan with two places, rounded once, at the end (policy R3, R10)."""

from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal, InvalidOperation

CENT = Decimal("0.01")
ZERO = Decimal("0.00")


def yuan(value: Decimal | int | str) -> Decimal:
    """``value`` in yuan with two places, rounded half up: ``yuan("833.335")`` is 833.34.

    Floats are refused (TypeError): they cannot hold a fen. Text that is no finite number, or too
    large to carry two places, raises ValueError.
    """
    if isinstance(value, bool | float) or not isinstance(value, Decimal | int | str):
        raise TypeError(f"money is a Decimal, int or text, not {type(value).__name__}")
    try:
        rounded = Decimal(value).quantize(CENT, rounding=ROUND_HALF_UP)
    except InvalidOperation as not_money:
        raise ValueError(f"{value!r} is no amount of money") from not_money
    if not rounded.is_finite():  # NaN quantizes without complaint
        raise ValueError(f"{value!r} is no amount of money")
    return rounded


def round_up_to_yuan(amount: Decimal) -> Decimal:
    """``amount`` rounded up to the whole yuan, kept with two places (R10, ``grant_round``).

    An unrounded reckoning goes in, so that it is rounded only here: 600.01 becomes 601.00,
    600.00 stays. A negative amount goes towards zero; the caller floors it first where R10 says so.
    """
    return amount.to_integral_value(rounding=ROUND_CEILING).quantize(CENT) + ZERO
