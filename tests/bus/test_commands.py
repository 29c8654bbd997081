"""The operators' commands, as they are typed."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path as Folder
from uuid import UUID

import pytest
from sqlalchemy import text
from typer.testing import CliRunner, Result

from shared import command_line, commands
from shared.contracts.registry import HouseholdEvent
from shared.contracts.topics import HOUSEHOLDS
from shared.events import NewEvent, publish
from shared.identity import new_id
from tests.bus.conftest import Path
from tests.bus.notes import Note, execute, running, scalar, write
from tests.bus.test_delivery import until_drained, until_latest
from tests.bus.test_parking import parked, until_parked
from tests.conftest import SettingsOf

TABLE_OF = {"divisions": "divisions", "calendar": "working_days"}
Typed = Callable[..., Awaitable[Result]]


@pytest.fixture
def typed(path: Path, settings_of: SettingsOf, monkeypatch: pytest.MonkeyPatch) -> Typed:
    """Runs ``python -m services.education …`` on the listener's database, in a wide terminal."""
    monkeypatch.setattr(command_line.out, "width", 200)
    settings = settings_of("education", path.listener_at)
    app = commands.build("education", lambda: settings)

    async def run(*words: str) -> Result:
        runner = CliRunner()
        return await asyncio.to_thread(runner.invoke, app, words)

    return run


async def park_one(path: Path) -> UUID:
    """An event that education's real handler cannot read: no household state at all."""
    from services.education.worker import SUBSCRIPTIONS  # noqa: PLC0415 - looked up as commands do

    household = new_id()
    async with path.writer.transaction() as session:
        event = NewEvent(
            topic=HOUSEHOLDS,
            type=HouseholdEvent.CHANGED,
            subject=household,
            version=1,
            payload=Note(household_id=household, text="no state"),
        )
        await publish(session, [event])
    async with running(path.relay().run, path.consumer(subscriptions=SUBSCRIPTIONS).run):
        await until_parked(path, 1)
    return household


async def test_an_operator_sees_and_resolves_a_parked_message(path: Path, typed: Typed) -> None:
    household = await park_one(path)

    status = await typed("events", "status")
    assert "unsent: 0" in status.output
    assert "parked: 1 of registry.households" in status.output

    listed = await typed("events", "parked", "--aggregate", str(household))
    assert str(household) in listed.output
    number = re.search(r"\b(\d+)\s+│ registry", listed.output)
    assert number is not None

    shown = await typed("events", "show", number[1])
    assert "state missing" in shown.output
    assert '"text": "no state"' in shown.output

    again = await typed("events", "redrive", "--all", "--actor", "o7")
    assert again.exit_code == 1
    assert "0 handled, 1 still parked" in again.output

    given_up = await typed("events", "discard", number[1], "--actor", "o7", "--because", "a test")
    assert (given_up.exit_code, given_up.output.strip()) == (0, "1 discarded")
    assert await parked(path) == []


@pytest.mark.parametrize("order", [["redrive"], ["discard", "--because", "x"]])
async def test_nothing_chosen_is_refused(typed: Typed, order: list[str]) -> None:
    refused = await typed("events", *order, "--actor", "o7")
    assert refused.exit_code == 2
    assert "--all" in refused.output


async def test_nobody_acts_without_a_name(typed: Typed) -> None:
    assert (await typed("events", "redrive", "--all")).exit_code == 2


async def test_an_unknown_number_is_said_so(typed: Typed) -> None:
    refused = await typed("events", "show", "4711")
    assert refused.exit_code == 2
    assert "no parked message 4711" in refused.output


@pytest.mark.parametrize(
    ("words", "content"),
    [
        (("divisions", "load"), b"code,name\n331124,x\n"),
        (("divisions", "load"), b"code,name\n\xff\xfe,x\n"),
        (("calendar", "load"), b"day,working\n2027-02-30,0\n"),
        (("calendar", "load"), b"day,working\n2027-01-01,0\n2027-01-01,1\n"),
    ],
)
async def test_a_bad_file_is_one_line_and_changes_nothing(
    typed: Typed, path: Path, tmp_path: Folder, words: tuple[str, ...], content: bytes
) -> None:
    file = tmp_path / "bad.csv"
    file.write_bytes(content)
    before = await scalar(path.listener, f"SELECT count(*) FROM {TABLE_OF[words[0]]}")  # noqa: S608 - ours
    refused = await typed(*words, str(file))
    assert refused.exit_code == 2
    assert "bad.csv" in refused.output
    assert "Traceback" not in refused.output
    after = await scalar(path.listener, f"SELECT count(*) FROM {TABLE_OF[words[0]]}")  # noqa: S608 - ours
    assert after == before


async def test_status_says_what_is_unsent_and_lags_and_when_kafka_is_silent(
    path: Path, typed: Typed, kafka_settings_of: SettingsOf
) -> None:
    household = new_id()
    await write(path.writer, (household, 1, "waits"))
    settings = kafka_settings_of("housing", path.writer_at)
    writers = commands.build("housing", lambda: settings)
    told = await asyncio.to_thread(CliRunner().invoke, writers, ["events", "status"])
    assert re.search(r"unsent: 1 of registry.households, oldest \d+\.\d s", told.output)

    async with running(path.relay().run):
        async with running(path.consumer().run):
            await until_latest(path, {household: (1, "waits")})
        await write(path.writer, (household, 2, "not read yet"))
        await until_drained(path)
    await execute(
        path.listener_at.owner_url,
        "INSERT INTO consumer_offsets VALUES ('relief.standards', 3, 9000)",
    )
    silent = await typed("events", "status")
    assert "lag: unknown, Kafka does not answer" in silent.output
    listening = kafka_settings_of("education", path.listener_at)
    listeners = commands.build("education", lambda: listening)
    told = await asyncio.to_thread(CliRunner().invoke, listeners, ["events", "status"])
    assert "lag: 1\n" in told.output
    assert "out of range: Kafka has 0 to 0" in told.output
    assert "parked: 0" in told.output


async def test_a_reason_is_shown_as_it_is(typed: Typed, path: Path) -> None:
    """What looks like a terminal's formatting is data."""
    async with path.listener.transaction() as session:
        await session.execute(
            text("""
                INSERT INTO parked (topic, kafka_partition, kafka_offset, headers, reason)
                VALUES ('registry.households', 0, 1, '[]', 'KeyError: [/x] :warning:')
            """)
        )
    for words in (("events", "status"), ("events", "parked"), ("events", "show", "1")):
        shown = await typed(*words)
        assert shown.exit_code == 0
        assert "KeyError: [/x] :warning:" in shown.output


async def test_nothing_is_given_up_without_a_reason(typed: Typed) -> None:
    refused = await typed("events", "discard", "--all", "--actor", "o7", "--because", " ")
    assert refused.exit_code == 2
    assert "say which" in refused.output


async def test_replay_and_restart(path: Path, typed: Typed, settings_of: SettingsOf) -> None:
    household = new_id()
    async with path.writer.transaction() as session:
        for version in (1, 2, 3):
            event = NewEvent(
                topic=HOUSEHOLDS,
                type=HouseholdEvent.CHANGED,
                subject=household,
                version=version,
                payload=Note(household_id=household, text="x"),
            )
            await publish(session, [event])
    async with running(path.relay().run):
        await until_drained(path)
    settings = settings_of("housing", path.writer_at)
    writers = commands.build("housing", lambda: settings)

    async def replayed(*words: str) -> str:
        result = await asyncio.to_thread(
            CliRunner().invoke, writers, ["events", "replay", *words, "--actor", "o7"]
        )
        assert result.exit_code == 0, result.output
        return result.output.strip()

    assert await replayed("--key", str(household)) == "1 events are in the outbox again"
    assert (await replayed("--all-versions")).startswith("3 events")
    assert (await replayed("--since", "2100-01-01T00:00:00")).startswith("0 events")

    asked = "SELECT count(*) FROM audit_log WHERE action = 'event.replayed' AND officer_id = 'o7'"
    assert await scalar(path.writer, asked) == 3
    async with path.listener.transaction() as session:
        await session.execute(
            text("INSERT INTO consumer_offsets VALUES ('relief.standards', 3, 9)")
        )
    done = await typed("events", "restart", "relief.standards", "3", "--actor", "o7")
    assert done.exit_code == 0, done.output
    assert await scalar(path.listener, "SELECT count(*) FROM consumer_offsets") == 0
