"""Who must be at school on a day, who is, and what that makes of the guarantee (C8, C33, C39).

Compulsory education runs from six to sixteen or until junior school is completed (policy section
6, Education). What is not known is a task to find out, never red.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from shared.contracts.registry import Education, SchoolStage

ENTRY_AGE = 6
END_AGE = 16
AGE_OF_DOUBT = 15
"""From this age an unknown completion may mean that junior school is done."""

COMPULSORY_STAGES = frozenset({SchoolStage.PRIMARY, SchoolStage.JUNIOR})
BEYOND_JUNIOR = frozenset(
    {
        SchoolStage.SENIOR,
        SchoolStage.VOCATIONAL,
        SchoolStage.JUNIOR_COLLEGE,
        SchoolStage.COLLEGE,
    }
)
BELOW_JUNIOR = frozenset({Education.ILLITERATE, Education.PRIMARY})

NOBODY_COMPULSORY = "no_compulsory_age_member"
ALL_AT_SCHOOL = "compulsory_age_members_at_school"
NONE_FOUND_OUT = "no_member_known_out_of_school"


class Standing(StrEnum):
    """How one member stands to compulsory education on a day."""

    AT_SCHOOL = "at_school"
    COMPLETED = "completed"
    EXCUSED = "excused"
    OUT_OF_SCHOOL = "out_of_school"
    UNKNOWN = "unknown"
    NOT_COMPULSORY = "not_compulsory"


class Doubt(StrEnum):
    """What has to be found out about a member whose standing is unknown."""

    COMPLETION_UNKNOWN = "completion_unknown"
    STAGE_UNKNOWN = "stage_unknown"
    STILL_AT_PRESCHOOL = "still_at_preschool"


class Exemption(StrEnum):
    """Why someone need not be at school."""

    TOO_YOUNG = "too_young"
    SIXTEEN_OR_OVER = "sixteen_or_over"
    JUNIOR_COMPLETED = "junior_completed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pupil:
    """What is known of one member who counts. ``stage`` is the newest word of registry or school.

    ``excused``: a closed dropout case proved where the child is. ``open_case`` is an open one.
    """

    person_id: UUID
    birth_date: date
    education: Education | None = None
    stage: SchoolStage | None = None
    excused: bool = False
    open_case: UUID | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """A member's standing; ``doubt`` says what to find out where it is unknown."""

    standing: Standing
    doubt: Doubt | None = None


def age_on(birth_date: date, on: date) -> int:
    """Full years lived on a day: born on 2012-02-29, fifteen from 2027-03-01 on."""
    birthday_passed = (on.month, on.day) >= (birth_date.month, birth_date.day)
    return on.year - birth_date.year - (not birthday_passed)


def school_year(on: date) -> int:
    """The year in which a day's school year began, on 1 September: 2026-08-31 lies in 2025's."""
    return on.year if on >= date(on.year, 9, 1) else on.year - 1


def compulsory_from(birth_date: date) -> date:
    """The 1 September from which someone must be at school: of the year of six by 31 August.

    Example: born on 2020-08-31 -> 2026-09-01; born on 2020-09-01 -> 2027-09-01.
    """
    late = birth_date > date(birth_date.year, 8, 31)
    return date(birth_date.year + ENTRY_AGE + late, 9, 1)


def exemption(pupil: Pupil, on: date) -> Exemption | None:
    """Why a member is not of compulsory age on a day; None where they are.

    Of compulsory age (policy section 6): six by 31 August of the school year, under sixteen, junior
    school not known to be completed. Example: fifteen and at vocational school: junior_completed.
    """
    if on < compulsory_from(pupil.birth_date):
        return Exemption.TOO_YOUNG
    if age_on(pupil.birth_date, on) >= END_AGE:
        return Exemption.SIXTEEN_OR_OVER
    if pupil.stage in BEYOND_JUNIOR or _past_junior(pupil):
        return Exemption.JUNIOR_COMPLETED
    return None


def judge(pupil: Pupil, on: date) -> Judgement:
    """How one member stands on a day (C33). The first that holds:

    at primary school or beyond · junior school reached · not of the age · excused with proof ·
    unknown · out of school. A 15-year-old not at school whose education is not known is a task to
    find out; at preschool still, or with no stage said, a child of the age is one too. Example:
    14, not at school, education not known -> out_of_school; the same child at 15 -> unknown.
    """
    if pupil.stage in COMPULSORY_STAGES | BEYOND_JUNIOR:
        return Judgement(Standing.AT_SCHOOL)
    why_not = exemption(pupil, on)
    if why_not is Exemption.JUNIOR_COMPLETED:
        return Judgement(Standing.COMPLETED)
    if why_not is not None:
        return Judgement(Standing.NOT_COMPULSORY)
    if pupil.excused:
        return Judgement(Standing.EXCUSED)
    doubt = _doubt(pupil, on)
    return Judgement(Standing.UNKNOWN if doubt else Standing.OUT_OF_SCHOOL, doubt)


def guarantee(pupils: Sequence[Pupil], on: date) -> tuple[bool, str]:
    """Whether education is guaranteed for a household's members who count, and the evidence (C8).

    Not met with an open dropout case of a child who must be at school, or with anybody out of
    school; met otherwise, where some are only unknown as well. Example: one at junior school and
    one of fifteen of unknown completion: met, ``no_member_known_out_of_school``.
    """
    bound = [pupil for pupil in pupils if not exemption(pupil, on)]
    cases = sorted(str(pupil.open_case) for pupil in bound if pupil.open_case is not None)
    if cases:
        return False, f"dropout:{cases[0]}"
    standings = {pupil.person_id: judge(pupil, on).standing for pupil in pupils}
    out = sorted(str(person) for person, how in standings.items() if how is Standing.OUT_OF_SCHOOL)
    if out:
        return False, f"out_of_school:{out[0]}"
    if Standing.UNKNOWN in standings.values():
        return True, NONE_FOUND_OUT
    if not bound:
        return True, NOBODY_COMPULSORY
    return True, ALL_AT_SCHOOL


def next_look(birth_dates: Iterable[date], on: date) -> date | None:
    """The next day after ``on`` on which a member's standing may change with the day alone.

    Such days are the 1 September of entry, the fifteenth and the sixteenth birthday. Example: born
    on 2011-11-30, on 2026-11-24: 2026-11-30; an adult: None.
    """
    days = (
        day
        for born in birth_dates
        for day in (compulsory_from(born), _birthday(born, AGE_OF_DOUBT), _birthday(born, END_AGE))
    )
    return min((day for day in days if day > on), default=None)


def _past_junior(pupil: Pupil) -> bool:
    return pupil.education is not None and pupil.education not in BELOW_JUNIOR


def _doubt(pupil: Pupil, on: date) -> Doubt | None:
    if pupil.stage is None:
        return Doubt.STAGE_UNKNOWN
    if pupil.stage is SchoolStage.PRESCHOOL:
        return Doubt.STILL_AT_PRESCHOOL
    old_enough = age_on(pupil.birth_date, on) >= AGE_OF_DOUBT
    return Doubt.COMPLETION_UNKNOWN if old_enough and pupil.education is None else None


def _birthday(born: date, years: int) -> date:
    """The first day of an age; 29 February's falls on 1 March in a common year."""
    try:
        return born.replace(year=born.year + years)
    except ValueError:
        return date(born.year + years, 3, 1)
