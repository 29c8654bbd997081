"""Questions sent to the reference sources over HTTP, and what becomes of their answers."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from deploy.local.sources import Way
from services.registry.verification.client import SourceClient
from services.registry.verification.sending import exchange
from services.registry.verification.sources import Source
from tests.registry.filing import Registry, problem
from tests.registry.verification.conftest import Desk, Loner, changed, ended_yesterday
from tests.registry.verification.sources import PATIENCE, Sources, number_of
from tests.support.ports import free_ports

ONCE_FOUND, ONCE_NOTHING = (Way.AT_ONCE, True), (Way.AT_ONCE, False)


@pytest.fixture(autouse=True)
async def nothing_left(registry: Registry) -> AsyncIterator[None]:
    """No question of another test is due."""
    yield
    await changed(registry, "UPDATE verification_items SET due_at = NULL")


async def states(desk: Desk, made: dict[str, Any]) -> dict[str, tuple[str, str | None]]:
    """Each source's state and failure."""
    shown = await desk.shown(made)
    return {each["source"]: (each["state"], each["failure"]) for each in shown["items"]}


async def hasten(registry: Registry, made: dict[str, Any], *, asked_ago: timedelta) -> None:
    """Let a verification have been asked for some time ago, and all of it be due."""
    await changed(
        registry,
        "UPDATE verifications SET requested_at = requested_at - $2::interval "
        "WHERE verification_id = $1",
        made["verification_id"],
        asked_ago,
    )
    await changed(
        registry,
        "UPDATE verification_items SET due_at = sent_at WHERE verification_id = $1 "
        "AND due_at IS NOT NULL",
        made["verification_id"],
    )


async def test_answers_come_at_once_and_nothing_found_is_one(
    registry: Registry, sources: Sources, desk: Desk, loner: Loner
) -> None:
    household_id = await loner(number_of(medical=ONCE_FOUND, bank=ONCE_NOTHING))
    made = await desk.asked(household_id, sources=["medical", "bank"])

    assert await sources.rounds(registry) == 4

    assert await states(desk, made) == {
        "bank": ("nothing_found", None),
        "medical": ("answered", None),
    }
    assert (await desk.shown(made))["missing_sources"] == []
    (row,) = await registry.rows(
        "SELECT answer_encrypted FROM verification_items "
        "WHERE verification_id = :id AND source = 'medical'",
        id=made["verification_id"],
    )
    assert b"cash" not in row["answer_encrypted"]


async def test_a_slow_source_is_asked_again_later_and_given_up_in_the_end(
    registry: Registry, sources: Sources, desk: Desk, loner: Loner
) -> None:
    household_id = await loner(number_of(tax=(Way.LATER, False)))
    made = await desk.asked(household_id, sources=["tax"])

    await sources.rounds(registry)
    assert await states(desk, made) == {"tax": ("sent", None)}
    (row,) = await registry.rows(
        "SELECT attempts, due_at > sent_at AS later FROM verification_items "
        "WHERE verification_id = :id",
        id=made["verification_id"],
    )
    assert (row["attempts"], row["later"]) == (1, True)

    await hasten(registry, made, asked_ago=PATIENCE)
    await sources.rounds(registry)

    assert await states(desk, made) == {"tax": ("not_returned", None)}
    assert (await desk.shown(made))["missing_sources"] == ["tax"]


@pytest.mark.parametrize(
    "wrong",
    [
        (Source.BANK, Way.ANOTHER_PERSON, "answer_for_another_person"),
        (Source.TAX, Way.NEGATIVE, "answer_amount_negative"),
        (Source.DEATH, Way.FUTURE, "answer_date_in_future"),
    ],
)
async def test_a_wrong_answer_is_refused_by_name_and_never_found(
    registry: Registry,
    sources: Sources,
    desk: Desk,
    loner: Loner,
    wrong: tuple[Source, Way, str],
) -> None:
    source, way, code = wrong
    household_id = await loner(number_of(**{source.value: (way, True)}))
    made = await desk.asked(household_id, sources=[source.value])

    await sources.rounds(registry)

    assert await states(desk, made) == {source.value: ("failed", code)}
    assert (
        await registry.rows(
            "SELECT count(*) AS n FROM verification_items "
            "WHERE verification_id = :id AND answer_encrypted IS NOT NULL",
            id=made["verification_id"],
        )
    )[0]["n"] == 0
    assert (
        await registry.rows(
            "SELECT doubt_id FROM verification_doubts WHERE verification_id = :id",
            id=made["verification_id"],
        )
        == []
    )

    again = f"/v1/households/{household_id}/verifications/{made['verification_id']}/ask-again"
    assert (await desk.office.client.post(again)).json() == {"items": 1}
    assert await states(desk, made) == {source.value: ("waiting", None)}
    problem(await desk.office.client.post(again), 409, "nothing_to_ask")


async def test_a_source_that_is_down_holds_up_its_own_questions_alone(
    registry: Registry, sources: Sources, desk: Desk, loner: Loner
) -> None:
    household_id = await loner(number_of(bank=ONCE_NOTHING))
    made = await desk.asked(household_id, sources=["bank"])
    nobody = SourceClient(f"http://127.0.0.1:{free_ports(1)[0]}")

    async with registry.worker.transaction() as session:
        assert await exchange(session, nobody, Source.BANK, patience=PATIENCE) == 1
    assert await states(desk, made) == {"bank": ("waiting", "source_unreachable")}

    await changed(
        registry,
        "UPDATE verification_items SET due_at = now() WHERE verification_id = $1",
        made["verification_id"],
    )
    await sources.rounds(registry)
    assert await states(desk, made) == {"bank": ("nothing_found", None)}


async def test_an_authorisation_that_ended_meanwhile_lets_nothing_leave(
    registry: Registry, sources: Sources, desk: Desk
) -> None:
    household_id = await desk.household()
    signed = await desk.all_signed(household_id)
    made = await desk.asked(household_id, sources=["bank"])
    expired, _ = signed
    await ended_yesterday(registry, signed[expired])

    await sources.rounds(registry)

    sent = {query for source, query, _ in sources.memory if source == "bank"}
    assert made["verification_id"] in sent
    asked = [key for key in sources.memory if key[1:] == (made["verification_id"], expired)]
    assert asked == []
    failed = [each for each in (await desk.shown(made))["items"] if each["subject_id"] == expired]
    assert [(each["state"], each["failure"]) for each in failed] == [
        ("failed", "authorization_not_live")
    ]


async def test_a_revocation_waits_for_what_is_on_its_way_and_nothing_follows_it(
    registry: Registry, sources: Sources, desk: Desk, loner: Loner, postgres: str
) -> None:
    household_id = await loner(number_of(bank=ONCE_NOTHING, tax=ONCE_NOTHING))
    made = await desk.asked(household_id, sources=["bank", "tax"])
    (authorization_id,) = {
        str(row["authorization_id"])
        for row in await registry.rows(
            "SELECT authorization_id FROM verification_items WHERE verification_id = :id",
            id=made["verification_id"],
        )
    }
    where = f"/v1/households/{household_id}/authorizations/{authorization_id}/revoke"

    async with registry.worker.transaction() as session:
        assert await exchange(session, sources.client, Source.BANK, patience=PATIENCE) == 1
        revoking = asyncio.create_task(desk.office.client.post(where, json={"reason": "本人撤回"}))
        await registry.until_waiting(postgres, 1)
        assert not revoking.done()
    assert (await revoking).status_code == 200

    await sources.rounds(registry)

    assert ("bank", made["verification_id"]) in {key[:2] for key in sources.memory}
    assert ("tax", made["verification_id"]) not in {key[:2] for key in sources.memory}
    not_live = ("failed", "authorization_not_live")
    assert await states(desk, made) == {"bank": not_live, "tax": not_live}


async def test_a_revocation_under_way_holds_the_sending_back(
    registry: Registry, sources: Sources, desk: Desk, loner: Loner, postgres: str
) -> None:
    household_id = await loner(number_of(bank=ONCE_NOTHING))
    made = await desk.asked(household_id, sources=["bank"])

    async with registry.worker.transaction() as session:
        driver = session.driver  # type: ignore[attr-defined] # Database.transaction gives one
        await driver.execute(
            "SELECT FROM authorizations WHERE household_id = $1 FOR UPDATE", household_id
        )
        sending = asyncio.create_task(sources.rounds(registry))
        await registry.until_waiting(postgres, 1)
        assert made["verification_id"] not in {key[1] for key in sources.memory}
    await sending
    assert await states(desk, made) == {"bank": ("nothing_found", None)}


async def test_two_workers_send_each_question_once(
    registry: Registry, sources: Sources, desk: Desk, loner: Loner
) -> None:
    household_id = await loner(number_of(bank=ONCE_NOTHING))
    made = await desk.asked(household_id, sources=["bank"])

    async with registry.worker.transaction() as one, registry.worker.transaction() as other:
        first = await exchange(one, sources.client, Source.BANK, patience=PATIENCE)
        second = await exchange(other, sources.client, Source.BANK, patience=PATIENCE)

    assert (first, second) == (1, 0)
    assert await states(desk, made) == {"bank": ("sent", None)}
