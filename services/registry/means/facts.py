"""The means test's case and its finding: what is declared of a household, and what it comes to.

Pure values. Money is yuan; the totals of incomes, costs and rigid expenses are those of one income
window (``income_window_months``), never rebuilt from a rounded month (R3).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from shared.contracts.registry import (
    Category,
    Disability,
    LaborAbility,
    Relation,
    RuleSet,
    SchoolStage,
)
from shared.money import ZERO


class Absence(StrEnum):
    """Why somebody of the family does not count (R1)."""

    CLERGY = "clergy_three_years"
    PRISON = "prison"
    DETOX = "compulsory_detox"
    MISSING = "declared_missing"
    NOT_COUNTED = "not_counted_on_file"


class IncomeKind(StrEnum):
    """The four kinds of income (R3)."""

    WAGE = "wage"
    BUSINESS = "business"
    PROPERTY = "property"
    TRANSFER = "transfer"


class Item(StrEnum):
    """What an income is, where that decides whether it is counted (R4, R24)."""

    ORDINARY = "ordinary"
    MARTYR_CONSOLATION = "martyr_consolation"
    VETERAN_PENSION = "veteran_pension"
    FAMILY_PLANNING_AWARD = "family_planning_award"
    SCHOLARSHIP = "scholarship"
    BRAVERY_AWARD = "bravery_award"
    SOCIAL_ASSISTANCE = "social_assistance"
    BASIC_PENSION = "basic_pension"
    OLD_AGE_ALLOWANCE = "old_age_allowance"
    DISABILITY_SUBSIDY = "disability_subsidy"
    EDUCATION_SUBSIDY = "education_subsidy"


class CostKind(StrEnum):
    """What may be deducted on request (R5), and under LS2016 from wages (R3)."""

    EMPLOYMENT = "employment"
    DISABILITY = "disability"
    ILLNESS = "illness"
    INCOME_TAX = "income_tax"
    CONTRIBUTIONS = "contributions"


class Unable(StrEnum):
    """Why an obligor cannot support anybody (R24, [TK 8])."""

    TEKUN = "tekun"
    DIBAO_AT_60 = "dibao_at_60"
    POOR_AT_70 = "poor_at_70"
    SEVERELY_DISABLED_POOR = "severely_disabled_poor"
    INCAPABLE = "incapable"
    MISSING = "missing"
    IMPRISONED_POOR = "imprisoned_poor"


class AssetKind(StrEnum):
    """What may be held against a household (R8)."""

    MONEY = "money"
    VEHICLE = "vehicle"
    DWELLING = "dwelling"
    RECENT_DWELLING = "recent_dwelling"
    CAPITAL = "capital"
    STUDY_ABROAD = "study_abroad"
    FEE_SCHOOL = "fee_charging_school"
    OVERSEAS_TRAVEL = "overseas_travel"


class RigidKind(StrEnum):
    """Rigid expenses that count; daily living is none (R17)."""

    MEDICAL = "medical"
    SCHOOL = "school"
    DISABILITY = "disability"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody of the family. Age is that of the day of decision.

    ``independent`` says of an adult child that it lives from its own income; ``supports`` of other
    kin that they owe each other support by law and live together for long. ``unproven_income`` is
    said of somebody able to work whose income nobody can prove (R7), ``steady_income`` of somebody
    whose earnings do not change from month to month (R28).
    """

    person_id: UUID
    relation: Relation
    birth_date: date
    disability: Disability | None = None
    seriously_ill: bool = False
    labor_ability: LaborAbility | None = None
    school_stage: SchoolStage | None = None
    postgraduate: bool = False
    independent: bool = False
    supports: bool = False
    own_register: bool = False
    absence: Absence | None = None
    unproven_income: bool = False
    steady_income: bool = False
    applies_as_tekun: bool = False
    is_tekun: bool = False
    orphan_support: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Income:
    """An income over the window; a business loss is negative and counts as 0."""

    kind: IncomeKind
    amount: Decimal
    item: Item = Item.ORDINARY
    person_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """A cost over the window that is to be deducted."""

    kind: CostKind
    amount: Decimal
    person_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Obligor:
    """A household outside that owes parents here support (R6).

    ``supported_parents`` counts all parents it owes, ``supports`` names those in this household.
    ``ordered`` is what a court or an agreement says, in yuan a parent and month.
    """

    supports: tuple[UUID, ...]
    per_capita_month: Decimal
    n: int
    supported_parents: int
    ordered: Decimal | None = None
    unable: Unable | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """A thing found: yuan for money and capital, else how many. Unconfirmed it is only a doubt.

    ``exempt`` says in words why it is not held against them (assistance money, a house-sale's money
    awaiting purchase, a disability aid vehicle, a co-operative's membership).
    """

    kind: AssetKind
    amount: Decimal
    confirmed: bool = True
    exempt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rigid:
    """A rigid expense over the window, and what any insurance or subsidy paid of it."""

    kind: RigidKind
    amount: Decimal
    reimbursed: Decimal = ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """An officer takes an imputed income away, with the reason (R7)."""

    person_id: UUID
    officer_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Everything the means test asks of one household.

    ``rigid_months`` is for how long the rigid expenses have lasted. ``frozen_roster``: on the
    roster of the 4600 group frozen at the end of 2015; ``returned``: fallen back to poverty;
    ``office_decision``: the poverty-alleviation office takes it in (R19). ``separate``: one person
    applies apart from the family (R2), ``family_is_marginal`` says of what.
    """

    applied_on: date
    members: tuple[Person, ...]
    incomes: tuple[Income, ...] = ()
    costs: tuple[Cost, ...] = ()
    obligors: tuple[Obligor, ...] = ()
    assets: tuple[Asset, ...] = ()
    rigid: tuple[Rigid, ...] = ()
    rigid_months: int = 0
    removals: tuple[Removal, ...] = ()
    local_hukou: bool = True
    frozen_roster: bool = False
    returned: bool = False
    office_decision: bool = False
    separate: bool = False
    family_is_marginal: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """A parameter or standard as it held, so that a decision can be made again years later."""

    key: str
    value: Decimal
    valid_from: date
    document_number: str


class MissingParameterError(LookupError):
    """A value that the law wants set here is not in force. ``key`` names it."""

    def __init__(self, key: str) -> None:
        super().__init__(f"no approved value of {key} is in force here on that day")
        self.key = key


@dataclass(frozen=True, slots=True)
class MeansParameters:
    """The values in force for one division and day; ``line_applied`` is that of the application."""

    values: Mapping[str, Used]
    line_applied: Used | None = None

    def __getitem__(self, key: str) -> Used:
        """The value of ``key``. Raises MissingParameterError."""
        if key not in self.values:
            raise MissingParameterError(key)
        return self.values[key]

    def holds(self, key: str) -> bool:
        """Whether a flag is on (any value but 0)."""
        return self[key].value != 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of the reckoning, to be read: what was done with which numbers, by which law."""

    code: str
    title: str
    words: str
    numbers: Mapping[str, Decimal] = field(default_factory=dict)
    source: str = ""
    used: tuple[Used, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a test failed: a stable code and a sentence for the citizen."""

    code: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One category: eligible where no reason speaks against it."""

    category: Category
    reasons: tuple[Reason, ...]

    @property
    def eligible(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.reasons


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Whether a person counts into n, and why."""

    person_id: UUID
    counts: bool
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What the means test comes to. ``primary`` is None where no category fits.

    ``income`` and ``rigid`` are totals of the window; ``doubts`` are unconfirmed hits, to be
    cleared by verification and no ground to refuse.
    """

    rule_set: RuleSet
    decided_on: date
    n: int
    counted: tuple[Counted, ...]
    income: Decimal
    rigid: Decimal
    per_capita_month: Decimal
    per_capita_year: Decimal
    verdicts: tuple[Verdict, ...]
    tekun_persons: tuple[UUID, ...]
    primary: Category | None
    tags: tuple[Category, ...]
    doubts: tuple[Reason, ...]
    steps: tuple[Step, ...]

    def verdict(self, category: Category) -> Verdict:
        """The verdict on one category."""
        return next(each for each in self.verdicts if each.category is category)
