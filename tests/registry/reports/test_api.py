"""The reports over the API, on a county with one gap of each kind (C1, C6, C7, C9)."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import text

from services.registry.ledger.handlers import on_assisted
from services.registry.reports import queries
from shared import clock
from tests.registry.conftest import OfficeOf
from tests.registry.filing import ALL, OTHER_TOWNSHIP, Office, Registry, problem
from tests.registry.told import aid_event

RIGHTS = "registry.reports:read registry.plans:read registry.leads:write"
TODAY = clock.today()
HERE = OTHER_TOWNSHIP
AGO = clock.add_months(TODAY, -3)


@pytest.fixture
async def desk(office_of: OfficeOf) -> Office:
    return await office_of(f"{ALL} {RIGHTS}", officer="t1")


async def gaps(desk: Office, kind: str, division: str = HERE) -> dict[str, Any]:
    """A report of gaps, read in pages of one."""
    found: dict[str, Any] = {"items": []}
    cursor = None
    while True:
        query: dict[str, str | int] = {"kind": kind, "division": division, "limit": 1}
        query |= {"cursor": cursor} if cursor else {}
        answer = await desk.client.get("/v1/reports/coverage-gaps", params=query)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found = page | {"items": found["items"] + page["items"]}
        cursor = page["next_cursor"]
        if cursor is None:
            return found


async def test_each_gap_is_reported_and_nothing_else(
    desk: Office, registry: Registry, office_of: OfficeOf
) -> None:
    began = {"opened_on": AGO.isoformat(), "on": AGO.isoformat(), "division_code": HERE}
    household_id = await desk.identified(**began)
    subsidised = await desk.identified(**began)
    await desk.open(division_code=HERE)
    reported = {
        "source": "grid_worker",
        "reported_on": AGO.isoformat(),
        "text": "生活困难",
        "person": {"name": "赵大", "division_code": HERE},
    }
    lead = await desk.client.post("/v1/leads", json=reported)
    lead_id = lead.json()["lead"]["lead_id"]
    assert (await gaps(desk, "premium_unsubsidised"))["reported"] is False
    premium_paid = aid_event(household_id=subsidised, programme="premium_subsidy", granted_on=TODAY)
    async with registry.worker.transaction() as session:
        await on_assisted(session, [premium_paid])
        late_one = text("UPDATE tasks SET due_on = :day WHERE subject_id = :id")
        await session.execute(late_one, {"day": AGO, "id": lead_id})

    both = {household_id, subsidised}
    for kind in ("helper_missing", "plan_missing", "unvisited"):
        found = (await gaps(desk, kind))["items"]
        assert {each["household_id"] for each in found} == both, kind
    premium = await gaps(desk, "premium_unsubsidised")
    assert premium["reported"] is True
    assert [each["household_id"] for each in premium["items"]] == [household_id]
    late = (await gaps(desk, "lead_overdue"))["items"]
    assert [(each["subject_id"], each["household_id"]) for each in late] == [(lead_id, None)]
    assert "report.coverage_gaps" in {
        row["action"]
        for row in await registry.rows(
            "SELECT action FROM audit_log WHERE subject_type = 'lead' AND subject_id = :id",
            id=lead_id,
        )
    }
    there = await office_of(RIGHTS, divisions=("331121",))
    for kind in ("helper_missing", "plan_missing", "unvisited", "lead_overdue"):
        assert (await gaps(there, kind))["items"] == []


Rates = dict[tuple[str | None, str | None], tuple[int, int, str | None]]


async def rates(desk: Office, year: int) -> Rates:
    """By category and cause: returned, tracked, the rate."""
    query: dict[str, str | int] = {"year": year, "division": HERE}
    answer = await desk.client.get("/v1/reports/returns", params=query)
    return {
        (each["category"], each["cause"]): (each["returned"], each["tracked"], each["rate"])
        for each in answer.json()
    }


async def lifted(desk: Office, **given: Any) -> str:
    household_id = await desk.long_identified(division_code=HERE, **given)
    await desk.ready_to_lift(household_id)
    await desk.decide(household_id, "lift", decided_on="2025-08-01", reason="收入稳定")
    return household_id


async def test_the_return_rate_is_of_those_tracked(desk: Office, registry: Registry) -> None:
    whole, dibao = (None, None), ("dibao", None)
    illness, disability = (None, "illness"), (None, "disability")
    assert await rates(desk, 2025) == {whole: (0, 0, None)}
    await lifted(desk)
    fell = await lifted(desk, causes=["illness", "disability"])
    await desk.decide(fell, "return", decided_on="2026-02-01", reason="重病返贫,经入户核实")

    assert await rates(desk, 2024) == {whole: (0, 0, None)}
    in_2025 = await rates(desk, 2025)
    assert in_2025 == {
        whole: (0, 2, "0.0000"),
        dibao: (0, 2, "0.0000"),
        illness: (0, 2, "0.0000"),
        disability: (0, 1, "0.0000"),
    }
    in_2026 = await rates(desk, 2026)
    assert in_2026 == {
        whole: (1, 2, "0.5000"),
        dibao: (1, 2, "0.5000"),
        illness: (1, 2, "0.5000"),
        disability: (1, 1, "1.0000"),
    }
    async with registry.worker.transaction() as session:
        left = await queries.returns(session, (HERE,), 2027)
    assert [(row["category"], row["cause"], row["returned"], row["tracked"]) for row in left] == [
        (None, None, 0, 1),
        (None, "illness", 0, 1),
        ("dibao", None, 0, 1),
    ]


async def test_a_closed_file_is_tracked_until_it_closes(desk: Office) -> None:
    before = {year: (await rates(desk, year))[None, None][1] for year in (2025, 2026)}
    household_id = await lifted(desk)
    await desk.decide(household_id, "close", decided_on="2025-12-31", ground="moved_out")

    assert (await rates(desk, 2025))[None, None][1] == before[2025] + 1
    assert (await rates(desk, 2026))[None, None][1] == before[2026]


async def test_a_households_years(desk: Office) -> None:
    year = TODAY.year
    household_id = await desk.identified(
        opened_on=f"{year - 1}-01-05", on=f"{year - 1}-02-01", incomes={"wage": "12000"}
    )
    await desk.change(
        household_id, valid_from=date(year, 1, 1).isoformat(), incomes={"wage": "9000"}
    )

    answer = await desk.client.get(f"/v1/households/{household_id}/income-series")

    assert [(each["year"], each["a_head"], each["falls"]) for each in answer.json()] == [
        (year - 1, "12000.00", False),
        (year, "9000.00", True),
    ]


async def test_of_a_year_to_come_nothing_is_told(desk: Office) -> None:
    for report in ("returns", "income-trend"):
        where = f"/v1/reports/{report}"
        ahead = await desk.client.get(where, params={"year": clock.today().year + 1})
        problem(ahead, 422, "year_to_come")
        assert (await desk.client.get(where, params={"year": clock.today().year})).is_success
