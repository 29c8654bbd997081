"""``apply``: housing's group catches up 500,000 household events into its tables.

Housing's own consumer with its own handlers, one member, as it is deployed: the copy of household
and members, the dwelling, the house file, the guarantee and its event. The events are drawn at
random over 120,000 households: four versions each, far apart, so almost nothing collapses in a
batch. The baseline upserts the same bytes into one table.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from shared.contracts.topics import HOUSEHOLDS, HOUSING_ASSISTANCE
from tests.bench import states, topics
from tests.bench.alone import answer_of
from tests.bench.baselines.apply import TABLES
from tests.bench.machine import Bench
from tests.bench.row import Goal, Row, Run, Sides, rate

EVENTS = 500_000
CITY = 120_000
SERVICE = "housing"


@asynccontextmanager
async def _open(bench: Bench, scale: float) -> AsyncIterator[Sides]:
    events = int(EVENTS * scale)
    bootstrap = await bench.kafka()
    async with topics.fresh_topics(bootstrap, (HOUSEHOLDS, HOUSING_ASSISTANCE)) as prefix:
        drawn = states.random_versions(events, int(CITY * scale))
        await topics.fill(
            bootstrap, HOUSEHOLDS, prefix, (states.envelope_of(*each) for each in drawn)
        )

        async def ours() -> Run:
            async with bench.database(SERVICE) as database:
                answer = await answer_of(
                    bench,
                    "tests.bench.programs.consumer",
                    SERVICE,
                    database.worker_url,
                    bootstrap,
                    prefix,
                    events,
                )
            if answer["parked"]:
                raise RuntimeError(f"{answer['parked']} events were parked: the figure is void")
            return rate(events, answer["seconds"])

        async def baseline() -> Run:
            async with bench.database(SERVICE) as database:
                owner = await asyncpg.connect(database.owner_url)
                await owner.execute(TABLES)
                await owner.close()
                answer = await answer_of(
                    bench,
                    "tests.bench.baselines.apply",
                    database.owner_url,
                    bootstrap,
                    prefix + HOUSEHOLDS.name,
                    events,
                )
            return rate(events, answer["seconds"])

        yield Sides(ours=ours, baseline=baseline)


ROWS = (
    Row(
        name="apply",
        unit="events/s",
        goal=Goal(at_least=0.5, aim=0.7),
        open=_open,
        figure=97_000.0,
    ),
)
