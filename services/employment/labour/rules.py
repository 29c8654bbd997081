"""Who can work, who wants to, who does, and what that makes of a household (C44, C45, R24, R30).

Facts and a day in, a decision with its reasons out. What a reason code means to an officer is told
in explanations.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from services.employment.labour.ages import MONTHS_A_YEAR, WorkingAge, working_age
from shared.clock import add_months
from shared.contracts.registry import (
    Disability,
    DisabilityKind,
    LaborAbility,
    Member,
    SchoolStage,
    State,
    Work,
)

NO_LABOUR_FROM_YEARS = 60
"""From this age nobody counts as able whose ability is not known (R24)."""

NO_LABOUR_GRADES = {
    DisabilityKind.INTELLECTUAL: 3,
    DisabilityKind.MENTAL: 3,
    DisabilityKind.LIMB: 2,
    DisabilityKind.SIGHT: 1,
}
"""Up to which grade a disability means no labour ability (R24, 特困人员认定办法 art. 5)."""

_ABLE = frozenset({LaborAbility.SKILLED, LaborAbility.ORDINARY, LaborAbility.WEAK})
_WORKING = frozenset(Work) - {Work.UNEMPLOYED, Work.NOT_WORKING}


class Status(StrEnum):
    """How somebody stands to work. RESTING: nobody works on the profile for now."""

    EMPLOYED = "employed"
    UNEMPLOYED = "unemployed"
    NOT_ABLE = "not_able"
    NOT_WILLING = "not_willing"
    STUDENT = "student"
    RESTING = "resting"


class Outcome(StrEnum):
    """What the members' work makes of a household (R30)."""

    EMPLOYED = "employed"
    ZERO_EMPLOYMENT = "zero_employment"
    NO_ABLE_MEMBER = "no_able_member"
    NONE_WILLING = "none_willing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A placement as far as work is concerned: it counts from a day on, until the day before."""

    placement_id: UUID
    kind: str
    counts_from: date
    counts_until: date | None = None

    def counts(self, day: date) -> bool:
        """Whether it makes its holder employed on ``day``."""
        over = self.counts_until is not None and self.counts_until <= day
        return self.counts_from <= day and not over


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """One member on one day: the answers and the codes of what they rest on, in that order.

    ``jobs`` are all the member's placements, ``job`` the one that counts on the day.
    """

    member: Member
    age: WorkingAge
    of_working_age: bool
    able: bool
    willing: bool
    status: Status
    reasons: tuple[str, ...]
    job: Job | None = None
    jobs: tuple[Job, ...] = ()

    @property
    def in_r30(self) -> bool:
        """Whether the member is one of R30's: counted, of working age, able and willing."""
        return self.member.counted and self.of_working_age and self.able and self.willing


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A household under R30. ``evidence`` names by code or id what the outcome rests on."""

    outcome: Outcome
    evidence: str
    able: int
    willing: int
    employed: int

    @property
    def met(self) -> bool:
        """Whether the guarantee of employment is met: only zero employment breaks it (C8)."""
        return self.outcome is not Outcome.ZERO_EMPLOYMENT


def assess(member: Member, on: date, jobs: Sequence[Job] = ()) -> Assessment:
    """Whether a member can, wants to and does work on a day (C44, R30).

    A job record that counts outweighs what the registry says of ability, will and work: it proves
    all three until it ends. Else in turn: at school, not able, not willing, employed, unemployed.
    Example: weak labour, will not stated, farming -> able, willing, ``employed``.
    """
    age = working_age(member.sex, member.birth_date)
    job = next((each for each in jobs if each.counts(on)), None)
    able, willing, status, reasons = _by_registry(member, on) if job is None else _by_record(job)
    return Assessment(
        member=member,
        age=age,
        of_working_age=age.covers(on),
        able=able,
        willing=willing,
        status=status,
        reasons=reasons,
        job=job,
        jobs=tuple(jobs),
    )


_Answers = tuple[bool, bool, Status, tuple[str, ...]]


def _by_record(job: Job) -> _Answers:
    return True, True, Status.EMPLOYED, (f"placement_{job.kind}",)


def _by_registry(member: Member, on: date) -> _Answers:
    ability = no_ability(member, on)
    willing = member.willing_to_work is not False
    if ability is not None:
        status = Status.STUDENT if ability == "at_school" else Status.NOT_ABLE
        return False, willing, status, (ability,)
    reasons = (_able_because(member), _willing_because(member), f"work_{member.work or 'unknown'}")
    if not willing:
        return True, False, Status.NOT_WILLING, reasons
    status = Status.EMPLOYED if member.work in _WORKING else Status.UNEMPLOYED
    return True, True, status, reasons


def no_ability(member: Member, on: date) -> str | None:
    """Why a member cannot work, by code; None for who can (R24, R30).

    Full-time pupils and students cannot; weak labour can; where the ability is not known, R24
    decides: from 60 on and with its disabilities not. Example: ability missing, limb grade 2 ->
    ``severe_disability``; limb grade 3 -> None.
    """
    if member.school_stage not in (None, SchoolStage.NOT_AT_SCHOOL):
        return "at_school"
    if member.labor_ability is not None:
        return None if member.labor_ability in _ABLE else f"labor_{member.labor_ability}"
    if on >= _sixtieth_birthday(member):
        return "sixty_or_over"
    return "severe_disability" if _severe(member.disability) else None


def _severe(disability: Disability | None) -> bool:
    return disability is not None and disability.grade <= NO_LABOUR_GRADES.get(disability.kind, 0)


def _sixtieth_birthday(member: Member) -> date:
    return add_months(member.birth_date, NO_LABOUR_FROM_YEARS * MONTHS_A_YEAR)


def _able_because(member: Member) -> str:
    return f"labor_{member.labor_ability or 'unknown'}"


def _willing_because(member: Member) -> str:
    stated = {True: "willing", False: "unwilling", None: "willing_unstated"}
    return stated[member.willing_to_work]


def judge(assessments: Sequence[Assessment]) -> Verdict:
    """What R30 makes of a household: nobody employed among those who can and want to work.

    ``able_and_willing >= 1`` and all of them unemployed -> zero employment; nobody able, or nobody
    of them willing -> exempt. Example: a farming grandfather of 70 and an unemployed son of 40 ->
    zero employment, for the grandfather is past working age.
    """
    able = [a for a in assessments if a.member.counted and a.of_working_age and a.able]
    ready = [a for a in able if a.willing]
    employed = [a for a in ready if a.status is Status.EMPLOYED]
    outcome, evidence = Outcome.ZERO_EMPLOYMENT, "zero_employment"
    if employed:
        outcome, evidence = Outcome.EMPLOYED, _evidence(employed[0])
    elif not able:
        outcome, evidence = Outcome.NO_ABLE_MEMBER, "exempt:no_able_member"
    elif not ready:
        outcome, evidence = Outcome.NONE_WILLING, "exempt:none_willing"
    return Verdict(
        outcome=outcome,
        evidence=evidence,
        able=len(able),
        willing=len(ready),
        employed=len(employed),
    )


def _evidence(employed: Assessment) -> str:
    if employed.job is not None:
        return f"placement:{employed.job.placement_id}"
    return f"work:{employed.member.person_id}"


def resting_because(of_working_age: bool, age: WorkingAge, state: State, on: date) -> str | None:
    """Why nobody works on a profile for now, by code; None when somebody does (C44).

    Example: of working age in a household that was lifted -> ``household_lifted``.
    """
    if not state.on_assistance:
        return f"household_{state}"
    if of_working_age:
        return None
    return "under_working_age" if on < age.begins_on else "past_working_age"


def next_look(assessed: Sequence[Assessment], on: date) -> date | None:
    """The next day on which a household must be looked at again though nothing is reported.

    The 16th birthday, the 60th where the ability is not known, the day of retirement, and the days
    on which a placement begins or ceases to count. None when no such day is left.
    """
    days: set[date | None] = set()
    for each in assessed:
        days |= {each.age.begins_on, each.age.ends_on}
        if each.member.labor_ability is None:
            days.add(_sixtieth_birthday(each.member))
        for job in each.jobs:
            days |= {job.counts_from, job.counts_until}
    return min((day for day in days if day is not None and day > on), default=None)


def opens(verdict: Verdict, *, on_assistance: bool) -> bool:
    """Whether a case opens where none is open: zero employment in a household on assistance (R30).

    All five categories alike [P]. Example: lifted and nobody employed -> no case, though the
    guarantee is red.
    """
    return on_assistance and not verdict.met


def closing(verdict: Verdict, *, on_assistance: bool) -> str | None:
    """With which outcome an open case closes; None while it stays open (R30).

    Example: the only able member falls ill -> ``exempt``, which is no failure.
    """
    if not on_assistance:
        return "left_assistance"
    if verdict.outcome is Outcome.ZERO_EMPLOYMENT:
        return None
    return "employed" if verdict.outcome is Outcome.EMPLOYED else "exempt"
