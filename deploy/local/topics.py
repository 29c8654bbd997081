"""Creates the topics of the contracts, with their partitions and retention said explicitly."""

import asyncio
from collections.abc import Sequence

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import for_code

from deploy.local.failures import CannotStartError
from shared.contracts.topics import TOPICS, Topic

_EXISTS = 36
_SEEN_SECONDS = 30.0


async def create(bootstrap: str, *, prefix: str = "", topics: Sequence[Topic] = TOPICS) -> None:
    """Create what is missing. Raises CannotStartError when one exists with other partitions.

    Replication is left to the broker's default, which a production cluster sets to 3.
    """
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await client.start()
    try:
        answer = await client.create_topics(
            [_wanted(topic, prefix) for topic in topics], timeout_ms=30_000
        )
        for name, code, *_ in answer.topic_errors:
            if code not in (0, _EXISTS):
                raise CannotStartError(f"Kafka did not create {name}: {for_code(code).__name__}")
        await _refuse_other_partitions(client, prefix, topics)
    finally:
        await client.close()


async def delete(bootstrap: str, *, prefix: str) -> None:
    """Delete every topic of this prefix; an empty prefix is refused."""
    if not prefix:
        raise ValueError("an empty prefix would delete every topic of the broker")
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await client.start()
    try:
        ours = [name for name in await client.list_topics() if name.startswith(prefix)]
        if ours:
            await client.delete_topics(ours)
    finally:
        await client.close()


def _wanted(topic: Topic, prefix: str) -> NewTopic:
    return NewTopic(
        prefix + topic.name,
        num_partitions=topic.partitions,
        replication_factor=-1,
        replica_assignments={},  # aiokafka takes a default replication (-1) only beside this
        topic_configs={
            "retention.ms": str(int(topic.retention.total_seconds() * 1000)),
            # With the sender's time a broker refuses what comes from a clock an hour ahead.
            "message.timestamp.type": "LogAppendTime",
        },
    )


async def _refuse_other_partitions(
    client: AIOKafkaAdminClient, prefix: str, topics: Sequence[Topic]
) -> None:
    wanted = {prefix + topic.name: topic.partitions for topic in topics}
    for name, count in (await _partitions(client, list(wanted))).items():
        if count != wanted[name]:
            raise CannotStartError(
                f"topic {name} has {count} partitions and must have {wanted[name]}: a key would "
                f"change its partition; delete the topic, start, and replay its history"
            )


async def _partitions(client: AIOKafkaAdminClient, names: list[str]) -> dict[str, int]:
    """How many each topic has; a broker that has just started may not know its topics yet."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _SEEN_SECONDS
    while True:
        found = await client.describe_topics(names)
        counts = {entry["topic"]: len(entry["partitions"]) for entry in found}
        if all(counts.get(name) for name in names):
            return counts
        if loop.time() > deadline:
            raise CannotStartError(f"Kafka does not show its topics after {_SEEN_SECONDS:.0f} s")
        await asyncio.sleep(0.1)
