"""What every part of relief is asked: nothing of one county is seen from another place.

``names`` fills the paths; ``one`` answers 404 elsewhere, ``lists`` are empty there.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from deploy.local.provision import ServiceDatabase
from shared.db import Database
from tests.conftest import ClientOf
from tests.relief.support import COUNTY, SCOPES

NEIGHBOUR = "331102"
ELSEWHERE: tuple[tuple[str, ...], ...] = ((NEIGHBOUR,), ("331124101",), ())
"""Another county, another township of the same one, a token without divisions."""


async def nothing_is_seen(
    relief: ServiceDatabase,
    client_of: ClientOf,
    names: Mapping[str, Any],
    *,
    one: Sequence[str],
    lists: Sequence[str],
) -> None:
    """At home everything is there; elsewhere nothing is."""
    home = await client_of("relief", relief, scopes=SCOPES, divisions=(COUNTY,))
    for path in (each.format(**names) for each in one):
        assert (await home.get(path)).status_code == 200, f"{path} is there"
    for path in (each.format(**names) for each in lists):
        assert (await home.get(path)).json()["items"], f"{path} has something to leak"
    for divisions in ELSEWHERE:
        stranger = await client_of(
            "relief", relief, scopes=SCOPES, officer="o9", divisions=divisions
        )
        await _hidden_from(stranger, names, one=one, lists=lists)


async def _hidden_from(
    stranger: httpx.AsyncClient,
    names: Mapping[str, Any],
    *,
    one: Sequence[str],
    lists: Sequence[str],
) -> None:
    for path in (each.format(**names) for each in one):
        assert (await stranger.get(path)).status_code == 404, path
    for path in (each.format(**names) for each in lists):
        answer = await stranger.get(path)
        assert (answer.status_code, answer.json()["items"]) == (200, []), path


async def nothing_without_a_filter(api_role: Database, tables: Sequence[str]) -> None:
    """Row-level security alone hides every row of these tables from elsewhere."""
    for table in tables:
        counted = text(f"SELECT count(*) FROM {table}")  # noqa: S608 (the tests' own names)
        async with api_role.transaction(divisions=(COUNTY,)) as session:
            assert await session.scalar(counted), f"{table} holds something to leak"
        for divisions in (*ELSEWHERE, None):
            async with api_role.transaction(divisions=divisions) as session:
                assert await session.scalar(counted) == 0, (table, divisions)


async def out_of_reach(api_role: Database, orders: Sequence[str]) -> None:
    """The api's role may do none of this, at home neither."""
    for order in orders:
        with pytest.raises(ProgrammingError, match="permission denied"):
            async with api_role.transaction(divisions=(COUNTY,)) as session:
                await session.execute(text(order))
