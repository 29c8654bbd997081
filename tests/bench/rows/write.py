"""A birth is reported: ``POST /v1/households/{id}/members`` of an identified household.

Ours takes it through token, validation, idempotency, row-level security, row lock, rules, archive,
audit and event in one api process; the baseline inserts a person and an outbox row.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import count, cycle, product
from uuid import UUID, uuid4

import asyncpg

from shared import clock
from tests.bench import county
from tests.bench.baselines import write as baseline_write
from tests.bench.http import load, request
from tests.bench.machine import Bench
from tests.bench.row import Goal, Row, Run, Sides

HOUSEHOLDS = 120_000
REQUESTS = 6_000
WARM_UP = 300
SCOPES = "registry.households:read registry.households:write"
_one_each = count()
_SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁"
_GIVEN = "芳秀英丽静敏艳娟霞平燕玲桂红兰凤洁梅"


@asynccontextmanager
async def _open(bench: Bench, scale: float) -> AsyncIterator[Sides]:
    requests = max(int(REQUESTS * scale), 2_000)
    async with bench.database("registry") as database:
        filled = await county.fill(database, int(HOUSEHOLDS * scale))
        settings = bench.surroundings.settings("registry", database, database_pool_size=10)
        headers = bench.tokens.headers(scopes=SCOPES, officer="o1", divisions=(county.COUNTY,))
        births = _births(filled.household_ids, headers)
        async with (
            bench.api(settings, f"registry-api-{next(_one_each)}") as ours,
            _bare(bench, await _event_of(database.worker_url)) as bare,
        ):
            await load(bench.folder, ours, _some(births, WARM_UP))
            await load(bench.folder, bare, _some(births, WARM_UP))

            async def run_ours() -> Run:
                return await load(bench.folder, ours, _some(births, requests))

            async def run_bare() -> Run:
                return await load(bench.folder, bare, _some(births, requests))

            yield Sides(ours=run_ours, baseline=run_bare)


def _births(household_ids: Sequence[UUID], headers: dict[str, str]) -> Iterator[bytes]:
    """One birth a household, then round again; 11,664 names and 30 days, as births differ."""
    today = clock.today()
    body = {
        "relation": "daughter",
        "sex": "female",
        "health": "healthy",
        "insured": True,
    }
    names = cycle(map("".join, product(_SURNAMES, _GIVEN, _GIVEN)))
    days = cycle(range(30))
    while True:
        for household_id in household_ids:
            born = (today - timedelta(days=next(days))).isoformat()
            who = {"name": next(names), "birth_date": born, "valid_from": today.isoformat()}
            own = headers | {"Idempotency-Key": str(uuid4())}
            yield request("POST", f"/v1/households/{household_id}/members", own, body | who)


def _some(births: Iterator[bytes], number: int) -> list[bytes]:
    return [next(births) for _ in range(number)]


async def _event_of(worker_url: str) -> bytes:
    """An event of ours: what the baseline makes durable has as many bytes."""
    connection = await asyncpg.connect(worker_url)
    try:
        data = await connection.fetchval(
            "SELECT data FROM events ORDER BY octet_length(data) OFFSET (SELECT count(*) / 2 "
            "FROM events) LIMIT 1"
        )
    finally:
        await connection.close()
    return bytes(data)


@asynccontextmanager
async def _bare(bench: Bench, event: bytes) -> AsyncIterator[str]:
    name = f"baseline_{uuid4().hex[:12]}"
    place = bench.keep(name, event)
    url = await bench.bare_database(name, baseline_write.TABLES)
    async with bench.app(
        name,
        "tests.bench.baselines.write:create",
        env={"BASELINE_URL": url, "BASELINE_EVENT": str(place)},
        ready="/ready",
    ) as address:
        yield address


ROWS = (
    Row(
        name="write",
        unit="requests/s",
        goal=Goal(at_least=0.5, aim=0.8),
        open=_open,
        figure=2_400,
    ),
)
