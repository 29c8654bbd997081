"""What is known of a household: its facts, and what callers hand in to open or to change one.

Pure values. ``Facts`` is what is archived and published; who the people are (names, ID numbers,
phones, accounts) stands beside it in the entries and never in ``Facts``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any
from uuid import UUID

from shared.contracts.envelope import Payload
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
    Member,
    Relation,
    RigidExpenses,
    RuleSet,
    SchoolStage,
    Sex,
    State,
    Work,
)
from shared.errors import Fault


class Facts(Payload):
    """Everything known of a household on a day. Members stand head first, then by person id."""

    state: State = State.ACCEPTED
    category: Category | None = None
    tags: tuple[Category, ...] = ()
    causes: tuple[Cause, ...] = ()
    rule_set: RuleSet | None = None
    keep_policy_until: date | None = None
    division_code: str
    head_person_id: UUID
    incomes: Incomes = Incomes()
    rigid_expenses: RigidExpenses = RigidExpenses()
    assets: Assets = Assets()
    house_grade: HouseGrade | None = None
    episodes: tuple[Episode, ...] = ()
    members: tuple[Member, ...] = ()
    split_from: UUID | None = None
    merged_into: UUID | None = None

    @property
    def n(self) -> int:
        """The number of members who count."""
        return sum(member.counted for member in self.members)

    def member(self, person_id: UUID) -> Member | None:
        """The member with this id, or None."""
        return next((found for found in self.members if found.person_id == person_id), None)


class LeaveReason(StrEnum):
    """Why a member leaves a household."""

    DIED = "died"
    MOVED_OUT = "moved_out"
    MARRIED_OUT = "married_out"
    SPLIT = "split"
    ENTERED_IN_ERROR = "entered_in_error"
    FILE_REFUSED = "file_refused"
    MERGED = "merged"


class Proof(StrEnum):
    """The paper that an ID number is entered or corrected on (section 7: override with proof)."""

    ID_CARD = "id_card"
    HUKOU_BOOKLET = "hukou_booklet"
    BIRTH_CERTIFICATE = "birth_certificate"
    POLICE_CERTIFICATE = "police_certificate"


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberEntry:
    """A member to be taken into a household.

    ``id_number`` in any form people write it. Without one (a newborn) ``sex`` and ``birth_date``
    are required; with one they are ignored: the number decides.
    """

    name: str
    id_number: str | None = None
    relation: Relation
    sex: Sex | None = None
    birth_date: date | None = None
    phone: str | None = None
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


NO_INCOMES, NO_EXPENSES, NO_ASSETS = Incomes(), RigidExpenses(), Assets()

MEMBER_FACTS = (
    "relation",
    "health",
    "disability",
    "labor_ability",
    "willing_to_work",
    "education",
    "school_stage",
    "work",
    "insured",
    "left_behind",
    "counted",
)
"""Facts of a member that a MemberChange may carry under these names."""

HOUSEHOLD_FACTS = (
    "category",
    "tags",
    "causes",
    "house_grade",
    "incomes",
    "rigid_expenses",
    "assets",
    "division_code",
    "keep_policy_until",
)
"""Facts of a household that a HouseholdChange may carry under these names."""

DECIDED_FACTS = ("category", "tags", "keep_policy_until")
"""Those of them that are a decision: they need an officer and write a decision row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseholdEntry:
    """A household to be opened. Exactly one member is the head (relation ``head``).

    ``ref`` is the caller's own mark (a roster's row) and comes back in the outcome.
    """

    ref: str = ""
    division_code: str
    category: Category | None = None
    tags: tuple[Category, ...] = ()
    causes: tuple[Cause, ...] = ()
    house_grade: HouseGrade | None = None
    incomes: Incomes = NO_INCOMES
    rigid_expenses: RigidExpenses = NO_EXPENSES
    assets: Assets = NO_ASSETS
    keep_policy_until: date | None = None
    members: tuple[MemberEntry, ...]
    phone: str | None = None
    account: str | None = None
    missing_evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberChange:
    """New facts of one standing member: names of MEMBER_FACTS, contract values.

    ``name``, ``phone`` and ``id_number`` are personal data: None leaves them as they are. A
    corrected ``id_number`` brings its sex and birth date along, for all the time of membership; the
    first one of a newborn too. It needs the paper that it rests on, ``proof``.
    """

    person_id: UUID
    facts: Mapping[str, Any] = field(default_factory=dict)
    name: str | None = None
    phone: str | None = None
    id_number: str | None = None
    proof: Proof | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving:
    """A member who leaves from ``HouseholdChange.valid_from`` on."""

    person_id: UUID
    reason: LeaveReason


AMOUNTS = frozenset({"incomes", "rigid_expenses", "assets"})
"""Household facts that are several amounts; each amount is a value of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseholdChange:
    """What changes in one household from ``valid_from`` on; what is not named stays.

    Handing in the whole of what a sheet says is fine: what is equal costs nothing and publishes
    nothing. ``facts`` has names of HOUSEHOLD_FACTS with contract values (Incomes, Category …); of
    AMOUNTS it may also hold a mapping of the amounts that change.
    ``head_person_id`` names a new head: it is required when the head leaves, and a joining member
    can be the head by its relation. ``expected_revision`` refuses the change when somebody else
    was faster (None: no check).
    """

    ref: str = ""
    household_id: UUID
    valid_from: date
    facts: Mapping[str, Any] = field(default_factory=dict)
    members: tuple[MemberChange, ...] = ()
    join: tuple[MemberEntry, ...] = ()
    leave: tuple[Leaving, ...] = ()
    head_person_id: UUID | None = None
    phone: str | None = None
    account: str | None = None
    reason: str = ""
    expected_revision: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """A person who stands in a county that the caller may not see: its code and no more.

    ``wanted_in`` is the village of the household that asked.
    """

    person_id: UUID
    county: str
    wanted_in: str = ""


class Result(StrEnum):
    """What became of one entry or change of a set."""

    ADMITTED = "admitted"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The answer to one entry or change. A refused one wrote nothing and lists every fault.

    ``CHANGED`` covers personal data alone as well: then ``version`` stands still. ``person_ids``
    are those of the entry's members (or of the joining ones), in the order they were handed in.
    For each one of ``elsewhere`` a transfer task has been opened.
    """

    ref: str
    result: Result
    household_id: UUID | None = None
    version: int = 0
    revision: int = 0
    person_ids: tuple[UUID, ...] = ()
    faults: tuple[Fault, ...] = ()
    elsewhere: tuple[Elsewhere, ...] = ()
