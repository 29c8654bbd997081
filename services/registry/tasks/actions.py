"""Putting tasks on the board and taking them off (C5); only the capability that owns one does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.tasks.models import Task, TaskKind
from shared import clock, identity
from shared.db import among
from shared.workdays import Deadline


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """A task to be opened: whose work, on what, where, and until when."""

    kind: TaskKind
    subject_id: UUID
    division_code: str
    due: Deadline | None
    household_id: UUID | None = None


async def open_task(
    session: AsyncSession,
    *,
    kind: TaskKind,
    subject_id: UUID,
    division_code: str,
    due_on: date | None,
    household_id: UUID | None = None,
) -> None:
    """Put one task on the board; nothing happens where one of the kind is open on the subject."""
    due = Deadline(due_on) if due_on else None
    one = Opening(
        kind=kind,
        subject_id=subject_id,
        division_code=division_code,
        due=due,
        household_id=household_id,
    )
    await open_tasks(session, [one])


async def open_tasks(session: AsyncSession, openings: Sequence[Opening]) -> None:
    """Put tasks on the board, each unless one of its kind is open on its subject already."""
    if openings:
        await session.execute(_OPEN, _columns(openings))


async def close_task(session: AsyncSession, *, kind: TaskKind, subject_id: UUID) -> None:
    """Take the open task of this kind on this subject off the board; none: nothing happens."""
    await close_tasks(session, kind=kind, subject_ids=[subject_id])


async def close_tasks(
    session: AsyncSession, *, kind: TaskKind, subject_ids: Sequence[UUID]
) -> None:
    """Take the open tasks of this kind on these subjects off the board."""
    if not subject_ids:
        return
    await session.execute(
        update(Task)
        .where(Task.kind == kind.value, Task.closed_on.is_(None))
        .where(among(Task.subject_id, subject_ids))
        .values(closed_on=clock.today(), recorded_at=clock.now())
    )


async def hand_task(
    session: AsyncSession,
    *,
    kind: TaskKind,
    subject_id: UUID,
    to_household_id: UUID,
    division_code: str,
) -> None:
    """Let a household's open task be another's, unless that has one of the kind already."""
    theirs = select(Task.task_id).where(
        Task.kind == kind.value, Task.subject_id == to_household_id, Task.closed_on.is_(None)
    )
    await session.execute(
        update(Task)
        .where(Task.kind == kind.value, Task.subject_id == subject_id, Task.closed_on.is_(None))
        .where(~theirs.exists())
        .values(
            subject_id=to_household_id,
            household_id=to_household_id,
            division_code=division_code,
            recorded_at=clock.now(),
        )
    )


async def move_tasks(
    session: AsyncSession, *, kind: TaskKind, due: Mapping[UUID, date | None]
) -> None:
    """Give the open tasks of this kind the last days of their subjects; None leaves a task be."""
    moved = {subject_id: day for subject_id, day in due.items() if day is not None}
    if moved:
        given = {"kind": kind.value, "subjects": list(moved), "days": list(moved.values())}
        await session.execute(_MOVE, given | {"now": clock.now()})


def _columns(openings: Sequence[Opening]) -> Mapping[str, object]:
    return {
        "task_ids": [identity.new_id() for _ in openings],
        "kinds": [each.kind.value for each in openings],
        "subject_ids": [each.subject_id for each in openings],
        "household_ids": [each.household_id for each in openings],
        "division_codes": [each.division_code for each in openings],
        "due_ons": [each.due.on if each.due else None for each in openings],
        "provisional": [bool(each.due and each.due.provisional) for each in openings],
        "today": clock.today(),
        "now": clock.now(),
    }


_OPEN = text(
    "INSERT INTO tasks (task_id, kind, subject_id, household_id, division_code, due_on, "
    "due_provisional, opened_on, recorded_at) "
    "SELECT sent.*, :today, :now FROM unnest(CAST(:task_ids AS uuid[]), CAST(:kinds AS text[]), "
    "CAST(:subject_ids AS uuid[]), CAST(:household_ids AS uuid[]), "
    "CAST(:division_codes AS text[]), CAST(:due_ons AS date[]), "
    "CAST(:provisional AS boolean[])) AS sent "
    "ON CONFLICT (kind, subject_id) WHERE closed_on IS NULL DO NOTHING"
)
_MOVE = text(
    "UPDATE tasks SET due_on = given.day, due_provisional = false, recorded_at = :now "
    "FROM unnest(CAST(:subjects AS uuid[]), CAST(:days AS date[])) AS given(subject, day) "
    "WHERE tasks.kind = :kind AND tasks.subject_id = given.subject AND tasks.closed_on IS NULL "
    "AND tasks.due_on IS DISTINCT FROM given.day"
)
