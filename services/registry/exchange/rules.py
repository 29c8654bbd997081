"""Lines of a partner's batch: read, and what is wrong with one by itself (domain section 9). Pure.

A line says of one household what a row of a roster says, as JSON, and is treated like one. The unit
of refusal is the line.
"""

from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from services.registry.households.rules import fault
from services.registry.rosters.facts import RosterHousehold, RosterMember
from services.registry.rosters.matching import Address
from shared.contracts.registry import (
    Assets,
    Category,
    Cause,
    Disability,
    Education,
    Health,
    HouseGrade,
    Incomes,
    LaborAbility,
    Relation,
    RigidExpenses,
    SchoolStage,
    Sex,
    Work,
)
from shared.errors import Fault
from shared.identity import InvalidIdNumberError, parse_id_number

MOST_LINES = 500
"""One request is one transaction, and none should outlive a second or two."""

Strict = ConfigDict(extra="forbid", frozen=True)
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]


class MemberIn(BaseModel):
    """One person, known by the ID number, which decides sex and birth date."""

    model_config = Strict

    name: Text
    id_number: Annotated[str, Field(max_length=40)]
    relation: Relation
    health: Health | None = None
    disability: Disability | None = None
    labor_ability: LaborAbility | None = None
    education: Education | None = None
    school_stage: SchoolStage | None = None
    work: Work | None = None
    insured: bool | None = None


class LineIn(BaseModel):
    """One household as the partner holds it; ``line`` is its number in the batch, for good."""

    model_config = Strict

    line: Annotated[int, Field(ge=1, le=2_000_000_000)]
    division_code: Annotated[str, Field(pattern=r"^[1-9]\d{11}$")]
    category: Category
    causes: Annotated[tuple[Cause, ...], Field(max_length=5)] = ()
    incomes: Incomes
    rigid_expenses: RigidExpenses = RigidExpenses()
    assets: Assets = Assets()
    house_grade: HouseGrade | None = None
    phone: Annotated[str | None, Field(max_length=40)] = None
    account: Annotated[str | None, Field(max_length=60)] = None
    members: Annotated[tuple[MemberIn, ...], Field(min_length=1, max_length=50)]


@dataclass(slots=True, kw_only=True)
class Read:
    """A line as it was read: ``household`` is None where ``faults`` refuse it already.

    ``at`` counts the lines of the body from 1; ``line`` is None where not even that could be read.
    """

    at: int
    line: int | None
    content_hash: bytes
    division_code: str | None = None
    household: RosterHousehold | None = None
    faults: tuple[Fault, ...] = ()


class Pointer(Address):
    """Names places in a line's JSON the way the roster names cells: ``#/members/2/id_number``."""

    def cell(self, key: str, row: int) -> str:
        """The place of ``key``; ``row`` counts the members from 0."""
        return f"#/members/{row}/{key}" if key in MemberIn.model_fields else "#"


POINTER = Pointer({})


def read_line(at: int, raw: bytes, *, on: date) -> Read:
    """One line of the body. Example: two heads, or a check digit that is wrong, refuse the line."""
    read = Read(at=at, line=None, content_hash=sha256(raw).digest())
    try:
        given = LineIn.model_validate_json(raw)
    except ValidationError as wrong:
        read.faults = tuple(_fault(each) for each in wrong.errors())
        return read
    read.line, read.division_code = given.line, given.division_code
    faults: list[Fault] = []
    members = [_member(number, who, faults, on=on) for number, who in enumerate(given.members)]
    heads = sum(who.relation is Relation.HEAD for who in given.members)
    if heads != 1:
        code = "head_missing" if heads == 0 else "head_twice"
        faults.append(fault("members", code, f"每户应有且只有一名户主,现有{heads}名"))
    read.faults = tuple(faults)
    if not faults:
        facts = {name: value for name, value in given if name not in {"line", "members"}}
        read.household = RosterHousehold(**facts, members=tuple(filter(None, members)))
    return read


def _member(at: int, who: MemberIn, faults: list[Fault], *, on: date) -> RosterMember | None:
    try:
        number = parse_id_number(who.id_number, on=on)
    except InvalidIdNumberError as wrong:
        faults.append(fault(f"members/{at}/id_number", wrong.code, wrong.message_zh))
        return None
    facts: dict[str, Any] = dict(who) | {"id_number": number.number}
    return RosterMember(row=at, sex=Sex(number.sex), birth_date=number.birth_date, **facts)


def _fault(error: Any) -> Fault:
    """What pydantic found, without quoting what was sent."""
    where = "/".join(str(part) for part in error["loc"])
    return Fault(f"#/{where}" if where else "#", "line_invalid", error["msg"])
