"""The roster of a division as the registry knows it, in the county's template.

Households on assistance, page after page in transactions of their own, because a stream outlives
its request. Read back unmasked it changes nothing; tags, willingness to work and the like have no
column in the template and stay as they are.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.households import finding, queries, sealed
from services.registry.households.facts import Facts
from services.registry.households.queries import Household, PersonalData
from services.registry.rosters.columns import (
    CATEGORIES,
    CAUSES,
    DISABILITY_KINDS,
    EDUCATION,
    GRADES,
    HEALTH,
    HOUSE_GRADES,
    INSURED,
    LABOR,
    RELATIONS,
    SCHOOL,
    SEXES,
    WORK,
    word_of,
)
from services.registry.rosters.packing import Value
from services.registry.rosters.template import Written
from shared.contracts.registry import Disability, Member
from shared.db import Database
from shared.divisions import Directory

PAGE = 200


async def pages(
    database: Database,
    division: str,
    names: Directory,
    *,
    divisions: Sequence[str],
    plain: bool,
) -> AsyncIterator[list[Written]]:
    """The households of ``division`` on assistance, as cells; personal data masked unless plain."""
    after: UUID | None = None
    serial = 0
    while True:
        async with database.transaction(divisions=divisions) as session:
            listed = await finding.list_households(
                session,
                finding.Filter(division=division),
                divisions=divisions,
                after=after,
                limit=PAGE,
            )
            records, persons = await _page(
                session, [row["household_id"] for row in listed], divisions
            )
        if not listed:
            return
        after = listed[-1]["household_id"]
        written = []
        for row in listed:
            record = records.get(row["household_id"])
            if record and record.facts.state.on_assistance:
                serial += 1
                written.append(_written(serial, record, persons, names, plain=plain))
        yield written


async def _page(
    session: AsyncSession, household_ids: Sequence[UUID], divisions: Sequence[str]
) -> tuple[dict[UUID, Household], dict[UUID, PersonalData]]:
    records = await queries.load_households(session, household_ids, divisions=divisions)
    ids = [member.person_id for one in records.values() for member in one.facts.members]
    return records, await queries.load_persons(session, ids, divisions=divisions)


def _written(
    serial: int,
    record: Household,
    persons: Mapping[UUID, PersonalData],
    names: Directory,
    *,
    plain: bool,
) -> Written:
    facts = record.facts
    shown = [(member, persons.get(member.person_id)) for member in facts.members]
    head = persons.get(facts.head_person_id)
    own = _of_household(facts, names) | {
        "serial": serial,
        "head_name": sealed.show_name(head.name, plain=plain) if head else None,
        "phone": sealed.show_phone(record.phone_encrypted, plain=plain),
        "account": sealed.show_account(record.account_encrypted, plain=plain),
    }
    return Written(own, [_of_member(member, who, plain=plain) for member, who in shown])


def _of_household(facts: Facts, names: Directory) -> dict[str, Value]:
    village = names.get(facts.division_code)
    township = names.get(facts.division_code[:9])
    return {
        "township": township.name if township else None,
        "village": village.name if village else None,
        "count": len(facts.members),
        "category": word_of(CATEGORIES, facts.category),
        "causes": "、".join(word_of(CAUSES, cause) for cause in facts.causes),
        "wage": facts.incomes.wage,
        "business": facts.incomes.business,
        "property": facts.incomes.property,
        "transfer": facts.incomes.transfer,
        "medical": facts.rigid_expenses.medical,
        "schooling": facts.rigid_expenses.education,
        "rehabilitation": facts.rigid_expenses.disability,
        "other": facts.rigid_expenses.other,
        "financial": facts.assets.financial,
        "vehicles": facts.assets.vehicles,
        "house_grade": word_of(HOUSE_GRADES, facts.house_grade),
    }


def _of_member(member: Member, who: PersonalData | None, *, plain: bool) -> dict[str, Value]:
    return {
        "name": sealed.show_name(who.name, plain=plain) if who else None,
        "relation": word_of(RELATIONS, member.relation),
        "id_number": sealed.show_id_number(who.id_number_encrypted, plain=plain) if who else None,
        "sex": word_of(SEXES, member.sex),
        "health": word_of(HEALTH, member.health),
        "disability": _card(member.disability),
        "labor_ability": word_of(LABOR, member.labor_ability),
        "education": word_of(EDUCATION, member.education),
        "school_stage": word_of(SCHOOL, member.school_stage),
        "work": word_of(WORK, member.work),
        "insured": word_of(INSURED, member.insured),
    }


def _card(disability: Disability | None) -> str:
    if disability is None:
        return ""
    return f"{word_of(DISABILITY_KINDS, disability.kind)}{word_of(GRADES, disability.grade)}级"
