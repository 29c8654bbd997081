"""``propagation``: from the commit of a write to the commit in each listener's database.

All six services run. Writes come at 300 and at 500 a second, each a household's event in a
transaction of its own; a deferred trigger in the registry's and in every listener's database
notes the clock as the transaction commits, on the same machine. Every write is counted in all
five listeners, when its version or a newer one is there. The baseline sends and reads bare
records at the same rate through the same broker while the services idle.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from deploy.local import topics
from shared.contracts.topics import HOUSEHOLDS, Topic
from tests.bench.alone import answer_of
from tests.bench.machine import Bench
from tests.bench.pacing import percentile
from tests.bench.programs.writer import PREPARE
from tests.bench.row import Goal, Opening, Row, Run, Sides
from tests.bench.six import Six, six_services
from tests.support.waiting import until

SECONDS = 15
WARM_UP = 3
_BYTES = 1_900
"""Value and headers of the household events that ours carries."""


def _opening(per_second: int) -> Opening:
    @asynccontextmanager
    async def opened(bench: Bench, _scale: float) -> AsyncIterator[Sides]:
        async with six_services(bench) as six:
            await _prepare(six)

            async def ours() -> Run:
                return await _propagate(bench, six, per_second)

            async def baseline() -> Run:
                answer = await answer_of(
                    bench,
                    "tests.bench.baselines.propagation",
                    six.bootstrap,
                    six.prefix + "bench.bare",
                    per_second,
                    SECONDS,
                    _BYTES,
                )
                return _run(answer["p50"], answer["p99"])

            yield Sides(ours=ours, baseline=baseline)

    return opened


def _run(p50: float, p99: float, **more: float) -> Run:
    figures = {"p50 ms": p50 * 1e3, **more}
    return Run(value=p99 * 1e3, cost=p99, seconds=float(SECONDS), more=figures)


async def _propagate(bench: Bench, six: Six, per_second: int) -> Run:
    for service in ("registry", *HOUSEHOLDS.listeners):
        await _execute(six, service, "TRUNCATE bench_seen")
    answer = await answer_of(
        bench,
        "tests.bench.programs.writer",
        six.databases["registry"].worker_url,
        per_second,
        SECONDS + WARM_UP,
    )
    wanted = await _commits(six)
    first = min(wanted.values()) + WARM_UP
    delays: list[float] = []
    for service in HOUSEHOLDS.listeners:
        seen = await _all_seen(six, service, wanted)
        delays += [seen[each] - at for each, at in wanted.items() if at >= first]
    return _run(
        percentile(delays, 50),
        percentile(delays, 99),
        **{"writes/s": len(wanted) / answer["seconds"], "slowest ms": max(delays) * 1e3},
    )


async def _commits(six: Six) -> dict[tuple[str, int], float]:
    """When each version was committed in the registry."""
    connection = await asyncpg.connect(six.databases["registry"].owner_url)
    rows = await connection.fetch(_SEEN)
    await connection.close()
    return {(household, version): at for household, version, at in rows}


async def _all_seen(
    six: Six, service: str, wanted: dict[tuple[str, int], float]
) -> dict[tuple[str, int], float]:
    """When each of these versions, or a newer one of its household, was committed there."""
    connection = await asyncpg.connect(six.databases[service].owner_url)
    try:
        newest: dict[str, int] = {}
        for household, version in wanted:
            newest[household] = max(version, newest.get(household, 0))

        async def there() -> bool:
            rows = await connection.fetch(
                "SELECT household_id::text, max(version) FROM bench_seen GROUP BY 1"
            )
            held = dict(map(tuple, rows))
            return all(held.get(household, 0) >= version for household, version in newest.items())

        await until(there, what=f"{service} to have every version", seconds=300, every=0.5)
        rows = await connection.fetch(_SEEN)
    finally:
        await connection.close()
    return _reached(rows, wanted)


def _reached(
    rows: list[asyncpg.Record], wanted: dict[tuple[str, int], float]
) -> dict[tuple[str, int], float]:
    """A version that a newer one overtook in its batch was reached with that newer one."""
    by_household: dict[str, list[tuple[int, float]]] = {}
    for household, version, at in rows:
        by_household.setdefault(household, []).append((version, at))
    return {
        (household, version): next(at for seen, at in by_household[household] if seen >= version)
        for household, version in wanted
    }


async def _prepare(six: Six) -> None:
    await _execute(six, "registry", PREPARE + _TRIGGER.format(table="bench_household"))
    for service in HOUSEHOLDS.listeners:
        await _execute(six, service, _TRIGGER.format(table="household_copy"))
    bare = Topic("bench.bare", writer="registry", listeners=())
    await topics.create(six.bootstrap, prefix=six.prefix, topics=(bare,))


async def _execute(six: Six, service: str, orders: str) -> None:
    connection = await asyncpg.connect(six.databases[service].owner_url)
    await connection.execute(orders)
    await connection.close()


_SEEN = """
    SELECT household_id::text, version, extract(epoch FROM at)::float8 AS at FROM bench_seen
    ORDER BY 1, 2
"""
# Deferred to the end: what is left after it is the commit itself.
_TRIGGER = """
    CREATE TABLE bench_seen (household_id uuid, version bigint, at timestamptz);
    CREATE FUNCTION bench_see() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
    BEGIN
        INSERT INTO bench_seen VALUES (NEW.household_id, NEW.version, clock_timestamp());
        RETURN NULL;
    END $$;
    CREATE CONSTRAINT TRIGGER bench_seen AFTER INSERT OR UPDATE ON {table}
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION bench_see();
"""

ROWS = tuple(
    Row(
        name=f"propagation-{per_second}",
        unit="p99 ms",
        goal=Goal(at_least=6.0, aim=3.0, at_most=True),
        open=_opening(per_second),
        grows=False,
    )
    for per_second in (300, 500)
)
