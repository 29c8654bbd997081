"""What a county may leave to a township to decide, and from when (R29 "Who decides"). Pure."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.registry.determination.articles import CIVIL_AFFAIRS, bureau_of
from services.registry.determination.rules import Decider, competence_faults
from services.registry.households.rules import fault, officer_faults
from shared.contracts.registry import Category
from shared.errors import Fault

LEGAL_FROM = date(2021, 7, 1)
"""The law knows no delegated decision before this day (N21, N22; OP20)."""
TOWNSHIP = len("331124002")
"""How long a township's code is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delegation:
    """That a township decides on a category in the county's name, as it is in force or asked for.

    ``ended_on`` is its last day.
    """

    delegation_id: UUID
    township: str
    category: Category
    valid_from: date
    approved_on: date | None = None
    ended_on: date | None = None

    def holds(self, on: date) -> bool:
        """Whether a decision of that day may rest on it: it never reaches back before its approval.

        Example: from 1 March, approved on 5 March, ended on 9 March: 5 to 9 March.
        """
        if self.approved_on is None or on < max(self.valid_from, self.approved_on):
            return False
        return self.ended_on is None or on <= self.ended_on


def delegable(category: Category, *, staff_relative: bool) -> bool:
    """Whether a decision can be left to a township at all.

    The 4600 group is poverty alleviation's, and a relative of staff is the county's: it visits
    every one before the decision. Example: dibao of a stranger to the office: yes.
    """
    return bureau_of(category)[0] == CIVIL_AFFAIRS and not staff_relative


def wish_faults(
    decider: Decider, township: str, category: Category, valid_from: date, document: str
) -> list[Fault]:
    """All that speaks against a delegation: civil affairs' of the whole county, by a document."""
    faults = officer_faults(decider.officer_id) + county_faults(decider)
    if len(township) != TOWNSHIP:
        faults.append(fault("division_code", "township_wanted", "须写明乡镇(街道)的9位区划代码"))
    if not delegable(category, staff_relative=False):
        message = "此类别不由民政部门认定,不能委托乡镇(街道)"
        faults.append(fault("category", "not_delegable", message))
    if valid_from < LEGAL_FROM:
        message = f"{LEGAL_FROM}起方可委托乡镇(街道)审核确认"
        faults.append(fault("valid_from", "before_law", message))
    if not document.strip():
        faults.append(fault("document", "document_missing", "须写明委托文件文号"))
    return faults


def county_faults(decider: Decider) -> list[Fault]:
    """A delegation is given, approved and ended by the county's civil affairs alone."""
    return competence_faults(decider, Category.DIBAO)
