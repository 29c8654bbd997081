"""Copies wrong, lost or restored: ``verify`` names each, and they are rebuilt in service."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from prometheus_client import REGISTRY
from sqlalchemy import text
from typer.testing import CliRunner, Result

from deploy.local import issuer
from deploy.local.provision import ServiceDatabase
from services.education.worker import SUBSCRIPTIONS
from shared import command_line, commands
from shared.consumer import Consumer
from shared.contracts.topics import HOUSEHOLDS
from shared.db import Database
from shared.relay import Relay
from shared.settings import Settings
from tests.bus.notes import running, scalar
from tests.conftest import DatabaseOf
from tests.registry.filing import ALL, Office, Registry, know_places, person
from tests.registry.known import know_rules
from tests.support.ports import free_ports
from tests.support.real_registry import listening
from tests.support.restores import back_up
from tests.support.services import Surroundings, app_of, serving
from tests.support.waiting import until


@dataclass
class City:
    """A registry with an office and its http api, and education as its listener."""

    kafka: str
    prefix: str
    office: Office
    registry: Registry
    listener_at: ServiceDatabase
    listener: Database
    settings: dict[str, Settings]

    def parts(self) -> tuple[Any, Any]:
        """The registry's relay and education's consumer, to be run."""
        known: dict[str, Any] = {"bootstrap_servers": self.kafka, "topic_prefix": self.prefix}
        relay = Relay(service="registry", database_url=self.registry.urls.worker_url, **known)
        consumer = Consumer(
            service="education",
            database=self.listener,
            subscriptions=SUBSCRIPTIONS,
            member="test",
            **known,
        )
        return relay.run, consumer.run

    async def typed(self, service: str, *words: str) -> Result:
        """``python -m services.<service> events …``, in a wide terminal."""
        settings = self.settings[service]
        app = commands.build(service, lambda: settings)
        return await asyncio.to_thread(CliRunner().invoke, app, ["events", *words])

    async def done(self, service: str, *words: str) -> str:
        """An order that must succeed; gives what it says."""
        result = await self.typed(service, *words)
        assert result.exit_code == 0, result.output
        return result.output

    async def until_equal(self) -> str:
        """Wait until ``verify`` finds no difference; gives what it says."""

        async def equal() -> str:
            result = await self.typed("education", "verify", "--patience", "1")
            return result.output if result.exit_code == 0 else ""

        return await until(equal, what="an equal copy", seconds=60)

    async def damage(self, order: str, **values: Any) -> None:
        """Change the listener's rows behind its back."""
        async with self.listener.transaction() as session:
            await session.execute(text(order), values)


@pytest.fixture
async def city(  # noqa: PLR0917 - fixtures come by name
    kafka: str,
    topics: str,
    database_of: DatabaseOf,
    surroundings: Surroundings,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[City]:
    """See City; nothing runs yet but the registry's api and the token issuer."""
    monkeypatch.setattr(command_line.out, "width", 200)
    issuer_port, api_port = free_ports(2)
    issuer_url = f"http://127.0.0.1:{issuer_port}"
    monkeypatch.setenv("BANGFU_ISSUER", issuer_url)
    monkeypatch.setenv("BANGFU_SIGNING_KEY", str(tmp_path_factory.mktemp("issuer") / "key.pem"))
    async with AsyncExitStack() as held:
        await held.enter_async_context(listening(issuer.create(), issuer_port))
        registry_at, listener_at = await database_of("registry"), await database_of("education")
        common = {"kafka_bootstrap_servers": kafka, "topic_prefix": topics}
        tokens = {"jwks_url": f"{issuer_url}/jwks.json", "token_issuer": issuer_url}
        asking = {
            "registry_url": f"http://127.0.0.1:{api_port}",
            "token_url": f"{issuer_url}/token",
        }
        settings = {
            "registry": surroundings.settings("registry", registry_at, **common, **tokens),
            "education": surroundings.settings("education", listener_at, **common, **asking),
        }
        databases = [
            Database(url, application_name="test", pool_size=4)
            for url in (registry_at.worker_url, registry_at.api_url, listener_at.worker_url)
        ]
        for database in databases:
            held.push_async_callback(database.close)
        registry = Registry(registry_at, databases[0], databases[1])
        await know_places(databases[0])
        await know_rules(databases[1], databases[0])
        await held.enter_async_context(listening(app_of(settings["registry"]), api_port))
        form = {"scope": ALL, "divisions": "331124", "officer_id": "o1"}
        async with serving(issuer.create()) as client:
            token = (await client.post("/token", data=form)).json()["access_token"]
        client = await held.enter_async_context(
            serving(app_of(settings["registry"]), headers={"Authorization": f"Bearer {token}"})
        )
        office = Office(client, registry)
        yield City(kafka, topics, office, registry, listener_at, databases[2], settings)


FORGET = ("forget", "--actor", "o7", "--because", "rows found wrong")
REPLAY = ("replay", "--topic", HOUSEHOLDS.name, "--actor", "o7")


async def test_verify_names_each_kind_and_forget_with_replay_mends_all(city: City) -> None:
    async with running(*city.parts()):
        filed = [await city.office.identified(person()) for _ in range(5)]
        assert "5 households compared in 331124: no difference" in await city.until_equal()
        missing, behind, ahead, other = filed[:4]
        await city.damage("DELETE FROM household_copy WHERE household_id = :id", id=missing)
        for change, id_ in (
            ("version = version - 1", behind),
            ("version = version + 3", ahead),
            ("incomes = jsonb_set(incomes, '{wage}', '\"1.00\"')", other),
        ):
            order = f"UPDATE household_copy SET {change} WHERE household_id = :id"  # noqa: S608 - ours
            await city.damage(order, id=id_)

        result = await city.typed("education", "verify", "--patience", "0")
        assert result.exit_code == 1
        told = {line.split()[1]: line for line in result.output.splitlines() if "│ 0" in line}
        assert set(told) == set(filed[:4])
        for id_, what in (
            (missing, "missing here"),
            (behind, "behind"),
            (ahead, "ahead of the registry"),
            (other, "other content"),
        ):
            assert what in told[id_]
        assert "incomes.wage" in told[other]
        assert "1 missing here, 1 behind, 1 ahead of the registry, 1 other content" in result.output

        # The guards drop what they know: a replay alone mends nothing of this.
        assert "5 households forgotten" in await city.done("education", *FORGET, "--all")
        assert "5 events are in the outbox again" in await city.done("registry", *REPLAY)
        await city.until_equal()
    audit = "SELECT count(*) FROM audit_log WHERE officer_id = 'o7' AND action = :action"
    assert await scalar(city.listener, audit, action="event.versions_forgotten") == 1
    assert await scalar(city.registry.worker, audit, action="event.replayed") == 1


async def test_one_household_is_rebuilt_alone_and_an_unknown_one_is_named(city: City) -> None:
    async with running(*city.parts()):
        one, stranger = [await city.office.identified(person()) for _ in range(2)]
        await city.until_equal()
        turned = "sex = CASE sex WHEN 'male' THEN 'female' ELSE 'male' END"
        await city.damage(f"UPDATE member_copy SET {turned} WHERE household_id = :id", id=one)  # noqa: S608 - ours
        async with city.registry.worker.transaction() as session:
            await session.execute(text("UPDATE households SET division_code = '331121100201'"))
        gone = await city.typed("education", "verify", "--patience", "0")
        assert "2 unknown to the registry" in gone.output
        async with city.registry.worker.transaction() as session:
            await session.execute(text("UPDATE households SET division_code = '331124100201'"))
        differs = await city.typed("education", "verify", "--patience", "0")
        assert "members.0.sex" in differs.output
        assert "1 other content" in differs.output

        assert "1 households" in await city.done("education", *FORGET, "--household", one)
        assert "1 events" in await city.done("registry", *REPLAY, "--aggregate", one)
        await city.until_equal()
    assert await scalar(
        city.listener, "SELECT version FROM received WHERE aggregate_id = :id", id=stranger
    )


async def test_a_copy_is_rebuilt_while_writes_go_on(city: City) -> None:
    """The whole copy is lost under a running listener; nothing written meanwhile is."""
    async with running(*city.parts()):
        filed = [await city.office.identified(person()) for _ in range(6)]
        await city.until_equal()
        stop = asyncio.Event()

        async def keep_writing() -> int:
            number = 0
            while not stop.is_set():
                number += 1
                grade = "ABCD"[number % 4]
                for id_ in filed:
                    await city.office.change(id_, valid_from="2026-03-01", house_grade=grade)
            return number

        writing = asyncio.ensure_future(keep_writing())
        await city.damage("DELETE FROM household_copy")
        await city.damage("DELETE FROM member_copy")
        await city.done("education", *FORGET, "--all")
        await city.done("registry", *REPLAY)
        filed_meanwhile = await city.office.identified(person())
        stop.set()
        assert await writing >= 1
        assert "7 households compared" in await city.until_equal()
    newest = "SELECT version FROM household_copy WHERE household_id = :id"
    for id_ in (*filed, filed_meanwhile):
        _, version, _ = (await city.registry.states(id_))[-1]
        assert await scalar(city.listener, newest, id=id_) == version


async def test_what_is_under_way_is_no_difference(city: City) -> None:
    """The listener starts only after the comparison has."""
    for _ in range(3):
        await city.office.identified(person())
    comparing = asyncio.ensure_future(city.typed("education", "verify", "--patience", "60"))
    async with running(*city.parts()):
        result = await comparing
    assert result.exit_code == 0, result.output


async def until_kafka_knows(city: City) -> None:
    """Wait until the group's offsets in Kafka are those of the listener's database."""
    kafka = AIOKafkaConsumer(
        bootstrap_servers=city.kafka, group_id=f"{city.prefix}education", enable_auto_commit=False
    )
    await kafka.start()
    try:

        async def known() -> bool:
            stored = "SELECT sum(next_offset) FROM consumer_offsets"
            committed = [
                await kafka.committed(TopicPartition(city.prefix + HOUSEHOLDS.name, number))
                for number in range(HOUSEHOLDS.partitions)
            ]
            return bool(await scalar(city.listener, stored) == sum(filter(None, committed)))

        await until(known, what="Kafka to hear of the offsets")
    finally:
        await kafka.stop()


async def test_a_listener_restored_to_an_hour_ago_applies_again_by_itself(
    city: City, postgres: str
) -> None:
    counted = {"service": "education", "topic": HOUSEHOLDS.name}
    async with running(*city.parts()):
        early = await city.office.identified(person())
        await city.until_equal()
    backup = await back_up(postgres, "education", city.listener_at)
    async with running(*city.parts()):
        await city.office.change(early, valid_from="2026-03-01", house_grade="D")
        await city.office.identified(person())
        await city.until_equal()

        await until_kafka_knows(city)
    name = "bangfu_consumer_database_went_back_total"
    before = REGISTRY.get_sample_value(name, counted) or 0
    await backup.restore()
    assert (await city.typed("education", "verify", "--patience", "0")).exit_code == 1
    async with running(*city.parts()):
        assert "2 households compared" in await city.until_equal()
    assert (REGISTRY.get_sample_value(name, counted) or 0) > before


async def test_a_registry_restored_to_an_hour_ago(city: City, postgres: str) -> None:
    """Listeners have versions that it gives out anew: named, and nothing new is lost for ever."""
    async with running(*city.parts()):
        kept = await city.office.identified(person())
        await city.until_equal()
    backup = await back_up(postgres, "registry", city.registry.urls)
    async with running(*city.parts()):
        for grade in ("B", "C", "D"):
            await city.office.change(kept, valid_from="2026-03-01", house_grade=grade)
        lost = await city.office.identified(person())
        await city.until_equal()
    await backup.restore()
    async with running(*city.parts()):
        named = await city.typed("education", "verify", "--patience", "0")
        assert "1 ahead of the registry, 1 unknown to the registry" in named.output
        assert lost in named.output

        await city.office.read(kept)
        await city.office.change(kept, valid_from="2026-04-01", house_grade="A")
        unseen = await city.typed("education", "verify", "--patience", "3")
        assert "1 ahead of the registry" in unseen.output, "the guard has dropped the new version"

        await city.done("education", *FORGET, "--household", kept)
        await city.done("registry", *REPLAY)

        async def new_version() -> bool:
            grade = "SELECT house_grade FROM household_copy WHERE household_id = :id"
            return await scalar(city.listener, grade, id=kept) == "A"

        await until(new_version, what="the write after the restore")
        left = await city.typed("education", "verify", "--patience", "0")
        assert "2 households compared in 331124: 1 unknown to the registry" in left.output
        await city.office.change(kept, valid_from="2026-05-01", house_grade="B")
        await until(
            lambda: scalar(
                city.listener,
                "SELECT house_grade = 'B' FROM household_copy WHERE household_id = :id",
                id=kept,
            ),
            what="the write after that",
        )
