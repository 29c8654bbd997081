"""Whether a household has enough to live on and is insured against illness (C8; C13, C14).

Two of the guarantees that a household must have before it is lifted. What is not known is not
judged: None says so, and the registry then asks rather than lifts.
"""

from collections.abc import Sequence
from datetime import date
from typing import Protocol

from services.relief.dibao.rules import MONTHS_A_YEAR, Line, counted_income, decide
from services.relief.schedules.rules import figure_on, governing, runs
from shared.contracts.registry import Category, FactPeriod
from shared.money import ZERO


def has_enough_to_live_on(
    periods: Sequence[FactPeriod], lines: Sequence[Line], month: date, *, tekun_reckoned: bool
) -> bool | None:
    """Whether income and grant of ``month`` reach the line for all who count (C8, R10, R25).

    Tekun have it once their standard is reckoned, for that is at least 1.3 lines; until then, as
    before the first period and without an approved line, None. Example: L = 1,150, n = 1, income
    6,000 a year (500 a month): with the grant of 650 met; the same household as ``dibao_marginal``,
    which has no grant: not met.
    """
    found = governing(sorted(periods, key=lambda period: period.valid_from), month, Category.DIBAO)
    line = figure_on(sorted(lines, key=lambda line: line.valid_from), month)
    if found is None:
        return None
    period, basis = found
    if period.category is Category.TEKUN and runs(period, month):
        return tekun_reckoned or None
    if line is None:
        return None
    grant = decide(month, period, basis, line).amount or ZERO
    yearly = counted_income(period.incomes) + grant * MONTHS_A_YEAR
    return yearly >= line.value * period.n * MONTHS_A_YEAR


class Insured(Protocol):
    """A member as far as insurance goes."""

    @property
    def counted(self) -> bool:
        """Whether he counts into n."""
        ...

    @property
    def insured(self) -> bool | None:
        """Whether he is insured; None where nobody knows."""
        ...


def is_insured(members: Sequence[Insured]) -> bool | None:
    """Whether every member who counts has basic medical insurance (section 5, lift criteria).

    None where somebody's insurance is not known and nobody is known to have none. Example: one of
    three not insured -> False; two insured and one unknown -> None.
    """
    known = [member.insured for member in members if member.counted]
    if False in known:
        return False
    return None if None in known or not known else True
