"""Members who join, change and leave, and whose ID numbers are corrected."""

from datetime import date

from tests.registry.conftest import OfficeOf
from tests.registry.filing import (
    NEXT_VILLAGE,
    OTHER_COUNTY,
    OTHER_TOWNSHIP,
    Office,
    Registry,
    household,
    number,
    person,
    problem,
)


async def test_members_join_change_and_leave(registry: Registry, office: Office) -> None:
    household_id = await office.identified(person(), person("spouse"))
    where = f"/v1/households/{household_id}/members"

    joined = await office.client.post(
        where, json=person("daughter", valid_from="2026-02-01", school_stage="preschool")
    )
    assert joined.status_code == 201, joined.text
    (daughter,) = joined.json()["person_ids"]
    at_school = await office.client.patch(
        f"{where}/{daughter}",
        json={"valid_from": "2026-03-01", "school_stage": "primary"},
        headers={"If-Match": joined.headers["ETag"]},
    )
    assert at_school.status_code == 200, at_school.text
    gone = await office.client.post(
        f"{where}/{daughter}/leave", json={"valid_from": "2026-04-01", "reason": "moved_out"}
    )
    assert gone.status_code == 200, gone.text

    states = [state for _, _, state in await registry.states(household_id)]
    assert [state.n for state in states] == [2, 3, 3, 2]
    assert states[2].members[2].school_stage == "primary"
    assert [(str(each.valid_from), each.n) for each in states[3].periods] == [
        ("2026-01-10", 2),
        ("2026-02-01", 3),
        ("2026-04-01", 2),
    ]
    left = await registry.rows(
        "SELECT * FROM members WHERE left_on IS NOT NULL AND household_id = :id", id=household_id
    )
    assert [(str(row["person_id"]), row["left_reason"]) for row in left] == [
        (daughter, "moved_out")
    ]
    again = await office.open(person(), division_code=NEXT_VILLAGE)
    assert again != household_id


async def test_a_head_who_leaves_names_who_follows(registry: Registry, office: Office) -> None:
    household_id = await office.identified(person(), person("spouse"))
    shown = await office.read(household_id)
    head, spouse = (member["person_id"] for member in shown["members"])
    where = f"/v1/households/{household_id}/members/{head}/leave"
    body = {"valid_from": "2026-02-10", "reason": "died"}

    alone = await office.client.post(where, json=body)
    followed = await office.client.post(where, json=body | {"new_head_person_id": spouse})

    problem(alone, 422, "head_missing")
    assert followed.status_code == 200, followed.text
    _, _, state = (await registry.states(household_id))[-1]
    assert str(state.head_person_id) == spouse
    assert [member.relation for member in state.members] == ["head"]


async def test_the_last_one_cannot_leave(office: Office) -> None:
    household_id = await office.identified()
    head = (await office.read(household_id))["head_person_id"]

    answer = await office.client.post(
        f"/v1/households/{household_id}/members/{head}/leave",
        json={"valid_from": "2026-02-10", "reason": "died"},
    )

    body = problem(answer, 422, "head_missing")
    assert "nobody_counts" in {fault["code"] for fault in body["errors"]}


async def test_who_left_may_be_taken_in_elsewhere(registry: Registry, office: Office) -> None:
    one = number()
    first = await office.identified(person(), person("son", id_number=one))
    son = (await office.read(first))["members"][1]["person_id"]
    await office.client.post(
        f"/v1/households/{first}/members/{son}/leave",
        json={"valid_from": "2026-02-10", "reason": "split"},
    )

    early = household(person(id_number=one), opened_on="2026-02-09")
    problem(
        await office.client.post("/v1/households", json=early), 409, "person_in_other_household"
    )
    second = await office.open(
        person(id_number=one), division_code=NEXT_VILLAGE, opened_on="2026-02-10"
    )

    assert (await office.read(second))["head_person_id"] == son
    standing = await registry.rows(
        "SELECT division_code FROM persons WHERE person_id = :id", id=son
    )
    assert standing[0]["division_code"] == NEXT_VILLAGE


async def test_a_known_number_with_another_name_is_a_mistake(office: Office) -> None:
    one = number()
    first = await office.identified(person(), person("son", id_number=one))
    son = (await office.read(first))["members"][1]["person_id"]
    await office.client.post(
        f"/v1/households/{first}/members/{son}/leave",
        json={"valid_from": "2026-02-10", "reason": "split"},
    )

    answer = await office.client.post(
        "/v1/households", json=household(person(id_number=one, name="王五"))
    )

    problem(answer, 422, "name_differs")


async def test_a_corrected_id_number_was_always_the_right_one(
    registry: Registry, office: Office
) -> None:
    household_id = await office.identified(person(id_number=number()))
    shown = await office.read(household_id)
    person_id = shown["members"][0]["person_id"]
    right = "110105194912310021"  # 1949-12-31, female

    answer = await office.client.patch(
        f"/v1/households/{household_id}/members/{person_id}",
        json={"valid_from": "2026-03-01", "id_number": right, "proof": "id_card"},
        headers={"If-Match": office.etags[household_id]},
    )

    problem(answer, 422, "id_number_checksum")
    answer = await office.client.patch(
        f"/v1/households/{household_id}/members/{person_id}",
        json={"valid_from": "2026-03-01", "id_number": "11010519491231002X"},
        headers={"If-Match": office.etags[household_id]},
    )
    problem(answer, 422, "proof_missing")
    answer = await office.client.patch(
        f"/v1/households/{household_id}/members/{person_id}",
        json={
            "valid_from": "2026-03-01",
            "id_number": "11010519491231002X",
            "proof": "police_certificate",
        },
        headers={"If-Match": office.etags[household_id]},
    )
    assert answer.status_code == 200, answer.text
    (noted,) = await registry.rows(
        "SELECT detail FROM audit_log WHERE subject_id = :id "
        "AND action = 'person.id_number_corrected'",
        id=person_id,
    )
    assert noted["detail"] == {"proof": "police_certificate"}
    early = await office.read(household_id, as_of="2026-01-10")
    assert early["members"][0]["birth_date"] == "1949-12-31"
    assert early["members"][0]["sex"] == "female"
    _, version, state = (await registry.states(household_id))[-1]
    assert (version, state.members[0].sex) == (2, "female")


async def test_a_newborn_gets_its_number_later_and_stays_the_same_person(
    registry: Registry, office: Office
) -> None:
    household_id = await office.identified()
    where = f"/v1/households/{household_id}/members"
    baby = {"name": "张小丰", "relation": "son", "sex": "male", "birth_date": "2026-02-20"}
    born = await office.client.post(where, json=baby | {"valid_from": "2026-02-20"})
    (person_id,) = born.json()["person_ids"]
    shown = (await office.read(household_id))["members"][1]
    assert (shown["id_number"], shown["birth_date"]) == (None, "2026-02-20")
    one = number(born=date(2026, 2, 20))

    answer = await office.client.patch(
        f"{where}/{person_id}",
        json={"valid_from": "2026-03-10", "id_number": one, "proof": "birth_certificate"},
        headers={"If-Match": office.etags[household_id]},
    )

    assert answer.status_code == 200, answer.text
    (kept,) = await registry.rows(
        "SELECT id_number_hash IS NOT NULL AS known FROM persons WHERE person_id = :id",
        id=person_id,
    )
    assert kept["known"]
    (_, _, before), (_, _, after) = (await registry.states(household_id))[-2:]
    assert [member.person_id for member in after.members] == [
        member.person_id for member in before.members
    ]
    again = await office.client.post(
        "/v1/households",
        json=household(person(id_number=one, name="张小丰"), opened_on="2026-04-01"),
    )
    problem(again, 409, "person_in_other_household")


async def test_a_corrected_id_number_may_not_be_somebody_elses(
    office: Office, office_of: OfficeOf
) -> None:
    taken = number()
    neighbours = await office_of(divisions=("331121",))
    await neighbours.open(person(id_number=taken), division_code=OTHER_COUNTY)
    household_id = await office.identified()
    person_id = (await office.read(household_id))["members"][0]["person_id"]

    answer = await office.client.patch(
        f"/v1/households/{household_id}/members/{person_id}",
        json={"valid_from": "2026-03-01", "id_number": taken, "proof": "id_card"},
        headers={"If-Match": office.etags[household_id]},
    )

    problem(answer, 409, "id_number_taken")


async def test_an_earlier_day_of_leaving_is_put_right(registry: Registry, office: Office) -> None:
    household_id = await office.identified(person(), person("son"))
    son = (await office.read(household_id))["members"][1]["person_id"]
    where = f"/v1/households/{household_id}/members/{son}/leave"

    for day, reason in (("2026-04-01", "moved_out"), ("2026-03-01", "died")):
        answer = await office.client.post(where, json={"valid_from": day, "reason": reason})
        assert answer.status_code == 200, answer.text

    (left,) = await registry.rows(
        "SELECT left_on, left_reason FROM members WHERE person_id = :id", id=son
    )
    assert (str(left["left_on"]), left["left_reason"]) == ("2026-03-01", "died")
    _, version, state = (await registry.states(household_id))[-1]
    assert (version, [(str(each.valid_from), each.n) for each in state.periods]) == (
        3,
        [("2026-01-10", 2), ("2026-03-01", 1)],
    )


async def test_who_went_to_another_township_is_renamed_there_only(
    registry: Registry, office: Office, office_of: OfficeOf
) -> None:
    son = person("son")
    first = await office.open(person(), son)
    gone = (await office.read(first))["members"][1]["person_id"]
    left = await office.client.post(
        f"/v1/households/{first}/members/{gone}/leave",
        json={"valid_from": "2026-03-01", "reason": "split"},
    )
    assert left.status_code == 200, left.text
    await office.open(
        son | {"relation": "head"}, division_code=OTHER_TOWNSHIP, opened_on="2026-03-01"
    )
    township = await office_of(divisions=("331124002",))
    await township.read(first)

    answer = await township.client.patch(
        f"/v1/households/{first}/members/{gone}",
        json={"valid_from": "2026-02-01", "name": "李四"},
        headers={"If-Match": township.etags[first]},
    )

    problem(answer, 422, "member_out_of_reach")


async def test_a_number_entered_in_error_is_free_from_the_first_day(office: Office) -> None:
    son = person("son")
    first = await office.open(person(), son)
    wrong = (await office.read(first))["members"][1]["person_id"]
    await office.client.post(
        f"/v1/households/{first}/members/{wrong}/leave",
        json={"valid_from": "2026-02-10", "reason": "entered_in_error"},
    )

    assert await office.open(son | {"relation": "head"})
