"""What a household is owed under dibao (低保), month by month: C11, C13, C25; R9, R10, R13.

The schedule is a pure function of the household's fact periods and of the approved lines of its
division. An event that came twice, late or not at all therefore changes nothing in the end.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum

from services.relief.schedules.rules import (
    Figure,
    figure_on,
    governing,
    laid_out,
    runs,
    turning_months,
)
from shared.contracts.registry import Category, FactPeriod, Incomes, RuleSet, State
from shared.money import ZERO, round_up_to_yuan

MONTHS_A_YEAR = 12

Line = Figure
"""One approved dibao line, in yuan a person a month, from ``valid_from`` until the next."""


class Reason(StrEnum):
    """Why a month is paid, or why it is not."""

    ENTITLED = "entitled"
    KEPT = "kept"
    INCOME_NOT_BELOW_LINE = "income_not_below_line"
    STANDARD_MISSING = "standard_missing"
    LIFTED = "lifted"
    EXITED = "exited"
    CLOSED = "closed"
    NOT_ASSISTED = "not_assisted"
    NOT_DIBAO = "not_dibao"


STOPPED = {State.LIFTED: Reason.LIFTED, State.EXITED: Reason.EXITED, State.CLOSED: Reason.CLOSED}


@dataclass(frozen=True, slots=True)
class Lines:
    """The approved lines where a household stands, and where it stood before, by village."""

    here: Sequence[Line] = ()
    elsewhere: Mapping[str, Sequence[Line]] = field(default_factory=dict)

    def of(self, period: FactPeriod) -> Sequence[Line]:
        """The lines of the place where the household stood in this period."""
        return self.elsewhere.get(period.division_code or "", self.here)

    def everywhere(self) -> list[Line]:
        """All of them, ascending."""
        lines = [*self.here, *(line for each in self.elsewhere.values() for line in each)]
        return sorted(lines, key=lambda line: line.valid_from)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What one household is owed a month from ``from_month`` on, and everything it rests on.

    ``period`` governs; ``basis`` holds the people and incomes that are reckoned with (another
    period only where policy is kept after lifting). ``amount`` is in yuan, None while no line is
    approved. ``line`` is None there and where nothing is owed.
    """

    from_month: date
    amount: Decimal | None
    entitled: bool
    reason: Reason
    rule_set: RuleSet
    period: FactPeriod
    basis: FactPeriod
    line: Line | None

    @property
    def people(self) -> int:
        """How many people the amount is for."""
        return self.basis.n


def counted_income(incomes: Incomes) -> Decimal:
    """A household's yearly income in yuan; a loss of one kind counts 0 and lowers no other (R3).

    Example: wage 12,000, business -5,000 -> 12,000.
    """
    kinds = (incomes.wage, incomes.business, incomes.property, incomes.transfer)
    return sum((max(ZERO, kind) for kind in kinds), ZERO)


def grant_amount(*, line: Decimal, people: int, yearly_income: Decimal) -> Decimal:
    """The monthly grant in whole yuan (R10): max(0, ceil(L*n - income/12)), once a household.

    Everything is kept as twelve months until the one division at the end. Example: L = 664, n = 3,
    income 23,880 a year (1,990 a month) -> 2; divided a head first it would come out as 3.
    """
    gap = line * people * MONTHS_A_YEAR - yearly_income
    return round_up_to_yuan(max(ZERO, gap) / MONTHS_A_YEAR)


def stop_reason(period: FactPeriod, month: date) -> Reason | None:
    """Why nothing is owed for the month, or None where dibao runs (R9's category, C25's stop).

    Example: lifted on 2026-03-31 without kept policy -> ``lifted`` from April on.
    """
    if period.category is not Category.DIBAO:
        return Reason.NOT_DIBAO
    if runs(period, month):
        return None
    return STOPPED.get(period.state, Reason.NOT_ASSISTED)


def decide(month: date, period: FactPeriod, basis: FactPeriod, line: Line | None) -> Decision:
    """What is owed for one month on these facts at this line (R9, R10).

    R9 is strict: income exactly at the line gives nothing. Example: L = 600, n = 3, income 14,400
    a year -> 600; L = 600, n = 1, income 7,200 a year -> 0, ``income_not_below_line``.
    """
    reason = stop_reason(period, month)
    entitled = reason is None
    amount: Decimal | None = ZERO
    if reason is None and line is None:
        amount, reason = None, Reason.STANDARD_MISSING
    elif reason is None and line is not None:
        income = counted_income(basis.incomes)
        amount = grant_amount(line=line.value, people=basis.n, yearly_income=income)
        running = Reason.ENTITLED if period.state.on_assistance else Reason.KEPT
        reason = running if amount else Reason.INCOME_NOT_BELOW_LINE
    return Decision(
        from_month=month,
        amount=amount,
        entitled=entitled,
        reason=reason or Reason.ENTITLED,
        rule_set=RuleSet.on(period.valid_from),
        period=period,
        basis=basis,
        line=line if entitled else None,
    )


def rests_on_the_same(one: Decision, other: Decision) -> bool:
    """Whether two decisions differ in nothing but the day they were taken and begin."""
    return (
        (one.amount, one.entitled, one.reason, one.line)
        == (other.amount, other.entitled, other.reason, other.line)
        and one.period.model_copy(update={"valid_from": other.period.valid_from}) == other.period
        and one.basis.model_copy(update={"valid_from": other.basis.valid_from}) == other.basis
    )


def schedule(periods: Sequence[FactPeriod], lines: Sequence[Line] | Lines) -> list[Decision]:
    """All decisions of one household, ascending; each holds until the next, the last one openly.

    What says nothing new is merged into what went before it, and nothing is said before the first
    month with a claim. Example: dibao since 2025-03-10, line raised on 2026-01-01, lifted on
    2026-05-04 -> three decisions, from 2025-04, 2026-01 and 2026-06.
    """
    ordered = sorted(periods, key=lambda period: period.valid_from)
    known = lines if isinstance(lines, Lines) else Lines(lines)

    def decided(month: date) -> Decision | None:
        found = governing(ordered, month, Category.DIBAO)
        if found is None:
            return None
        ascending = sorted(known.of(found[0]), key=lambda line: line.valid_from)
        return decide(month, *found, figure_on(ascending, month))

    return laid_out(turning_months(ordered, known.everywhere()), decided, rests_on_the_same)
