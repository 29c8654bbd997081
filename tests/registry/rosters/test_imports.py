"""Small rosters carried out: edits, absences, people who move, races, other counties."""

import io
from typing import Any

import openpyxl
import pytest

from services.registry.rosters import importing
from tests.registry.rosters import sheets
from tests.registry.rosters.conftest import SCOPES, Office
from tests.registry.rosters.sheets import household, person


def village_of(count: int) -> list[list[dict[str, Any]]]:
    """``count`` households of two."""
    return [
        household(
            person(4 * at + 1, name=f"户主{at}"), person(4 * at + 2, name="妻", relation="配偶")
        )
        for at in range(count)
    ]


async def test_an_edited_cell_changes_that_household_alone(office: Office) -> None:
    content = sheets.workbook(village_of(3))
    await office.bring_in(content)
    book = openpyxl.load_workbook(io.BytesIO(content))
    book.worksheets[0]["S7"] = 100
    target = io.BytesIO()
    book.save(target)

    roster = await office.bring_in(target.getvalue())

    assert roster["figures"]["verdicts"] == {"changed": 1, "unchanged": 2}
    events = await office.rows("SELECT type, aggregate_version FROM events ORDER BY id")
    assert [(one.type.split(".")[-2], one.aggregate_version) for one in events] == [
        *[("identified", 1)] * 3,
        ("changed", 2),
    ]
    (changed,) = await office.report(roster["roster_id"], verdict="changed")
    assert changed["first_row"] == 7
    (row,) = await office.rows("SELECT income_wage FROM households WHERE version = 2")
    assert str(row.income_wage) == "100.00"


PUBLISHED_EDITS: list[tuple[int, dict[str, Any]]] = [
    (0, {"category": "低保边缘"}),
    (0, {"causes": "因学、因残"}),
    (0, {"house_grade": "D"}),
    (0, {"vehicles": 1}),
    (0, {"medical": 12.5}),
    (0, {"village": "another"}),
    (1, {"education": "高中"}),
    (1, {"insured": "否"}),
    (1, {"disability": "肢体二级", "health": "残疾"}),
]
PRIVATE_EDITS: list[tuple[int, dict[str, Any]]] = [
    (1, {"name": "李四四"}),
    (0, {"phone": "13900000000"}),
    (0, {"account": "6228000000000000"}),
]


async def test_each_kind_of_edit_changes_its_household_and_publishes_what_is_public(
    office: Office,
) -> None:
    edits = [*PUBLISHED_EDITS, *PRIVATE_EDITS]
    untouched = village_of(len(edits) + 1)
    await office.bring_in(sheets.workbook(untouched))
    village = await _another_village(office)
    edited = [[dict(row) for row in people] for people in untouched]
    for people, (at, cells) in zip(edited, edits, strict=False):
        people[at] |= {**cells, "village": village} if "village" in cells else cells

    roster = await office.bring_in(sheets.workbook(edited))

    assert roster["figures"]["verdicts"] == {"changed": len(edits), "unchanged": 1}
    assert await office.count("households", "version = 2") == len(PUBLISHED_EDITS)
    assert await office.count("households", "revision = 2") == len(edits)
    assert await office.count("events") == len(untouched) + len(PUBLISHED_EDITS)
    again = await office.bring_in(sheets.workbook(edited))
    assert again["figures"]["verdicts"] == {"unchanged": len(untouched)}
    assert await office.count("events") == len(untouched) + len(PUBLISHED_EDITS)


async def _another_village(office: Office) -> str:
    (row,) = await office.rows(
        "SELECT name FROM divisions WHERE parent_code = '331124203' AND name NOT LIKE '下田%'"
        " ORDER BY code LIMIT 1"
    )
    return str(row.name)


async def test_absence_changes_nothing_and_is_listed(office: Office) -> None:
    await office.bring_in(sheets.workbook(village_of(3)))
    first, _, _ = village_of(3)

    first[0]["count"] = 1
    roster = await office.bring_in(sheets.workbook([first[:1]]))

    assert roster["figures"]["verdicts"] == {"unchanged": 1}
    assert roster["figures"]["absent"] == 2
    absent = await office.report(roster["roster_id"], verdict="absent")
    assert [(row["head_name"], row["first_row"]) for row in absent] == [("户*", None)] * 2
    (listed,) = await office.report(roster["roster_id"], verdict="unchanged")
    assert [finding["code"] for finding in listed["findings"]] == ["members_absent"]
    assert await office.count("members", "left_on IS NULL") == 6
    assert await office.count("events") == 3


async def test_a_household_whose_row_is_refused_is_not_absent(office: Office) -> None:
    (people,) = village_of(1)
    await office.bring_in(sheets.workbook([people]))
    roster = await office.bring_in(sheets.workbook([[{**people[0], "wage": -1}, people[1]]]))
    assert roster["figures"]["verdicts"] == {"rejected": 1}
    assert roster["figures"]["absent"] == 0


async def test_rows_find_their_household_by_people_never_by_serial(office: Office) -> None:
    await office.bring_in(sheets.workbook(village_of(3)))
    roster = await office.bring_in(sheets.workbook(village_of(3)[::-1]))
    assert roster["figures"]["verdicts"] == {"unchanged": 3}


async def test_a_new_member_joins_and_a_new_head_heads(office: Office) -> None:
    (people,) = village_of(1)
    await office.bring_in(sheets.workbook([people]))
    wife_heads = [
        {**people[0], **person(2, name="妻"), "head_name": "妻", "count": 3},
        person(1, name="户主0", relation="配偶"),
        person(9, name="新生儿", relation="子", work="", labor_ability="无劳动力"),
    ]

    roster = await office.bring_in(sheets.workbook([wife_heads]))

    assert roster["figures"]["verdicts"] == {"changed": 1}
    (head,) = await office.rows(
        "SELECT persons.name, households.n FROM households"
        " JOIN persons ON persons.person_id = head_person_id"
    )
    assert (head.name, head.n) == ("妻", 3)
    assert await office.count("members", "relation = 'head'") == 1


async def test_people_of_two_files_in_one_row_are_refused(office: Office) -> None:
    one, two = village_of(2)
    await office.bring_in(sheets.workbook([one, two]))
    merged = [one[0], {**two[1], "relation": "其他"}]
    roster = await office.bring_in(sheets.workbook([merged]))
    (row,) = await office.report(roster["roster_id"], verdict="rejected")
    assert {finding["code"] for finding in row["findings"]} >= {"people_of_two_households"}
    assert roster["figures"]["absent"] == 0
    assert await office.count("events") == 2


async def test_a_file_that_is_no_longer_on_assistance_is_not_brought_back(office: Office) -> None:
    await office.bring_in(sheets.workbook(village_of(1)))
    archived = "UPDATE household_versions SET facts = jsonb_set(facts, '{state}', '\"exited\"')"
    await _execute(office, archived, "UPDATE households SET state = 'exited'")
    roster = await office.bring_in(sheets.workbook(village_of(1)))
    (row,) = await office.report(roster["roster_id"])
    assert row["verdict"] == "rejected"
    assert [finding["code"] for finding in row["findings"]] == ["file_not_on_assistance"]


async def _execute(office: Office, *orders: str) -> None:
    """What the worker's own role may not do: as the database's owner."""
    import asyncpg  # noqa: PLC0415 - only this test leaves the platform's ways

    connection = await asyncpg.connect(office.service.owner_url)
    try:
        await connection.execute("SELECT set_config('bangfu.divisions', ',', false)")
        for order in orders:
            await connection.execute(order)
    finally:
        await connection.close()


async def test_a_person_of_another_county_is_refused_by_county_alone(office: Office) -> None:
    neighbours = await office.client_as(divisions=("331121",), officer="o2")
    there = [household(person(1), township="鹤城街道", village="鹤城村")]
    (village,) = await office.rows(
        "SELECT child.name FROM divisions AS child JOIN divisions AS town"
        " ON town.code = child.parent_code WHERE town.name = '鹤城街道' LIMIT 1"
    )
    there[0][0]["village"] = village.name
    answer = await office.hand_in(sheets.workbook(there), client=neighbours)
    assert answer.status_code == 202, answer.text
    await office.work_off()
    assert await office.count("households") == 1

    roster = await office.bring_in(sheets.workbook([household(person(1))]))

    (row,) = await office.report(roster["roster_id"])
    (finding,) = row["findings"]
    assert (row["verdict"], finding["code"], finding["cell"]) == (
        "rejected",
        "person_registered_elsewhere",
        "J5",
    )
    assert await office.count("households") == 1


async def test_two_imports_at_once_make_one_registry(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "CHUNK", 3)
    content = sheets.workbook(village_of(20))
    ids = [(await office.hand_in(content)).json()["roster_id"] for _ in range(2)]

    await office.work_off(runners=2)

    rosters = [await office.roster(roster_id) for roster_id in ids]
    assert [roster["state"] for roster in rosters] == ["succeeded"] * 2
    verdicts = [roster["figures"]["verdicts"] for roster in rosters]
    assert sum(one.get("accepted", 0) for one in verdicts) == 20
    assert sum(one.get("unchanged", 0) for one in verdicts) == 20
    assert await office.count("households") == 20
    assert await office.count("events") == 20


async def test_progress_counts_households(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "CHUNK", 2)
    roster = await office.bring_in(sheets.workbook(village_of(5)))
    job = (await office.client.get(roster["links"]["job"])).json()
    assert (job["done"], job["total"], job["state"]) == (5, 5, "succeeded")
    assert job["result"]["taken_households"] == 5


async def test_a_township_imports_its_own_households_only(office: Office) -> None:
    township = await office.client_as(divisions=("331124203",), officer="o3")
    mine, other = village_of(2)
    other[0] |= {"township": "西屏街道", "village": "城西社区"}
    answer = await office.hand_in(sheets.workbook([mine, other]), client=township)
    await office.work_off()
    roster = (await township.get(answer.json()["links"]["roster"])).json()
    assert roster["division_code"] == "331124203"
    assert roster["figures"]["verdicts"] == {"accepted": 1, "rejected": 1}
    rows = (await township.get(answer.json()["links"]["report"])).json()["items"]
    assert [row["verdict"] for row in rows] == ["accepted", "rejected"]
    assert rows[1]["findings"][0]["code"] == "outside_your_divisions"


async def test_scopes_are_those_of_rosters(office: Office) -> None:
    reader = await office.client_as("registry.rosters:read")
    assert (await office.hand_in(b"", client=reader)).status_code == 403
    nobody = await office.client_as(SCOPES.replace("registry.rosters:read", ""))
    assert (await nobody.get("/v1/rosters")).status_code == 403
