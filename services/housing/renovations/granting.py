"""What an acceptance grants: the subsidy reckoned at the day's parameters (R32), and its event."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.housing.renovations.rules import Method
from services.housing.renovations.subsidies import (
    REGION_FACTOR,
    Rates,
    Work,
    base_key,
    factor_key,
    reckon,
)
from shared import events, parameters
from shared.contracts.assistance import Assistance, AssistanceEvent, AssistanceStatus
from shared.contracts.registry import Category, HouseGrade
from shared.contracts.topics import HOUSING_ASSISTANCE
from shared.errors import Fault, Refused
from shared.parameters import Parameter

PROGRAMME = "house_renovation"
FUND = "county_housing"


async def reckon_subsidy(
    session: AsyncSession, renovation: Mapping[Any, Any], accepted_on: date
) -> tuple[Decimal, dict[str, Any]]:
    """The subsidy of a completed renovation as of the day of acceptance, and its reckoning.

    Raises Refused (``parameter_missing``) naming every key that has no approved value that day.
    """
    work = Work(
        method=Method(renovation["method"]),
        grade=HouseGrade(renovation["appraised_grade"]),
        category=Category(renovation["category"]),
        actual_cost=renovation["actual_cost"],
        accepted_on=accepted_on,
    )
    keys = (base_key(work.method, work.grade), factor_key(work.category), REGION_FACTOR)
    place = renovation["division_code"]
    base, factor, region = await values_on(session, keys, place, accepted_on)
    return reckon(work, Rates(base=base, category_factor=factor, region_factor=region))


async def values_on(
    session: AsyncSession, keys: tuple[str, ...], division_code: str, on: date
) -> list[Parameter]:
    """The approved value of each key on a day. Raises Refused naming all that are missing."""
    found = [await parameters.value_at(session, key, division_code, on) for key in keys]
    faults = [
        Fault(key, "parameter_missing", f"{on}没有已批准的参数{key}，请先录入并批准")
        for key, value in zip(keys, found, strict=True)
        if value is None
    ]
    if faults:
        told = "；".join(fault.message for fault in faults)
        raise Refused("parameter_missing", told, faults=faults)
    return [value for value in found if value is not None]


async def announce(
    session: AsyncSession, renovation: Mapping[Any, Any], status: AssistanceStatus
) -> None:
    """Publish the measure as it stands after the write, at the version just reached."""
    measure = Assistance(
        assistance_id=renovation["renovation_id"],
        household_id=renovation["household_id"],
        programme=PROGRAMME,
        status=status,
        amount=renovation["amount"],
        fund=FUND,
        granted_on=renovation["accepted_on"],
    )
    event = events.NewEvent(
        topic=HOUSING_ASSISTANCE,
        type=AssistanceEvent.ASSISTED,
        subject=renovation["renovation_id"],
        version=renovation["version"],
        payload=measure,
    )
    await events.publish(session, [event])
