"""What is decided about one person's row: every cell of it, the ID number first (GB 11643).

Policy section 7: the number decides sex and birth date; a wrong or a missing one refuses the
household, because nobody is ever found by a name alone.
"""

from collections.abc import Mapping
from datetime import date
from functools import partial
from typing import Any, Final

from services.registry.rosters import cells
from services.registry.rosters.columns import (
    EDUCATION,
    HEALTH,
    INSURED,
    LABOR,
    RELATIONS,
    SCHOOL,
    SEXES,
    WORK,
    word_of,
)
from services.registry.rosters.facts import RosterMember
from services.registry.rosters.findings import Reader
from services.registry.rosters.sheet import Row
from shared.contracts.registry import Relation, Sex
from shared.identity import IdNumber, InvalidIdNumberError, parse_id_number

LONGEST_NAME = 50

_CODED: Final[Mapping[str, Mapping[str, Any]]] = {
    "health": HEALTH,
    "labor_ability": LABOR,
    "education": EDUCATION,
    "school_stage": SCHOOL,
    "work": WORK,
    "insured": INSURED,
}


def read_member(reader: Reader, row: Row, *, on: date) -> RosterMember | None:
    """The person of one row, every fault of it found; None where name or number cannot be read.

    Example: J2425 holds 33112419860522271X whose check digit should be 5: the finding is
    ``id_number_checksum`` at J2425, and the household is refused.
    """
    name = _name(reader, row)
    number = _id_number(reader, row, on)
    relation = _relation(reader, row)
    sex = reader.of_member(row, "sex", partial(cells.code, meanings=SEXES))
    facts = {
        key: reader.of_member(row, key, partial(cells.code, meanings=words))
        for key, words in _CODED.items()
    }
    facts["disability"] = reader.of_member(row, "disability", cells.disability)
    if number is None or not name:
        return None
    if sex is not None and sex is not Sex(number.sex):
        said = word_of(SEXES, Sex(number.sex))
        reader.warn("sex", row, "sex_differs", f"与身份证号码不符，按号码记为{said}")
    return RosterMember(
        row=row.number,
        name=name,
        id_number=number.number,
        relation=relation,
        sex=Sex(number.sex),
        birth_date=number.birth_date,
        **facts,
    )


def _name(reader: Reader, row: Row) -> str:
    name = cells.name(row.cells["name"])
    if not name:
        reader.reject("name", row, "name_missing", "未填写")
    if len(name) > LONGEST_NAME:
        reader.reject("name", row, "name_too_long", f"超过 {LONGEST_NAME} 个字")
    return name


def _id_number(reader: Reader, row: Row, on: date) -> IdNumber | None:
    known = len(reader.found)
    text = reader.of_member(
        row, "id_number", partial(cells.digits, code_if_lost="id_number_lost_digits")
    )
    if len(reader.found) > known:
        return None
    try:
        return parse_id_number(text or "", on=on)
    except InvalidIdNumberError as invalid:
        reader.reject("id_number", row, invalid.code, invalid.message_zh)
        return None


def _relation(reader: Reader, row: Row) -> Relation:
    known = len(reader.found)
    relation = reader.of_member(row, "relation", partial(cells.code, meanings=RELATIONS))
    if relation is None and len(reader.found) == known:
        reader.reject("relation", row, "relation_missing", "未填写")
    return relation or Relation.OTHER
