"""Writing dwellings and house files: what the registry reports, who moved out, what was renovated.

The only writers of both tables. A household's dwelling is locked before anything of its housing is
written; of many households, in the order of their ids. What says nothing new is not written.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import orjson
from asyncpg import Record
from sqlalchemy import insert, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.housing.surveys import queries
from services.housing.surveys.models import DangerousHouseFile, Dwelling
from services.housing.surveys.reports import REPORTED, News, Row, read_grade, weigh
from services.housing.surveys.rules import ClosingCause, FileState, lives_safely, move_faults
from shared import audit, clock, events, guarantees, household_copy
from shared.auth import Caller, system_caller
from shared.contracts.assistance import GuaranteeKind
from shared.contracts.registry import HouseholdState, State
from shared.contracts.topics import HOUSING_ASSISTANCE
from shared.db import EVERYWHERE, driver_of
from shared.errors import Conflict, NotFound, Refused
from shared.guarantees import Verdict

CHUNK = 500

_NEWER = ", ".join(f"{name} = excluded.{name}" for name in (*REPORTED, "renovated_on"))
_KEEP_DWELLINGS = f"""
    INSERT INTO dwellings (
        household_id, division_code, grade, grade_since, on_file, occupied, occupied_since,
        occupancy_history, renovated_file_id, renovated_on)
    SELECT household_id, division_code, grade, grade_since, on_file, occupied, occupied_since,
        occupancy_history, renovated_file_id, renovated_on
    FROM jsonb_to_recordset($1::jsonb) AS given(
        household_id uuid, division_code text, grade text, grade_since date, on_file boolean,
        occupied boolean, occupied_since date, occupancy_history jsonb, renovated_file_id uuid,
        renovated_on date)
    ORDER BY household_id
    ON CONFLICT (household_id) DO UPDATE SET {_NEWER}
"""  # noqa: S608 (own names)
_UPDATE_FILES = text("""
    UPDATE dangerous_house_files AS stored
    SET grade = given.grade, grade_history = CAST(given.history AS jsonb), state = given.state,
        closed_on = given.closed_on, closing_cause = given.cause
    FROM unnest(CAST(:ids AS uuid[]), CAST(:grades AS text[]), CAST(:histories AS text[]),
                CAST(:states AS text[]), CAST(:closed_on AS date[]), CAST(:causes AS text[]))
        AS given(file_id, grade, history, state, closed_on, cause)
    WHERE stored.file_id = given.file_id
""")
_FOLLOW = text("""
    UPDATE dangerous_house_files AS stored SET division_code = moved.division_code
    FROM unnest(CAST(:household_ids AS uuid[]), CAST(:division_codes AS text[]))
        AS moved(household_id, division_code)
    WHERE stored.household_id = moved.household_id
        AND stored.division_code <> moved.division_code
""")


async def take_reports(
    session: AsyncSession, states: Sequence[HouseholdState]
) -> Sequence[HouseholdState]:
    """Bring dwellings, files and guarantees to what the registry now reports of households.

    Call it with what ``household_copy.apply`` took as newer: whatever came twice or late is not in
    there. ``states`` are one a household. Gives those that moved to another division.
    """
    ids = [state.household_id for state in states]
    known = await queries.lock_dwellings(session, ids, (EVERYWHERE,))
    files = await queries.open_files(session, ids)
    news = News()
    for state in states:
        if state.household_id in known or state.state is not State.CLOSED:
            weigh(news, state, known.get(state.household_id), files.get(state.household_id))
    await _write(session, news)
    await _state(session, news.dwellings_now(known), news.open_files_now(files))
    return news.moved


async def see_unseen(session: AsyncSession, _day: date) -> bool:
    """Give a dwelling to households that were in the copy before this service kept dwellings.

    A turn: their events will not come again by themselves. True while more may be left.
    """
    unseen = await queries.lock_unseen(session, CHUNK)
    await take_reports(session, await household_copy.load(session, unseen))
    return len(unseen) == CHUNK


async def state_guarantees(session: AsyncSession, household_ids: Sequence[UUID]) -> int:
    """State the guarantee ``housing`` of households on file as it stands; returns how many changed.

    Call it with their dwellings locked. Nothing is said where the grade is unknown.
    """
    dwellings = await queries.lock_dwellings(session, household_ids, (EVERYWHERE,))
    return await _state(session, dwellings, await queries.open_files(session, household_ids))


async def _state(
    session: AsyncSession,
    dwellings: Mapping[UUID, Row],
    files: Mapping[UUID, Row],
) -> int:
    verdicts = []
    for household_id, dwelling in dwellings.items():
        met = is_safe(dwelling)
        if not dwelling["on_file"] or met is None:
            continue
        verdict = Verdict(
            household_id=household_id,
            division_code=dwelling["division_code"],
            met=met,
            evidence_id=_evidence(dwelling, files.get(household_id)),
        )
        verdicts.append(verdict)
    return await guarantees.give(session, HOUSING_ASSISTANCE, GuaranteeKind.HOUSING, verdicts)


def is_safe(dwelling: Row) -> bool | None:
    """Whether the household of a stored dwelling lives safely; None where nobody knows."""
    return lives_safely(
        read_grade(dwelling["grade"]),
        occupied=dwelling["occupied"],
        renovated=dwelling["renovated_file_id"] is not None,
    )


async def record_occupancy(
    session: AsyncSession,
    caller: Caller,
    household_id: UUID,
    *,
    occupied: bool,
    on: date,
    reason: str,
) -> None:
    """A household moved out of its dwelling to somewhere safe, or back into it (C8, section 6).

    Said again, nothing changes. Raises NotFound, Conflict (``household_closed``), Refused listing
    every fault.
    """
    dwelling = await hold_dwelling(session, caller, household_id)
    if not dwelling["on_file"]:
        raise Conflict("household_closed", "该家庭档案已注销，不能再登记居住情况")
    if dwelling["occupied"] is occupied:
        return
    faults = move_faults(on=on, today=clock.today(), last_move=dwelling["occupied_since"])
    if faults:
        raise Refused(faults[0].code, faults[0].message, faults=faults)
    move = {
        "occupied": occupied,
        "from": on.isoformat(),
        "reason": reason,
        "recorded_by": caller.officer_id or caller.sub,
    }
    await session.execute(
        update(Dwelling)
        .where(Dwelling.household_id == household_id)
        .values(
            occupied=occupied,
            occupied_since=on,
            occupancy_history=[*dwelling["occupancy_history"], move],
        )
    )
    await audit.record(
        session,
        caller,
        action="dwelling.occupied" if occupied else "dwelling.vacated",
        subject_type="household",
        subject_id=household_id,
        division_code=dwelling["division_code"],
        detail={"from": on.isoformat()},
    )
    await state_guarantees(session, [household_id])


async def hold_dwelling(session: AsyncSession, caller: Caller, household_id: UUID) -> Record:
    """The household's dwelling, locked. Raises NotFound where the caller may see none."""
    held = await queries.lock_dwellings(session, [household_id], caller.divisions)
    if household_id not in held:
        raise NotFound("dwelling_unknown", f"no dwelling of a household {household_id}")
    return held[household_id]


async def close_renovated(
    session: AsyncSession, caller: Caller, household_id: UUID, *, file_id: UUID, on: date
) -> None:
    """A renovation was accepted: its file closes, and the dwelling is safe until the next grade.

    Call it with the dwelling held. A file that was closed meanwhile keeps its cause.
    """
    dwelling = update(Dwelling).where(Dwelling.household_id == household_id)
    await session.execute(dwelling.values(renovated_file_id=file_id, renovated_on=on))
    closing = (
        update(DangerousHouseFile)
        .where(DangerousHouseFile.file_id == file_id, DangerousHouseFile.state == FileState.OPEN)
        .values(
            state=FileState.CLOSED, closed_on=clock.today(), closing_cause=ClosingCause.RENOVATED
        )
        .returning(DangerousHouseFile.file_id, DangerousHouseFile.division_code)
    )
    for closed in (await session.execute(closing)).all():
        await audit.record(
            session,
            caller,
            action="house_file.closed",
            subject_type="house_file",
            subject_id=closed.file_id,
            division_code=closed.division_code,
        )
    await state_guarantees(session, [household_id])


async def _write(session: AsyncSession, news: News) -> None:
    if news.dwellings:
        rows = orjson.dumps(news.dwellings, default=str).decode()
        await driver_of(session).execute(_KEEP_DWELLINGS, rows)
    if news.moved:
        await session.execute(
            _FOLLOW,
            {
                "household_ids": [state.household_id for state in news.moved],
                "division_codes": [state.division_code for state in news.moved],
            },
        )
    if news.changed:
        await session.execute(_UPDATE_FILES, _columns(news.changed))
    if news.opened:
        await session.execute(insert(DangerousHouseFile), news.opened)
    await _note(session, "house_file.opened", news.opened)
    await _note(session, "house_file.changed", news.changed)
    await events.publish(session, news.hardships)


async def _note(session: AsyncSession, action: str, files: Sequence[Mapping[Any, Any]]) -> None:
    await audit.record(
        session,
        system_caller("housing"),
        action=action,
        subject_type="house_file",
        subject_id=[file["file_id"] for file in files],
        division_code=[file["division_code"] for file in files],
    )


def _columns(files: Sequence[Mapping[Any, Any]]) -> dict[str, list[Any]]:
    return {
        "ids": [file["file_id"] for file in files],
        "grades": [file["grade"] for file in files],
        "histories": [orjson.dumps(file["grade_history"]).decode() for file in files],
        "states": [file["state"] for file in files],
        "closed_on": [file["closed_on"] for file in files],
        "causes": [file["closing_cause"] for file in files],
    }


def _evidence(dwelling: Row, file: Row | None) -> str:
    file_id = dwelling["renovated_file_id"] if file is None else file["file_id"]
    if file_id is None:
        return f"dwelling:{dwelling['household_id']}"
    return f"house-file:{file_id}"
