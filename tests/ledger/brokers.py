"""One or three real Kafka nodes, with a listener of their own for every service's proxy.

A client is sent on to the address that its listener advertises, so each service's traffic passes
its own proxy, whichever node it goes to.
"""

import asyncio
import os
import shutil
import signal
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.local import kafka
from deploy.local.processes import Processes, Program, run, write_whole

INSIDE = "PLAINTEXT"
_START_SECONDS = 90.0


@dataclass(frozen=True, kw_only=True)
class Ports:
    """A node's ports: its controller, and by listener name what it binds and what it advertises."""

    controller: int
    bound: Mapping[str, int]
    advertised: Mapping[str, int]


class Brokers:
    """A cluster of ``len(nodes)`` combined nodes, each in a folder of ``home``."""

    def __init__(self, home: Path, processes: Processes, nodes: Sequence[Ports]) -> None:
        self.home = home
        self.nodes = nodes
        self._processes = processes
        self._running: dict[int, int] = {}

    @property
    def address(self) -> str:
        """Past every proxy: what the test itself asks."""
        return ",".join(f"127.0.0.1:{node.bound[INSIDE]}" for node in self.nodes)

    def address_of(self, listener: str) -> str:
        """What a service is told: its proxies."""
        return ",".join(f"127.0.0.1:{node.advertised[listener]}" for node in self.nodes)

    async def prepare(self) -> None:
        """Format every node's folder for one new cluster."""
        await kafka.fetch_jars(self._processes.log_of("maven"))
        cluster = _random_id()
        directories = [_random_id() for _ in self.nodes]
        voters = ",".join(
            f"{number}@127.0.0.1:{node.controller}:{directory}"
            for number, (node, directory) in enumerate(zip(self.nodes, directories, strict=True))
        )
        for number in range(len(self.nodes)):
            write_whole(self._file(number), self._properties(number))
            tool = ["kafka.tools.StorageTool", "format", f"--cluster-id={cluster}"]
            await run(
                [
                    *_java("-Xmx128m"),
                    *tool,
                    f"--initial-controllers={voters}",
                    "--config",
                    self._file(number),
                ],
                name="Kafka's format command",
                log=self._processes.log_of("kafka-format"),
            )

    async def start(self, *numbers: int) -> None:
        """Start these nodes (all, when none is named) and return when each answers."""
        chosen = numbers or tuple(range(len(self.nodes)))
        for number in chosen:
            archive = kafka.archive()
            sharing = [f"-XX:SharedArchiveFile={archive}"] if archive.exists() else []
            program = Program(
                name=f"kafka-{number}",
                argv=[
                    *_java("-Xms128m", "-Xmx320m", *sharing, "-Xlog:disable"),
                    "kafka.Kafka",
                    self._file(number),
                ],
            )
            self._running[number] = self._processes.start(program).pid
        async with asyncio.timeout(_START_SECONDS):
            for number in chosen:
                address = f"127.0.0.1:{self.nodes[number].bound[INSIDE]}"
                while not await kafka.answers(address):  # noqa: ASYNC110 - Kafka sets no event
                    await asyncio.sleep(0.1)

    def send(self, number: int, what: signal.Signals) -> None:
        """A signal to a node's process."""
        os.kill(self._running[number], what)

    async def gone(self, number: int) -> None:
        """Wait for a node that was told to end, and forget it."""
        await self._processes.stop(f"kafka-{number}")

    def free_disk(self) -> int:
        """Bytes free on the volume of the nodes' data."""
        return shutil.disk_usage(self.home).free

    def _file(self, number: int) -> Path:
        return self.home / f"node-{number}.properties"

    def _properties(self, number: int) -> str:
        node, count = self.nodes[number], len(self.nodes)
        bound = ",".join(f"{name}://127.0.0.1:{port}" for name, port in node.bound.items())
        told = ",".join(f"{name}://127.0.0.1:{port}" for name, port in node.advertised.items())
        names = ",".join(f"{name}:PLAINTEXT" for name in (*node.bound, "CONTROLLER"))
        quorum = ",".join(f"127.0.0.1:{each.controller}" for each in self.nodes)
        copies, least = min(count, 3), min(count, 2)
        return (
            kafka.COMMON_PROPERTIES
            + kafka.FOR_TESTS
            + (
                f"node.id={number}\n"
                f"listeners={bound},CONTROLLER://127.0.0.1:{node.controller}\n"
                f"advertised.listeners={told}\n"
                f"listener.security.protocol.map={names}\n"
                f"controller.quorum.bootstrap.servers={quorum}\n"
                f"log.dirs={self.home}/data-{number}\n"
                f"default.replication.factor={copies}\nmin.insync.replicas={least}\n"
                f"offsets.topic.replication.factor={copies}\n"
                f"transaction.state.log.replication.factor={copies}\n"
                f"transaction.state.log.min.isr={least}\n"
                f"share.coordinator.state.topic.replication.factor={copies}\n"
                f"share.coordinator.state.topic.min.isr={least}\n"
            )
        )


def _random_id() -> str:
    """As Kafka writes its ids; one that begins with a dash would be taken for an option."""
    made = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    return "K" + made[1:]


def _java(*options: str) -> list[str | Path]:
    return [
        kafka.java(),
        *options,
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-Djava.awt.headless=true",
        f"-Dlog4j2.configurationFile={kafka.LOG_CONFIG}",
        "-cp",
        f"{kafka.jars()}/*",
    ]
