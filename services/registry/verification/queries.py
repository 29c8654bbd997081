"""Verifications, their questions, doubts and reports, in the caller's divisions."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import RowMapping, exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.households.facts import Facts
from services.registry.households.models import Person
from services.registry.verification.consent import Consent
from services.registry.verification.latest import DoubtState, LatestReport
from services.registry.verification.models import (
    Authorization,
    Doubt,
    Item,
    Obligor,
    Report,
    Verification,
)
from services.registry.verification.sources import (
    RETURNED,
    Conclusion,
    ItemState,
    Kind,
    Outcome,
    Source,
)
from services.registry.verification.thresholds import (
    DOUBT_WORKING_DAYS,
    KEYS,
    REPORT_MONTHS,
    Thresholds,
)
from shared import parameters
from shared.db import among, in_divisions
from shared.errors import Fault


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


async def hold_authorization(
    session: AsyncSession, household_id: UUID, authorization_id: UUID, *, divisions: Sequence[str]
) -> RowMapping | None:
    """One authorisation of the household, locked: nobody sends by it until the end."""
    rows = await session.execute(
        select(Authorization.__table__)
        .where(Authorization.authorization_id == authorization_id)
        .where(Authorization.household_id == household_id)
        .where(in_divisions(Authorization.division_code, divisions))
        .with_for_update()
    )
    return rows.mappings().one_or_none()


async def consents_of(
    session: AsyncSession, household_id: UUID, *, divisions: Sequence[str]
) -> list[Consent]:
    """The authorisations of one household as rules look at them, each person's newest first."""
    rows = await authorizations_of(session, household_id, divisions=divisions)
    return [
        Consent(
            **{name: row[name] for name in _CONSENT},
            sources=frozenset(Source(each) for each in row["sources"]),
        )
        for row in rows
    ]


_CONSENT = ("authorization_id", "subject_id", "valid_from", "valid_to", "revoked_on")


async def member_hashes(session: AsyncSession, facts: Facts) -> set[bytes]:
    """The look-up hashes of the members' ID numbers."""
    people = [member.person_id for member in facts.members]
    return {each for each in (await hashes_of(session, people)).values() if each}


async def hashes_of(session: AsyncSession, person_ids: Sequence[UUID]) -> dict[UUID, bytes | None]:
    """The look-up hash of each one's ID number; None for whoever has none or is out of reach."""
    rows = await session.execute(
        select(Person.person_id, Person.id_number_hash).where(among(Person.person_id, person_ids))
    )
    return dict.fromkeys(person_ids) | {row.person_id: row.id_number_hash for row in rows}


async def is_running(session: AsyncSession, household_id: UUID) -> bool:
    """Whether a case of this household still waits for a source."""
    waiting = exists().where(
        Item.household_id == Verification.household_id,
        Item.verification_id == Verification.verification_id,
        Item.due_at.is_not(None),
    )
    found = await session.scalar(
        select(Verification.verification_id)
        .where(Verification.household_id == household_id)
        .where(Verification.kind == Kind.CASE.value, waiting)
        .limit(1)
    )
    return found is not None


async def one(
    session: AsyncSession, household_id: UUID, verification_id: UUID, *, divisions: Sequence[str]
) -> RowMapping | None:
    """One verification of the household."""
    rows = await session.execute(
        select(Verification.__table__)
        .where(Verification.household_id == household_id)
        .where(Verification.verification_id == verification_id)
        .where(in_divisions(Verification.division_code, divisions))
    )
    return rows.mappings().one_or_none()


async def list_of(
    session: AsyncSession,
    household_id: UUID,
    *,
    divisions: Sequence[str],
    after: UUID | None,
    limit: int,
) -> Sequence[RowMapping]:
    """The household's verifications by id, the first asked first, after one."""
    query = (
        select(Verification.__table__)
        .where(Verification.household_id == household_id)
        .where(in_divisions(Verification.division_code, divisions))
        .order_by(Verification.verification_id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(Verification.verification_id > after)
    return (await session.execute(query)).mappings().all()


async def hold_unreturned(
    session: AsyncSession, household_id: UUID, verification_id: UUID
) -> Sequence[RowMapping]:
    """The questions that failed or did not come back, locked."""
    rows = await session.execute(
        select(Item.subject_id, Item.source)
        .where(Item.household_id == household_id, Item.verification_id == verification_id)
        .where(Item.state.in_([ItemState.FAILED.value, ItemState.NOT_RETURNED.value]))
        .order_by(Item.subject_id, Item.source)
        .with_for_update()
    )
    return rows.mappings().all()


async def thresholds_on(
    session: AsyncSession, division_code: str, on: date
) -> tuple[Thresholds, list[str]]:
    """What answers are compared with in a division on a day, and the keys it has no figure for."""
    found: dict[str, Decimal] = {}
    for name, key in KEYS.items():
        value = await parameters.value_at(session, key, division_code, on)
        if value is not None:
            found[name] = value.value
    return Thresholds(**found), [key for name, key in KEYS.items() if name not in found]


async def parameter_faults(session: AsyncSession, division_code: str, on: date) -> list[Fault]:
    """One fault for each parameter that a verification needs and the county has not approved."""
    _, absent = await thresholds_on(session, division_code, on)
    for key in (DOUBT_WORKING_DAYS, REPORT_MONTHS):
        if await parameters.value_at(session, key, division_code, on) is None:
            absent.append(key)
    return [
        Fault(key, "parameter_missing", f"缺少已批准的参数{key},不能发起核对") for key in absent
    ]


async def doubt(
    session: AsyncSession, doubt_id: UUID, *, divisions: Sequence[str]
) -> RowMapping | None:
    """One doubt, with the ``revision`` of the file that it was compared with."""
    rows = await session.execute(
        select(Doubt.__table__, Verification.revision)
        .join(Verification, Verification.verification_id == Doubt.verification_id)
        .where(Doubt.doubt_id == doubt_id)
        .where(in_divisions(Doubt.division_code, divisions))
    )
    return rows.mappings().one_or_none()


async def report(
    session: AsyncSession, report_id: UUID, *, divisions: Sequence[str]
) -> RowMapping | None:
    """One report with what its verification was asked for."""
    rows = await session.execute(
        select(
            Report.__table__,
            Verification.aid_type,
            Verification.purpose,
            Verification.window_from,
            Verification.window_to,
        )
        .join(Verification, Verification.verification_id == Report.verification_id)
        .where(Report.report_id == report_id)
        .where(in_divisions(Report.division_code, divisions))
    )
    return rows.mappings().one_or_none()


async def reports_of(
    session: AsyncSession, household_id: UUID, *, divisions: Sequence[str]
) -> Sequence[RowMapping]:
    """The reports of one household, the newest first."""
    rows = await session.execute(
        select(Report.__table__, Verification.aid_type)
        .join(Verification, Verification.verification_id == Report.verification_id)
        .where(Report.household_id == household_id)
        .where(in_divisions(Report.division_code, divisions))
        .order_by(Report.made_at.desc(), Report.report_id.desc())
    )
    return rows.mappings().all()
