"""What housing's tests share: parameters put in force, households received, what was published."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx
import orjson
from sqlalchemy import insert, text

from services.housing.households.handlers import on_households
from shared import clock
from shared.contracts.registry import HouseGrade, HouseholdState, State
from shared.db import Database
from shared.identity import new_id
from shared.parameter_values import PARAMETERS
from tests.support.builders import household, household_event

COUNTY = "331124"
SCOPES = (
    "housing.surveys:read housing.surveys:write "
    "housing.renovations:read housing.renovations:write housing.renovations:pay "
    "housing.parameters:read housing.parameters:write housing.parameters:approve"
)
APPLIED_ON = date(2026, 5, 6)
SAMPLE = {
    "house.base.repair.c": "9000",
    "house.base.rebuild.d": "25000",
    "house.base.relocate.d": "25000",
    "house.factor.tekun": "1.2",
    "house.factor.dibao": "1.0",
    "house.factor.dibao_marginal": "0.8",
    "house.factor.expenditure_based": "0.8",
    "house.factor.group_4600": "0.8",
    "house.factor.region": "1.0",
    "house.repeat_years": "10",
}
PARTIES = ["household", "village", "township", "construction"]
ASKED: dict[str, dict[str, Any]] = {
    "appraised": {"appraised_grade": "D"},
    "planned": {"plan_year": 2026},
    "agreed": {"contractor": "松阳县某建筑队"},
    "started": {},
    "checked": {"note": "基础已完成"},
    "completed": {"actual_cost": "22000.00"},
    "accepted": {"parties": PARTIES},
}
"""The stages after the application with what each needs: a D house rebuilt for 22,000."""


async def set_values(
    database: Database,
    values: Mapping[str, str],
    *,
    valid_from: date = date(2026, 1, 1),
    division: str = COUNTY,
) -> None:
    """Approved parameters, as two officers would have made them."""
    given = [
        {
            "parameter_id": new_id(),
            "key": key,
            "division_code": division,
            "valid_from": valid_from,
            "value": Decimal(value),
            "unit": "x",
            "document_number": f"丽建〔{valid_from.year}〕7号",
            "sample": False,
            "entered_by": "o1",
            "entered_at": clock.now(),
            "approved_by": "o2",
            "approved_at": clock.now(),
            "version": 2,
        }
        for key, value in values.items()
    ]
    async with database.transaction() as session:
        await session.execute(insert(PARAMETERS), given)


async def receive(database: Database, *states: HouseholdState, version: int = 1) -> None:
    """These states arrive in one batch, past the consumer's own guard."""
    async with database.transaction() as session:
        await on_households(session, [household_event(s, version=version) for s in states])


def dweller(grade: str | None, **facts: Any) -> HouseholdState:
    """A dibao household in a house of this grade, identified on 2026-03-10."""
    return household(house_grade=None if grade is None else HouseGrade(grade), **facts)


def regraded(state: HouseholdState, grade: str | None, **facts: Any) -> HouseholdState:
    """The same household, its house graded anew."""
    house_grade = None if grade is None else HouseGrade(grade)
    return state.model_copy(update={"house_grade": house_grade, **facts})


def standing(state: HouseholdState, new: State, on: date, **facts: Any) -> HouseholdState:
    """The same household in another state from a day on."""
    period = state.periods[-1].model_copy(update={"valid_from": on, "state": new})
    changes = {"state": new, "effective_from": on, "periods": (*state.periods, period)}
    return state.model_copy(update=changes | facts)


async def rows(database: Database, query: str, **values: Any) -> list[dict[str, Any]]:
    """What a query finds, as its worker sees it."""
    async with database.transaction() as session:
        found = await session.execute(text(query), values)
        return [dict(row) for row in found.mappings()]


async def published(database: Database, ending: str) -> list[dict[str, Any]]:
    """The payloads of the events whose type ends so, each with its version."""
    found = await rows(
        database,
        "SELECT topic, aggregate_version, data FROM events WHERE type LIKE :ending ORDER BY id",
        ending=f"%{ending}.v1",
    )
    return [
        {"topic": row["topic"], "version": row["aggregate_version"], **orjson.loads(row["data"])}
        for row in found
    ]


async def files(database: Database, household_id: UUID) -> list[tuple[str, str, str | None]]:
    """A household's house files: grade, state, cause of closing."""
    found = await rows(
        database,
        "SELECT grade, state, closing_cause FROM dangerous_house_files"
        " WHERE household_id = :id ORDER BY file_id",
        id=household_id,
    )
    return [(row["grade"], row["state"], row["closing_cause"]) for row in found]


async def is_met(database: Database, household_id: UUID) -> tuple[bool, int, str] | None:
    """The guarantee as it stands: met, version, evidence; None where nothing was said."""
    found = await rows(
        database,
        "SELECT met, version, evidence_id FROM guarantees_given WHERE household_id = :id",
        id=household_id,
    )
    return (found[0]["met"], found[0]["version"], found[0]["evidence_id"]) if found else None


async def file_of(database: Database, household_id: UUID) -> UUID:
    """The id of a household's open file."""
    (found,) = await rows(
        database,
        "SELECT file_id FROM dangerous_house_files WHERE household_id = :id AND state = 'open'",
        id=household_id,
    )
    return UUID(str(found["file_id"]))


async def apply_for(
    client: httpx.AsyncClient, file_id: UUID, method: str = "rebuild", **changes: Any
) -> httpx.Response:
    """An application for a renovation of this file."""
    body = {"method": method, "applied_on": APPLIED_ON.isoformat()} | changes
    return await client.post(f"/v1/house-files/{file_id}/renovations", json=body)


async def record(
    client: httpx.AsyncClient, renovation: Mapping[str, Any], stage: str, **changes: Any
) -> httpx.Response:
    """A stage recorded from this revision of the renovation, with what it needs."""
    body = {"stage": stage, "done_on": APPLIED_ON.isoformat(), **ASKED.get(stage, {})} | changes
    return await client.post(
        f"/v1/renovations/{renovation['renovation_id']}/stages",
        json=body,
        headers={"If-Match": f'"{renovation["revision"]}"'},
    )


async def brought_to(
    client: httpx.AsyncClient, renovation: dict[str, Any], last: str, **changes: dict[str, Any]
) -> dict[str, Any]:
    """The renovation after all stages up to ``last``; ``changes`` are by stage."""
    for stage in ASKED:
        answer = await record(client, renovation, stage, **changes.get(stage, {}))
        assert answer.status_code == 200, answer.text
        renovation = answer.json()
        if stage == last:
            break
    return renovation
