"""What the tests of tekun share: households, assessments and places as officers enter them."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx

from shared import clock
from shared.contracts.registry import Category, HouseholdState, Member
from shared.db import Database
from tests.relief.support import live
from tests.support.builders import household

TODAY = clock.today()
ACCOUNT = "201000123456789"
ITEMS = ("eat", "dress", "bed", "toilet", "walk", "bathe")


def tekun_household(**facts: Any) -> HouseholdState:
    """A tekun household of one, identified long enough ago to be paid this month."""
    since = {"effective_from": clock.add_months(clock.month_of(TODAY), -2)}
    return household(**{"category": Category.TEKUN, "wage": "0", **since, **facts})


def person_of(state: HouseholdState) -> Member:
    """Its head."""
    return state.members[0]


def assessment(state: HouseholdState, failed: int = 2, **changes: Any) -> dict[str, Any]:
    """What an officer hands in: the first ``failed`` items are not done."""
    outcomes = {item: "failed" if at < failed else "able" for at, item in enumerate(ITEMS)}
    return {
        "person_id": str(person_of(state).person_id),
        "assessed_on": TODAY.isoformat(),
        "items": outcomes,
        "document_number": "松民评〔2026〕1号",
        **changes,
    }


async def entered(client: httpx.AsyncClient, state: HouseholdState, **given: Any) -> dict[str, Any]:
    """An assessment that waits for its second officer."""
    path = f"/v1/households/{state.household_id}/tekun-assessments"
    answer = await client.post(path, json=assessment(state, **given))
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def confirmed(
    client: httpx.AsyncClient, colleague: httpx.AsyncClient, state: HouseholdState, **given: Any
) -> dict[str, Any]:
    """An assessment by both officers; the household still waits to be settled."""
    waiting = await entered(client, state, **given)
    answer = await colleague.post(f"/v1/tekun-assessments/{waiting['assessment_id']}/confirm")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def institution(
    client: httpx.AsyncClient, colleague: httpx.AsyncClient | None, **changes: Any
) -> str:
    """A registered institution, confirmed where there is a colleague."""
    given = {
        "division_code": "331124001",
        "name": "西屏街道敬老院",
        "bank": "松阳农商银行",
        "account": ACCOUNT,
    }
    answer = await client.post("/v1/tekun-institutions", json=given | changes)
    assert answer.status_code == 201, answer.text
    found = str(answer.json()["institution_id"])
    if colleague is not None:
        signed = await colleague.post(
            f"/v1/tekun-institutions/{found}/confirm", json={"account": ACCOUNT}
        )
        assert signed.status_code == 200, signed.text
    return found


def report(state: HouseholdState, on: date = TODAY, **changes: Any) -> dict[str, Any]:
    """That the head got worse, reported on a day."""
    given = {"person_id": str(person_of(state).person_id), "reason": "worse"}
    return {**given, "reported_on": on.isoformat(), **changes}


def changes_of(state: HouseholdState) -> str:
    """Where changes of a household's people are reported."""
    return f"/v1/households/{state.household_id}/tekun-changes"


def placing(state: HouseholdState, where: str | None, on: date = TODAY) -> dict[str, Any]:
    """A form of support for the head: in an institution, or at home."""
    return {
        "person_id": str(person_of(state).person_id),
        "form": "dispersed" if where is None else "centralised",
        "institution_id": where,
        "valid_from": on.isoformat(),
    }


async def schedule(database: Database, household_id: UUID) -> list[tuple[str, Decimal | None, str]]:
    """A household's tekun schedule as it stands."""
    return await live(database, household_id, "tekun_grants")
