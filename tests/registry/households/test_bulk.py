"""The set-based path that rosters take: the unit of refusal is the household, the rest goes in."""

import asyncio
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import event

from services.registry.households import queries, sealed
from services.registry.households.actions import admit_households, revise_households
from services.registry.households.facts import (
    MEMBER_FACTS,
    Facts,
    HouseholdChange,
    HouseholdEntry,
    LeaveReason,
    Leaving,
    MemberChange,
    Outcome,
    Result,
)
from shared.auth import Caller, system_caller
from shared.contracts.registry import (
    Category,
    Cause,
    HouseGrade,
    Incomes,
    Relation,
    SchoolStage,
)
from tests.registry.filing import (
    OFFICER,
    OTHER_COUNTY,
    WRITTEN,
    Registry,
    entry,
    number,
    one,
)

DAY = date(2026, 1, 10)
NEIGHBOUR = Caller(sub="s9", officer_id="o9", divisions=("331121",))


async def admit(
    registry: Registry, *entries: HouseholdEntry, caller: Caller = OFFICER, on: date = DAY
) -> list[Outcome]:
    async with registry.acting(caller) as session:
        return await admit_households(session, caller, entries, origin="roster", decided_on=on)


async def revise(
    registry: Registry, *changes: HouseholdChange, caller: Caller = OFFICER
) -> list[Outcome]:
    async with registry.acting(caller) as session:
        return await revise_households(session, caller, changes)


def codes(outcome: Outcome) -> list[str]:
    return [fault.code for fault in outcome.faults]


async def facts_of(registry: Registry, household_id: UUID) -> Facts:
    async with registry.acting() as session:
        found = await queries.load_households(session, [household_id], divisions=OFFICER.divisions)
    return found[household_id].facts


async def test_households_are_opened_and_identified_in_one_go(registry: Registry) -> None:
    first, second = await admit(
        registry,
        entry(one(), one(Relation.SON), ref="row 4", missing_evidence=("income_proof",)),
        entry(ref="row 6", category=Category.TEKUN, tags=(Category.DIBAO, Category.TEKUN)),
    )

    assert [first.result, second.result] == [Result.ADMITTED] * 2
    assert (first.ref, first.version, first.revision) == ("row 4", 1, 1)
    ((kind, version, state),) = await registry.states(first.household_id)
    assert (kind, version, state.state, state.n) == ("identified", 1, "identified", 2)
    assert tuple(member.person_id for member in state.members) == first.person_ids
    assert state.episodes[0].origin == "roster"
    ((_, _, other),) = await registry.states(second.household_id)
    assert other.tags == (Category.DIBAO,)
    (episode,) = await registry.rows(
        "SELECT * FROM episodes WHERE household_id = :id", id=first.household_id
    )
    assert (episode["missing_evidence"], episode["decided_by"]) == (["income_proof"], "o1")
    assert await registry.audited(first.household_id) == [("household.admitted", "o1")]


async def test_one_bad_household_refuses_itself_alone(registry: Registry) -> None:
    taken, abroad, twice = number(), number(), number()
    await admit(registry, entry(one(id_number=taken)))
    await admit(
        registry, entry(one(id_number=abroad), division_code=OTHER_COUNTY), caller=NEIGHBOUR
    )
    before = await registry.counted("households", "persons", "events")

    outcomes = await admit(
        registry,
        entry(ref="good"),
        entry(one(id_number="33112419800517001Y"), ref="digit"),
        entry(one(), one(Relation.SON, id_number=taken), ref="taken"),
        entry(one(id_number=abroad), ref="abroad"),
        entry(one(id_number=twice), ref="first"),
        entry(one(id_number=twice), ref="second"),
        entry(category=None, incomes=Incomes(wage=Decimal(-1)), ref="two faults"),
        entry(division_code=OTHER_COUNTY, ref="not ours"),
        entry(incomes=Incomes(business=Decimal(-900)), ref="a loss"),
    )

    assert {outcome.ref: codes(outcome) for outcome in outcomes} == {
        "good": [],
        "digit": ["id_number_characters"],
        "taken": ["person_in_other_household"],
        "abroad": ["person_registered_elsewhere"],
        "first": [],
        "second": ["person_in_other_household"],
        "two faults": ["category_missing", "amount_negative"],
        "not ours": ["division_not_yours"],
        "a loss": [],
    }
    (abroad_one,) = [outcome for outcome in outcomes if outcome.ref == "abroad"]
    assert [person.county for person in abroad_one.elsewhere] == ["331121"]
    after = await registry.counted("households", "persons", "events")
    assert after == {name: count + 3 for name, count in before.items()}
    tasks = await registry.rows(
        "SELECT 1 FROM transfer_tasks WHERE person_id = :id",
        id=abroad_one.elsewhere[0].person_id,
    )
    assert len(tasks) == 1


async def test_a_worker_past_row_security_is_held_to_the_officers_divisions(
    registry: Registry,
) -> None:
    abroad = number()
    (theirs,) = await admit(
        registry, entry(one(id_number=abroad), division_code=OTHER_COUNTY), caller=NEIGHBOUR
    )

    async with registry.worker.transaction() as session:
        (refused,) = await admit_households(
            session, OFFICER, [entry(one(id_number=abroad))], origin="roster", decided_on=DAY
        )
        assert theirs.household_id is not None
        (unseen,) = await revise_households(
            session, OFFICER, [HouseholdChange(household_id=theirs.household_id, valid_from=DAY)]
        )
        found = await queries.find_persons_by_hash(
            session, [sealed.hash_id_number(abroad)], divisions=OFFICER.divisions
        )

    assert codes(refused) == ["person_registered_elsewhere"]
    assert codes(unseen) == ["household_not_found"]
    assert found == {}


async def test_a_system_without_an_officer_identifies_nobody(registry: Registry) -> None:
    async with registry.worker.transaction() as session:
        (outcome,) = await admit_households(
            session, system_caller("registry"), [entry()], origin="roster", decided_on=DAY
        )

    assert codes(outcome) == ["officer_missing"]


async def test_what_a_sheet_says_again_costs_nothing(registry: Registry) -> None:
    admitted = await admit(registry, *(entry(one(), one(Relation.SON)) for _ in range(20)))
    before = await registry.counted(*WRITTEN)
    changes = []
    for outcome in admitted:
        assert outcome.household_id is not None
        facts = await facts_of(registry, outcome.household_id)
        changes.append(whole(outcome.household_id, facts))

    outcomes = await revise(registry, *changes)

    assert {outcome.result for outcome in outcomes} == {Result.UNCHANGED}
    assert await registry.counted(*WRITTEN) == before


def whole(household_id: UUID, facts: Facts) -> HouseholdChange:
    """All that a sheet says of a household as it stands."""
    return HouseholdChange(
        household_id=household_id,
        valid_from=date(2026, 6, 1),
        facts={
            name: getattr(facts, name)
            for name in ("category", "tags", "causes", "house_grade", "incomes", "division_code")
        },
        members=tuple(
            MemberChange(
                person_id=member.person_id,
                name="李四光",
                facts={name: getattr(member, name) for name in MEMBER_FACTS},
            )
            for member in facts.members
        ),
    )


async def test_an_edited_cell_changes_that_household_alone(registry: Registry) -> None:
    admitted = await admit(registry, *(entry() for _ in range(10)))
    changes = [
        whole(outcome.household_id, await facts_of(registry, outcome.household_id))
        for outcome in admitted
        if outcome.household_id
    ]
    changes[3] = replace(changes[3], facts={**changes[3].facts, "house_grade": HouseGrade.D})
    before = await registry.counted("events")

    outcomes = await revise(registry, *changes)

    assert [outcome.result for outcome in outcomes].count(Result.CHANGED) == 1
    assert (outcomes[3].result, outcomes[3].version) == (Result.CHANGED, 2)
    assert await registry.counted("events") == {"events": before["events"] + 1}


async def test_members_join_and_leave_and_change_in_one_change(registry: Registry) -> None:
    (outcome,) = await admit(registry, entry(one(), one(Relation.SON), one(Relation.SPOUSE)))
    assert outcome.household_id is not None
    head, son, spouse = outcome.person_ids

    (changed,) = await revise(
        registry,
        HouseholdChange(
            household_id=outcome.household_id,
            valid_from=date(2026, 4, 1),
            facts={"causes": (Cause.ILLNESS, Cause.ILLNESS)},
            members=(MemberChange(person_id=son, facts={"school_stage": SchoolStage.SENIOR}),),
            join=(one(Relation.DAUGHTER),),
            leave=(Leaving(person_id=head, reason=LeaveReason.DIED),),
            head_person_id=spouse,
        ),
    )

    assert changed.result is Result.CHANGED
    _, version, state = (await registry.states(outcome.household_id))[-1]
    assert (version, state.n, state.head_person_id, state.causes) == (
        2,
        3,
        spouse,
        (Cause.ILLNESS,),
    )
    assert {str(member.person_id): str(member.relation) for member in state.members} == {
        str(spouse): "head",
        str(son): "son",
        str(changed.person_ids[0]): "daughter",
    }


async def test_one_change_a_household_in_a_call(registry: Registry) -> None:
    (outcome,) = await admit(registry, entry())
    assert outcome.household_id is not None
    change = HouseholdChange(
        household_id=outcome.household_id, valid_from=DAY, facts={"house_grade": HouseGrade.C}
    )

    outcomes = await revise(registry, change, change)

    assert [codes(each) for each in outcomes] == [["household_twice"]] * 2


async def test_two_imports_of_the_same_people_at_once(registry: Registry) -> None:
    numbers = [number() for _ in range(40)]
    rows = [entry(one(id_number=each), ref=each) for each in numbers]

    first, second = await asyncio.gather(admit(registry, *rows), admit(registry, *reversed(rows)))

    admitted = [each.ref for each in (*first, *second) if each.result is Result.ADMITTED]
    refused = [each for each in (*first, *second) if each.result is Result.REFUSED]
    assert sorted(admitted) == sorted(numbers)
    assert {code for each in refused for code in codes(each)} == {"person_in_other_household"}


async def test_a_chunk_takes_a_fixed_number_of_statements(registry: Registry) -> None:
    counts = []
    for size in (5, 50):
        statements: list[str] = []

        def note(*args: Any, seen: list[str] = statements) -> None:
            seen.append(args[2])

        event.listen(registry.api.engine.sync_engine, "before_cursor_execute", note)
        try:
            await admit(registry, *(entry(one(), one(Relation.SON)) for _ in range(size)))
        finally:
            event.remove(registry.api.engine.sync_engine, "before_cursor_execute", note)
        counts.append(len(statements))

    assert counts[0] == counts[1]
    assert counts[0] < 20


async def test_nothing_of_a_person_leaves_in_an_event(registry: Registry) -> None:
    one_number = number()
    secret = one(name="诸葛孔明", id_number=one_number, phone="13912345678")
    (outcome,) = await admit(
        registry, entry(secret, phone="05786543210", account="6228480099887766")
    )
    assert outcome.household_id is not None
    await revise(
        registry,
        HouseholdChange(
            household_id=outcome.household_id,
            valid_from=date(2026, 3, 1),
            facts={"house_grade": HouseGrade.C},
            members=(MemberChange(person_id=outcome.person_ids[0], name="诸葛卧龙"),),
            reason="诸葛先生来电",
        ),
    )

    rows = await registry.rows(
        "SELECT * FROM events WHERE subject = :id", id=str(outcome.household_id)
    )
    assert len(rows) == 2
    everything = b"".join(
        value if isinstance(value, bytes) else str(value).encode()
        for row in rows
        for value in row.values()
    )
    for private in ("诸葛", one_number, "13912345678", "05786543210", "6228480099887766"):
        assert private.encode() not in everything
    archived = await registry.rows(
        "SELECT facts::text AS facts FROM household_versions WHERE household_id = :id",
        id=outcome.household_id,
    )
    assert not any("诸葛" in row["facts"] or one_number in row["facts"] for row in archived)
