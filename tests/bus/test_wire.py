"""What stands in Kafka, read by clients that share no code with ours."""

import asyncio
import json
import time
from datetime import date

from cloudevents.core.bindings.kafka import KafkaMessage, from_binary
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from confluent_kafka import Consumer, Message, TopicPartition
from sqlalchemy import text

from shared import clock
from shared.contracts.topics import HOUSEHOLDS
from shared.events import NewEvent, partition_of, publish
from shared.identity import new_id
from tests.bus import notes
from tests.bus.conftest import Path
from tests.bus.notes import Note, running
from tests.bus.test_delivery import until_drained


def read_all(bootstrap: str, topic: str, count: int) -> list[Message]:
    """The first ``count`` messages of a topic, by librdkafka."""
    reader = Consumer(
        {"bootstrap.servers": bootstrap, "group.id": "reader", "enable.auto.commit": False}
    )
    reader.assign([TopicPartition(topic, number, 0) for number in range(HOUSEHOLDS.partitions)])
    try:
        found: list[Message] = []
        deadline = time.monotonic() + 30
        while len(found) < count and time.monotonic() < deadline:
            found += reader.consume(count - len(found), timeout=1.0)
    finally:
        reader.close()
    assert len(found) == count
    assert all(message.error() is None for message in found)
    return found


def headers_of(message: Message) -> dict[str, bytes]:
    """The headers of a record of ours."""
    headers = message.headers()
    assert isinstance(headers, list)
    return {name: value for name, value in headers if isinstance(value, bytes)}


def value_of(message: Message) -> bytes:
    """The payload of a record of ours."""
    value = message.value()
    assert isinstance(value, bytes)
    return value


def key_of(message: Message) -> bytes:
    """The key of a record of ours."""
    key = message.key()
    assert isinstance(key, bytes)
    return key


async def test_another_client_reads_a_cloud_event_byte_for_byte(path: Path) -> None:
    household = new_id()
    event = NewEvent(
        topic=HOUSEHOLDS,
        type=notes.CHANGED,
        subject=household,
        version=7,
        payload=Note(household_id=household, text="逗号，与 \N{SNOWMAN}"),
        episode=2,
        rule_set="CN2025",
        effective_from=date(2026, 1, 1),
        causation_id="cause",
    )
    async with path.writer.transaction() as session:
        await publish(session, [event])
    async with running(path.relay().run):
        await until_drained(path)
    async with path.writer.transaction() as session:
        row = (await session.execute(text("SELECT * FROM events"))).one()
    topic = path.prefix + HOUSEHOLDS.name
    (message,) = await asyncio.to_thread(read_all, path.kafka, topic, 1)

    assert message.value() == bytes(row.data)
    assert message.key() == str(household).encode()
    assert message.partition() == partition_of(str(household), HOUSEHOLDS.partitions)
    headers = headers_of(message)
    read = from_binary(
        KafkaMessage(headers=headers, key=key_of(message), value=value_of(message)),
        JSONFormat(),
        CloudEvent,
    )
    assert read.get_id() == str(row.event_id)
    assert read.get_source() == "/registry"
    assert read.get_type() == notes.CHANGED
    assert read.get_subject() == str(household)
    assert read.get_time() == row.occurred_at
    assert read.get_data() == json.loads(bytes(row.data))
    extensions = read.get_attributes()
    assert extensions["aggregateversion"] == "7"
    assert extensions["episode"] == "2"
    assert extensions["ruleset"] == "CN2025"
    assert extensions["effectivefrom"] == "2026-01-01"
    assert extensions["causationid"] == "cause"
    assert extensions["correlationid"] == row.correlation_id


async def test_the_records_time_is_that_of_sending(path: Path) -> None:
    """A replay of old history must not look expired, nor a moved clock like the future."""
    household = new_id()
    await notes.write(path.writer, (household, 1, "old"))
    async with path.writer.transaction() as session:
        row = (await session.execute(text("SELECT occurred_at FROM events"))).one()
    assert abs((row.occurred_at - clock.now()).total_seconds()) < 60
    before = time.time() * 1000
    async with running(path.relay().run):
        await until_drained(path)
    (message,) = await asyncio.to_thread(read_all, path.kafka, path.prefix + HOUSEHOLDS.name, 1)
    assert before - 1 <= message.timestamp()[1] <= time.time() * 1000 + 1


async def test_versions_of_an_aggregate_stand_in_order(path: Path) -> None:
    households = [new_id() for _ in range(40)]
    async with running(path.relay().run):
        for version in range(1, 26):
            await notes.write(path.writer, *[(h, version, "x") for h in households])
        await until_drained(path)
    found = await asyncio.to_thread(read_all, path.kafka, path.prefix + HOUSEHOLDS.name, 40 * 25)
    seen: dict[bytes, list[int]] = {}
    for message in found:
        version = int(headers_of(message)["ce_aggregateversion"])
        seen.setdefault(key_of(message), []).append(version)
    assert len(seen) == 40
    assert all(versions == list(range(1, 26)) for versions in seen.values())
