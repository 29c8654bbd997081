"""The parameters and the line that the registry judges by, put in force for a test."""

from datetime import date
from decimal import Decimal

from services.registry.means.parameters import ASKED, CYCLES
from services.registry.parameters import DEFINITIONS
from services.registry.standards.handlers import on_standards
from shared import parameters
from shared.auth import Caller
from shared.db import Database
from tests.registry.means.cases import VALUES
from tests.registry.told import (
    standard_event,
)

RULES = {
    "lift.months_between_checks": "6",
    "g4600.line": "4600",
    "g4600.index": "1.0",
    "return.check_working_days": "5",
    "verification.doubt_working_days": "10",
    "verification.report_months": "6",
    "verification.vehicles": "0",
    "verification.dwellings": "2",
    "verification.property_years": "3",
    "verification.business_capital": "0",
    "verification.tax_paid": "0",
    "verification.wage_percent": "10",
    "verification.securities": "10000",
    "verification.medical_self_paid": "20000",
    "verification.living_costs": "6000",
    "leads.visit_working_days": "5",
    "helpers.max_households": "5",
    "helpers.handover_working_days": "10",
    "visits.months_between": "1",
    "tracking.visit_months.first_year": "3",
    "tracking.visit_months.after": "6",
    "visits.alarm_months": "6",
    "reviews.notice_days": "30",
    "reports.income_fall_percent": "0",
    "reports.income_fall_working_days": "20",
    "retention.answer_years": "2",
    "rosters.cut_off_day": "15",
}
MEANS = {key: value for key, value in VALUES.items() if key in ASKED} | dict.fromkeys(CYCLES, "12")


async def know_rules(api: Database, worker: Database) -> None:
    """The city's dibao line, as relief tells it, and its parameters, entered and approved."""
    async with worker.transaction() as session:
        await on_standards(session, [standard_event()])
    one = Caller(sub="c1", officer_id="c1", divisions=("3311",))
    other = Caller(sub="c2", officer_id="c2", divisions=("3311",))
    async with api.transaction(divisions=one.divisions) as session:
        for key, value in (RULES | MEANS).items():
            given = parameters.Entry(
                key=key,
                division_code="331100",
                valid_from=date(2024, 1, 1),
                value=Decimal(value),
                document_number="sample, not official",
                sample=True,
            )
            entered = await parameters.enter(session, one, DEFINITIONS, given)
            await parameters.approve(session, other, entered.parameter_id)
