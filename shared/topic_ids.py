"""Which topic an offset belongs to: Kafka gives every topic an id of its own when it is made.

An offset says nothing in a topic that was deleted and made anew under the same name, however long
the new one is by now. So the id is kept beside the offset, asked for again at every assignment and
by the watchdog, and an offset of another id is never read on from.
"""

import asyncio
from collections.abc import Collection, Mapping
from io import BytesIO
from typing import ClassVar
from uuid import UUID

from aiokafka import AIOKafkaConsumer
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError
from aiokafka.protocol.abstract import AbstractType
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Schema,
    TaggedFields,
)
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.producer import Place

_NOBODY = UUID(int=0)
_METADATA = 3


async def ask(client: AIOKafkaClient, names: Collection[str]) -> dict[str, UUID]:
    """The ids of the topics of these names, as one broker knows them now.

    A topic that is not there is left out; so are all with a broker that has no ids (before 2.8).
    Raises KafkaError.
    """
    node = client.get_random_node()
    if node is None:
        raise KafkaError("no broker is known")
    try:
        answer = await client.send(node, _IdsRequest(sorted(names)))
    except NotImplementedError:  # aiokafka's word for a version that the broker does not speak
        return {}
    return {
        name: topic_id
        for error, name, topic_id, *_ in answer.topics
        if error == 0 and topic_id != _NOBODY
    }


async def ask_as(kafka: AIOKafkaConsumer, prefix: str, topics: Collection[str]) -> dict[str, UUID]:
    """``ask`` on a consumer's connections, by the topics' names without ``prefix``."""
    async with asyncio.timeout(10):
        found = await ask(
            kafka._client,  # noqa: SLF001 - a consumer shows its client to nobody
            [prefix + topic for topic in topics],
        )
    return {name.removeprefix(prefix): topic_id for name, topic_id in found.items()}


async def adopt(session: AsyncSession, ids: Mapping[str, UUID]) -> None:
    """Note the ids beside offsets that have none yet: from here on a change is seen."""
    await session.execute(_ADOPT, _columns(ids))


async def made_anew(session: AsyncSession, ids: Mapping[str, UUID]) -> dict[Place, int]:
    """Partitions whose stored offset belongs to another topic than the one of ``ids``, with it."""
    rows = await session.execute(_MADE_ANEW, _columns(ids))
    return {Place(row.topic, row.kafka_partition): row.next_offset for row in rows}


async def begin_again(
    session: AsyncSession, first: Mapping[Place, int], ids: Mapping[str, UUID]
) -> None:
    """Put these partitions at the first offsets of the topics they now belong to."""
    for place, offset in sorted(first.items()):
        if place.topic in ids:
            await session.execute(
                _BEGIN_AGAIN,
                {
                    "topic": place.topic,
                    "partition": place.partition,
                    "offset": offset,
                    "topic_id": ids[place.topic],
                },
            )


def _columns(ids: Mapping[str, UUID]) -> dict[str, object]:
    return {"topics": list(ids), "ids": list(ids.values())}


class _Id(AbstractType[UUID]):  # type: ignore[misc] # aiokafka has no types
    """Sixteen bytes."""

    @classmethod
    def encode(cls, value: UUID) -> bytes:
        return value.bytes

    @classmethod
    def decode(cls, data: BytesIO) -> UUID:
        return UUID(bytes=data.read(16))


class _IdsResponse(Response):  # type: ignore[misc] # aiokafka has no types
    """Metadata, version 10: the first that carries ids."""

    API_KEY = _METADATA
    API_VERSION = 10
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(
                ("node_id", Int32),
                ("host", CompactString()),
                ("port", Int32),
                ("rack", CompactString()),
                ("tags", TaggedFields),
            ),
        ),
        ("cluster_id", CompactString()),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("name", CompactString()),
                ("topic_id", _Id),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", CompactArray(Int32)),
                        ("isr", CompactArray(Int32)),
                        ("offline", CompactArray(Int32)),
                        ("tags", TaggedFields),
                    ),
                ),
                ("authorized_operations", Int32),
                ("tags", TaggedFields),
            ),
        ),
        ("cluster_authorized_operations", Int32),
        ("tags", TaggedFields),
    )


class _IdsRequestStruct(RequestStruct):  # type: ignore[misc] # aiokafka has no types
    FLEXIBLE_VERSION: ClassVar[bool] = True
    API_KEY = _METADATA
    API_VERSION = 10
    RESPONSE_TYPE = _IdsResponse
    SCHEMA = Schema(
        (
            "topics",
            CompactArray(("topic_id", _Id), ("name", CompactString()), ("tags", TaggedFields)),
        ),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean),
        ("include_topic_authorized_operations", Boolean),
        ("tags", TaggedFields),
    )


class _IdsRequest(Request[_IdsRequestStruct]):  # type: ignore[misc] # aiokafka has no types
    API_KEY = _METADATA

    def __init__(self, names: list[str]) -> None:
        self._names = names

    def build(self, struct: type[_IdsRequestStruct]) -> _IdsRequestStruct:
        topics = [(_NOBODY, name, dict[int, bytes]()) for name in self._names]
        return struct(topics, *[False] * 3, dict[int, bytes]())


_ADOPT = text("""
    UPDATE consumer_offsets AS stored SET topic_id = known.topic_id
    FROM unnest(CAST(:topics AS text[]), CAST(:ids AS uuid[])) AS known(topic, topic_id)
    WHERE stored.topic = known.topic AND stored.topic_id IS NULL
""")

_MADE_ANEW = text("""
    SELECT stored.topic, stored.kafka_partition, stored.next_offset
    FROM consumer_offsets AS stored
    JOIN unnest(CAST(:topics AS text[]), CAST(:ids AS uuid[])) AS known(topic, topic_id)
        ON known.topic = stored.topic AND known.topic_id <> stored.topic_id
""")

_BEGIN_AGAIN = text("""
    UPDATE consumer_offsets
    SET next_offset = :offset, topic_id = :topic_id, began_again_at = clock_timestamp()
    WHERE topic = :topic AND kafka_partition = :partition
        AND topic_id IS DISTINCT FROM CAST(:topic_id AS uuid)
""")
