"""What goes in and out of the households' API. Money is a string with two places in answers."""

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.registry.households.facts import (
    AMOUNTS,
    NO_ASSETS,
    NO_EXPENSES,
    NO_INCOMES,
    HouseholdEntry,
    MemberEntry,
    Proof,
)
from shared.contracts.registry import (
    Assets,
    Category,
    Cause,
    Disability,
    Education,
    Episode,
    Health,
    HouseGrade,
    Incomes,
    LaborAbility,
    Relation,
    RigidExpenses,
    RuleSet,
    SchoolStage,
    Sex,
    State,
    Work,
)

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
Number = Annotated[str, Field(max_length=40)]
Phone = Annotated[str, Field(max_length=40)]
Account = Annotated[str, Field(max_length=60)]
Village = Annotated[str, Field(pattern=r"^[1-9]\d{11}$", description="12-digit village code")]
DivisionPrefix = Annotated[str, Field(pattern=r"^\d{2,12}$")]
Categories = Annotated[tuple[Category, ...], Field(max_length=5)]
Causes = Annotated[tuple[Cause, ...], Field(max_length=5)]
Evidence = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,49}$")]
Strict = ConfigDict(extra="forbid")


class IncomesIn(Incomes):
    """The four incomes of a year in yuan; the business income alone may be negative."""

    model_config = Strict


class RigidExpensesIn(RigidExpenses):
    """The four rigid expenses of a year in yuan."""

    model_config = Strict


class AssetsIn(Assets):
    """Financial assets in yuan and vehicles."""

    model_config = Strict


class _MemberFactsIn(BaseModel):
    model_config = Strict

    health: Health | None = None
    disability: Disability | None = None
    labor_ability: LaborAbility | None = None
    willing_to_work: bool | None = None
    education: Education | None = None
    school_stage: SchoolStage | None = None
    work: Work | None = None
    insured: bool | None = None
    left_behind: bool | None = None
    counted: bool = True


class MemberIn(_MemberFactsIn):
    """A person to be taken in. Sex and birth date only for a newborn without an ID number."""

    name: Name
    id_number: Number | None = None
    relation: Relation
    sex: Sex | None = None
    birth_date: date | None = None
    phone: Phone | None = None

    def entry(self) -> MemberEntry:
        """The same for the actions."""
        return MemberEntry(**{name: value for name, value in self if name != "valid_from"})


class HouseholdIn(BaseModel):
    """A household to be opened; exactly one member is the head."""

    model_config = Strict

    opened_on: date | None = None
    division_code: Village
    category: Category | None = None
    tags: Categories = ()
    causes: Causes = ()
    house_grade: HouseGrade | None = None
    incomes: IncomesIn = IncomesIn()
    rigid_expenses: RigidExpensesIn = RigidExpensesIn()
    assets: AssetsIn = AssetsIn()
    members: Annotated[tuple[MemberIn, ...], Field(min_length=1, max_length=50)]
    phone: Phone | None = None
    account: Account | None = None

    def entry(self) -> HouseholdEntry:
        """The same for the actions."""
        given = {name: value for name, value in self if name not in {"opened_on", "members"}}
        given |= {
            "incomes": plain(NO_INCOMES, self.incomes),
            "rigid_expenses": plain(NO_EXPENSES, self.rigid_expenses),
            "assets": plain(NO_ASSETS, self.assets),
        }
        return HouseholdEntry(**given, members=tuple(member.entry() for member in self.members))


class HouseholdPatch(BaseModel):
    """What changes from ``valid_from`` on; what is left out stays, null empties.

    So it is inside incomes, rigid_expenses and assets too: an amount not named stays as it is.
    """

    model_config = Strict

    valid_from: date
    reason: Annotated[str, Field(max_length=2000)] = ""
    division_code: Village | None = None
    category: Category | None = None
    tags: Categories | None = None
    causes: Causes | None = None
    house_grade: HouseGrade | None = None
    incomes: IncomesIn | None = None
    rigid_expenses: RigidExpensesIn | None = None
    assets: AssetsIn | None = None
    keep_policy_until: date | None = None
    head_person_id: UUID | None = None
    phone: Phone | None = None
    account: Account | None = None

    def facts(self) -> dict[str, Any]:
        """The facts that were named. A null empties only what may be empty."""
        named = self.model_fields_set - {"valid_from", "reason", *_BESIDE_FACTS}
        facts = {
            name: value
            for name in sorted(named)
            if (value := getattr(self, name)) is not None or name in _MAY_BE_EMPTY
        }
        for name in AMOUNTS & facts.keys():
            facts[name] = facts[name].model_dump(exclude_unset=True)
        return facts


_BESIDE_FACTS = frozenset({"head_person_id", "phone", "account"})
_MAY_BE_EMPTY = frozenset({"house_grade", "keep_policy_until"})


class Joining(MemberIn):
    """A person who joins from ``valid_from`` on; with relation head, as the new head."""

    valid_from: date


class MemberPatch(BaseModel):
    """What changes of one member; what is left out stays, null empties a fact."""

    model_config = Strict

    valid_from: date
    relation: Relation | None = None
    health: Health | None = None
    disability: Disability | None = None
    labor_ability: LaborAbility | None = None
    willing_to_work: bool | None = None
    education: Education | None = None
    school_stage: SchoolStage | None = None
    work: Work | None = None
    insured: bool | None = None
    left_behind: bool | None = None
    counted: bool | None = None
    name: Name | None = None
    id_number: Number | None = None
    proof: Proof | None = None
    phone: Phone | None = None

    def facts(self) -> dict[str, Any]:
        """The facts that were named."""
        named = self.model_fields_set - {"valid_from", "name", "id_number", "proof", "phone"}
        return {
            name: value
            for name in sorted(named)
            if (value := getattr(self, name)) is not None or name not in {"relation", "counted"}
        }


class Departure(BaseModel):
    """Why and from when a member is no longer there; a head names who follows."""

    model_config = Strict

    valid_from: date
    reason: Literal["died", "moved_out", "married_out", "split", "entered_in_error"]
    new_head_person_id: UUID | None = None


class Search(BaseModel):
    """A person's mark or a household's number, and any filter. In the body: addresses are logged.

    ``number`` is the printed one or one of another book, whole.
    """

    model_config = Strict

    name_prefix: Name | None = None
    id_number: Number | None = None
    number: Annotated[str, Field(max_length=60)] | None = None
    division: DivisionPrefix | None = None
    category: Category | None = None
    state: State | None = None
    cursor: Annotated[str, Field(max_length=1000)] | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class Listed(BaseModel):
    """A household in a list; the head's name is masked without the scope pii:read."""

    household_id: UUID
    household_no: str
    division_code: str
    state: State
    category: Category | None
    n: int
    effective_from: date
    version: int
    head_person_id: UUID
    head_name: str


class Count(BaseModel):
    """How many households and counted people stand in one division, category and state."""

    division_code: str
    category: Category | None
    state: State
    households: int
    people: int


class MemberOut(_MemberFactsIn):
    """A member with who it is; masked without the scope pii:read."""

    person_id: UUID
    name: str
    id_number: str | None
    phone: str | None
    relation: Relation
    sex: Sex
    birth_date: date


class HouseholdOut(BaseModel):
    """A household's facts as of a day, as known at a moment; contacts and names are today's."""

    household_id: UUID
    household_no: str
    version: int
    revision: int
    as_of: date
    effective_from: date
    state: State
    category: Category | None
    tags: tuple[Category, ...]
    causes: tuple[Cause, ...]
    rule_set: RuleSet | None
    keep_policy_until: date | None
    division_code: str
    head_person_id: UUID
    n: int
    incomes: Incomes
    rigid_expenses: RigidExpenses
    assets: Assets
    house_grade: HouseGrade | None
    episodes: tuple[Episode, ...]
    members: tuple[MemberOut, ...]
    phone: str | None
    account: str | None


class Changed(BaseModel):
    """Where a household stands after a write; ``changed`` is false when nothing moved."""

    household_id: UUID
    version: int
    revision: int
    changed: bool
    person_ids: tuple[UUID, ...] = ()


def plain(kind: BaseModel, given: BaseModel) -> Any:
    """A contract value out of its request form, so that both compare equal."""
    return type(kind)(**dict(given))
