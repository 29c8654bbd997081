import dataclasses

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import ConfigResource
from confluent_kafka.admin._resource import ResourceType

from deploy.local import topics as kafka_topics
from deploy.local.failures import CannotStartError
from shared.contracts.topics import HOUSEHOLDS, TOPICS


async def test_every_topic_of_the_contracts_stands_as_they_say(kafka: str, topics: str) -> None:
    broker = AdminClient({"bootstrap.servers": kafka})
    found = broker.list_topics(timeout=30).topics

    assert {name for name in found if name.startswith(topics)} == {
        topics + topic.name for topic in TOPICS
    }
    for topic in TOPICS:
        name = topics + topic.name
        assert len(found[name].partitions) == topic.partitions == 12
        resource = ConfigResource(ResourceType.TOPIC, name)
        config = broker.describe_configs([resource])[resource].result(timeout=30)
        assert config["retention.ms"].value == str(7 * 24 * 3600 * 1000)
        assert config["message.timestamp.type"].value == "LogAppendTime"


async def test_creating_them_again_changes_nothing(kafka: str, topics: str) -> None:
    await kafka_topics.create(kafka, prefix=topics)


async def test_other_partitions_are_refused(kafka: str, topics: str) -> None:
    wider = dataclasses.replace(HOUSEHOLDS, partitions=24)

    with pytest.raises(CannotStartError, match=r"has 12 partitions and must have 24"):
        await kafka_topics.create(kafka, prefix=topics, topics=[wider])


async def test_the_broker_makes_no_topic_by_itself(kafka: str) -> None:
    broker = AdminClient({"bootstrap.servers": kafka})
    broker.list_topics("never.created", timeout=30)

    assert "never.created" not in broker.list_topics(timeout=30).topics
