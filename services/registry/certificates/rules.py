"""Who holds a certificate, and when one is issued anew (R21; ZJ 23). Pure."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from services.registry.determination.articles import CIVIL_AFFAIRS
from services.registry.households.facts import Facts
from services.registry.households.rules import day_faults, fault, officer_faults
from shared.contracts.registry import Category, State
from shared.errors import Fault

NAMES = {
    Category.TEKUN: "特困人员救助供养证",
    Category.DIBAO: "最低生活保障证",
    Category.DIBAO_MARGINAL: "最低生活保障边缘家庭证",
}
"""What each certificate is called; the other categories apply for each help and have none (R21)."""
REPLACED = "换发新证"


class Ground(StrEnum):
    """Why a certificate is issued: the first of a stay, or in the place of one."""

    FIRST = "first"
    LOST = "lost"
    DAMAGED = "damaged"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """A certificate as an officer wants to issue it."""

    issued_on: date
    ground: Ground


def issue_faults(
    facts: Facts,
    issue: Issue,
    *,
    standing_since: date | None,
    ended_on: date | None,
    officer_id: str | None,
    bureau: str | None,
    whole_county: bool,
    today: date,
) -> list[Fault]:
    """All that speaks against it. ``standing_since``: when the one that stands was issued, if in
    this stay; ``ended_on``: when the last one ended.

    Example: dibao identified on 10 January: a first one from that day on, not on the 9th; a second
    ``first`` is refused (``certificate_stands``), one for a lost certificate takes its place.
    """
    faults = officer_faults(officer_id)
    if bureau != CIVIL_AFFAIRS or not whole_county:
        faults.append(fault("", "bureau_not_competent", "证件由县级民政局核发"))
    faults += day_faults("issued_on", issue.issued_on, today=today)
    if not facts.state.on_assistance or facts.category not in NAMES:
        message = "只有在册的特困、低保、低保边缘家庭持证"
        return [*faults, fault("", "no_certificate_of_kind", message)]
    days = (facts.episodes[-1].identified_on, standing_since, ended_on)
    since = max(day for day in days if day)
    if issue.issued_on < since:
        faults.append(fault("issued_on", "before_last", f"发证日期不能早于{since}"))
    if issue.ground is Ground.FIRST and standing_since is not None:
        message = "该户已有有效证件,换发须注明遗失、损坏或变更"
        faults.append(fault("ground", "certificate_stands", message))
    if issue.ground is not Ground.FIRST and standing_since is None:
        faults.append(fault("ground", "nothing_to_replace", "该户没有可换发的证件"))
    return faults


def holds(
    state: State,
    category: Category | None,
    identified_on: date,
    *,
    certified: str,
    issued_on: date,
    ended_on: date | None,
) -> bool:
    """Whether a certificate proves anything now: not ended, of this stay, and of what it still is.

    Example: a dibao certificate of a household that is marginal by now: no; one of before the exit
    of a household that has returned: no.
    """
    if ended_on is not None or issued_on < identified_on:
        return False
    return state.on_assistance and category == certified


def withdrawal_faults(
    withdrawn_on: date, issued_on: date, reason: str, *, officer_id: str | None, today: date
) -> list[Fault]:
    """A certificate is taken back by an officer, not before it was issued, for a reason."""
    faults = officer_faults(officer_id)
    faults += day_faults("withdrawn_on", withdrawn_on, today=today)
    if withdrawn_on < issued_on:
        faults.append(fault("withdrawn_on", "before_issue", "不能早于发证日期"))
    if not reason.strip():
        faults.append(fault("reason", "reason_missing", "须写明收回理由"))
    return faults
