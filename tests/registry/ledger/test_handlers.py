"""What other services report: once, twice, late, about nobody; and nothing goes out again."""

from decimal import Decimal
from uuid import UUID

import pytest

from services.registry.ledger.actions import UnknownHouseholdError
from services.registry.ledger.handlers import SUBSCRIPTIONS, on_assisted, on_guarantees
from services.registry.returns.handlers import on_hardships
from services.registry.worker import SUBSCRIPTIONS as HEARD
from shared import clock
from shared.applying import Applier
from shared.contracts.assistance import AssistanceEvent, AssistanceStatus
from shared.contracts.envelope import Envelope
from shared.contracts.topics import ASSISTANCE, RELIEF_ASSISTANCE
from shared.identity import new_id
from shared.parking import Arrival
from tests.registry.conftest import OfficeOf
from tests.registry.filing import Office, Registry, person, problem
from tests.registry.told import aid_event, guarantee_event, hardship_event


async def hear(registry: Registry, *envelopes: Envelope) -> None:
    """One batch of measures, as the consumer hands it over."""
    async with registry.worker.transaction() as session:
        await on_assisted(session, envelopes)


async def ledger(office: Office, household_id: str) -> list[dict[str, object]]:
    answer = await office.client.get(f"/v1/households/{household_id}/aid")
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def test_a_measure_stands_in_the_ledger(registry: Registry, office: Office) -> None:
    household_id = await office.identified(person(), person("spouse"))
    people = [member["person_id"] for member in (await office.read(household_id))["members"]]
    event = aid_event(household_id=household_id, person_ids=people)

    await hear(registry, event)

    (entry,) = await ledger(office, household_id)
    assert entry == {
        "source": "/relief",
        "assistance_id": event.subject,
        "person_ids": people,
        "programme": "dibao",
        "status": "paid",
        "amount": "300.00",
        "fund": "dibao",
        "month": "2026-02-01",
        "granted_on": "2026-02-08",
        "version": 1,
    }


async def test_twice_and_late_change_nothing_and_newer_replaces(
    registry: Registry, office: Office
) -> None:
    household_id = UUID(await office.identified())
    measure = new_id()
    approved, paid, reversed_ = (
        aid_event(version, household_id=household_id, assistance_id=measure, status=status)
        for version, status in enumerate(
            (AssistanceStatus.APPROVED, AssistanceStatus.PAID, AssistanceStatus.REVERSED), start=1
        )
    )
    before = await registry.counted("events", "outbox", "household_versions")

    seen = []
    for event in (paid, paid, approved, reversed_, paid):
        await hear(registry, event)
        (entry,) = await ledger(office, str(household_id))
        seen.append((entry["version"], entry["status"]))

    assert seen == [(2, "paid")] * 3 + [(3, "reversed")] * 2
    assert await registry.counted("events", "outbox", "household_versions") == before


async def test_a_batch_of_many_households_and_services(registry: Registry, office: Office) -> None:
    first, second = await office.identified(), await office.identified()
    measure = new_id()

    await hear(
        registry,
        aid_event(household_id=first, assistance_id=measure, person_ids=(new_id(), new_id())),
        aid_event(household_id=second, amount=Decimal("0.01"), month=None),
        aid_event(household_id=second, amount=Decimal("-5.00"), programme="correction"),
    )

    assert [entry["amount"] for entry in await ledger(office, first)] == ["300.00"]
    amounts = sorted(str(entry["amount"]) for entry in await ledger(office, second))
    assert amounts == ["-5.00", "0.01"]


async def test_nobody_we_know_is_refused_by_name_and_the_batch_with_it(
    registry: Registry, office: Office
) -> None:
    household_id, stranger = await office.identified(), new_id()

    with pytest.raises(UnknownHouseholdError, match=str(stranger)):
        await hear(registry, aid_event(household_id=household_id), aid_event(household_id=stranger))
    with pytest.raises(UnknownHouseholdError, match=str(stranger)):
        await registry.guarantee(household_id=stranger, met=True)

    assert await ledger(office, household_id) == []


async def test_guarantees_once_twice_late(registry: Registry, office: Office) -> None:
    household_id, guarantee_id = await office.identified(), new_id()
    red, green = (
        guarantee_event(version, household_id=household_id, guarantee_id=guarantee_id, met=met)
        for version, met in ((1, False), (2, True))
    )

    seen = []
    for event in (red, red, green, red):
        async with registry.worker.transaction() as session:
            await on_guarantees(session, [event])
        answer = await office.client.get(f"/v1/households/{household_id}/guarantees")
        (shown,) = answer.json()
        seen.append((shown["version"], shown["met"]))

    assert seen == [(1, False), (1, False), (2, True), (2, True)]


def test_every_assistance_topic_is_heard() -> None:
    heard = {(each.topic.name, kind) for each in SUBSCRIPTIONS for kind in each.types}

    assert heard == {
        (topic.name, kind.value)
        for topic in ASSISTANCE
        for kind in (AssistanceEvent.ASSISTED, AssistanceEvent.GUARANTEE_CHANGED)
    }
    assert set(SUBSCRIPTIONS) <= set(HEARD)


async def test_the_ledger_pages(registry: Registry, office: Office) -> None:
    household_id = await office.identified()
    await hear(registry, *(aid_event(household_id=household_id) for _ in range(5)))
    where, seen, cursor = f"/v1/households/{household_id}/aid", [], None

    while True:
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await office.client.get(where, params=query)).json()
        seen += [entry["assistance_id"] for entry in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert len(seen) == len(set(seen)) == 5


async def test_the_story_of_a_household_in_one_order(registry: Registry, office: Office) -> None:
    household_id = await office.long_identified()
    await office.ready_to_lift(household_id)
    await office.decide(household_id, "lift", decided_on="2025-08-01", reason="收入稳定")
    async with registry.worker.transaction() as session:
        await on_hardships(session, [hardship_event(household_id=household_id)])
    today = clock.today().isoformat()
    where = f"/v1/households/{household_id}/timeline"

    whole = (await office.client.get(where)).json()
    pages: list[dict[str, object]] = []
    cursor = None
    while len(pages) < len(whole["items"]):
        query = {"limit": 3} | ({"cursor": cursor} if cursor else {})
        page = (await office.client.get(where, params=query)).json()
        pages += page["items"]
        cursor = page["next_cursor"]

    assert [(each["on"], each["kind"]) for each in whole["items"]] == [
        ("2025-01-02", "notice_posted"),
        ("2025-01-05", "facts"),
        ("2025-01-10", "decision"),
        ("2025-01-10", "facts"),
        ("2025-01-10", "identified"),
        ("2025-01-10", "notice_closed"),
        ("2025-01-20", "income_check"),
        ("2025-07-20", "income_check"),
        ("2025-07-24", "notice_posted"),
        ("2025-08-01", "decision"),
        ("2025-08-01", "facts"),
        ("2025-08-01", "lifted"),
        ("2025-08-01", "notice_closed"),
        *[("2026-02-01", "guarantee")] * 5,
        ("2026-02-01", "hardship"),
        ("2026-02-08", "aid"),
        *[(today, "notice_requested")] * 2,
        (today, "return_check_opened"),
    ]
    assert whole["next_cursor"] is None
    assert (pages, cursor) == (whole["items"], None)


async def test_what_was_done_for_a_household_is_read_by_its_own_county(
    registry: Registry, office: Office, office_of: OfficeOf
) -> None:
    household_id = await office.identified()
    await hear(registry, aid_event(household_id=household_id))
    neighbours = await office_of(divisions=("331121",))

    for what in ("aid", "guarantees", "timeline"):
        where = f"/v1/households/{household_id}/{what}"
        assert (await office.client.get(where)).status_code == 200
        problem(await neighbours.client.get(where), 404, "household_not_found")
    actions = [action for action, _ in await registry.audited(household_id)]
    assert actions[-3:] == [
        "household.aid_read",
        "household.guarantees_read",
        "household.timeline_read",
    ]


async def test_the_consumer_parks_what_speaks_of_nobody_and_takes_the_rest(
    registry: Registry, office: Office
) -> None:
    household_id, stranger = await office.identified(), new_id()
    events = [aid_event(household_id=household_id), aid_event(household_id=stranger)]
    arrivals = [
        Arrival(
            topic=RELIEF_ASSISTANCE.name,
            partition=0,
            offset=offset,
            key=event.key.encode(),
            value=event.data,
            headers=event.headers(),
        )
        for offset, event in enumerate(events)
    ]

    async with registry.worker.transaction() as session:
        tally = await Applier(HEARD).take(session, arrivals)

    assert (tally.applied.total(), tally.parked.total()) == (1, 1)
    assert len(await ledger(office, household_id)) == 1
    (parked,) = await registry.rows("SELECT reason, aggregate_id FROM parked")
    assert parked["aggregate_id"] == events[1].subject
    assert str(stranger) in parked["reason"]
