"""Which facts govern a month, where it turns, who pays it: the same for every monthly programme.

R13, C11, C25 and the golden case of a move between counties. A schedule is a pure function of what
it is made from, so an event that came twice, late or not at all changes nothing in the end.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from shared.clock import next_month
from shared.contracts.registry import Category, FactPeriod, State

_COUNTY = len("331124")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One approved value of a parameter, from ``valid_from`` until the next, and its document."""

    parameter_id: UUID
    value: Decimal
    valid_from: date
    document_number: str
    division_code: str
    sample: bool = False


class Decision(Protocol):
    """What a schedule is made of: from a month on until the next one, on a period's facts."""

    @property
    def from_month(self) -> date:
        """The first day of the first month."""
        ...

    @property
    def period(self) -> FactPeriod:
        """The facts that govern it."""
        ...

    @property
    def entitled(self) -> bool:
        """Whether there is a claim in it."""
        ...


D = TypeVar("D", bound=Decision)


def month_from(day: date) -> date:
    """The first month whose first day is not before ``day``. Example: 2026-01-02 -> 2026-02-01."""
    return day if day.day == 1 else next_month(day)


def is_kept(period: FactPeriod, month: date) -> bool:
    """Whether measures go on after lifting or exit: ``keep_policy_until`` reaches into the month.

    Example: lifted, kept until 2026-06-01: June is still paid, July is not.
    """
    return (
        period.state in {State.LIFTED, State.EXITED}
        and period.keep_policy_until is not None
        and period.keep_policy_until >= month
    )


def runs(period: FactPeriod, month: date) -> bool:
    """Whether measures of the period's category run in the month: on assistance, or kept."""
    return period.state.on_assistance or is_kept(period, month)


def governing(
    periods: Sequence[FactPeriod], month: date, category: Category
) -> tuple[FactPeriod, FactPeriod] | None:
    """The period that governs a month and the one reckoned with; None before the first (R13).

    A month is governed by the last period that began before its first day: decided on the 31st,
    paid from the next day on; stopped on the 1st, that month is still paid. Kept policy goes on
    with the facts of the last period in ``category``, for the income that lifted a household would
    otherwise end at once what is to be kept. ``periods`` ascend.
    """
    begun = [period for period in periods if period.valid_from < month]
    if not begun:
        return None
    last = begun[-1]
    if not is_kept(last, month):
        return last, last
    of_category = (
        earlier
        for earlier in reversed(begun)
        if earlier.state.on_assistance and earlier.category is category
    )
    return last, next(of_category, last)


def figure_on(figures: Sequence[Figure], month: date) -> Figure | None:
    """The value in force on the first day of a month (C11). ``figures`` ascend by ``valid_from``.

    Example: a new line from 1 January pays January, one from 2 January pays February.
    """
    in_force = [figure for figure in figures if figure.valid_from <= month]
    return in_force[-1] if in_force else None


def turning_months(
    periods: Iterable[FactPeriod], figures: Iterable[Figure], decided_on: Iterable[date] = ()
) -> list[date]:
    """Every month in which the decision may differ from the month before, ascending.

    ``decided_on`` are days of other decisions that count from the month after.
    """
    months = {month_from(figure.valid_from) for figure in figures}
    months |= {next_month(day) for day in decided_on}
    for period in periods:
        months.add(next_month(period.valid_from))
        if period.keep_policy_until is not None:
            months.add(next_month(period.keep_policy_until))
    return sorted(months)


def laid_out(
    months: Iterable[date],
    decide: Callable[[date], D | None],
    says_the_same: Callable[[D, D], bool],
) -> list[D]:
    """The decisions of these months; each holds until the next, the last one openly.

    What says nothing new is merged into what went before it, and nothing is said before the first
    month with a claim. ``months`` ascend. Example: three months decided alike give one decision.
    """
    decisions: list[D] = []
    for month in months:
        decision = decide(month)
        if decision is None or (decisions and says_the_same(decisions[-1], decision)):
            continue
        if decisions or decision.entitled:
            decisions.append(decision)
    return decisions


def seen_from(periods: Sequence[FactPeriod], division_code: str) -> list[FactPeriod]:
    """The periods with a place only where the household stood in another county, without tags.

    Inside a county it takes its grants along; what another county owed stays that county's. These
    programmes follow the category alone, so what else a household is decides nothing anew.
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


@dataclass(frozen=True, slots=True)
class Change(Generic[D]):
    """How the stored decisions must change: months to supersede and decisions to write."""

    superseded: tuple[date, ...]
    written: tuple[D, ...]


def change(stored: Sequence[D], wanted: Sequence[D]) -> Change[D]:
    """The least change that makes ``stored`` say what ``wanted`` says; empty where they agree.

    Example: a line raised from July on leaves the decision of April as it is and writes one.
    """
    kept = {decision.from_month: decision for decision in stored}
    new = [decision for decision in wanted if kept.get(decision.from_month) != decision]
    wanted_months = {decision.from_month for decision in wanted}
    replaced = {decision.from_month for decision in new} & kept.keys()
    return Change(tuple(sorted(replaced | (kept.keys() - wanted_months))), tuple(new))
