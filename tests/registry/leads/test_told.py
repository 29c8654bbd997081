"""What is told of leads on ``registry.leads``: each change of state once, codes and dates alone."""

from datetime import date
from typing import Any
from uuid import UUID

import httpx
import pytest

from services.registry.leads import actions, publishing
from services.registry.leads.handlers import on_hardships
from shared import clock, receipts
from shared.contracts.leads import Lead
from tests.conftest import ClientOf, SettingsOf
from tests.registry.conftest import OfficeOf
from tests.registry.filing import OFFICER, OTHER_TOWNSHIP, Office, Registry, number
from tests.registry.leads.telling import (
    VISITED_ON,
    accept,
    described,
    dismiss,
    hand_over,
    opened,
    reported,
    visit,
    visited,
)
from tests.registry.told import VILLAGE, hardship_event


async def told(registry: Registry, lead_id: Any) -> list[tuple[str, int, Lead]]:
    """What was published of a lead in its order: the event's verb, version, payload."""
    rows = await registry.rows(
        "SELECT type, aggregate_version, key, data FROM events "
        "WHERE subject = :id AND topic = 'registry.leads' ORDER BY id",
        id=str(lead_id),
    )
    assert {row["key"] for row in rows} <= {str(lead_id)}
    return [
        (
            row["type"].split(".")[2],
            row["aggregate_version"],
            Lead.model_validate_json(row["data"]),
        )
        for row in rows
    ]


async def steps(registry: Registry, lead_id: Any) -> list[tuple[str, int]]:
    return [(verb, version) for verb, version, _ in await told(registry, lead_id)]


def kinds(lead: Lead) -> list[tuple[str, str | None]]:
    return [(each.source, each.service) for each in lead.senders]


async def test_every_change_of_state_is_told_once(registry: Registry, office: Office) -> None:
    lead_id = await opened(office)
    await visit(office, lead_id)
    await visit(office, lead_id, findings="再次走访", visited_on="2026-03-15")
    await dismiss(office, lead_id)

    said = await told(registry, lead_id)

    assert [(verb, version) for verb, version, _ in said] == [
        ("opened", 1),
        ("visited", 2),
        ("dismissed", 3),
    ]
    last = said[-1][2]
    assert (str(last.lead_id), last.division_code, last.source) == (
        lead_id,
        VILLAGE,
        "grid_worker",
    )
    assert (last.opened_on, last.visited_on, last.decided_on, last.accord) == (
        clock.today(),
        date.fromisoformat(VISITED_ON),
        clock.today(),
        None,
    )
    assert kinds(last) == [("grid_worker", None)]


async def test_an_acceptance_says_who_applies_and_where_the_household_lies(
    registry: Registry, office: Office
) -> None:
    household_id = await office.open(division_code=OTHER_TOWNSHIP)
    lead_id = await visited(office)

    await accept(office, lead_id, household_id=household_id, accord="officer_applies")

    verb, version, lead = (await told(registry, lead_id))[-1]
    assert (verb, version, lead.accord) == ("accepted", 3, "officer_applies")
    assert lead.division_code == OTHER_TOWNSHIP
    assert household_id not in lead.model_dump_json()


async def test_one_handed_on_is_told_where_it_lies_now(registry: Registry, office: Office) -> None:
    lead_id = await opened(office)

    assert (await hand_over(office, lead_id, OTHER_TOWNSHIP)).status_code == 204

    verb, version, lead = (await told(registry, lead_id))[-1]
    assert (verb, version, lead.division_code) == ("opened", 2, OTHER_TOWNSHIP)


async def test_a_further_report_is_told_where_its_sender_is_of_another_kind(
    registry: Registry, office: Office, office_of: OfficeOf
) -> None:
    household_id = await office.open()
    lead_id = await opened(office, household_id=household_id)

    await reported(office, household_id=household_id, text="又来电")
    before = await steps(registry, lead_id)
    relief = await office_of(officer=None, sub="relief")
    bill = {"household_id": household_id, "source": "hospital_bill"}
    await reported(relief, **bill, reported_on="2026-03-11")
    await reported(relief, **bill, reported_on="2026-03-12")
    nobody = await office_of(officer=None, sub="somebody")
    await reported(nobody, household_id=household_id, source="school")

    assert before == [("opened", 1)]
    assert await steps(registry, lead_id) == [("opened", 1), ("opened", 2), ("opened", 3)]
    last = (await told(registry, lead_id))[-1][2]
    assert kinds(last) == [("grid_worker", None), ("hospital_bill", "relief"), ("school", None)]
    assert [each.reported_on.isoformat() for each in last.senders] == [
        "2026-03-10",
        "2026-03-11",
        "2026-03-10",
    ]


async def test_two_signs_of_one_batch_are_told_in_one_state(
    registry: Registry, office: Office
) -> None:
    household_id = await office.open()
    signs = [hardship_event(household_id=household_id) for _ in range(2)]
    signs[0] = signs[0]._replace(source="/relief")

    for _ in range(2):
        async with registry.worker.transaction() as session:
            await on_hardships(session, signs)

    (row,) = await registry.rows(
        "SELECT lead_id, version FROM leads WHERE household_id = :id", id=household_id
    )
    ((verb, version, lead),) = await told(registry, row["lead_id"])
    assert (verb, version) == ("opened", row["version"])
    assert sorted(kinds(lead)) == [("other_service", "housing"), ("other_service", "relief")]


async def test_a_citizen_is_known_by_his_receipt_s_hash_and_by_nothing_else(
    registry: Registry, client_of: ClientOf, settings_of: SettingsOf, office: Office
) -> None:
    citizen = await client_of(
        "registry", registry.urls, settings=settings_of("registry", registry.urls)
    )
    id_number, phone, words = number(), "13900007001", "邻居老人摔伤"
    given = [await tell(citizen, words, phone, id_number) for _ in range(2)]

    hashes = [receipts.hash_of(each) for each in given]
    (row,) = await registry.rows(
        "SELECT lead_id FROM leads WHERE receipts @> ARRAY[:one]", one=hashes[0]
    )
    said = await told(registry, row["lead_id"])

    assert [(verb, version) for verb, version, _ in said] == [("opened", 1), ("opened", 2)]
    assert [(one.receipt_hash, one.received_on) for one in said[-1][2].receipts] == [
        (each, clock.today()) for each in hashes
    ]
    assert kinds(said[-1][2]) == [("wechat", None)]
    sent = said[-1][2].model_dump_json()
    for secret in (*given, given[0].replace("-", ""), id_number, phone, words):
        assert secret not in sent


async def tell(citizen: httpx.AsyncClient, words: str, phone: str, id_number: str) -> str:
    body = {"text": words, "division_code": VILLAGE, "phone": phone, "id_number": id_number}
    answer = await citizen.post("/v1/public/leads", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["receipt"])


async def test_a_report_that_joins_in_another_county_tells_of_that_place(
    registry: Registry, office: Office, office_of: OfficeOf
) -> None:
    id_number = number()
    next_door = await office_of(divisions=("331121",), officer="o9")
    where = described(id_number=id_number, division_code="331121001001")
    lead_id = await opened(next_door, person=where)

    await reported(office, person=described(id_number=id_number), source="hotline")

    verb, version, lead = (await told(registry, lead_id))[-1]
    assert (verb, version, lead.division_code) == ("opened", 2, "331121001001")


async def test_what_fails_tells_nothing(registry: Registry, office: Office) -> None:
    lead_id = await visited(office)

    async with registry.acting() as session:
        await actions.dismiss(session, OFFICER, UUID(lead_id), "已搬走")
        await session.rollback()
    await dismiss(office, lead_id, reason=" ")

    assert await steps(registry, lead_id) == [("opened", 1), ("visited", 2)]


async def turn(registry: Registry) -> None:
    more = True
    while more:
        async with registry.worker.transaction() as session:
            more = await publishing.tell_untold(session, clock.today())


async def test_a_lead_that_moved_with_its_household_is_told_at_the_turn_of_the_day(
    registry: Registry, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "CHUNK", 1)
    household_id = await office.open()
    lead_id = await opened(office, household_id=household_id)
    other = await opened(office)
    await turn(registry)
    assert await steps(registry, lead_id) == [("opened", 1)]

    await office.change(household_id, valid_from="2026-03-01", division_code=OTHER_TOWNSHIP)
    await turn(registry)
    await turn(registry)

    assert await steps(registry, other) == [("opened", 1)]
    assert await steps(registry, lead_id) == [("opened", 1), ("opened", 2)]
    assert (await told(registry, lead_id))[-1][2].division_code == OTHER_TOWNSHIP
