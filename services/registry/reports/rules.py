"""Rates and trends as the reports state them (C7, C9). Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from itertools import pairwise
from typing import Literal

from services.registry.households.history import Timeline, facts_at
from services.registry.households.rules import fault, officer_faults
from shared.contracts.registry import Incomes, State
from shared.errors import Fault

FALL_PERCENT = "reports.income_fall_percent"
"""The parameter with the fall of income a head, in percent, that is no alert yet."""
FALL_WORKING_DAYS = "reports.income_fall_working_days"
"""The parameter with the working days within which a fall is looked into."""

WATCHED = frozenset(state for state in State if state.on_assistance) | {State.LIFTED}
"""Whose income is watched: on assistance, or in tracking."""

_CENT = Decimal("0.01")
_RATE = Decimal("0.0001")
_ZERO = Decimal(0)


class GapKind(StrEnum):
    """How a household may be missed (C1)."""

    LEAD_OVERDUE = "lead_overdue"
    HELPER_MISSING = "helper_missing"
    PLAN_MISSING = "plan_missing"
    UNVISITED = "unvisited"
    PREMIUM_UNSUBSIDISED = "premium_unsubsidised"


class FallOutcome(StrEnum):
    """How a fall of income was settled."""

    VISITED = "visited"
    CHECKED = "checked"
    DISMISSED = "dismissed"
    HOUSEHOLD_LEFT = "household_left"


SettledBy = Literal[FallOutcome.VISITED, FallOutcome.CHECKED, FallOutcome.DISMISSED]
"""What an officer may settle a fall with; a household that left settles it by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """How an officer settles a fall of income."""

    outcome: SettledBy
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LookedAt:
    """What was done at the household since its fall was found."""

    visited: bool
    checked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What an income check found: a household's yearly incomes, in yuan."""

    checked_on: date
    incomes: Incomes


@dataclass(frozen=True, slots=True, kw_only=True)
class YearIncome:
    """What a household had in a year, as held on its last day: yuan, and a head.

    ``change`` to the year before, a head; None for the first year, or one after a gap. ``falls``:
    by more than the county puts up with; None where it has set nothing.
    """

    year: int
    incomes: Incomes
    n: int
    a_head: Decimal | None
    change: Decimal | None = None
    falls: bool | None = None


def rate(returned: int, tracked: int) -> Decimal | None:
    """Returned of lifted and tracked, to four places; None where nobody is tracked.

    Example: 1 of 3: 0.3333; 0 of 0: no rate, which is not 0.
    """
    if tracked == 0:
        return None
    return (Decimal(returned) / tracked).quantize(_RATE, ROUND_HALF_UP)


def a_head(total: Decimal, people: int) -> Decimal | None:
    """Yuan a head, rounded once; None of nobody. Example: 100 of 3: 33.33."""
    return (total / people).quantize(_CENT, ROUND_HALF_UP) if people else None


def falls(before: Decimal | None, now: Decimal | None, percent: Decimal) -> bool:
    """Whether income a head fell by more than ``percent`` of what it was (C9). Never without two.

    Example: 12,000 to 11,999.99 falls at 0 percent; 12,000 to 10,800 does not at 10, to 10,799.99
    does. From 0 nothing falls.
    """
    if before is None or now is None or now >= before:
        return False
    return (before - now) * 100 > percent * before


def series(
    timeline: Timeline, checks: Sequence[Measured], *, today: date, percent: Decimal | None
) -> tuple[YearIncome, ...]:
    """The yearly incomes of a household, from its first year to the present one.

    What held on 31 December counts, today's for the present year, by the last word until then: an
    income check, unless the file's incomes were changed on its day or later. ``checks`` in their
    order. A business loss counts as 0 and takes nothing from the wages (R3). Example: 36,000 for
    three, then 30,000 for three: 12,000 a head, then 10,000, which falls by 2,000.
    """
    if not timeline:
        return ()
    found: list[YearIncome] = []
    for year in range(timeline[0].valid_from.year, today.year + 1):
        day = min(date(year, 12, 31), today)
        facts = facts_at(timeline, day)
        if facts is not None:
            known = found[-1].a_head if found else None
            incomes = _incomes_at(timeline, checks, day) or facts.incomes
            found.append(_of_year(year, incomes, facts.n, known, percent))
    return tuple(found)


def settlement_faults(
    settlement: Settlement, since: LookedAt, *, officer_id: str | None
) -> list[Fault]:
    """All that speaks against settling a fall: it takes a visit or a check since, or a reason."""
    faults = officer_faults(officer_id)
    match settlement.outcome:
        case FallOutcome.VISITED if not since.visited:
            faults.append(fault("outcome", "visit_missing", "预警以后尚未登记入户走访"))
        case FallOutcome.CHECKED if not since.checked:
            faults.append(fault("outcome", "check_missing", "预警以后尚未登记收入核查"))
        case FallOutcome.DISMISSED if not settlement.reason.strip():
            faults.append(fault("reason", "reason_missing", "须以文字写明理由"))
    return faults


def _incomes_at(timeline: Timeline, checks: Sequence[Measured], day: date) -> Incomes | None:
    """What the last check until a day found; None where the file has the last word."""
    made = next((each for each in reversed(checks) if each.checked_on <= day), None)
    if made is None or made.checked_on <= _told_on(timeline, day):
        return None
    return made.incomes


def _told_on(timeline: Timeline, day: date) -> date:
    """The last day until ``day`` on which the file's incomes changed."""
    known = [entry for entry in timeline if entry.valid_from <= day]
    changed = (
        entry.valid_from
        for before, entry in reversed(list(pairwise(known)))
        if entry.facts.incomes != before.facts.incomes
    )
    return next(changed, known[0].valid_from)


def _of_year(
    year: int, incomes: Incomes, n: int, before: Decimal | None, percent: Decimal | None
) -> YearIncome:
    kinds = (incomes.wage, incomes.business, incomes.property, incomes.transfer)
    total = sum((max(_ZERO, amount) for amount in kinds), _ZERO)
    now = a_head(total, n)
    return YearIncome(
        year=year,
        incomes=incomes,
        n=n,
        a_head=now,
        change=now - before if now is not None and before is not None else None,
        falls=falls(before, now, percent) if percent is not None else None,
    )


def difference(found: int, *, filed: int, rejected: int) -> int:
    """What the identity of C6 leaves open: found less rejected less filed."""
    return found - rejected - filed
