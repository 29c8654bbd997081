"""Placements ordered and ended the way an officer does it."""

from typing import Any

import httpx

from shared import clock
from shared.contracts.registry import Member


async def place(client: httpx.AsyncClient, person: Member, **order: Any) -> httpx.Response:
    asked = {
        "person_id": str(person.person_id),
        "kind": "contract",
        "from": str(clock.today()),
    } | order
    return await client.post("/v1/placements", json=asked)


async def placed(client: httpx.AsyncClient, person: Member, **order: Any) -> dict[str, Any]:
    answer = await place(client, person, **order)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def end(
    client: httpx.AsyncClient, placement_id: str, *, etag: str = '"1"', **body: Any
) -> httpx.Response:
    asked = {"ended_on": str(clock.today()), "reason": "dismissed"} | body
    return await client.post(
        f"/v1/placements/{placement_id}/end", json=asked, headers={"If-Match": etag}
    )
