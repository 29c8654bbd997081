"""Rates and trends as the reports state them (C7, C9). Pure."""

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from services.registry.households.facts import Facts
from services.registry.households.history import Timeline, facts_at
from shared.contracts.registry import Incomes

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


@dataclass(frozen=True, slots=True, kw_only=True)
class YearIncome:
    """What a household had in a year, as held on its last day: yuan, and a head.

    ``change`` to the year before, a head; None for the first year, or one after a gap.
    """

    year: int
    incomes: Incomes
    n: int
    a_head: Decimal | None
    change: Decimal | None = None

    @property
    def falls(self) -> bool:
        """Whether income a head fell against the year before (C9)."""
        return self.change is not None and self.change < 0


def rate(returned: int, tracked: int) -> Decimal | None:
    """Returned of lifted and tracked, to four places; None where nobody is tracked.

    Example: 1 of 3: 0.3333; 0 of 0: no rate, which is not 0.
    """
    if tracked == 0:
        return None
    return (Decimal(returned) / tracked).quantize(_RATE, ROUND_HALF_UP)


def series(timeline: Timeline, *, today: date) -> tuple[YearIncome, ...]:
    """The yearly incomes of a household, from its first year to the present one.

    What held on 31 December counts, today's for the present year; a business loss counts as 0 and
    takes nothing from the wages (R3). Example: 36,000 for three, then 30,000 for three: 12,000 a
    head, then 10,000, which falls by 2,000.
    """
    if not timeline:
        return ()
    found: list[YearIncome] = []
    for year in range(timeline[0].valid_from.year, today.year + 1):
        facts = facts_at(timeline, min(date(year, 12, 31), today))
        if facts is not None:
            found.append(_of_year(year, facts, found[-1] if found else None))
    return tuple(found)


def _of_year(year: int, facts: Facts, before: YearIncome | None) -> YearIncome:
    incomes = facts.incomes
    kinds = (incomes.wage, incomes.business, incomes.property, incomes.transfer)
    total = sum((max(_ZERO, amount) for amount in kinds), _ZERO)
    a_head = (total / facts.n).quantize(_CENT, ROUND_HALF_UP) if facts.n else None
    known = before.a_head if before is not None else None
    return YearIncome(
        year=year,
        incomes=incomes,
        n=facts.n,
        a_head=a_head,
        change=a_head - known if a_head is not None and known is not None else None,
    )


def difference(found: int, *, filed: int, rejected: int) -> int:
    """What the identity of C6 leaves open: found less rejected less filed."""
    return found - rejected - filed
