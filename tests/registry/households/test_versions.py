"""Any row of changes: versions without a hole, and the last event is the present."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from services.registry.households import queries
from services.registry.households.actions import admit_households, revise_households
from services.registry.households.facts import (
    HouseholdChange,
    LeaveReason,
    Leaving,
    Outcome,
    Result,
)
from shared.auth import Caller
from shared.contracts.registry import (
    Category,
    HouseGrade,
    Incomes,
    Relation,
)
from tests.registry.filing import (
    NEXT_VILLAGE,
    OFFICER,
    OTHER_TOWNSHIP,
    Registry,
    entry,
    one,
)

DAY = date(2026, 1, 10)
NEIGHBOUR = Caller(sub="s9", officer_id="o9", divisions=("331121",))


async def revise(registry: Registry, change: HouseholdChange) -> Outcome:
    async with registry.acting() as session:
        (outcome,) = await revise_households(session, OFFICER, [change])
    return outcome


changes = st.lists(
    st.tuples(
        st.integers(0, 120),
        st.one_of(
            st.builds(lambda wage: {"incomes": Incomes(wage=Decimal(wage))}, st.integers(0, 2)),
            st.builds(lambda grade: {"house_grade": grade}, st.sampled_from([HouseGrade.C, None])),
            st.builds(
                lambda category: {"category": category},
                st.sampled_from([Category.DIBAO, Category.TEKUN]),
            ),
            st.builds(
                lambda village: {"division_code": village},
                st.sampled_from([NEXT_VILLAGE, OTHER_TOWNSHIP]),
            ),
            st.just({"join": True}),
            st.just({"leave": True}),
        ),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=25, deadline=None)
@given(asked=changes)
async def test_versions_have_no_hole_and_the_last_event_is_the_present(
    registry: Registry, asked: list[tuple[int, dict[str, Any]]]
) -> None:
    async with registry.acting() as session:
        (outcome,) = await admit_households(
            session, OFFICER, [entry(one(), one(Relation.SON))], origin="roster", decided_on=DAY
        )
    household_id = outcome.household_id
    assert household_id is not None
    for ahead, update in asked:
        change = asked_of(household_id, DAY + timedelta(days=ahead), update, outcome)
        answer = await revise(registry, change)
        assert answer.result is not Result.REFUSED or [fault.code for fault in answer.faults] == [
            "member_unknown"
        ]

    states = await registry.states(household_id)
    async with registry.acting() as session:
        found = await queries.load_households(session, [household_id], divisions=OFFICER.divisions)
    facts = found[household_id].facts
    (row,) = await registry.rows(
        "SELECT version, n, division_code, category FROM households WHERE household_id = :id",
        id=household_id,
    )
    assert [version for _, version, _ in states] == list(range(1, len(states) + 1))
    assert row["version"] == len(states)
    last = states[-1][2]
    assert (last.n, last.division_code, last.category) == (
        row["n"],
        row["division_code"],
        row["category"],
    )
    assert [member.person_id for member in last.members] == [
        member.person_id for member in facts.members
    ]
    assert (last.incomes, last.house_grade, last.category, last.n) == (
        facts.incomes,
        facts.house_grade,
        facts.category,
        facts.n,
    )
    assert (last.periods[-1].n, last.periods[-1].incomes) == (facts.n, facts.incomes)
    for (_, _, before), (_, _, after) in pairwise(states):
        assert before.model_copy(update={"effective_from": after.effective_from}) != after
    standing = await registry.rows(
        "SELECT person_id FROM members WHERE household_id = :id AND left_on IS NULL",
        id=household_id,
    )
    assert {each["person_id"] for each in standing} == {
        member.person_id for member in facts.members
    }


def asked_of(
    household_id: UUID, on: date, update: dict[str, Any], outcome: Outcome
) -> HouseholdChange:
    if "join" in update:
        return HouseholdChange(
            household_id=household_id, valid_from=on, join=(one(Relation.DAUGHTER),)
        )
    if "leave" in update:
        gone = Leaving(person_id=outcome.person_ids[1], reason=LeaveReason.MOVED_OUT)
        return HouseholdChange(household_id=household_id, valid_from=on, leave=(gone,))
    return HouseholdChange(household_id=household_id, valid_from=on, facts=update)
