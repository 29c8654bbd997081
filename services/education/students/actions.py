"""Settling households: files, gaps and the guarantee are brought to what is known now (C8, C33).

Every writer holds the households' rows of ``settled_households`` first, in the order of their ids,
and reads only then; files are locked in the order of persons. So two at it cannot overlook each
other, whichever household a pupil is on the way to.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, insert, update
from sqlalchemy.dialects.postgresql import insert as insert_or_skip
from sqlalchemy.ext.asyncio import AsyncSession

from services.education.dropout.following import following
from services.education.students import queries, schooling
from services.education.students.files import (
    File,
    FileState,
    Home,
    Statement,
    entry_of,
    follow,
    home_of,
    still_holds,
)
from services.education.students.models import (
    SchoolStatement,
    StudentEntry,
    StudentFile,
)
from shared import audit, clock, identity, together
from shared.auth import Caller, system_caller
from shared.db import among, driver_of
from shared.errors import NotFound, TryAgain
from shared.together import Write

CHUNK = 200
"""Households that a new day settles in one transaction."""


async def settle_households(session: AsyncSession, household_ids: Sequence[UUID], on: date) -> None:
    """Bring these households' files, gaps and guarantees to what holds on the day ``on``.

    Reads the newest copies under the households' locks, so it does not matter what set it off or
    how often; what stands as it should is not written to.
    """
    held = await hold_households(session, household_ids)
    people = await queries.people_of(session, held)
    changed = await _follow_pupils(session, people, on)
    changed |= await schooling.state_schooling(session, held, on)
    if changed:
        ordered = sorted(changed)
        await audit.record(
            session,
            system_caller("education"),
            action="students.settled",
            subject_type="household",
            subject_id=ordered,
            division_code=[changed[each] for each in ordered],
        )


async def settle_due_households(session: AsyncSession, day: date) -> bool:
    """Settle a chunk of those whom the day may have changed: entry to school, birthdays.

    True when more is left. Each household is looked at again on its next such day only.
    """
    due = await queries.households_due(session, day, CHUNK)
    if due:
        await settle_households(session, due, day)
    return len(due) == CHUNK


async def hold_households(session: AsyncSession, household_ids: Sequence[UUID]) -> list[UUID]:
    """Lock these households for settling, in the order of their ids; unknown ones are left out."""
    driver = driver_of(session)
    held = await driver.fetch(_HOLD, household_ids)
    if len(held) < len(household_ids):
        await driver.execute(_KNOW, household_ids)
        held = await driver.fetch(_HOLD, household_ids)
    return [row["household_id"] for row in held]


async def _follow_pupils(
    session: AsyncSession, person_ids: Sequence[UUID], on: date, *, again: bool = True
) -> dict[UUID, str]:
    """Bring these persons' files along; gives the households changed with their divisions."""
    files = await queries.hold_files(session, person_ids)
    homes = await homes_now(session, person_ids)
    statements = await _live_statements(session, homes, person_ids)
    wanted = {
        person: follow(files.get(person), homes.get(person), statements.get(person))
        for person in sorted(person_ids)
    }
    changes = {
        person: file
        for person, file in wanted.items()
        if file is not None and file != files.get(person)
    }
    opened = await _open_files(
        session, [file for person, file in changes.items() if person not in files], on
    )
    overtaken = [person for person in changes if person not in files and person not in opened]
    for person in overtaken:
        del changes[person]
    await _change_files(session, [changes[each] for each in changes if each in files], on)
    await _write_history(session, files, changes, homes=homes, statements=statements, on=on)
    await _move_along(session, homes)
    changed = {file.household_id: file.division_code for file in changes.values()}
    if overtaken and again:
        # Another transaction opened these files meanwhile; now they can be locked and followed.
        changed |= await _follow_pupils(session, overtaken, on, again=False)
    return changed


async def homes_now(session: AsyncSession, person_ids: Sequence[UUID]) -> dict[UUID, Home]:
    """The one household that each person's file goes by; who has none is not in it."""
    found = await queries.homes_of(session, person_ids)
    homes = {person: home_of(each) for person, each in found.items()}
    return {person: home for person, home in homes.items() if home is not None}


async def hold_home(session: AsyncSession, caller: Caller, person_id: UUID) -> Home:
    """The household of a person, locked for settling, as far as the caller covers it.

    Raises NotFound (``person_unknown``); a person of another county is unknown here.
    """
    home = (await homes_now(session, [person_id])).get(person_id)
    if home is not None and caller.covers(home.division_code):
        await hold_households(session, [home.household_id])
        held = (await homes_now(session, [person_id])).get(person_id)
        if held is not None and held.household_id == home.household_id:
            return held
        raise TryAgain("person_moving", f"{person_id} is just moving to another household")
    raise NotFound("person_unknown", f"no household here has a member {person_id}")


async def state_about(
    session: AsyncSession,
    home: Home,
    *,
    kind: str,
    from_day: date,
    reported_by: str,
    stage: str | None = None,
    school_code: str | None = None,
) -> UUID:
    """Keep what was shown about a person; the statement before it is superseded."""
    await _supersede(session, [home.person_id])
    statement_id = identity.new_id()
    row = {
        "statement_id": statement_id,
        "person_id": home.person_id,
        "household_id": home.household_id,
        "division_code": home.division_code,
        "kind": kind,
        "stage": stage,
        "from_day": from_day,
        "school_code": school_code,
        "registry_stage": home.stage,
        "household_version": home.version,
        "reported_by": reported_by,
        "reported_at": clock.now(),
        "superseded_at": None,
    }
    await session.execute(insert(SchoolStatement), [row])
    return statement_id


async def _live_statements(
    session: AsyncSession, homes: Mapping[UUID, Home], person_ids: Sequence[UUID]
) -> dict[UUID, Statement]:
    """What still counts beside the registry; what it has spoken over since is superseded."""
    live = await queries.statements_of(session, person_ids)
    over = [
        person
        for person, statement in live.items()
        if person in homes and not still_holds(statement, homes[person])
    ]
    await _supersede(session, over)
    return {person: statement for person, statement in live.items() if person not in over}


async def _supersede(session: AsyncSession, person_ids: Collection[UUID]) -> None:
    if person_ids:
        live = update(SchoolStatement).where(
            SchoolStatement.superseded_at.is_(None),
            among(SchoolStatement.person_id, sorted(person_ids)),
        )
        await session.execute(live.values(superseded_at=clock.now()))


async def _open_files(session: AsyncSession, files: Sequence[File], on: date) -> set[UUID]:
    """Whose files were opened; one that another transaction has opened meanwhile is left to it."""
    if not files:
        return set()
    rows = [_row(file) | {"opened_on": on, "left_on": None} for file in files]
    opening = insert_or_skip(StudentFile).on_conflict_do_nothing().returning(StudentFile.person_id)
    return set((await session.scalars(opening, rows)).all())


async def _change_files(session: AsyncSession, files: Sequence[File], on: date) -> None:
    if not files:
        return
    table = StudentFile.__table__
    rows = [
        {f"new_{name}": value for name, value in _row(file).items()}
        | {"new_left_on": on if file.state is FileState.LEFT else None}
        for file in files
    ]
    names = [name.removeprefix("new_") for name in rows[0] if name != "new_person_id"]
    statement = (
        update(StudentFile)
        .where(table.c.person_id == bindparam("new_person_id"))
        .values({name: bindparam(f"new_{name}") for name in names})
    )
    connection = await session.connection()
    await connection.execute(statement, rows)


def _row(file: File) -> dict[str, Any]:
    return {
        "person_id": file.person_id,
        "household_id": file.household_id,
        "division_code": file.division_code,
        "stage": file.stage.value,
        "stage_known": file.stage_known,
        "state": file.state.value,
        "left_behind": file.left_behind,
        "school_code": file.school_code,
    }


async def _write_history(
    session: AsyncSession,
    before: Mapping[UUID, File],
    changes: Mapping[UUID, File],
    *,
    homes: Mapping[UUID, Home],
    statements: Mapping[UUID, Statement],
    on: date,
) -> None:
    rows = []
    for person, file in changes.items():
        entry = entry_of(before.get(person), file, homes.get(person), statements.get(person), on)
        if entry is not None:
            rows.append(
                {
                    "entry_id": identity.new_id(),
                    "person_id": person,
                    "household_id": file.household_id,
                    "division_code": file.division_code,
                    "from_day": entry[0],
                    "stage": entry[1].value,
                    "recorded_at": clock.now(),
                }
            )
    if rows:
        await session.execute(insert(StudentEntry), rows)


async def _move_along(session: AsyncSession, homes: Mapping[UUID, Home]) -> None:
    """History, statements and cases go to the division that their pupil lives in."""
    places = [(each.person_id, each.household_id, each.division_code) for each in homes.values()]
    if places:
        people = [place[0] for place in places]
        divisions = [place[2] for place in places]
        moving = [Write(each, (people, divisions)) for each in (_MOVE_HISTORY, _MOVE_STATEMENTS)]
        await together.write(session, [*moving, following(places)])


_KNOW = """
    INSERT INTO settled_households (household_id, division_code)
    SELECT household_id, division_code FROM household_copy
    WHERE household_id = ANY ($1) ORDER BY household_id
    ON CONFLICT DO NOTHING
"""
_HOLD = """
    SELECT household_id FROM settled_households
    WHERE household_id = ANY ($1) ORDER BY household_id FOR UPDATE
"""
_MOVE = """
    UPDATE {table} AS stored SET division_code = home.division_code
    FROM unnest($1::uuid[], $2::text[]) AS home(person_id, division_code)
    WHERE stored.person_id = home.person_id AND stored.division_code <> home.division_code
"""
_MOVE_HISTORY = _MOVE.format(table="student_history")
_MOVE_STATEMENTS = _MOVE.format(table="school_statements")
