"""Needs that a source shows and no file declares: a lead, a return check, or the doubt alone."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import text

from services.registry.leads import sealed
from services.registry.verification import needs
from services.registry.verification.needs import Needs, take_needs
from tests.registry.conftest import OfficeOf
from tests.registry.filing import Registry, person
from tests.registry.leads.telling import dismiss, visit
from tests.registry.verification.conftest import Desk
from tests.registry.verification.sources import Sources, number_of
from tests.registry.verification.test_files import BY_FILE, hand_in, line
from tests.support.waiting import until

Asked = Callable[..., Awaitable[tuple[dict[str, Any], str]]]
DISABLED = ("disability", {"kind": "limb", "grade": 2})
ENROLLED = ("enrolment", {"school": "松阳一中", "stage": "senior"})
ILL = ("medical", {"total": "60000", "cash": "24000"})
NEW = {"category": None}


@pytest.fixture
async def accepted(desk: Desk) -> Callable[..., Awaitable[str]]:
    """Files households that nobody helps yet."""

    async def file(*members: dict[str, Any], **given: Any) -> str:
        household_id = await desk.office.open(*members, **(NEW | given))
        people = (await desk.office.read(household_id))["members"]
        desk.people[household_id] = [each["person_id"] for each in people]
        return household_id

    return file


async def say(
    registry: Registry,
    desk: Desk,
    sources: Sources,
    household_id: str,
    id_number: str,
    *said: tuple[str, dict[str, Any]],
) -> None:
    """Ask the sources about a household whose only member has signed, and let these answer."""
    if not (await registry.rows(SIGNED, id=household_id)):
        await desk.all_signed(household_id)
    made = await desk.asked(household_id, sources=[source for source, _ in said])
    await sources.rounds(registry)
    for source, data in said:
        answer = await hand_in(desk, line(made, id_number, data=data), source)
        assert answer.json()["stored"] == 1, answer.text


SIGNED = "SELECT 1 FROM authorizations WHERE household_id = :id"


async def take(registry: Registry) -> int:
    async with registry.worker.transaction() as session:
        return await take_needs(session)


async def leads(registry: Registry, household_id: str) -> list[dict[str, Any]]:
    return await registry.rows(
        "SELECT lead_id, source, state, senders FROM leads WHERE household_id = :id "
        "ORDER BY lead_id",
        id=household_id,
    )


async def words(registry: Registry, lead: dict[str, Any]) -> list[str]:
    rows = await registry.rows(
        "SELECT text_encrypted FROM lead_reports WHERE lead_id = :id ORDER BY report_id",
        id=lead["lead_id"],
    )
    return [sealed.show_words(row["text_encrypted"]) for row in rows]


async def marks(registry: Registry, household_id: str) -> list[tuple[str, str | None]]:
    rows = await registry.rows(
        "SELECT kind, need FROM verification_doubts WHERE household_id = :id ORDER BY doubt_id",
        id=household_id,
    )
    return [(row["kind"], row["need"]) for row in rows]


async def checks(registry: Registry, household_id: str) -> list[tuple[str, Any]]:
    rows = await registry.rows(
        "SELECT hardships.kind, hardships.amount FROM return_checks JOIN hardships "
        "USING (source, hardship_id) WHERE return_checks.household_id = :id ORDER BY kind",
        id=household_id,
    )
    return [(row["kind"], row["amount"]) for row in rows]


async def test_all_needs_of_a_household_nobody_helps_are_one_lead(
    registry: Registry, desk: Desk, sources: Sources, accepted: Any
) -> None:
    id_number = number_of(disability=BY_FILE, medical=BY_FILE)
    household_id = await accepted(person(id_number=id_number))
    await say(registry, desk, sources, household_id, id_number, DISABLED, ILL)
    assert {need for _, need in await marks(registry, household_id)} == {"waiting"}

    taken = await take(registry)
    again = await take(registry)

    assert (taken, again) == (2, 0)
    (lead,) = await leads(registry, household_id)
    assert (lead["source"], lead["state"], lead["senders"]) == (
        "data_match",
        "open",
        ["data_match"],
    )
    assert await words(registry, lead) == [
        "数据核对发现档案未申报的需求：持有残疾人证未申报；自付医疗费用高,可能需要救助"
    ]
    assert {need for _, need in await marks(registry, household_id)} == {"lead"}
    published = await registry.rows(
        "SELECT type FROM events WHERE subject = :id", id=str(lead["lead_id"])
    )
    assert [row["type"] for row in published] == ["bangfu.lead.opened.v1"]
    board = await registry.rows(
        "SELECT kind FROM tasks WHERE subject_id = :id AND closed_on IS NULL", id=lead["lead_id"]
    )
    assert [row["kind"] for row in board] == ["lead_visit"]
    audited = await registry.audited(household_id)
    assert ("verification.need_taken_up", None) in audited


async def test_a_later_need_joins_the_open_lead_and_opens_one_after_its_end(
    registry: Registry, desk: Desk, sources: Sources, accepted: Any
) -> None:
    id_number = number_of(disability=BY_FILE, medical=BY_FILE)
    household_id = await accepted(person(id_number=id_number))
    await say(registry, desk, sources, household_id, id_number, DISABLED)
    await take(registry)

    await say(registry, desk, sources, household_id, id_number, ILL)
    await take(registry)
    (lead,) = await leads(registry, household_id)
    assert len(await words(registry, lead)) == 2
    lead_id = str(lead["lead_id"])
    day = {"visited_on": (await desk.office.client.get(f"/v1/leads/{lead_id}")).json()["opened_on"]}
    await visit(desk.office, lead_id, **day)
    assert (await dismiss(desk.office, lead_id)).status_code == 200

    await say(registry, desk, sources, household_id, id_number, ILL)
    await take(registry)
    assert [each["state"] for each in await leads(registry, household_id)] == ["dismissed", "open"]


async def test_on_assistance_the_doubt_is_enough(
    registry: Registry, desk: Desk, sources: Sources
) -> None:
    id_number = number_of(enrolment=BY_FILE)
    household_id = await desk.household(person(id_number=id_number))
    await say(registry, desk, sources, household_id, id_number, ENROLLED)

    await take(registry)

    assert await marks(registry, household_id) == [("enrolment_not_declared", "nothing")]
    assert await leads(registry, household_id) == []
    assert await checks(registry, household_id) == []


@pytest.mark.parametrize("state", ["lifted", "exited"])
async def test_at_one_lifted_or_struck_off_it_opens_a_return_check(
    registry: Registry, desk: Desk, sources: Sources, state: str
) -> None:
    id_number = number_of(medical=BY_FILE)
    if state == "lifted":
        household_id = await desk.lifted(person(id_number=id_number))
    else:
        household_id = await desk.household(person(id_number=id_number))
        await desk.office.announce(household_id, "exit", closed_on="2026-03-01")
        decided = {"decided_on": "2026-03-01", "reason": "自愿退出"}
        await desk.office.decide(household_id, "exit", **decided)
    await say(registry, desk, sources, household_id, id_number, ILL)

    await take(registry)
    await take(registry)

    assert [(kind, str(amount)) for kind, amount in await checks(registry, household_id)] == [
        ("illness", "24000.00")
    ]
    assert await leads(registry, household_id) == []
    assert await marks(registry, household_id) == [("medical_need", "return_check")]


async def test_what_the_file_declares_is_no_need(
    registry: Registry, desk: Desk, sources: Sources, accepted: Any
) -> None:
    id_number = number_of(medical=BY_FILE, bank=BY_FILE)
    declared = {"rigid_expenses": {"medical": "24000"}}
    household_id = await accepted(person(id_number=id_number), **declared)
    rich = ("bank", {"over_limit": True})
    await say(registry, desk, sources, household_id, id_number, ILL, rich)

    assert sorted(await marks(registry, household_id)) == [
        ("deposits_over_limit", None),
        ("medical_need", None),
    ]
    assert await take(registry) == 0
    assert await leads(registry, household_id) == []


async def test_an_application_under_way_weighs_it_itself(
    registry: Registry, desk: Desk, sources: Sources, accepted: Any, office_of: OfficeOf
) -> None:
    id_number = number_of(medical=BY_FILE)
    household_id = await accepted(person(id_number=id_number))
    clerk = await office_of("registry.determination:read registry.determination:write")
    wanted = {"household_id": household_id, "category": "dibao", "applied_on": "2026-01-06"}
    applied = await clerk.client.post("/v1/applications", json=wanted | {"staff_relative": False})
    assert applied.status_code == 201, applied.text
    await say(registry, desk, sources, household_id, id_number, ILL)

    await take(registry)

    assert await leads(registry, household_id) == []
    assert await marks(registry, household_id) == [("medical_need", "nothing")]


async def test_two_workers_at_once_open_one_lead(
    registry: Registry, desk: Desk, sources: Sources, accepted: Any, postgres: str
) -> None:
    id_number = number_of(disability=BY_FILE)
    household_id = await accepted(person(id_number=id_number))
    await say(registry, desk, sources, household_id, id_number, DISABLED)

    async with registry.worker.transaction() as session:
        held = text("SELECT 1 FROM households WHERE household_id = :id FOR UPDATE")
        await session.execute(held, {"id": household_id})
        both = [asyncio.ensure_future(take(registry)) for _ in range(2)]
        await registry.until_waiting(postgres, 2)

    assert sorted(await asyncio.gather(*both)) == [0, 1]
    (lead,) = await leads(registry, household_id)
    assert len(await words(registry, lead)) == 1


async def test_the_worker_s_part_takes_them_up_until_it_is_stopped(
    registry: Registry,
    desk: Desk,
    sources: Sources,
    accepted: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(needs, "LOOK_EVERY", 0.02)
    stop = asyncio.Event()
    running = asyncio.create_task(Needs(registry.worker).run(stop))
    id_number = number_of(disability=BY_FILE)
    household_id = await accepted(person(id_number=id_number))
    await say(registry, desk, sources, household_id, id_number, DISABLED)

    await until(lambda: leads(registry, household_id), what="the lead to be opened")
    stop.set()
    await running
