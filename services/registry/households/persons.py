"""Persons, each registered once for life over all counties (design "Identity").

Who wants to take people into a household claims them here: new ones are registered, known ones are
taken if they are free, and a person who stands elsewhere refuses the household that asked.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.households import sealed
from services.registry.households.admission import Identified
from services.registry.households.facts import Elsewhere
from services.registry.households.models import Member, Person
from services.registry.transfers.models import TransferTask
from shared import clock, identity
from shared.auth import Caller
from shared.db import among, driver_of, in_divisions, savepoint
from shared.errors import Conflict, Fault

_MOST_RACES = 5


@dataclass(slots=True, kw_only=True)
class Claim:
    """The people one household wants from the day ``on``, in order, and what came of it.

    ``household_id`` is None for a household still to be opened; ``path`` is where its faults point.
    Who is not registered yet gets the id in his place among ``drafts``, or a new one without them.
    """

    wanted: Sequence[Identified]
    division_code: str
    on: date
    household_id: UUID | None = None
    path: str = "members"
    hashes: tuple[bytes | None, ...] = ()
    drafts: tuple[UUID, ...] = ()
    person_ids: tuple[UUID, ...] = ()
    faults: list[Fault] = field(default_factory=list)
    elsewhere: list[Elsewhere] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Known:
    person_id: UUID
    name: str
    division_code: str
    household_id: UUID | None
    free_from: date


async def claim(session: AsyncSession, caller: Caller, claims: Sequence[Claim]) -> None:
    """Fill in every claim: ids, or faults and no person written for it.

    Of two claims in one call on the same person the first has it. The rows of the persons stay
    locked until the end, so two transactions cannot both take one person. Raises Conflict in the
    unheard-of case that others register the same people at the same moment again and again.
    """
    for each in claims:
        each.hashes = tuple(
            sealed.hash_id_number(person.number) if person.number else None
            for person in each.wanted
        )
    for _ in range(_MOST_RACES):
        hashes = _hashes(claims)  # none of newborns: nobody can be known or faster
        # Everywhere first: whoever the caller does not see afterwards stands elsewhere.
        anywhere = await find_elsewhere(session, hashes) if hashes else {}
        known = await _known(session, caller, claims) if hashes else {}
        _judge(claims, known, {each: anywhere[each] for each in anywhere.keys() - known.keys()})
        if await _register(session, claims, known):
            await open_transfers(
                session, caller, [person for each in claims for person in each.elsewhere]
            )
            return
    raise Conflict("person_race", "others register the same people right now; try again")


def _hashes(claims: Sequence[Claim]) -> set[bytes]:
    return {each for one in claims for each in one.hashes if each}


async def _known(
    session: AsyncSession, caller: Caller, claims: Sequence[Claim]
) -> dict[bytes, _Known]:
    rows = await session.execute(
        select(Person.id_number_hash, Person.person_id, Person.name, Person.division_code)
        .where(Person.id_number_hash.in_(_hashes(claims)))
        .where(in_divisions(Person.division_code, caller.divisions))
        .order_by(Person.id_number_hash)
        .with_for_update()
    )
    found = {row.id_number_hash: row for row in rows if row.id_number_hash}
    people = [row.person_id for row in found.values()]
    standing, left = await _standing(session, people), await _left(session, people)
    return {
        each: _Known(
            person_id=row.person_id,
            name=row.name,
            division_code=row.division_code,
            household_id=standing.get(row.person_id),
            free_from=left.get(row.person_id, date.min),
        )
        for each, row in found.items()
    }


async def _standing(session: AsyncSession, people: Sequence[UUID]) -> dict[UUID, UUID]:
    places = await session.execute(
        select(Member.person_id, Member.household_id)
        .where(among(Member.person_id, people))
        .where(Member.left_on.is_(None))
    )
    return {place.person_id: place.household_id for place in places}


async def _left(session: AsyncSession, people: Sequence[UUID]) -> dict[UUID, date]:
    """From when these people are free, wherever they stood before: in any county."""
    if not people:
        return {}
    rows = await session.execute(
        text("SELECT person_id, free_from FROM free_from(CAST(:people AS uuid[]))"),
        {"people": list(people)},
    )
    return {row.person_id: row.free_from for row in rows}


async def find_elsewhere(session: AsyncSession, hashes: Iterable[bytes]) -> dict[bytes, Elsewhere]:
    """Who of these is registered anywhere: person id and county, all that may be known."""
    rows = await session.execute(
        text("SELECT hash, person_id, county FROM find_person(CAST(:hashes AS bytea[]))"),
        {"hashes": list(hashes)},
    )
    return {bytes(row.hash): Elsewhere(person_id=row.person_id, county=row.county) for row in rows}


def _judge(
    claims: Sequence[Claim], known: Mapping[bytes, _Known], foreign: Mapping[bytes, Elsewhere]
) -> None:
    taken: set[bytes] = set()
    for each in claims:
        each.faults, each.elsewhere = [], []
        for at, (person, its_hash) in enumerate(zip(each.wanted, each.hashes, strict=True)):
            where = f"#/{each.path}/{at}/id_number"
            if its_hash is None:
                continue
            if its_hash in foreign:
                each.elsewhere.append(replace(foreign[its_hash], wanted_in=each.division_code))
                each.faults.append(_elsewhere(where, foreign[its_hash].county))
            elif its_hash in taken:
                each.faults.append(_in_other_household(where))
            elif its_hash in known:
                each.faults += _not_free(where, person, known[its_hash], each)
        if not each.faults:
            taken.update(filter(None, each.hashes))


def _not_free(where: str, person: Identified, known: _Known, claim: Claim) -> list[Fault]:
    """Nobody counts in two households on one day, for then both would be paid for him."""
    if known.household_id is not None and known.household_id == claim.household_id:
        return [Fault(where, "member_already_there", "该成员已在本户")]
    if known.household_id is not None:
        return [_in_other_household(where)]
    if known.name != person.entry.name.strip():
        return [Fault(where, "name_differs", "该身份证号码登记的姓名与所填姓名不一致")]
    if claim.on < known.free_from:
        message = f"该人员{known.free_from}前在另一户中,不能早于该日期加入"
        return [Fault(where, "person_in_other_household", message)]
    return []


def _in_other_household(where: str) -> Fault:
    return Fault(where, "person_in_other_household", "该人员已在另一户中")


def _elsewhere(where: str, county: str) -> Fault:
    return Fault(where, "person_registered_elsewhere", f"该人员已在{county}登记,已发起转移任务")


async def _register(
    session: AsyncSession, claims: Sequence[Claim], known: Mapping[bytes, _Known]
) -> bool:
    """Give every accepted claim its person ids. False when somebody was faster with one of them."""
    rows: list[dict[str, Any]] = []
    moved: list[dict[str, Any]] = []
    now = clock.now()
    for each in claims:
        if each.faults:
            continue
        ids = []
        drafts = each.drafts or [identity.new_id() for _ in each.wanted]
        for person, its_hash, draft in zip(each.wanted, each.hashes, drafts, strict=True):
            found = known.get(its_hash) if its_hash else None
            ids.append(found.person_id if found else draft)
            if found is None:
                rows.append(_row(ids[-1], each.division_code, person, its_hash, now))
            elif found.division_code != each.division_code:
                moved.append({"of_person": ids[-1], "code": each.division_code})
        each.person_ids = tuple(ids)
    return await _insert(session, rows) and await _move(session, moved)


async def _insert(session: AsyncSession, rows: list[dict[str, Any]]) -> bool:
    if not rows:
        return True
    # One order for everybody, or two imports of the same people could wait for each other.
    rows.sort(key=lambda row: row["id_number_hash"] or b"")
    columns = [[row[name] for row in rows] for name in _PERSON]
    driver = driver_of(session)
    if all(row["id_number_hash"] is None for row in rows):
        await driver.execute(_INSERT, *columns)
        return True
    with suppress(_OvertakenError):
        async with savepoint(session):
            _all_written(await driver.execute(_INSERT, *columns), len(rows))
            return True
    return False


def _all_written(status: str, wanted: int) -> None:
    """Undo what was written (by the savepoint around) when others were faster with a part of it."""
    if status != f"INSERT 0 {wanted}":
        raise _OvertakenError


class _OvertakenError(Exception):
    """Somebody registered one of these people since we looked."""


_PERSON = {
    "person_id": "uuid",
    "division_code": "text",
    "id_number_encrypted": "bytea",
    "id_number_hash": "bytea",
    "name": "text",
    "sex": "text",
    "birth_date": "date",
    "phone_encrypted": "bytea",
    "phone_hash": "bytea",
    "recorded_at": "timestamptz",
}
_ARRAYS = ", ".join(f"${at}::{kind}[]" for at, kind in enumerate(_PERSON.values(), start=1))
_INSERT = f"""
    INSERT INTO persons ({", ".join(_PERSON)}) SELECT * FROM unnest({_ARRAYS})
    ON CONFLICT (id_number_hash) DO NOTHING
"""  # noqa: S608 (own names)


def _row(
    person_id: UUID, division_code: str, person: Identified, its_hash: bytes | None, now: datetime
) -> dict[str, Any]:
    return {
        "person_id": person_id,
        "division_code": division_code,
        "id_number_encrypted": sealed.seal_id_number(person.number) if person.number else None,
        "id_number_hash": its_hash,
        "name": person.entry.name.strip(),
        "sex": person.sex.value,
        "birth_date": person.birth_date,
        "phone_encrypted": sealed.seal_phone(person.entry.phone),
        "phone_hash": sealed.hash_phone(person.entry.phone),
        "recorded_at": now,
    }


async def _move(session: AsyncSession, moved: list[dict[str, Any]]) -> bool:
    if moved:
        await session.execute(
            update(Person.__table__)  # type: ignore[arg-type] # a mapped class has a Table
            .where(Person.person_id == bindparam("of_person"))
            .values(division_code=bindparam("code")),
            moved,
        )
    return True


async def open_transfers(
    session: AsyncSession, caller: Caller, elsewhere: Iterable[Elsewhere]
) -> None:
    """A transfer task for every person who stands elsewhere, once for a village that asks.

    It is all that a refused household writes. A set of households commits it with the others; a
    refused request is rolled back, so its tasks are written afterwards (``refusals``).
    """
    rows = [
        {
            "task_id": identity.new_id(),
            "person_id": person.person_id,
            "from_county": person.county,
            "division_code": person.wanted_in,
            "opened_by": caller.officer_id or caller.sub,
            "opened_at": clock.now(),
        }
        # One order for everybody, or two who want the same people could wait for each other.
        for person in sorted(elsewhere, key=lambda person: person.person_id)
    ]
    if rows:
        await session.execute(upsert(TransferTask).on_conflict_do_nothing(), rows)
