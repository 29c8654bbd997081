"""What a review must rest on and may find (R28, C21). Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from services.registry.checks.rules import PastCheck
from services.registry.households.facts import Facts
from services.registry.households.rules import day_faults, fault, officer_faults
from shared.errors import Fault

NOTICE_DAYS = "reviews.notice_days"
"""The parameter with the days before a review is due on which it goes on the board."""


class Outcome(StrEnum):
    """What a review found; what follows from it is decided by its own steps."""

    UNCHANGED = "unchanged"
    FACTS_CHANGED = "facts_changed"
    TO_LIFT = "to_lift"
    TO_EXIT = "to_exit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A review as an officer enters it."""

    reviewed_on: date
    outcome: Outcome
    reason: str = ""


def review_faults(
    facts: Facts,
    review: Review,
    checks: Sequence[PastCheck],
    *,
    since: date,
    reviewed_on: date | None,
    officer_id: str | None,
    today: date,
) -> list[Fault]:
    """All that speaks against a review. It rests on an income check made after the last one.

    ``since``: from when the household is on assistance; ``reviewed_on``: its last review since.

    Example: identified on 1 March, checked on 20 August, reviewed on 21 August: right; without the
    check, with one of February, or reviewed a second time by it: ``check_missing``. A check that
    passed makes ``unchanged`` ask for a reason (``reason_missing``), and one that failed makes
    ``to_lift`` impossible.
    """
    faults = officer_faults(officer_id)
    faults += day_faults("reviewed_on", review.reviewed_on, today=today)
    if not facts.state.on_assistance:
        faults.append(fault("", "household_not_assisted", "只复核在册家庭"))
    if review.reviewed_on < (reviewed_on or since):
        faults.append(fault("reviewed_on", "before_last_review", "不能早于认定或上次复核日期"))
    made = [
        each
        for each in checks
        if since <= each.checked_on <= review.reviewed_on
        and (reviewed_on is None or each.checked_on > reviewed_on)
    ]
    if not made:
        message = "复核须依据上次复核以来的收入核查,请先登记核查"
        faults.append(fault("", "check_missing", message))
        return faults
    passed = max(made, key=lambda each: each.checked_on).passed
    if review.outcome is Outcome.TO_LIFT and not passed:
        faults.append(fault("outcome", "check_failed", "最近一次收入核查未通过,不能拟脱贫"))
    against = (review.outcome is Outcome.UNCHANGED and passed) or review.outcome is Outcome.TO_EXIT
    if against and not review.reason.strip():
        message = "核查结果与复核结论不一致或拟退出的,须以文字写明理由"
        faults.append(fault("reason", "reason_missing", message))
    return faults
