"""Every kind of fault, one function each: it does its harm, waits, and leaves things mended.

Each gives the moment from which the path must recover by itself. What a machine cannot do is
named in ``possible`` and skipped by that name.
"""

import asyncio
import os
import random
import shutil
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg

from tests.ledger.proxy import Mode
from tests.ledger.stack import APIS, KAFKA, SERVICES, WORKERS, Stack, service_of

FAST, SLOW = 15.0, 25.0
"""Seconds within which the path must flow again: a broker takes longest."""
_FILLING = 1_000_000


@dataclass(slots=True)
class Harm:
    """What a fault works on: the stack, chance, and whether volumes can be filled."""

    stack: Stack
    chance: random.Random
    volumes: bool
    background: list[asyncio.Task[None]] = field(default_factory=list)

    def worker(self, service: str | None = None) -> str:
        """Any worker, of one service if named."""
        return self.chance.choice([name for name in WORKERS if service in (None, service_of(name))])

    def broker(self) -> int:
        """Any broker node."""
        return self.chance.randrange(len(self.stack.brokers.nodes))


Inflict = Callable[[Harm], Awaitable[str]]


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A kind of fault; ``weight`` is how many of it are in a full deck."""

    name: str
    target: str
    """What it hurts; two faults at a time never hurt the same."""
    inflict: Inflict
    recovers_within: float = FAST
    weight: int = 1
    needs: str = ""
    """``volumes`` or ``clocks``, where a machine may not have them."""


async def kill_relay_owner(harm: Harm) -> str:
    """SIGKILL to the worker that relays; the standby takes over."""
    name = await harm.stack.relay_owner(harm.chance.choice(("registry", "relief")))
    harm.stack.send(name, signal.SIGKILL)
    return name


async def kill_standby(harm: Harm) -> str:
    """SIGKILL to the worker that waits for the relay's lock."""
    owner = await harm.stack.relay_owner("registry")
    name = next(each for each in WORKERS if service_of(each) == "registry" and each != owner)
    harm.stack.send(name, signal.SIGKILL)
    return name


async def kill_consumer(harm: Harm) -> str:
    """SIGKILL to a listener's member."""
    name = harm.worker(harm.chance.choice(("relief", "notify")))
    harm.stack.send(name, signal.SIGKILL)
    return name


async def kill_api(harm: Harm) -> str:
    """SIGKILL to an api under load."""
    name = harm.chance.choice(APIS)
    harm.stack.send(name, signal.SIGKILL)
    return name


async def _freeze(harm: Harm, name: str, seconds: float) -> str:
    harm.stack.send(name, signal.SIGSTOP)
    await asyncio.sleep(seconds)
    harm.stack.send(name, signal.SIGCONT)
    return name


async def freeze_relay_owner(harm: Harm) -> str:
    """SIGSTOP, then a zombie that still believes in its lock."""
    return await _freeze(harm, await harm.stack.relay_owner("registry"), 12)


async def freeze_consumer(harm: Harm) -> str:
    """SIGSTOP for longer than the group's session, so that others have its partitions."""
    return await _freeze(harm, harm.worker(harm.chance.choice(("relief", "notify"))), 15)


async def freeze_api(harm: Harm) -> str:
    """SIGSTOP of an api with requests under way."""
    return await _freeze(harm, harm.chance.choice(APIS), 6)


async def kill_broker(harm: Harm) -> str:
    """SIGKILL to a node, started again after two seconds."""
    number = harm.broker()
    harm.stack.brokers.send(number, signal.SIGKILL)
    await harm.stack.brokers.gone(number)
    await asyncio.sleep(2)
    started = asyncio.ensure_future(harm.stack.brokers.start(number))
    harm.background.append(started)
    return f"node {number}"


async def stop_broker(harm: Harm) -> str:
    """A node told to stop, and started again."""
    number = harm.broker()
    harm.stack.brokers.send(number, signal.SIGTERM)
    await harm.stack.brokers.gone(number)
    harm.background.append(asyncio.ensure_future(harm.stack.brokers.start(number)))
    return f"node {number}"


async def freeze_broker(harm: Harm) -> str:
    """SIGSTOP of a node."""
    number = harm.broker()
    harm.stack.brokers.send(number, signal.SIGSTOP)
    await asyncio.sleep(8)
    harm.stack.brokers.send(number, signal.SIGCONT)
    return f"node {number}"


async def lose_broker(harm: Harm) -> str:
    """A node killed and gone for good while the others carry on; back after the fault is judged."""
    number = harm.broker()
    harm.stack.brokers.send(number, signal.SIGKILL)
    await harm.stack.brokers.gone(number)

    async def back() -> None:
        await asyncio.sleep(30)
        await harm.stack.brokers.start(number)

    harm.background.append(asyncio.ensure_future(back()))
    return f"node {number}"


async def stop_postgres(harm: Harm) -> str:
    """An immediate stop, as after a power cut of the process, and a start with recovery."""
    pid = int((harm.stack.postgres.data / "postmaster.pid").read_text().split()[0])
    os.kill(pid, signal.SIGQUIT)
    await harm.stack.processes.stop("postgresql", patience=20)
    await harm.stack.postgres.start()
    return "all databases"


async def _hop(harm: Harm, mode: Mode, seconds: float) -> str:
    """One hop between two parts; all members of a service together on the way to Kafka."""
    name = harm.chance.choice(sorted(harm.stack.proxies.ports))
    harm.stack.proxies.turn(name, mode)
    await asyncio.sleep(seconds)
    harm.stack.proxies.turn(name, Mode.OPEN)
    return name


async def black_hole(harm: Harm) -> str:
    """Nothing passes a hop and nothing is refused."""
    return await _hop(harm, Mode.BLACK_HOLE, 10)


async def slow_hop(harm: Harm) -> str:
    """200 ms more each way."""
    return await _hop(harm, Mode.SLOW, 8)


async def reset_storm(harm: Harm) -> str:
    """Connections are cut as soon as they are there."""
    return await _hop(harm, Mode.RESET, 5)


async def deaf_hop(harm: Harm) -> str:
    """Requests arrive and are carried out; their answers are lost."""
    return await _hop(harm, Mode.DEAF, 5)


async def deaf_kafka(harm: Harm) -> str:
    """A source's batches are stored and their acknowledgements lost."""
    service = harm.chance.choice(("registry", "relief"))
    hops = [f"{service}>{KAFKA}-{n}" for n in range(len(harm.stack.brokers.nodes))]
    for name in hops:
        harm.stack.proxies.turn(name, Mode.DEAF)
    await asyncio.sleep(4)
    for name in hops:
        harm.stack.proxies.turn(name, Mode.OPEN)
    return hops[0]


async def fill_kafka_disk(harm: Harm) -> str:
    """The broker's volume is full to the last byte for a while; a node that gave up is started."""
    brokers = harm.stack.brokers
    await _fill(brokers.home, 12)
    number = 0
    for number in range(len(brokers.nodes)):
        if harm.stack.processes.pid_of(f"kafka-{number}") is None:
            await brokers.gone(number)
            harm.background.append(asyncio.ensure_future(brokers.start(number)))
    return "every node" if len(brokers.nodes) > 1 else "the node"


async def fill_postgres_disk(harm: Harm) -> str:
    """The database's volume is full; a server that panicked is started again."""
    postgres = harm.stack.postgres
    await _fill(postgres.folder.parent, 10)
    if harm.stack.processes.pid_of("postgresql") is None:
        await postgres.start()
    return "all databases"


async def _fill(folder: Path, seconds: float) -> None:
    ballast = folder / "ballast"
    try:
        await asyncio.to_thread(_write_until_full, ballast)
        deadline = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.5)
            await asyncio.to_thread(_write_until_full, ballast)
    finally:
        ballast.unlink(missing_ok=True)


def _write_until_full(ballast: Path) -> None:
    for size in (_FILLING, 4096):
        try:
            with ballast.open("ab", buffering=0) as file:
                while shutil.disk_usage(ballast.parent).free > 0:
                    file.write(b"\0" * size)
        except OSError:
            continue


async def wrong_clock(harm: Harm) -> str:
    """A worker's clock jumps by two hours, forward or back, and then is right again."""
    name = harm.chance.choice(harm.stack.clocks.CHOSEN)
    hours = harm.chance.choice((2, -2))
    harm.stack.clocks.move(name, hours)
    await asyncio.sleep(10)
    harm.stack.clocks.move(name, 0)
    return f"{name} {hours:+d} h"


async def rebalance(harm: Harm) -> str:
    """A third member joins a group and leaves it."""
    harm.stack.start_extra()
    await asyncio.sleep(8)
    await harm.stack.stop_extra()
    return "relief"


async def replay_history(harm: Harm) -> str:
    """An operator sends every version again: thousands of stale copies among the fresh ones."""
    await harm.stack.command("registry", "events", "replay", "--all-versions", "--actor", "ledger")
    return "registry"


_P, _K, _D, _H = "process", "kafka", "postgresql", "hop"

FAULTS = (
    Fault(name="kill relay owner", target=_P, inflict=kill_relay_owner, weight=2),
    Fault(name="kill standby", target=_P, inflict=kill_standby),
    Fault(name="kill consumer", target=_P, inflict=kill_consumer, weight=2),
    Fault(name="kill api", target=_P, inflict=kill_api, weight=2),
    Fault(name="freeze relay owner", target=_P, inflict=freeze_relay_owner),
    Fault(name="freeze consumer", target=_P, inflict=freeze_consumer),
    Fault(name="freeze api", target=_P, inflict=freeze_api),
    Fault(name="kill broker", target=_K, inflict=kill_broker, recovers_within=SLOW, weight=2),
    Fault(name="stop broker", target=_K, inflict=stop_broker, recovers_within=SLOW),
    Fault(name="freeze broker", target=_K, inflict=freeze_broker, recovers_within=SLOW),
    Fault(name="stop postgresql at once", target=_D, inflict=stop_postgres, weight=2),
    Fault(name="black hole", target=_H, inflict=black_hole, weight=2),
    Fault(name="slow hop", target=_H, inflict=slow_hop),
    Fault(name="reset storm", target=_H, inflict=reset_storm, weight=2),
    Fault(name="lost answers", target=_H, inflict=deaf_hop),
    Fault(name="lost acknowledgements", target=_H, inflict=deaf_kafka),
    Fault(
        name="full broker disk",
        target=_K,
        inflict=fill_kafka_disk,
        recovers_within=SLOW,
        needs="volumes",
    ),
    Fault(name="full database disk", target=_D, inflict=fill_postgres_disk, needs="volumes"),
    Fault(name="wrong clock", target=_P, inflict=wrong_clock, needs="clocks"),
    Fault(name="rebalance", target=_P, inflict=rebalance),
    Fault(name="replay of every version", target=_D, inflict=replay_history),
)
LOSS = Fault(name="loss of a broker", target=_K, inflict=lose_broker, recovers_within=SLOW)
"""For three nodes: the other two carry on without it."""


async def foreign_transaction(stack: Stack, seconds: float) -> None:
    """A write transaction in another database of the same server, open for so long."""
    connection = await asyncpg.connect(stack.admin_url)
    try:
        async with connection.transaction():
            await connection.execute("CREATE TABLE IF NOT EXISTS foreign_work (n int)")
            await connection.execute("INSERT INTO foreign_work VALUES (1)")
            await asyncio.sleep(seconds)
    finally:
        await connection.close()


async def long_reader(stack: Stack, stop: asyncio.Event) -> None:
    """A reader that keeps its snapshot of the registry for the whole run, again after a restart."""
    while not stop.is_set():
        try:
            connection = await asyncpg.connect(stack.database_url(SERVICES[0]))
            try:
                async with connection.transaction(isolation="repeatable_read", readonly=True):
                    await connection.fetchval("SELECT count(*) FROM outbox")
                    while not stop.is_set():
                        await connection.fetchval("SELECT 1")
                        await asyncio.sleep(1)
            finally:
                await connection.close()
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            await asyncio.sleep(1)
