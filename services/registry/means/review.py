"""When a household is due for review: by what kind of household it is (R28). Pure."""

from datetime import date
from enum import StrEnum

from services.registry.means.facts import Case, Finding, Person
from shared import clock
from shared.contracts.registry import Category, LaborAbility


class Kind(StrEnum):
    """The types of household of R28, by which the calendar goes."""

    TEKUN = "tekun"
    STEADY = "steady"
    STABLE = "stable"
    UNSTABLE = "unstable"
    EXPENDITURE = "expenditure"
    GROUP_4600 = "group_4600"

    @property
    def words(self) -> str:
        """As an officer calls it."""
        return _WORDS[self]


_WORDS = {
    Kind.TEKUN: "特困人员",
    Kind.STEADY: "无劳动能力、重病重残且收入稳定的家庭",
    Kind.STABLE: "收入比较稳定的家庭",
    Kind.UNSTABLE: "有劳动能力且收入不稳定的家庭",
    Kind.EXPENDITURE: "支出型贫困家庭",
    Kind.GROUP_4600: "原4600元以下农户",
}
_ABLE = frozenset({LaborAbility.SKILLED, LaborAbility.ORDINARY, LaborAbility.WEAK})


def cycle_key(kind: Kind) -> str:
    """The parameter with the months between two reviews of this kind."""
    return f"review_cycle.{kind.value}"


def kind_of(case: Case, finding: Finding) -> Kind:
    """What kind of household it is.

    Example: dibao with somebody able to work is UNSTABLE unless all income is pensions and the
    like; nobody able to work: STEADY.
    """
    by_category = {
        Category.TEKUN: Kind.TEKUN,
        Category.EXPENDITURE_BASED: Kind.EXPENDITURE,
        Category.GROUP_4600: Kind.GROUP_4600,
    }
    if finding.primary in by_category:
        return by_category[finding.primary]
    counted = {each.person_id for each in finding.counted if each.counts}
    able = [who for who in case.members if who.person_id in counted and _able(who)]
    if not able:
        return Kind.STEADY
    return Kind.UNSTABLE if any(who.unproven_income for who in able) else Kind.STABLE


def next_review(months: int, from_day: date) -> date:
    """The day by which the next review is due. Example: 3 months from 2016-11-10: 2017-02-10."""
    return clock.add_months(from_day, months)


def _able(who: Person) -> bool:
    return who.labor_ability in _ABLE and who.school_stage is None
