"""The guarantees a service answers for (C8): met or not, household by household, and published.

Every service states its own kinds here and nowhere else. What is said again unchanged writes
nothing and publishes nothing; what changed rises by one version and leaves in the same transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from asyncpg import Record
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.ext.asyncio import AsyncSession

from shared import clock, events, identity
from shared.contracts.assistance import AssistanceEvent, Guarantee, GuaranteeKind
from shared.contracts.topics import Topic
from shared.db import NAMING, driver_of

metadata = MetaData(naming_convention=NAMING)

guarantees_given = Table(
    "guarantees_given",
    metadata,
    Column("guarantee_id", Uuid, primary_key=True),
    Column("household_id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("division_code", Text(collation="C"), nullable=False, index=True),
    Column("met", Boolean, nullable=False),
    Column("evidence_id", Text, nullable=False),
    Column("since", Date, nullable=False),
    Column("version", BigInteger, nullable=False),
    UniqueConstraint("household_id", "kind"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What holds for one household now. ``evidence_id`` says by code or id what it rests on."""

    household_id: UUID
    division_code: str
    met: bool
    evidence_id: str


async def give(
    session: AsyncSession, topic: Topic, kind: GuaranteeKind, verdicts: Sequence[Verdict]
) -> int:
    """State ``kind`` for these households, one verdict each; returns how many were news.

    ``since`` is the day on which ``met`` last changed. A household that moved takes its rows along
    without a word. Rows are locked in the order of household ids.
    """
    if not verdicts:
        return 0
    driver = driver_of(session)
    households = [each.household_id for each in verdicts]
    divisions = [each.division_code for each in verdicts]
    await driver.execute(_FOLLOW, households, divisions, kind.value)
    news = await driver.fetch(
        _GIVE,
        [identity.new_id() for _ in verdicts],
        households,
        divisions,
        [each.met for each in verdicts],
        [each.evidence_id for each in verdicts],
        kind.value,
        clock.today(),
    )
    await events.publish(session, [_changed(topic, row) for row in news])
    return len(news)


def _changed(topic: Topic, row: Record) -> events.NewEvent:
    return events.NewEvent(
        topic=topic,
        type=AssistanceEvent.GUARANTEE_CHANGED,
        subject=row["guarantee_id"],
        version=row["version"],
        effective_from=row["since"],
        payload=Guarantee(
            guarantee_id=row["guarantee_id"],
            household_id=row["household_id"],
            kind=row["kind"],
            met=row["met"],
            evidence_id=row["evidence_id"],
            since=row["since"],
        ),
    )


_FOLLOW = """
    UPDATE guarantees_given AS stored SET division_code = moved.division_code
    FROM unnest($1::uuid[], $2::text[]) AS moved(household_id, division_code)
    WHERE stored.household_id = moved.household_id AND stored.kind = $3
        AND stored.division_code <> moved.division_code
"""

_GIVE = """
    INSERT INTO guarantees_given AS stored (
        guarantee_id, household_id, kind, division_code, met, evidence_id, since, version)
    SELECT guarantee_id, household_id, $6, division_code, met, evidence_id, $7::date, 1
    FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::boolean[], $5::text[])
        AS given(guarantee_id, household_id, division_code, met, evidence_id)
    ORDER BY household_id
    ON CONFLICT (household_id, kind) DO UPDATE SET
        met = excluded.met, evidence_id = excluded.evidence_id, version = stored.version + 1,
        since = CASE WHEN stored.met = excluded.met THEN stored.since ELSE excluded.since END
        WHERE (stored.met, stored.evidence_id)
            IS DISTINCT FROM (excluded.met, excluded.evidence_id)
    RETURNING guarantee_id, household_id, kind, met, evidence_id, since, version
"""
