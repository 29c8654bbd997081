"""Leads older than the topic: filled in by the migration, told at the first turn of the day."""

import asyncio
import importlib.util
import json
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import text

from services.registry.leads import publishing
from shared import clock, migrations, receipts
from shared.contracts.leads import Lead
from tests.conftest import ClientOf, SettingsOf
from tests.registry.filing import Office, Registry, number
from tests.registry.leads.telling import VISITED_ON, described, opened, reported, visit
from tests.registry.leads.test_told import tell, told, turn
from tests.registry.told import VILLAGE

VERSIONS = Path(__file__).parents[3] / "services/registry/migrations/versions"


def before() -> str:
    """The revision that knew nothing of the topic."""
    (path,) = VERSIONS.glob("*_leads_told.py")
    found = importlib.util.spec_from_file_location("leads_told", path)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return str(module.down_revision)


async def test_what_its_reports_and_visits_say_is_told_once(
    registry: Registry,
    client_of: ClientOf,
    settings_of: SettingsOf,
    office: Office,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(publishing, "CHUNK", 1)
    settings = settings_of("registry", registry.urls)
    citizen = await client_of("registry", registry.urls, settings=settings)
    id_number = number()
    lead_id = await opened(office, person=described(id_number=id_number))
    receipt = await tell(citizen, "又见其摔倒", "13900007002", id_number)
    await reported(office, person=described(id_number=id_number), source="hotline")
    await visit(office, lead_id)
    bare = await opened(office)
    last = (await told(registry, lead_id))[-1]

    url = registry.urls.owner_url
    await asyncio.to_thread(migrations.downgrade, "registry", url, before())
    await asyncio.to_thread(migrations.upgrade, "registry", url)
    await turn(registry)
    await turn(registry)

    verb, version, lead = (await told(registry, lead_id))[-1]
    assert (verb, version) == ("visited", last[1] + 1)
    assert lead.visited_on == date.fromisoformat(VISITED_ON)
    assert [(each.receipt_hash, each.received_on) for each in lead.receipts] == [
        (receipts.hash_of(receipt), clock.today())
    ]
    assert plain(lead) == plain(last[2])
    assert [each[:2] for each in await told(registry, bare)] == [("opened", 1), ("opened", 2)]


async def test_the_api_of_the_release_before_goes_on_meanwhile(
    registry: Registry, client_of: ClientOf, settings_of: SettingsOf
) -> None:
    """Its own statements: a lead opened, a citizen's report joined; told at the turn of the day."""
    settings = settings_of("registry", registry.urls)
    citizen = await client_of("registry", registry.urls, settings=settings)
    first, second, person = receipts.new(), receipts.new(), b"of-an-earlier-release"
    async with registry.acting() as session:
        await session.execute(
            text(
                "INSERT INTO leads (lead_id, person_hash, division_code, source, due_provisional, "
                "opened_on, recorded_at, state, reason, receipts, version) VALUES (uuidv7(), "
                ":person, :place, 'wechat', false, '2026-03-10', now(), 'open', '', "
                "ARRAY[CAST(:one AS text)], 1)"
            ),
            {"person": person, "place": VILLAGE, "one": receipts.hash_of(first)},
        )
        found = await session.execute(
            text("SELECT lead_id, version FROM join_lead(NULL, :person, :two)"),
            {"person": person, "two": receipts.hash_of(second)},
        )
        ((lead_id, version),) = found.all()

    assert version == 2
    for receipt in (first, second):
        answer = await citizen.post("/v1/public/leads/status", json={"receipt": receipt})
        assert answer.json() == {"status": "已收到，等待入户走访"}
    await turn(registry)
    ((verb, last, lead),) = await told(registry, lead_id)
    assert (verb, last) == ("opened", 3)
    assert [each.receipt_hash for each in lead.receipts] == [
        receipts.hash_of(each) for each in (first, second)
    ]
    assert [(each.source, each.reported_on) for each in lead.senders] == [
        ("wechat", date(2026, 3, 10))
    ]


def plain(lead: Lead) -> dict[str, object]:
    """The lead with its senders by the day on which they reported first."""
    found: dict[str, object] = json.loads(lead.model_dump_json())
    senders = sorted((each.reported_on, each.source) for each in lead.senders)
    return found | {"senders": senders}
