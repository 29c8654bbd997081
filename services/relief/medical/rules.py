"""What a bill is relieved by, and when what was borne oneself is an alarm (C15, C16; R20). Pure.

A year of a person is decided as a whole, its bills in the order in which they came to be known, so
that what a bill is owed never depends on how often or how late anything was told.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum
from uuid import UUID

from services.relief.medical.entitlement import Figure, Figures, Standing, figure_on
from shared.contracts.registry import Category, RuleSet
from shared.money import CENT, ZERO, yuan

DEDUCTIBLE = "medical.deductible"
RATIO = "medical.ratio"
CAP = "medical.cap"
ALARM = "medical.self_borne_alarm"
ALARM_PERCENT = "medical.self_borne_alarm_percent"


class Reason(StrEnum):
    """Why a bill is relieved, or why it is not."""

    ASSISTED = "assisted"
    BELOW_DEDUCTIBLE = "below_deductible"
    CAP_REACHED = "cap_reached"
    PARAMETER_MISSING = "parameter_missing"
    NOT_ASSISTED = "not_assisted"
    LIFTED = "lifted"
    EXITED = "exited"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """One hospital settlement, in yuan: the whole cost, and what others paid of it."""

    cost: Decimal
    off_list: Decimal = ZERO
    basic_paid: Decimal = ZERO
    critical_paid: Decimal = ZERO
    other_paid: Decimal = ZERO

    @property
    def paid_by_others(self) -> Decimal:
        """What insurances and others paid."""
        return self.basic_paid + self.critical_paid + self.other_paid


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What one category is owed on a day: deductible and yearly cap in yuan, the ratio."""

    category: Category
    deductible: Figure
    ratio: Figure
    cap: Figure

    @property
    def most(self) -> Decimal:
        """The yearly cap to the fen, never above the figure."""
        return self.cap.value.quantize(CENT, rounding=ROUND_DOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A bill with all that its assistance rests on, but for what was owed before it."""

    settlement_id: UUID
    discharged_on: date
    bill: Bill
    standing: Standing
    terms: tuple[Terms, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What one bill is owed in all, and everything it rests on; ``amount`` and others in yuan.

    ``paid_before`` is what the year's earlier bills are owed. ``terms`` are those of the category
    that gave most, None where there were none.
    """

    case: Case
    paid_before: Decimal
    base: Decimal
    terms: Terms | None
    amount: Decimal
    reason: Reason

    @property
    def rule_set(self) -> RuleSet:
        """The law of the discharge date."""
        return RuleSet.on(self.case.discharged_on)


def base_of(bill: Bill) -> Decimal:
    """What of a bill is in scope and was left to the person, in yuan (R20); off-list never counts.

    Example: cost 60,000, off-list 5,000, basic 30,000, critical 8,000 -> 17,000. Pay-outs that also
    covered what is off the list leave nothing, not less.
    """
    return max(ZERO, bill.cost - bill.off_list - bill.paid_by_others)


def assistance(base: Decimal, terms: Terms, paid_before: Decimal) -> Decimal:
    """What a bill is owed: min(max(0, base - deductible) x ratio, cap - paid before) (R20).

    Rounded once, at the end, to the fen; never below zero. Example: base 17,000: dibao (0, 70%)
    11,900.00, with 75,000 of 80,000 owed before 5,000.00; marginal (2,000, 60%) 9,000.00.
    """
    above = max(ZERO, base - terms.deductible.value)
    room = max(ZERO, terms.most - paid_before)
    return min(yuan(above * terms.ratio.value), room)


def terms_on(figures: Figures, categories: Iterable[Category], day: date) -> tuple[Terms, ...]:
    """The terms of those categories whose three figures are all in force on the discharge date.

    Example: the ratio of group_4600 was never approved: that category has no terms.
    """
    found = []
    for category in categories:
        deductible, ratio, cap = (
            figure_on(figures.get(f"{key}.{category.value}", ()), day)
            for key in (DEDUCTIBLE, RATIO, CAP)
        )
        if deductible and ratio and cap:
            found.append(Terms(category=category, deductible=deductible, ratio=ratio, cap=cap))
    return tuple(found)


def decide(case: Case, paid_before: Decimal) -> Decision:
    """What one bill is owed: the best result over the category and the tags of its day (R20).

    Of equal results the first category in the notice's order gives its name. Example: dibao with
    the tag tekun, base 17,000 -> tekun, 17,000.00.
    """
    base = base_of(case.bill)
    best: Terms | None = None
    amount = ZERO
    for terms in case.terms:
        owed = assistance(base, terms, paid_before)
        if best is None or owed > amount:
            best, amount = terms, owed
    return Decision(
        case=case,
        paid_before=paid_before,
        base=base,
        terms=best,
        amount=amount,
        reason=_reason(case, base, best, amount),
    )


def _reason(case: Case, base: Decimal, best: Terms | None, amount: Decimal) -> Reason:
    if case.standing.without is not None:
        return Reason(case.standing.without.value)
    if best is None:
        return Reason.PARAMETER_MISSING
    if amount > ZERO:
        return Reason.ASSISTED
    unlimited = max((assistance(base, terms, ZERO) for terms in case.terms), default=ZERO)
    return Reason.CAP_REACHED if unlimited > ZERO else Reason.BELOW_DEDUCTIBLE


def decide_year(cases: Sequence[Case]) -> list[Decision]:
    """What each bill of a person's calendar year is owed, in the order given.

    Example: two bills of 100,000 of a tekun person under a cap of 80,000 -> 80,000 and 0.
    """
    decisions: list[Decision] = []
    paid = ZERO
    for case in cases:
        decision = decide(case, paid)
        paid += decision.amount
        decisions.append(decision)
    return decisions


def cap_of(decisions: Iterable[Decision]) -> Decimal:
    """The most that a person's year may come to: the highest cap among what gives something.

    Example: 30,000 under a cap of 80,000, then 0 under one of 20,000 -> 80,000.
    """
    caps = (each.terms.most for each in decisions if each.terms and each.amount > ZERO)
    return max(caps, default=ZERO)


def self_borne(bill: Bill, amount: Decimal) -> Decimal:
    """What is left to the household of a bill after all pay-outs, in yuan; off-list included.

    Example: cost 60,000, paid by insurances 38,000, assistance 11,900 -> 10,100.
    """
    return max(ZERO, bill.cost - bill.paid_by_others - amount)


def is_alarming(
    borne: Decimal, *, alarm: Decimal | None, percent: Decimal | None, yearly_income: Decimal
) -> bool:
    """Whether what was borne in twelve months is a hardship: above either bound (section 5).

    Without a figure that bound says nothing. Example: alarm 20,000: 20,000.00 is none, 20,000.01
    is; 50% of an income of 18,000: 9,000.01 is.
    """
    if alarm is not None and borne > alarm:
        return True
    return percent is not None and borne * 100 > yearly_income * percent
