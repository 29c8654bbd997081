"""What a household bore itself within twelve months, told once a year as a hardship (C16)."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert as insert_or_skip
from sqlalchemy.ext.asyncio import AsyncSession

from services.relief.dibao.rules import counted_income
from services.relief.medical import queries
from services.relief.medical.entitlement import Figures, figure_on
from services.relief.medical.figures import figures_over_time
from services.relief.medical.models import MedicalAlarm
from services.relief.medical.queries import Household
from services.relief.medical.rules import ALARM, ALARM_PERCENT, is_alarming
from shared import clock, events, identity
from shared.contracts.assistance import AssistanceEvent, Hardship, HardshipKind
from shared.contracts.topics import RELIEF_ASSISTANCE

MONTHS = 12


async def watch(session: AsyncSession, places: Mapping[UUID, str]) -> int:
    """Tell of those of these households (with their divisions) whose bills have become too much.

    To be called in the transaction that decided on their bills. Returns how many were told; who
    was told this calendar year is not told again.
    """
    if not places:
        return 0
    today = clock.today()
    borne = await queries.borne(session, list(places), clock.add_months(today, -MONTHS), today)
    households = await queries.households(session, borne)
    figures = await figures_over_time(session, set(places.values()), (ALARM, ALARM_PERCENT))
    rows = [
        _row(households[household_id], places[household_id], sum_borne)
        for household_id, sum_borne in sorted(borne.items())
        if household_id in households
        and _alarms(sum_borne, households[household_id], figures[places[household_id]])
    ]
    if not rows:
        return 0
    once = insert_or_skip(MedicalAlarm).on_conflict_do_nothing(
        index_elements=[MedicalAlarm.household_id, MedicalAlarm.year]
    )
    told = set(await session.scalars(once.returning(MedicalAlarm.hardship_id), rows))
    await events.publish(session, [_event(row) for row in rows if row["hardship_id"] in told])
    return len(told)


def _alarms(borne: Decimal, household: Household, figures: Figures) -> bool:
    today = clock.today()
    alarm, percent = (figure_on(figures[key], today) for key in (ALARM, ALARM_PERCENT))
    newest = max(household.periods, key=lambda period: period.valid_from)
    return is_alarming(
        borne,
        alarm=alarm.value if alarm else None,
        percent=percent.value if percent else None,
        yearly_income=counted_income(newest.incomes),
    )


def _row(household: Household, division_code: str, borne: Decimal) -> dict[str, Any]:
    return {
        "hardship_id": identity.new_id(),
        "household_id": household.household_id,
        "division_code": division_code,
        "year": clock.today().year,
        "self_borne": borne,
        "detected_on": clock.today(),
    }


def _event(row: Mapping[str, Any]) -> events.NewEvent:
    return events.NewEvent(
        topic=RELIEF_ASSISTANCE,
        type=AssistanceEvent.HARDSHIP_DETECTED,
        subject=row["hardship_id"],
        version=1,
        payload=Hardship(
            hardship_id=row["hardship_id"],
            household_id=row["household_id"],
            kind=HardshipKind.MEDICAL_EXPENSE,
            detected_on=row["detected_on"],
            amount=row["self_borne"],
        ),
    )
