"""The time limits of an application by law, rule set and step (R29).

The law's limits are upper limits: a county may only shorten them, by the parameter of the same
name. A step that a law gives no time of its own ends with the whole. Pure.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum

from shared.contracts.registry import Category, RuleSet
from shared.workdays import Calendar, Deadline

KEY = "deadline"


class Clock(StrEnum):
    """What has a time limit. ``total`` runs from acceptance to decision; ``special`` is the total
    once a case was taken up again, ``delegated`` the total where the township decides.
    """

    SURVEY = "survey"
    APPRAISAL = "appraisal"
    OPINION = "opinion"
    OBJECTION = "objection"
    DECISION = "decision"
    DELIVERY = "delivery"
    TOTAL = "total"
    SPECIAL = "special"
    DELEGATED = "delegated"


_N21 = {
    Clock.SURVEY: 3,
    Clock.DECISION: 10,
    Clock.DELIVERY: 3,
    Clock.TOTAL: 30,
    Clock.SPECIAL: 45,
    Clock.DELEGATED: 20,
}
LAW: Mapping[RuleSet, Mapping[Clock, int]] = {
    RuleSet.LS2016: {
        Clock.SURVEY: 10,
        Clock.APPRAISAL: 5,
        Clock.OPINION: 15,
        Clock.OBJECTION: 20,
        Clock.DECISION: 5,
        Clock.DELIVERY: 3,
    },
    RuleSet.CN2021: _N21,
    RuleSet.CN2025: _N21,
}
"""Working days (R29): ZJ 11 and N12 13–29; N21 15–21."""

_TK = {Clock.OPINION: 15, Clock.OBJECTION: 15, Clock.DECISION: 15, Clock.DELIVERY: 3}
TEKUN: Mapping[RuleSet, Mapping[Clock, int]] = {RuleSet.CN2021: _TK, RuleSet.CN2025: _TK}
"""Tekun has times of its own from 2021-07-01 (TK 13–18), in place of the others."""

APPRAISED = frozenset({RuleSet.LS2016})
"""The rule sets in which every application is appraised by the village (N12 21–22)."""


def limit(clock: Clock, rule_set: RuleSet, category: Category) -> tuple[str, int] | None:
    """The parameter's key and the law's working days; None where the law sets no time.

    Example: the decision on dibao in 2016: ``deadline.decision.LS2016``, 5.
    """
    own = TEKUN.get(rule_set) if category is Category.TEKUN else None
    days = (own or LAW[rule_set]).get(clock)
    if days is None:
        return None
    return f"{KEY}.{clock}.{rule_set}{'.tekun' if own else ''}", days


def due(calendar: Calendar, from_day: date, by_law: int, by_county: Decimal | None) -> Deadline:
    """The last day of a limit set off on ``from_day``; a county's longer one does not hold.

    Example: accepted on Friday 2016-09-30, 15 working days: 2016-10-26. Sent to the county on
    2016-11-03, 5 working days: 2016-11-10.
    """
    days = by_law if by_county is None else min(by_law, int(by_county))
    return calendar.add(from_day, days)


def sooner(*deadlines: Deadline | None) -> Deadline | None:
    """The earliest of those that there are."""
    return min((each for each in deadlines if each), key=lambda each: each.on, default=None)
