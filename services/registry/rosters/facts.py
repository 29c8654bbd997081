"""What a roster says once it is read: households with their people, and findings about them.

Pure values. A judged household crosses the process boundary and rests, encrypted, in the report.
"""

import re
from datetime import date

from pydantic import BaseModel, ConfigDict

from services.registry.rosters.columns import Severity
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

_ROW = re.compile(r"[0-9]+$")


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True)


class Finding(_Value):
    """One thing to say about one cell. ``message`` is Chinese and holds no personal number.

    ``cell`` is ``J2425``, or ``人员查询_20261101.xlsx/人员!J2425`` where two files were handed in.
    """

    cell: str
    code: str
    message: str
    severity: Severity

    @property
    def row(self) -> int | None:
        """The row of the cell; None where the finding is about no cell."""
        figures = _ROW.search(self.cell)
        return int(figures[0]) if figures else None

    @property
    def sheet(self) -> str:
        """File and sheet of the cell; empty where one sheet was handed in."""
        return self.cell.rpartition("!")[0]


class RosterMember(_Value):
    """One person of the sheet. Sex and birth date are those of the ID number."""

    row: int
    name: str
    id_number: str
    relation: Relation
    sex: Sex
    birth_date: date
    health: Health | None
    disability: Disability | None
    labor_ability: LaborAbility | None
    education: Education | None
    school_stage: SchoolStage | None
    work: Work | None
    insured: bool | None

    def age(self, on: date) -> int:
        """Full years lived on a day."""
        birthday_passed = (on.month, on.day) >= (self.birth_date.month, self.birth_date.day)
        return on.year - self.birth_date.year - (not birthday_passed)


class RosterHousehold(_Value):
    """One household of the sheet whose every cell could be read. Exactly one member is the head."""

    division_code: str
    category: Category
    causes: tuple[Cause, ...]
    incomes: Incomes
    rigid_expenses: RigidExpenses
    assets: Assets
    house_grade: HouseGrade | None
    phone: str | None
    account: str | None
    members: tuple[RosterMember, ...]

    @property
    def head(self) -> RosterMember:
        """The one member whose relation is head."""
        return next(member for member in self.members if member.relation is Relation.HEAD)


class Content(_Value):
    """What a report row keeps, encrypted, until its verdict falls."""

    facts: RosterHousehold | None
    id_numbers: tuple[str, ...]


class Judged(_Value):
    """One household of the sheet with all that was found. ``facts`` is None once it is rejected.

    ``place`` is the village where known, else the township, else the county. ``persons`` are the
    readable ID numbers with their rows, also of a rejected household. There are no rows where only
    people were listed and the household itself was not.
    """

    first_row: int | None
    last_row: int | None
    serial: str
    head_name: str
    place: str
    facts: RosterHousehold | None
    findings: tuple[Finding, ...]
    persons: tuple[tuple[str, int], ...]
    people: int

    @property
    def warned(self) -> bool:
        """Whether any finding asks for a look."""
        return any(found.severity is Severity.WARN for found in self.findings)

    @property
    def rejected(self) -> bool:
        """Whether any finding refuses the household."""
        return any(found.severity is Severity.REJECT for found in self.findings)

    def with_findings(self, *more: Finding) -> "Judged":
        """The same household with more found; a rejecting finding takes its facts away."""
        facts = None if any(one.severity is Severity.REJECT for one in more) else self.facts
        return self.model_copy(update={"findings": (*self.findings, *more), "facts": facts})
