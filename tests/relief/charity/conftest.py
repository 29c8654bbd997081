"""A county's federation, its officers, a household it may help, and how they are asked."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pytest

from deploy.local.provision import ServiceDatabase
from shared import clock
from shared.contracts.registry import HouseholdState
from shared.db import Database
from tests.conftest import ClientOf
from tests.relief.support import COUNTY, SCOPES, receive
from tests.support.builders import household, member

Give = Callable[..., Awaitable[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Books:
    """A federation's officers: ``o1`` proposes, ``o2`` decides; everything by the real routes."""

    client: httpx.AsyncClient
    decider: httpx.AsyncClient
    federation_id: str

    async def give(self, amount: str = "100.00", **changes: Any) -> dict[str, Any]:
        """A donation of money received today; arguments replace parts of its body."""
        body = {"kind": "cash", "amount": amount, "received_on": clock.today().isoformat()}
        answer = await self.client.post(
            f"/v1/charity/federations/{self.federation_id}/donations", json=body | changes
        )
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def propose(self, *lines: tuple[str, str], **changes: Any) -> httpx.Response:
        """Help proposed from these donations; ``household_id`` is to be named."""
        body = {
            "purpose": "living",
            "month": f"{clock.today():%Y-%m}",
            "words": "过冬棉被与慰问金",
            "declared_relation": "none",
            "lines": [{"donation_id": each, "amount": yuan} for each, yuan in lines],
        }
        return await self.client.post(
            f"/v1/charity/federations/{self.federation_id}/allocations", json=body | changes
        )

    async def proposed(self, *lines: tuple[str, str], **changes: Any) -> str:
        """The id of help that was proposed."""
        answer = await self.propose(*lines, **changes)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["allocation_id"])

    async def decide(self, allocation_id: str, **changes: Any) -> httpx.Response:
        """The colleague approves, unless told otherwise."""
        body = {"approve": True} | changes
        return await self.decider.post(f"/v1/charity/allocations/{allocation_id}/decide", json=body)

    async def hand_over(self, allocation_id: str, **changes: Any) -> httpx.Response:
        """Handed over today, signed for."""
        body = {
            "handed_over_on": clock.today().isoformat(),
            "received_by": "王小明",
            "proof": "signature",
            "proof_reference": "签收单2026-17",
        } | changes
        return await self.client.post(
            f"/v1/charity/allocations/{allocation_id}/hand-over", json=body
        )

    async def helped(self, *lines: tuple[str, str], **changes: Any) -> str:
        """Help that was proposed, approved and handed over."""
        allocation_id = await self.proposed(*lines, **changes)
        assert (await self.decide(allocation_id)).status_code == 200
        assert (await self.hand_over(allocation_id)).status_code == 200
        return allocation_id

    async def balance(self, **period: str) -> dict[str, str]:
        """The books from 2020 up to today, or of a period."""
        asked = {"from_on": "2020-01-01", "to_on": clock.today().isoformat()} | period
        answer = await self.client.get(
            f"/v1/charity/federations/{self.federation_id}/balance", params=asked
        )
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def donation(self, donation_id: str) -> dict[str, Any]:
        """One receipt as it stands."""
        return dict((await self.client.get(f"/v1/charity/donations/{donation_id}")).json())


@pytest.fixture
async def books(relief: ServiceDatabase, client: httpx.AsyncClient, client_of: ClientOf) -> Books:
    """The sample county's federation."""
    decider = await client_of("relief", relief, scopes=SCOPES, officer="o2", divisions=(COUNTY,))
    body = {"division": COUNTY, "name": "松阳县慈善总会"}
    founded = await client.post("/v1/charity/federations", json=body)
    assert founded.status_code == 201, founded.text
    return Books(client, decider, founded.json()["federation_id"])


@pytest.fixture
async def home(worker: Database) -> HouseholdState:
    """A dibao household of two in the sample county."""
    state = household(members=[member(), member()])
    await receive(worker, state)
    return state


def person_of(state: HouseholdState) -> UUID:
    """Somebody who lives there."""
    return state.members[0].person_id
