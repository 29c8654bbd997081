"""``python -m tests.bench.programs.writer RESULT REGISTRY_URL RATE SECONDS``.

Writes of the registry at a steady rate: one household's row under its lock, its event, one
transaction each. What a request costs besides (token, validation, the personal data) is the row
``write``.
"""

import asyncio
import sys
import time

import uvloop
from sqlalchemy import text

from shared.contracts.registry import HouseholdEvent, HouseholdState
from shared.contracts.topics import HOUSEHOLDS
from shared.db import Database
from shared.events import NewEvent, publish
from tests.bench import states
from tests.bench.alone import write_answer
from tests.bench.pacing import paced

CITIZENS = 5_000
AT_ONCE = 10
"""Who comes while so many are under way waits: the rate reached is told beside the delays."""

PREPARE = """
    CREATE TABLE bench_household (household_id uuid PRIMARY KEY, version bigint NOT NULL);
    GRANT ALL ON bench_household TO registry_worker;
"""


async def main(result: str, url: str, rate: str, seconds: str) -> None:
    """Write."""
    database = Database(url, application_name="bench-writer", pool_size=AT_ONCE)
    known = {
        number: HouseholdState.model_validate_json(states.envelope_of(number, 1).data)
        for number in range(CITIZENS)
    }
    free = asyncio.Semaphore(AT_ONCE)
    began = time.perf_counter()
    writing: set[asyncio.Task[None]] = set()
    async for number in paced(int(rate), float(seconds)):
        await free.acquire()
        task = asyncio.create_task(_write(database, known[number % CITIZENS]))
        task.add_done_callback(lambda _: free.release())
        writing.add(task)
        task.add_done_callback(writing.discard)
    await asyncio.gather(*writing)
    took = time.perf_counter() - began
    await database.close()
    write_answer(result, seconds=took)


async def _write(database: Database, state: HouseholdState) -> None:
    async with database.transaction() as session:
        version = await session.scalar(_RAISE, {"id": state.household_id})
        await publish(session, [_event(state, version or 1)])


def _event(state: HouseholdState, version: int) -> NewEvent:
    incomes = state.incomes.model_copy(update={"wage": state.incomes.wage + version})
    return NewEvent(
        topic=HOUSEHOLDS,
        type=HouseholdEvent.IDENTIFIED if version == 1 else HouseholdEvent.CHANGED,
        subject=state.household_id,
        version=version,
        payload=state.model_copy(update={"incomes": incomes}),
        episode=1,
        rule_set=state.rule_set,
        effective_from=state.effective_from,
    )


_RAISE = text("""
    INSERT INTO bench_household AS stored VALUES (:id, 1)
    ON CONFLICT (household_id) DO UPDATE SET version = stored.version + 1 RETURNING version
""")

if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(*sys.argv[1:]))
