"""What a household is owed under dibao (低保), month by month: C11, C13, C25; R9, R10, R13.

The schedule is a pure function of the household's fact periods and of the approved lines of its
division. An event that came twice, late or not at all therefore changes nothing in the end.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from shared.clock import next_month
from shared.contracts.registry import Category, FactPeriod, Incomes, RuleSet, State
from shared.money import ZERO, round_up_to_yuan

MONTHS_A_YEAR = 12
_COUNTY = len("331124")


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One approved dibao line, in yuan a person a month, from ``valid_from`` until the next."""

    parameter_id: UUID
    value: Decimal
    valid_from: date
    document_number: str
    division_code: str
    sample: bool = False


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


def month_from(day: date) -> date:
    """The first month whose first day is not before ``day``. Example: 2026-01-02 -> 2026-02-01."""
    return day if day.day == 1 else next_month(day)


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


def is_kept(period: FactPeriod, month: date) -> bool:
    """Whether measures go on after lifting or exit: ``keep_policy_until`` reaches into the month.

    Example: lifted, kept until 2026-06-01: June is still paid, July is not.
    """
    return (
        period.state in {State.LIFTED, State.EXITED}
        and period.keep_policy_until is not None
        and period.keep_policy_until >= month
    )


def stop_reason(period: FactPeriod, month: date) -> Reason | None:
    """Why nothing is owed for the month, or None where dibao runs (R9's category, C25's stop).

    Example: lifted on 2026-03-31 without kept policy -> ``lifted`` from April on.
    """
    if period.category is not Category.DIBAO:
        return Reason.NOT_DIBAO
    if period.state.on_assistance or is_kept(period, month):
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


def governing(periods: Sequence[FactPeriod], month: date) -> tuple[FactPeriod, FactPeriod] | None:
    """The period that governs a month and the one reckoned with; None before the first (R13).

    A month is governed by the last period that began before its first day: decided on the 31st,
    paid from the next day on; stopped on the 1st, that month is still paid. Kept policy goes on
    with the facts of the last period on dibao, for the income that lifted a household would
    otherwise end at once what is to be kept. ``periods`` ascend.
    """
    begun = [period for period in periods if period.valid_from < month]
    if not begun:
        return None
    last = begun[-1]
    if not is_kept(last, month):
        return last, last
    on_dibao = (
        earlier
        for earlier in reversed(begun)
        if earlier.state.on_assistance and earlier.category is Category.DIBAO
    )
    return last, next(on_dibao, last)


def line_on(lines: Sequence[Line], month: date) -> Line | None:
    """The line in force on the first day of a month (C11). ``lines`` ascend by ``valid_from``.

    Example: a new line from 1 January pays January, one from 2 January pays February.
    """
    in_force = [line for line in lines if line.valid_from <= month]
    return in_force[-1] if in_force else None


def turning_months(periods: Iterable[FactPeriod], lines: Iterable[Line]) -> list[date]:
    """Every month in which the decision may differ from the month before, ascending."""
    months = {month_from(line.valid_from) for line in lines}
    for period in periods:
        months.add(next_month(period.valid_from))
        if period.keep_policy_until is not None:
            months.add(next_month(period.keep_policy_until))
    return sorted(months)


def rests_on_the_same(one: Decision, other: Decision) -> bool:
    """Whether two decisions differ in nothing but the day they were taken and begin."""
    return (
        (one.amount, one.entitled, one.reason, one.line)
        == (other.amount, other.entitled, other.reason, other.line)
        and one.period.model_copy(update={"valid_from": other.period.valid_from}) == other.period
        and one.basis.model_copy(update={"valid_from": other.basis.valid_from}) == other.basis
    )


def seen_from(periods: Sequence[FactPeriod], division_code: str) -> list[FactPeriod]:
    """The periods with a place only where the household stood in another county, without tags.

    Inside a county it takes its grants along; what another county owed stays that county's. Dibao
    follows the category alone, so what else a household is decides nothing anew.
    """
    home = division_code[:_COUNTY]
    return [
        period.model_copy(update={"division_code": _elsewhere(period, home), "tags": None})
        for period in periods
    ]


def _elsewhere(period: FactPeriod, home: str) -> str | None:
    code = period.division_code
    return code if code and code[:_COUNTY] != home else None


@dataclass(frozen=True, slots=True)
class Place:
    """Whose a decision is: its village, and the first month that another county pays."""

    division_code: str
    until_month: date | None


def places(decisions: Sequence[Decision], home: str) -> list[Place]:
    """Who pays which months: one county each (golden case of a move between counties).

    Example: moved from 331121 to 331102 on 2026-05-14: 331121 pays May, until_month is June, and
    331102 pays from June on.
    """
    found: list[Place] = []
    after: tuple[str, date] | None = None
    for decision in reversed(decisions):
        code = decision.period.division_code or home
        moves = after is not None and after[0][:_COUNTY] != code[:_COUNTY]
        found.append(Place(code, after[1] if after and moves else None))
        after = code, decision.from_month
    return found[::-1]


def schedule(periods: Sequence[FactPeriod], lines: Sequence[Line] | Lines) -> list[Decision]:
    """All decisions of one household, ascending; each holds until the next, the last one openly.

    What says nothing new is merged into what went before it, and nothing is said before the first
    month with a claim. Example: dibao since 2025-03-10, line raised on 2026-01-01, lifted on
    2026-05-04 -> three decisions, from 2025-04, 2026-01 and 2026-06.
    """
    ordered = sorted(periods, key=lambda period: period.valid_from)
    known = lines if isinstance(lines, Lines) else Lines(lines)
    decisions: list[Decision] = []
    for month in turning_months(ordered, known.everywhere()):
        found = governing(ordered, month)
        if found is None:
            continue
        ascending = sorted(known.of(found[0]), key=lambda line: line.valid_from)
        decision = decide(month, *found, line_on(ascending, month))
        if decisions and rests_on_the_same(decisions[-1], decision):
            continue
        if decisions or decision.entitled:
            decisions.append(decision)
    return decisions


@dataclass(frozen=True, slots=True)
class Change:
    """How the stored decisions must change: months to supersede and decisions to write."""

    superseded: tuple[date, ...]
    written: tuple[Decision, ...]


def change(stored: Sequence[Decision], wanted: Sequence[Decision]) -> Change:
    """The least change that makes ``stored`` say what ``wanted`` says; empty where they agree.

    Example: a line raised from July on leaves the decision of April as it is and writes one.
    """
    kept = {decision.from_month: decision for decision in stored}
    new = [decision for decision in wanted if kept.get(decision.from_month) != decision]
    wanted_months = {decision.from_month for decision in wanted}
    replaced = {decision.from_month for decision in new} & kept.keys()
    return Change(tuple(sorted(replaced | (kept.keys() - wanted_months))), tuple(new))
