"""Which household a row is: by its people; and what is handed to the registry for it."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from services.registry.households.facts import Facts
from services.registry.rosters import matching
from services.registry.rosters.facts import RosterHousehold, RosterMember
from services.registry.rosters.matching import Address, Admit, Refuse, Revise, Standing
from shared.contracts.registry import (
    Assets,
    Category,
    Incomes,
    Member,
    Relation,
    RigidExpenses,
    Sex,
    State,
)
from shared.identity import new_id
from tests.support.builders import id_number

TODAY = date(2026, 11, 20)
BORN = date(1980, 5, 17)
ADDRESS = Address({"id_number": "J", "name": "H", "head_name": "D", "village": "C"})
HEAD, WIFE, SON = (id_number(order=order) for order in (1, 2, 3))


def member(number: str, relation: Relation, row: int) -> RosterMember:
    return RosterMember(
        row=row,
        name="某人",
        id_number=number,
        relation=relation,
        sex=Sex.MALE,
        birth_date=BORN,
        health=None,
        disability=None,
        labor_ability=None,
        education=None,
        school_stage=None,
        work=None,
        insured=True,
    )


HOUSEHOLD = RosterHousehold(
    division_code="331124203201",
    category=Category.DIBAO,
    causes=(),
    incomes=Incomes(),
    rigid_expenses=RigidExpenses(),
    assets=Assets(),
    house_grade=None,
    phone=None,
    account=None,
    members=(
        member(HEAD, Relation.HEAD, 5),
        member(WIFE, Relation.SPOUSE, 6),
        member(SON, Relation.SON, 7),
    ),
)


def facts_of(*person_ids: UUID, state: State = State.IDENTIFIED) -> Facts:
    members = tuple(
        Member(person_id=each, relation=Relation.OTHER, sex=Sex.MALE, birth_date=BORN)
        for each in person_ids
    )
    return Facts(
        state=state,
        division_code="331124203201",
        head_person_id=person_ids[0],
        members=members,
    )


def matched(standing: Mapping[str, Standing], current: Mapping[UUID, Facts]) -> Any:
    return matching.match(HOUSEHOLD, standing, current, ref="0", address=ADDRESS, on=TODAY)


def test_nobody_known_opens_a_household_with_its_evidence_missing() -> None:
    step = matched({}, {})
    assert isinstance(step, Admit)
    assert [entry.id_number for entry in step.entry.members] == [HEAD, WIFE, SON]
    assert step.entry.missing_evidence == matching.EVIDENCE_OF_AN_APPLICATION


def test_somebody_known_who_stands_nowhere_now_opens_a_household_too() -> None:
    assert isinstance(matched({HEAD: Standing(new_id(), None)}, {}), Admit)


def test_those_known_in_one_household_revise_it_and_the_others_join() -> None:
    file, head, wife = new_id(), new_id(), new_id()
    standing = {HEAD: Standing(head, file), WIFE: Standing(wife, file)}
    step = matched(standing, {file: facts_of(wife, head)})
    assert isinstance(step, Revise)
    assert step.change.household_id == file
    assert [one.person_id for one in step.change.members] == [head, wife]
    assert [one.id_number for one in step.change.join] == [SON]
    assert step.change.head_person_id == head
    assert step.change.leave == ()
    assert step.notes == ()


def test_who_is_missing_from_the_row_stays_and_is_told_of() -> None:
    file, head, gone = new_id(), new_id(), new_id()
    step = matched({HEAD: Standing(head, file)}, {file: facts_of(head, gone)})
    assert isinstance(step, Revise)
    assert step.change.leave == ()
    assert [(note.cell, note.code) for note in step.notes] == [("H5", "members_absent")]


def test_people_of_two_households_are_refused() -> None:
    one, two, head, wife = new_id(), new_id(), new_id(), new_id()
    standing = {HEAD: Standing(head, one), WIFE: Standing(wife, two)}
    step = matched(standing, {one: facts_of(head), two: facts_of(wife)})
    assert isinstance(step, Refuse)
    assert [(found.cell, found.code) for found in step.findings] == [
        ("J5", "people_of_two_households"),
        ("J6", "people_of_two_households"),
    ]


@pytest.mark.parametrize(
    "state", [state for state in State if not state.on_assistance], ids=lambda state: state.value
)
def test_a_roster_brings_no_file_back(state: State) -> None:
    file, head = new_id(), new_id()
    step = matched({HEAD: Standing(head, file)}, {file: facts_of(head, state=state)})
    assert isinstance(step, Refuse)
    assert step.findings[0].code == "file_not_on_assistance"
    assert step.household_id == file


def test_a_file_that_the_caller_cannot_see_is_refused() -> None:
    step = matched({HEAD: Standing(new_id(), new_id())}, {})
    assert isinstance(step, Refuse)
    assert step.findings[0].code == "file_out_of_reach"


def test_a_fault_of_the_registry_leads_to_its_cell() -> None:
    file, wife = new_id(), new_id()
    admit = matched({}, {})
    revise = matched({WIFE: Standing(wife, file)}, {file: facts_of(wife)})
    cell_of = matching.cell_of
    assert cell_of("#/members/2/id_number", HOUSEHOLD, admit, ADDRESS) == "J7"
    assert cell_of("#/members/0", HOUSEHOLD, revise, ADDRESS) == "J6"
    assert cell_of("#/join/1", HOUSEHOLD, revise, ADDRESS) == "J7"
    assert cell_of("#/division_code", HOUSEHOLD, revise, ADDRESS) == "C5"
    assert cell_of("#/", HOUSEHOLD, revise, ADDRESS) == "D5"


def test_an_old_sheet_brings_nobody_back_to_life() -> None:
    file, head = new_id(), new_id()
    standing = {HEAD: Standing(head, file), WIFE: Standing(new_id(), None, died=True)}
    step = matched(standing, {file: facts_of(head)})
    assert isinstance(step, matching.Refuse)
    assert [(one.cell, one.code) for one in step.findings] == [("J6", "person_died")]
