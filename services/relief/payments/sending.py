"""Approving a run and making its file for the bank, a chunk a transaction (C13, R13).

The only writer of bank files, and of their rows until the bank answers. A run goes one way, by the
bank or by hand: both look while they hold the run.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.relief.payments import actions, bank_queries, queries
from services.relief.payments.bank_models import BankFile, BankFileRow
from services.relief.payments.bank_rules import (
    OPEN,
    Encoding,
    is_approval_needed,
    purpose_of,
    sent_file,
    sent_line,
    serial_text,
)
from services.relief.payments.confirming import refuse_unless_over
from services.relief.payments.models import PaymentException, PaymentRun
from services.relief.payments.parameters import APPROVAL_THRESHOLD
from services.relief.payments.rules import ExceptionCode, Programme
from services.relief.registry_client import Payee
from services.relief.tekun import placing, records
from shared import audit, clock, crypto, identity, jobs
from shared.auth import Caller, officer_of
from shared.db import among
from shared.errors import Conflict, NotFound
from shared.money import ZERO
from shared.parameters import value_at

MAKE = "relief.make_bank_file"
"""The job that makes one file for the bank."""
CONTENT = "relief.bank_file"
"""What the content of files, and their lines, are sealed for."""
_LINE = "relief.bank_file_line"
_PAYEE = "relief.payee"


async def approve_run(session: AsyncSession, caller: Caller, run_id: UUID) -> None:
    """Approve a run that is over, as its second officer; again by the same one changes nothing.

    Raises NotFound, Forbidden without an officer, Conflict (``run_not_over``, ``same_officer``,
    ``run_approved`` by another).
    """
    officer = officer_of(caller)
    run = await _held_run(session, caller, run_id)
    await refuse_unless_over(session, run, what="run")
    if run["created_by"] == officer:
        raise Conflict("same_officer", "who ordered a run cannot approve it: ask a colleague")
    if run["approved_by"] == officer:
        return
    if run["approved_by"] is not None:
        raise Conflict("run_approved", "another officer approved the run already")
    signed = {"approved_by": officer, "approved_at": clock.now()}
    await session.execute(update(PaymentRun).where(PaymentRun.run_id == run_id).values(signed))
    total = await bank_queries.run_total(session, run_id)
    await _record(session, caller, "payment_run.approved", run, {"total_yuan": str(total)})


async def order_file(
    session: AsyncSession, caller: Caller, run_id: UUID, *, encoding: Encoding, unchanged: bool
) -> UUID:
    """Order a file of what is approved and not sent, and the job that makes it; the file's id.

    A file whose job failed is taken up again as it was ordered. Raises NotFound, Forbidden without
    an officer, Conflict (``run_not_over``, ``run_confirmed``, ``approval_missing``,
    ``bank_file_in_the_making``, ``nothing_to_send``).
    """
    officer = officer_of(caller)
    run = await _held_run(session, caller, run_id)
    await refuse_unless_over(session, run, what="run")
    if run["paid_on"] is not None:
        raise Conflict("run_confirmed", f"the run was confirmed as paid on {run['paid_on']}")
    await _refuse_unapproved(session, run)
    unfinished = await _unfinished_file(session, run_id)
    if unfinished is not None:
        await _make(session, caller, run, unfinished)
        return unfinished
    if not await bank_queries.any_sendable(session, run_id):
        raise Conflict("nothing_to_send", "every payment of the run is with the bank or settled")
    bank_file_id = identity.new_id()
    row = {
        "bank_file_id": bank_file_id,
        "run_id": run_id,
        "division_code": run["division_code"],
        "encoding": encoding.value,
        "unchanged": unchanged,
        "job_id": await _enqueue(session, caller, run, bank_file_id),
        "created_by": officer,
        "created_at": clock.now(),
    }
    await session.execute(insert(BankFile), [row])
    detail = {"bank_file_id": str(bank_file_id), "unchanged": unchanged}
    await _record(session, caller, "bank_file.ordered", run, detail)
    return bank_file_id


async def add_rows(
    session: AsyncSession,
    file: RowMapping,
    payments: Sequence[RowMapping],
    payees: Mapping[UUID, Payee],
) -> int:
    """Put these payments into a file; who cannot be sent becomes an exception. Gives how many.

    ``payees`` are by household. Money of an institution goes to its own account.
    """
    institutions = await _institutions(session, payments)
    known = {
        row["payment_id"]: institutions.get(row["payee_institution_id"])
        if row["payee_institution_id"]
        else payees.get(row["payee_household_id"])
        for row in payments
    }
    held_up = {row["payment_id"]: _held_up(file, row, known[row["payment_id"]]) for row in payments}
    for code in (ExceptionCode.ACCOUNT_MISSING, ExceptionCode.ACCOUNT_UNCHANGED):
        await _note(session, [row for row in payments if held_up[row["payment_id"]] is code], code)
    sent = [row for row in payments if held_up[row["payment_id"]] is None]
    first = await bank_queries.last_serial(session, file["bank_file_id"]) + 1
    rows = [
        _row(file, row, serial, known[row["payment_id"]]) for serial, row in enumerate(sent, first)
    ]
    if rows:
        await session.execute(insert(BankFileRow), rows)
        await _settle_exceptions(session, file["run_id"], sent)
    return len(rows)


async def finish_file(session: AsyncSession, file: RowMapping) -> int:
    """Put a file's rows together and seal it; its lines alone are forgotten. Gives how many."""
    rows = await bank_queries.sealed_lines(session, file["bank_file_id"])
    lines = [crypto.decrypt(row["line_encrypted"], purpose=_LINE) for row in rows]
    total = sum((row["amount"] for row in rows), ZERO)
    content, checksum = sent_file(file["bank_file_id"], lines, total, Encoding(file["encoding"]))
    this_one = BankFile.bank_file_id == file["bank_file_id"]
    ready = {
        "ready_at": clock.now(),
        "rows": len(rows),
        "total": total,
        "checksum": checksum,
        "content_encrypted": crypto.encrypt_bytes(content, purpose=CONTENT),
    }
    await session.execute(update(BankFile).where(this_one).values(ready))
    theirs = BankFileRow.bank_file_id == file["bank_file_id"]
    await session.execute(update(BankFileRow).where(theirs).values(line_encrypted=None))
    return len(rows)


async def fetch_file(
    session: AsyncSession, caller: Caller, bank_file_id: UUID
) -> tuple[bytes, Encoding]:
    """A file as the bank gets it; the fetch is audited for the file and every household in it.

    Raises NotFound, and Conflict (``bank_file_in_the_making``) while its job is at work.
    """
    file = await bank_queries.file_by_id(session, bank_file_id, caller.divisions, whole=True)
    if file is None:
        raise NotFound("bank_file_unknown", f"no bank file {bank_file_id}")
    if file["content_encrypted"] is None:
        raise Conflict("bank_file_in_the_making", "the file is being made: wait for its job")
    await audit.record(
        session,
        caller,
        action="bank_file.fetched",
        subject_type="bank_file",
        subject_id=bank_file_id,
        division_code=file["division_code"],
        detail={"rows": file["rows"]},
    )
    await audit.record_rows(
        session,
        caller,
        await bank_queries.households_of(session, bank_file_id),
        action="household.account_read",
        subject_type="household",
        subject="payee_household_id",
    )
    content = crypto.decrypt_bytes(file["content_encrypted"], purpose=CONTENT)
    return content, Encoding(file["encoding"])


async def _held_run(session: AsyncSession, caller: Caller, run_id: UUID) -> RowMapping:
    run = await queries.run_by_id(session, run_id, caller.divisions, lock=True)
    if run is None:
        raise NotFound("payment_run_unknown", f"no payment run {run_id}")
    return run


async def _refuse_unapproved(session: AsyncSession, run: RowMapping) -> None:
    if run["approved_by"] is not None:
        return
    today = clock.today()
    threshold = await value_at(session, APPROVAL_THRESHOLD, run["division_code"], today)
    total = await bank_queries.run_total(session, run["run_id"])
    if is_approval_needed(total, threshold.value if threshold else None):
        limit = f"more than {threshold.value}" if threshold else "no threshold is in force"
        detail = f"a second officer approves the run first: {total} yuan, {limit}"
        raise Conflict("approval_missing", detail)


async def _unfinished_file(session: AsyncSession, run_id: UUID) -> UUID | None:
    """The run's file whose job failed. Raises Conflict while a job is still at work on one."""
    wanted = select(BankFile.bank_file_id, BankFile.job_id)
    found = await session.execute(
        wanted.where(BankFile.run_id == run_id, BankFile.ready_at.is_(None))
    )
    row = found.one_or_none()
    if row is None:
        return None
    job = await jobs.find(session, row.job_id)
    if job is None or job.state != "failed":
        detail = f"the bank file {row.bank_file_id} is being made: wait for its job"
        raise Conflict("bank_file_in_the_making", detail)
    return UUID(str(row.bank_file_id))


async def _make(session: AsyncSession, caller: Caller, run: RowMapping, bank_file_id: UUID) -> None:
    job_id = await _enqueue(session, caller, run, bank_file_id)
    this_one = BankFile.bank_file_id == bank_file_id
    await session.execute(update(BankFile).where(this_one).values(job_id=job_id))
    detail = {"bank_file_id": str(bank_file_id)}
    await _record(session, caller, "bank_file.resumed", run, detail)


async def _enqueue(
    session: AsyncSession, caller: Caller, run: RowMapping, bank_file_id: UUID
) -> UUID:
    arguments = {"bank_file_id": str(bank_file_id)}
    job = await jobs.enqueue(session, caller, MAKE, arguments, run["division_code"])
    return job.job_id


async def _institutions(session: AsyncSession, payments: Sequence[RowMapping]) -> dict[UUID, Payee]:
    ids = [row["payee_institution_id"] for row in payments if row["payee_institution_id"]]
    if not ids:
        return {}
    return {
        row["institution_id"]: Payee(
            name=row["name"], account=placing.plain_account(row["account_encrypted"])
        )
        for row in await records.paid_accounts(session, ids)
    }


def _held_up(file: RowMapping, payment: RowMapping, payee: Payee | None) -> ExceptionCode | None:
    """Why a payment cannot go into this file; None where it can."""
    if payee is None or not payee.account or not payee.name or not payee.name.isprintable():
        return ExceptionCode.ACCOUNT_MISSING
    if payment["failed_hash"] == _payee_hash(payee) and not file["unchanged"]:
        return ExceptionCode.ACCOUNT_UNCHANGED
    return None


def _payee_hash(payee: Payee) -> bytes:
    return crypto.lookup_hash(f"{payee.name}\n{payee.account}", purpose=_PAYEE)


def _row(file: RowMapping, payment: RowMapping, serial: int, payee: Payee | None) -> dict[str, Any]:
    if payee is None or payee.name is None or payee.account is None:
        raise ValueError("only whom the bank can pay is put into a file")
    line = sent_line(
        serial_text(file["bank_file_id"], serial),
        payee.name,
        payee.account,
        payment["amount"],
        purpose_of(Programme(payment["programme"]), payment["month"]),
    )
    return {
        "bank_file_id": file["bank_file_id"],
        "serial": serial,
        "payment_id": payment["payment_id"],
        "division_code": payment["division_code"],
        "amount": payment["amount"],
        "payee_hash": _payee_hash(payee),
        "line_encrypted": crypto.encrypt(line, purpose=_LINE),
        "status": OPEN,
    }


async def _note(session: AsyncSession, rows: Sequence[RowMapping], code: ExceptionCode) -> None:
    if not rows:
        return
    places = {row["payee_household_id"]: row["division_code"] for row in rows}
    nobody: dict[UUID, Sequence[UUID]] = dict.fromkeys(places, ())
    await actions.note_exceptions(session, rows[0], places, code, nobody)


async def _settle_exceptions(
    session: AsyncSession, run_id: UUID, sent: Sequence[RowMapping]
) -> None:
    """Whoever goes to the bank after all is an exception no more."""
    about = (ExceptionCode.ACCOUNT_MISSING, ExceptionCode.ACCOUNT_UNCHANGED)
    theirs = update(PaymentException).where(
        PaymentException.run_id == run_id,
        among(PaymentException.household_id, [row["payee_household_id"] for row in sent]),
        PaymentException.code.in_(about),
    )
    await session.execute(theirs.values(settled_at=clock.now()))


async def _record(
    session: AsyncSession, caller: Caller, action: str, run: RowMapping, detail: dict[str, Any]
) -> None:
    await audit.record(
        session,
        caller,
        action=action,
        subject_type="payment_run",
        subject_id=run["run_id"],
        division_code=run["division_code"],
        detail=detail,
    )
