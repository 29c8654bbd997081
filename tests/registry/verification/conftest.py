"""Households whose members have signed, ready to be asked about."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from shared import clock
from tests.registry.conftest import OfficeOf
from tests.registry.filing import ALL, VERIFY, Office, Registry, number, person
from tests.registry.verification.sources import Sources, running_sources

WIFE = {"name": "王小芳", "relation": "spouse"}


async def changed(registry: Registry, order: str, *values: Any) -> None:
    """What only time changes, changed as the owner of the tables."""
    owner = await asyncpg.connect(registry.urls.owner_url)
    try:
        await owner.execute("SET bangfu.divisions = ','")
        await owner.execute(order, *values)
    finally:
        await owner.close()


async def ended_yesterday(registry: Registry, authorization_id: str) -> None:
    """Let an authorisation's last day have been yesterday."""
    await changed(
        registry,
        "UPDATE authorizations SET valid_from = $2, valid_to = $2 WHERE authorization_id = $1",
        authorization_id,
        clock.today() - timedelta(days=1),
    )


Loner = Callable[..., Awaitable[str]]


@dataclass
class Desk:
    """A township's desk that verifies: every answer checked."""

    office: Office
    people: dict[str, list[str]] = field(default_factory=dict)

    async def household(self, *members: dict[str, Any], **given: Any) -> str:
        """A household on assistance, of a couple unless members are given; gives its id."""
        couple = (person(), person(**WIFE))
        household_id = await self.office.identified(*(members or couple), **given)
        answer = await self.office.client.get(f"/v1/households/{household_id}")
        self.people[household_id] = [each["person_id"] for each in answer.json()["members"]]
        return household_id

    async def lifted(self, *members: dict[str, Any], **given: Any) -> str:
        """A household of one lifted on 2025-08-01, unless members are given; gives its id."""
        office = self.office
        household_id = await office.long_identified(*(members or (person(),)), **given)
        file = await office.read(household_id)
        self.people[household_id] = [each["person_id"] for each in file["members"]]
        await office.ready_to_lift(household_id)
        await office.decide(household_id, "lift", decided_on="2025-08-01", reason="收入稳定")
        return household_id

    async def signed(self, household_id: str, subject_id: str, **given: Any) -> str:
        """Enter an authorisation that must pass; gives its id."""
        answer = await self.sign(household_id, subject_id, **given)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["authorization_id"])

    async def sign(self, household_id: str, subject_id: str, **given: Any) -> httpx.Response:
        """Enter an authorisation from 2026 to 2030."""
        body = {
            "person_id": subject_id,
            "purpose": "申请低保",
            "signed_on": "2026-01-05",
            "valid_from": "2026-01-05",
            "valid_to": "2030-12-31",
            "document": "松阳-授权-0001",
        }
        where = f"/v1/households/{household_id}/authorizations"
        return await self.office.client.post(where, json=body | given)

    async def all_signed(self, household_id: str) -> dict[str, str]:
        """Everybody signs; gives the authorisation of each person."""
        return {each: await self.signed(household_id, each) for each in self.people[household_id]}

    async def ask(self, household_id: str, **given: Any) -> httpx.Response:
        """Ask for a verification."""
        body = {
            "aid_type": "dibao",
            "purpose": "低保年度复核",
            "from_month": f"{clock.add_months(clock.today(), -11):%Y-%m}",
            "to_month": f"{clock.today():%Y-%m}",
        }
        where = f"/v1/households/{household_id}/verifications"
        return await self.office.client.post(where, json=body | given)

    async def asked(self, household_id: str, **given: Any) -> dict[str, Any]:
        """Ask for a verification, which must pass; gives it as the API shows it."""
        answer = await self.ask(household_id, **given)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def shown(self, verification: dict[str, Any]) -> dict[str, Any]:
        """A verification as it stands now."""
        answer = await self.office.client.get(
            f"/v1/households/{verification['household_id']}"
            f"/verifications/{verification['verification_id']}"
        )
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def obligor(self, household_id: str, **given: Any) -> httpx.Response:
        """Register a son who lives elsewhere."""
        body = {
            "name": "张小山",
            "id_number": number(),
            "relation": "son",
            "person_id": self.people[household_id][0],
        }
        where = f"/v1/households/{household_id}/obligors"
        return await self.office.client.post(where, json=body | given)


@pytest.fixture
async def desk(office_of: OfficeOf) -> Desk:
    """The desk of 331124, without pii:read."""
    return Desk(await office_of(f"{ALL} {VERIFY}"))


@pytest.fixture(scope="module")
async def sources() -> AsyncIterator[Sources]:
    """The reference sources, listening."""
    async with running_sources() as listening:
        yield listening


@pytest.fixture
async def loner(desk: Desk) -> Loner:
    """Files people who live alone and have signed, by their ID number."""

    async def file(id_number: str, **given: Any) -> str:
        household_id = await desk.household(person(id_number=id_number), **given)
        await desk.all_signed(household_id)
        return household_id

    return file
