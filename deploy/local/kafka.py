"""The embedded broker: one real Apache Kafka node in KRaft mode, run from its jars.

The jars are fetched once with Maven into a cache outside the tree; so is the class-data archive
that the first clean stop leaves behind and that makes later starts faster.
"""

import asyncio
import contextlib
import hashlib
import os
import shutil
import subprocess
import uuid
from base64 import urlsafe_b64encode
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from deploy.local import failures
from deploy.local.processes import Processes, Program, run, write_whole

NAME = "kafka"
POM = Path(__file__).resolve().parents[1] / "kafka" / "pom.xml"
VERSION = "4.1.1"
_START_SECONDS = 90.0
_STOP_SECONDS = 30.0
LOG_CONFIG = POM.with_name("log4j2.properties")

COMMON_PROPERTIES = """\
process.roles=broker,controller
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
auto.create.topics.enable=false
offsets.topic.num.partitions=4
transaction.state.log.num.partitions=1
group.initial.rebalance.delay.ms=0
log.cleaner.dedupe.buffer.size=4194304
num.network.threads=2
num.io.threads=4
background.threads=2
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=3000
"""
"""Of every small broker. One that was killed may come back only when its old session has run out:
3 s here, 9 s by default."""
FOR_TESTS = """\
log.index.size.max.bytes=262144
log.segment.delete.delay.ms=1000
"""
_ALONE = """\
node.id=1
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.quorum.bootstrap.servers=127.0.0.1:{controller_port}
log.dirs={folder}/data
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
"""


class KafkaBroker:
    """One broker in one folder. ``prepare`` formats the folder, ``start`` runs the process."""

    def __init__(
        self,
        folder: Path,
        processes: Processes,
        *,
        port: int,
        controller_port: int,
        for_tests: bool = False,
    ) -> None:
        self.folder = folder.resolve()
        self.address = f"127.0.0.1:{port}"
        self._processes = processes
        self._properties = self.folder / "server.properties"
        self._text = COMMON_PROPERTIES + _ALONE.format(
            port=port, controller_port=controller_port, folder=self.folder
        )
        self._text += FOR_TESTS if for_tests else ""
        self._keep_archive = not for_tests

    @staticmethod
    def forget(folder: Path) -> None:
        """Drop a broker's records: they belong to databases that are no more."""
        if folder.exists():
            shutil.rmtree(folder)

    async def prepare(self) -> bool:
        """Format the data folder if it is not; True when this broker starts without any record.

        A folder that was formatted half keeps nothing worth reading and is made again.
        """
        data = self.folder / "data"
        marker = self.folder / "formatted"
        fresh = not (marker.exists() and (data / "meta.properties").exists())
        write_whole(self._properties, self._text)
        if fresh:
            marker.unlink(missing_ok=True)
            if data.exists():
                shutil.rmtree(data)
            await self._format()
            marker.touch()
        return fresh

    async def start(self) -> None:
        """Start and return when the broker answers a metadata request. Raises CannotStartError."""
        log = self._processes.log_of(NAME)
        log.unlink(missing_ok=True)
        process = self._processes.start(Program(name=NAME, argv=self._command()))
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _START_SECONDS
        while loop.time() < deadline:
            if process.poll() is not None:
                raise failures.from_log("Kafka", log, "did not start")
            if await answers(self.address):
                return
            await asyncio.sleep(0.1)
        raise failures.from_log("Kafka", log, f"gave no answer in {_START_SECONDS:.0f} s")

    async def stop(self) -> None:
        """Stop cleanly; the first clean stop also leaves the class-data archive in the cache."""
        await self._processes.stop(NAME, patience=_STOP_SECONDS)
        fresh = self._archive_in_the_making()
        if fresh.exists():
            fresh.replace(archive())

    def _command(self) -> list[str | Path]:
        if archive().exists():
            sharing = [f"-XX:SharedArchiveFile={archive()}", "-Xshare:auto", "-Xlog:cds=off"]
        elif self._keep_archive:
            sharing = [f"-XX:ArchiveClassesAtExit={self._archive_in_the_making()}"]
        else:
            sharing = []
        return [
            java(),
            "-Xms128m",
            "-Xmx320m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-Djava.awt.headless=true",
            f"-Dlog4j2.configurationFile={LOG_CONFIG}",
            *sharing,
            "-cp",
            f"{jars()}/*",
            "kafka.Kafka",
            self._properties,
        ]

    def _archive_in_the_making(self) -> Path:
        return archive().with_suffix(
            f".{hashlib.sha256(str(self.folder).encode()).hexdigest()[:8]}"
        )

    async def _format(self) -> None:
        cluster = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        await run(
            [
                java(),
                "-Xmx128m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                f"-Dlog4j2.configurationFile={LOG_CONFIG}",
                "-cp",
                f"{jars()}/*",
                "kafka.tools.StorageTool",
                "format",
                f"--cluster-id={cluster}",
                "--standalone",
                "--config",
                self._properties,
            ],
            name="Kafka's format command",
            log=self._processes.log_of("kafka-format"),
        )


def cache() -> Path:
    """Where the jars and the class-data archive live, for every copy of the project."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "bangfu" / f"kafka-{VERSION}"


def jars() -> Path:
    """The folder of the broker's jars; it exists only when whole."""
    return cache() / "lib"


def archive() -> Path:
    """The class-data archive of this Java; another Java makes another."""
    stamp = hashlib.sha256(str(Path(java()).resolve()).encode()).hexdigest()[:12]
    return cache() / f"classes-{stamp}.jsa"


def java() -> str:
    """The Java program. Raises CannotStartError in one line when there is none."""
    return _tool("java", "Java 17 or later")


async def fetch_jars(log: Path) -> None:
    """Bring the jars with Maven unless they are there; seen by others only when complete."""
    if jars().exists():
        return
    maven = _tool("mvn", "Maven, which fetches Kafka's jars once")
    fresh = cache() / f"lib-{os.getpid()}"
    try:
        await run(
            [
                maven,
                "-q",
                "-B",
                "-f",
                POM,
                "dependency:copy-dependencies",
                "-DincludeScope=runtime",
                f"-DoutputDirectory={fresh}",
            ],
            name="Maven (Kafka's jars; does this machine reach a Maven repository?)",
            log=log,
        )
        try:
            fresh.rename(jars())
        except OSError:  # another start was faster
            if not jars().exists():
                raise
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


async def answers(address: str) -> bool:
    """True when a broker at this address (host:port, or a list of them) answers."""
    if not await _listens(address.split(",", maxsplit=1)[0]):
        return False  # asked first, since the client logs every refused connection as an error
    client = AIOKafkaAdminClient(bootstrap_servers=address, request_timeout_ms=3000)
    try:
        await client.start()
        return bool((await client.describe_cluster())["brokers"])
    except (KafkaError, OSError):
        return False
    finally:
        await client.close()


async def _listens(address: str) -> bool:
    host, _, port = address.strip().rpartition(":")
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(host, int(port)), timeout=3)
    except (OSError, TimeoutError):
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True


def refuse_old_java() -> None:
    """Kafka 4's broker needs Java 17. Raises CannotStartError naming what was found."""
    said = subprocess.run([java(), "-version"], capture_output=True, text=True, check=False)
    # With JAVA_TOOL_OPTIONS set, the first line is about those.
    lines = [line for line in said.stderr.splitlines() if not line.startswith("Picked up ")]
    first = next(iter(lines), "nothing")
    number = first.split('"')[1].split(".")[0] if '"' in first else "0"
    if said.returncode != 0 or not number.isdigit() or int(number) < 17:
        raise failures.CannotStartError(
            f"Kafka needs Java 17 or later and `java -version` says: {first}. Install a newer Java "
            f"(Debian: apt-get install openjdk-17-jre-headless)"
        )


def _tool(name: str, what: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise failures.CannotStartError(
            f"`{name}` is missing ({what}): install it (Debian: apt-get install "
            f"openjdk-17-jre-headless maven), or set KAFKA_BOOTSTRAP_SERVERS to a Kafka of your own"
        )
    return found
