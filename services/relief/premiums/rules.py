"""What of a person's yearly contribution is paid for him, and when it may be ordered (C14; R20)."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from services.relief.medical.entitlement import Figure, Figures, Standing, figure_on
from shared.contracts.registry import Category
from shared.money import ZERO, yuan

CONTRIBUTION = "premium.contribution"
RATE = "premium.rate"
_ENROLMENT_MONTH = 10


class Reason(StrEnum):
    """Why a person's contribution is subsidised, or why it is not."""

    SUBSIDISED = "subsidised"
    NOTHING_DUE = "nothing_due"
    PARAMETER_MISSING = "parameter_missing"
    NOT_ASSISTED = "not_assisted"
    LIFTED = "lifted"
    EXITED = "exited"
    CLOSED = "closed"


class ExceptionCode(StrEnum):
    """Why somebody of a household on assistance was not subsidised by a run."""

    SUBSIDISED_ELSEWHERE = "subsidised_elsewhere"
    PARAMETER_MISSING = "parameter_missing"
    NOT_COUNTED = "not_counted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """The share of the contribution that is paid for one category."""

    category: Category
    figure: Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What each member of a household is subsidised with, in yuan, and what it rests on.

    ``rate`` is the best one over the household's category and tags, None where there was none.
    """

    standing: Standing
    contribution: Figure | None
    rates: tuple[Rate, ...]
    rate: Rate | None
    amount: Decimal
    reason: Reason


def subsidy(contribution: Decimal, rate: Decimal) -> Decimal:
    """The contribution times the rate, rounded once to the fen (R20).

    Example: 250 at 0.5 -> 125.00; 250 at 1 -> 250.00.
    """
    return yuan(contribution * rate)


def first_day(year: int) -> date:
    """The day whose figures are the insured year's. Example: 2027 -> 2027-01-01."""
    return date(year, 1, 1)


def enrolment_fault(*, year: int, enrolled_on: date, today: date) -> tuple[str, str] | None:
    """Why a run cannot be ordered for this enrolment date, as code and text; None where it can.

    People enrol in the last quarter before the insured year, those identified since then during
    it ([ZJM 23]). Example: for 2027, 2026-10-01 to 2027-12-31, and no day to come.
    """
    first, last = date(year - 1, _ENROLMENT_MONTH, 1), date(year, 12, 31)
    if not first <= enrolled_on <= last:
        text = f"for {year} people enrol from {first} to {last}, and {enrolled_on} is outside"
        return "enrolment_closed", text
    if enrolled_on > today:
        return "enrolment_to_come", f"{enrolled_on} is to come: who is on assistance is not known"
    return None


def decide(standing: Standing, figures: Figures, year: int) -> Decision:
    """What each member of a household is subsidised with: the best rate of the enrolment date.

    The figures are those in force on the insured year's first day. Of equal rates the first
    category in the notice's order gives its name. Example: contribution 250, marginal 0.5 -> 125;
    the same household still dibao as well on the enrolment date -> 250.
    """
    day = first_day(year)
    contribution = figure_on(figures.get(CONTRIBUTION, ()), day)
    rates = tuple(
        Rate(category=category, figure=figure)
        for category in standing.categories
        if (figure := figure_on(figures.get(f"{RATE}.{category.value}", ()), day))
    )
    return judge(standing, contribution, rates)


def judge(standing: Standing, contribution: Figure | None, rates: tuple[Rate, ...]) -> Decision:
    """The decision on a standing at these figures; what ``decide`` ends in and a stored one again.

    Example: on assistance, but no contribution approved -> 0, ``parameter_missing``.
    """
    best = max(rates, key=lambda rate: rate.figure.value, default=None)
    amount = ZERO
    if standing.without is not None:
        reason = Reason(standing.without.value)
    elif contribution is None or best is None:
        reason = Reason.PARAMETER_MISSING
    else:
        amount = subsidy(contribution.value, best.figure.value)
        reason = Reason.SUBSIDISED if amount else Reason.NOTHING_DUE
    return Decision(
        standing=standing,
        contribution=contribution,
        rates=rates,
        rate=best,
        amount=amount,
        reason=reason,
    )
