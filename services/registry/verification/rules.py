"""Where answers of the sources differ from what a household declared (section 4, R8). Pure.

A difference is only a doubt: a township confirms, explains or corrects it, and no report refuses
anybody. Answers of obligors are shown and raise none: their means are weighed by the support test.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from services.registry.households.facts import Facts
from services.registry.leads.rules import opens_lead
from services.registry.returns.rules import opens_check
from services.registry.verification import answers
from services.registry.verification.answers import Answer
from services.registry.verification.consent import window_months
from services.registry.verification.kinds import DoubtKind
from services.registry.verification.sources import Severity, Source
from services.registry.verification.thresholds import Thresholds
from shared import clock
from shared.contracts.registry import Member, SchoolStage, State

_MONTHS = 12
EXEMPT_USES = frozenset({"disability_aid", "livelihood_tool"})
COOPERATIVE_MEMBER = "cooperative_member"


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What the file says on the day of the request; ``numbers`` are its members' ID numbers."""

    facts: Facts
    window_from: date
    window_to: date
    on: date
    numbers: Mapping[str, UUID] = field(default_factory=dict)

    @property
    def head(self) -> UUID:
        """On whom a doubt about the whole household stands."""
        return self.facts.head_person_id


@dataclass(frozen=True, slots=True)
class Given:
    """What a source said of a member; None: it found nothing."""

    member: Member
    source: Source
    answer: Answer | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A doubt as it is raised; ``detail`` holds figures as text."""

    subject_id: UUID
    source: Source
    kind: DoubtKind
    severity: Severity = Severity.REVIEW
    detail: Mapping[str, str] = field(default_factory=dict)


def findings(declared: Declared, given: Sequence[Given], thresholds: Thresholds) -> list[Finding]:
    """Every doubt that these answers raise, source by source.

    Living costs never stand alone. Example: utilities of 9,000 yuan a year raise nothing; beside
    an active business they are a second doubt.
    """
    found: list[Finding] = []
    for source, look in _LOOKS.items():
        own = [each for each in given if each.source is source]
        found += look(declared, own, thresholds)
    if found:
        own = [each for each in given if each.source is Source.LIVING_COSTS]
        found += _living_costs(declared, own, thresholds)
    return found


def _of(given: Iterable[Given], shape: type[Any]) -> list[tuple[Member, Any]]:
    return [(each.member, each.answer) for each in given if isinstance(each.answer, shape)]


def _hukou(declared: Declared, given: Sequence[Given], _t: Thresholds) -> list[Finding]:
    source, found = Source.HUKOU, []
    for member, answer in _of(given, answers.Hukou):
        if answer.cancelled_on:
            kind = DoubtKind.HUKOU_CANCELLED
            detail = {"cancelled_on": answer.cancelled_on.isoformat()}
            found.append(
                Finding(subject_id=member.person_id, source=source, kind=kind, detail=detail)
            )
        if member.person_id == declared.head and answer.members:
            listed = set(answer.members)
            for kind, count in (
                (DoubtKind.HUKOU_MEMBER_EXTRA, len(listed - declared.numbers.keys())),
                (DoubtKind.HUKOU_MEMBER_MISSING, len(declared.numbers.keys() - listed)),
            ):
                if count:
                    detail = {"persons": str(count)}
                    found.append(
                        Finding(subject_id=declared.head, source=source, kind=kind, detail=detail)
                    )
    return found


def _vehicles(declared: Declared, given: Sequence[Given], t: Thresholds) -> list[Finding]:
    plates = {
        vehicle.plate
        for _, answer in _of(given, answers.Vehicles)
        for vehicle in answer.vehicles
        if vehicle.status == "in_use" and vehicle.use not in EXEMPT_USES
    }
    if len(plates) <= t.vehicles:
        return []
    return [_household(declared, Source.VEHICLE, DoubtKind.VEHICLE_IN_USE, vehicles=len(plates))]


def _real_estate(declared: Declared, given: Sequence[Given], t: Thresholds) -> list[Finding]:
    # One certificate may stand under two owners: it is one dwelling.
    owned = {
        each.certificate_no: each
        for _, answer in _of(given, answers.Properties)
        for each in answer.properties
    }.values()
    since = clock.add_months(declared.on, -_MONTHS * int(t.property_years))
    dwellings = sum(each.use == "dwelling" and each.sold_on is None for each in owned)
    shops = sum(each.use == "shop" and each.sold_on is None for each in owned)
    traded = sum(
        any(day is not None and day >= since for day in (each.acquired_on, each.sold_on))
        for each in owned
    )
    found = {
        DoubtKind.SEVERAL_DWELLINGS: dwellings if dwellings >= t.dwellings else 0,
        DoubtKind.SHOP: shops,
        DoubtKind.PROPERTY_TRADED: traded,
    }
    return [
        _household(declared, Source.REAL_ESTATE, kind, count=count)
        for kind, count in found.items()
        if count
    ]


def _business(_d: Declared, given: Sequence[Given], t: Thresholds) -> list[Finding]:
    return [
        _person(member, Source.BUSINESS, DoubtKind.ACTIVE_BUSINESS, capital=capital)
        for member, answer in _of(given, answers.Businesses)
        if (
            capital := max(
                (
                    each.capital
                    for each in answer.businesses
                    if each.active and each.role != COOPERATIVE_MEMBER
                ),
                default=Decimal(0),
            )
        )
        > t.business_capital
    ]


def _tax(declared: Declared, given: Sequence[Given], t: Thresholds) -> list[Finding]:
    return [
        _person(member, Source.TAX, DoubtKind.TAX_PAID, paid=paid)
        for member, answer in _of(given, answers.Taxes)
        if (
            paid := sum(
                each.amount
                for each in answer.payments
                if each.month_from <= declared.window_to and each.month_to >= declared.window_from
            )
        )
        > t.tax_paid
    ]


def _wages(declared: Declared, given: Sequence[Given], t: Thresholds) -> list[Finding]:
    """The household's contributions against its declared wages of the same months."""
    implied = sum(
        each.base * each.months
        for _, answer in _of(given, answers.Contributions)
        for each in answer.contributions
    )
    wages = (
        declared.facts.incomes.wage
        * window_months(declared.window_from, declared.window_to)
        / _MONTHS
    )
    if implied <= wages * (100 + t.wage_percent) / 100:
        return []
    kind, told = DoubtKind.WAGE_UNDERSTATED, {"implied": implied, "declared": wages}
    return [_household(declared, Source.SOCIAL_INSURANCE, kind, **told)]


def _pensions(declared: Declared, given: Sequence[Given], _t: Thresholds) -> list[Finding]:
    yearly = _MONTHS * sum(
        each.monthly for _, answer in _of(given, answers.Pensions) for each in answer.pensions
    )
    transfers = declared.facts.incomes.transfer
    if yearly <= transfers:
        return []
    kind, told = DoubtKind.PENSION_NOT_DECLARED, {"yearly": yearly, "declared": transfers}
    return [_household(declared, Source.PENSION, kind, **told)]


def _bank(_d: Declared, given: Sequence[Given], _t: Thresholds) -> list[Finding]:
    return [
        _person(member, Source.BANK, DoubtKind.DEPOSITS_OVER_LIMIT)
        for member, answer in _of(given, answers.Bank)
        if answer.over_limit
    ]


def _securities(_d: Declared, given: Sequence[Given], t: Thresholds) -> list[Finding]:
    return [
        _person(member, Source.SECURITIES, DoubtKind.SECURITIES_HELD, value=value)
        for member, answer in _of(given, answers.Holdings)
        if (value := sum(each.value for each in answer.holdings)) > t.securities
    ]


def _death(_d: Declared, given: Sequence[Given], _t: Thresholds) -> list[Finding]:
    return [
        Finding(
            subject_id=member.person_id,
            source=Source.DEATH,
            kind=DoubtKind.DEATH_MARK,
            severity=Severity.STOP,
            detail={"died_on": answer.died_on.isoformat()},
        )
        for member, answer in _of(given, answers.Death)
    ]


def _marriage(declared: Declared, given: Sequence[Given], _t: Thresholds) -> list[Finding]:
    return [
        _person(member, Source.MARRIAGE, DoubtKind.SPOUSE_NOT_DECLARED)
        for member, answer in _of(given, answers.Marriage)
        if answer.type == "married" and answer.spouse_id_number not in declared.numbers
    ]


def _justice(declared: Declared, given: Sequence[Given], _t: Thresholds) -> list[Finding]:
    return [
        _person(member, Source.JUSTICE, DoubtKind.COUNTED_WHILE_SERVING)
        for member, answer in _of(given, answers.Terms)
        if member.counted
        and any(
            each.from_on <= declared.on and (each.to_on is None or each.to_on >= declared.on)
            for each in answer.terms
        )
    ]


def _disability(_d: Declared, given: Sequence[Given], _t: Thresholds) -> list[Finding]:
    found = []
    for each in given:
        known, card = each.member.disability, each.answer
        kind = None
        if card is None:
            kind = DoubtKind.DISABILITY_NOT_FOUND if known else None
        elif known is None:
            kind = DoubtKind.DISABILITY_NOT_DECLARED
        elif isinstance(card, answers.DisabilityCard) and (card.kind, card.grade) != (
            known.kind,
            known.grade,
        ):
            kind = DoubtKind.DISABILITY_DIFFERS
        if kind:
            found.append(_person(each.member, Source.DISABILITY, kind))
    return found


def _enrolment(_d: Declared, given: Sequence[Given], _t: Thresholds) -> list[Finding]:
    found = []
    for each in given:
        at_school = each.member.school_stage not in {None, SchoolStage.NOT_AT_SCHOOL}
        if each.answer is None and at_school:
            found.append(_person(each.member, Source.ENROLMENT, DoubtKind.ENROLMENT_NOT_FOUND))
        if each.answer is not None and not at_school:
            found.append(_person(each.member, Source.ENROLMENT, DoubtKind.ENROLMENT_NOT_DECLARED))
    return found


def _medical(_d: Declared, given: Sequence[Given], t: Thresholds) -> list[Finding]:
    told = _of(given, answers.Medical)
    of_all = sum(answer.cash for _, answer in told)
    return [
        _person(
            member, Source.MEDICAL, DoubtKind.MEDICAL_NEED, cash=answer.cash, household_cash=of_all
        )
        for member, answer in told
        if answer.cash > t.medical_self_paid
    ]


def _living_costs(declared: Declared, given: Sequence[Given], t: Thresholds) -> list[Finding]:
    spent = sum(
        answer.utilities + answer.travel + answer.school_fees
        for _, answer in _of(given, answers.LivingCosts)
    )
    if spent <= t.living_costs:
        return []
    return [_household(declared, Source.LIVING_COSTS, DoubtKind.LIVING_COSTS_HIGH, spent=spent)]


NEEDS = frozenset(
    {
        DoubtKind.DISABILITY_NOT_DECLARED,
        DoubtKind.ENROLMENT_NOT_DECLARED,
        DoubtKind.MEDICAL_NEED,
    }
)
"""Doubts that may speak for a household: need found -> lead (section 4)."""


class Following(StrEnum):
    """What follows from a need that a file does not declare."""

    LEAD = "lead"
    RETURN_CHECK = "return_check"
    NOTHING = "nothing"


def shows_need(finding: Finding, facts: Facts) -> bool:
    """Whether a doubt shows a need that the file does not declare.

    Example: 24,000.00 yuan that all members paid in cash where the file declares medical expenses
    of 23,999.99 a year shows one; where it declares 24,000.00 it does not.
    """
    if finding.kind is DoubtKind.MEDICAL_NEED:
        return Decimal(finding.detail["household_cash"]) > facts.rigid_expenses.medical
    return finding.kind in NEEDS


def follows(state: State, *, applying: bool) -> Following:
    """What a need leads to at a household in this state (section 4, section 5).

    Where nobody helps yet it is a lead, unless an application under way weighs it itself; where a
    household was lifted or struck off it is a sign of hardship. On assistance the doubt is enough.
    """
    if opens_check(state):
        return Following.RETURN_CHECK
    if opens_lead(state) and not applying:
        return Following.LEAD
    return Following.NOTHING


Look = Callable[[Declared, Sequence[Given], Thresholds], list[Finding]]
_LOOKS: Mapping[Source, Look] = {
    Source.HUKOU: _hukou,
    Source.VEHICLE: _vehicles,
    Source.REAL_ESTATE: _real_estate,
    Source.BUSINESS: _business,
    Source.TAX: _tax,
    Source.SOCIAL_INSURANCE: _wages,
    Source.PENSION: _pensions,
    Source.BANK: _bank,
    Source.SECURITIES: _securities,
    Source.DEATH: _death,
    Source.MARRIAGE: _marriage,
    Source.JUSTICE: _justice,
    Source.DISABILITY: _disability,
    Source.ENROLMENT: _enrolment,
    Source.MEDICAL: _medical,
}


def _person(member: Member, source: Source, kind: DoubtKind, /, **figures: Any) -> Finding:
    detail = {name: str(figure) for name, figure in figures.items()}
    return Finding(subject_id=member.person_id, source=source, kind=kind, detail=detail)


def _household(declared: Declared, source: Source, kind: DoubtKind, /, **figures: Any) -> Finding:
    detail = {name: str(figure) for name, figure in figures.items()}
    return Finding(subject_id=declared.head, source=source, kind=kind, detail=detail)
