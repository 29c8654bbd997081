"""Opening and following labour profiles: one a person for life, wherever the person lives (C44).

The only writer of labour_profiles. Call it under the households' locks (actions.hold); profiles are
locked in the order of their persons.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import orjson
from asyncpg import Record
from sqlalchemy.ext.asyncio import AsyncSession

from services.employment.jobs import queries as placements
from services.employment.labour import facts
from services.employment.labour.facts import Place
from services.employment.labour.rules import Assessment, Status, assess, resting_because
from shared.db import driver_of

_HOLD = "SELECT * FROM labour_profiles WHERE person_id = ANY ($1) ORDER BY person_id FOR UPDATE"
_DECIDED = ("household_id", "division_code", "able", "willing", "status", "reasons", "facts")
_COLUMNS = ("person_id", *_DECIDED, "since")
_GIVEN = """
    jsonb_to_recordset($1::jsonb) AS given(
        person_id uuid, household_id uuid, division_code text, able boolean, willing boolean,
        status text, reasons text[], facts jsonb, since date)
"""
_OPEN = f"""
    INSERT INTO labour_profiles ({", ".join(_COLUMNS)})
    SELECT {", ".join(_COLUMNS)} FROM {_GIVEN} ORDER BY person_id
    ON CONFLICT (person_id) DO NOTHING RETURNING person_id
"""  # noqa: S608 (the column names above)
_FOLLOW = f"""
    UPDATE labour_profiles AS stored
    SET {", ".join(f"{name} = given.{name}" for name in _COLUMNS[1:])}
    FROM {_GIVEN} WHERE stored.person_id = given.person_id
"""  # noqa: S608 (the column names above)


@dataclass(slots=True)
class Changes:
    """What a batch has to write; nothing where every profile stands as it should."""

    opened: list[dict[str, Any]]
    followed: list[dict[str, Any]]

    @property
    def households(self) -> set[UUID]:
        """The households that a profile changes in."""
        return {row["household_id"] for row in (*self.opened, *self.followed)}


async def follow(session: AsyncSession, person_ids: Sequence[UUID], today: date) -> set[UUID]:
    """Bring these people's profiles to what is known of them now.

    Opens one for whoever is of working age in a household on assistance. Returns the households in
    which a profile changed. A profile that another transaction opened meanwhile is decided again,
    now under its lock.
    """
    changes, missed = await _follow(session, person_ids, today)
    if missed:
        again, _ = await _follow(session, missed, today)
        return changes.households | again.households
    return changes.households


async def _follow(
    session: AsyncSession, person_ids: Sequence[UUID], today: date
) -> tuple[Changes, list[UUID]]:
    stored = await _hold(session, person_ids)
    places = await facts.places_of(session, person_ids)
    jobs = await placements.jobs_of(session, person_ids)
    changes = Changes([], [])
    for person_id in person_ids:
        row = stored.get(person_id)
        place = places.get(person_id)
        if place is None:
            wanted = _left(row)
        else:
            wanted = _wanted(place, assess(place.member, today, jobs.get(person_id, ())), today)
        _compare(changes, row, wanted, today)
    return changes, await _write(session, changes)


def _left(row: Record | None) -> dict[str, Any] | None:
    """Whoever is no member anywhere keeps all but the status."""
    if row is None:
        return None
    kept = {name: row[name] for name in ("person_id", *_DECIDED)}
    return kept | {"status": Status.RESTING.value, "reasons": ["no_longer_a_member"]}


def _wanted(place: Place, found: Assessment, today: date) -> dict[str, Any]:
    resting = resting_because(found.of_working_age, found.age, place.state, today)
    return {
        "person_id": place.member.person_id,
        "household_id": place.household_id,
        "division_code": place.division_code,
        "able": found.able,
        "willing": found.willing,
        "status": (Status.RESTING if resting else found.status).value,
        "reasons": [*([resting] if resting else []), *found.reasons],
        "facts": _facts(place, found),
    }


def _facts(place: Place, found: Assessment) -> dict[str, Any]:
    known = place.member.model_dump(
        mode="json",
        include={
            "sex",
            "birth_date",
            "disability",
            "labor_ability",
            "willing_to_work",
            "school_stage",
            "work",
            "counted",
        },
    )
    return known | {
        "working_age_from": found.age.begins_on.isoformat(),
        "working_age_ends_on": found.age.ends_on.isoformat(),
        "placement_id": str(found.job.placement_id) if found.job else None,
        "household_state": place.state.value,
    }


def _compare(
    changes: Changes, row: Record | None, wanted: dict[str, Any] | None, today: date
) -> None:
    if wanted is None:
        return
    if row is None:
        if wanted["status"] != Status.RESTING:
            changes.opened.append(wanted | {"since": today})
    elif any(row[name] != wanted[name] for name in _DECIDED):
        since = row["since"] if row["status"] == wanted["status"] else today
        changes.followed.append(wanted | {"since": since})


async def _hold(session: AsyncSession, person_ids: Sequence[UUID]) -> dict[UUID, Record]:
    rows = await driver_of(session).fetch(_HOLD, person_ids)
    return {row["person_id"]: row for row in rows}


async def _write(session: AsyncSession, changes: Changes) -> list[UUID]:
    """Write them; gives the people whose profile was not there before and is now another's."""
    if changes.followed:
        followed = orjson.dumps(changes.followed, default=str).decode()
        await driver_of(session).execute(_FOLLOW, followed)
    if not changes.opened:
        return []
    rows = orjson.dumps(changes.opened, default=str).decode()
    opened = {row["person_id"] for row in await driver_of(session).fetch(_OPEN, rows)}
    missed = {row["person_id"] for row in changes.opened} - opened
    return sorted(missed)
