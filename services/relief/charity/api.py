"""How federations, donors, donations and earmarks are entered and read (C54)."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from services.relief.charity import accounts, actions, queries, showing
from services.relief.charity.rules import Earmark, Gift
from services.relief.charity.schemas import (
    BalanceView,
    DonationDetail,
    DonationView,
    DonorIn,
    DonorView,
    EarmarkChangeIn,
    FederationIn,
    FederationView,
    GiftIn,
    ManagerEnd,
    ManagerIn,
    ManagerView,
    PublishedReceipt,
)
from services.relief.faults import fault, refuse_if
from shared import api, audit
from shared.asked import AskedCursor, after_id, page
from shared.auth import Caller, requires
from shared.db import SessionDep
from shared.errors import NotFound

routes = api.router("/v1/charity", tags=["charity"])

Reader = Annotated[Caller, requires("relief.charity:read")]
Writer = Annotated[Caller, requires("relief.charity:write")]
Year = Annotated[int, Query(ge=2000, le=2200)]


@routes.post("/federations", status_code=201, summary="Enter a charity federation")
async def found_federation(
    session: SessionDep, caller: Writer, body: FederationIn
) -> FederationView:
    """One a division: 409 ``federation_exists``; 403 ``division_not_covered``."""
    federation_id = await actions.found_federation(
        session, caller, division_code=body.division, name=body.name
    )
    return FederationView.model_validate(await _federation(session, caller, federation_id))


@routes.get("/federations", summary="Charity federations")
async def federations(
    session: SessionDep, caller: Reader, cursor: AskedCursor = None, limit: api.Limit = 50
) -> api.Page[FederationView]:
    rows = await queries.federations(
        session, caller.divisions, after=after_id(cursor), limit=limit + 1
    )
    return page(rows, limit, "federation_id", FederationView)


@routes.post("/federations/{federation_id}/managers", status_code=201, summary="Enter a manager")
async def add_manager(
    session: SessionDep, caller: Writer, federation_id: UUID, body: ManagerIn
) -> list[ManagerView]:
    """Their families are not the federation's beneficiaries while they are in office."""
    await actions.add_manager(session, caller, federation_id, **dict(body))
    return await _managers(session, caller, federation_id)


@routes.get("/federations/{federation_id}/managers", summary="Who runs a federation, ever")
async def managers(session: SessionDep, caller: Reader, federation_id: UUID) -> list[ManagerView]:
    row = await _federation(session, caller, federation_id)
    await _note_reading(session, caller, [row], "charity_manager", "federation_id")
    return await _managers(session, caller, federation_id)


@routes.post("/managers/{manager_id}/end", summary="A manager leaves office")
async def end_manager(
    session: SessionDep, caller: Writer, manager_id: UUID, body: ManagerEnd
) -> list[ManagerView]:
    """409 ``manager_ended``; 422 ``before_start``."""
    federation_id = await actions.end_manager(session, caller, manager_id, body.until_on)
    return await _managers(session, caller, federation_id)


@routes.post("/federations/{federation_id}/donors", status_code=201, summary="Enter a donor")
async def add_donor(
    session: SessionDep, caller: Writer, federation_id: UUID, body: DonorIn
) -> DonorView:
    donor_id = await actions.add_donor(session, caller, federation_id, **dict(body))
    return await _donor(session, caller, donor_id)


@routes.get("/donors/{donor_id}", summary="A donor, masked without pii:read")
async def donor(session: SessionDep, caller: Reader, donor_id: UUID) -> DonorView:
    found = await _donor(session, caller, donor_id)
    await audit.record(
        session,
        caller,
        action="charity_donor.read",
        subject_type="charity_donor",
        subject_id=donor_id,
        division_code=found.division_code,
    )
    return found


@routes.post(
    "/federations/{federation_id}/donations", status_code=201, summary="Receipt a donation"
)
async def receive(
    session: SessionDep, caller: Writer, federation_id: UUID, body: GiftIn
) -> DonationDetail:
    """Numbered by the federation without gaps. 409 ``voucher_receipted``; 422 with every fault."""
    donation_id = await actions.receive(session, caller, federation_id, _gift(body))
    return await _donation(session, caller, donation_id)


@routes.get("/federations/{federation_id}/donations", summary="Receipts by number")
async def donations(
    session: SessionDep,
    caller: Reader,
    federation_id: UUID,
    cursor: AskedCursor = None,
    limit: api.Limit = 50,
) -> api.Page[DonationView]:
    await _federation(session, caller, federation_id)
    rows = await queries.donations(
        session, federation_id, caller.divisions, after=after_id(cursor), limit=limit + 1
    )
    await _note_reading(session, caller, rows[:limit], "charity_donation", "donation_id")
    return page(await showing.donations(session, rows), limit, "donation_id", DonationView)


@routes.get("/donations/{donation_id}", summary="A receipt, what is left of it, who was told")
async def donation(session: SessionDep, caller: Reader, donation_id: UUID) -> DonationDetail:
    found = await _donation(session, caller, donation_id)
    await audit.record(
        session,
        caller,
        action="charity_donation.read",
        subject_type="charity_donation",
        subject_id=donation_id,
        division_code=found.division_code,
    )
    return found


@routes.post("/donations/{donation_id}/correct", status_code=201, summary="Correct a receipt")
async def correct(
    session: SessionDep, caller: Writer, donation_id: UUID, body: GiftIn
) -> DonationDetail:
    """A new receipt takes its place. 409 ``donation_corrected``, ``donation_allocated``."""
    corrected = await actions.correct(session, caller, donation_id, _gift(body))
    return await _donation(session, caller, corrected)


@routes.post("/donations/{donation_id}/earmark-changes", summary="Change what a gift is for")
async def change_earmark(
    session: SessionDep, caller: Writer, donation_id: UUID, body: EarmarkChangeIn
) -> DonationDetail:
    """On the donor's consent, or from the 61st day on after an announcement."""
    await actions.change_earmark(
        session,
        caller,
        donation_id,
        Earmark(**dict(body.earmark)),
        ground=body.ground,
        document=body.document,
        announced_on=body.announced_on,
    )
    return await _donation(session, caller, donation_id)


@routes.post("/donations/{donation_id}/feedback", status_code=201, summary="Tell the donor")
async def tell_donor(session: SessionDep, caller: Writer, donation_id: UUID) -> DonationDetail:
    """What it was used for, for how many households, up to today; without a name."""
    await actions.tell_donor(session, caller, donation_id)
    return await _donation(session, caller, donation_id)


@routes.get("/federations/{federation_id}/balance", summary="A period's books")
async def balance(
    session: SessionDep, caller: Reader, federation_id: UUID, from_on: date, to_on: date
) -> BalanceView:
    """Both days count; 422 ``period_empty`` where the last lies before the first.

    403 ``division_not_covered`` for a token that does not see all that the federation helps in.
    """
    row = await _federation(session, caller, federation_id)
    actions.need_whole(caller, row["division_code"])
    if to_on < from_on or to_on >= date.max:
        refuse_if([fault("to_on", "period_empty", "截止日期不能早于开始日期")])
    sums = accounts.balance(
        await queries.flows(session, federation_id, from_on),
        await queries.flows(session, federation_id, to_on + timedelta(days=1)),
    )
    period = {"federation_id": federation_id, "from_on": from_on, "to_on": to_on}
    return BalanceView.model_validate(period | asdict(sums))


@routes.get("/federations/{federation_id}/publication", summary="A year's receipts for the public")
async def publication(
    session: SessionDep,
    caller: Reader,
    federation_id: UUID,
    *,
    year: Year,
    cursor: AskedCursor = None,
    limit: api.Limit = 100,
) -> api.Page[PublishedReceipt]:
    """By receipt number, corrected ones left out; no person is named."""
    await _federation(session, caller, federation_id)
    after = 0 if cursor is None else api.decode_cursor(cursor, int)[0]
    rows = await queries.receipts_of_year(
        session, federation_id, year, after=after, limit=limit + 1
    )
    shown = await showing.published_page(session, rows)
    return page(shown, limit, "receipt_no", PublishedReceipt)


def _gift(body: GiftIn) -> Gift:
    return Gift(**dict(body) | {"earmark": Earmark(**dict(body.earmark))})


async def _federation(session: AsyncSession, caller: Caller, federation_id: UUID) -> RowMapping:
    row = await queries.federation_by_id(session, federation_id, caller.divisions)
    if row is None:
        raise NotFound("federation_unknown", f"no charity federation {federation_id}")
    return row


async def _managers(
    session: AsyncSession, caller: Caller, federation_id: UUID
) -> list[ManagerView]:
    rows = await queries.managers_of(session, federation_id, caller.divisions)
    return [ManagerView.model_validate(row) for row in rows]


async def _donor(session: AsyncSession, caller: Caller, donor_id: UUID) -> DonorView:
    row = await queries.donor_by_id(session, donor_id, caller.divisions)
    if row is None:
        raise NotFound("donor_unknown", f"no donor {donor_id}")
    return DonorView.model_validate(showing.donor(caller, row))


async def _donation(session: AsyncSession, caller: Caller, donation_id: UUID) -> DonationDetail:
    found = await queries.donations_by_id(session, [donation_id], caller.divisions)
    if donation_id not in found:
        raise NotFound("donation_unknown", f"no donation {donation_id}")
    (shown,) = await showing.donations(session, list(found.values()))
    told = [dict(row) for row in await queries.feedback_of(session, donation_id)]
    return DonationDetail.model_validate({**shown, "feedback": told})


async def _note_reading(
    session: AsyncSession,
    caller: Caller,
    rows: Sequence[RowMapping] | Sequence[dict[str, Any]],
    kind: str,
    key: str,
) -> None:
    await audit.record_rows(
        session, caller, rows, action=f"{kind}.read", subject_type=kind, subject=key
    )
