"""Income checks through the API: what is judged by which line, stored and refused."""

from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import pytest

from services.registry.standards.handlers import on_standards
from shared import clock
from tests.registry.conftest import OfficeOf
from tests.registry.filing import OTHER_COUNTY, WRITTEN, Office, Registry, person, problem
from tests.registry.told import standard_event


async def enter(office: Office, household_id: str, **given: Any) -> httpx.Response:
    known = {
        "checked_on": "2026-02-01",
        "incomes": {"wage": "13800.12"},
        "food_and_clothing": True,
    }
    return await office.client.post(f"/v1/households/{household_id}/checks", json=known | given)


async def test_a_check_is_stored_with_all_it_was_judged_on(
    registry: Registry, office: Office
) -> None:
    household_id = await office.identified(person(), person("spouse"))
    before = await registry.counted("events", "outbox", "household_versions")
    known = await office.read(household_id)

    answer = await enter(
        office,
        household_id,
        incomes={"wage": "20000", "business": "-3000.00", "transfer": "7600.50"},
        note=" 存折与工资单已核 ",
    )

    assert answer.status_code == 201, answer.text
    shown = answer.json()
    assert {name: value for name, value in shown.items() if name != "check_id"} == {
        "household_id": household_id,
        "episode": 1,
        "checked_on": "2026-02-01",
        "category": "dibao",
        "n": 2,
        "income_wage": "20000.00",
        "income_business": "-3000.00",
        "income_property": "0.00",
        "income_transfer": "7600.50",
        "food_and_clothing": True,
        "note": "存折与工资单已核",
        "per_capita_month": "1150.02",
        "per_capita_year": "13800.25",
        "line": "1150.00",
        "document_number": "sample, not official",
        "g4600_limit": None,
        "passed": True,
        "reasons": [],
        "officer_id": "o1",
    }
    assert await registry.counted("events", "outbox", "household_versions") == before
    after = await office.read(household_id)
    assert (after["version"], after["revision"]) == (known["version"], known["revision"])
    assert after["incomes"] == known["incomes"]
    assert ("household.checked", "o1") in await registry.audited(household_id)


async def test_the_people_of_its_day_count(registry: Registry, office: Office) -> None:
    household_id = await office.identified(person(), person("son"))
    son = (await office.read(household_id))["members"][1]["person_id"]
    left = await office.client.post(
        f"/v1/households/{household_id}/members/{son}/leave",
        json={"valid_from": "2026-02-02", "reason": "moved_out"},
    )
    assert left.status_code == 200, left.text

    together = await enter(office, household_id, checked_on="2026-02-01")
    alone = await enter(office, household_id, checked_on="2026-02-02")

    assert [(each.json()["n"], each.json()["passed"]) for each in (together, alone)] == [
        (2, False),
        (1, True),
    ]
    assert together.json()["reasons"] == ["income_not_above_line"]


async def test_a_check_is_judged_by_the_line_of_its_own_day_and_county(
    registry: Registry, office: Office, office_of: OfficeOf
) -> None:
    household_id = await office.identified()
    next_door = await office_of(divisions=("331121",))
    there = await next_door.identified(division_code=OTHER_COUNTY)
    raised = standard_event(
        division_code="331121", valid_from=date(2026, 3, 1), value=Decimal(1200)
    )
    async with registry.worker.transaction() as session:
        await on_standards(session, [raised])

    answers = [
        await enter(next_door, there, checked_on="2026-02-28"),
        await enter(next_door, there, checked_on="2026-03-01"),
        await enter(office, household_id, checked_on="2026-03-01"),
    ]

    seen = [(each.json()["line"], each.json()["passed"]) for each in answers]
    assert seen == [("1150.00", True), ("1200.00", False), ("1150.00", True)]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"checked_on": "2026-01-09"}, "before_episode"),
        ({"checked_on": "2999-01-01"}, "date_in_future"),
        ({"incomes": {"wage": "-0.01"}}, "amount_negative"),
        ({"incomes": {"wage": "1e30"}}, "amount_too_large"),
        ({"incomes": {"wage": "NaN"}}, "request_invalid"),
        ({"incomes": {"pension": "1"}}, "request_invalid"),
        ({"food_and_clothing": None}, "request_invalid"),
    ],
)
async def test_what_is_no_check(
    registry: Registry, office: Office, given: dict[str, Any], code: str
) -> None:
    household_id = await office.identified()
    before = await registry.counted(*WRITTEN)

    problem(await enter(office, household_id, **given), 422, code)

    assert await registry.counted(*WRITTEN) == before


async def test_only_a_household_on_assistance_is_checked_by_a_person(
    office: Office, office_of: OfficeOf
) -> None:
    accepted, household_id = await office.open(), await office.identified()
    reader = await office_of("registry.households:read registry.households:decide")
    nobody = await office_of(officer=None)

    problem(await enter(office, accepted), 422, "not_on_assistance")
    problem(await enter(reader, household_id), 403, "scope_missing")
    problem(await enter(nobody, household_id), 422, "officer_missing")


async def test_without_a_line_nothing_is_judged(registry: Registry, office: Office) -> None:
    household_id = await office.identified(opened_on="2023-01-05", on="2023-01-10")

    answer = await enter(office, household_id, checked_on="2023-12-31")

    body = problem(answer, 422, "standard_missing")
    assert body["errors"][0]["where"] == "dibao_line"
    assert (
        await registry.rows("SELECT 1 FROM income_checks WHERE household_id = :id", id=household_id)
    ) == []
    assert (await enter(office, household_id, checked_on="2024-01-01")).status_code == 201


async def test_the_4600_group_is_judged_by_its_own_limit_too(
    registry: Registry, office: Office
) -> None:
    household_id = await office.identified(
        category="group_4600", opened_on="2023-01-05", on="2023-01-10"
    )

    missing = await enter(office, household_id, checked_on="2023-12-31")
    judged = await enter(office, household_id, incomes={"wage": "4600"})

    assert [fault["where"] for fault in problem(missing, 422, "standard_missing")["errors"]] == [
        "dibao_line",
        "g4600.line",
        "g4600.index",
    ]
    assert judged.json()["g4600_limit"] == "4600.00"
    assert judged.json()["reasons"] == ["income_not_above_line", "income_not_above_4600"]
    (row,) = await registry.rows(
        "SELECT parameters FROM income_checks WHERE household_id = :id", id=household_id
    )
    assert [each["key"] for each in row["parameters"]] == ["g4600.line", "g4600.index"]


async def test_the_checks_of_a_household_page_by_their_days(
    registry: Registry, office: Office, office_of: OfficeOf
) -> None:
    household_id = await office.identified()
    for day in ("2026-03-01", "2026-02-01", "2026-02-01"):
        await registry.checked(household_id, day)
    where = f"/v1/households/{household_id}/checks"

    first = (await office.client.get(where, params={"limit": 2})).json()
    rest = (await office.client.get(where, params={"cursor": first["next_cursor"]})).json()
    neighbours = await office_of(divisions=("331121",))

    days = [each["checked_on"] for each in first["items"] + rest["items"]]
    assert days == ["2026-02-01", "2026-02-01", "2026-03-01"]
    assert len({each["check_id"] for each in first["items"] + rest["items"]}) == 3
    assert rest["next_cursor"] is None
    problem(await neighbours.client.get(where), 404, "household_not_found")
    assert (await registry.audited(household_id))[-1] == ("household.checks_read", "o1")


async def test_checks_of_an_earlier_episode_lift_nobody(registry: Registry, office: Office) -> None:
    household_id = await office.long_identified()
    await office.ready_to_lift(household_id)
    await office.decide(household_id, "lift", decided_on="2025-08-01")
    back = {"decided_on": "2025-09-01", "reason": "主要劳动力重病"}
    await office.decide(household_id, "return", **back)

    answer = await office.client.post(
        f"/v1/households/{household_id}/lift", json={"decided_on": clock.today().isoformat()}
    )

    body = problem(answer, 422, "income_checks_missing")
    codes = [fault["code"] for fault in body["errors"]]
    assert codes == ["income_checks_missing", "notice_missing"]


async def test_the_surveyor_is_told_that_another_must_decide(
    registry: Registry, office: Office, office_of: OfficeOf
) -> None:
    household_id = await office.long_identified()
    await office.ready_to_lift(household_id)
    surveyor = await office_of(officer="o7")
    where, body = f"/v1/households/{household_id}/lift", {"decided_on": "2025-08-01"}

    problem(await surveyor.client.post(where, json=body), 422, "same_officer")
    assert (await office.client.post(where, json=body)).status_code == 200
