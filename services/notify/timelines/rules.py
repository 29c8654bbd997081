"""What an event tells of a household's life: pure, from the whole state that it carries (C6, C8).

The same state always tells the same, so that twice, late or replayed makes no difference.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from uuid import UUID

from shared.clock import month_of
from shared.contracts.assistance import Assistance, Guarantee, Hardship
from shared.contracts.registry import SOURCE, Episode, FactPeriod, HouseholdState, Incomes, State


class Kind(StrEnum):
    """The kinds of happenings, in the order in which those of one day are told."""

    IDENTIFIED = "identified"
    RETURNED = "returned"
    CATEGORY_CHANGED = "category_changed"
    FACTS_CHANGED = "facts_changed"
    HARDSHIP = "hardship"
    ASSISTANCE = "assistance"
    GUARANTEE = "guarantee"
    NOTICE_POSTED = "notice_posted"
    NOTICE_CLOSED = "notice_closed"
    LIFTED = "lifted"
    EXITED = "exited"
    CLOSED = "closed"


RANKS: Mapping[Kind, int] = {kind: rank for rank, kind in enumerate(Kind)}
"""Where a kind stands among the happenings of one day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One happening as an event tells it; (source, aggregate_id, part) says which one it is."""

    source: str
    aggregate_id: UUID
    part: str
    household_id: UUID
    happened_on: date
    kind: Kind
    version: int
    code: str | None = None
    amount: Decimal | None = None
    month: date | None = None
    detail: Mapping[str, object] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, UUID, str]:
        """What makes it this happening and no other."""
        return (self.source, self.aggregate_id, self.part)


def told_by_household(state: HouseholdState, version: int) -> list[Told]:
    """Episodes and changes of facts of one household, all that it ever lived through.

    The first episode is identified, every later one returned (C24). A period whose category
    differs from the one before is a change of category; one with other people, incomes or kept
    policy is a change of facts; one that changes the state is told by its episode.
    Example: identified in March, dibao_marginal instead of dibao in May, lifted in September ->
    identified, category_changed, lifted.
    """
    told = [*_episodes(state, version), *_changes(state, version)]
    if state.state is State.CLOSED:
        told.append(
            _of_household(state, version, Kind.CLOSED, part="closed", day=state.effective_from)
        )
    return told


def told_by_assistance(source: str, aid: Assistance, version: int) -> Told:
    """One measure in this version. Example: dibao of 2026-12 for 650.00 yuan, paid."""
    return Told(
        source=source,
        aggregate_id=aid.assistance_id,
        part="",
        household_id=aid.household_id,
        happened_on=aid.granted_on,
        kind=Kind.ASSISTANCE,
        version=version,
        code=aid.programme,
        amount=aid.amount,
        month=month_of(aid.month or aid.granted_on),
        detail={
            "status": aid.status.value,
            "fund": aid.fund,
            "month": f"{aid.month:%Y-%m}" if aid.month else None,
            "person_ids": [str(person_id) for person_id in aid.person_ids],
        },
    )


def told_by_guarantee(source: str, given: Guarantee, version: int) -> Told:
    """A guarantee since the day on which it was last met or no longer met.

    A later turn is a happening of its own, so that red -> green stays visible.
    """
    return Told(
        source=source,
        aggregate_id=given.guarantee_id,
        part=given.since.isoformat(),
        household_id=given.household_id,
        happened_on=given.since,
        kind=Kind.GUARANTEE,
        version=version,
        code=given.kind.value,
        detail={"met": given.met, "evidence_id": given.evidence_id},
    )


def told_by_hardship(source: str, sign: Hardship, version: int) -> Told:
    """A sign that a household may fall (back) into poverty; a kind not known today is kept."""
    return Told(
        source=source,
        aggregate_id=sign.hardship_id,
        part="",
        household_id=sign.household_id,
        happened_on=sign.detected_on,
        kind=Kind.HARDSHIP,
        version=version,
        code=sign.kind,
        amount=sign.amount,
    )


def _episodes(state: HouseholdState, version: int) -> Iterator[Told]:
    for episode in state.episodes:
        begun = Kind.IDENTIFIED if episode.number == 1 else Kind.RETURNED
        for kind, day in (
            (begun, episode.identified_on),
            (Kind.LIFTED, episode.lifted_on),
            (Kind.EXITED, episode.exited_on),
        ):
            if day is not None:
                yield _of_episode(state, version, episode, kind, day)


def _of_episode(
    state: HouseholdState, version: int, episode: Episode, kind: Kind, day: date
) -> Told:
    period = _period_on(state, day)
    detail = {"episode": episode.number, "origin": episode.origin}
    if period is not None:
        detail |= _facts(period)
    code = (period or state).category.value
    return _of_household(
        state,
        version,
        kind,
        part=f"{episode.number:04d}:{kind}",
        day=day,
        code=code,
        detail=detail,
    )


def _changes(state: HouseholdState, version: int) -> Iterator[Told]:
    periods = sorted(state.periods, key=lambda period: period.valid_from)
    for number, (before, after) in enumerate(pairwise(periods), start=1):
        if before.state is not after.state:
            continue
        if before.category is not after.category:
            kind = Kind.CATEGORY_CHANGED
        elif _facts(before) != _facts(after):
            kind = Kind.FACTS_CHANGED
        else:
            continue
        yield _of_household(
            state,
            version,
            kind,
            part=f"period:{number:06d}",
            day=after.valid_from,
            code=after.category.value,
            detail={
                **_facts(after),
                "before": {"category": before.category.value, **_facts(before)},
            },
        )


def _period_on(state: HouseholdState, day: date) -> FactPeriod | None:
    begun = [period for period in state.periods if period.valid_from <= day]
    return max(begun, key=lambda period: period.valid_from, default=None)


def _facts(period: FactPeriod) -> dict[str, object]:
    kept = period.keep_policy_until
    return {
        "n": period.n,
        "yearly_income": f"{_total(period.incomes):.2f}",
        "keep_policy_until": kept.isoformat() if kept else None,
    }


def _total(incomes: Incomes) -> Decimal:
    return incomes.wage + incomes.business + incomes.property + incomes.transfer


def _of_household(
    state: HouseholdState,
    version: int,
    kind: Kind,
    *,
    part: str,
    day: date,
    code: str | None = None,
    detail: Mapping[str, object] | None = None,
) -> Told:
    return Told(
        source=SOURCE,
        aggregate_id=state.household_id,
        part=part,
        household_id=state.household_id,
        happened_on=day,
        kind=kind,
        version=version,
        code=code or state.category.value,
        detail=detail or {},
    )
