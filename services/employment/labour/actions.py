"""Settling households: what is stored is brought to what the facts say today (C44, C45, C8, R30).

Profiles, zero-employment cases and the guarantee of employment are decided together under one lock
a household, taken in the order of their ids, whether an event, a placement or a new day sets it
off. Settling what is settled writes nothing.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import orjson
from asyncpg import Record
from sqlalchemy.ext.asyncio import AsyncSession

from services.employment.jobs import queries as placements
from services.employment.labour import cases, facts, profiles, queries
from services.employment.labour.facts import Home
from services.employment.labour.rules import Assessment, Verdict, assess, judge, next_look
from shared import audit, clock, guarantees
from shared.auth import Caller, system_caller
from shared.contracts.assistance import GuaranteeKind
from shared.contracts.registry import State
from shared.contracts.topics import EMPLOYMENT_ASSISTANCE
from shared.db import driver_of

CHUNK = 500
"""Households settled a transaction when a day turns."""

_KNOW = """
    INSERT INTO household_labour (
        household_id, division_code, on_assistance, able, willing, employed)
    SELECT household_id, division_code, false, 0, 0, 0 FROM household_copy
    WHERE household_id = ANY ($1) ORDER BY household_id
    ON CONFLICT (household_id) DO NOTHING
"""
_HOLD = """
    SELECT * FROM household_labour WHERE household_id = ANY ($1) ORDER BY household_id FOR UPDATE
"""
_DECIDED = (
    "division_code",
    "on_assistance",
    "outcome",
    "evidence",
    "able",
    "willing",
    "employed",
    "look_again_on",
)
_STORE = f"""
    UPDATE household_labour AS stored
    SET {", ".join(f"{name} = given.{name}" for name in _DECIDED)}
    FROM jsonb_to_recordset($1::jsonb) AS given(
        household_id uuid, division_code text, on_assistance boolean, outcome text, evidence text,
        able smallint, willing smallint, employed smallint, look_again_on date)
    WHERE stored.household_id = given.household_id
"""  # noqa: S608 (the column names above)


async def know(session: AsyncSession, household_ids: Sequence[UUID]) -> None:
    """Give new households the row that is their lock. For the worker, before it settles them."""
    await driver_of(session).execute(_KNOW, household_ids)


async def hold(session: AsyncSession, household_ids: Sequence[UUID]) -> dict[UUID, Record]:
    """Lock what is decided about these households' work until this transaction ends."""
    rows = await driver_of(session).fetch(_HOLD, household_ids)
    return {row["household_id"]: row for row in rows}


async def settle(
    session: AsyncSession,
    caller: Caller,
    household_ids: Sequence[UUID],
    *,
    person_ids: Sequence[UUID] | None = None,
) -> int:
    """Bring these households to what is known of them today; returns how many changed.

    ``person_ids`` limits the profiles looked at, where it is known that no other can have changed.
    """
    today = clock.today()
    held = await hold(session, household_ids)
    if not held:
        return 0
    people = await facts.people_of(session, list(held)) if person_ids is None else person_ids
    changed = await profiles.follow(session, people, today)
    homes = await facts.homes(session, list(held))
    assessed = await _assess(session, homes, today)
    verdicts = {household_id: judge(found) for household_id, found in assessed.items()}
    unemployed = {
        household_id: [each.member.person_id for each in found if each.in_r30]
        for household_id, found in assessed.items()
    }
    changed |= await cases.settle_cases(session, homes, verdicts, unemployed, today)
    rows = [
        _row(home, verdicts[home.household_id], assessed[home.household_id], today)
        for home in homes
    ]
    changed |= await _store(session, held, rows)
    await _give(session, homes, verdicts)
    places = {home.household_id: home.division_code for home in homes}
    await _note(session, caller, {each: places[each] for each in sorted(changed & places.keys())})
    return len(changed)


async def look_again(session: AsyncSession, day: date) -> bool:
    """A turn: settle the households in which somebody's age crosses a bound by ``day``.

    Settling sets each one's next day after today, so that the rows left are the work left.
    """
    due = await queries.due_households(session, day, limit=CHUNK)
    await settle(session, system_caller("employment"), due)
    return len(due) == CHUNK


async def date_offers(session: AsyncSession, _day: date) -> bool:
    """A turn: deadlines that were provisional or missing, once a year or a limit was loaded."""
    await cases.date_offers(session, undated=True)
    return False


async def _assess(
    session: AsyncSession, homes: Sequence[Home], today: date
) -> dict[UUID, list[Assessment]]:
    members = await facts.members_of(session, [home.household_id for home in homes])
    people = [member.person_id for listed in members.values() for member in listed]
    jobs = await placements.jobs_of(session, people)
    return {
        home.household_id: [
            assess(member, today, jobs.get(member.person_id, ()))
            for member in members.get(home.household_id, ())
        ]
        for home in homes
    }


def _row(
    home: Home, verdict: Verdict, assessed: Sequence[Assessment], today: date
) -> dict[str, Any]:
    """A closed file has nobody to employ and is not looked at again."""
    closed = home.state is State.CLOSED
    return {
        "household_id": home.household_id,
        "division_code": home.division_code,
        "on_assistance": home.state.on_assistance,
        "outcome": None if closed else verdict.outcome.value,
        "evidence": None if closed else verdict.evidence,
        "able": verdict.able,
        "willing": verdict.willing,
        "employed": verdict.employed,
        "look_again_on": None if closed else next_look(assessed, today),
    }


async def _store(
    session: AsyncSession, held: Mapping[UUID, Record], rows: Sequence[dict[str, Any]]
) -> set[UUID]:
    news = [
        row
        for row in rows
        if any(held[row["household_id"]][name] != row[name] for name in _DECIDED)
    ]
    if news:
        await driver_of(session).execute(_STORE, orjson.dumps(news, default=str).decode())
    return {row["household_id"] for row in news}


async def _give(
    session: AsyncSession, homes: Sequence[Home], verdicts: Mapping[UUID, Verdict]
) -> None:
    """State the guarantee of employment of every file that is not closed (C8)."""
    given = [
        guarantees.Verdict(
            household_id=home.household_id,
            division_code=home.division_code,
            met=verdicts[home.household_id].met,
            evidence_id=verdicts[home.household_id].evidence,
        )
        for home in homes
        if home.state is not State.CLOSED
    ]
    await guarantees.give(session, EMPLOYMENT_ASSISTANCE, GuaranteeKind.EMPLOYMENT, given)


async def _note(session: AsyncSession, caller: Caller, places: Mapping[UUID, str]) -> None:
    await audit.record(
        session,
        caller,
        action="labour.settled",
        subject_type="household",
        subject_id=list(places),
        division_code=list(places.values()),
    )
