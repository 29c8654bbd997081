"""What housing, education and employment do for the household on its way round the circle."""

from datetime import date
from decimal import Decimal
from typing import Any

from shared import clock
from tests.journeys.circle import Circle


def today() -> str:
    """Today on the platform's clock."""
    return clock.today().isoformat()


async def house_file(circle: Circle, state: str = "open") -> dict[str, Any]:
    """Wait until housing has a file of the D-grade house in this state."""

    async def look() -> Any:
        answer = await circle.ask(
            "GET", "housing", f"/v1/households/{circle.household_id}/dwelling"
        )
        files = answer.json()["files"] if answer.is_success else []
        return [one for one in files if one["state"] == state]

    (found,) = await circle.sees(f"housing's {state} file", look)
    assert found["grade"] == "D"
    return dict(found)


async def mend_house(circle: Circle) -> None:
    """From application to acceptance and payment; the county's base of 25,000 caps at the cost."""
    file = await house_file(circle)
    works = await circle.post(
        "housing",
        f"/v1/house-files/{file['file_id']}/renovations",
        method="rebuild",
        applied_on=today(),
    )
    stages: list[dict[str, Any]] = [
        {"stage": "appraised", "appraised_grade": "D"},
        {"stage": "planned", "plan_year": clock.today().year},
        {"stage": "agreed"},
        {"stage": "started"},
        {"stage": "checked"},
        {"stage": "completed", "actual_cost": "22000.00"},
        {"stage": "accepted", "parties": ["household", "village", "township", "construction"]},
    ]
    path = f"/v1/renovations/{works['renovation_id']}"
    for stage in stages:
        await reach(circle, path, **stage)
    await circle.aided("house_renovation", "approved", "22000.00")
    etag = (await circle.ask("GET", "housing", path)).headers["ETag"]
    paid = await circle.ask(
        "POST",
        "housing",
        f"{path}/pay",
        officer="o2",
        json={"paid_on": today()},
        headers={"If-Match": etag},
    )
    assert paid.is_success, paid.text
    await circle.aided("house_renovation", "paid", "22000.00")
    await house_file(circle, "closed")


async def reach(circle: Circle, path: str, **stage: Any) -> None:
    """The next stage of the works, from the version that the officer has read."""
    etag = (await circle.ask("GET", "housing", path)).headers["ETag"]
    answer = await circle.ask(
        "POST",
        "housing",
        f"{path}/stages",
        json={"done_on": today(), **stage},
        headers={"If-Match": etag},
    )
    assert answer.is_success, f"{stage}: {answer.text}"


async def student_file(circle: Circle, state: str = "enrolled") -> dict[str, Any]:
    """Wait until education has the child's file in this state."""
    child = circle.people[2]

    async def look() -> Any:
        answer = await circle.ask("GET", "education", f"/v1/students/{child}")
        return answer.json() if answer.is_success and answer.json()["state"] == state else None

    found: dict[str, Any] = await circle.sees(f"the child's {state} student file", look)
    return found


def term_of(day: date) -> str:
    """The term that runs on a day: autumn from September, spring from February."""
    if day.month >= 9:
        return f"{day.year}-autumn"
    return f"{day.year}-spring" if day.month >= 2 else f"{day.year - 1}-autumn"


async def aid_child(circle: Circle) -> None:
    """The term's run: half of the county's 1,000 a year for a primary pupil, approved and paid."""
    order = {"term": term_of(clock.today()), "division": circle.village}
    run = await circle.post("education", "/v1/aid-runs", **order)
    await circle.finished("education", run["job_id"])
    await circle.aided("living_subsidy", "approved", "500.00")
    await circle.post(
        "education", f"/v1/aid-runs/{run['run_id']}/pay", officer="o2", paid_on=today()
    )
    await circle.aided("living_subsidy", "paid", "500.00")


async def labour(circle: Circle) -> dict[str, Any]:
    """How employment sees the household now."""
    answer = await circle.ask(
        "GET", "employment", f"/v1/households/{circle.household_id}/employment"
    )
    return dict(answer.json()) if answer.is_success else {}


async def out_of_work(circle: Circle) -> None:
    """Wait until employment has both profiles and an open zero-employment case."""

    async def look() -> Any:
        seen = await labour(circle)
        return seen if seen.get("open_case") else None

    seen = await circle.sees("the zero-employment case", look)
    assert {one["person_id"]: one["status"] for one in seen["profiles"]} == dict.fromkeys(
        circle.people[:2], "unemployed"
    )


async def place_member(circle: Circle) -> None:
    """The head gets a contract: the case closes, and the measure is told."""
    await circle.post(
        "employment",
        "/v1/placements",
        person_id=circle.people[0],
        kind="contract",
        employer="松阳县香菇合作社",
        monthly_wage="5500.00",
        **{"from": today()},
    )
    seen = await labour(circle)
    assert seen["open_case"] is None
    await circle.aided("job_placement", "approved", "0.00")


async def time_line(circle: Circle) -> list[dict[str, Any]]:
    """The household's whole story as notify tells it, across all services."""
    path, found, cursor = f"/v1/households/{circle.household_id}/timeline", [], None
    while True:
        params = {"limit": 200} | ({"cursor": cursor} if cursor else {})
        page = await circle.get("notify", path, **params)
        found += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return found


def total(lines: list[dict[str, Any]], programme: str) -> Decimal:
    """What a programme has come to in a time line, in yuan."""
    paid = [line for line in lines if line["kind"] == "assistance" and line["code"] == programme]
    amounts = [Decimal(line["amount"]) for line in paid]
    return sum(amounts, Decimal(0))
