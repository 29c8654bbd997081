"""What a batch of the registry's reports changes in dwellings and files, before it is written."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from asyncpg import Record

from services.housing.surveys.rules import (
    ClosingCause,
    FileState,
    FileStep,
    Known,
    Report,
    file_step,
    grade_changed,
    is_hardship,
)
from shared import clock, events, identity
from shared.contracts.assistance import AssistanceEvent, Hardship, HardshipKind
from shared.contracts.registry import HouseGrade, HouseholdState, State
from shared.contracts.topics import HOUSING_ASSISTANCE

REPORTED = ("division_code", "grade", "grade_since", "on_file", "renovated_file_id")
"""What a report may change of a dwelling."""

Row = Mapping[Any, Any] | Record
"""A stored row, or one that is going to be."""

_CLOSING = {
    FileStep.CLOSE_CORRECTED: ClosingCause.GRADE_CORRECTED,
    FileStep.CLOSE_HOUSEHOLD: ClosingCause.HOUSEHOLD_CLOSED,
}


@dataclass(slots=True)
class News:
    """What a batch of reports has to write; nothing where all stands as it should."""

    dwellings: list[dict[str, Any]] = field(default_factory=list)
    opened: list[dict[str, Any]] = field(default_factory=list)
    changed: list[dict[str, Any]] = field(default_factory=list)
    hardships: list[events.NewEvent] = field(default_factory=list)
    moved: list[HouseholdState] = field(default_factory=list)

    def dwellings_now(self, known: Mapping[UUID, Row]) -> dict[UUID, Row]:
        """The dwellings once all this is written, of those known before and the new ones."""
        return {**known, **{row["household_id"]: row for row in self.dwellings}}

    def open_files_now(self, known: Mapping[UUID, Row]) -> dict[UUID, Row]:
        """The open files once all this is written."""
        news = {row["household_id"]: row for row in (*self.changed, *self.opened)}
        return {
            key: row for key, row in {**known, **news}.items() if row["state"] == FileState.OPEN
        }


def weigh(news: News, state: HouseholdState, dwelling: Row | None, file: Row | None) -> None:
    """Add to ``news`` what this report changes of the household's dwelling and its open file."""
    report = Report(state=state.state, grade=state.house_grade)
    known = None if dwelling is None else _known(dwelling)
    row = _dwelling(state, dwelling, changed=known is None or grade_changed(report, known))
    if dwelling is None or any(dwelling[name] != row[name] for name in REPORTED):
        news.dwellings.append(row)
    if dwelling is not None and dwelling["division_code"] != state.division_code:
        news.moved.append(state)
    entry = {"grade": state.house_grade, "since": state.effective_from.isoformat()}
    if is_hardship(report, known):
        hardship = _hardship(state)
        news.hardships.append(hardship)
        entry["hardship_id"] = str(hardship.subject)
    step = file_step(report, known, None if file is None else HouseGrade(file["grade"]))
    if step is FileStep.OPEN:
        news.opened.append(_new_file(state, entry))
    elif step is not FileStep.NOTHING and file is not None:
        news.changed.append(_changed_file(step, file, entry))


def _known(dwelling: Row) -> Known:
    return Known(
        grade=read_grade(dwelling["grade"]), renovated=dwelling["renovated_file_id"] is not None
    )


def read_grade(stored: str | None) -> HouseGrade | None:
    """A stored grade; None where it is unknown."""
    return None if stored is None else HouseGrade(stored)


def _dwelling(state: HouseholdState, dwelling: Row | None, *, changed: bool) -> dict[str, Any]:
    """The dwelling's row as it should be. A new grade takes the place of an older renovation."""
    row: dict[str, Any] = {
        "household_id": state.household_id,
        "occupied": True,
        "occupied_since": None,
        "occupancy_history": [],
    } | dict(dwelling or {})
    row |= {"division_code": state.division_code, "on_file": state.state is not State.CLOSED}
    if changed:
        row |= {
            "grade": state.house_grade,
            "grade_since": state.effective_from,
            "renovated_file_id": None,
            "renovated_on": None,
        }
    return row


def _new_file(state: HouseholdState, entry: dict[str, Any]) -> dict[str, Any]:
    return {
        "file_id": identity.new_id(),
        "household_id": state.household_id,
        "division_code": state.division_code,
        "grade": state.house_grade,
        "grade_history": [entry],
        "state": FileState.OPEN,
        "opened_on": clock.today(),
    }


def _changed_file(step: FileStep, file: Row, entry: dict[str, Any]) -> dict[str, Any]:
    cause = _CLOSING.get(step)
    if cause is None:
        return {**file, "grade": entry["grade"], "grade_history": [*file["grade_history"], entry]}
    closed = {"state": FileState.CLOSED, "closed_on": clock.today(), "closing_cause": cause}
    return {**file, **closed}


def _hardship(state: HouseholdState) -> events.NewEvent:
    hardship_id = identity.new_id()
    return events.NewEvent(
        topic=HOUSING_ASSISTANCE,
        type=AssistanceEvent.HARDSHIP_DETECTED,
        subject=hardship_id,
        version=1,
        payload=Hardship(
            hardship_id=hardship_id,
            household_id=state.household_id,
            kind=HardshipKind.DANGEROUS_HOUSE,
            detected_on=clock.today(),
        ),
    )
