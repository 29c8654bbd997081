"""A county's registry full of identified households, filed by the registry's own actions.

Some are filed one by one by the actions; the rest are copies of those under new ids and numbers, so
that a hundred thousand lie there in seconds. What is copied is the same rows that the actions
write: persons, households, members, episodes, decisions, archive.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import count
from uuid import UUID

import asyncpg
from sqlalchemy import text

from deploy.local.layout import SAMPLE
from deploy.local.provision import ServiceDatabase
from services.registry.households import actions
from services.registry.households.facts import HouseholdEntry, MemberEntry, Result
from shared import divisions
from shared.auth import Caller
from shared.contracts.registry import Category, Health, Incomes, Relation, SchoolStage
from shared.db import Database
from tests.support.builders import id_number

COUNTY = "331124"
OFFICER = Caller(sub="bench", officer_id="bench", divisions=(COUNTY,))
DECIDED_ON = date(2026, 1, 5)
_FILED = 1_000
_CHUNK = 250
_people = count(1)


@dataclass(frozen=True, kw_only=True)
class County:
    """A filled registry: where it is, and the ids of its households in no telling order."""

    database: ServiceDatabase
    household_ids: tuple[UUID, ...]


async def fill(database: ServiceDatabase, households: int) -> County:
    """File so many identified households, of 2.2 people each, all in one county."""
    filed = min(households, _FILED)
    worker = Database(database.worker_url, application_name="bench")
    try:
        async with worker.transaction() as session:
            await divisions.load_csv(session, SAMPLE / "divisions.csv")
            found = await session.execute(_VILLAGES, {"county": COUNTY})
            villages = [row.code for row in found]
        for start in range(0, filed, _CHUNK):
            entries = [
                _entry(number, villages[number % len(villages)])
                for number in range(start, min(start + _CHUNK, filed))
            ]
            async with worker.transaction(divisions=(COUNTY,)) as session:
                outcomes = await actions.admit_households(
                    session, OFFICER, entries, origin="roster", decided_on=DECIDED_ON
                )
            if any(each.result is not Result.ADMITTED for each in outcomes):
                raise RuntimeError(f"a household of the benchmark was refused: {outcomes}")
    finally:
        await worker.close()
    return await _copied(database, copies=households // filed - 1)


_VILLAGES = text(
    "SELECT code FROM divisions WHERE level = 'village' AND left(code, 6) = :county ORDER BY code"
)


def _entry(number: int, village: str) -> HouseholdEntry:
    """One to three people: a head, a spouse, a child at school."""
    kin = (Relation.HEAD, Relation.SPOUSE, Relation.DAUGHTER)[: (1, 2, 3, 2, 3, 2)[number % 6]]
    return HouseholdEntry(
        division_code=village,
        category=(Category.DIBAO, Category.TEKUN, Category.DIBAO_MARGINAL)[number % 3],
        incomes=Incomes(wage=Decimal(3000 + number % 4000), business=Decimal("812.50")),
        members=tuple(_member(relation, number) for relation in kin),
        phone=f"138{number:08d}",
        account=f"62284800{number:08d}",
    )


def _member(relation: Relation, number: int) -> MemberEntry:
    serial = next(_people)
    child = relation is Relation.DAUGHTER
    year = 2010 + serial % 8 if child else 1940 + serial % 50
    born = date(year, serial // 50 % 12 + 1, serial // 600 % 28 + 1)
    return MemberEntry(
        name=f"{'张李王赵'[number % 4]}{'建国小红'[serial % 4]}{'芳明'[serial % 2]}",
        id_number=id_number(born=born, order=serial % 900 + 1),
        relation=relation,
        health=Health.HEALTHY,
        insured=True,
        school_stage=SchoolStage.PRIMARY if child else SchoolStage.NOT_AT_SCHOOL,
    )


async def _copied(database: ServiceDatabase, *, copies: int) -> County:
    connection = await asyncpg.connect(database.worker_url)
    try:
        if copies:
            async with connection.transaction():
                for order in _COPIES:
                    await connection.execute(order.replace(":copies", str(copies)))
        rows = await connection.fetch(
            "SELECT household_id FROM households ORDER BY md5(household_no)"
        )
    finally:
        await connection.close()
    owner = await asyncpg.connect(database.owner_url)
    try:
        await owner.execute("VACUUM ANALYZE")
    finally:
        await owner.close()
    return County(database=database, household_ids=tuple(UUID(str(row[0])) for row in rows))


def _again(column: str, kind: str) -> str:
    """An id, or a document of ids, for a copy: version 7 becomes version 8 with the copy's number.

    So no copy can meet an original, and all that points to one another still does.
    """
    marked = "'-8' || lpad(to_hex(copy), 3, '0') || '-'"
    return f"regexp_replace({column}::text, '-7[0-9a-f]{{3}}-', {marked}, 'g')::{kind}"


def _copy(table: str, key: str, changed: dict[str, str], same: str) -> str:
    """The statement that copies a whole table; ``changed`` are expressions, ``same`` the rest."""
    names = ", ".join([*changed, *same.split()])
    values = ", ".join([*changed.values(), *same.split()])
    return (
        f"INSERT INTO {table} ({names}) "  # noqa: S608 - the constant names below
        f"SELECT {values} FROM {table}, generate_series(1, :copies) AS copy ORDER BY copy, {key}"
    )


_HOUSEHOLD = {"household_id": _again("household_id", "uuid")}
_PERSON = {"person_id": _again("person_id", "uuid")}
_FACTS = {"facts": _again("facts", "jsonb")}
_NUMBER = {
    "household_no": "household_no || lpad(copy::text, 3, '0')",
    "head_person_id": _again("head_person_id", "uuid"),
}
_HASH = {"id_number_hash": "sha256(id_number_hash || copy::text::bytea)"}
_NAME = {"name": "name || chr(20000 + copy)"}
"""Hundreds with one name and birth date would make every look for doubles a long one."""
_COPIES = (
    _copy(
        "persons",
        "person_id",
        _PERSON | _HASH | _NAME,
        "division_code id_number_encrypted sex birth_date phone_encrypted recorded_at",
    ),
    _copy(
        "households",
        "household_id",
        _HOUSEHOLD | _NUMBER,
        "division_code state category tags causes rule_set keep_policy_until house_grade "
        "income_wage income_business income_property income_transfer rigid_medical "
        "rigid_education rigid_disability rigid_other assets_financial vehicles n episode "
        "effective_from origin opened_on version revision phone_encrypted account_encrypted "
        "recorded_at",
    ),
    _copy(
        "members",
        "household_id",
        _HOUSEHOLD | _PERSON,
        "division_code relation health disability_kind disability_grade labor_ability "
        "willing_to_work education school_stage work insured left_behind counted left_on "
        "left_reason",
    ),
    _copy(
        "episodes",
        "household_id",
        _HOUSEHOLD,
        "number division_code origin identified_on lifted_on exited_on decided_by missing_evidence",
    ),
    _copy(
        "household_versions",
        "household_id",
        _HOUSEHOLD | _FACTS,
        "valid_from revision division_code version recorded_at",
    ),
    _copy(
        "decisions",
        "household_id",
        {"decision_id": _again("decision_id", "uuid")} | _HOUSEHOLD | _FACTS,
        "division_code episode kind decided_on officer_id reason rule_set category checks "
        "parameters revision recorded_at",
    ),
)
