"""What is asked of bank files, their rows, their returns, and the balance of a month."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Integer,
    RowMapping,
    and_,
    any_,
    exists,
    func,
    literal,
    select,
    text,
)
from sqlalchemy.ext.asyncio import AsyncSession

from services.relief.payments.bank_models import BankFile, BankFileRow, BankReturn, BankReturnRow
from services.relief.payments.bank_rules import Result, SentRow
from services.relief.payments.models import Payment
from shared.contracts.assistance import AssistanceStatus
from shared.db import among, in_divisions

_SHOWN = [column for column in BankFile.__table__.c if column.name != "content_encrypted"]
# The newest row says what became of a payment: only one that failed is sent again.
_LAST_ROW = """
    LEFT JOIN LATERAL (
        SELECT status, payee_hash FROM bank_file_rows AS sent
        WHERE sent.payment_id = payments.payment_id ORDER BY bank_file_id DESC LIMIT 1
    ) AS last ON true
"""
_UNSENT = """
    run_id = :run_id AND payments.status = 'approved'
    AND (last.status IS NULL OR last.status = 'failed')
"""
_SENDABLE = text(
    f"""
    SELECT payments.payment_id, payee_household_id, payee_institution_id, division_code, amount,
        programme, month, run_id, last.payee_hash AS failed_hash
    FROM payments {_LAST_ROW}
    WHERE {_UNSENT} AND payments.payment_id > :after
    ORDER BY payments.payment_id LIMIT :limit FOR UPDATE OF payments
    """  # noqa: S608 (constants)
)
_ANY_SENDABLE = text(
    f"SELECT EXISTS (SELECT FROM payments {_LAST_ROW} WHERE {_UNSENT})"  # noqa: S608 (constants)
)
_BALANCE = text(
    f"""
    SELECT programme, count(*) AS payments, sum(amount) AS runs_yuan,
        coalesce(sum(amount) FILTER (WHERE stands = 'paid'), 0.00) AS paid_yuan,
        coalesce(sum(amount) FILTER (WHERE stands = 'failed'), 0.00) AS failed_yuan,
        coalesce(sum(amount) FILTER (WHERE stands = 'returned'), 0.00) AS returned_yuan,
        coalesce(sum(amount) FILTER (WHERE stands = 'open'), 0.00) AS open_yuan,
        count(*) FILTER (WHERE booked <> stands) AS unbooked
    FROM (
        SELECT payments.programme, payments.amount,
            coalesce(last.status, CASE payments.status WHEN 'paid' THEN 'paid'
                WHEN 'approved' THEN 'open' ELSE 'returned' END) AS stands,
            CASE WHEN payments.status = 'paid' THEN 'paid'
                WHEN payments.status = 'reversed' THEN 'returned'
                WHEN last.status = 'failed' THEN 'failed' ELSE 'open' END AS booked
        FROM payments {_LAST_ROW}
        WHERE month = :month
            AND (CAST(:programme AS text) IS NULL OR programme = CAST(:programme AS text))
            AND EXISTS (SELECT FROM unnest(CAST(:within AS text[])) AS allowed(prefix)
                WHERE payments.division_code ^@ allowed.prefix)
    ) AS standing
    GROUP BY programme ORDER BY programme
    """  # noqa: S608 (constants)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RowFilter:
    """Which rows of a file are asked for; a status of None does not matter."""

    bank_file_id: UUID
    status: str | None = None


async def file_by_id(
    session: AsyncSession,
    bank_file_id: UUID,
    divisions: Sequence[str],
    *,
    lock: bool = False,
    whole: bool = False,
) -> RowMapping | None:
    """One file; with ``whole``, its sealed content too; with ``lock``, held until the end."""
    mine = and_(
        BankFile.bank_file_id == bank_file_id, in_divisions(BankFile.division_code, divisions)
    )
    wanted = select(*(BankFile.__table__.c if whole else _SHOWN)).where(mine)
    rows = await session.execute(wanted.with_for_update() if lock else wanted)
    return rows.mappings().one_or_none()


async def files_of(
    session: AsyncSession, run_id: UUID, divisions: Sequence[str]
) -> Sequence[RowMapping]:
    """A run's files, the oldest first."""
    mine = and_(BankFile.run_id == run_id, in_divisions(BankFile.division_code, divisions))
    rows = await session.execute(select(*_SHOWN).where(mine).order_by(BankFile.bank_file_id))
    return rows.mappings().all()


async def has_file(session: AsyncSession, run_id: UUID) -> bool:
    """Whether a run goes, or went, to the bank by file."""
    return bool(await session.scalar(select(exists().where(BankFile.run_id == run_id))))


async def any_sendable(session: AsyncSession, run_id: UUID) -> bool:
    """Whether a run has approved payments that are in no file, or failed in their last one."""
    return bool(await session.scalar(_ANY_SENDABLE, {"run_id": run_id}))


async def hold_sendable(
    session: AsyncSession, run_id: UUID, *, after: UUID, limit: int
) -> Sequence[RowMapping]:
    """The next payments of a run that may go into a file, locked, by id."""
    asked = {"run_id": run_id, "after": after, "limit": limit}
    return (await session.execute(_SENDABLE, asked)).mappings().all()


async def last_serial(session: AsyncSession, bank_file_id: UUID) -> int:
    """The highest serial that a file has given out, 0 for none."""
    highest = select(func.coalesce(func.max(BankFileRow.serial), 0))
    return (await session.scalars(highest.where(BankFileRow.bank_file_id == bank_file_id))).one()


async def sealed_lines(session: AsyncSession, bank_file_id: UUID) -> Sequence[RowMapping]:
    """Amount and sealed line of every row of a file in the making, by serial."""
    rows = await session.execute(
        select(BankFileRow.serial, BankFileRow.amount, BankFileRow.line_encrypted)
        .where(BankFileRow.bank_file_id == bank_file_id)
        .order_by(BankFileRow.serial)
    )
    return rows.mappings().all()


async def households_of(session: AsyncSession, bank_file_id: UUID) -> Sequence[RowMapping]:
    """Whose payments stand in a file, with where they live: for the audit of a fetch."""
    rows = await session.execute(
        select(Payment.payee_household_id, Payment.division_code)
        .join(BankFileRow, BankFileRow.payment_id == Payment.payment_id)
        .where(BankFileRow.bank_file_id == bank_file_id)
        .order_by(BankFileRow.serial)
    )
    return rows.mappings().all()


async def rows_of(
    session: AsyncSession,
    asked: RowFilter,
    divisions: Sequence[str],
    *,
    after: int,
    limit: int,
) -> Sequence[RowMapping]:
    """Rows of a file with their payments' households, by serial; no name and no account."""
    shown = (
        BankFileRow.serial,
        BankFileRow.payment_id,
        Payment.payee_household_id,
        BankFileRow.division_code,
        BankFileRow.amount,
        BankFileRow.status,
        BankFileRow.day,
        BankFileRow.reason,
    )
    wanted = (
        select(*shown)
        .join(Payment, Payment.payment_id == BankFileRow.payment_id)
        .where(
            BankFileRow.bank_file_id == asked.bank_file_id,
            BankFileRow.serial > after,
            in_divisions(BankFileRow.division_code, divisions),
        )
    )
    if asked.status is not None:
        wanted = wanted.where(BankFileRow.status == asked.status)
    rows = await session.execute(wanted.order_by(BankFileRow.serial).limit(limit))
    return rows.mappings().all()


async def sent_rows(
    session: AsyncSession, bank_file_id: UUID, serials: Sequence[int]
) -> tuple[dict[int, SentRow], dict[int, RowMapping]]:
    """What was sent under these serials, for the rules; and each row's payment and place."""
    rows = await session.execute(
        select(BankFileRow.__table__).where(
            BankFileRow.bank_file_id == bank_file_id,
            BankFileRow.serial == any_(literal(list(serials), ARRAY(Integer))),
        )
    )
    found = {row["serial"]: row for row in rows.mappings()}
    sent = {
        serial: SentRow(amount=row["amount"], status=row["status"], day=row["day"])
        for serial, row in found.items()
    }
    return sent, found


async def return_by_checksum(
    session: AsyncSession, bank_file_id: UUID, checksum: str
) -> RowMapping | None:
    """The return of a file that was taken with this very content, if one was."""
    same = and_(BankReturn.bank_file_id == bank_file_id, BankReturn.checksum == checksum)
    rows = await session.execute(select(BankReturn.__table__).where(same))
    return rows.mappings().one_or_none()


async def return_rows(
    session: AsyncSession, return_id: UUID, *, after: int, limit: int
) -> Sequence[RowMapping]:
    """The next rows of a return, by serial."""
    mine = and_(BankReturnRow.return_id == return_id, BankReturnRow.serial > after)
    rows = select(BankReturnRow.__table__).where(mine).order_by(BankReturnRow.serial).limit(limit)
    return (await session.execute(rows)).mappings().all()


async def rows_that_paid(
    session: AsyncSession, payment_ids: Sequence[UUID]
) -> Sequence[RowMapping]:
    """The rows of returns that said of these payments that they were paid."""
    if not payment_ids:
        return []
    said = and_(among(BankReturnRow.payment_id, payment_ids), BankReturnRow.result == Result.PAID)
    return (await session.execute(select(BankReturnRow.__table__).where(said))).mappings().all()


async def hold_payments(
    session: AsyncSession, payment_ids: Sequence[UUID], status: AssistanceStatus
) -> Sequence[RowMapping]:
    """Those of these payments that stand at ``status``, locked, by id."""
    wanted = and_(among(Payment.payment_id, payment_ids), Payment.status == status)
    rows = select(Payment.__table__).where(wanted).order_by(Payment.payment_id)
    return (await session.execute(rows.with_for_update())).mappings().all()


async def balances(
    session: AsyncSession, month: date, within: Sequence[str], programme: str | None
) -> Sequence[Mapping[str, Any]]:
    """A month's money by programme: what runs ordered, and where it stands, to the fen.

    ``unbooked`` counts payments that do not yet say what the bank said: their job is at work.
    """
    asked = {"month": month, "within": list(within), "programme": programme}
    return [dict(row) for row in (await session.execute(_BALANCE, asked)).mappings()]


async def run_total(session: AsyncSession, run_id: UUID) -> Decimal:
    """What a run ordered in all, whatever became of it."""
    summed = select(func.coalesce(func.sum(Payment.amount), Decimal("0.00")))
    return (await session.scalars(summed.where(Payment.run_id == run_id))).one()
