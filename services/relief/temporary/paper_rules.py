"""The papers of an application, and those that follow help paid first (C19; R23, R29). Pure."""

from collections.abc import Collection
from datetime import date
from enum import StrEnum

from services.relief.temporary.rules import Terms, fault
from shared.errors import Fault
from shared.workdays import Calendar, Deadline


class Paper(StrEnum):
    """What an application is proved with."""

    APPLICATION = "application"
    IDENTITY = "identity"
    CAUSE = "cause"
    AMOUNT = "amount"
    SIGNATURES = "signatures"


AFTERWARDS = (Paper.IDENTITY, Paper.CAUSE, Paper.AMOUNT, Paper.SIGNATURES)
"""What must follow help that was given first: person, cause, amount and signatures [TA]."""
PAPERS = {
    Paper.APPLICATION: "申请书",
    Paper.IDENTITY: "救助对象身份证明",
    Paper.CAUSE: "困难原因证明",
    Paper.AMOUNT: "金额凭据",
    Paper.SIGNATURES: "经办人和申请人签字",
}


def papers_due(decided_on: date, terms: Terms, calendar: Calendar) -> Deadline:
    """The last day for the papers of help that was paid first (R23; R29 counts the days).

    Example: 10 working days from 2026-09-29, over the holiday of 1 to 7 October and with make-up
    work on the 10th: 2026-10-19.
    """
    return calendar.add(decided_on, int(terms.paper_days.value))


def papers_faults(
    kinds: Collection[Paper], *, received_on: date, decided_on: date, today: date
) -> list[Fault]:
    """What is missing is told all at once; the day lies between the decision and today."""
    faults = [
        fault("papers", "paper_missing", f"缺少补办材料“{PAPERS[each]}”")
        for each in AFTERWARDS
        if each not in kinds
    ]
    if not decided_on <= received_on <= today:
        message = f"补办日期须在{decided_on}至{today}之间"
        faults.append(fault("received_on", "received_on_impossible", message))
    return faults


def is_late(due_on: date, on: date) -> bool:
    """Whether papers are late on a day. Example: due on the 16th: not on the 16th, on the 17th."""
    return on > due_on
