"""When two files may become one, and what the one then is (section 5, "merge"). Pure.

The survivor keeps its id, number and episodes; the other file closes on the day. Nobody counts in
both on any day, and both go on from the next month (R13).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from uuid import UUID

from services.registry.households.facts import Facts
from services.registry.households.history import Timeline
from services.registry.households.rules import (
    day_faults,
    fault,
    officer_faults,
    standing_faults,
    tidy,
)
from shared.contracts.registry import Assets, Incomes, Relation, RigidExpenses, State
from shared.errors import Fault


class Amounts(StrEnum):
    """Two families' money adds up; one family filed twice has it once."""

    ADDED = "added"
    SURVIVOR = "survivor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Merging:
    """What an officer decides. ``relations`` to the survivor's head, ``other`` where not named.

    ``same_persons`` are people of the merged file who stand in the survivor already, registered
    twice: they do not come over.
    """

    merged_on: date
    amounts: Amounts
    relations: Mapping[UUID, Relation] = field(default_factory=dict)
    same_persons: frozenset[UUID] = frozenset()
    reason: str


def merging_faults(
    survivor: Timeline, merged: Timeline, merging: Merging, *, officer_id: str | None, today: date
) -> list[Fault]:
    """All that speaks against a merger.

    Example: the survivor is lifted and the other one on assistance: ``survivor_not_assisted``, for
    its people would lose what they have; the other way round it is right.
    """
    faults = _decision_faults(merging.reason, officer_id)
    faults += day_faults("merged_on", merging.merged_on, today=today)
    facts, other = survivor[-1].facts, merged[-1].facts
    if State.CLOSED in {facts.state, other.state}:
        return [*faults, fault("", "household_closed", "档案已终止,不能并户")]
    if not facts.state.on_assistance and facts.state is not other.state:
        message = "存续档案须为在册档案,或与并入档案状态相同"
        faults.append(fault("", "survivor_not_assisted", message))
    newest = max(survivor[-1].valid_from, merged[-1].valid_from)
    if merging.merged_on < newest:
        message = f"档案在{newest}还有变更,并户日期不能更早"
        faults.append(fault("merged_on", "later_facts_exist", message))
    strangers = {*merging.relations, *merging.same_persons} - {
        member.person_id for member in other.members
    }
    if strangers:
        faults.append(fault("relations", "member_unknown", "所列人员不在并入的家庭中"))
    if Relation.HEAD in merging.relations.values():
        faults.append(fault("relations", "head_twice", "户主由存续档案的户主担任"))
    return faults + standing_faults(joined(facts, other, merging))


def joined(survivor: Facts, merged: Facts, merging: Merging) -> Facts:
    """The survivor from the day on, with the others' people and, if added, their money."""
    coming = tuple(
        member.model_copy(
            update={"relation": merging.relations.get(member.person_id, Relation.OTHER)}
        )
        for member in merged.members
        if member.person_id not in merging.same_persons
    )
    update: dict[str, object] = {"members": (*survivor.members, *coming)}
    if merging.amounts is Amounts.ADDED:
        update |= _added(survivor, merged)
    return tidy(survivor.model_copy(update=update))


def _added(one: Facts, other: Facts) -> dict[str, object]:
    """Example: wages of 6,000 and 4,500.50 a year are 10,500.50; a loss and a gain add up too."""
    return {
        "incomes": Incomes(
            **{kind: value + getattr(other.incomes, kind) for kind, value in one.incomes}
        ),
        "rigid_expenses": RigidExpenses(
            **{
                kind: value + getattr(other.rigid_expenses, kind)
                for kind, value in one.rigid_expenses
            }
        ),
        "assets": Assets(
            financial=one.assets.financial + other.assets.financial,
            vehicles=one.assets.vehicles + other.assets.vehicles,
        ),
    }


def closed(merged: Facts, survivor_id: UUID) -> Facts:
    """The merged file from the day on: closed, empty, and saying where its people went."""
    return merged.model_copy(
        update={"state": State.CLOSED, "members": (), "merged_into": survivor_id}
    )


def undoing_faults(reason: str, *, changed: bool, officer_id: str | None) -> list[Fault]:
    """All that speaks against taking a merger back.

    What has changed since rests on the merged household: it is split then, not undone.
    """
    faults = _decision_faults(reason, officer_id)
    if changed:
        message = "并户后档案又有变更,不能撤销并户,请按分户办理"
        faults.append(fault("", "changed_since_merger", message))
    return faults


def _decision_faults(reason: str, officer_id: str | None) -> list[Fault]:
    faults = officer_faults(officer_id)
    if not reason.strip():
        faults.append(fault("reason", "reason_missing", "须以文字写明理由"))
    return faults
