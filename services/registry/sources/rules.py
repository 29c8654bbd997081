"""Whose word counts of a household: source_of_record by category (C3). Pure.

Civil affairs keeps tekun, dibao, marginal and expenditure-based households, poverty alleviation the
4600 group. A feed of another bureau changes nothing of what the keeper decided and reckoned; what
it said waits for the keeper.
"""

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Any

from services.registry.households.facts import AMOUNTS, DECIDED_FACTS, Facts, HouseholdChange
from services.registry.households.rules import fault, officer_faults, tidy
from shared.contracts.registry import Category
from shared.errors import Fault

CIVIL_AFFAIRS = "civil-affairs"
POVERTY_ALLEVIATION = "poverty-alleviation"

_KEPT = frozenset({*DECIDED_FACTS, *AMOUNTS, "causes"})
"""What the keeper decided and reckoned; of the rest any feed may tell."""


class Settlement(StrEnum):
    """How a conflict ended: the value stayed, or the other bureau's was taken."""

    KEPT = "kept"
    TAKEN = "taken"


def source_of_record(category: Category) -> str:
    """The bureau whose record a household of this category is.

    Example: dibao is civil affairs', group_4600 is poverty alleviation's.
    """
    return POVERTY_ALLEVIATION if category is Category.GROUP_4600 else CIVIL_AFFAIRS


def held_back(
    facts: Facts, change: HouseholdChange, bureau: str | None
) -> tuple[HouseholdChange, dict[str, Any]]:
    """The change without what is not this bureau's to change, and what that was, by fact.

    Example: a civil-affairs roster says dibao, income 9,000 and grade C of a household of the 4600
    group: the grade goes in, category and incomes are held back.
    """
    if facts.category is None or source_of_record(facts.category) == bureau:
        return change, {}
    other = _with(facts, {name: change.facts[name] for name in _KEPT & change.facts.keys()})
    known = tidy(facts)
    wanted = {
        name: getattr(other, name)
        for name in sorted(_KEPT & change.facts.keys())
        if getattr(other, name) != getattr(known, name)
    }
    allowed = {name: value for name, value in change.facts.items() if name not in wanted}
    return replace(change, facts=allowed), wanted


def _with(facts: Facts, named: Mapping[str, Any]) -> Facts:
    update = {
        name: getattr(facts, name).model_copy(update=value)
        if name in AMOUNTS and isinstance(value, Mapping)
        else value
        for name, value in named.items()
    }
    return tidy(facts.model_copy(update=update))


def as_json(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """What was held back as it is stored."""
    return Facts.model_construct(**wanted).model_dump(mode="json", include=set(wanted))


def from_json(facts: Facts, stored: Mapping[str, Any]) -> dict[str, Any]:
    """What was held back as facts again."""
    read = Facts.model_validate({**facts.model_dump(mode="json"), **stored})
    return {name: getattr(read, name) for name in stored}


def settling_faults(
    reason: str, *, officer_id: str | None, bureau: str | None, owner: str
) -> list[Fault]:
    """A conflict is settled by an officer of the bureau that keeps the record, in words."""
    faults = officer_faults(officer_id)
    if bureau != owner:
        faults.append(fault("", "not_source_of_record", "只能由该类别的主管部门处理数据冲突"))
    if not reason.strip():
        faults.append(fault("reason", "reason_missing", "须以文字写明理由"))
    return faults
