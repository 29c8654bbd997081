"""One run: start, load and harm, heal, re-drive, check, and one line of figures."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from deploy.local import sample
from deploy.local.progress import Show
from tests.ledger import checks, evidence, figures, journal, witness
from tests.ledger.evidence import Evidence
from tests.ledger.faults import foreign_transaction, long_reader
from tests.ledger.journal import Entry, Journal
from tests.ledger.load import File, Load, Plan
from tests.ledger.nemesis import Flow, Nemesis
from tests.ledger.stack import Options, Stack, disks

_FOREIGN_SECONDS = 40.0
_VOLUMES = {"kafka": "1g", "postgresql": "3g"}


@dataclass(frozen=True, kw_only=True)
class Order:
    """What to run. ``calm`` does no harm; ``only`` names the faults to choose from."""

    seed: int
    minutes: float
    nodes: int = 1
    rate: float = 60.0
    calm: bool = False
    only: tuple[str, ...] = ()
    households: int | None = None
    """How many of the county's households are written to; all, unless a few are to be hot."""
    planted: str | None = None
    forgetful: bool = False
    given_up_after: float = 90.0
    """Seconds after which a path that does not flow again is taken for lost."""
    patience: float = 1.0
    """Recovery limits are multiplied by this, for a machine that does other work as well."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a run found: the problems of each check, and its line of figures."""

    problems: dict[str, list[str]]
    line: dict[str, Any]

    @property
    def green(self) -> bool:
        """Nothing was found wrong."""
        return not any(self.problems.values())


async def run(order: Order, home: Path, show: Show) -> Verdict:
    """The whole of it in ``home``, which must be empty. Everything started is stopped."""
    began = time.monotonic()
    async with disks(home, _VOLUMES) as volumes, _stack(order, home, show) as stack:
        await stack.start_services()
        files = (await _county(stack))[: order.households]
        await witness.install(stack)
        flow = Flow(stack, order.given_up_after)
        nemesis = Nemesis(stack, flow, order.seed, volumes=volumes, only=order.only)
        await _trouble(order, stack, nemesis, files)
        poisoned, healed = await _heal(stack, flow)
        entries = journal.read(home / "journal.jsonl")
        recoveries = [each.patiently(order.patience) for each in nemesis.recoveries]
        problems = checks.all_problems(entries, poisoned, healed, recoveries, stack.unexpected)
        if not (order.calm or recoveries):
            problems["F"].append("no fault was done, so nothing was checked")
        line = _line(order, stack, nemesis, entries, healed)
    line["seconds"] = round(time.monotonic() - began)
    line["problems"] = {letter: len(found) for letter, found in problems.items()}
    return Verdict(problems=problems, line=line)


@asynccontextmanager
async def _stack(order: Order, home: Path, show: Show) -> AsyncIterator[Stack]:
    stack = Stack(home, Options(nodes=order.nodes, planted=order.planted), show)
    supervising: asyncio.Task[None] | None = None
    try:
        await stack.start()
        supervising = asyncio.create_task(stack.supervise())
        yield stack
    finally:
        if supervising is not None:
            supervising.cancel()
        await stack.stop()


async def _county(stack: Stack) -> list[File]:
    """The sample county in the registry, and its households as the clients know them."""
    place = stack.layout
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        desk = sample.Desk(place, client)
        await sample.enter_all(desk, stack.show, ("registry", "relief"))
        async with stack.show.step("sample roster of Songyang county") as step:
            await sample.import_roster(desk, place, step)
    connection = await asyncpg.connect(stack.database_url("registry"))
    try:
        rows = await connection.fetch(
            "SELECT subject, convert_from(data, 'UTF8')::jsonb AS state FROM events "
            "WHERE topic = 'registry.households' ORDER BY subject"
        )
    finally:
        await connection.close()
    states = [(row["subject"], json.loads(row["state"])) for row in rows]
    return [File(household_id=subject, village=state["division_code"]) for subject, state in states]


async def _trouble(order: Order, stack: Stack, nemesis: Nemesis, files: list[File]) -> None:
    """Load, faults, a long reader and foreign write transactions, all at once."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    until = loop.time() + order.minutes * 60
    plan = Plan(seed=order.seed, rate=order.rate, forgetful=order.forgetful)
    with Journal(stack.home / "journal.jsonl") as kept:
        async with asyncio.TaskGroup() as everything:
            everything.create_task(Load(stack, plan, kept).run(files, stop))
            everything.create_task(long_reader(stack, stop))
            everything.create_task(_foreign(stack, stop))
            if not order.calm:
                await nemesis.run(until)
            await asyncio.sleep(max(0.0, until - loop.time()))
            stop.set()
    await nemesis.mend()


async def _foreign(stack: Stack, stop: asyncio.Event) -> None:
    """A foreign write transaction is open most of the time."""
    while not stop.is_set():
        with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            await _unless(stop, foreign_transaction(stack, _FOREIGN_SECONDS))
        await _unless(stop, asyncio.sleep(5))


async def _unless(stop: asyncio.Event, work: Awaitable[None]) -> None:
    """Do this, or break it off when ``stop`` is set."""
    doing, stopping = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    await asyncio.wait([doing, stopping], return_when=asyncio.FIRST_COMPLETED)
    for task in (doing, stopping):
        task.cancel()
    await asyncio.gather(stopping, return_exceptions=True)
    with contextlib.suppress(asyncio.CancelledError):
        await doing


async def _heal(stack: Stack, flow: Flow) -> tuple[Evidence, Evidence]:
    """Wait until all has arrived, look, end the poisoning, re-drive, and look again."""
    async with stack.show.step("heal: outboxes empty, nothing lags"):
        for _ in range(3):  # what a listener publishes in answer has its own way to go
            if not flow.flows(await flow.until_again()):
                break
    async with stack.show.step("look at every row and every record"):
        poisoned = await evidence.gather(stack)
    await witness.end_poisoning(stack)
    if any(row["state"] == "parked" for row in poisoned.listeners["notify"].parked):
        async with stack.show.step("re-drive"):
            await stack.command("notify", "events", "redrive", "--all", "--actor", "ledger")
        await flow.until_again()
    return poisoned, await evidence.gather(stack)


def _line(
    order: Order, stack: Stack, nemesis: Nemesis, entries: dict[str, Entry], healed: Evidence
) -> dict[str, Any]:
    return {
        "seed": order.seed,
        "minutes": order.minutes,
        "nodes": order.nodes,
        "planted": order.planted or ("client" if order.forgetful else None),
        "skipped": nemesis.skipped,
        **figures.told(entries, healed, nemesis.recoveries),
        "ended_by_themselves": stack.unexpected,
        "peak_mb": max(stack.peak_memory().values(), default=0),
    }
