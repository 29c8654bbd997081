"""Two bureaus' rosters of the same households: neither overwrites what the other keeps (C3)."""

from typing import Any

import httpx
import pytest

from tests.registry.filing import problem
from tests.registry.rosters import sheets
from tests.registry.rosters.conftest import SCOPES, Office
from tests.registry.rosters.sheets import household, person

RIGHTS = f"{SCOPES} registry.sources:read registry.sources:decide registry.tasks:read"
CIVIL, POVERTY = "civil-affairs", "poverty-alleviation"
NAMES = {CIVIL: "低保", POVERTY: "原4600元以下"}
OTHER = {CIVIL: POVERTY, POVERTY: CIVIL}
CONFLICTS = "/v1/source-conflicts"


@pytest.fixture
async def bureaus(office: Office) -> dict[str, httpx.AsyncClient]:
    """An officer of either bureau of the county."""
    return {
        bureau: await office.client_as(scopes=RIGHTS, bureau=bureau, officer=f"o-{bureau}")
        for bureau in NAMES
    }


def roster(bureau: str, **cells: Any) -> bytes:
    """One household as a bureau's roster has it."""
    return sheets.workbook([household(person(1), **{"category": NAMES[bureau]} | cells)])


async def stored(office: Office) -> tuple[Any, ...]:
    (row,) = await office.rows("SELECT category, income_wage, house_grade FROM households")
    return (row.category, str(row.income_wage), row.house_grade)


async def disputed(
    office: Office, bureaus: dict[str, httpx.AsyncClient], owner: str
) -> dict[str, Any]:
    """A household that one bureau filed and the other one's roster says otherwise of."""
    await office.bring_in(roster(owner), client=bureaus[owner])
    theirs = roster(OTHER[owner], wage=100, house_grade="C")
    result = await office.bring_in(theirs, client=bureaus[OTHER[owner]])
    report = await office.report(result["roster_id"])
    assert "source_conflict" in {found["code"] for found in report[0]["findings"]}
    (conflict,) = (await bureaus[owner].get(CONFLICTS, params={"open": "true"})).json()["items"]
    return dict(conflict)


@pytest.mark.parametrize(("owner", "category"), [(CIVIL, "dibao"), (POVERTY, "group_4600")])
async def test_a_feed_leaves_what_the_other_keeps_and_opens_a_task(
    office: Office, bureaus: dict[str, httpx.AsyncClient], owner: str, category: str
) -> None:
    conflict = await disputed(office, bureaus, owner)

    assert await stored(office) == (category, "6921.34", "C"), "the rest of the row goes in"
    assert (conflict["owner"], conflict["bureau"]) == (owner, OTHER[owner])
    assert set(conflict["wanted"]) == {"category", "incomes"}
    assert conflict["wanted"]["incomes"]["wage"] == "100.00"
    tasks = (await bureaus[owner].get("/v1/tasks", params={"kind": "source_conflict"})).json()
    assert [task["subject_id"] for task in tasks["items"]] == [conflict["conflict_id"]]

    theirs = roster(OTHER[owner], wage=200, house_grade="C")
    await office.bring_in(theirs, client=bureaus[OTHER[owner]])
    (again,) = (await bureaus[owner].get(CONFLICTS, params={"open": "true"})).json()["items"]
    assert again["conflict_id"] == conflict["conflict_id"], "one conflict, the newest word"
    assert again["wanted"]["incomes"]["wage"] == "200.00"


@pytest.mark.parametrize("owner", [CIVIL, POVERTY])
async def test_the_keeper_changes_its_own(
    office: Office, bureaus: dict[str, httpx.AsyncClient], owner: str
) -> None:
    await office.bring_in(roster(owner), client=bureaus[owner])
    await office.bring_in(roster(owner, wage=100), client=bureaus[owner])

    assert (await stored(office))[1] == "100.00"
    assert (await bureaus[owner].get(CONFLICTS)).json()["items"] == []


async def test_a_bureau_that_keeps_nothing_changes_nothing_of_it(
    office: Office, bureaus: dict[str, httpx.AsyncClient]
) -> None:
    await office.bring_in(roster(CIVIL), client=bureaus[CIVIL])
    for bureau in ("education", None):
        client = await office.client_as(scopes=RIGHTS, bureau=bureau)
        await office.bring_in(roster(CIVIL, wage=100), client=client)

    assert (await stored(office))[1] == "6921.34"
    found = (await bureaus[CIVIL].get(CONFLICTS)).json()["items"]
    assert [each["bureau"] for each in found] == ["education", ""]


async def test_a_dry_run_keeps_no_conflict(
    office: Office, bureaus: dict[str, httpx.AsyncClient]
) -> None:
    await office.bring_in(roster(CIVIL), client=bureaus[CIVIL])
    await office.bring_in(roster(POVERTY), client=bureaus[POVERTY], dry_run=True)

    assert (await bureaus[CIVIL].get(CONFLICTS)).json()["items"] == []


async def test_the_keeper_settles_by_keeping_or_by_taking(
    office: Office, bureaus: dict[str, httpx.AsyncClient]
) -> None:
    conflict = await disputed(office, bureaus, CIVIL)
    where = f"{CONFLICTS}/{conflict['conflict_id']}/settle"
    body = {"outcome": "taken", "reason": "经核实以扶贫数据为准"}

    problem(await bureaus[POVERTY].post(where, json=body), 422, "not_source_of_record")
    problem(await bureaus[CIVIL].post(where, json=body | {"reason": " "}), 422, "reason_missing")
    neighbour = await office.client_as(scopes=RIGHTS, divisions=("331121",))
    problem(await neighbour.post(where, json=body), 404, "conflict_not_found")
    answer = await bureaus[CIVIL].post(where, json=body)

    assert answer.status_code == 200, answer.text
    assert answer.json()["outcome"] == "taken"
    assert await stored(office) == ("group_4600", "100.00", "C")
    problem(await bureaus[CIVIL].post(where, json=body), 409, "conflict_settled")
    tasks = await bureaus[CIVIL].get("/v1/tasks", params={"open": "true"})
    assert "source_conflict" not in {task["kind"] for task in tasks.json()["items"]}


async def test_what_is_kept_stays(office: Office, bureaus: dict[str, httpx.AsyncClient]) -> None:
    conflict = await disputed(office, bureaus, POVERTY)
    where = f"{CONFLICTS}/{conflict['conflict_id']}/settle"

    answer = await bureaus[POVERTY].post(where, json={"outcome": "kept", "reason": "以扶贫为准"})

    assert answer.json()["outcome"] == "kept"
    assert await stored(office) == ("group_4600", "6921.34", "C")
