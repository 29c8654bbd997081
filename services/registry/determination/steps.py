"""An application under its locks, and what every step of it does: stored, noted, on the board.

The household's row is locked first and the application's after it: one step at a time, whoever
takes it, and in one order with the decisions of the life cycle.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.determination import queries, rules
from services.registry.determination.models import Application
from services.registry.determination.process import Case, Step
from services.registry.determination.queries import Whole
from services.registry.households import actions as households
from services.registry.households.actions import File
from services.registry.households.refusals import refuse_if
from services.registry.tasks import actions as board
from services.registry.tasks.actions import Opening
from services.registry.tasks.models import TaskKind
from shared import audit, clock
from shared.auth import Caller
from shared.errors import NotFound, PreconditionFailed
from shared.workdays import Deadline

WAITING = (
    TaskKind.ACCEPTANCE,
    TaskKind.SURVEY,
    TaskKind.APPRAISAL,
    TaskKind.OPINION,
    TaskKind.ANNOUNCEMENT,
    TaskKind.COUNTY_VISIT,
    TaskKind.DECISION,
)
"""What may wait in an application that has not ended."""


@dataclass(frozen=True, slots=True)
class Opened:
    """An application under the locks of its household and its own, as a step finds it."""

    file: File
    whole: Whole
    case: Case

    @property
    def place(self) -> str:
        """The village of the household."""
        return self.file.facts.division_code

    @property
    def report_id(self) -> UUID | None:
        """The verification report that the newest opinion rests on."""
        opinions = self.whole.opinions
        return opinions[-1]["report_id"] if opinions else None

    @property
    def belongs(self) -> dict[str, Any]:
        """The columns that every paper of the case carries."""
        return {
            "application_id": self.case.application_id,
            "household_id": self.case.household_id,
            "division_code": self.place,
            "round": self.case.round,
            "recorded_at": clock.now(),
        }


async def begin(
    session: AsyncSession,
    caller: Caller,
    application_id: UUID,
    step: Step,
    revision: int | None = None,
) -> Opened:
    """The application, locked, if the step may follow in its state.

    Raises NotFound, PreconditionFailed (``revision_moved``), Refused (``transition_forbidden``).
    """
    where = caller.divisions
    seen = await queries.one(session, application_id, divisions=where)
    files = await households.lock(session, [seen["household_id"]] if seen else [], divisions=where)
    row = await queries.one(session, application_id, divisions=where)
    if seen is None or row is None or row["household_id"] not in files:
        raise NotFound("application_not_found", "no such application in the caller's divisions")
    if revision is not None and revision != row["revision"]:
        raise PreconditionFailed("revision_moved", "the application changed since it was read")
    known, file = await queries.whole(session, row), files[row["household_id"]]
    case = await _with_relatives(session, caller, file, queries.case_of(known))
    refuse_if(rules.step_faults(case, step))
    return Opened(file, known, case)


async def _with_relatives(session: AsyncSession, caller: Caller, file: File, case: Case) -> Case:
    people = [member.person_id for member in file.facts.members]
    entries = await queries.registered(session, people, divisions=caller.divisions)
    officers = (each["staff_officer_id"] for each in entries)
    return replace(
        case,
        staff_relative=case.staff_relative or bool(entries),
        related_officers=frozenset(each for each in officers if each),
    )


async def move(
    session: AsyncSession,
    caller: Caller,
    opened: Opened,
    step: Step,
    changed: Mapping[str, Any],
) -> dict[str, Any]:
    """Store what a step makes of the application, with its line in the audit log; gives the row."""
    row = opened.whole.application
    new = dict(changed) | {"revision": row["revision"] + 1, "recorded_at": clock.now()}
    await session.execute(
        update(Application).where(Application.application_id == row["application_id"]).values(new)
    )
    await note(session, caller, opened.whole.application, step.value)
    return dict(row) | new


async def note(session: AsyncSession, caller: Caller, row: Mapping[Any, Any], done: str) -> None:
    """The audit line of a step."""
    await audit.record(
        session,
        caller,
        action=f"application.{done}",
        subject_type="household",
        subject_id=row["household_id"],
        division_code=row["division_code"],
        detail={"application_id": str(row["application_id"]), "round": row["round"]},
    )


def due_columns(limit: Deadline | None) -> dict[str, Any]:
    """When the step that waits is due, as the application's row keeps it."""
    return {
        "due_on": limit.on if limit else None,
        "due_provisional": bool(limit and limit.provisional),
    }


async def open_tasks(
    session: AsyncSession,
    row: Mapping[Any, Any],
    waiting: Mapping[TaskKind, Deadline | None],
) -> None:
    """Put steps of an application on the board, each with its last day."""
    await board.open_tasks(
        session,
        [
            Opening(
                kind=kind,
                subject_id=row["application_id"],
                division_code=row["division_code"],
                due=limit,
                household_id=row["household_id"],
            )
            for kind, limit in waiting.items()
        ],
    )


async def close_tasks(
    session: AsyncSession, application_id: UUID, kinds: Iterable[TaskKind]
) -> None:
    """Take steps of an application off the board."""
    for kind in kinds:
        await board.close_task(session, kind=kind, subject_id=application_id)
