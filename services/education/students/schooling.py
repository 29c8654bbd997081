"""What is missing in households and what that makes of their guarantee, written (C8, C33).

Part of the students' actions, called with the households locked; decides nothing itself.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.education.dropout import queries as dropout
from services.education.students import queries
from services.education.students.files import ENROLMENT, Home, Statement, stage_of
from services.education.students.models import SchoolGap
from services.education.students.rules import Pupil, Standing, guarantee, judge, next_look
from shared import guarantees, identity
from shared.contracts.assistance import GuaranteeKind
from shared.contracts.registry import State
from shared.contracts.topics import EDUCATION_ASSISTANCE
from shared.db import among, driver_of
from shared.guarantees import Verdict

Gap = tuple[str, str | None]
"""A standing and, where something has to be found out, the doubt."""

_LOOK_AGAIN = """
    UPDATE settled_households AS settled
    SET division_code = known.division_code, look_again_on = known.look_again_on
    FROM unnest($1::uuid[], $2::text[], $3::date[])
        AS known(household_id, division_code, look_again_on)
    WHERE settled.household_id = known.household_id
        AND (settled.division_code, settled.look_again_on)
            IS DISTINCT FROM (known.division_code, known.look_again_on)
"""


async def state_schooling(
    session: AsyncSession, household_ids: Sequence[UUID], on: date
) -> dict[UUID, str]:
    """Write gaps, the next day to look, and the guarantee of households that are locked.

    Gives those in which something is missing now or no longer, with their divisions. A closed
    household has no members to look after: its gaps end and its guarantee is not spoken of.
    """
    places = await queries.places_of(session, household_ids)
    homes = await queries.homes_in(session, household_ids)
    living = [each for each, (_, state) in places.items() if state is not State.CLOSED]
    pupils = await _pupils(session, {each: homes.get(each, []) for each in living})
    changed = await _write_gaps(session, places, pupils, on)
    await _look_again(session, places, pupils, on)
    await guarantees.give(
        session,
        EDUCATION_ASSISTANCE,
        GuaranteeKind.EDUCATION,
        [_verdict(each, places[each][0], pupils[each], on) for each in living],
    )
    return {each: places[each][0] for each in changed}


async def _pupils(
    session: AsyncSession, members: Mapping[UUID, Sequence[Home]]
) -> dict[UUID, list[Pupil]]:
    people = sorted({home.person_id for homes in members.values() for home in homes})
    statements = await queries.statements_of(session, people)
    cases = await dropout.open_cases(session, people)
    return {
        household: [
            _pupil(home, statements.get(home.person_id), cases.get(home.person_id))
            for home in homes
        ]
        for household, homes in members.items()
    }


def _pupil(home: Home, statement: Statement | None, case_id: UUID | None) -> Pupil:
    return Pupil(
        person_id=home.person_id,
        birth_date=home.birth_date,
        education=home.education,
        stage=stage_of(home, statement),
        excused=statement is not None and statement.kind != ENROLMENT,
        open_case=case_id,
    )


def _verdict(household_id: UUID, division_code: str, pupils: Sequence[Pupil], on: date) -> Verdict:
    met, evidence_id = guarantee(pupils, on)
    return Verdict(
        household_id=household_id, division_code=division_code, met=met, evidence_id=evidence_id
    )


async def _write_gaps(
    session: AsyncSession,
    places: Mapping[UUID, tuple[str, State]],
    pupils: Mapping[UUID, Sequence[Pupil]],
    on: date,
) -> set[UUID]:
    wanted = _gaps(pupils, on)
    stored = await queries.open_gaps(session, list(places))
    standing = {
        (row["household_id"], row["person_id"]): (row["standing"], row["doubt"]) for row in stored
    }
    ended = [
        row["gap_id"]
        for row in stored
        if wanted.get(key := (row["household_id"], row["person_id"])) != standing[key]
    ]
    begun = {key: gap for key, gap in wanted.items() if standing.get(key) != gap}
    if ended:
        over = update(SchoolGap).where(among(SchoolGap.gap_id, ended))
        await session.execute(over.values(ended_on=on))
    if begun:
        rows = [_gap_row(key, gap, places[key[0]][0], on) for key, gap in sorted(begun.items())]
        await session.execute(insert(SchoolGap), rows)
    for household_id in {
        row["household_id"]
        for row in stored
        if row["division_code"] != places[row["household_id"]][0]
    }:
        moved = update(SchoolGap).where(SchoolGap.household_id == household_id)
        await session.execute(moved.values(division_code=places[household_id][0]))
    gone = set(ended)
    return {key[0] for key in begun} | {
        row["household_id"] for row in stored if row["gap_id"] in gone
    }


def _gaps(pupils: Mapping[UUID, Sequence[Pupil]], on: date) -> dict[tuple[UUID, UUID], Gap]:
    found: dict[tuple[UUID, UUID], Gap] = {}
    for household_id, members in pupils.items():
        for pupil in members:
            how = judge(pupil, on)
            if how.standing in {Standing.OUT_OF_SCHOOL, Standing.UNKNOWN}:
                gap = (how.standing.value, how.doubt and how.doubt.value)
                found[household_id, pupil.person_id] = gap
    return found


def _gap_row(key: tuple[UUID, UUID], gap: Gap, division_code: str, on: date) -> dict[str, Any]:
    return {
        "gap_id": identity.new_id(),
        "household_id": key[0],
        "person_id": key[1],
        "division_code": division_code,
        "standing": gap[0],
        "doubt": gap[1],
        "since": on,
        "ended_on": None,
    }


async def _look_again(
    session: AsyncSession,
    places: Mapping[UUID, tuple[str, State]],
    pupils: Mapping[UUID, Sequence[Pupil]],
    on: date,
) -> None:
    ids = sorted(places)
    days = [next_look((pupil.birth_date for pupil in pupils.get(each, ())), on) for each in ids]
    divisions = [places[each][0] for each in ids]
    await driver_of(session).execute(_LOOK_AGAIN, ids, divisions, days)
