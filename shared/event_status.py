"""``events status``: what is unsent, lagging and parked, and why. Changes nothing."""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from rich.table import Table
from sqlalchemy import text

from shared.command_line import Load, out, with_database
from shared.db import Database
from shared.producer import Place
from shared.settings import Settings

KAFKA_SECONDS = 10.0


@dataclass(slots=True)
class Status:
    """Rows of the database, and from where to where Kafka's partitions reach.

    ``no_kafka`` says why Kafka is silent.
    """

    unsent: Sequence[Any] = ()
    replays: Sequence[Any] = ()
    offsets: Sequence[Any] = ()
    parked: Sequence[Any] = ()
    reach: Mapping[Place, tuple[int, int]] = field(default_factory=dict)
    no_kafka: str | None = None


def show(load: Load) -> None:
    """Print the status of the service whose settings ``load`` gives."""
    settings = load()
    status = with_database(load, lambda database: _look(database, settings))
    _print_unsent(status)
    _print_offsets(status)
    _print_parked(status)


async def _look(database: Database, settings: Settings) -> Status:
    status = Status()
    async with database.transaction() as session:
        status.unsent = (await session.execute(_UNSENT)).all()
        status.replays = (await session.execute(_REPLAYS)).all()
        status.offsets = (await session.execute(_OFFSETS)).all()
        status.parked = (await session.execute(_PARKED)).all()
    if status.offsets:
        try:
            status.reach = await _reach(settings, status.offsets)
        except (KafkaError, OSError, TimeoutError) as error:
            status.no_kafka = type(error).__name__
    return status


async def _reach(settings: Settings, offsets: Sequence[Any]) -> dict[Place, tuple[int, int]]:
    """Kafka's first and next offset of each partition. A topic that is not there is left out."""
    kafka = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap_servers or "127.0.0.1:1",
        client_id=f"{settings.service}-command",
        enable_auto_commit=False,
        request_timeout_ms=int(KAFKA_SECONDS * 1000),
    )
    try:
        async with asyncio.timeout(KAFKA_SECONDS):
            await kafka.start()
            there = await kafka.topics()
            asked = {
                TopicPartition(settings.topic_prefix + row.topic, row.kafka_partition): Place(
                    row.topic, row.kafka_partition
                )
                for row in offsets
                if settings.topic_prefix + row.topic in there
            }
            begins = await kafka.beginning_offsets(list(asked))
            ends = await kafka.end_offsets(list(asked))
    finally:
        with contextlib.suppress(KafkaError, OSError, TimeoutError):
            async with asyncio.timeout(5):
                await kafka.stop()
    return {place: (begins[partition], ends[partition]) for partition, place in asked.items()}


def _print_unsent(status: Status) -> None:
    if not status.unsent:
        out.print("unsent: 0")
    for row in status.unsent:
        out.print(f"unsent: {row.number} of {row.topic}, oldest {row.age:.1f} s")
    for row in status.replays:
        out.print(f"replaying: {row.topic} was made anew; sent again up to {row.replay_after}")


def _print_offsets(status: Status) -> None:
    if not status.offsets:
        out.print("listening: nothing received yet, or to nothing")
        return
    if status.no_kafka:
        out.print(f"lag: unknown, Kafka does not answer ({status.no_kafka})")
    table = Table("topic", "partition", "stored", "Kafka's end", "lag", "note")
    total = 0
    for row in status.offsets:
        reach = status.reach.get(Place(row.topic, row.kafka_partition))
        lag = None if reach is None else reach[1] - row.next_offset
        total += max(lag or 0, 0)
        table.add_row(
            row.topic,
            str(row.kafka_partition),
            str(row.next_offset),
            "?" if reach is None else str(reach[1]),
            "?" if lag is None else str(lag),
            _note(status, row, reach),
        )
    out.print(table)
    if not status.no_kafka:
        out.print(f"lag: {total}")


def _note(status: Status, row: Any, reach: tuple[int, int] | None) -> str:
    if reach is None:
        return "" if status.no_kafka else "no such topic in Kafka"
    if not reach[0] <= row.next_offset <= reach[1]:
        return f"out of range: Kafka has {reach[0]} to {reach[1]}"
    if row.began_again_at is not None:
        return f"topic made anew, begun again {row.began_again_at:%Y-%m-%d %H:%M:%S}"
    return ""


def _print_parked(status: Status) -> None:
    if not status.parked:
        out.print("parked: 0")
    for row in status.parked:
        oldest = f"{row.oldest:%Y-%m-%d %H:%M:%S}"
        out.print(f"parked: {row.number} of {row.topic}, since {oldest}: {row.reason}")


_UNSENT = text("""
    SELECT topic, count(*) AS number,
           CAST(extract(epoch FROM clock_timestamp() - min(enqueued_at)) AS float8) AS age
    FROM outbox GROUP BY topic ORDER BY topic
""")
_REPLAYS = text("""
    SELECT topic, replay_after FROM written_topics WHERE replay_after IS NOT NULL ORDER BY topic
""")
_OFFSETS = text("""
    SELECT topic, kafka_partition, next_offset, began_again_at FROM consumer_offsets ORDER BY 1, 2
""")
_PARKED = text("""
    SELECT topic, reason, count(*) AS number, min(parked_at) AS oldest FROM parked
    WHERE state = 'parked' GROUP BY topic, reason ORDER BY number DESC, topic, reason
""")
