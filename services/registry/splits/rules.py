"""When a household may become two, what the two then are, and which splits are looked at. Pure.

Section 5: divorce or split, a new file linked by ``split_from``; splits made only to pass the test
are watched for.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from services.registry.households.facts import NO_ASSETS, NO_EXPENSES, Facts
from services.registry.households.history import Timeline
from services.registry.households.rules import (
    day_faults,
    fact_faults,
    fault,
    identified,
    officer_faults,
    standing_faults,
    tidy,
)
from shared import clock
from shared.contracts.registry import Assets, Incomes, Member, Relation, RigidExpenses, State
from shared.errors import Fault

WATCH_MONTHS = "split.watch_months"
"""The parameter with the months after an identification in which a split is looked at."""
REVIEW_WORKING_DAYS = "split.review_working_days"
"""The parameter with the working days within which a watched split is looked at."""

ORIGIN = "split"


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """What one of the two has from the day on, whole; nothing is guessed from the other."""

    incomes: Incomes
    rigid_expenses: RigidExpenses = NO_EXPENSES
    assets: Assets = NO_ASSETS


@dataclass(frozen=True, slots=True, kw_only=True)
class Splitting:
    """Who goes, under which head, with what; ``new_head_person_id`` where the head goes.

    ``relations`` are those to the new head, ``other`` where not named.
    """

    split_on: date
    person_ids: frozenset[UUID]
    head_person_id: UUID
    division_code: str
    staying: Money
    going: Money
    relations: Mapping[UUID, Relation] = field(default_factory=dict)
    new_head_person_id: UUID | None = None
    reason: str


class Finding(StrEnum):
    """What a look at a watched split found."""

    GENUINE = "genuine"
    CONTRIVED = "contrived"


def splitting_faults(
    timeline: Timeline, splitting: Splitting, *, officer_id: str | None, today: date
) -> list[Fault]:
    """All that speaks against a split.

    Example: the head goes and nobody is named to follow: ``head_missing``; everybody goes:
    ``nobody_counts`` for those who stay.
    """
    facts = timeline[-1].facts
    faults = officer_faults(officer_id)
    faults += day_faults("split_on", splitting.split_on, today=today)
    if not splitting.reason.strip():
        faults.append(fault("reason", "reason_missing", "须以文字写明理由"))
    if not (facts.state is State.ACCEPTED or facts.state.on_assistance):
        message = "该户不在受理或帮扶中,成员迁出后按新申请办理"
        return [*faults, fault("", "split_needs_open_case", message)]
    if splitting.split_on < timeline[-1].valid_from:
        message = f"档案在{timeline[-1].valid_from}还有变更,分户日期不能更早"
        faults.append(fault("split_on", "later_facts_exist", message))
    if any(facts.member(each) is None for each in splitting.person_ids):
        return [*faults, fault("person_ids", "member_unknown", "所列人员不在本户")]
    if splitting.head_person_id not in splitting.person_ids:
        message = "新户户主须为分出的成员"
        return [*faults, fault("head_person_id", "head_missing", message)]
    for name, money in (("staying", splitting.staying), ("going", splitting.going)):
        amounts = ("incomes", "rigid_expenses", "assets")
        faults += [
            Fault(each.where.replace("#/", f"#/{name}/"), each.code, each.message)
            for each in fact_faults({kind: getattr(money, kind) for kind in amounts})
        ]
    return (
        faults
        + standing_faults(remaining(facts, splitting))
        + standing_faults(parted(facts, splitting, UUID(int=0)))
    )


def remaining(facts: Facts, splitting: Splitting) -> Facts:
    """The old household from the day on: the same file, with those who stay."""
    members = tuple(
        member for member in facts.members if member.person_id not in splitting.person_ids
    )
    head = splitting.new_head_person_id or facts.head_person_id
    return tidy(
        facts.model_copy(
            update={"members": members, "head_person_id": head, **_amounts(splitting.staying)}
        )
    )


def parted(facts: Facts, splitting: Splitting, household_id: UUID) -> Facts:
    """The new household: of the same category and causes, on assistance if the old one is.

    It is an episode of its own, of origin ``split``, so that help goes on from the next month and
    both are reckoned anew.
    """
    members = tuple(
        _coming(member, splitting)
        for member in facts.members
        if member.person_id in splitting.person_ids
    )
    new = tidy(
        Facts(
            category=facts.category,
            tags=facts.tags,
            causes=facts.causes,
            division_code=splitting.division_code,
            head_person_id=splitting.head_person_id,
            members=members,
            split_from=household_id,
            **_amounts(splitting.going),
        )
    )
    if not facts.state.on_assistance:
        return new
    return identified(new, on=splitting.split_on, origin=ORIGIN)


def _coming(member: Member, splitting: Splitting) -> Member:
    relation = splitting.relations.get(member.person_id, Relation.OTHER)
    return member.model_copy(update={"relation": relation})


def _amounts(money: Money) -> dict[str, Incomes | RigidExpenses | Assets]:
    return {
        "incomes": money.incomes,
        "rigid_expenses": money.rigid_expenses,
        "assets": money.assets,
    }


def is_watched(facts: Facts, split_on: date, months: Decimal | None) -> bool:
    """Whether a split may have been made to pass the test.

    An application is under way, or the household was identified within ``months`` before; without
    an approved parameter each one is looked at. Example: identified on 2026-01-10, twelve months: a
    split on 2027-01-09 is watched, one on 2027-01-10 is not.
    """
    if months is None or not facts.episodes:
        return True
    return split_on < clock.add_months(facts.episodes[-1].identified_on, int(months))


def review_faults(reason: str, *, officer_id: str | None, decided_by: str) -> list[Fault]:
    """A look is another officer's than the split, and says in words what was found."""
    faults = officer_faults(officer_id)
    if officer_id == decided_by:
        faults.append(fault("", "same_officer", "分户经办人不得复核同一分户"))
    if not reason.strip():
        faults.append(fault("reason", "reason_missing", "须以文字写明理由"))
    return faults
