"""Verifications, their questions, doubts and reports, in the caller's divisions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import RowMapping, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.verification.models import (
    Authorization,
    Doubt,
    Item,
    Obligor,
    Report,
    Verification,
)
from services.registry.verification.sources import RETURNED, Conclusion, Outcome, Source
from shared.db import in_divisions


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubtState:
    """One doubt of a verification; ``outcome`` is None while it is open."""

    doubt_id: UUID
    subject_id: UUID
    source: Source
    kind: str
    outcome: Outcome | None
    due_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LatestReport:
    """The newest report of a household, with its doubts and missing sources as they stand now.

    ``conclusion`` is what the report said when it was made. ``stopped``: a death mark ended the
    verification. Valid on ``made_on`` up to and with ``valid_until``.
    """

    report_id: UUID
    report_number: str
    verification_id: UUID
    aid_type: str
    made_on: date
    valid_until: date
    conclusion: Conclusion
    doubts: tuple[DoubtState, ...]
    missing_sources: tuple[Source, ...]
    stopped: bool

    @property
    def open_doubts(self) -> tuple[DoubtState, ...]:
        """Those that nobody has settled yet."""
        return tuple(doubt for doubt in self.doubts if doubt.outcome is None)

    @property
    def confirmed_doubts(self) -> tuple[DoubtState, ...]:
        """Those that hold, as a township found."""
        return tuple(doubt for doubt in self.doubts if doubt.outcome is Outcome.CONFIRMED)


async def latest_report(
    session: AsyncSession,
    household_id: UUID,
    *,
    divisions: Sequence[str],
    on: date | None = None,
) -> LatestReport | None:
    """The household's newest report; with ``on`` the newest one that is valid on that day.

    None without one, or for a household outside ``divisions``.
    """
    query = (
        select(Report.__table__, Verification.aid_type, Verification.stopped_on)
        .join(Verification, Verification.verification_id == Report.verification_id)
        .where(Report.household_id == household_id)
        .where(in_divisions(Report.division_code, divisions))
        .order_by(Report.made_at.desc(), Report.report_id.desc())
        .limit(1)
    )
    if on is not None:
        query = query.where(Report.made_on <= on, Report.valid_until >= on)
    row = (await session.execute(query)).mappings().one_or_none()
    if row is None:
        return None
    doubts = await doubts_of(session, row["verification_id"], divisions=divisions)
    items = await items_of(session, household_id, row["verification_id"], divisions=divisions)
    return LatestReport(
        **{name: row[name] for name in _REPORTED},
        conclusion=Conclusion(row["conclusion"]),
        doubts=tuple(_state(doubt) for doubt in doubts),
        missing_sources=missing(items),
        stopped=row["stopped_on"] is not None,
    )


_REPORTED = (
    "report_id",
    "report_number",
    "verification_id",
    "aid_type",
    "made_on",
    "valid_until",
)


def missing(items: Sequence[RowMapping]) -> tuple[Source, ...]:
    """The sources that have not said what they know of somebody, in their order."""
    absent = {item["source"] for item in items if item["state"] not in RETURNED}
    return tuple(source for source in Source if source in absent)


def _state(doubt: RowMapping) -> DoubtState:
    return DoubtState(
        doubt_id=doubt["doubt_id"],
        subject_id=doubt["subject_id"],
        source=Source(doubt["source"]),
        kind=doubt["kind"],
        outcome=Outcome(doubt["outcome"]) if doubt["outcome"] else None,
        due_on=doubt["due_on"],
    )


async def doubts_of(
    session: AsyncSession, verification_id: UUID, *, divisions: Sequence[str]
) -> Sequence[RowMapping]:
    """The doubts of one verification in the order in which they were raised."""
    rows = await session.execute(
        select(Doubt.__table__)
        .where(Doubt.verification_id == verification_id)
        .where(in_divisions(Doubt.division_code, divisions))
        .order_by(Doubt.doubt_id)
    )
    return rows.mappings().all()


async def items_of(
    session: AsyncSession, household_id: UUID, verification_id: UUID, *, divisions: Sequence[str]
) -> Sequence[RowMapping]:
    """The questions of one verification by person and source."""
    rows = await session.execute(
        select(Item.__table__)
        .where(Item.household_id == household_id, Item.verification_id == verification_id)
        .where(in_divisions(Item.division_code, divisions))
        .order_by(Item.subject_id, Item.source)
    )
    return rows.mappings().all()


async def authorizations_of(
    session: AsyncSession, household_id: UUID, *, divisions: Sequence[str]
) -> Sequence[RowMapping]:
    """The authorisations of one household, each person's newest first."""
    rows = await session.execute(
        select(Authorization.__table__)
        .where(Authorization.household_id == household_id)
        .where(in_divisions(Authorization.division_code, divisions))
        .order_by(Authorization.subject_id, Authorization.version.desc())
    )
    return rows.mappings().all()


async def obligors_of(
    session: AsyncSession, household_id: UUID, *, divisions: Sequence[str]
) -> Sequence[RowMapping]:
    """The obligors of one household, those whose duty ended included."""
    rows = await session.execute(
        select(Obligor.__table__)
        .where(Obligor.household_id == household_id)
        .where(in_divisions(Obligor.division_code, divisions))
        .order_by(Obligor.obligor_id)
    )
    return rows.mappings().all()
