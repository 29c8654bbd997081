"""When a household is due for review: by what kind of household it is (R28). Pure."""

from datetime import date
from decimal import Decimal
from enum import StrEnum

from services.registry.households.facts import Facts
from services.registry.means.facts import Case, Finding, MeansParameters, Person
from services.registry.means.members import able_to_work
from shared import clock
from shared.contracts.registry import Category, Member, RuleSet, Work


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
_BY_CATEGORY = {
    Category.TEKUN: Kind.TEKUN,
    Category.EXPENDITURE_BASED: Kind.EXPENDITURE,
    Category.GROUP_4600: Kind.GROUP_4600,
}
_AWAY = frozenset({Work.MIGRANT_IN_COUNTY, Work.MIGRANT_IN_PROVINCE, Work.MIGRANT_OUT_OF_PROVINCE})
_A_YEAR = 12
_LONGEST = {
    (RuleSet.LS2016, Kind.STABLE): 6,
    (RuleSet.LS2016, Kind.UNSTABLE): 3,
    (RuleSet.CN2021, Kind.UNSTABLE): 6,
    (RuleSet.CN2025, Kind.UNSTABLE): 6,
}
"""Months that the law allows between two reviews [N12 33; N21 31]; all else a year. Every household
counts as rural: N12 asks for urban ones of unsteady income to be seen monthly."""


def cycle_key(kind: Kind) -> str:
    """The parameter with the months between two reviews of this kind."""
    return f"review_cycle.{kind.value}"


def kind_of(case: Case, finding: Finding) -> Kind:
    """What kind of household it is.

    Example: dibao with nobody able to work: STEADY; all who are able have a steady income: STABLE;
    one of them has none: UNSTABLE.
    """
    if finding.primary in _BY_CATEGORY:
        return _BY_CATEGORY[finding.primary]
    counted = {each.person_id for each in finding.counted if each.counts}
    able = [
        who
        for who in case.members
        if who.person_id in counted and able_to_work(who, finding.decided_on)
    ]
    if not able:
        return Kind.STEADY
    steady = all(who.steady_income and not who.unproven_income for who in able)
    return Kind.STABLE if steady else Kind.UNSTABLE


def next_review(kind: Kind, rule_set: RuleSet, parameters: MeansParameters, from_day: date) -> date:
    """The day by which the next review is due: a county may look sooner than the law, never later.

    Example: unstable, decided 2016-11-10 (LS2016): 2017-02-10, even where the county says yearly;
    decided 2023-11-10 (CN2021): 2024-05-10. Raises MissingParameterError.
    """
    return due_after(kind, rule_set, parameters[cycle_key(kind)].value, from_day)


def due_after(kind: Kind, rule_set: RuleSet, months: Decimal, from_day: date) -> date:
    """``next_review`` with the county's months given. Example: 12 months, unstable, LS2016: 3."""
    longest = _LONGEST.get((rule_set, kind), _A_YEAR)
    return clock.add_months(from_day, min(longest, int(months)))


def kind_on_file(facts: Facts, on: date) -> Kind:
    """What kind of household it is as far as its file tells, where nobody declared more.

    Steady earnings are not on a file: only who works away from home counts as fairly stable; who
    farms, works by the day, is out of work or whose work is unknown makes the household unstable,
    so that it is seen sooner rather than later. Example: dibao, a father who works in another
    county: STABLE; one who farms: UNSTABLE; nobody able to work: STEADY.
    """
    if facts.category in _BY_CATEGORY:
        return _BY_CATEGORY[facts.category]
    able = [each for each in facts.members if each.counted and able_to_work(_as_person(each), on)]
    if not able:
        return Kind.STEADY
    return Kind.STABLE if all(each.work in _AWAY for each in able) else Kind.UNSTABLE


def _as_person(member: Member) -> Person:
    return Person(
        person_id=member.person_id,
        relation=member.relation,
        birth_date=member.birth_date,
        labor_ability=member.labor_ability,
        school_stage=member.school_stage,
    )
