"""Contacts are entered, found and ended; without a data steward nothing is imported (C59, C61)."""

import asyncio
from decimal import Decimal
from typing import Any

import httpx
import pytest

from services.registry.stewards.actions import require_steward
from shared.errors import Conflict
from tests.registry.conftest import OfficeOf
from tests.registry.filing import OTHER_TOWNSHIP, Office, Registry, person, problem
from tests.registry.told import VILLAGE

RIGHTS = "registry.contacts:read registry.contacts:write"
LIAISON = {
    "role": "liaison",
    "division_code": "331124",
    "bureau": "civil_affairs",
    "unit": "松阳县民政局",
    "officer_id": "o77",
    "name": "王联络",
    "phone": "0578-8061234",
}


async def appoint(office: Office, **given: Any) -> httpx.Response:
    return await office.client.post("/v1/contacts", json=LIAISON | given)


async def listed(office: Office, **query: Any) -> list[dict[str, Any]]:
    answer = await office.client.get("/v1/contacts", params={"limit": 200} | query)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def test_a_contact_is_in_office_from_its_day_until_its_end(office_of: OfficeOf) -> None:
    office = await office_of(RIGHTS)
    answer = await appoint(office, appointed_on="2026-03-01")
    assert answer.status_code == 201, answer.text
    contact_id = answer.json()["contact_id"]

    async def found(**query: Any) -> list[str]:
        told = await listed(office, role="liaison", **query)
        return [each["phone"] for each in told if each["contact_id"] == contact_id]

    assert await found() == ["05788061234"] or await found() == ["0578-8061234"]
    assert await found(on="2026-02-28") == []
    ended = await office.client.post(
        f"/v1/contacts/{contact_id}/end", json={"ended_on": "2026-04-01"}
    )
    again = await office.client.post(f"/v1/contacts/{contact_id}/end", json={})

    assert ended.status_code == 204, ended.text
    problem(again, 409, "contact_ended")
    assert await found() == []
    assert len(await found(on="2026-03-31")) == 1
    assert await found(on="2026-04-01") == []


async def test_the_same_official_is_entered_once_even_by_two_at_once(office_of: OfficeOf) -> None:
    office = await office_of(RIGHTS)

    both = await asyncio.gather(*(appoint(office, officer_id="o78") for _ in range(2)))

    assert sorted(answer.status_code for answer in both) == [201, 409]


async def test_of_another_county_nothing_is_seen_or_done(
    registry: Registry, office_of: OfficeOf
) -> None:
    office = await office_of(RIGHTS)
    next_door = await office_of(RIGHTS, divisions=("331121",), officer="o9")
    contact_id = (await appoint(office, officer_id="o79")).json()["contact_id"]

    problem(await appoint(next_door, officer_id="o80"), 403, "division_not_yours")
    ending = await next_door.client.post(f"/v1/contacts/{contact_id}/end", json={})
    problem(ending, 404, "contact_not_found")
    assert contact_id not in {each["contact_id"] for each in await listed(next_door)}
    lines = await registry.rows(
        "SELECT action FROM audit_log WHERE subject_id = :id", id=contact_id
    )
    assert "contact.appointed" in {line["action"] for line in lines}


async def test_a_county_is_attended_by_its_own_steward_or_the_citys(
    registry: Registry, office_of: OfficeOf
) -> None:
    city = await office_of(RIGHTS, divisions=("3311",), officer="o5")
    (steward,) = [
        each
        for each in await listed(city, role="data_steward")
        if each["division_code"] == "331100"
    ]
    await gate(registry, VILLAGE)
    await city.client.post(f"/v1/contacts/{steward['contact_id']}/end", json={})

    with pytest.raises(Conflict, match="data_steward"):
        await gate(registry, VILLAGE)
    county = await appoint(city, role="data_steward", division_code="331124")
    assert county.status_code == 201, county.text
    await gate(registry, VILLAGE, OTHER_TOWNSHIP)
    with pytest.raises(Conflict):
        await gate(registry, "331121001001")
    back = await appoint(city, role="data_steward", division_code="331100", officer_id="d2")
    assert back.status_code == 201, back.text


async def gate(registry: Registry, *codes: str) -> None:
    """What an import asks, as a township's clerk, who sees the county's steward all the same."""
    async with registry.api.transaction(divisions=("331124002",)) as session:
        await require_steward(session, codes)


async def test_quality_is_told_by_division(office: Office, office_of: OfficeOf) -> None:
    reader = await office_of(RIGHTS, divisions=("331124212",), officer="o6")
    await office.identified(
        person(insured=True, work="farming"), division_code=OTHER_TOWNSHIP, house_grade="B"
    )
    await office.identified(
        person(), division_code=OTHER_TOWNSHIP, phone=None, account=None, causes=[]
    )

    answer = await reader.client.get("/v1/data-quality", params={"by": "township"})

    (told,) = answer.json()
    assert (told["division_code"], told["households"], told["people"]) == ("331124212", 2, 2)
    shares = {name: Decimal(value) for name, value in told["shares"].items()}
    assert shares == {
        "id_numbers": 100,
        "insured_stated": 50,
        "work_stated": 50,
        "phones": 50,
        "accounts": 50,
        "causes": 50,
        "house_grades": 50,
        "guarantees": 0,
    }
    assert Decimal(told["score"]) == Decimal("50.00")
