"""A household by its id with its members: authorised, masked, audited, against the bare join."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from itertools import count, cycle
from uuid import UUID

from tests.bench import county
from tests.bench.http import load, request
from tests.bench.machine import Bench
from tests.bench.row import Goal, Row, Run, Sides

HOUSEHOLDS = 120_000
REQUESTS = 8_000
WARM_UP = 300
_one_each = count()


@asynccontextmanager
async def _open(bench: Bench, scale: float) -> AsyncIterator[Sides]:
    async with bench.database("registry") as database:
        filled = await county.fill(database, int(HOUSEHOLDS * scale))
        settings = bench.surroundings.settings("registry", database, database_pool_size=10)
        headers = bench.tokens.headers(
            scopes="registry.households:read", officer="o1", divisions=(county.COUNTY,)
        )
        looks = _looks(filled.household_ids, headers)
        number = next(_one_each)
        async with (
            bench.api(settings, f"registry-api-read-{number}") as ours,
            bench.app(
                f"baseline-read-{number}",
                "tests.bench.baselines.read:create",
                env={"BASELINE_URL": database.worker_url},
                ready="/ready",
            ) as bare,
        ):
            await load(bench.folder, ours, _some(looks, WARM_UP))
            await load(bench.folder, bare, _some(looks, WARM_UP))

            async def run_ours() -> Run:
                return await load(bench.folder, ours, _some(looks, REQUESTS))

            async def run_bare() -> Run:
                return await load(bench.folder, bare, _some(looks, REQUESTS))

            yield Sides(ours=run_ours, baseline=run_bare)


def _looks(household_ids: Sequence[UUID], headers: dict[str, str]) -> Iterator[bytes]:
    for household_id in cycle(household_ids):
        yield request("GET", f"/v1/households/{household_id}", headers)


def _some(looks: Iterator[bytes], number: int) -> list[bytes]:
    return [next(looks) for _ in range(number)]


ROWS = (
    Row(
        name="read",
        unit="requests/s",
        goal=Goal(at_least=0.6, aim=0.8),
        open=_open,
        figure=2_400,
    ),
)
