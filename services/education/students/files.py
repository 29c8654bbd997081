"""What a pupil's file says: it follows the registry and what schools have shown since (C34).

Pure decisions. Registry and school may differ: a statement of a school counts until the registry
says something new about that person.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from uuid import UUID

from shared.contracts.registry import Education, SchoolStage, State

ENROLMENT = "enrolment"
"""The kind of a statement that names a stage; others are outcomes of a closed dropout case."""
GONE = frozenset({"dead", "abroad"})
"""Outcomes after which nobody is at a school here, whatever the registry still says."""


class FileState(StrEnum):
    """Where a pupil's file stands."""

    ENROLLED = "enrolled"
    LEFT = "left"


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """One person as a member of one household, by the registry's newest word."""

    person_id: UUID
    household_id: UUID
    division_code: str
    state: State
    effective_from: date
    birth_date: date
    education: Education | None
    stage: SchoolStage | None
    left_behind: bool | None
    counted: bool
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What was shown about a person beside the registry, and what the registry said then."""

    statement_id: UUID
    person_id: UUID
    kind: str
    stage: SchoolStage | None
    from_day: date
    school_code: str | None
    registry_stage: SchoolStage | None
    division_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A pupil's file. ``stage_known`` is false while the registry says no stage any more."""

    person_id: UUID
    household_id: UUID
    division_code: str
    stage: SchoolStage
    stage_known: bool
    state: FileState
    left_behind: bool | None
    school_code: str | None


def home_of(homes: Iterable[Home]) -> Home | None:
    """The household that a person's file goes by; None where there is none but closed ones.

    On the way from one household to another a person may stand in both for a while: one on
    assistance goes first, then the one whose facts began last, then the later household.
    """
    living = [home for home in homes if home.state is not State.CLOSED]
    return max(
        living,
        key=lambda home: (home.state.on_assistance, home.effective_from, home.household_id),
        default=None,
    )


def still_holds(statement: Statement, home: Home) -> bool:
    """Whether the registry has said nothing new about the person since the statement.

    Example: a school found a child whom the registry had as ``not_at_school``; a new version for a
    changed income still says so: it holds. One that says ``junior`` ends it.
    """
    return home.stage == statement.registry_stage


def stage_of(home: Home, statement: Statement | None) -> SchoolStage | None:
    """The stage that counts now: the live statement's, where it says one, else the registry's."""
    if statement is None:
        return home.stage
    if statement.kind in GONE:
        return SchoolStage.NOT_AT_SCHOOL
    return statement.stage or home.stage


def follow(file: File | None, home: Home | None, statement: Statement | None) -> File | None:
    """What a person's file must say; None where there is none and none is to be opened.

    A file opens for a member at school of a household on assistance, and then goes on for life:
    through another household or stage, closed as ``left``, opened again. A stage not said any
    more is not judged: the file stays as it was. Example: lifted, still at school -> enrolled.
    """
    if home is None:
        return file and replace(file, state=FileState.LEFT)
    stage = stage_of(home, statement)
    at_school = stage is not None and stage is not SchoolStage.NOT_AT_SCHOOL
    if file is None and not (at_school and home.state.on_assistance):
        return None
    if stage is not None and at_school:
        return File(
            person_id=home.person_id,
            household_id=home.household_id,
            division_code=home.division_code,
            stage=stage,
            stage_known=True,
            state=FileState.ENROLLED,
            left_behind=home.left_behind,
            school_code=statement.school_code if statement else None,
        )
    return file and replace(
        file,
        household_id=home.household_id,
        division_code=home.division_code,
        stage_known=stage is not None,
        state=file.state if stage is None else FileState.LEFT,
        left_behind=home.left_behind,
    )


def entry_of(
    before: File | None, after: File, home: Home | None, statement: Statement | None, on: date
) -> tuple[date, SchoolStage] | None:
    """The line that a change adds to a file's history: since when, which stage; None for no line.

    A line is added for another stage, household or state. Example: primary -> junior by the
    registry's version effective 2026-09-01: (2026-09-01, junior).
    """
    same = before is not None and (before.household_id, before.stage, before.state) == (
        after.household_id,
        after.stage,
        after.state,
    )
    if same:
        return None
    if after.state is FileState.LEFT:
        return (home.effective_from if home else on), SchoolStage.NOT_AT_SCHOOL
    enrolled = before is None or (before.stage, before.state) != (after.stage, after.state)
    if enrolled and statement is not None and statement.kind == ENROLMENT:
        return statement.from_day, after.stage
    return (home.effective_from if home else on), after.stage
