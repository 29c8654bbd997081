"""What stands in the full roster's cells: a household's values and those of each of its people.

Codes become the template's words, personal data is masked unless plain, the rest is as stored.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from services.registry.households import sealed
from services.registry.means.members import age_on
from services.registry.rosters.columns import (
    CATEGORIES,
    CAUSES,
    DISABILITY_KINDS,
    EDUCATION,
    GRADES,
    HEALTH,
    LABOR,
    RELATIONS,
    SCHOOL,
    SEXES,
    WORK,
    words_by_code,
)
from services.registry.rosters.packing import Value
from shared.contracts.registry import RuleSet, State
from shared.divisions import Directory
from shared.money import yuan

Record = Mapping[str, Any]

STATES: Final[Mapping[str, str]] = {
    State.ACCEPTED: "受理中",
    State.IDENTIFIED: "在册",
    State.LIFTED: "脱贫",
    State.EXITED: "退出",
    State.RETURNED: "返贫在册",
    State.CLOSED: "已销户",
}
ORIGINS: Final[Mapping[str, str]] = {
    "application": "本人申请",
    "roster": "花名册导入",
    "batch": "数据交换",
    "split": "分户",
}
RULE_SETS: Final[Mapping[str, str]] = {
    RuleSet.LS2016: "2016年政策",
    RuleSet.CN2021: "2021年政策",
    RuleSet.CN2025: "2025年政策",
}
_YES_NO: Final = {True: "是", False: "否", None: None}
_CATEGORIES = words_by_code(CATEGORIES)
_CAUSES = words_by_code(CAUSES)
_PERSON_WORDS: Final[Mapping[str, Mapping[Any, str]]] = {
    "relation": words_by_code(RELATIONS),
    "sex": words_by_code(SEXES),
    "health": words_by_code(HEALTH),
    "disability_kind": words_by_code(DISABILITY_KINDS),
    "disability_grade": {grade: f"{word}级" for word, grade in GRADES.items()},
    "labor_ability": words_by_code(LABOR),
    "education": words_by_code(EDUCATION),
    "school_stage": words_by_code(SCHOOL),
    "work": words_by_code(WORK),
}
_PERSON_FLAGS = ("willing_to_work", "insured", "left_behind", "counted")
_HOUSEHOLD_FLAGS = ("living", "housing", "medical", "schooling", "employment", "check_passed")
_INCOMES = ("income_wage", "income_business", "income_property", "income_transfer")
_RIGID = ("rigid_medical", "rigid_education", "rigid_disability", "rigid_other")


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How the rows are shown: the names of places, whether in plain, on which day."""

    names: Directory
    plain: bool
    on: date


def household(
    record: Record, people: Sequence[Record], serial: int, look: Look
) -> dict[str, Value]:
    """A household's own values by column key. ``income_a_head`` is by those who count.

    The head's name and number are those of his row; they are missing where he has none.
    """
    village = look.names.get(record["division_code"])
    township = look.names.get(record["division_code"][:9])
    own = dict(record)
    own |= {flag: _YES_NO[own[flag]] for flag in _HOUSEHOLD_FLAGS}
    own |= _head(record, people, plain=look.plain) | _sums(record) | _helper(record, look)
    return own | {
        "serial": serial,
        "township": township.name if township else None,
        "village": village.name if village else None,
        "people": len(people),
        "phone": sealed.show_phone(record["phone_encrypted"], plain=look.plain),
        "account": sealed.show_account(record["account_encrypted"], plain=look.plain),
        "category": _CATEGORIES.get(record["category"]),
        "tags": "、".join(_CATEGORIES[tag] for tag in record["tags"]),
        "causes": "、".join(_CAUSES[cause] for cause in record["causes"]),
        "state": STATES[record["state"]],
        "origin": ORIGINS.get(record["origin"], record["origin"]),
        "rule_set": RULE_SETS.get(record["rule_set"]),
        "episode": record["episode"] or None,
    }


def person(record: Record, look: Look) -> dict[str, Value]:
    """A person's values by column key."""
    own = dict(record)
    own |= {key: words.get(own[key]) for key, words in _PERSON_WORDS.items()}
    own |= {flag: _YES_NO[own[flag]] for flag in _PERSON_FLAGS}
    return own | {
        "name": sealed.show_name(record["name"], plain=look.plain),
        "id_number": sealed.show_id_number(record["id_number_encrypted"], plain=look.plain),
        "age": age_on(record["birth_date"], look.on),
        "person_phone": sealed.show_phone(record["phone_encrypted"], plain=look.plain),
    }


def _head(record: Record, people: Sequence[Record], *, plain: bool) -> dict[str, Value]:
    head = next((one for one in people if one["person_id"] == record["head_person_id"]), None)
    if head is None:
        return {"head_name": None, "head_id_number": None}
    return {
        "head_name": sealed.show_name(head["name"], plain=plain),
        "head_id_number": sealed.show_id_number(head["id_number_encrypted"], plain=plain),
    }


def _sums(record: Record) -> dict[str, Value]:
    income = sum(record[kind] for kind in _INCOMES)
    return {
        "income": income,
        "income_a_head": yuan(income / record["n"]) if record["n"] else None,
        "rigid": sum(record[kind] for kind in _RIGID),
    }


def _helper(record: Record, look: Look) -> dict[str, Value]:
    name = record["helper_name_encrypted"]
    return {
        "helper": sealed.show_official_name(name, plain=look.plain) if name else None,
        "helper_phone": sealed.show_phone(record["helper_phone_encrypted"], plain=look.plain),
    }
