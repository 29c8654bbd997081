"""What the bank says of a file: taken whole or not at all, then booked by a job (C13, R13).

The api notes the bank's word on the file's rows while it holds the file, so that two returns never
speak of one row; the job moves the payments after it, and publishes each.
"""

import hashlib
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, insert, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.relief.payments import actions, bank_queries, queries
from services.relief.payments.bank_models import BankReturn, BankReturnRow
from services.relief.payments.bank_rules import (
    Encoding,
    Result,
    ReturnRow,
    read_return,
    return_faults,
)
from services.relief.payments.models import PaymentBeneficiary
from shared import audit, clock, events, identity, jobs
from shared.auth import Caller, officer_of
from shared.contracts.assistance import AssistanceStatus
from shared.db import among
from shared.errors import Conflict, NotFound, Refused

BOOK = "relief.book_bank_return"
"""The job that books one return."""


_NOTE = text(
    """
    UPDATE bank_file_rows SET status = said.result, day = said.day, reason = said.reason
    FROM unnest(CAST(:serials AS integer[]), CAST(:results AS text[]), CAST(:days AS date[]),
        CAST(:reasons AS text[])) AS said(serial, result, day, reason)
    WHERE bank_file_id = :bank_file_id AND bank_file_rows.serial = said.serial
    """
)
_MOVE = text(
    """
    UPDATE payments SET status = :status, version = version + 1, paid_on = moved.day
    FROM unnest(CAST(:payment_ids AS uuid[]), CAST(:days AS date[])) AS moved(payment_id, day)
    WHERE payments.payment_id = moved.payment_id
    """
)


async def take_return(
    session: AsyncSession, caller: Caller, bank_file_id: UUID, content: bytes
) -> RowMapping:
    """Take a return of a file and order the job that books it; the same one again is the first.

    Raises NotFound, Forbidden without an officer, Conflict (``bank_file_in_the_making``) and
    Refused (``return_refused``) listing every row that is wrong; nothing is written then.
    """
    officer = officer_of(caller)
    file = await bank_queries.file_by_id(session, bank_file_id, caller.divisions, lock=True)
    if file is None:
        raise NotFound("bank_file_unknown", f"no bank file {bank_file_id}")
    if file["ready_at"] is None:
        raise Conflict("bank_file_in_the_making", "the file is being made: wait for its job")
    checksum = hashlib.sha256(content).hexdigest()
    before = await bank_queries.return_by_checksum(session, bank_file_id, checksum)
    if before is not None:
        return before
    rows, sent = await _checked(session, file, content)
    return_id = identity.new_id()
    job = await jobs.enqueue(
        session, caller, BOOK, {"return_id": str(return_id)}, file["division_code"]
    )
    await session.execute(
        insert(BankReturn),
        [
            {
                "return_id": return_id,
                "bank_file_id": bank_file_id,
                "division_code": file["division_code"],
                "checksum": checksum,
                "rows": len(rows),
                "job_id": job.job_id,
                "received_by": officer,
                "received_at": clock.now(),
            }
        ],
    )
    await _note_results(session, bank_file_id, return_id, rows, sent)
    await audit.record(
        session,
        caller,
        action="bank_return.taken",
        subject_type="bank_file",
        subject_id=bank_file_id,
        division_code=file["division_code"],
        detail={"return_id": str(return_id), "rows": len(rows)},
    )
    taken = await bank_queries.return_by_checksum(session, bank_file_id, checksum)
    if taken is None:
        raise RuntimeError("a return that was just written is not there")
    return taken


async def book_rows(session: AsyncSession, rows: Sequence[RowMapping]) -> int:
    """Move the payments of these rows of a return to what the bank said; gives how many moved.

    Paid ones become paid, what came back is reversed and its people are free to be paid for anew;
    both are announced, in whatever order returns are booked. Those that failed stay approved. What
    has moved already stays.
    """
    by_result: dict[str, list[RowMapping]] = {}
    for row in rows:
        by_result.setdefault(row["result"], []).append(row)
    back = by_result.get(Result.RETURNED, [])
    # The return that said it was paid may still wait for its own job: it is booked first, here.
    arrived = await bank_queries.rows_that_paid(session, [row["payment_id"] for row in back])
    paid = await _move(
        session,
        [*by_result.get(Result.PAID, []), *arrived],
        AssistanceStatus.APPROVED,
        AssistanceStatus.PAID,
    )
    reversed_ = await _move(session, back, AssistanceStatus.PAID, AssistanceStatus.REVERSED)
    return paid + reversed_


async def _checked(
    session: AsyncSession, file: RowMapping, content: bytes
) -> tuple[list[ReturnRow], dict[int, RowMapping]]:
    rows, faults = read_return(content, file["bank_file_id"], Encoding(file["encoding"]))
    sent, stored = await bank_queries.sent_rows(
        session, file["bank_file_id"], [row.serial for row in rows]
    )
    made_on = clock.day_of(file["created_at"])
    faults = faults or return_faults(rows, sent, made_on=made_on, today=clock.today())
    if faults:
        raise Refused(
            "return_refused",
            f"{len(faults)} faults: nothing of this return was taken; ask the bank for a right one",
            faults=faults,
        )
    return rows, stored


async def _note_results(
    session: AsyncSession,
    bank_file_id: UUID,
    return_id: UUID,
    rows: Sequence[ReturnRow],
    sent: dict[int, RowMapping],
) -> None:
    said: list[dict[str, Any]] = [
        {
            "return_id": return_id,
            "serial": row.serial,
            "payment_id": sent[row.serial]["payment_id"],
            "division_code": sent[row.serial]["division_code"],
            "result": row.result.value,
            "day": row.day,
            "reason": row.reason,
        }
        for row in rows
    ]
    await session.execute(insert(BankReturnRow), said)
    values = {
        "bank_file_id": bank_file_id,
        "serials": [row.serial for row in rows],
        "results": [row.result.value for row in rows],
        "days": [row.day for row in rows],
        "reasons": [row.reason for row in rows],
    }
    await session.execute(_NOTE, values)


async def _move(
    session: AsyncSession,
    rows: Sequence[RowMapping],
    before: AssistanceStatus,
    after: AssistanceStatus,
) -> int:
    if not rows:
        return 0
    days = {row["payment_id"]: row["day"] for row in rows}
    held = await bank_queries.hold_payments(session, list(days), before)
    if not held:
        return 0
    ids = [row["payment_id"] for row in held]
    moved = [
        {
            **row,
            "status": after.value,
            "version": row["version"] + 1,
            # The day on which the money arrived stays with a payment that comes back.
            "paid_on": days[row["payment_id"]]
            if after is AssistanceStatus.PAID
            else row["paid_on"],
        }
        for row in held
    ]
    arrived = [row["paid_on"] for row in moved]
    values = {"payment_ids": ids, "days": arrived, "status": after.value}
    await session.execute(_MOVE, values)
    people = await queries.beneficiaries_of(session, ids)
    if after is AssistanceStatus.REVERSED:
        theirs = among(PaymentBeneficiary.payment_id, ids)
        await session.execute(update(PaymentBeneficiary).where(theirs).values(claim=None))
    told = [actions.assisted(row, people.get(row["payment_id"], ())) for row in moved]
    await events.publish(session, told)
    return len(moved)
