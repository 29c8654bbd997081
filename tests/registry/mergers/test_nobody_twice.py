"""Whatever joins, leaves, splits, merges and undoings follow each other: nobody in two files a day.

On a real registry, through its API; the households of one example stay for the next one.
"""

from collections import Counter
from datetime import date, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.contracts.registry import State
from tests.registry.filing import Office, Registry, person

FIRST = date(2026, 2, 1)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["join", "leave", "split", "merge", "undo"]),
        st.integers(0, 50),
        st.integers(0, 50),
    ),
    min_size=3,
    max_size=9,
)


class Village:
    """The households of one example and what is done to them, one day after the other."""

    def __init__(self, office: Office, households: list[str]) -> None:
        self.office = office
        self.households = households
        self.mergers: list[str] = []
        self.done: Counter[str] = Counter()

    async def step(self, what: str, one: int, other: int, on: date) -> None:
        """Do it; what the registry refuses is no step."""
        household_id = self.households[one % len(self.households)]
        shown = await self.office.read(household_id)
        members = shown["members"]
        day = on.isoformat()
        where = f"/v1/households/{household_id}"
        if what == "join":
            newcomer = person("other") | {"valid_from": day}
            await self._ask(what, f"{where}/members", newcomer)
        elif what == "leave" and len(members) > 1:
            who = members[1 + other % (len(members) - 1)]
            gone = {"valid_from": day, "reason": "moved_out"}
            await self._ask(what, f"{where}/members/{who['person_id']}/leave", gone)
        elif what == "split" and len(members) > 1:
            await self._split(where, members[1 + other % (len(members) - 1)]["person_id"], day)
        elif what == "merge":
            await self._merge(where, self.households[other % len(self.households)], day)
        elif what == "undo" and self.mergers:
            merger = self.mergers[other % len(self.mergers)]
            await self._ask(what, f"/v1/mergers/{merger}/undo", {"reason": "误并"})

    async def _split(self, where: str, goes: str, day: str) -> None:
        made = await self._ask(
            "split",
            f"{where}/splits",
            {
                "split_on": day,
                "person_ids": [goes],
                "head_person_id": goes,
                "division_code": "331124002222",
                "staying": {"incomes": {}},
                "going": {"incomes": {}},
                "reason": "分户",
            },
        )
        if made:
            self.households.append(made["new_household_id"])

    async def _merge(self, where: str, merged: str, day: str) -> None:
        made = await self._ask(
            "merge",
            f"{where}/mergers",
            {"merged_id": merged, "merged_on": day, "amounts": "added", "reason": "并户"},
        )
        if made:
            self.mergers.append(made["merger_id"])

    async def _ask(self, what: str, where: str, body: dict[str, Any]) -> dict[str, Any] | None:
        answer = await self.office.client.post(where, json=body)
        assert answer.status_code < 500, answer.text
        if answer.status_code >= 300:
            return None
        self.done[what] += 1
        return dict(answer.json())


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
async def test_nobody_stands_in_two_open_files_on_any_day(
    registry: Registry, office: Office, steps: list[tuple[str, int, int]]
) -> None:
    households = [await office.identified(person(), person("spouse")) for _ in range(3)]
    village = Village(office, households)
    for at, (what, one, other) in enumerate(steps):
        await village.step(what, one, other, FIRST + timedelta(days=at // 2))

    for at in range(-1, len(steps) // 2 + 2):
        day = (FIRST + timedelta(days=at)).isoformat()
        standing: Counter[str] = Counter()
        for household_id in village.households:
            answer = await office.client.get(
                f"/v1/households/{household_id}", params={"as_of": day}
            )
            if answer.status_code == 200 and answer.json()["state"] != State.CLOSED:
                standing.update(each["person_id"] for each in answer.json()["members"])
        assert standing
        assert max(standing.values()) == 1
    rows = await registry.rows(
        "SELECT person_id FROM members WHERE left_on IS NULL AND household_id = ANY(:ids)",
        ids=village.households,
    )
    assert {str(row["person_id"]) for row in rows} == set(standing)
