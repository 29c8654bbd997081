"""Hardship that other services see opens a lead where nobody helps yet: once, twice, late."""

from typing import Any

from services.registry.leads import signs
from services.registry.leads.handlers import on_hardships
from shared.contracts.assistance import HardshipKind
from shared.contracts.envelope import Envelope
from tests.registry.filing import Office, Registry
from tests.registry.told import hardship_event


async def hear(registry: Registry, *envelopes: Envelope) -> None:
    async with registry.worker.transaction() as session:
        await on_hardships(session, envelopes)


async def leads(registry: Registry, household_id: str) -> list[dict[str, Any]]:
    return await registry.rows(
        "SELECT lead_id, state, division_code FROM leads WHERE household_id = :id", id=household_id
    )


async def reports(registry: Registry, lead_id: Any) -> int:
    (row,) = await registry.rows(
        "SELECT count(*) AS n FROM lead_reports WHERE lead_id = :id", id=lead_id
    )
    return int(row["n"])


async def test_a_sign_opens_one_lead_however_often_it_comes(
    registry: Registry, office: Office
) -> None:
    household_id = await office.open()
    first, second = (hardship_event(household_id=household_id) for _ in range(2))

    await hear(registry, first)
    await hear(registry, first, second)
    await hear(registry, first)

    (lead,) = await leads(registry, household_id)
    assert lead["state"] == "open"
    assert await reports(registry, lead["lead_id"]) == 2


async def test_who_is_helped_or_was_gets_no_lead(registry: Registry, office: Office) -> None:
    helped, gone, new = await office.identified(), await office.struck_off(), await office.open()
    signs = [hardship_event(household_id=each) for each in (helped, gone, new)]

    await hear(registry, *signs)

    assert await leads(registry, helped) == []
    assert await leads(registry, gone) == []
    assert len(await leads(registry, new)) == 1


def test_every_sign_has_words_for_the_township() -> None:
    assert set(signs.WORDS) == {kind.value for kind in HardshipKind}
