"""Every listener's copy of the registry's households: one mechanism, shared.

A service reads households and members from its own database and adds only its reaction. A copy
is the registry's newest published state; nobody but ``apply`` writes it.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Date,
    DateTime,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
    Uuid,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from shared import clock
from shared.contracts.envelope import Envelope
from shared.contracts.registry import HouseholdState
from shared.db import NAMING, among, driver_of

metadata = MetaData(naming_convention=NAMING)

household_copy = Table(
    "household_copy",
    metadata,
    Column("household_id", Uuid, primary_key=True),
    Column("division_code", Text(collation="C"), nullable=False, index=True),
    Column("state", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("tags", ARRAY(Text), nullable=False),
    Column("causes", ARRAY(Text), nullable=False),
    Column("rule_set", Text, nullable=False),
    Column("n", Integer, nullable=False),
    Column("effective_from", Date, nullable=False),
    Column("keep_policy_until", Date),
    Column("head_person_id", Uuid, nullable=False),
    Column("house_grade", Text),
    Column("incomes", JSONB, nullable=False),
    Column("rigid_expenses", JSONB, nullable=False),
    Column("assets", JSONB, nullable=False),
    Column("episodes", JSONB, nullable=False),
    Column("periods", JSONB, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
)

member_copy = Table(
    "member_copy",
    metadata,
    Column("household_id", Uuid, primary_key=True),
    Column("person_id", Uuid, primary_key=True, index=True),
    Column("position", SmallInteger, nullable=False),
    Column("division_code", Text(collation="C"), nullable=False, index=True),
    Column("relation", Text, nullable=False),
    Column("sex", Text, nullable=False),
    Column("birth_date", Date, nullable=False),
    Column("health", Text),
    Column("disability", JSONB(none_as_null=True)),
    Column("labor_ability", Text),
    Column("willing_to_work", Boolean),
    Column("education", Text),
    Column("school_stage", Text),
    Column("work", Text),
    Column("insured", Boolean),
    Column("left_behind", Boolean),
    Column("counted", Boolean, nullable=False),
)


async def apply(session: AsyncSession, envelopes: Sequence[Envelope]) -> list[HouseholdState]:
    """Take newer states into the copy and give back those that were newer, in their order.

    Members are replaced whole. The same or an older version changes nothing. One statement, so
    call it as a handler does, behind the guard: a state that another transaction is just writing
    must have been waited for. Raises pydantic's ValidationError for what is no HouseholdState.
    """
    newest: dict[UUID, tuple[int, HouseholdState]] = {}
    for envelope in envelopes:
        state = HouseholdState.model_validate_json(envelope.data)
        known = newest.get(state.household_id)
        if known is None or known[0] < envelope.aggregate_version:
            newest[state.household_id] = (envelope.aggregate_version, state)
    if not newest:
        return []
    rows = await driver_of(session).fetch(
        _TAKE,
        # Written anew from the checked state: what an older writer left out has its default.
        [state.model_dump_json() for _, state in newest.values()],
        [version for version, _ in newest.values()],
        clock.now(),
    )
    taken = {row["household_id"] for row in rows}
    return [state for key, (_, state) in newest.items() if key in taken]


def versions(envelopes: Sequence[Envelope]) -> dict[UUID, int]:
    """The newest version of each household among these events."""
    found: dict[UUID, int] = {}
    for each in envelopes:
        household_id = UUID(each.subject)
        found[household_id] = max(found.get(household_id, 0), each.aggregate_version)
    return found


async def load(session: AsyncSession, household_ids: Sequence[UUID]) -> list[HouseholdState]:
    """The copies of these households as the registry published them, in the order of their ids.

    Unknown ids are left out, and what row-level security hides is unknown.
    """
    found = await rows(session, household_copy.c.household_id.in_(household_ids))
    return [HouseholdState.model_validate(row) for row in found]


async def rows(session: AsyncSession, *conditions: ColumnElement[bool]) -> list[dict[str, Any]]:
    """The copies as they are stored, right or wrong, in the order of their ids.

    Every column of ``household_copy`` and, as ``members``, those of ``member_copy`` in their order.
    """
    found = await session.execute(
        select(household_copy).where(*conditions).order_by(household_copy.c.household_id)
    )
    households = [dict(row) for row in found.mappings()]
    members: dict[UUID, list[dict[str, Any]]] = {row["household_id"]: [] for row in households}
    stored = await session.execute(
        select(member_copy)
        .where(among(member_copy.c.household_id, list(members)))
        .order_by(member_copy.c.household_id, member_copy.c.position)
    )
    for row in stored.mappings():
        members[row["household_id"]].append(dict(row))
    return [{**row, "members": members[row["household_id"]]} for row in households]


# Most versions leave the members as they are: their rows are compared, and not written.
_TAKE = """
    WITH given AS MATERIALIZED (
        SELECT household.*, sent.version
        FROM unnest($1::text[], $2::bigint[]) AS sent(document, version),
            json_to_record(sent.document::json) AS household(
                household_id uuid, division_code text, state text, category text, tags text[],
                causes text[], rule_set text, n integer, effective_from date,
                keep_policy_until date, head_person_id uuid, house_grade text, incomes jsonb,
                rigid_expenses jsonb, assets jsonb, episodes jsonb, periods jsonb, members json)
    ), taken AS (
        INSERT INTO household_copy (
            household_id, division_code, state, category, tags, causes, rule_set, n,
            effective_from, keep_policy_until, head_person_id, house_grade, incomes,
            rigid_expenses, assets, episodes, periods, version, recorded_at)
        SELECT household_id, division_code, state, category, tags, causes, rule_set, n,
            effective_from, keep_policy_until, head_person_id, house_grade, incomes,
            rigid_expenses, assets, episodes, periods, version, $3::timestamptz
        FROM given
        ORDER BY household_id
        ON CONFLICT (household_id) DO UPDATE SET
            division_code = excluded.division_code, state = excluded.state,
            category = excluded.category, tags = excluded.tags, causes = excluded.causes,
            rule_set = excluded.rule_set, n = excluded.n,
            effective_from = excluded.effective_from,
            keep_policy_until = excluded.keep_policy_until,
            head_person_id = excluded.head_person_id, house_grade = excluded.house_grade,
            incomes = excluded.incomes, rigid_expenses = excluded.rigid_expenses,
            assets = excluded.assets, episodes = excluded.episodes, periods = excluded.periods,
            version = excluded.version, recorded_at = excluded.recorded_at
            WHERE household_copy.version < excluded.version
        RETURNING household_id
    ), standing AS MATERIALIZED (
        SELECT given.household_id, given.division_code, member.*
        FROM taken JOIN given USING (household_id),
            ROWS FROM (json_to_recordset(given.members) AS (
                person_id uuid, relation text, sex text, birth_date date, health text,
                disability jsonb, labor_ability text, willing_to_work boolean, education text,
                school_stage text, work text, insured boolean, left_behind boolean,
                counted boolean))
                WITH ORDINALITY AS member(
                    person_id, relation, sex, birth_date, health, disability, labor_ability,
                    willing_to_work, education, school_stage, work, insured, left_behind, counted,
                    position)
    ), kept AS (
        INSERT INTO member_copy AS stored (
            household_id, position, division_code, person_id, relation, sex, birth_date, health,
            disability, labor_ability, willing_to_work, education, school_stage, work, insured,
            left_behind, counted)
        SELECT household_id, position, division_code, person_id, relation, sex, birth_date, health,
            disability, labor_ability, willing_to_work, education, school_stage, work, insured,
            left_behind, counted
        FROM standing
        ORDER BY household_id, person_id
        ON CONFLICT (household_id, person_id) DO UPDATE SET
            position = excluded.position, division_code = excluded.division_code,
            relation = excluded.relation, sex = excluded.sex, birth_date = excluded.birth_date,
            health = excluded.health, disability = excluded.disability,
            labor_ability = excluded.labor_ability, willing_to_work = excluded.willing_to_work,
            education = excluded.education, school_stage = excluded.school_stage,
            work = excluded.work, insured = excluded.insured, left_behind = excluded.left_behind,
            counted = excluded.counted
            WHERE stored IS DISTINCT FROM excluded
    ), forgotten AS (
        DELETE FROM member_copy AS stored USING taken
        WHERE stored.household_id = taken.household_id AND NOT EXISTS (
            SELECT FROM standing
            WHERE standing.household_id = stored.household_id
                AND standing.person_id = stored.person_id)
    )
    SELECT household_id FROM taken
"""
