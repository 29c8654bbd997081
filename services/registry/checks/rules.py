"""Whether a household lives above the line, and whether two checks carry a lift (section 5; C4).

A lift asks for income above the line in two checks a half-year apart, and no worry for food and
clothing. Pure; a check is judged by the line of its own day.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from services.registry.households.facts import Facts
from services.registry.households.rules import day_faults, fact_faults, fault, officer_faults
from services.registry.means.income import MONTHS_A_YEAR, per_head
from shared import clock
from shared.contracts.registry import Category, Incomes
from shared.errors import Fault
from shared.money import ZERO

G4600_LINE = "g4600.line"
G4600_INDEX = "g4600.index"
"""The yearly limit of the 4600 group is their product (R19)."""


class Shortfall(StrEnum):
    """Why a check did not pass."""

    NOT_ABOVE_LINE = "income_not_above_line"
    NOT_ABOVE_4600 = "income_not_above_4600"
    FOOD_AND_CLOTHING = "food_and_clothing_missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What an officer found at a household. Incomes are yuan a year, by the four kinds."""

    checked_on: date
    incomes: Incomes
    food_and_clothing: bool
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a check comes to, in yuan a head; it passed where there is no shortfall."""

    per_capita_month: Decimal
    per_capita_year: Decimal
    shortfalls: tuple[Shortfall, ...]

    @property
    def passed(self) -> bool:
        """Whether nothing falls short."""
        return not self.shortfalls


@dataclass(frozen=True, slots=True, kw_only=True)
class PastCheck:
    """A check of the running episode, as a lift looks at it."""

    check_id: UUID
    checked_on: date
    passed: bool
    officer_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What the checks of an episode come to for a lift.

    ``first`` is the earliest check since which all passed, ``second`` the earliest far enough after
    it; ``failed`` says that the newest did not pass; ``officers`` made any of those that passed.
    """

    first: PastCheck | None = None
    second: PastCheck | None = None
    failed: bool = False
    officers: frozenset[str] = frozenset()


def per_capita(incomes: Incomes, n: int, months: int = 1) -> Decimal:
    """Income a head in yuan over so many months of the year (R3): sum first, round once.

    A loss counts as 0 and reduces nothing. Example: wage 30,000, business -5,000, n = 3: 833.33 a
    month, 10,000.00 over 12. ``n`` is at least 1.
    """
    total = sum((max(ZERO, amount) for _, amount in incomes), ZERO)
    return per_head(total, n, months=months)


def judge(
    survey: Survey, *, n: int, category: Category, line: Decimal, g4600_limit: Decimal | None
) -> Verdict:
    """Whether a household passes: strictly above ``line`` a month, fed and clothed (section 5).

    The 4600 group must also be above its yearly limit (R19). Example: L = 1,150, n = 1: 13,800.00 a
    year is 1,150.00 a month and fails, 13,800.12 is 1,150.01 and passes.
    """
    month = per_capita(survey.incomes, n)
    year = per_capita(survey.incomes, n, MONTHS_A_YEAR)
    below_4600 = category is Category.GROUP_4600 and g4600_limit is not None and year <= g4600_limit
    found = {
        Shortfall.NOT_ABOVE_LINE: month <= line,
        Shortfall.NOT_ABOVE_4600: below_4600,
        Shortfall.FOOD_AND_CLOTHING: not survey.food_and_clothing,
    }
    return Verdict(
        per_capita_month=month,
        per_capita_year=year,
        shortfalls=tuple(shortfall for shortfall, holds in found.items() if holds),
    )


def survey_faults(
    now: Facts, then: Facts | None, survey: Survey, *, officer_id: str | None, today: date
) -> list[Fault]:
    """All that speaks against a check of a file as it stands ``now``, and stood on its day.

    Example: identified on 2026-03-20, a check of 2026-03-19 is refused as ``before_episode``.
    """
    if not now.state.on_assistance:
        message = f"档案现为“{now.state}”状态,收入核查只对在帮扶的家庭进行"
        return [fault("", "not_on_assistance", message)]
    faults = officer_faults(officer_id)
    faults += day_faults("checked_on", survey.checked_on, today=today)
    faults += fact_faults({"incomes": survey.incomes})
    if survey.checked_on < now.episodes[-1].identified_on:
        faults.append(fault("checked_on", "before_episode", "核查日期不能早于本轮帮扶的认定日期"))
    elif then is None or then.n < 1:
        faults.append(fault("checked_on", "nobody_counts", "家庭在核查日没有计入人口的成员"))
    return faults


def basis_of(checks: Sequence[PastCheck], months: int) -> Basis:
    """The checks that carry a lift: two that passed at least ``months`` apart, none failed since.

    Example, 6 months: passed on 2026-01-20 and 2026-07-19: no second yet, from 2026-07-20 on.
    Passed in January, failed in April, passed in July: the first is July's.
    """
    ordered = sorted(checks, key=lambda check: (check.checked_on, check.check_id))
    failed = [place for place, check in enumerate(ordered) if not check.passed]
    run = ordered[failed[-1] + 1 :] if failed else ordered
    if not run:
        return Basis(failed=bool(failed))
    due = clock.add_months(run[0].checked_on, months)
    later = [check for check in run if check.checked_on >= due]
    return Basis(
        first=run[0],
        second=later[0] if later else None,
        officers=frozenset(check.officer_id for check in run),
    )
