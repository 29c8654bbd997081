"""A topic deleted and made anew under its writer and listener: noticed, rebuilt, nothing lost."""

from typing import Any
from uuid import UUID

from aiokafka import AIOKafkaConsumer
from prometheus_client import REGISTRY

from deploy.local import topics as kafka_topics
from deploy.local.failures import CannotStartError
from shared import topic_ids
from shared.contracts.topics import HOUSEHOLDS, TOPICS
from shared.events import partition_of
from shared.identity import new_id
from shared.written_topics import WrittenTopics
from tests.bus.conftest import Path
from tests.bus.notes import running, scalar, write
from tests.bus.test_delivery import until_applied_to_the_end, until_drained, until_latest
from tests.support.waiting import until


def writers(path: Path) -> WrittenTopics:
    """The part of the writer's worker that looks after its topics."""
    return WrittenTopics(
        service="registry",
        database=path.writer,
        bootstrap_servers=path.kafka,
        topic_prefix=path.prefix,
        look_every=0.2,
    )


async def until_known(path: Path) -> None:
    """Wait until the writer knows its topics' ids and has no replay under way."""

    async def known() -> bool:
        query = "SELECT count(*) > 0 AND count(replay_after) = 0 FROM written_topics"
        return await scalar(path.writer, query) is True

    await until(known, what="the writer to know its topics")


async def make_anew(path: Path) -> None:
    """Delete the topics and make them again under their names."""
    before = await id_of(path)
    await kafka_topics.delete(path.kafka, prefix=path.prefix)

    async def made() -> bool:
        try:
            await kafka_topics.create(path.kafka, prefix=path.prefix)
        except CannotStartError:  # the deletion is still under way
            return False
        return await id_of(path) not in {None, before}

    await until(made, what="new topics")


async def id_of(path: Path) -> UUID | None:
    """Kafka's id of the topic now."""
    kafka = AIOKafkaConsumer(bootstrap_servers=path.kafka)
    await kafka.start()
    try:
        return (await topic_ids.ask_as(kafka, path.prefix, [HOUSEHOLDS.name])).get(HOUSEHOLDS.name)
    finally:
        await kafka.stop()


def gauge(name: str, household: UUID) -> Any:
    """A gauge of the listener's partition that holds this household."""
    place = {
        "service": "education",
        "topic": HOUSEHOLDS.name,
        "partition": str(partition_of(str(household), HOUSEHOLDS.partitions)),
    }
    return REGISTRY.get_sample_value(name, place)


async def test_a_topic_already_longer_than_the_old_offset(path: Path) -> None:
    """No offset is out of range here: nothing but the topic's id tells the two topics apart."""
    read, unread = [new_id() for _ in range(12)], [new_id() for _ in range(12)]
    async with running(path.relay().run):
        async with running(path.consumer().run, writers(path).run):
            await write(path.writer, *[(one, 1, "read") for one in read])
            await until_latest(path, dict.fromkeys(read, (1, "read")))
            await until_known(path)
        await write(path.writer, *[(one, 1, "unread in the old topic") for one in unread])
        await until_drained(path)
        await make_anew(path)
        early = [new_id() for _ in range(24)]
        await write(path.writer, *[(one, 1, "before the old offset") for one in early])
        for version in range(2, 40):
            await write(path.writer, *[(one, version, f"v{version}") for one in read])
        await until_drained(path)
        async with running(path.consumer().run, writers(path).run):
            await until_latest(
                path,
                dict.fromkeys(read, (39, "v39"))
                | dict.fromkeys(unread, (1, "unread in the old topic"))
                | dict.fromkeys(early, (1, "before the old offset")),
            )
    assert gauge("bangfu_consumer_began_again", read[0]) == 1
    assert await scalar(path.listener, "SELECT count(*) FROM parked") == 0
    replays = "SELECT count(*) FROM audit_log WHERE action = 'event.replayed'"
    assert await scalar(path.writer, f"{replays} AND subject_id = 'registry.households'") == 1


async def test_under_a_running_listener(path: Path) -> None:
    """The watchdog tells it, whether its offsets are out of range or not."""
    households = [new_id() for _ in range(30)]
    async with running(path.relay().run, path.consumer().run, writers(path).run):
        await write(path.writer, *[(one, 1, "old") for one in households])
        await until_latest(path, dict.fromkeys(households, (1, "old")))
        await until_known(path)
        await make_anew(path)
        await write(path.writer, *[(one, 2, "new") for one in households])
        await until_latest(path, dict.fromkeys(households, (2, "new")))
        query = "SELECT count(*) FROM consumer_offsets WHERE began_again_at IS NOT NULL"

        async def begun_again() -> bool:
            return await scalar(path.listener, query) == HOUSEHOLDS.partitions

        await until(begun_again, what="every partition to begin again")
        assert gauge("bangfu_consumer_out_of_range", households[0]) == 0
    assert await scalar(path.listener, "SELECT count(*) FROM parked") == 0


async def test_the_same_topic_is_never_begun_again(path: Path) -> None:
    """Restarts, rebalances and a writer that looks often: not one message twice."""
    households = [new_id() for _ in range(24)]
    async with running(path.relay().run, writers(path).run):
        for version in (1, 2, 3):
            async with running(path.consumer().run):
                await write(path.writer, *[(one, version, "x") for one in households])
                await until_latest(path, dict.fromkeys(households, (version, "x")))
                await until_applied_to_the_end(path, 24 * version)
    begun = "SELECT count(*) FROM consumer_offsets WHERE topic_id IS NULL OR began_again_at < now()"
    assert await scalar(path.listener, begun) == 0
    written = [topic for topic in TOPICS if topic.writer == "registry"]
    assert await scalar(path.writer, "SELECT count(*) FROM written_topics") == len(written)
