"""What makes a lead, and how it may go: open, visited, accepted or dismissed (C5, C21, section 5).

A lead is dismissed only after a visit and with a reason; it is accepted after a visit when the
household agrees or an officer applies for it. Pure.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final
from uuid import UUID

from services.registry.households.admission import contact_faults
from services.registry.households.rules import day_faults, fault, officer_faults
from shared import identity
from shared.contracts.leads import LeadSource, LeadState
from shared.contracts.registry import State
from shared.divisions import Level
from shared.errors import Fault

SERVICES: Final = frozenset({"relief", "housing", "education", "employment", "notify"})
"""The services that report with a token of their own; its ``sub`` is the service's name."""

VISIT_WORKING_DAYS = "leads.visit_working_days"
"""The parameter with the working days within which a lead is visited; policy names 5 [GK]."""

PLACES: frozenset[Level] = frozenset({"county", "township", "village"})
"""Where a lead may lie; one that names the county alone is handed on by the county."""


class Accord(StrEnum):
    """Who applies: the household agrees, or an officer applies for it (section 5)."""

    HOUSEHOLD_AGREES = "household_agrees"
    OFFICER_APPLIES = "officer_applies"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A person who is in no file that the sender knows of; the place is all that must be known."""

    division_code: str
    name: str = ""
    id_number: str | None = None
    phone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a sender says: of a household on file, or of somebody described."""

    source: LeadSource
    reported_on: date
    words: str
    household_id: UUID | None = None
    subject: Subject | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A visit as the officer who made it reports it."""

    visited_on: date
    findings: str


def service_of(sub: str, officer_id: str | None) -> str | None:
    """Which service reports with this token; None for an officer or a system that is no service.

    Example: ``relief`` without an officer is the service relief; with one it is the officer.
    """
    return sub if officer_id is None and sub in SERVICES else None


def report_faults(report: Report, *, today: date) -> list[Fault]:
    """All that is wrong with a report by itself. It is of a household or of a person, not both."""
    faults = day_faults("reported_on", report.reported_on, today=today)
    if not report.words.strip():
        faults.append(fault("text", "text_missing", "须以文字说明反映的情况"))
    if (report.household_id is None) == (report.subject is None):
        faults.append(fault("", "subject_missing", "须写明家庭档案或所反映的人员,二者择一"))
    if report.subject is not None:
        faults += subject_faults(report.subject, on=report.reported_on)
    return faults


def subject_faults(subject: Subject, *, on: date, where: str = "person/") -> list[Fault]:
    """What is wrong with a person described: the ID number (GB 11643) or the phone."""
    faults = contact_faults(subject.phone, None, where)
    if subject.id_number:
        try:
            identity.parse_id_number(subject.id_number, on=on)
        except identity.InvalidIdNumberError as wrong:
            faults.append(fault(f"{where}id_number", wrong.code, wrong.message_zh))
    return faults


def place_faults(level: Level | None, where: str) -> list[Fault]:
    """Why a lead cannot lie in a division of this level; None where nobody knows the division."""
    if level in PLACES:
        return []
    return [fault(where, "division_unknown", "应填写县、乡镇(街道)或村(社区)的区划代码")]


def reportable_faults(state: State) -> list[Fault]:
    """A closed file takes no reports: its people live in another one, or nowhere."""
    if state is not State.CLOSED:
        return []
    return [fault("household_id", "household_closed", "档案已终止,请按人员登记线索")]


def opens_lead(state: State) -> bool:
    """Whether hardship that another service sees opens a lead (C7, C21).

    Example: at a household filed without ever being identified it does; on assistance its
    measures run, and one lifted or struck off gets a return check instead.
    """
    return state is State.ACCEPTED


def visit_faults(
    visit: Visit, *, first_reported_on: date, officer_id: str | None, today: date
) -> list[Fault]:
    """All that speaks against a visit: it is an officer's, after the report, and found something.

    Example: reported on the 10th, a visit of the 10th counts and one of the 9th does not.
    """
    faults = officer_faults(officer_id)
    faults += day_faults("visited_on", visit.visited_on, today=today)
    if visit.visited_on < first_reported_on:
        faults.append(fault("visited_on", "visit_before_report", "走访日期不能早于线索反映日期"))
    if not visit.findings.strip():
        faults.append(fault("findings", "findings_missing", "须以文字写明走访所见"))
    return faults


def dismissal_faults(state: LeadState, reason: str, officer_id: str | None) -> list[Fault]:
    """All that speaks against a dismissal: it takes a visit on record, and a reason."""
    faults = officer_faults(officer_id)
    if state is LeadState.OPEN:
        faults.append(fault("", "visit_missing", "未入户走访的线索不能办结"))
    if not reason.strip():
        faults.append(fault("reason", "reason_missing", "须以文字写明理由"))
    return faults


def acceptance_faults(state: LeadState, household: State, officer_id: str | None) -> list[Fault]:
    """All that speaks against taking a lead as an application.

    An application is of a household that is on file and not identified: whoever was lifted or
    struck off returns under the same file (section 5), whoever is on assistance is reviewed.
    """
    faults = officer_faults(officer_id)
    if state is LeadState.OPEN:
        faults.append(fault("", "visit_missing", "未入户走访的线索不能受理"))
    if household is State.CLOSED:
        faults.append(fault("household_id", "household_closed", "档案已终止,不能受理申请"))
    elif household.on_assistance:
        message = "该户已在帮扶中,请按动态管理办理"
        faults.append(fault("household_id", "household_on_assistance", message))
    elif household is not State.ACCEPTED:
        message = "该户曾脱贫或销号,请按返贫程序办理"
        faults.append(fault("household_id", "household_may_return", message))
    return faults


def household_faults(of_lead: UUID | None, named: UUID | None) -> list[Fault]:
    """Which household an application is of: the lead's own, or the one named where it has none."""
    if of_lead is None and named is None:
        message = "须写明线索所属的家庭档案;尚未建档的先建档"
        return [fault("household_id", "household_missing", message)]
    if of_lead is not None and named not in {None, of_lead}:
        return [fault("household_id", "household_differs", "线索属于另一户")]
    return []


def transfer_faults(
    *, household_id: UUID | None, here: str, there: str, officer_id: str | None
) -> list[Fault]:
    """All that speaks against handing a lead on. One of a household on file moves with its file."""
    faults = officer_faults(officer_id)
    if household_id is not None:
        message = "线索随家庭档案管理,请先迁移档案"
        faults.append(fault("", "lead_follows_household", message))
    if here == there:
        faults.append(fault("division_code", "division_same", "线索已在该区划"))
    return faults
