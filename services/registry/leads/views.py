"""A lead as it is shown: personal data masked, or plain by scope; every look is noted."""

from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.households import sealed as persons
from services.registry.households.views import PLAIN
from services.registry.leads import queries, sealed
from services.registry.leads.rules import Accord
from shared import audit
from shared.auth import Caller
from shared.contracts.leads import LeadSource, LeadState
from shared.errors import NotFound


class LeadOut(BaseModel):
    """A lead without its words; ``due_on`` is the last day for the visit."""

    model_config = ConfigDict(from_attributes=True)

    lead_id: UUID
    household_id: UUID | None
    division_code: str
    source: LeadSource
    state: LeadState
    opened_on: date
    due_on: date | None
    due_provisional: bool
    accord: Accord | None
    decided_on: date | None
    decided_by: str | None
    reason: str


class ReportOut(BaseModel):
    """What one sender said; name, number and phone are masked without the scope pii:read."""

    report_id: UUID
    source: LeadSource
    reported_on: date
    reported_by: str
    text: str
    name: str | None
    id_number: str | None
    phone: str | None
    recorded_at: datetime


class VisitOut(BaseModel):
    """A visit and what it found."""

    visit_id: UUID
    visited_on: date
    officer_id: str
    findings: str
    recorded_at: datetime


class LeadDetail(LeadOut):
    """A lead with its reports and visits, the first ones first."""

    reports: list[ReportOut]
    visits: list[VisitOut]


async def detail(session: AsyncSession, caller: Caller, lead_id: UUID) -> LeadDetail:
    """One lead with all that belongs to it; audited. Raises NotFound out of reach."""
    lead = await queries.one(session, lead_id, divisions=caller.divisions)
    if lead is None:
        raise NotFound("lead_not_found", "no such lead in the caller's divisions")
    plain = caller.can(PLAIN)
    reports = await queries.reports_of(session, lead_id)
    visits = await queries.visits_of(session, lead_id)
    await audit.record(
        session,
        caller,
        action="lead.read",
        subject_type="lead",
        subject_id=lead_id,
        division_code=lead["division_code"],
        detail={"plain": plain},
    )
    return LeadDetail(
        **LeadOut.model_validate(dict(lead)).model_dump(),
        reports=[_report(row, plain=plain) for row in reports],
        visits=[_visit(row) for row in visits],
    )


def _report(row: RowMapping, *, plain: bool) -> ReportOut:
    return ReportOut(
        **{name: row[name] for name in _OF_REPORT},
        text=sealed.show_words(row["text_encrypted"]),
        name=sealed.show_name(row["name_encrypted"], plain=plain),
        id_number=persons.show_id_number(row["id_number_encrypted"], plain=plain),
        phone=persons.show_phone(row["phone_encrypted"], plain=plain),
    )


def _visit(row: RowMapping) -> VisitOut:
    return VisitOut(
        **{name: row[name] for name in _OF_VISIT},
        findings=sealed.show_words(row["findings_encrypted"]),
    )


_OF_REPORT = ("report_id", "source", "reported_on", "reported_by", "recorded_at")
_OF_VISIT = ("visit_id", "visited_on", "officer_id", "recorded_at")
