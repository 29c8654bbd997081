"""Opening and reading a file through the API: what is stored, shown, refused and audited."""

from typing import Any

import pytest

from services.registry.households.rules import household_no
from tests.registry.conftest import OfficeOf
from tests.registry.filing import (
    ALL,
    OTHER_COUNTY,
    WRITTEN,
    Office,
    Registry,
    household,
    number,
    person,
    problem,
)
from tests.registry.told import VILLAGE


async def test_an_opened_file_is_accepted_and_nothing_is_published(
    registry: Registry, office: Office
) -> None:
    before = await registry.counted("events", "outbox")
    answer = await office.client.post(
        "/v1/households", json=household(person(), person("son", school_stage="primary"))
    )

    assert answer.status_code == 201
    made = answer.json()
    assert answer.headers["Location"] == f"/v1/households/{made['household_id']}"
    assert answer.headers["ETag"] == '"1"'
    assert (made["version"], made["revision"], len(made["person_ids"])) == (0, 1, 2)
    shown = await office.read(made["household_id"])
    assert shown["state"] == "accepted"
    assert shown["n"] == 2
    assert shown["incomes"]["wage"] == "6000.00"
    assert [member["relation"] for member in shown["members"]] == ["head", "son"]
    assert await registry.counted("events", "outbox") == before
    assert await registry.audited(made["household_id"]) == [
        ("household.opened", "o1"),
        ("household.read", "o1"),
    ]


async def test_who_may_not_see_personal_data_sees_masks(
    registry: Registry, office: Office, office_of: OfficeOf
) -> None:
    one = number()
    household_id = await office.open(person(id_number=one, phone="13900001111"))
    plainly = await office_of(f"{ALL} pii:read")

    masked = await office.read(household_id)
    plain = await plainly.read(household_id)

    assert masked["members"][0]["name"] == "张*"
    assert masked["members"][0]["id_number"] == f"{one[:6]}********{one[14:]}"
    assert masked["members"][0]["phone"] == "139****1111"
    assert (masked["phone"], masked["account"]) == ("138****0000", "****5678")
    assert plain["members"][0]["name"] == "张三丰"
    assert plain["members"][0]["id_number"] == one
    assert (plain["phone"], plain["account"]) == ("13812340000", "6228480012345678")
    stored = await registry.rows(
        "SELECT * FROM persons WHERE person_id = :id", id=masked["head_person_id"]
    )
    assert one.encode() not in bytes(stored[0]["id_number_encrypted"])
    lines = await registry.rows(
        "SELECT detail FROM audit_log WHERE action = 'household.read' AND subject_id = :id "
        "ORDER BY id",
        id=household_id,
    )
    assert [line["detail"]["plain"] for line in lines] == [False, True]


@pytest.mark.parametrize(
    ("given", "code", "where"),
    [
        ({"division_code": "331124999999"}, "division_unknown", "#/division_code"),
        ({"division_code": OTHER_COUNTY}, "division_not_yours", "#/division_code"),
        ({"members": [person("spouse")]}, "head_missing", "#/members"),
        ({"members": [person(), person()]}, "head_twice", "#/members"),
        ({"members": [person(counted=False)]}, "nobody_counts", "#/members"),
        ({"incomes": {"wage": "-1"}}, "amount_negative", "#/incomes/wage"),
        ({"incomes": {"transfer": "-0.01"}}, "amount_negative", "#/incomes/transfer"),
        ({"rigid_expenses": {"medical": "-1"}}, "amount_negative", "#/rigid_expenses/medical"),
        ({"assets": {"vehicles": -1}}, "amount_negative", "#/assets/vehicles"),
        ({"incomes": {"wage": "1e12"}}, "amount_too_large", "#/incomes/wage"),
        ({"members": [person(id_number=None)]}, "id_number_missing", "#/members/0/id_number"),
        ({"members": [person(id_number="123")]}, "id_number_length", "#/members/0/id_number"),
        ({"phone": "call me"}, "phone_invalid", "#/phone"),
        ({"account": "12"}, "account_invalid", "#/account"),
        ({"opened_on": "2999-01-01"}, "date_in_future", "#/opened_on"),
        (
            {"members": [person(disability={"kind": "limb", "grade": 5})]},
            "disability_grade",
            "#/members/0/disability",
        ),
    ],
)
async def test_what_may_not_be_filed_is_refused_and_leaves_nothing(
    registry: Registry, office: Office, given: dict[str, Any], code: str, where: str
) -> None:
    before = await registry.counted(*WRITTEN)

    answer = await office.client.post("/v1/households", json=household() | given)

    body = problem(answer, 422, code)
    assert (code, where) in {(fault["code"], fault["where"]) for fault in body["errors"]}
    assert await registry.counted(*WRITTEN) == before


async def test_a_refusal_lists_every_fault(office: Office) -> None:
    answer = await office.client.post(
        "/v1/households",
        json=household(
            person(id_number="1"),
            person("spouse", id_number="33112419800517001Y"),
            incomes={"wage": "-1"},
            phone="x",
        ),
    )

    body = problem(answer, 422, "amount_negative")
    assert {fault["code"] for fault in body["errors"]} == {
        "amount_negative",
        "phone_invalid",
        "id_number_length",
        "id_number_characters",
    }


async def test_a_newborn_needs_no_id_number_yet(office: Office) -> None:
    baby = person("daughter", id_number=None, sex="female", birth_date="2025-12-24")

    household_id = await office.open(person(), baby)

    shown = await office.read(household_id)
    assert shown["members"][1]["id_number"] is None
    assert shown["members"][1]["birth_date"] == "2025-12-24"


async def test_one_person_stands_in_one_household(registry: Registry, office: Office) -> None:
    one = number()
    await office.open(person(id_number=one))
    before = await registry.counted(*WRITTEN)

    again = await office.client.post("/v1/households", json=household(person(id_number=one)))
    twice = await office.client.post(
        "/v1/households", json=household(person(id_number=number()), person("son", id_number=one))
    )

    problem(again, 409, "person_in_other_household")
    problem(twice, 409, "person_in_other_household")
    assert await registry.counted(*WRITTEN) == before


async def test_one_person_twice_in_one_household_is_refused(office: Office) -> None:
    one = number()

    answer = await office.client.post(
        "/v1/households", json=household(person(id_number=one), person("son", id_number=one))
    )

    problem(answer, 422, "member_twice")


async def test_a_person_of_another_county_opens_a_transfer_and_tells_only_the_county(
    registry: Registry, office: Office, office_of: OfficeOf
) -> None:
    one = number()
    neighbours = await office_of(divisions=("331121",), officer="o9")
    far_away = await neighbours.open(person(id_number=one), division_code=OTHER_COUNTY)
    before = await registry.counted(*WRITTEN)

    for _ in range(2):  # asking again opens no second task
        answer = await office.client.post("/v1/households", json=household(person(id_number=one)))
        body = problem(answer, 409, "person_registered_elsewhere")

    assert "331121" in body["detail"]
    assert far_away not in answer.text
    assert one not in answer.text
    assert await registry.counted(*WRITTEN) == before
    tasks = await registry.rows("SELECT * FROM transfer_tasks")
    persons = await registry.rows(
        "SELECT person_id FROM members WHERE household_id = :id", id=far_away
    )
    assert [(task["person_id"], task["from_county"], task["division_code"]) for task in tasks] == [
        (persons[0]["person_id"], "331121", VILLAGE)
    ]


async def test_the_same_request_twice_files_one_household(
    registry: Registry, office: Office
) -> None:
    body, key = household(), {"Idempotency-Key": "k1"}

    before = await registry.counted("households")
    first = await office.client.post("/v1/households", json=body, headers=key)
    second = await office.client.post("/v1/households", json=body, headers=key)

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert await registry.counted("households") == {"households": before["households"] + 1}


async def test_the_number_on_paper_never_changes_and_is_never_given_twice(
    registry: Registry, office: Office
) -> None:
    for _ in range(3):
        await office.open()

    rows = await registry.rows(
        "SELECT household_no FROM households WHERE household_no ^@ :village ORDER BY household_no",
        village=VILLAGE,
    )

    assert [row["household_no"] for row in rows] == [
        household_no(VILLAGE, serial) for serial in range(1, len(rows) + 1)
    ]
    assert len(rows) >= 3
