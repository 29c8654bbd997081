"""A lead's life over the API: reported, visited, dismissed, accepted, handed on."""

from typing import Any

import pytest

from shared import clock, workdays
from tests.registry.conftest import OfficeOf
from tests.registry.filing import (
    OTHER_COUNTY,
    OTHER_TOWNSHIP,
    WRITTEN,
    Office,
    Registry,
    number,
    person,
    problem,
)
from tests.registry.leads.telling import (
    REPORTED_ON,
    accept,
    described,
    dismiss,
    hand_over,
    listed,
    opened,
    read,
    report,
    reported,
    visit,
    visited,
)
from tests.registry.told import VILLAGE

NOWHERE = "019a0000-0000-7000-8000-000000000000"


async def tasks(registry: Registry, lead_id: str) -> list[tuple[str, bool, str]]:
    rows = await registry.rows(
        "SELECT kind, closed_on IS NULL AS open, division_code FROM tasks "
        "WHERE subject_id = :id ORDER BY task_id",
        id=lead_id,
    )
    return [(row["kind"], row["open"], row["division_code"]) for row in rows]


async def test_a_report_opens_a_lead_with_its_task(registry: Registry, office: Office) -> None:
    household_id = await office.open()

    answer = await reported(office, household_id=household_id)

    async with registry.worker.transaction() as session:
        limit = (await workdays.load(session)).add(clock.today(), 5)
    lead = answer["lead"]
    shown = ("household_id", "division_code", "source", "state", "opened_on", "due_on")
    assert (answer["joined"], answer["county"]) == (False, "331124")
    assert [lead[name] for name in shown] == [
        household_id,
        VILLAGE,
        "grid_worker",
        "open",
        clock.today().isoformat(),
        limit.on.isoformat(),
    ]
    (task,) = await registry.rows(
        "SELECT kind, household_id, due_on FROM tasks WHERE subject_id = :id", id=lead["lead_id"]
    )
    assert (task["kind"], str(task["household_id"])) == ("lead_visit", household_id)
    assert task["due_on"] == limit.on
    assert await registry.audited(lead["lead_id"]) == [("lead.reported", "o1")]


async def test_a_second_report_joins_the_open_lead(office: Office) -> None:
    household_id = await office.open()
    lead_id = await opened(office, household_id=household_id)

    second = await reported(office, household_id=household_id, source="hotline", text="又来电")

    assert (second["joined"], second["lead"]["lead_id"]) == (True, lead_id)
    lead = await read(office, lead_id)
    assert [each["text"] for each in lead["reports"]] == ["独居老人摔伤,无人照料", "又来电"]
    assert lead["source"] == "grid_worker"


async def test_a_person_is_one_by_the_id_number_and_a_member_is_the_household(
    office: Office,
) -> None:
    unknown, known = number(), number()
    household_id = await office.open(person(id_number=known))

    first = await opened(office, person=described(id_number=unknown))
    again = await reported(office, person=described(id_number=f" {unknown} ", name="同一人"))
    member = await reported(office, person=described(id_number=known))
    nameless = [await opened(office), await opened(office)]

    assert (again["joined"], again["lead"]["lead_id"]) == (True, first)
    assert member["lead"]["household_id"] == household_id
    assert len({first, member["lead"]["lead_id"], *nameless}) == 4


async def test_a_lead_of_a_person_goes_on_when_a_file_was_opened_since(office: Office) -> None:
    id_number = number()
    lead_id = await visited(office, person=described(id_number=id_number))
    household_id = await office.open(person(id_number=id_number))

    again = await reported(office, person=described(id_number=id_number))
    done = await accept(office, lead_id, household_id=household_id)

    assert (again["joined"], again["lead"]["lead_id"]) == (True, lead_id)
    assert done.status_code == 200, done.text
    assert done.json()["household_id"] == household_id


async def test_what_people_say_is_encrypted_and_masked(
    registry: Registry, office: Office, office_of: OfficeOf
) -> None:
    id_number = number()
    who = described(id_number=id_number, phone="13812341234")
    lead_id = await opened(office, person=who, text=f"{who['name']}重病")
    (row,) = await registry.rows("SELECT * FROM lead_reports WHERE lead_id = :id", id=lead_id)
    plain = await office_of("registry.leads:read pii:read")

    masked, shown = await read(office, lead_id), await read(plain, lead_id)

    stored = b"".join(value for value in row.values() if isinstance(value, bytes))
    for secret in (who["name"], id_number, "13812341234"):
        assert secret.encode() not in stored
        assert secret not in str({k: v for k, v in masked["reports"][0].items() if k != "text"})
    assert [shown["reports"][0][name] for name in ("name", "id_number", "phone")] == [
        who["name"],
        id_number,
        "13812341234",
    ]
    assert ("lead.read", "o1") in await registry.audited(lead_id)


async def test_a_lead_is_dismissed_only_after_a_visit_and_once(
    registry: Registry, office: Office, office_of: OfficeOf
) -> None:
    lead_id = await opened(office)
    clerk = await office_of("registry.leads:read registry.leads:write")

    problem(await dismiss(office, lead_id), 422, "visit_missing")
    made = await visit(office, lead_id)
    problem(await dismiss(clerk, lead_id), 403, "scope_missing")
    problem(await dismiss(office, lead_id, reason="  "), 422, "reason_missing")
    done = await dismiss(office, lead_id)
    problem(await dismiss(office, lead_id), 409, "lead_closed")
    problem(await visit(office, lead_id), 409, "lead_closed")

    assert made.json()["state"] == "visited"
    assert done.status_code == 200, done.text
    shown = ("state", "decided_on", "decided_by", "reason")
    assert [done.json()[name] for name in shown] == [
        "dismissed",
        clock.today().isoformat(),
        "o1",
        "子女已接走赡养",
    ]
    assert done.json()["visits"][0]["findings"] == "腿部骨折,卧床"
    assert await tasks(registry, lead_id) == [
        ("lead_visit", False, VILLAGE),
        ("lead_decision", False, VILLAGE),
    ]
    assert [action for action, _ in await registry.audited(lead_id) if action != "lead.read"] == [
        "lead.reported",
        "lead.visited",
        "lead.dismissed",
    ]


async def test_a_visit_comes_after_the_first_report(office: Office) -> None:
    lead_id = await opened(office)

    problem(await visit(office, lead_id, visited_on="2026-03-09"), 422, "visit_before_report")
    problem(await visit(office, lead_id, visited_on="2126-03-09"), 422, "date_in_future")
    assert (await visit(office, lead_id, visited_on=REPORTED_ON)).status_code == 201
    assert (await visit(office, lead_id, findings="再次走访")).status_code == 201
    assert [each["findings"] for each in (await read(office, lead_id))["visits"]] == [
        "腿部骨折,卧床",
        "再次走访",
    ]


async def test_a_lead_becomes_the_application_of_a_file(registry: Registry, office: Office) -> None:
    household_id = await office.open(category=None)
    lead_id = await opened(office, person=described(division_code="331124002"))
    jump = await accept(office, lead_id, household_id=household_id)
    assert (await visit(office, lead_id)).status_code == 201

    problem(jump, 422, "visit_missing")
    problem(await accept(office, lead_id), 422, "household_missing")
    problem(await accept(office, lead_id, household_id=NOWHERE), 404, "household_not_found")
    problem(await accept(office, lead_id, accord="nobody"), 422, "request_invalid")
    done = await accept(office, lead_id, household_id=household_id, accord="officer_applies")
    problem(await accept(office, lead_id), 409, "lead_closed")

    shown = ("state", "household_id", "accord", "division_code", "decided_by")
    assert [done.json()[name] for name in shown] == [
        "accepted",
        household_id,
        "officer_applies",
        VILLAGE,
        "o1",
    ]
    papers = await registry.rows(
        "SELECT division_code FROM lead_reports WHERE lead_id = :id "
        "UNION ALL SELECT division_code FROM lead_visits WHERE lead_id = :id",
        id=lead_id,
    )
    assert [each["division_code"] for each in papers] == [VILLAGE, VILLAGE]
    assert all(not is_open for _, is_open, _ in await tasks(registry, lead_id))


async def test_a_household_on_assistance_or_another_one_is_no_applicant(office: Office) -> None:
    on_assistance, other = await office.identified(), await office.open()
    lead_id = await visited(office, household_id=on_assistance)

    problem(await accept(office, lead_id, household_id=other), 422, "household_differs")
    problem(await accept(office, lead_id), 422, "household_on_assistance")
    assert (await dismiss(office, lead_id)).status_code == 200


async def test_after_its_end_a_household_may_be_reported_anew(office: Office) -> None:
    household_id = await office.open()
    first = await visited(office, household_id=household_id)
    assert (await dismiss(office, first)).status_code == 200

    second = await opened(office, household_id=household_id)

    assert second != first
    assert await listed(office, household_id=household_id) == {first, second}
    assert await listed(office, household_id=household_id, state="open") == {second}


async def test_a_township_sees_only_its_own_leads(
    registry: Registry, office: Office, office_of: OfficeOf
) -> None:
    """C5: township A cannot see township B's leads, nor touch them, nor report into them."""
    mine = await office_of(divisions=("331124002",), officer="o2")
    theirs = await office_of(divisions=("331124212",), officer="o3")
    lead_id = await opened(mine, person=described(division_code=VILLAGE))
    other = await opened(theirs, person=described(division_code=OTHER_TOWNSHIP))
    before = await registry.counted(*WRITTEN)

    assert {lead_id, other} & await listed(mine) == {lead_id}
    assert {lead_id, other} & await listed(theirs) == {other}
    assert {lead_id, other} <= await listed(office)
    assert {lead_id, other} & await listed(office, division="331124212") == {other}
    problem(await theirs.client.get(f"/v1/leads/{lead_id}"), 404, "lead_not_found")
    problem(await visit(theirs, lead_id), 404, "lead_not_found")
    problem(await dismiss(theirs, lead_id), 404, "lead_not_found")
    problem(await accept(theirs, lead_id, household_id=NOWHERE), 404, "lead_not_found")
    problem(await hand_over(theirs, lead_id, OTHER_TOWNSHIP), 404, "lead_not_found")
    problem(await report(theirs), 403, "division_not_covered")
    problem(await report(theirs, household_id=await mine.open()), 404, "household_not_found")
    board = await theirs.client.get("/v1/tasks", params={"kind": "lead_visit"})
    assert lead_id not in board.text
    after = await registry.counted("lead_visits", "leads", "lead_reports")
    assert after == {name: before[name] for name in after}


async def test_a_report_joins_a_lead_that_lies_elsewhere_and_tells_the_county_alone(
    office: Office, office_of: OfficeOf
) -> None:
    id_number = number()
    next_door = await office_of(divisions=("331121",), officer="o9")
    lead_id = await opened(
        next_door, person=described(id_number=id_number, division_code=OTHER_COUNTY)
    )

    answer = await reported(office, person=described(id_number=id_number), text="本人来访")

    assert answer == answer | {"joined": True, "county": "331121", "lead": None}
    assert lead_id not in str(answer)
    assert [each["text"] for each in (await read(next_door, lead_id))["reports"]] == [
        "独居老人摔伤,无人照料",
        "本人来访",
    ]


async def test_a_lead_is_handed_to_the_right_township_with_its_papers(
    registry: Registry, office_of: OfficeOf
) -> None:
    here = await office_of(divisions=("331124002",), officer="o2")
    there = await office_of(divisions=("331121",), officer="o9")
    lead_id = await visited(here)

    problem(await hand_over(here, lead_id, "331100"), 422, "division_unknown")
    problem(await hand_over(here, lead_id, "331199"), 422, "division_unknown")
    problem(await hand_over(here, lead_id, VILLAGE), 422, "division_same")
    done = await hand_over(here, lead_id, OTHER_COUNTY)

    assert done.status_code == 204, done.text
    problem(await here.client.get(f"/v1/leads/{lead_id}"), 404, "lead_not_found")
    lead = await read(there, lead_id)
    assert (lead["division_code"], len(lead["reports"]), len(lead["visits"])) == (
        OTHER_COUNTY,
        1,
        1,
    )
    assert await tasks(registry, lead_id) == [
        ("lead_visit", False, VILLAGE),
        ("lead_decision", True, OTHER_COUNTY),
    ]
    assert (await registry.audited(lead_id)).count(("lead.transferred", "o2")) == 2
    assert (await dismiss(there, lead_id)).status_code == 200


async def test_a_lead_of_a_household_moves_with_it_alone(
    registry: Registry, office: Office
) -> None:
    household_id = await office.open()
    lead_id = await visited(office, household_id=household_id)

    problem(await hand_over(office, lead_id, OTHER_TOWNSHIP), 422, "lead_follows_household")
    moved = await office.client.patch(
        f"/v1/households/{household_id}",
        json={"valid_from": "2026-03-01", "division_code": OTHER_TOWNSHIP},
        headers={"If-Match": office.etags[household_id]},
    )

    assert moved.status_code == 200, moved.text
    for table in ("leads", "lead_reports", "lead_visits"):
        rows = await registry.rows(
            f"SELECT division_code FROM {table} WHERE lead_id = :id",  # noqa: S608 (own names)
            id=lead_id,
        )
        assert [each["division_code"] for each in rows] == [OTHER_TOWNSHIP]


@pytest.mark.parametrize(
    ("given", "status", "code"),
    [
        ({"household_id": NOWHERE}, 404, "household_not_found"),
        ({"text": " "}, 422, "text_missing"),
        ({"text": "多" * 2001}, 422, "request_invalid"),
        ({"source": "rumour"}, 422, "request_invalid"),
        ({"reported_on": "2126-01-01"}, 422, "date_in_future"),
        ({"household_id": NOWHERE, "person": described()}, 422, "subject_missing"),
        ({"person": None}, 422, "subject_missing"),
        ({"person": described(division_code="331124999")}, 422, "division_unknown"),
        ({"person": described(id_number="331102199003070017")}, 422, "id_number_checksum"),
        ({"person": described(phone="abc")}, 422, "phone_invalid"),
        ({"person": described(name="")}, 422, "request_invalid"),
    ],
)
async def test_a_report_that_cannot_be_is_refused_and_leaves_nothing(
    registry: Registry, office: Office, given: dict[str, Any], status: int, code: str
) -> None:
    before = await registry.counted(*WRITTEN)

    problem(await report(office, **given), status, code)

    assert await registry.counted(*WRITTEN) == before


async def test_a_closed_file_takes_no_reports(office: Office) -> None:
    household_id = await office.identified()
    await office.decide(household_id, "close", decided_on="2026-03-01", ground="died")

    problem(await report(office, household_id=household_id), 409, "household_closed")


async def test_a_token_without_officer_reports_and_decides_nothing(office_of: OfficeOf) -> None:
    service = await office_of(
        "registry.leads:write registry.leads:decide registry.leads:read", officer=None
    )
    lead_id = await opened(service, source="hospital_bill")

    problem(await visit(service, lead_id), 422, "officer_missing")
    problem(await dismiss(service, lead_id), 422, "officer_missing")
    problem(await hand_over(service, lead_id, OTHER_TOWNSHIP), 422, "officer_missing")
