"""What is asked of runs and payments."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import RowMapping, and_, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.relief.payments.models import (
    Payment,
    PaymentBeneficiary,
    PaymentException,
    PaymentRun,
)
from shared.contracts.assistance import AssistanceStatus
from shared.db import among, in_divisions

_MEMBERS = text(
    """
    SELECT household_id, person_id FROM member_copy
    WHERE household_id = ANY(CAST(:household_ids AS uuid[])) AND counted
    ORDER BY household_id, person_id
    """
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTotals:
    """What a run has come to so far, in yuan, reckoned from its payments."""

    payments: int
    total_yuan: Decimal
    exceptions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentFilter:
    """Which payments are asked for; what is None does not matter."""

    run_id: UUID | None = None
    household_id: UUID | None = None
    month: date | None = None


async def run_by_id(
    session: AsyncSession, run_id: UUID, divisions: Sequence[str], *, lock: bool = False
) -> RowMapping | None:
    """One run as it was ordered; with ``lock``, held until the transaction ends."""
    mine = and_(PaymentRun.run_id == run_id, in_divisions(PaymentRun.division_code, divisions))
    wanted = select(PaymentRun.__table__).where(mine)
    rows = await session.execute(wanted.with_for_update() if lock else wanted)
    return rows.mappings().one_or_none()


async def run_totals(session: AsyncSession, run_id: UUID, divisions: Sequence[str]) -> RunTotals:
    """The sum of a run's payments to the fen, and how many households it had to leave out."""
    mine = and_(Payment.run_id == run_id, in_divisions(Payment.division_code, divisions))
    zero = Decimal("0.00")
    summed = select(func.count(), func.coalesce(func.sum(Payment.amount), zero)).where(mine)
    payments, total = (await session.execute(summed)).one()
    left_out = and_(
        PaymentException.run_id == run_id,
        PaymentException.settled_at.is_(None),
        in_divisions(PaymentException.division_code, divisions),
    )
    exceptions = await session.scalars(
        select(func.count()).select_from(PaymentException).where(left_out)
    )
    return RunTotals(payments=payments, total_yuan=total, exceptions=exceptions.one())


async def payments(
    session: AsyncSession,
    asked: PaymentFilter,
    divisions: Sequence[str],
    *,
    after: UUID | None,
    limit: int,
) -> Sequence[RowMapping]:
    """Payments by their ids, which ascend with time."""
    conditions = [in_divisions(Payment.division_code, divisions)]
    if asked.run_id is not None:
        conditions.append(Payment.run_id == asked.run_id)
    if asked.household_id is not None:
        conditions.append(Payment.payee_household_id == asked.household_id)
    if asked.month is not None:
        conditions.append(Payment.month == asked.month)
    if after is not None:
        conditions.append(Payment.payment_id > after)
    rows = select(Payment.__table__).where(*conditions).order_by(Payment.payment_id).limit(limit)
    return (await session.execute(rows)).mappings().all()


async def paid_in(
    session: AsyncSession, household_id: UUID, divisions: Sequence[str], year: int
) -> Sequence[RowMapping]:
    """What a household is paid for the months of a year, by month."""
    mine = and_(
        Payment.payee_household_id == household_id,
        in_divisions(Payment.division_code, divisions),
        Payment.month.between(date(year, 1, 1), date(year, 12, 1)),
    )
    rows = select(Payment.__table__).where(mine).order_by(Payment.month, Payment.payment_id)
    return (await session.execute(rows)).mappings().all()


async def exceptions_of(
    session: AsyncSession,
    run_id: UUID,
    divisions: Sequence[str],
    *,
    after: UUID | None,
    limit: int,
) -> Sequence[RowMapping]:
    """What a run could not pay, by exception id."""
    conditions = [
        PaymentException.run_id == run_id,
        in_divisions(PaymentException.division_code, divisions),
    ]
    if after is not None:
        conditions.append(PaymentException.exception_id > after)
    rows = select(PaymentException.__table__).where(*conditions)
    ordered = rows.order_by(PaymentException.exception_id).limit(limit)
    return (await session.execute(ordered)).mappings().all()


async def paid_households(
    session: AsyncSession, run: RowMapping, household_ids: Sequence[UUID]
) -> set[UUID]:
    """Which of these households have the run's month of its programme already, or on its way."""
    rows = await session.scalars(
        select(Payment.payee_household_id).where(
            Payment.programme == run["programme"],
            Payment.month == run["month"],
            Payment.status != AssistanceStatus.REVERSED,
            among(Payment.payee_household_id, household_ids),
        )
    )
    return set(rows)


async def hold_unconfirmed(session: AsyncSession, run_id: UUID, limit: int) -> Sequence[RowMapping]:
    """The next payments of a run that are approved and not yet paid, locked, by id."""
    waiting = and_(Payment.run_id == run_id, Payment.status == AssistanceStatus.APPROVED)
    rows = select(Payment.__table__).where(waiting).order_by(Payment.payment_id).limit(limit)
    return (await session.execute(rows.with_for_update())).mappings().all()


async def beneficiaries_of(
    session: AsyncSession, payment_ids: Sequence[UUID]
) -> dict[UUID, list[UUID]]:
    """Whom each of these payments is for, by person id."""
    rows = await session.execute(
        select(PaymentBeneficiary.payment_id, PaymentBeneficiary.person_id)
        .where(among(PaymentBeneficiary.payment_id, payment_ids))
        .order_by(PaymentBeneficiary.payment_id, PaymentBeneficiary.person_id)
    )
    found: dict[UUID, list[UUID]] = {}
    for row in rows:
        found.setdefault(row.payment_id, []).append(row.person_id)
    return found


async def members_of(
    session: AsyncSession, household_ids: Sequence[UUID]
) -> dict[UUID, list[UUID]]:
    """The members of these households as the registry last told them, by person id."""
    rows = await session.execute(_MEMBERS, {"household_ids": list(household_ids)})
    found: dict[UUID, list[UUID]] = {}
    for row in rows:
        found.setdefault(row.household_id, []).append(row.person_id)
    return found
