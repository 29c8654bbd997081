"""How able a tekun person is to care for himself: six items, two officers, a day (R25; TK 21-23).

Pure. What an assessment must say, which one holds in a month, by when a reported change is to be
looked at.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from shared.errors import Fault
from shared.workdays import Calendar, Deadline

REASSESS_WORKING_DAYS = "tekun.reassess_working_days"
"""The parameter with the working days within which a reported change is reassessed."""
LEGAL_WORKING_DAYS = 10
"""The law's own limit (TK 23): it holds where no parameter does, and a parameter only shortens."""
_PARTLY_FROM, _LOST_FROM = 1, 4


class Item(StrEnum):
    """What a person does alone, or does not (TK 21)."""

    EAT = "eat"
    DRESS = "dress"
    BED = "bed"
    TOILET = "toilet"
    WALK = "walk"
    BATHE = "bathe"


class Level(StrEnum):
    """How far a person can care for himself (TK 22)."""

    ABLE = "able"
    PARTLY = "partly"
    LOST = "lost"


class ChangeReason(StrEnum):
    """What is reported to have changed with a person."""

    WORSE = "worse"
    BETTER = "better"
    ILLNESS = "illness"
    DISABILITY = "disability"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """One confirmed look at one person; ``failed`` in the order of Item."""

    assessment_id: UUID
    person_id: UUID
    assessed_on: date
    confirmed_on: date
    failed: tuple[Item, ...]
    document_number: str | None = None
    attachment_id: UUID | None = None

    @property
    def level(self) -> Level:
        """What follows from the items."""
        return level_of(self.failed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An assessment as an officer enters it: its paper by number, or by its attachment."""

    person_id: UUID
    assessed_on: date
    failed: tuple[Item, ...]
    document_number: str | None = None
    attachment_id: UUID | None = None


def level_of(failed: Collection[Item]) -> Level:
    """The level by the number of items failed (TK 22).

    Example: none -> able, bathing alone -> partly, three -> partly, four -> lost.
    """
    count = len(set(failed))
    if count >= _LOST_FROM:
        return Level.LOST
    return Level.PARTLY if count >= _PARTLY_FROM else Level.ABLE


def in_force(assessments: Sequence[Assessment], person_id: UUID, month: date) -> Assessment | None:
    """The assessment of a person that counts in a month: the newest look confirmed before it (R13).

    Example: looked at on 2026-03-30 and confirmed on 2026-04-01, it counts from May on.
    """
    confirmed = [
        each for each in assessments if each.person_id == person_id and each.confirmed_on < month
    ]
    return max(
        confirmed,
        key=lambda each: (each.assessed_on, each.confirmed_on, each.assessment_id),
        default=None,
    )


def entry_faults(entry: Entry, members: Collection[UUID], *, today: date) -> list[Fault]:
    """All that speaks against an assessment of a tekun household with these counted ``members``.

    Example: assessed tomorrow, without a paper -> ``in_future`` and ``evidence_missing``.
    """
    faults = person_faults(entry.person_id, members)
    faults += day_faults("assessed_on", entry.assessed_on, today=today)
    if entry.document_number is None and entry.attachment_id is None:
        message = "须写明评估文件号或评估表附件编号"
        faults.append(Fault("#/document_number", "evidence_missing", message))
    return faults


def person_faults(person_id: UUID, members: Collection[UUID]) -> list[Fault]:
    """That somebody is none of the household's people who count. Example: a stranger."""
    if person_id in members:
        return []
    return [Fault("#/person_id", "person_not_member", "此人不是该户计入人口的成员")]


def day_faults(field: str, day: date, *, today: date) -> list[Fault]:
    """That a day has not come yet. Example: today passes, tomorrow does not."""
    if day <= today:
        return []
    return [Fault(f"#/{field}", "in_future", f"日期不能晚于今天（{today}）")]


def confirmation_fault(
    *, assessor: str, officer: str, withdrawn: bool, confirmed: bool
) -> tuple[str, str] | None:
    """Why an officer cannot confirm an assessment, as code and text; None where he can.

    Two people look (TK 21): who entered it does not confirm it. Example: entered by o1, o2 may.
    """
    if officer == assessor:
        return "same_officer", "who assessed cannot confirm: ask a colleague"
    if withdrawn:
        return "assessment_withdrawn", "a later assessment took this one's place"
    if confirmed:
        return "assessment_confirmed", "the assessment was confirmed by another officer"
    return None


def reassess_by(reported_on: date, working_days: int, calendar: Calendar) -> Deadline:
    """The last day of looking again at a person whose change was reported (TK 23).

    Never later than the law has it, whatever ``working_days`` says. Example: reported on Wednesday
    2026-09-30, 10 working days end on 2026-10-20: 1 to 7 October are a holiday, the 10th is worked.
    """
    return calendar.add(reported_on, min(max(working_days, 1), LEGAL_WORKING_DAYS))
