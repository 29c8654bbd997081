"""What a tekun household is owed, month by month: C10, C13, C25; R13, R24, R25, R27.

The schedule is a pure function of the household's fact periods, of the assessments and forms of
support of its people, and of the approved figures of its division.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from services.relief.schedules.rules import (
    Figure,
    figure_on,
    governing,
    laid_out,
    runs,
    turning_months,
)
from services.relief.standards.rules import DIBAO_LINE, MINIMUM_WAGE
from services.relief.tekun.selfcare import Assessment, Level, in_force
from shared.contracts.registry import Category, FactPeriod, RuleSet, State
from shared.money import ZERO, round_up_to_yuan

BASIC_MULTIPLE = "tekun.basic_multiple"
"""The parameter with the multiple of the dibao line that the basic part is (at least 1.3)."""
CARE: Mapping[Level, str] = {level: f"tekun.care.{level.value}" for level in Level}
"""The parameters with the share of the minimum wage that care is, by level."""
FIGURES = (DIBAO_LINE, MINIMUM_WAGE, BASIC_MULTIPLE, *CARE.values())
"""Every parameter that a standard is reckoned with."""
_ALWAYS = (DIBAO_LINE, MINIMUM_WAGE, BASIC_MULTIPLE)


class Reason(StrEnum):
    """Why a month is paid, or why it is not."""

    ENTITLED = "entitled"
    KEPT = "kept"
    ASSESSMENT_MISSING = "assessment_missing"
    STANDARD_MISSING = "standard_missing"
    LIFTED = "lifted"
    EXITED = "exited"
    CLOSED = "closed"
    NOT_ASSISTED = "not_assisted"
    NOT_TEKUN = "not_tekun"


STOPPED = {State.LIFTED: Reason.LIFTED, State.EXITED: Reason.EXITED, State.CLOSED: Reason.CLOSED}


class Form(StrEnum):
    """How a person is supported: at home, paid to him, or in an institution, paid to it."""

    DISPERSED = "dispersed"
    CENTRALISED = "centralised"


class Payee(StrEnum):
    """Whom a month's money goes to; SEVERAL where a household's people differ."""

    PERSON = "person"
    INSTITUTION = "institution"
    SEVERAL = "several"


@dataclass(frozen=True, slots=True, kw_only=True)
class Support:
    """A person's form of support from ``valid_from`` until his next one; of one day the last."""

    support_id: UUID
    person_id: UUID
    form: Form
    valid_from: date
    institution_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """One of the people whom an amount is for, with what is known of him in that month.

    ``person_id`` is None for one of whom nothing is known: neither an assessment nor a place.
    """

    person_id: UUID | None
    assessment: Assessment | None = None
    support: Support | None = None

    @property
    def institution_id(self) -> UUID | None:
        """The institution that he lives in; None at home."""
        return None if self.support is None else self.support.institution_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of a household beside its periods; figures by key, ``elsewhere`` by place."""

    members: frozenset[UUID] = frozenset()
    assessments: Sequence[Assessment] = ()
    supports: Sequence[Support] = ()
    here: Mapping[str, Sequence[Figure]] = field(default_factory=dict)
    elsewhere: Mapping[str, Mapping[str, Sequence[Figure]]] = field(default_factory=dict)

    def figures_of(self, period: FactPeriod, month: date) -> dict[str, Figure]:
        """The figures in force on a month's first day where the household stood."""
        place = self.elsewhere.get(period.division_code or "", self.here)
        ascending = {
            key: sorted(figures, key=lambda each: each.valid_from) for key, figures in place.items()
        }
        found = {key: figure_on(figures, month) for key, figures in ascending.items()}
        return {key: figure for key, figure in found.items() if figure is not None}

    def every_figure(self) -> list[Figure]:
        """All of them, of every place."""
        return [
            figure
            for place in (self.here, *self.elsewhere.values())
            for figures in place.values()
            for figure in figures
        ]

    def decided_on(self) -> list[date]:
        """The days after which a person's care or payee may differ."""
        return [each.confirmed_on for each in self.assessments] + [
            each.valid_from for each in self.supports
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What one household is owed a month from ``from_month`` on, and everything it rests on.

    ``period`` governs and ``basis`` is reckoned with, as in dibao. ``amount`` is in yuan, None
    while a figure is ``missing``. ``shares`` and ``figures`` are empty where nothing is owed.
    """

    from_month: date
    amount: Decimal | None
    entitled: bool
    reason: Reason
    rule_set: RuleSet
    period: FactPeriod
    basis: FactPeriod
    shares: tuple[Share, ...] = ()
    figures: Mapping[str, Figure] = field(default_factory=dict)
    missing: tuple[str, ...] = ()

    @property
    def people(self) -> int:
        """How many people the amount is for."""
        return self.basis.n

    @property
    def payee(self) -> Payee:
        """Whom the money goes to; the person where nothing is owed."""
        where = {share.institution_id for share in self.shares}
        if len(where) > 1:
            return Payee.SEVERAL
        return Payee.PERSON if where <= {None} else Payee.INSTITUTION

    @property
    def institution_id(self) -> UUID | None:
        """The one institution that all of them live in."""
        if self.payee is not Payee.INSTITUTION:
            return None
        return self.shares[0].institution_id


def basic_part(*, line: Decimal, multiple: Decimal) -> Decimal:
    """A person's basic living standard a month in whole yuan (R25; TK 21).

    Example: 1.3 x 600 -> 780; 1.3 x 601 = 781.30 -> 782.
    """
    return round_up_to_yuan(line * multiple)


def care_part(*, wage: Decimal, ratio: Decimal) -> Decimal:
    """A person's care standard a month in whole yuan (R25). Example: 30% of 1,380 -> 414."""
    return round_up_to_yuan(wage * ratio)


def parts(share: Share, figures: Mapping[str, Figure]) -> tuple[Decimal, Decimal]:
    """What one person's month comes to: the basic part and care, 0 without an assessment.

    Example: L = 600, wage 1,380, partly lost -> 780 and 414, together 1,194. Raises KeyError where
    a figure is missing.
    """
    line, multiple = figures[DIBAO_LINE].value, figures[BASIC_MULTIPLE].value
    basic = basic_part(line=line, multiple=multiple)
    if share.assessment is None:
        return basic, ZERO
    ratio = figures[CARE[share.assessment.level]].value
    return basic, care_part(wage=figures[MINIMUM_WAGE].value, ratio=ratio)


def needed(shares: Iterable[Share]) -> list[str]:
    """The keys of the figures that these people's standard takes. Example: one of them able."""
    levels = {share.assessment.level for share in shares if share.assessment}
    return [*_ALWAYS, *(key for level, key in CARE.items() if level in levels)]


def people_in(month: date, n: int, known: Known, *, newest: bool) -> tuple[Share, ...]:
    """The ``n`` people whom a month is for, each with his assessment and support in force.

    The registry tells who counts now, not who counted before: in ``newest``, the last period, they
    are its members; earlier, those who were assessed or placed by then, members before those who
    have left. One of whom nothing is known is nobody in particular, so that nothing is decided anew
    when he leaves. Example: of two brothers one died in June; May still counts both.
    """
    people = set(known.members)
    if not newest:
        people |= {each.person_id for each in known.assessments}
        people |= {each.person_id for each in known.supports}
    shares = [_share(person_id, month, known) for person_id in people]
    seen = [share for share in shares if share.assessment or share.support]
    seen.sort(key=lambda share: (share.person_id not in known.members, str(share.person_id)))
    strangers = max(0, n - len(seen))
    return (*seen[:n], *(Share(person_id=None) for _ in range(strangers)))


def _share(person_id: UUID, month: date, known: Known) -> Share:
    return Share(
        person_id=person_id,
        assessment=in_force(known.assessments, person_id, month),
        support=support_in(known.supports, person_id, month),
    )


def support_in(supports: Sequence[Support], person_id: UUID, month: date) -> Support | None:
    """A person's form of support in a month: the last that began before its first day (R13).

    Example: moved into an institution on 2026-05-31, June is paid to it; on 2026-06-01, July.
    """
    begun = [each for each in supports if each.person_id == person_id and each.valid_from < month]
    return max(begun, key=lambda each: (each.valid_from, each.support_id), default=None)


def ever_tekun(periods: Iterable[FactPeriod]) -> bool:
    """Whether a household was tekun in any of its periods. Example: dibao, then tekun -> True."""
    return any(period.category is Category.TEKUN for period in periods)


def stop_reason(period: FactPeriod, month: date) -> Reason | None:
    """Why nothing is owed for the month, or None where tekun runs (R24's category, C25's stop).

    Example: exited on 2026-03-31 without kept policy -> ``exited`` from April on.
    """
    if period.category is not Category.TEKUN:
        return Reason.NOT_TEKUN
    return None if runs(period, month) else STOPPED.get(period.state, Reason.NOT_ASSISTED)


def decide(
    month: date,
    period: FactPeriod,
    basis: FactPeriod,
    shares: tuple[Share, ...],
    in_force_now: Mapping[str, Figure],
) -> Decision:
    """What is owed for one month: the sum of its people's standards (R25).

    Example: L = 600, wage 1,380, one person partly lost -> 1,194, ``entitled``; not assessed yet
    -> 780, ``assessment_missing``; without a wage -> None, ``standard_missing``.
    """
    stopped = stop_reason(period, month)
    if stopped is not None:
        shares = ()
    keys = needed(shares) if shares else []
    figures = {key: in_force_now[key] for key in keys if key in in_force_now}
    missing = tuple(key for key in keys if key not in figures)
    amount = None
    if not missing:
        amount = sum((sum(parts(share, figures), ZERO) for share in shares), ZERO)
    return Decision(
        from_month=month,
        amount=amount,
        entitled=stopped is None,
        reason=stopped or _running_reason(period, shares, missing),
        rule_set=RuleSet.on(period.valid_from),
        period=period,
        basis=basis,
        shares=shares,
        figures=figures,
        missing=missing,
    )


def _running_reason(
    period: FactPeriod, shares: tuple[Share, ...], missing: tuple[str, ...]
) -> Reason:
    if missing:
        return Reason.STANDARD_MISSING
    if any(share.assessment is None for share in shares):
        return Reason.ASSESSMENT_MISSING
    return Reason.ENTITLED if period.state.on_assistance else Reason.KEPT


def rests_on_the_same(one: Decision, other: Decision) -> bool:
    """Whether two decisions differ in nothing but the day they were taken and begin."""

    def without_days(decision: Decision) -> tuple[object, ...]:
        day = {"valid_from": date.min}
        facts = (decision.period, decision.basis)
        told = (decision.amount, decision.entitled, decision.reason, decision.missing)
        rested = (decision.shares, decision.figures)
        return (*told, *rested, *(each.model_copy(update=day) for each in facts))

    return without_days(one) == without_days(other)


def schedule(periods: Sequence[FactPeriod], known: Known) -> list[Decision]:
    """All decisions of one household, ascending; each holds until the next, the last one openly.

    Example: tekun since 2025-03-10, assessed and confirmed on 2025-05-20, exited on 2026-05-04 ->
    the basic part from 2025-04, with care from 2025-06, nothing from 2026-06.
    """
    ordered = sorted(periods, key=lambda period: period.valid_from)

    def decided(month: date) -> Decision | None:
        found = governing(ordered, month, Category.TEKUN)
        if found is None:
            return None
        period, basis = found
        shares = people_in(month, basis.n, known, newest=period is ordered[-1])
        return decide(month, period, basis, shares, known.figures_of(period, month))

    months = turning_months(ordered, known.every_figure(), known.decided_on())
    return laid_out(months, decided, rests_on_the_same)
