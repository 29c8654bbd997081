"""``search``: a household found among 1,000,000 people, by a name, an ID number or its own number.

Ours is the query behind ``POST /v1/households/search`` as the registry asks it, in a transaction
that has its caller's divisions, as a role under forced row-level security. The baseline is the bare
indexed query on one prepared statement of a role without it, with no division to keep to. One after
the other, so that a delay is a delay; the figure is the 95th percentile.
"""

import itertools
import random
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from deploy.local.provision import ServiceDatabase
from services.registry.households import finding
from services.registry.households.finding import Filter
from shared.db import Database, successor
from tests.bench import county
from tests.bench.machine import Bench
from tests.bench.row import Goal, Row, Run, Sides

PEOPLE = 1_000_000
SEARCHES = 3_000
WARM_UP = 300
LIMIT = 51
_PEOPLE_A_HOUSEHOLD = 13 / 6
_PERCENTILE = 95
Asked = tuple[str, str | bytes]
Look = Callable[[Asked], Awaitable[int]]


@asynccontextmanager
async def _open(bench: Bench, scale: float) -> AsyncIterator[Sides]:
    households = int(PEOPLE * scale / _PEOPLE_A_HOUSEHOLD) // 1_000 * 1_000
    async with bench.database("registry") as place:
        await county.fill(place, households)
        asked = await _questions(place)
        database = Database(place.api_url, application_name="bench", pool_size=1)
        bare = await asyncpg.connect(place.worker_url)
        prepared = {name: await bare.prepare(order) for name, order in _BARE.items()}

        async def baseline(one: Asked) -> int:
            name, value = one
            bounds = (value, successor(str(value))) if name == "name" else (value,)
            return len(await prepared[name].fetch(*bounds))

        async def run_ours() -> Run:
            async with database.transaction(divisions=(county.COUNTY,)) as session:
                return await _timed(partial(_ours, session), asked)

        async def run_baseline() -> Run:
            return await _timed(baseline, asked)

        try:
            async with database.transaction(divisions=(county.COUNTY,)) as session:
                for one in itertools.islice(asked, WARM_UP):
                    found = await _ours(session, one)
                    if not found or found != await baseline(one):
                        raise RuntimeError(f"the two sides found different households by {one[0]}")
            yield Sides(ours=run_ours, baseline=run_baseline)
        finally:
            await bare.close()
            await database.close()


async def _ours(session: AsyncSession, one: Asked) -> int:
    found = await finding.list_households(
        session, _filter(one), divisions=(county.COUNTY,), after=None, limit=LIMIT
    )
    return len(found)


async def _timed(look: Look, asked: Sequence[Asked]) -> Run:
    taken = []
    began = time.perf_counter()
    for one in itertools.islice(itertools.cycle(asked), SEARCHES):
        started = time.perf_counter()
        await look(one)
        taken.append(time.perf_counter() - started)
    ranked = statistics.quantiles(taken, n=100)
    return Run(
        value=ranked[_PERCENTILE - 1] * 1_000,
        cost=statistics.mean(taken),
        seconds=time.perf_counter() - began,
        more={"p50 ms": ranked[49] * 1_000, "p99 ms": ranked[98] * 1_000},
    )


async def _questions(place: ServiceDatabase) -> list[Asked]:
    """A thousand of each kind, of households all over the county, in no telling order."""
    connection = await asyncpg.connect(place.worker_url)
    asked: list[Asked] = []
    for name, order in _KNOWN.items():
        asked += [(name, row[0]) for row in await connection.fetch(order)]
    await connection.close()
    random.Random(5).shuffle(asked)  # noqa: S311 (an order, no secret)
    return asked


def _filter(one: Asked) -> Filter:
    name, value = one
    if name == "name":
        return Filter(name_prefix=str(value))
    if name == "number":
        return Filter(number=str(value))
    return Filter(id_number_hash=bytes(value) if isinstance(value, bytes) else b"")


_KNOWN = {
    "name": "SELECT name FROM persons ORDER BY md5(person_id::text) LIMIT 1000",
    "id_number": "SELECT id_number_hash FROM persons ORDER BY md5(person_id::text) LIMIT 1000",
    "number": "SELECT household_no FROM households ORDER BY md5(household_id::text) LIMIT 1000",
}
_LISTED = """
    SELECT h.household_id, h.household_no, h.division_code, h.state, h.category, h.n,
        h.effective_from, h.version, h.head_person_id, head.name
    FROM households AS h JOIN persons AS head ON head.person_id = h.head_person_id
"""
_HOLDS = f"""{_LISTED} WHERE h.household_id = ANY (ARRAY(
    SELECT household_id FROM members JOIN persons USING (person_id)
    WHERE left_on IS NULL AND {{person}})) ORDER BY h.household_id LIMIT {LIMIT}"""  # noqa: S608 (own constants)
_BARE = {
    "name": _HOLDS.format(
        person='persons.name COLLATE "C" >= $1 AND persons.name COLLATE "C" < $2'
    ),
    "id_number": _HOLDS.format(person="persons.id_number_hash = $1"),
    "number": f"{_LISTED} WHERE h.household_no = $1",
}

ROWS = (
    Row(
        name="search",
        unit="ms p95",
        goal=Goal(at_least=1.5, aim=1.2, at_most=True),
        open=_open,
    ),
)
