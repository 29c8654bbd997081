"""The change feed: each published version once and none missed, whoever is writing meanwhile."""

import asyncio
from random import Random
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from sqlalchemy import text

from services.registry.exchange import horizon
from shared import events
from shared.contracts.registry import HouseholdEvent, HouseholdState
from shared.contracts.topics import HOUSEHOLDS
from shared.db import Database
from shared.events import NewEvent
from tests.registry.conftest import OfficeOf
from tests.registry.filing import OTHER_COUNTY, Office, Registry, person, problem

FEED = "/v1/exchange/changes"
SNAPSHOT = "/v1/exchange/snapshot"
READ = "registry.exchange:read"


async def partner(office_of: OfficeOf, *divisions: str) -> Office:
    """The integration gateway's token: no officer behind it."""
    return await office_of(READ, divisions=divisions or ("331124",), officer=None)


async def feed(partner: Office, cursor: str | None = None, limit: int = 200) -> dict[str, Any]:
    params = {"limit": limit} | ({"cursor": cursor} if cursor else {})
    answer = await partner.client.get(FEED, params=params)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def end_of(partner: Office) -> str:
    """Where the feed stands now, with everything before it read."""
    told = await feed(partner)
    while told["more"]:
        told = await feed(partner, told["cursor"])
    return str(told["cursor"])


async def test_every_version_comes_once_in_order(
    registry: Registry, office: Office, office_of: OfficeOf
) -> None:
    gateway = await partner(office_of)
    cursor = await end_of(gateway)
    one, two = await office.identified(person()), await office.identified(person())
    await office.change(one, valid_from="2026-03-01", house_grade="D")

    seen = []
    while True:
        told = await feed(gateway, cursor, limit=1)
        cursor = told["cursor"]
        seen += [(each["household_id"], each["version"]) for each in told["items"]]
        if not told["more"]:
            break

    assert seen == [(one, 1), (two, 1), (one, 2)]
    again = await feed(gateway, cursor)
    assert (again["items"], again["more"]) == ([], False)
    for household_id, version in seen:
        _, _, state = (await registry.states(household_id))[version - 1]
        assert state == HouseholdState.model_validate(await _state(gateway, household_id, version))


async def _state(gateway: Office, household_id: str, version: int) -> dict[str, Any]:
    told = await feed(gateway)
    found = [
        each["state"]
        for each in told["items"]
        if (each["household_id"], each["version"]) == (household_id, version)
    ]
    (state,) = found
    return dict(state)


async def write(database: Database, state: HouseholdState, chance: Random) -> tuple[str, int]:
    """Publish one version from a connection of its own that commits when it likes."""
    household_id = uuid4()
    held, wait = chance.random() < 0.3, chance.random() * 0.2
    async with database.transaction() as session:
        await events.publish(
            session,
            [
                NewEvent(
                    topic=HOUSEHOLDS,
                    type=HouseholdEvent.IDENTIFIED,
                    subject=household_id,
                    version=1,
                    payload=state.model_copy(update={"household_id": household_id}),
                    correlation_id="test",
                )
            ],
        )
        if held:
            await asyncio.sleep(wait)
    return str(household_id), 1


async def test_writers_that_commit_out_of_order_lose_nothing(
    registry: Registry, office: Office, office_of: OfficeOf
) -> None:
    gateway = await partner(office_of)
    (_, _, state) = (await registry.states(await office.identified(person())))[-1]
    cursor = await end_of(gateway)
    chance = Random(4)  # noqa: S311 (a schedule that comes again)
    work = [asyncio.ensure_future(write(registry.worker, state, chance)) for _ in range(120)]
    seen: list[tuple[str, int]] = []

    async def read() -> None:
        nonlocal cursor
        told = await feed(gateway, cursor, limit=20)
        seen.extend((each["household_id"], each["version"]) for each in told["items"])
        cursor = told["cursor"]

    while not all(task.done() for task in work):
        await read()
    written = await asyncio.gather(*work)
    await read()
    while (await feed(gateway, cursor))["items"]:
        await read()

    assert len(seen) == len(set(seen))
    assert set(seen) == set(written)


async def test_a_writer_that_hangs_delays_the_feed_and_loses_nothing(
    registry: Registry, office: Office, office_of: OfficeOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(horizon, "PATIENCE_SECONDS", 0.1)
    gateway = await partner(office_of)
    (_, _, state) = (await registry.states(await office.identified(person())))[-1]
    cursor = await end_of(gateway)
    async with registry.worker.transaction() as session:
        await events.publish(session, [_event(state, early := uuid4())])
        later = await office.identified(person())
        waiting = await feed(gateway, cursor)

    told = await feed(gateway, waiting["cursor"])

    assert waiting["items"] == []
    assert [each["household_id"] for each in told["items"]] == [str(early), later]


async def test_a_transaction_that_writes_no_event_delays_nothing(
    registry: Registry, office: Office, office_of: OfficeOf
) -> None:
    gateway = await partner(office_of)
    cursor = await end_of(gateway)
    async with registry.worker.transaction() as session:
        await session.execute(text("SELECT pg_current_xact_id()"))
        await session.execute(text("UPDATE households SET revision = revision WHERE false"))
        household_id = await office.identified(person())

        told = await feed(gateway, cursor)

    assert [each["household_id"] for each in told["items"]] == [household_id]


def _event(state: HouseholdState, household_id: UUID) -> NewEvent:
    return NewEvent(
        topic=HOUSEHOLDS,
        type=HouseholdEvent.IDENTIFIED,
        subject=household_id,
        version=1,
        payload=state.model_copy(update={"household_id": household_id}),
        correlation_id="test",
    )


async def test_nothing_of_another_county_but_where_a_household_went(
    office: Office, office_of: OfficeOf
) -> None:
    city = await office_of(divisions=("3311",), officer="o5")
    gateway, next_door = await partner(office_of), await partner(office_of, "331121")
    here, there = await end_of(gateway), await end_of(next_door)
    household_id = await office.identified(person())
    city.etags[household_id] = office.etags[household_id]
    await city.change(household_id, valid_from="2026-05-01", division_code=OTHER_COUNTY)

    left, come = await feed(gateway, here), await feed(next_door, there)

    first, last = left["items"]
    assert first["state"]["division_code"].startswith("331124")
    assert (last["state"], last["moved_to"], last["version"]) == (None, "331121", 2)
    (arrived,) = come["items"]
    assert (arrived["version"], arrived["moved_to"]) == (2, None)
    assert arrived["state"]["division_code"] == OTHER_COUNTY


async def test_a_snapshot_and_the_changes_after_it_are_everything(
    registry: Registry, office: Office, office_of: OfficeOf
) -> None:
    gateway = await partner(office_of)
    before = await office.identified(person(name="欧阳修"))
    answer = await gateway.client.get(SNAPSHOT)
    after = await office.identified(person())

    head, *lines = [orjson.loads(line) for line in answer.content.splitlines()]
    told = await feed(gateway, head["cursor"])

    assert answer.headers["content-type"] == "application/x-ndjson"
    assert "欧阳" not in answer.text
    states = {line["household_id"]: line for line in lines}
    _, version, state = (await registry.states(before))[-1]
    assert states[before]["version"] == version
    assert HouseholdState.model_validate(states[before]["state"]) == state
    assert after not in states
    assert [each["household_id"] for each in told["items"]] == [after]
    assert ("exchange.snapshot_read",) in {
        (row["action"],) for row in await registry.rows("SELECT action FROM audit_log")
    }


async def test_it_takes_its_own_scope_and_cursor(office: Office, office_of: OfficeOf) -> None:
    gateway = await partner(office_of)

    problem(await office.client.get(FEED), 403, "scope_missing")
    problem(await office.client.get(SNAPSHOT), 403, "scope_missing")
    problem(
        await gateway.client.get(FEED, params={"cursor": "neverGiven"}), 400, "cursor_unreadable"
    )
