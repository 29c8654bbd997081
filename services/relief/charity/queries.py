"""What is asked of federations, donations and allocations; the newest earmark change holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, RowMapping, and_, distinct, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from services.relief.charity.accounts import Flows
from services.relief.charity.models import (
    Allocation,
    AllocationLine,
    Donation,
    Donor,
    EarmarkChange,
    Federation,
    Feedback,
    Manager,
)
from services.relief.charity.rules import AllocationState
from shared import household_copy
from shared.db import among, in_divisions
from shared.money import ZERO

HOLDING = (AllocationState.APPROVED, AllocationState.HANDED_OVER)
"""The states in which an allocation holds the yuan of its donations."""
_COUNTS = Donation.corrected_by.is_(None)


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocationFilter:
    """Which allocations are asked for; what is None does not matter."""

    federation_id: UUID | None = None
    household_id: UUID | None = None
    state: AllocationState | None = None


async def federation_by_id(
    session: AsyncSession, federation_id: UUID, divisions: Sequence[str], *, lock: bool = False
) -> RowMapping | None:
    """One federation; with ``lock``, held until the transaction ends."""
    mine = and_(
        Federation.federation_id == federation_id, in_divisions(Federation.division_code, divisions)
    )
    wanted = select(Federation.__table__).where(mine)
    rows = await session.execute(wanted.with_for_update() if lock else wanted)
    return rows.mappings().one_or_none()


async def federations(
    session: AsyncSession, divisions: Sequence[str], *, after: UUID | None, limit: int
) -> Sequence[RowMapping]:
    """Federations by id."""
    conditions = [in_divisions(Federation.division_code, divisions)]
    return await _page(
        session, Federation, Federation.federation_id, conditions, after=after, limit=limit
    )


async def federation_of(session: AsyncSession, division_code: str) -> UUID | None:
    """The federation of exactly this division, if it has one."""
    found = select(Federation.federation_id).where(Federation.division_code == division_code)
    return (await session.scalars(found)).one_or_none()


async def managers_of(
    session: AsyncSession, federation_id: UUID, divisions: Sequence[str]
) -> Sequence[RowMapping]:
    """Everybody who ever ran a federation, by when they began."""
    mine = and_(
        Manager.federation_id == federation_id, in_divisions(Manager.division_code, divisions)
    )
    rows = select(Manager.__table__).where(mine).order_by(Manager.from_on, Manager.manager_id)
    return (await session.execute(rows)).mappings().all()


async def managing_people(session: AsyncSession, federation_id: UUID, on: date) -> set[UUID]:
    """Who runs a federation on a day, as persons, where they are known as such."""
    in_office = and_(
        Manager.federation_id == federation_id,
        Manager.from_on <= on,
        or_(Manager.until_on.is_(None), Manager.until_on >= on),
        Manager.person_id.is_not(None),
    )
    found = await session.scalars(select(Manager.person_id).where(in_office))
    return {each for each in found if each is not None}


async def manager_by_id(
    session: AsyncSession, manager_id: UUID, divisions: Sequence[str]
) -> RowMapping | None:
    """One manager."""
    mine = and_(Manager.manager_id == manager_id, in_divisions(Manager.division_code, divisions))
    return (await session.execute(select(Manager.__table__).where(mine))).mappings().one_or_none()


async def donor_by_id(
    session: AsyncSession, donor_id: UUID, divisions: Sequence[str]
) -> RowMapping | None:
    """One donor, sealed."""
    mine = and_(Donor.donor_id == donor_id, in_divisions(Donor.division_code, divisions))
    return (await session.execute(select(Donor.__table__).where(mine))).mappings().one_or_none()


async def donations(
    session: AsyncSession,
    federation_id: UUID,
    divisions: Sequence[str],
    *,
    after: UUID | None,
    limit: int,
) -> Sequence[RowMapping]:
    """A federation's receipts by id, which ascends with their numbers."""
    conditions = [
        Donation.federation_id == federation_id,
        in_divisions(Donation.division_code, divisions),
    ]
    return await _page(
        session, Donation, Donation.donation_id, conditions, after=after, limit=limit
    )


async def donations_by_id(
    session: AsyncSession,
    donation_ids: Sequence[UUID],
    divisions: Sequence[str],
    *,
    lock: bool = False,
) -> dict[UUID, RowMapping]:
    """Donations, sealed; with ``lock``, held in the order of their ids."""
    mine = and_(
        among(Donation.donation_id, donation_ids), in_divisions(Donation.division_code, divisions)
    )
    wanted = select(Donation.__table__).where(mine).order_by(Donation.donation_id)
    rows = await session.execute(wanted.with_for_update() if lock else wanted)
    return {row["donation_id"]: row for row in rows.mappings()}


async def voucher_taken(session: AsyncSession, federation_id: UUID, voucher_no: str) -> int | None:
    """The number of the receipt that stands for this voucher already."""
    standing = and_(
        Donation.federation_id == federation_id, Donation.voucher_no == voucher_no, _COUNTS
    )
    return (await session.scalars(select(Donation.receipt_no).where(standing))).one_or_none()


async def newest_changes(
    session: AsyncSession, donation_ids: Sequence[UUID]
) -> dict[UUID, RowMapping]:
    """The change that holds now, for each of these donations whose earmark was ever changed."""
    rows = await session.execute(
        select(EarmarkChange.__table__)
        .ext(distinct_on(EarmarkChange.donation_id))
        .where(among(EarmarkChange.donation_id, donation_ids))
        .order_by(EarmarkChange.donation_id, EarmarkChange.change_id.desc())
    )
    return {row["donation_id"]: row for row in rows.mappings()}


async def allocations(
    session: AsyncSession,
    asked: AllocationFilter,
    divisions: Sequence[str],
    *,
    after: UUID | None,
    limit: int,
) -> Sequence[RowMapping]:
    """Allocations by id, which ascends with time."""
    conditions = [in_divisions(Allocation.division_code, divisions)]
    if asked.federation_id is not None:
        conditions.append(Allocation.federation_id == asked.federation_id)
    if asked.household_id is not None:
        conditions.append(Allocation.household_id == asked.household_id)
    if asked.state is not None:
        conditions.append(Allocation.state == asked.state)
    return await _page(
        session, Allocation, Allocation.allocation_id, conditions, after=after, limit=limit
    )


async def allocation_by_id(
    session: AsyncSession, allocation_id: UUID, divisions: Sequence[str], *, lock: bool = False
) -> RowMapping | None:
    """One allocation, sealed; with ``lock``, held until the transaction ends."""
    mine = and_(
        Allocation.allocation_id == allocation_id, in_divisions(Allocation.division_code, divisions)
    )
    wanted = select(Allocation.__table__).where(mine)
    rows = await session.execute(wanted.with_for_update() if lock else wanted)
    return rows.mappings().one_or_none()


async def lines_of(session: AsyncSession, allocation_id: UUID) -> Sequence[RowMapping]:
    """What an allocation takes from which donation; nothing where the donations are not seen."""
    rows = await session.execute(
        select(AllocationLine.__table__)
        .where(AllocationLine.allocation_id == allocation_id)
        .order_by(AllocationLine.donation_id)
    )
    return rows.mappings().all()


async def helped_in(
    session: AsyncSession, household_id: UUID, divisions: Sequence[str], year: int
) -> Sequence[RowMapping]:
    """What charity holds or has handed over for a household's months of a year."""
    mine = and_(
        Allocation.household_id == household_id,
        in_divisions(Allocation.division_code, divisions),
        Allocation.state.in_(HOLDING),
        Allocation.month.between(date(year, 1, 1), date(year, 12, 1)),
    )
    rows = select(Allocation.__table__).where(mine).order_by(Allocation.allocation_id)
    return (await session.execute(rows)).mappings().all()


async def flows(session: AsyncSession, federation_id: UUID, before: date) -> Flows:
    """What came in, was decided and was handed over before a day; corrected receipts left out."""
    received = func.sum(Donation.amount).filter(Donation.received_on < before)
    given = select(received).where(Donation.federation_id == federation_id, _COUNTS)
    of_federation = and_(Allocation.federation_id == federation_id, Allocation.state.in_(HOLDING))
    taken = select(
        func.sum(Allocation.amount).filter(Allocation.decided_on < before).label("allocated"),
        func.sum(Allocation.amount).filter(Allocation.handed_over_on < before).label("handed"),
    ).where(of_federation)
    row = (await session.execute(taken)).one()
    return Flows(
        received=(await session.scalars(given)).one() or ZERO,
        allocated=row.allocated or ZERO,
        handed_over=row.handed or ZERO,
    )


async def use_of(session: AsyncSession, donation_id: UUID) -> Sequence[Any]:
    """What was handed over from a donation: purpose, households, yuan; by purpose."""
    rows = await session.execute(
        select(
            Allocation.purpose,
            func.count(distinct(Allocation.household_id)),
            func.sum(AllocationLine.amount),
        )
        .join(AllocationLine, AllocationLine.allocation_id == Allocation.allocation_id)
        .where(
            AllocationLine.donation_id == donation_id,
            Allocation.state == AllocationState.HANDED_OVER,
        )
        .group_by(Allocation.purpose)
        .order_by(Allocation.purpose)
    )
    return rows.all()


async def feedback_of(session: AsyncSession, donation_id: UUID) -> Sequence[RowMapping]:
    """What the donor was told, the first word first."""
    rows = select(Feedback.__table__).where(Feedback.donation_id == donation_id)
    return (await session.execute(rows.order_by(Feedback.feedback_id))).mappings().all()


async def receipts_of_year(
    session: AsyncSession, federation_id: UUID, year: int, *, after: int, limit: int
) -> Sequence[RowMapping]:
    """The receipts that count of a year, with their donors, by receipt number."""
    rows = await session.execute(
        select(
            Donation.receipt_no,
            Donation.received_on,
            Donation.kind,
            Donation.amount,
            Donation.item,
            Donation.earmark_purpose,
            Donation.donation_id,
            Donor.kind.label("donor_kind"),
            Donor.name_encrypted,
            Donor.name_public,
        )
        .outerjoin(Donor, Donor.donor_id == Donation.donor_id)
        .where(
            Donation.federation_id == federation_id,
            _COUNTS,
            Donation.received_on.between(date(year, 1, 1), date(year, 12, 31)),
            Donation.receipt_no > after,
        )
        .order_by(Donation.receipt_no)
        .limit(limit)
    )
    return rows.mappings().all()


async def household(
    session: AsyncSession, household_id: UUID, divisions: Sequence[str]
) -> dict[str, Any] | None:
    """The registry's household with its members, as relief last heard of it."""
    copy = household_copy.household_copy.c
    found = await household_copy.rows(
        session, copy.household_id == household_id, in_divisions(copy.division_code, divisions)
    )
    return found[0] if found else None


async def _page(
    session: AsyncSession,
    model: Any,
    key: Any,
    conditions: Sequence[ColumnElement[bool]],
    *,
    after: UUID | None,
    limit: int,
) -> Sequence[RowMapping]:
    rows = select(model.__table__).where(*conditions).order_by(key).limit(limit)
    following = rows if after is None else rows.where(key > after)
    return (await session.execute(following)).mappings().all()
