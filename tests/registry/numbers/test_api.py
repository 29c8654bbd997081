"""A household's numbers: printed once for good, known by others under numbers of their own."""

import asyncio

import pytest

from tests.registry.conftest import OfficeOf
from tests.registry.filing import OTHER_COUNTY, OTHER_TOWNSHIP, Office, Registry, problem


async def found(office: Office, number: str) -> list[str]:
    answer = await office.client.post("/v1/households/search", json={"number": number})
    assert answer.status_code == 200, answer.text
    return [item["household_id"] for item in answer.json()["items"]]


async def test_a_household_is_found_by_each_of_its_numbers(
    office: Office, office_of: OfficeOf
) -> None:
    household_id = await office.identified()
    printed = (await office.read(household_id))["household_no"]
    where = f"/v1/households/{household_id}/numbers"

    answer = await office.client.patch(
        where, json={"national_household_no": "３３11240001", "hukou_no": "hk-0042"}
    )

    assert answer.json() == {"national_household_no": "3311240001", "hukou_no": "HK-0042"}
    assert await found(office, printed) == [household_id]
    assert await found(office, f" {printed[:6]} {printed[6:]}") == [household_id]
    assert await found(office, "3311240001") == [household_id]
    assert await found(office, "hk-0042") == [household_id]
    assert await found(office, printed[:-1]) == []
    neighbours = await office_of(divisions=("331121",), officer="o9")
    assert await found(neighbours, printed) == []
    assert await found(neighbours, "3311240001") == []

    gone = await office.client.patch(where, json={"hukou_no": None})
    assert gone.json() == {"national_household_no": "3311240001", "hukou_no": None}
    assert (await office.client.get(where)).json() == gone.json()


async def test_the_printed_number_stays_when_the_household_moves_and_the_others_go_along(
    registry: Registry, office: Office, office_of: OfficeOf
) -> None:
    household_id = await office.identified()
    printed = (await office.read(household_id))["household_no"]
    where = f"/v1/households/{household_id}/numbers"
    await office.client.patch(where, json={"national_household_no": "3311240002"})

    await office.change(household_id, valid_from="2026-03-01", division_code=OTHER_TOWNSHIP)

    there = await office_of(divisions=("331124212",), officer="o3")
    assert (await there.read(household_id))["household_no"] == printed
    assert (await there.client.get(where)).json()["national_household_no"] == "3311240002"


async def test_one_national_number_is_one_household_of_all_counties(
    office: Office, office_of: OfficeOf
) -> None:
    neighbours = await office_of(divisions=("331121",), officer="o9")
    first = await office.open()
    second = await neighbours.open(division_code=OTHER_COUNTY)
    body = {"national_household_no": "3311240003", "hukou_no": "7"}

    short = await office.client.patch(f"/v1/households/{first}/numbers", json=body)
    problem(short, 422, "number_invalid")
    both = await asyncio.gather(
        office.client.patch(f"/v1/households/{first}/numbers", json=body | {"hukou_no": "0042"}),
        neighbours.client.patch(
            f"/v1/households/{second}/numbers", json=body | {"hukou_no": "0042"}
        ),
    )

    assert sorted(answer.status_code for answer in both) == [200, 409]
    (refused,) = [answer for answer in both if answer.status_code == 409]
    problem(refused, 409, "number_taken")
    kept = [
        (await each.client.get(f"/v1/households/{household_id}/numbers")).json()["hukou_no"]
        for each, household_id in ((office, first), (neighbours, second))
    ]
    assert sorted(kept, key=str) == ["0042", None]


@pytest.mark.parametrize("number", ["33 11", "户1234", "x" * 31])
async def test_what_is_no_number(office: Office, number: str) -> None:
    household_id = await office.open()
    answer = await office.client.patch(
        f"/v1/households/{household_id}/numbers", json={"hukou_no": number + "!"}
    )
    problem(answer, 422, "number_invalid")
