"""What the registry publishes on ``registry.households``: a household's whole state, codes only.

No name, ID number, phone or account ever stands here (policy section 5, PIPL duties in section 7).
"""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from shared.contracts.envelope import Payload

SOURCE = "/registry"


class HouseholdEvent(StrEnum):
    """The types on ``registry.households``; all carry a HouseholdState."""

    IDENTIFIED = "bangfu.household.identified.v1"
    CHANGED = "bangfu.household.changed.v1"
    LIFTED = "bangfu.household.lifted.v1"
    EXITED = "bangfu.household.exited.v1"
    RETURNED = "bangfu.household.returned.v1"
    CLOSED = "bangfu.household.closed.v1"
    MERGED = "bangfu.household.merged.v1"
    SPLIT = "bangfu.household.split.v1"


class State(StrEnum):
    """Where a household's file stands in its life cycle."""

    ACCEPTED = "accepted"
    IDENTIFIED = "identified"
    LIFTED = "lifted"
    EXITED = "exited"
    RETURNED = "returned"
    CLOSED = "closed"

    @property
    def on_assistance(self) -> bool:
        """Whether measures run in this state (identified, or returned under a new episode)."""
        return self in {State.IDENTIFIED, State.RETURNED}


class Category(StrEnum):
    """The five categories of C2, in the notice's order."""

    TEKUN = "tekun"
    DIBAO = "dibao"
    DIBAO_MARGINAL = "dibao_marginal"
    EXPENDITURE_BASED = "expenditure_based"
    GROUP_4600 = "group_4600"


class Cause(StrEnum):
    """Causes of poverty (致贫原因), up to five a file."""

    ILLNESS = "illness"
    DISABILITY = "disability"
    SCHOOLING = "schooling"
    DISASTER = "disaster"
    ACCIDENT = "accident"
    JOB_LOSS = "job_loss"
    LACK_OF_MOTIVATION = "lack_of_motivation"
    LACK_OF_LABOR = "lack_of_labor"
    LACK_OF_SKILL = "lack_of_skill"
    LACK_OF_FUNDS = "lack_of_funds"
    OLD_AGE = "old_age"
    WATER_SAFETY = "water_safety"
    HOUSING = "housing"


class RuleSet(StrEnum):
    """The law a decision was made under, by its date (R-labels of the policy)."""

    LS2016 = "LS2016"
    CN2021 = "CN2021"
    CN2025 = "CN2025"

    @classmethod
    def on(cls, day: date) -> "RuleSet":
        """The law of a decision by its date (policy, "Which rule set").

        Example: 2021-06-30 is LS2016, 2021-07-01 CN2021, 2024-12-31 CN2021, 2025-01-01 CN2025.
        """
        if day < date(2021, 7, 1):
            return cls.LS2016
        return cls.CN2021 if day < date(2025, 1, 1) else cls.CN2025


class HouseGrade(StrEnum):
    """Danger grade of a dwelling; C and D are dangerous houses."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"


class Relation(StrEnum):
    """A member's relation to the head (GB/T 4761, coarse)."""

    HEAD = "head"
    SPOUSE = "spouse"
    SON = "son"
    DAUGHTER = "daughter"
    FATHER = "father"
    MOTHER = "mother"
    GRANDCHILD = "grandchild"
    GRANDPARENT = "grandparent"
    SIBLING = "sibling"
    OTHER = "other"


class Sex(StrEnum):
    """GB/T 2261.1."""

    MALE = "male"
    FEMALE = "female"


class Health(StrEnum):
    """Health as the rosters know it."""

    HEALTHY = "healthy"
    CHRONIC_ILLNESS = "chronic_illness"
    SERIOUS_ILLNESS = "serious_illness"
    DISABLED = "disabled"


class DisabilityKind(StrEnum):
    """The seven kinds on the disability card."""

    SIGHT = "sight"
    HEARING = "hearing"
    SPEECH = "speech"
    LIMB = "limb"
    INTELLECTUAL = "intellectual"
    MENTAL = "mental"
    MULTIPLE = "multiple"


class LaborAbility(StrEnum):
    """Ability to work (劳动能力). WEAK counts as able."""

    SKILLED = "skilled"
    ORDINARY = "ordinary"
    WEAK = "weak"
    LOST = "lost"
    NONE = "none"


class Education(StrEnum):
    """Highest education reached (GB/T 4658, coarse)."""

    ILLITERATE = "illiterate"
    PRIMARY = "primary"
    JUNIOR = "junior"
    SENIOR = "senior"
    JUNIOR_COLLEGE = "junior_college"
    BACHELOR = "bachelor"


class SchoolStage(StrEnum):
    """Stage at school now (学段); NOT_AT_SCHOOL says so, a missing value says unknown."""

    NOT_AT_SCHOOL = "not_at_school"
    PRESCHOOL = "preschool"
    PRIMARY = "primary"
    JUNIOR = "junior"
    SENIOR = "senior"
    VOCATIONAL = "vocational"
    JUNIOR_COLLEGE = "junior_college"
    COLLEGE = "college"


class Work(StrEnum):
    """Work now (就业状况)."""

    FARMING = "farming"
    FLEXIBLE = "flexible"
    MIGRANT_IN_COUNTY = "migrant_in_county"
    MIGRANT_IN_PROVINCE = "migrant_in_province"
    MIGRANT_OUT_OF_PROVINCE = "migrant_out_of_province"
    UNEMPLOYED = "unemployed"
    NOT_WORKING = "not_working"


class Disability(Payload):
    """A disability card's kind and grade; grade 1 is the severest of 4."""

    kind: DisabilityKind
    grade: int


class Incomes(Payload):
    """A household's yearly income by the four kinds, in yuan. A business loss may be negative."""

    wage: Decimal = Decimal(0)
    business: Decimal = Decimal(0)
    property: Decimal = Decimal(0)
    transfer: Decimal = Decimal(0)


class RigidExpenses(Payload):
    """A household's yearly rigid expenses, in yuan."""

    medical: Decimal = Decimal(0)
    education: Decimal = Decimal(0)
    disability: Decimal = Decimal(0)
    other: Decimal = Decimal(0)


class Assets(Payload):
    """Financial assets in yuan and motor vehicles by number."""

    financial: Decimal = Decimal(0)
    vehicles: int = 0


class Member(Payload):
    """One member as every bureau may know it; who it is stays with the registry.

    ``counted`` is false while a member does not count into ``n`` (prison, detox: R1): measures
    reckoned by head are not for him.
    """

    person_id: UUID
    relation: Relation
    sex: Sex
    birth_date: date
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


class Episode(Payload):
    """One stay on assistance: from its decision to the day it was lifted and struck off."""

    number: int
    origin: str
    identified_on: date
    lifted_on: date | None = None
    exited_on: date | None = None


class FactPeriod(Payload):
    """What entitles a household from ``valid_from`` until the next period, newest last.

    The periods of all episodes travel with every event, so that a listener that missed a version,
    or received it late or twice, still reckons every month from what held in it.
    ``division_code`` is where the household stood and ``tags`` what it was beside its category; an
    older publisher left them out.
    """

    valid_from: date
    state: State
    category: Category
    n: int
    incomes: Incomes
    keep_policy_until: date | None = None
    division_code: str | None = None
    tags: tuple[Category, ...] | None = None


class HouseholdState(Payload):
    """The whole state of one household file, as of its version.

    ``effective_from`` is the day from which this version's facts hold; measures follow from the
    month after it (R13). ``n`` is the number of members who count. ``split_from`` is the household
    that this one came out of; ``merged_into`` the one that a file closed by a merger became part
    of, until the merger is undone.
    """

    TOPIC_KEY: ClassVar[str] = "household_id"

    household_id: UUID
    state: State
    category: Category
    tags: tuple[Category, ...] = ()
    causes: tuple[Cause, ...] = ()
    rule_set: RuleSet
    effective_from: date
    keep_policy_until: date | None = None
    division_code: str
    head_person_id: UUID
    n: int
    incomes: Incomes
    rigid_expenses: RigidExpenses
    assets: Assets
    house_grade: HouseGrade | None = None
    episodes: tuple[Episode, ...]
    members: tuple[Member, ...]
    split_from: UUID | None = None
    merged_into: UUID | None = None
    periods: tuple[FactPeriod, ...]
