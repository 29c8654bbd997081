"""How certificates are issued, printed, looked up and taken back (R21)."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, ConfigDict, Field

from services.registry import pages
from services.registry.certificates import actions, page, queries
from services.registry.certificates.rules import Ground, Issue
from services.registry.households import views
from shared import api, audit
from shared.asked import AskedCursor, AskedDivision, after_id, within
from shared.asked import page as paged
from shared.auth import Caller, requires
from shared.contracts.registry import Category
from shared.db import SessionDep
from shared.errors import NotFound

household_routes = api.router("/v1/households/{household_id}/certificates", tags=["certificates"])
routes = api.router("/v1/certificates", tags=["certificates"])
Reader = Annotated[Caller, requires("registry.certificates:read")]
Writer = Annotated[Caller, requires("registry.certificates:write")]


class IssueIn(BaseModel):
    """A certificate to be issued; ``ground`` is ``first`` or why it takes another's place."""

    model_config = ConfigDict(extra="forbid")

    issued_on: date
    ground: Ground


class WithdrawalIn(BaseModel):
    """When a certificate was taken back, and why."""

    model_config = ConfigDict(extra="forbid")

    withdrawn_on: date
    reason: Annotated[str, Field(max_length=500)]


class CertificateOut(BaseModel):
    """A certificate; ``holds``: it has not ended, and the household is still what it says."""

    certificate_id: UUID
    household_id: UUID
    household_no: str
    division_code: str
    number: str
    category: Category
    ground: Ground
    issued_on: date
    issued_by: str
    print_count: int
    ended_on: date | None
    ended_by: str | None
    end_reason: str
    holds: bool


@household_routes.post("", status_code=201, summary="Issue a certificate")
async def issue(
    session: SessionDep, caller: Writer, household_id: UUID, body: IssueIn
) -> CertificateOut:
    certificate_id = await actions.issue(session, caller, household_id, Issue(**dict(body)))
    return await _one(session, caller, certificate_id)


@household_routes.get("", summary="A household's certificates, the first one first")
async def list_of_household(
    session: SessionDep, caller: Reader, household_id: UUID
) -> list[CertificateOut]:
    await views.looked_at(session, caller, household_id, "household.certificates_read")
    rows = await queries.of_household(session, household_id, divisions=caller.divisions)
    return [_shown(row) for row in rows]


@routes.get("", summary="Certificates by division or number; those to be taken back")
async def list_certificates(
    session: SessionDep,
    caller: Reader,
    *,
    division: AskedDivision = None,
    number: Annotated[str | None, Query(max_length=40)] = None,
    outdated: bool = False,
    cursor: AskedCursor = None,
    limit: api.Limit = 50,
) -> api.Page[CertificateOut]:
    rows = await queries.page(
        session,
        within=within(caller, division),
        number=number,
        outdated=outdated,
        after=after_id(cursor),
        limit=limit + 1,
    )
    await audit.record_rows(
        session,
        caller,
        rows[:limit],
        action="certificate.listed",
        subject_type="household",
        subject="household_id",
    )
    shown = [dict(row) | {"holds": queries.holds(row)} for row in rows]
    return paged(shown, limit, "certificate_id", CertificateOut)


@routes.post("/{certificate_id}/withdraw", summary="Note that a certificate was taken back")
async def withdraw(
    session: SessionDep, caller: Writer, certificate_id: UUID, body: WithdrawalIn
) -> CertificateOut:
    await actions.withdraw(session, caller, certificate_id, **dict(body))
    return await _one(session, caller, certificate_id)


@routes.post(
    "/{certificate_id}/print",
    summary="Print a certificate: a Chinese page; every print is counted",
    response_class=HTMLResponse,
)
async def print_certificate(
    session: SessionDep, caller: Writer, certificate_id: UUID
) -> HTMLResponse:
    await actions.count_print(session, caller, certificate_id)
    row = await queries.one(session, certificate_id, divisions=caller.divisions)
    return HTMLResponse(await page.printed(session, caller, dict(row or {})), headers=pages.HEADERS)


async def _one(session: SessionDep, caller: Caller, certificate_id: UUID) -> CertificateOut:
    row = await queries.one(session, certificate_id, divisions=caller.divisions)
    if row is None:
        raise NotFound("certificate_not_found", "no such certificate in the caller's divisions")
    return _shown(row)


def _shown(row: Mapping[Any, Any]) -> CertificateOut:
    return CertificateOut.model_validate(dict(row) | {"holds": queries.holds(row)})
