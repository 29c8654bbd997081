"""Two decisions, changes or openings at once: one passes, the other is told why."""

import asyncio

import pytest

from services.registry.households.rules import household_no
from services.registry.ledger.handlers import on_guarantees
from tests.registry.conftest import OfficeOf
from tests.registry.filing import (
    NEXT_VILLAGE,
    Office,
    Registry,
    household,
    number,
    person,
    problem,
)
from tests.registry.told import guarantee_event


async def test_of_two_lifts_at_once_one_passes(
    registry: Registry, office: Office, office_of: OfficeOf, postgres: str
) -> None:
    household_id = await office.long_identified()
    await office.ready_to_lift(household_id)
    other = await office_of(officer="o2")
    where, body = f"/v1/households/{household_id}/lift", {"decided_on": "2025-08-01"}

    async with registry.held_back(postgres, household_id, waiting=2):
        lifts = [
            asyncio.ensure_future(client.post(where, json=body))
            for client in (office.client, other.client)
        ]
    answers = await asyncio.gather(*lifts)

    assert sorted(answer.status_code for answer in answers) == [200, 422]
    assert [kind for kind, _, _ in await registry.states(household_id)] == ["identified", "lifted"]


async def test_a_guarantee_that_turns_red_first_stops_the_lift_that_waits_for_it(
    registry: Registry, office: Office, postgres: str
) -> None:
    household_id = await office.long_identified()
    await office.ready_to_lift(household_id)
    where, body = f"/v1/households/{household_id}/lift", {"decided_on": "2025-08-01"}
    red = guarantee_event(household_id=household_id, kind="medical", met=False, source="/relief")

    async with registry.worker.transaction() as session:
        await on_guarantees(session, [red])
        lift = asyncio.ensure_future(office.client.post(where, json=body))
        await registry.until_waiting(postgres, 1)
    answer = await lift

    problem(answer, 422, "guarantee_not_met")
    assert [kind for kind, _, _ in await registry.states(household_id)] == ["identified"]


async def test_of_two_identifications_at_once_one_passes(
    registry: Registry, office: Office, office_of: OfficeOf, postgres: str
) -> None:
    household_id = await office.open()
    await office.announce(household_id, "identification", closed_on="2026-01-13")
    other = await office_of(officer="o2")
    where, body = f"/v1/households/{household_id}/identify", {"decided_on": "2026-01-20"}

    async with registry.held_back(postgres, household_id, waiting=2):
        both = [
            asyncio.ensure_future(client.post(where, json=body))
            for client in (office.client, other.client)
        ]
    answers = await asyncio.gather(*both)

    assert sorted(answer.status_code for answer in answers) == [200, 422]
    assert [version for _, version, _ in await registry.states(household_id)] == [1]


async def test_of_two_changes_from_one_reading_one_passes(
    registry: Registry, office: Office, office_of: OfficeOf, postgres: str
) -> None:
    household_id = await office.identified()
    other = await office_of(officer="o2")
    headers = {"If-Match": office.etags[household_id]}

    async with registry.held_back(postgres, household_id, waiting=2):
        changes = [
            asyncio.ensure_future(
                client.patch(
                    f"/v1/households/{household_id}",
                    json={"valid_from": "2026-03-01", "house_grade": grade},
                    headers=headers,
                )
            )
            for client, grade in ((office.client, "C"), (other.client, "D"))
        ]
    answers = await asyncio.gather(*changes)

    assert sorted(answer.status_code for answer in answers) == [200, 412]
    assert [version for _, version, _ in await registry.states(household_id)] == [1, 2]


@pytest.mark.parametrize(
    ("divisions", "village", "code"),
    [
        (("331124",), NEXT_VILLAGE, "person_in_other_household"),
        (("331121",), "331121001001", "person_registered_elsewhere"),
    ],
)
async def test_of_two_files_at_once_for_one_person_one_opens(
    registry: Registry,
    office: Office,
    office_of: OfficeOf,
    *,
    divisions: tuple[str, ...],
    village: str,
    code: str,
) -> None:
    other = await office_of(divisions=divisions)
    before = await registry.counted("households", "persons")
    for _ in range(8):
        one = number()

        answers = await asyncio.gather(
            office.client.post("/v1/households", json=household(person(id_number=one))),
            other.client.post(
                "/v1/households",
                json=household(person(id_number=one), division_code=village),
            ),
        )

        assert sorted(answer.status_code for answer in answers) == [201, 409]
        (refused,) = [answer for answer in answers if answer.status_code == 409]
        problem(refused, 409, code)
    after = await registry.counted("households", "persons")
    assert after == {name: count + 8 for name, count in before.items()}


async def test_openings_at_once_in_one_village_get_different_numbers(
    registry: Registry, office: Office
) -> None:
    village = "331124212203"

    answers = await asyncio.gather(
        *(
            office.client.post("/v1/households", json=household(division_code=village))
            for _ in range(5)
        )
    )

    assert [answer.status_code for answer in answers] == [201] * 5
    rows = await registry.rows(
        "SELECT household_no FROM households WHERE household_no ^@ :village ORDER BY 1",
        village=village,
    )
    assert [row["household_no"] for row in rows] == [
        household_no(village, serial) for serial in range(1, 6)
    ]
