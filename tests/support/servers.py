"""Real servers for the tests, started by the code behind `make up` on free ports."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from deploy.local import kafka, provision
from deploy.local.kafka import KafkaBroker
from deploy.local.postgres import PostgresServer
from deploy.local.processes import Processes
from tests.support.databases import PASSWORDS
from tests.support.ports import free_ports


@asynccontextmanager
async def running_postgres(home: Path, *, durable: bool = False) -> AsyncIterator[str]:
    """A PostgreSQL with the six databases, not yet migrated; gives the superuser's address.

    ``durable`` is with fsync, as in production: tests do without, benchmarks do not.
    """
    processes = Processes(home)
    server = PostgresServer(
        home / "postgres",
        processes,
        port=free_ports(1)[0],
        password="test-superuser",
        durable=durable,
    )
    await server.prepare()
    try:
        await server.start()
        await provision.provision(server.admin_url, PASSWORDS)
        await provision.close_common_databases(server.admin_url)
        yield server.admin_url
    finally:
        await processes.stop()


@asynccontextmanager
async def running_kafka(home: Path) -> AsyncIterator[str]:
    """One real Apache Kafka node; gives its bootstrap address."""
    processes = Processes(home)
    await kafka.fetch_jars(processes.log_of("maven"))
    port, controller_port = free_ports(2)
    broker = KafkaBroker(
        home / "kafka", processes, port=port, controller_port=controller_port, for_tests=True
    )
    await broker.prepare()
    try:
        await broker.start()
        yield broker.address
    finally:
        await processes.stop()
