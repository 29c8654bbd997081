"""Found, filed, rejected: the identity of C6 after whatever became of the files."""

from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import date
from random import Random
from typing import Any

import pytest

from services.registry.households import actions as households
from tests.registry.conftest import OfficeOf
from tests.registry.determination.casework import Casework
from tests.registry.filing import ALL, OFFICER, Office, Registry, entry, person, problem

DAY = "2026-01-05"
PERIOD = {"from": DAY, "to": "2026-01-11", "division": "331124"}
RIGHTS = f"{ALL} registry.reports:read registry.determination:read registry.determination:write"

PARTS = ("filed", "rejected", "pending", "withdrawn", "closed")
LEFT = ("pending", "withdrawn", "closed")


@pytest.fixture
async def desk(office_of: OfficeOf) -> Office:
    return await office_of(RIGHTS, officer="t1")


async def filing(desk: Office, **query: str) -> dict[str, Any]:
    answer = await desk.client.get("/v1/reports/filing", params=PERIOD | query)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def differences(desk: Office) -> dict[str, str]:
    """Household by household what became of it, read in pages of two."""
    found: dict[str, str] = {}
    query: dict[str, str | int] = PERIOD | {"limit": 2}
    while True:
        answer = await desk.client.get("/v1/reports/filing/differences", params=query)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found |= {each["household_id"]: each["became"] for each in page["items"]}
        if page["next_cursor"] is None:
            return found
        query["cursor"] = page["next_cursor"]


class Way:
    """Everything that may become of a file opened on the day; each says where it is counted."""

    def __init__(self, desk: Office, registry: Registry, casework: Casework) -> None:
        self.desk, self.registry, self.casework = desk, registry, casework

    async def opened(self) -> tuple[str, str]:
        return await self.desk.open(opened_on=DAY), "pending"

    async def applied(self) -> tuple[str, str]:
        return (await self.casework.applied())["household_id"], "pending"

    async def withdrawn(self) -> tuple[str, str]:
        case = await self.casework.applied()
        await self.casework.step(case, "withdraw", withdrawn_on="2026-01-20", reason="x")
        return case["household_id"], "withdrawn"

    async def applied_again(self) -> tuple[str, str]:
        household_id, _ = await self.withdrawn()
        await self.casework.applied(household_id, applied_on="2026-01-21")
        return household_id, "pending"

    async def application_refused(self) -> tuple[str, str]:
        case = await self.casework.decidable()
        words = {"reason": "收入超过标准", "failed_tests": ["收入"]}
        await self.casework.step(
            case, "refuse", by=self.casework.county, decided_on="2026-01-20", **words
        )
        return case["household_id"], "rejected"

    async def file_refused(self) -> tuple[str, str]:
        household_id, _ = await self.opened()
        await self.desk.decide(household_id, "refuse", decided_on="2026-02-01", reason="超过标准")
        return household_id, "rejected"

    async def closed(self) -> tuple[str, str]:
        household_id, _ = await self.opened()
        await self.desk.decide(household_id, "close", decided_on="2026-02-01", ground="moved_out")
        return household_id, "closed"

    async def identified(self) -> tuple[str, str]:
        return await self.desk.identified(opened_on=DAY, on="2026-02-01"), "filed"

    async def identified_and_closed(self) -> tuple[str, str]:
        household_id, _ = await self.identified()
        await self.desk.decide(household_id, "close", decided_on="2026-02-03", ground="moved_out")
        return household_id, "filed"

    async def of_roster(self) -> tuple[str, str]:
        return await self._admitted("roster")

    async def of_batch(self) -> tuple[str, str]:
        return await self._admitted("batch")

    async def relief_only(self) -> tuple[str, str]:
        return await self.desk.open(opened_on=DAY, category=None), "not found"

    async def _admitted(self, origin: str) -> tuple[str, str]:
        async with self.registry.acting() as session:
            (one,) = await households.admit_households(
                session, OFFICER, [entry()], origin=origin, decided_on=date.fromisoformat(DAY)
            )
        return str(one.household_id), "filed"


EVERY: tuple[Callable[[Way], Awaitable[tuple[str, str]]], ...] = tuple(
    each for name, each in vars(Way).items() if not name.startswith("_")
)


@pytest.mark.parametrize("seed", range(3))
async def test_found_is_filed_and_rejected_and_what_is_named(
    desk: Office, registry: Registry, casework: Casework, seed: int
) -> None:
    """Every way once, and ten more at random, in any order."""
    random, way = Random(seed), Way(desk, registry, casework)  # noqa: S311 (a repeatable order)
    before, named_before = Counter(await filing(desk)), await differences(desk)
    ways = random.sample((*EVERY, *random.choices(EVERY, k=10)), k=len(EVERY) + 10)
    became = [await each(way) for each in ways]

    after, named = Counter(await filing(desk)), await differences(desk)
    expected = Counter(where for _, where in became if where != "not found")
    for part in PARTS:
        assert after[part] - before[part] == expected[part], part
    assert after["found"] - before["found"] == expected.total()
    assert after["difference"] == after["found"] - after["rejected"] - after["filed"] == len(named)
    assert {each: named[each] for each in named.keys() - named_before.keys()} == {
        household_id: where for household_id, where in became if where in LEFT
    }
    ways_in = [after[f"by_{origin}"] for origin in ("application", "roster", "batch", "split")]
    assert sum(ways_in) == after["found"]


async def test_a_split_is_found_and_filed_at_once(desk: Office) -> None:
    household_id = await desk.identified(
        person(), person("spouse"), opened_on="2024-05-06", on="2024-06-01"
    )
    members = (await desk.read(household_id))["members"]
    before = await filing(desk)
    split = {
        "split_on": "2026-01-08",
        "person_ids": [members[1]["person_id"]],
        "head_person_id": members[1]["person_id"],
        "division_code": "331124002221",
        "staying": {"incomes": {}},
        "going": {"incomes": {}},
        "reason": "离婚",
    }
    answer = await desk.client.post(f"/v1/households/{household_id}/splits", json=split)
    assert answer.status_code == 201, answer.text

    after = await filing(desk)
    assert {name: after[name] - before[name] for name in after if after[name] != before[name]} == {
        "found": 1,
        "filed": 1,
        "by_split": 1,
    }


async def test_the_leads_of_the_period(desk: Office) -> None:
    before = await filing(desk)
    for number in range(3):
        lead = {
            "source": "grid_worker",
            "reported_on": "2026-01-06",
            "text": "生活困难",
            "person": {"name": f"赵{number}", "division_code": "331124002221"},
        }
        answer = await desk.client.post("/v1/leads", json=lead)
        assert answer.status_code == 201, answer.text
        lead_id = answer.json()["lead"]["lead_id"]
        if number == 0:
            visit = {"visited_on": "2026-01-07", "findings": "家境良好"}
            await desk.client.post(f"/v1/leads/{lead_id}/visits", json=visit)
            gone = await desk.client.post(f"/v1/leads/{lead_id}/dismiss", json={"reason": "不困难"})
            assert gone.status_code == 200, gone.text

    today = (await desk.client.get(f"/v1/leads/{lead_id}")).json()["opened_on"]
    counted = await filing(desk, **{"from": today, "to": today})
    assert (counted["leads_found"], counted["leads_dismissed"], counted["leads_accepted"]) == (
        3,
        1,
        0,
    )
    assert (await filing(desk))["leads_found"] == before["leads_found"]


async def test_whose_report_it_is(desk: Office, registry: Registry, office_of: OfficeOf) -> None:
    household_id = await desk.open(opened_on=DAY)
    neighbours = await office_of("registry.reports:read", divisions=("331121",))

    assert (await filing(neighbours))["found"] == 0
    assert await differences(neighbours) == {}
    reversed_one = await desk.client.get(
        "/v1/reports/filing", params={"from": "2026-01-06", "to": DAY}
    )
    problem(reversed_one, 422, "period_reversed")
    assert household_id in await differences(desk)
    assert ("report.filing_differences", "t1") in await registry.audited(household_id)
