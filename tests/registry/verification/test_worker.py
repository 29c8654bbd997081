"""The worker's own part: it deals with what is due until told to stop."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from deploy.local import sources as reference
from deploy.local.sources import Way
from services.registry.settings import RegistrySettings
from services.registry.verification import sending
from services.registry.verification.exchanging import Exchange
from services.registry.verification.sources import Source
from shared import clock
from tests.conftest import SettingsOf
from tests.registry.filing import Registry, person
from tests.registry.verification.conftest import Desk, Loner, changed
from tests.registry.verification.sources import Sources, number_of
from tests.support.waiting import until

NOTHING = (Way.AT_ONCE, False)


def exchange_with(registry: Registry, settings_of: SettingsOf, **changes: Any) -> Exchange:
    settings = settings_of("registry", registry.urls, **changes)
    assert isinstance(settings, RegistrySettings)
    return Exchange(registry.worker, settings)


async def test_it_asks_and_takes_answers_until_it_is_stopped(
    registry: Registry, settings_of: SettingsOf, sources: Sources, desk: Desk, loner: Loner
) -> None:
    made = await desk.asked(
        await loner(number_of(bank=NOTHING, tax=NOTHING)), sources=["bank", "tax"]
    )
    exchange = exchange_with(registry, settings_of, verification_sources_url=sources.url)
    stop = asyncio.Event()
    running = asyncio.create_task(exchange.run(stop))

    async def answered() -> bool:
        shown = await desk.shown(made)
        return {each["state"] for each in shown["items"]} == {"nothing_found"}

    await until(answered, what="both sources to have answered")
    stop.set()
    await running


async def test_without_an_address_questions_wait(
    registry: Registry,
    settings_of: SettingsOf,
    desk: Desk,
    loner: Loner,
    capsys: pytest.CaptureFixture[str],
) -> None:
    made = await desk.asked(await loner(number_of(bank=NOTHING)), sources=["bank"])
    stop, said = asyncio.Event(), [""]
    running = asyncio.create_task(exchange_with(registry, settings_of).run(stop))

    async def told() -> bool:
        said[0] += capsys.readouterr().out
        return "BANGFU_VERIFICATION_SOURCES_URL is unset" in said[0]

    await until(told, what="the log to say that there is no address")
    stop.set()
    await running

    assert [each["state"] for each in (await desk.shown(made))["items"]] == ["waiting"]


def base_of(id_number: str) -> Decimal:
    """The monthly base that social insurance knows of somebody."""
    digest = reference.digest("social_insurance", id_number)
    data = reference.found_of("social_insurance", digest, clock.today())
    return Decimal(data["contributions"][0]["base"])


def earners() -> tuple[str, str]:
    """Two people of whom neither earns less than a half of the other."""
    known = (Way.AT_ONCE, True)
    one = number_of(social_insurance=known)
    while True:
        other = number_of(social_insurance=known)
        if max(base_of(one), base_of(other)) <= 2 * min(base_of(one), base_of(other)):
            return one, other


async def test_of_two_who_bring_answers_to_one_household_the_second_sees_both(
    registry: Registry,
    sources: Sources,
    desk: Desk,
    postgres: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each alone raises nothing; together the bases are over the declared wages."""
    monkeypatch.setattr(sending, "BATCH", 1)
    await changed(registry, "UPDATE verification_items SET due_at = NULL")
    couple = earners()
    wage = 12 * max(map(base_of, couple))
    household_id = await desk.household(
        person(id_number=couple[0]),
        person("spouse", name="王小芳", id_number=couple[1]),
        incomes={"wage": f"{wage}"},
    )
    await desk.all_signed(household_id)
    made = await desk.asked(household_id, sources=["social_insurance"])
    for _ in range(2):
        async with registry.worker.transaction() as session:
            await sending.exchange(
                session, sources.client, Source.SOCIAL_INSURANCE, patience=sources.patience
            )

    async def second() -> None:
        async with registry.worker.transaction() as session:
            await sending.exchange(
                session, sources.client, Source.SOCIAL_INSURANCE, patience=sources.patience
            )

    async with registry.worker.transaction() as first:
        await sending.exchange(
            first, sources.client, Source.SOCIAL_INSURANCE, patience=sources.patience
        )
        following = asyncio.create_task(second())
        await registry.until_waiting(postgres, 1)
    await following

    (doubt,) = await registry.rows(
        "SELECT kind, detail FROM verification_doubts WHERE verification_id = :id",
        id=made["verification_id"],
    )
    assert doubt["kind"] == "wage_understated"
    assert [each["state"] for each in (await desk.shown(made))["items"]] == ["answered"] * 2
