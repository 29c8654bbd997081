"""What a reported grade means: which house has a file, who lives safely, what signals hardship.

C8 (safe housing), C27 (every dwelling surveyed), C29 (one file a dangerous house). Grades A and B
are safe, C and D dangerous (policy section 6). Only a change of the registry's grade is news: a
dwelling that was renovated stays safe although the registry goes on saying C or D.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from shared.contracts.registry import HouseGrade, State
from shared.errors import Fault

DANGEROUS = frozenset({HouseGrade.C, HouseGrade.D})
"""Grades of a dangerous house (危房)."""

WAITING_FOR_SURVEY = None
"""The grade of a dwelling that nobody has graded yet: a task for a survey."""


class FileState(StrEnum):
    """Whether a dangerous-house file is being worked on."""

    OPEN = "open"
    CLOSED = "closed"


class ClosingCause(StrEnum):
    """Why a file was closed."""

    GRADE_CORRECTED = "grade_corrected"
    HOUSEHOLD_CLOSED = "household_closed"
    RENOVATED = "renovated"


class FileStep(StrEnum):
    """What a report does to the file of a household's house."""

    NOTHING = "nothing"
    OPEN = "open"
    REGRADE = "regrade"
    CLOSE_CORRECTED = "close_corrected"
    CLOSE_HOUSEHOLD = "close_household"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the registry says of a household now: its state and its house's grade, if known."""

    state: State
    grade: HouseGrade | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is stored of the dwelling: the grade last reported, a renovation accepted since."""

    grade: HouseGrade | None
    renovated: bool = False


def grade_changed(report: Report, known: Known | None) -> bool:
    """Whether the registry says of a dwelling already seen what it did not say before.

    Example: C reported twice -> False; C and then D -> True; D for a household never seen -> False.
    """
    return known is not None and known.grade != report.grade


def is_hardship(report: Report, known: Known | None) -> bool:
    """Whether a house has newly become D: a trigger of the return check (section 5), once a change.

    Not for the first state ever seen of a household, which its identification has judged. Example:
    B -> D is one, unknown -> D is one, D -> D is none.
    """
    is_open = report.state is not State.CLOSED
    return is_open and report.grade is HouseGrade.D and grade_changed(report, known)


def file_step(report: Report, known: Known | None, open_grade: HouseGrade | None) -> FileStep:
    """What becomes of the household's file (C29: at most one is open).

    ``open_grade`` is the grade of the open file, None without one. A dangerous house of a household
    on assistance has a file; of one that was lifted or struck off, where it has newly become D. An
    unknown grade leaves the file as it is. Example: identified with C -> open; then B -> close
    as corrected; lifted and C -> nothing; lifted and newly D -> open.
    """
    if report.state is State.CLOSED:
        return FileStep.CLOSE_HOUSEHOLD if open_grade else FileStep.NOTHING
    if report.grade is WAITING_FOR_SURVEY:
        return FileStep.NOTHING
    if report.grade not in DANGEROUS:
        return FileStep.CLOSE_CORRECTED if open_grade else FileStep.NOTHING
    if open_grade:
        noted = report.grade == open_grade and not is_hardship(report, known)
        return FileStep.NOTHING if noted else FileStep.REGRADE
    return FileStep.OPEN if _needs_file(report, known) else FileStep.NOTHING


def _needs_file(report: Report, known: Known | None) -> bool:
    if is_hardship(report, known):
        return True
    renovated = known is not None and known.renovated and not grade_changed(report, known)
    return report.state.on_assistance and not renovated


def lives_safely(grade: HouseGrade | None, *, occupied: bool, renovated: bool) -> bool | None:
    """Whether the guarantee ``housing`` is met (C8); None where nobody knows.

    Met by grade A or B, by a renovation accepted since the grade was reported, or by living safely
    elsewhere. Example: D and occupied -> False; D and vacated -> True; unknown -> None.
    """
    if renovated or not occupied:
        return True
    return None if grade is WAITING_FOR_SURVEY else grade not in DANGEROUS


def move_faults(*, on: date, today: date, last_move: date | None) -> list[Fault]:
    """Why a household cannot have moved out or back on a day; empty where it can.

    Example: moved out on 5 May, so back on 4 May is refused and back on 5 May is not.
    """
    faults = []
    if on > today:
        faults.append(Fault("#/from", "date_in_future", f"日期不能晚于今天（{today}）"))
    if last_move is not None and on < last_move:
        message = f"日期不能早于上一次搬离或搬回的日期（{last_move}）"
        faults.append(Fault("#/from", "date_before_last_move", message))
    return faults
