"""Who is due which aid in a term, how much, and when a run may be ordered and paid (C36).

Aid by stage is paid per term, half of the year's amount each (policy section 6, Education); all
five categories are eligible.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from shared.clock import add_months
from shared.contracts.registry import Category, FactPeriod, SchoolStage, State
from shared.money import yuan

TERMS_A_YEAR = 2
FUND = "county_education"
TERM_PATTERN = "^20[0-9]{2}-(autumn|spring)$"

Season = Literal["autumn", "spring"]


class Programme(StrEnum):
    """What a term's aid is called."""

    PRESCHOOL_FEE_CUT = "preschool_fee_cut"
    LIVING_SUBSIDY = "living_subsidy"
    NATIONAL_GRANT = "national_grant"


class ExceptionCode(StrEnum):
    """Why a pupil who is due got nothing in a run."""

    PARAMETER_MISSING = "parameter_missing"
    STAGE_UNKNOWN = "stage_unknown"
    AIDED_AT_OTHER_STAGE = "aided_at_other_stage"


@dataclass(frozen=True, slots=True)
class StageAid:
    """The programme of a stage and the parameter with its yearly amount in yuan."""

    programme: Programme
    key: str


AID_BY_STAGE: Mapping[SchoolStage, StageAid] = {
    SchoolStage.PRESCHOOL: StageAid(Programme.PRESCHOOL_FEE_CUT, "edu.fee_cut.preschool"),
    SchoolStage.PRIMARY: StageAid(Programme.LIVING_SUBSIDY, "edu.living_subsidy.primary"),
    SchoolStage.JUNIOR: StageAid(Programme.LIVING_SUBSIDY, "edu.living_subsidy.junior"),
    SchoolStage.SENIOR: StageAid(Programme.NATIONAL_GRANT, "edu.grant.senior"),
    SchoolStage.VOCATIONAL: StageAid(Programme.NATIONAL_GRANT, "edu.grant.vocational"),
    SchoolStage.JUNIOR_COLLEGE: StageAid(Programme.NATIONAL_GRANT, "edu.grant.college"),
    SchoolStage.COLLEGE: StageAid(Programme.NATIONAL_GRANT, "edu.grant.college"),
}


@dataclass(frozen=True, slots=True)
class Term:
    """A school term: autumn from 1 September, spring from 1 February, each until the next one."""

    year: int
    season: Season

    @property
    def start(self) -> date:
        """Its first day, which is also the first day of its first month."""
        return date(self.year, 9, 1) if self.season == "autumn" else date(self.year, 2, 1)

    @property
    def end(self) -> date:
        """Its last day: 2026-autumn ends on 2027-01-31, 2027-spring on 2027-08-31."""
        following = date(self.year + 1, 2, 1) if self.season == "autumn" else date(self.year, 9, 1)
        return following - timedelta(days=1)

    def __str__(self) -> str:
        return f"{self.year}-{self.season}"


def parse_term(written: str) -> Term:
    """``"2026-autumn"`` as a Term. Raises ValueError for anything else."""
    if re.fullmatch(TERM_PATTERN, written, re.ASCII) is None:
        raise ValueError("write a term as 2026-autumn or 2027-spring")
    year, season = written.split("-")
    return Term(int(year), "autumn" if season == "autumn" else "spring")


def order_fault(term: Term, today: date) -> tuple[str, str] | None:
    """Why a term's run cannot be ordered today, as code and text; None where it can.

    From a month before its first day to its last. Example: 2027-spring may be ordered from
    2027-01-01 to 2027-08-31.
    """
    if term.start > add_months(today, 1):
        return "term_too_early", f"{term} begins on {term.start}: order it in the month before"
    if term.end < today:
        return "term_over", f"{term} ended on {term.end}: what is due since is the next term's"
    return None


def term_amount(a_year: Decimal) -> Decimal:
    """A term's half of a yearly amount, rounded once to the fen.

    Worked example (policy section 6): senior, 2,000 a year -> 1,000.00 a term; 1,250 -> 625.00;
    1,000.01 -> 500.01 (500.005 rounded half up).
    """
    return yuan(a_year / TERMS_A_YEAR)


def due_category(periods: Sequence[FactPeriod], term: Term, today: date) -> Category | None:
    """The category under which a household's pupils are due a term's aid; None where they are not.

    Due on assistance on the term's first day, or lifted or exited with the policy kept until that
    day at least, or on assistance from a later day of the term that has come. Example for
    2026-autumn: lifted on 2026-08-10 and kept until 2026-09-01: due; until 2026-08-31: not; then
    returned on 2026-10-05: due from that day on.
    """
    ordered = sorted(periods, key=lambda period: period.valid_from)
    begun = [period for period in ordered if period.valid_from <= term.start]
    if begun and _entitles(begun[-1], term.start):
        return begun[-1].category
    until = min(today, term.end)
    for period in ordered:
        if term.start < period.valid_from <= until and period.state.on_assistance:
            return period.category
    return None


def payment_fault(
    *, ordered_on: date, ordered_by: str, paid_on: date, officer: str, today: date
) -> tuple[str, str] | None:
    """Why a run cannot be marked as paid, as code and text; None where it can.

    Two people: who ordered a run does not pay it. Example: ordered on 2026-09-02 by o1: o2 may
    mark it paid on 2026-09-02 or any later day that has come, o1 never.
    """
    if officer == ordered_by:
        return "same_officer", "who ordered a run cannot mark it as paid: ask a colleague"
    if not ordered_on <= paid_on <= today:
        return "paid_on_impossible", f"paid_on lies between {ordered_on} and today, {today}"
    return None


def _entitles(period: FactPeriod, on: date) -> bool:
    if period.state.on_assistance:
        return True
    kept = period.keep_policy_until
    return period.state in {State.LIFTED, State.EXITED} and kept is not None and kept >= on
