"""The board (C5): what stands on it, in which order, for whom, and when it comes off."""

import asyncio
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

from services.registry.tasks.actions import close_task, open_task
from services.registry.tasks.models import TaskKind
from shared import clock
from tests.registry.conftest import OfficeOf
from tests.registry.filing import NEXT_VILLAGE, OTHER_COUNTY, Office, Registry
from tests.registry.told import VILLAGE

TODAY = clock.today()


async def put(registry: Registry, due_on: date | None = None, at: str = VILLAGE) -> str:
    """A task on the board; gives its subject."""
    subject_id = uuid4()
    await open_again(registry, subject_id, due_on, at)
    return str(subject_id)


async def open_again(
    registry: Registry, subject_id: UUID, due_on: date | None = None, at: str = VILLAGE
) -> None:
    async with registry.worker.transaction() as session:
        await open_task(
            session,
            kind=TaskKind.RETURN_CHECK,
            subject_id=subject_id,
            division_code=at,
            due_on=due_on,
        )


async def take_off(registry: Registry, subject_id: str) -> None:
    async with registry.worker.transaction() as session:
        await close_task(session, kind=TaskKind.RETURN_CHECK, subject_id=UUID(subject_id))


async def board(office: Office, **query: Any) -> list[dict[str, Any]]:
    answer = await office.client.get("/v1/tasks", params={"limit": 200} | query)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def subjects(office: Office, **query: Any) -> list[str]:
    return [task["subject_id"] for task in await board(office, **query)]


async def test_the_soonest_due_stands_first_and_what_has_no_day_last(
    registry: Registry, office: Office
) -> None:
    undated = await put(registry)
    later, late = await put(registry, TODAY), await put(registry, TODAY - timedelta(days=1))
    ours = {undated, later, late}

    shown = [task for task in await board(office) if task["subject_id"] in ours]

    assert [task["subject_id"] for task in shown] == [late, later, undated]
    assert [task["overdue"] for task in shown] == [True, False, False]


async def test_it_pages_without_a_gap(registry: Registry, office: Office) -> None:
    made = {await put(registry, day) for day in (None, TODAY, TODAY, None, TODAY)}
    seen: list[str] = []
    cursor = None

    while cursor is not None or not seen:
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await office.client.get("/v1/tasks", params=query)).json()
        seen += [task["subject_id"] for task in page["items"]]
        cursor = page["next_cursor"]

    assert made <= set(seen)
    assert len(seen) == len(set(seen))


async def test_it_is_asked_for_by_place_day_kind_and_state(
    registry: Registry, office: Office, office_of: OfficeOf
) -> None:
    here, due_today = await put(registry), await put(registry, TODAY, NEXT_VILLAGE)
    far = await put(registry, TODAY, OTHER_COUNTY)
    await take_off(registry, here)
    next_door = await office_of(divisions=("331121",), officer="o9")

    async def shown(by: Office, **query: Any) -> set[str]:
        return set(await subjects(by, **query)) & {here, due_today, far}

    assert await shown(office) == {here, due_today}
    assert await shown(next_door) == {far}
    assert await shown(office, division=NEXT_VILLAGE) == {due_today}
    assert await shown(office, open="true") == {due_today}
    assert await shown(office, open="false") == {here}
    assert await shown(office, due_by=TODAY.isoformat(), kind="return_check") == {due_today}
    assert await shown(office, due_by=(TODAY - timedelta(days=1)).isoformat()) == set()


async def test_one_of_a_kind_is_open_on_a_subject(registry: Registry, office: Office) -> None:
    subject = await put(registry, TODAY)

    await asyncio.gather(*(open_again(registry, UUID(subject)) for _ in range(2)))
    (one,) = [task for task in await board(office) if task["subject_id"] == subject]
    await take_off(registry, subject)
    await take_off(registry, subject)
    await open_again(registry, UUID(subject))

    assert one["due_on"] == TODAY.isoformat()
    assert (await subjects(office)).count(subject) == 2
    assert (await subjects(office, open="true")).count(subject) == 1


async def test_counts_tell_what_is_late(registry: Registry, office_of: OfficeOf) -> None:
    village = "331124212203"
    for day in (TODAY - timedelta(days=1), TODAY, None):
        await put(registry, day, village)
    await take_off(registry, await put(registry, TODAY - timedelta(days=9), village))
    township = await office_of(divisions=("331124212",), officer="o4")

    answer = await township.client.get("/v1/tasks/counts")

    assert answer.json() == [{"kind": "return_check", "open": 3, "overdue": 1}]


async def test_a_return_check_stands_on_the_board_until_it_ends(office: Office) -> None:
    household_id = await office.struck_off()
    report = {"kind": "illness", "detected_on": "2026-03-20"}
    told = await office.client.post(f"/v1/households/{household_id}/hardships", json=report)
    check = told.json()["return_check"]

    (task,) = await board(office, household_id=household_id, kind="return_check")
    await office.client.post(
        f"/v1/return-checks/{check['return_check_id']}/dismiss",
        json={"reason": "医疗费已报销", "visited_on": "2026-03-25"},
    )

    assert (task["subject_id"], task["due_on"]) == (check["return_check_id"], check["due_on"])
    assert await board(office, household_id=household_id, open="true") == []


async def test_it_follows_its_household_to_another_village(office: Office) -> None:
    household_id = await office.struck_off()
    report = {"kind": "illness", "detected_on": "2026-03-20"}
    await office.client.post(f"/v1/households/{household_id}/hardships", json=report)
    await office.change(household_id, valid_from="2026-05-01", division_code=NEXT_VILLAGE)

    (task,) = await board(office, household_id=household_id, kind="return_check")

    assert task["division_code"] == NEXT_VILLAGE
