"""Integrity records of a household, and those that stand of given people anywhere."""

from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import RowMapping, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.integrity.models import IntegrityRecord
from services.registry.integrity.rules import Signatures
from shared.db import in_divisions


async def one(
    session: AsyncSession, record_id: UUID, *, divisions: Sequence[str], hold: bool = False
) -> RowMapping | None:
    """One record; with ``hold`` nobody else changes it before this transaction ends."""
    query = (
        select(IntegrityRecord.__table__)
        .where(IntegrityRecord.record_id == record_id)
        .where(in_divisions(IntegrityRecord.division_code, divisions))
    )
    rows = await session.execute(query.with_for_update() if hold else query)
    return rows.mappings().one_or_none()


async def of_household(
    session: AsyncSession, household_id: UUID, *, divisions: Sequence[str]
) -> Sequence[RowMapping]:
    """The records found at a household, the first entered first."""
    rows = await session.execute(
        select(IntegrityRecord.__table__)
        .where(IntegrityRecord.household_id == household_id)
        .where(in_divisions(IntegrityRecord.division_code, divisions))
        .order_by(IntegrityRecord.record_id)
    )
    return rows.mappings().all()


async def standing(
    session: AsyncSession, subjects: Mapping[UUID, bytes | None], on: date
) -> Sequence[RowMapping]:
    """The records that stand of these people on a day, wherever they were found.

    ``subjects``: the hash of each one's ID number by his id. Of a place that the caller does not
    see it tells the kind, the document and the days. Whoever asks audits it.
    """
    rows = await session.execute(
        _STANDING, {"ids": list(subjects), "hashes": list(subjects.values()), "day": on}
    )
    return rows.mappings().all()


def signatures_of(row: RowMapping) -> Signatures:
    """A stored record's signatures."""
    return Signatures(**{name: row[name] for name in _SIGNED})


_SIGNED = ("entered_by", "confirmed_by", "withdrawn_by", "lift_entered_by", "lifted_by")
_STANDING = text(
    "SELECT * FROM standing_records(CAST(:ids AS uuid[]), CAST(:hashes AS bytea[]), :day)"
)
