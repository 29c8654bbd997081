"""How officers and other services report leads, and how townships deal with them (C5, C21)."""

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.registry.leads import actions, queries, views
from services.registry.leads.queries import Wanted
from services.registry.leads.rules import Accord, Report, Subject, Visit
from services.registry.leads.views import LeadDetail, LeadOut
from shared import api
from shared.asked import AskedCursor, AskedDivision, after_id, page, prefixes
from shared.auth import Caller, requires
from shared.contracts.leads import LeadSource, LeadState
from shared.db import SessionDep
from shared.divisions import CODE, county_of

routes = api.router("/v1/leads", tags=["leads"])
Reader = Annotated[Caller, requires("registry.leads:read")]
Writer = Annotated[Caller, requires("registry.leads:write")]
Decider = Annotated[Caller, requires("registry.leads:decide")]
Strict = ConfigDict(extra="forbid")
Words = Annotated[str, Field(max_length=2000)]


class PersonIn(BaseModel):
    """Somebody who is in no file that the sender knows of."""

    model_config = Strict

    division_code: Annotated[str, Field(pattern=CODE)]
    name: Annotated[str, Field(min_length=1, max_length=100)]
    id_number: Annotated[str | None, Field(max_length=40)] = None
    phone: Annotated[str | None, Field(max_length=40)] = None


class ReportIn(BaseModel):
    """What was seen or heard, of a household on file or of a person described."""

    model_config = Strict

    source: LeadSource
    reported_on: date
    text: Words
    household_id: UUID | None = None
    person: PersonIn | None = None


class Reported(BaseModel):
    """The report as stored. ``lead`` is null where it joined one that lies elsewhere."""

    report_id: UUID
    joined: bool
    county: str
    lead: LeadOut | None


class VisitIn(BaseModel):
    """A visit and what it found."""

    model_config = Strict

    visited_on: date
    findings: Words


class DismissalIn(BaseModel):
    """Why nothing follows from the lead."""

    model_config = Strict

    reason: Words


class AcceptanceIn(BaseModel):
    """Who applies, and for which household where the lead does not say it yet."""

    model_config = Strict

    accord: Accord
    household_id: UUID | None = None


class TransferIn(BaseModel):
    """Where the people live."""

    model_config = Strict

    division_code: Annotated[str, Field(pattern=CODE)]


@routes.post("", status_code=201, summary="Report somebody who may be in difficulty")
async def report_lead(session: SessionDep, caller: Writer, body: ReportIn) -> Reported:
    subject = Subject(**dict(body.person)) if body.person else None
    said = Report(
        source=body.source,
        reported_on=body.reported_on,
        words=body.text,
        household_id=body.household_id,
        subject=subject,
    )
    taken = await actions.report(session, caller, said)
    row = await queries.one(session, taken.lead_id, divisions=caller.divisions)
    return Reported(
        report_id=taken.report_id,
        joined=taken.joined,
        county=county_of(taken.division_code),
        lead=LeadOut.model_validate(row) if row else None,
    )


@routes.get("", summary="Leads by division, state and source")
async def list_leads(
    session: SessionDep,
    caller: Reader,
    *,
    division: AskedDivision = None,
    state: LeadState | None = None,
    source: LeadSource | None = None,
    household_id: UUID | None = None,
    cursor: AskedCursor = None,
    limit: api.Limit = 50,
) -> api.Page[LeadOut]:
    wanted = Wanted(
        within=prefixes(division), state=state, source=source, household_id=household_id
    )
    rows = await queries.page(
        session, wanted, divisions=caller.divisions, after=after_id(cursor), limit=limit + 1
    )
    return page(rows, limit, "lead_id", LeadOut)


@routes.get("/{lead_id}", summary="A lead with all that was reported and found")
async def read_lead(session: SessionDep, caller: Reader, lead_id: UUID) -> LeadDetail:
    return await views.detail(session, caller, lead_id)


@routes.post("/{lead_id}/visits", status_code=201, summary="Record a visit")
async def visit_lead(
    session: SessionDep, caller: Writer, lead_id: UUID, body: VisitIn
) -> LeadDetail:
    await actions.visit(session, caller, lead_id, Visit(**dict(body)))
    return await views.detail(session, caller, lead_id)


@routes.post("/{lead_id}/dismiss", summary="End a lead after a visit, with a reason")
async def dismiss_lead(
    session: SessionDep, caller: Decider, lead_id: UUID, body: DismissalIn
) -> LeadDetail:
    await actions.dismiss(session, caller, lead_id, body.reason)
    return await views.detail(session, caller, lead_id)


@routes.post("/{lead_id}/accept", summary="Make a lead the application of a household on file")
async def accept_lead(
    session: SessionDep, caller: Decider, lead_id: UUID, body: AcceptanceIn
) -> LeadDetail:
    await actions.accept(
        session, caller, lead_id, accord=body.accord, household_id=body.household_id
    )
    return await views.detail(session, caller, lead_id)


@routes.post("/{lead_id}/transfer", status_code=204, summary="Hand a lead to the right division")
async def transfer_lead(
    session: SessionDep, caller: Writer, lead_id: UUID, body: TransferIn
) -> None:
    await actions.transfer(session, caller, lead_id, body.division_code)
