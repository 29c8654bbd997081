"""How a run goes to the bank: approved, sent, booked from returns; and the balance of a month."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from fastapi import Query, Request
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from services.relief.payments import bank_queries, queries, returning, sending
from services.relief.payments.bank_queries import RowFilter
from services.relief.payments.bank_rules import Encoding
from services.relief.payments.rules import Programme
from shared import api, audit
from shared.asked import AskedCursor, AskedDivision, Month, within
from shared.auth import Caller, requires
from shared.db import SessionDep
from shared.errors import NotFound

routes = api.router("/v1", tags=["payments"])
MOST_RETURN_BYTES = 8_000_000
"""Some 80,000 rows; a county's month has fewer."""

Reader = Annotated[Caller, requires("relief.payments:read")]
Payer = Annotated[Caller, requires("relief.payments:pay")]
Approver = Annotated[Caller, requires("relief.payments:approve")]
Fetcher = Annotated[Caller, requires("relief.payments:fetch")]
_CSV = {"text/csv": {"schema": {"type": "string", "format": "binary"}}}


class FileOrder(BaseModel):
    """How the bank wants its file; ``unchanged`` sends again what failed under the same account."""

    model_config = ConfigDict(extra="forbid")

    encoding: Encoding = Encoding.GB18030
    unchanged: bool = False


class Approval(BaseModel):
    """Who approved a run, and when."""

    run_id: UUID
    approved_by: str
    approved_at: datetime


class BankFileView(BaseModel):
    """One file; in the making, by the job ``job_id``, until ``ready_at``."""

    model_config = ConfigDict(from_attributes=True)

    bank_file_id: UUID
    run_id: UUID
    division_code: str
    encoding: Encoding
    unchanged: bool
    job_id: UUID
    created_by: str
    created_at: datetime
    ready_at: datetime | None
    rows: int | None
    total: Decimal | None
    checksum: str | None


class BankRowView(BaseModel):
    """One payment in a file: open, paid, failed or returned, and the bank's reason."""

    model_config = ConfigDict(from_attributes=True)

    serial: int
    payment_id: UUID
    payee_household_id: UUID
    division_code: str
    amount: Decimal
    status: str
    day: date | None
    reason: str | None


class ReturnView(BaseModel):
    """A return that was taken; its job books it. The same file again gives the same one."""

    model_config = ConfigDict(from_attributes=True)

    return_id: UUID
    bank_file_id: UUID
    division_code: str
    checksum: str
    rows: int
    job_id: UUID
    received_by: str
    received_at: datetime


class BalanceView(BaseModel):
    """A programme's month, in yuan: ``runs_yuan`` is the sum of the four after it.

    ``unbooked`` payments do not yet stand as the bank said: the job of a return is at work.
    """

    programme: Programme
    month: Month
    payments: int
    runs_yuan: Decimal
    paid_yuan: Decimal
    failed_yuan: Decimal
    returned_yuan: Decimal
    open_yuan: Decimal
    unbooked: int


@routes.post("/payment-runs/{run_id}/approve", summary="Approve a run before it goes to the bank")
async def approve(session: SessionDep, caller: Approver, run_id: UUID) -> Approval:
    """By another officer than the one who ordered it.

    404 ``payment_run_unknown``; 409 ``run_not_over``, ``same_officer``, ``run_approved``.
    """
    await sending.approve_run(session, caller, run_id)
    row = await queries.run_by_id(session, run_id, caller.divisions)
    return Approval.model_validate(dict(row or {}))


@routes.post(
    "/payment-runs/{run_id}/bank-files", status_code=202, summary="Make a file for the bank"
)
async def order_file(
    session: SessionDep, caller: Payer, run_id: UUID, order: FileOrder, answer: Response
) -> BankFileView:
    """A job puts in what is approved and unsent; ordered again after it failed, it goes on.

    404 ``payment_run_unknown``; 409 ``run_not_over``, ``run_confirmed``, ``approval_missing``,
    ``bank_file_in_the_making``, ``nothing_to_send``.
    """
    bank_file_id = await sending.order_file(
        session, caller, run_id, encoding=order.encoding, unchanged=order.unchanged
    )
    answer.headers["Location"] = f"/v1/bank-files/{bank_file_id}"
    return await _file(session, caller, bank_file_id)


@routes.get("/payment-runs/{run_id}/bank-files", summary="A run's files, the oldest first")
async def files_of_run(session: SessionDep, caller: Reader, run_id: UUID) -> list[BankFileView]:
    """404 ``payment_run_unknown``."""
    if await queries.run_by_id(session, run_id, caller.divisions) is None:
        raise NotFound("payment_run_unknown", f"no payment run {run_id}")
    rows = await bank_queries.files_of(session, run_id, caller.divisions)
    return [BankFileView.model_validate(dict(row)) for row in rows]


@routes.get("/bank-files/{bank_file_id}", summary="One file, without its content")
async def bank_file(session: SessionDep, caller: Reader, bank_file_id: UUID) -> BankFileView:
    """404 ``bank_file_unknown``."""
    return await _file(session, caller, bank_file_id)


@routes.get(
    "/bank-files/{bank_file_id}/content",
    summary="The file as the bank gets it: names and accounts; every fetch is audited",
    response_class=Response,
    responses={200: {"content": _CSV}},
)
async def content(session: SessionDep, caller: Fetcher, bank_file_id: UUID) -> Response:
    """404 ``bank_file_unknown``; 409 ``bank_file_in_the_making``."""
    whole, encoding = await sending.fetch_file(session, caller, bank_file_id)
    headers = {
        "Content-Disposition": f'attachment; filename="{bank_file_id}.csv"',
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
        "Content-Type": f"text/csv; charset={encoding.value}",
    }
    return Response(whole, headers=headers)


@routes.get("/bank-files/{bank_file_id}/rows", summary="What became of each payment in a file")
async def rows(
    session: SessionDep,
    caller: Reader,
    bank_file_id: UUID,
    *,
    status: Annotated[str | None, Query(pattern="^(open|paid|failed|returned)$")] = None,
    cursor: AskedCursor = None,
    limit: api.Limit = 100,
) -> api.Page[BankRowView]:
    """By serial; 404 ``bank_file_unknown``."""
    await _file(session, caller, bank_file_id)
    after = api.decode_cursor(cursor, int)[0] if cursor else 0
    found = await bank_queries.rows_of(
        session,
        RowFilter(bank_file_id=bank_file_id, status=status),
        caller.divisions,
        after=after,
        limit=limit + 1,
    )
    shown = found[:limit]
    await audit.record_rows(
        session,
        caller,
        shown,
        action="payments.read",
        subject_type="household",
        subject="payee_household_id",
    )
    more = api.encode_cursor([shown[-1]["serial"]]) if len(found) > limit else None
    return api.Page(
        items=[BankRowView.model_validate(dict(row)) for row in shown], next_cursor=more
    )


@routes.post(
    "/bank-files/{bank_file_id}/returns",
    status_code=202,
    summary="Hand in what the bank returned",
    openapi_extra={
        api.MAX_BODY: MOST_RETURN_BYTES,
        "requestBody": {"required": True, "content": _CSV},
    },
)
async def take_return(
    request: Request, session: SessionDep, caller: Payer, bank_file_id: UUID
) -> ReturnView:
    """CSV in the encoding of the file. Checked whole first; a job books it.

    404 ``bank_file_unknown``; 409 ``bank_file_in_the_making``; 422 ``return_refused`` with every
    wrong row.
    """
    taken = await returning.take_return(session, caller, bank_file_id, await request.body())
    return ReturnView.model_validate(dict(taken))


@routes.get("/payment-balances", summary="Where a month's money stands, by programme")
async def balances(
    session: SessionDep,
    caller: Reader,
    *,
    month: Month,
    division: AskedDivision = None,
    programme: Programme | None = None,
) -> list[BalanceView]:
    """What runs ordered = paid + failed + returned + open, to the fen. Nobody is named in it."""
    found = await bank_queries.balances(
        session, month, within(caller, division), programme and programme.value
    )
    return [BalanceView.model_validate({**row, "month": month}) for row in found]


async def _file(session: SessionDep, caller: Caller, bank_file_id: UUID) -> BankFileView:
    row = await bank_queries.file_by_id(session, bank_file_id, caller.divisions)
    if row is None:
        raise NotFound("bank_file_unknown", f"no bank file {bank_file_id}")
    return BankFileView.model_validate(dict(row))
