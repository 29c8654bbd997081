"""Changing a household through the API: versions, revisions, decisions, moves."""

from typing import Any
from uuid import UUID

import pytest

from tests.registry.conftest import OfficeOf
from tests.registry.filing import (
    ALL,
    OTHER_COUNTY,
    OTHER_TOWNSHIP,
    WRITTEN,
    Office,
    Registry,
    problem,
)
from tests.registry.told import VILLAGE


async def test_a_change_moves_version_and_revision_and_is_published(
    registry: Registry, office: Office
) -> None:
    household_id = await office.identified()

    changed = await office.change(
        household_id, valid_from="2026-03-01", incomes={"wage": "7000"}, house_grade="C"
    )

    assert (changed["version"], changed["revision"], changed["changed"]) == (2, 3, True)
    (_, first, _), (kind, second, state) = await registry.states(household_id)
    assert (kind, first, second) == ("changed", 1, 2)
    assert state.effective_from.isoformat() == "2026-03-01"
    assert state.incomes.wage == 7000
    assert [(str(each.valid_from), int(each.incomes.wage)) for each in state.periods] == [
        ("2026-01-10", 6000),
        ("2026-03-01", 7000),
    ]


async def test_no_echoes(registry: Registry, office: Office) -> None:
    household_id = await office.identified()
    shown = await office.read(household_id)
    before = await registry.counted("events", "household_versions", "decisions")

    same = await office.change(
        household_id,
        valid_from="2026-03-01",
        incomes=shown["incomes"],
        causes=["illness"],
        category="dibao",
        phone="13812340000",
        account="6228480012345678",
    )

    assert (same["changed"], same["version"], same["revision"]) == (False, 1, 2)
    assert await registry.counted("events", "household_versions", "decisions") == before


async def test_personal_data_alone_moves_the_revision_only(
    registry: Registry, office: Office, office_of: OfficeOf
) -> None:
    household_id = await office.identified()
    person_id = (await office.read(household_id))["members"][0]["person_id"]
    where = f"/v1/households/{household_id}/members/{person_id}"

    await office.change(household_id, valid_from="2026-03-01", phone="13800009999")
    renamed = await office.client.patch(
        where,
        json={"valid_from": "2026-03-01", "name": "张四", "phone": "13700001234"},
        headers={"If-Match": office.etags[household_id]},
    )

    assert renamed.status_code == 200, renamed.text
    assert (renamed.json()["version"], renamed.json()["revision"]) == (1, 4)
    assert len(await registry.states(household_id)) == 1
    plain = await (await office_of(f"{ALL} pii:read")).read(household_id)
    assert (plain["phone"], plain["members"][0]["name"]) == ("13800009999", "张四")
    assert plain["members"][0]["phone"] == "13700001234"


async def test_an_amount_that_is_not_named_stays(office: Office) -> None:
    household_id = await office.identified()
    before = (await office.read(household_id))["incomes"]

    await office.change(household_id, valid_from="2026-03-01", incomes={"wage": "1.00"})
    assert (await office.read(household_id))["incomes"] == before | {"wage": "1.00"}

    same = await office.change(household_id, valid_from="2026-03-01", incomes={})
    assert same["changed"] is False


async def test_a_stale_etag_is_refused(office: Office) -> None:
    household_id = await office.identified()
    where = f"/v1/households/{household_id}"
    body = {"valid_from": "2026-02-01", "house_grade": "D"}

    stale = await office.client.patch(where, json=body, headers={"If-Match": '"1"'})
    missing = await office.client.patch(where, json=body)

    problem(stale, 412, "revision_moved")
    problem(missing, 428, "if_match_missing")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"valid_from": "2999-01-01", "house_grade": "C"}, "date_in_future"),
        ({"valid_from": "2026-01-04", "house_grade": "C"}, "before_opening"),
        ({"valid_from": "2026-02-01", "incomes": {"wage": "-1"}}, "amount_negative"),
        ({"valid_from": "2026-02-01", "division_code": OTHER_COUNTY}, "division_not_yours"),
        ({"valid_from": "2026-02-01", "division_code": "331124000000"}, "division_unknown"),
        (
            {"valid_from": "2026-02-01", "head_person_id": str(UUID(int=7))},
            "head_missing",
        ),
    ],
)
async def test_a_change_against_the_rules_is_refused_and_leaves_nothing(
    registry: Registry, office: Office, body: dict[str, Any], code: str
) -> None:
    household_id = await office.identified()
    before = await registry.counted(*WRITTEN)

    answer = await office.client.patch(
        f"/v1/households/{household_id}",
        json=body,
        headers={"If-Match": office.etags[household_id]},
    )

    problem(answer, 422, code)
    assert await registry.counted(*WRITTEN) == before


async def test_a_new_category_is_a_decision(
    registry: Registry, office: Office, office_of: OfficeOf
) -> None:
    household_id = await office.identified()
    clerk = await office_of("registry.households:read registry.households:write")
    body = {"valid_from": "2026-04-01", "category": "dibao_marginal", "reason": "收入增加"}
    match = {"If-Match": office.etags[household_id]}

    refused = await clerk.client.patch(f"/v1/households/{household_id}", json=body, headers=match)
    await office.change(household_id, **body)

    problem(refused, 403, "scope_missing")
    decisions = await registry.rows(
        "SELECT * FROM decisions WHERE household_id = :id ORDER BY recorded_at", id=household_id
    )
    assert [row["kind"] for row in decisions] == ["identify", "reclassify"]
    assert decisions[1]["reason"] == "收入增加"
    assert decisions[1]["category"] == "dibao_marginal"
    assert [kind for kind, _, _ in await registry.states(household_id)] == [
        "identified",
        "changed",
    ]


async def test_a_move_within_the_county_takes_the_whole_file_along(
    registry: Registry, office: Office, office_of: OfficeOf
) -> None:
    household_id = await office.identified()
    old_place = await office_of(divisions=("331124002",))
    new_place = await office_of(divisions=("331124212",))

    await office.change(household_id, valid_from="2026-05-01", division_code=OTHER_TOWNSHIP)

    gone = await old_place.client.get(f"/v1/households/{household_id}")
    problem(gone, 404, "household_not_found")
    early = await new_place.read(household_id, as_of="2026-02-01")
    assert early["division_code"] == VILLAGE
    assert early["members"][0]["name"] == "张*"
    for table in ("household_versions", "decisions", "episodes", "members"):
        rows = await registry.rows(
            f"SELECT division_code FROM {table} WHERE household_id = :id",  # noqa: S608 (our own)
            id=household_id,
        )
        assert {row["division_code"] for row in rows} == {OTHER_TOWNSHIP}, table
    persons = await registry.rows(
        "SELECT division_code FROM persons WHERE person_id = :id", id=early["head_person_id"]
    )
    assert persons == [{"division_code": OTHER_TOWNSHIP}]
