"""Which household of the registry a row of the sheet is: by the persons it holds, never by 序号.

Nobody in the registry yet: the household is opened. All known people in one household: it is
revised. In two: refused, for a roster neither merges nor splits. Who is missing from the row stays.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from services.registry.households.facts import (
    Facts,
    HouseholdChange,
    HouseholdEntry,
    MemberChange,
    MemberEntry,
)
from services.registry.rosters.columns import Severity
from services.registry.rosters.facts import Finding, RosterHousehold, RosterMember

EVIDENCE_OF_AN_APPLICATION: Final = (
    "application",
    "commitment",
    "authorization",
    "id_and_hukou_copies",
    "income_and_asset_declaration",
    "verification_report",
    "household_survey",
    "public_notice",
    "preliminary_opinion",
)
"""Papers every case keeps (policy R29) and no roster brings: an opening load lacks them all."""


_MEMBER_PLACE = re.compile(r"#/(?P<list>members|join)/(?P<at>\d+)")


@dataclass(frozen=True, slots=True)
class Admit:
    """Nobody of this household is in an open file: open one."""

    entry: HouseholdEntry


@dataclass(frozen=True, slots=True)
class Revise:
    """The household is on file: hand in all that the sheet says of it."""

    change: HouseholdChange
    notes: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Refuse:
    """The sheet and the registry contradict each other; an officer must look."""

    findings: tuple[Finding, ...]
    household_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one person of the sheet stands in the registry now; nowhere any more, if he died."""

    person_id: UUID
    household_id: UUID | None
    died: bool = False


def households_of(
    household: RosterHousehold, standing: Mapping[str, Standing]
) -> dict[UUID, list[RosterMember]]:
    """The open households of the registry that people of this row stand in."""
    found: dict[UUID, list[RosterMember]] = {}
    for member in household.members:
        place = standing.get(member.id_number)
        if place and place.household_id:
            found.setdefault(place.household_id, []).append(member)
    return found


def match(
    household: RosterHousehold,
    standing: Mapping[str, Standing],
    current: Mapping[UUID, Facts],
    *,
    ref: str,
    address: "Address",
    on: date,
) -> Admit | Revise | Refuse:
    """What to do with one acceptable household of the sheet.

    ``standing`` is by ID number; ``current`` the facts of the households they stand in.
    Example: four rows, three of them in file A and one new: A is revised and the fourth joins it.
    A row with somebody who died, as an old sheet has it, is refused.
    """
    if dead := _dead(household, standing, address):
        return Refuse(dead)
    found = households_of(household, standing)
    if not found:
        return Admit(entry_of(household, ref))
    if len(found) > 1:
        return Refuse(_in_two_files(found, address))
    (household_id,) = found
    facts = current.get(household_id)
    if facts is None:
        return Refuse((_at_head(household, address, "file_out_of_reach", _OUT_OF_REACH),))
    if not facts.state.on_assistance:
        message = _NOT_ON_ASSISTANCE.format(state=_STATES.get(facts.state, facts.state))
        finding = _at_head(household, address, "file_not_on_assistance", message)
        return Refuse((finding,), household_id)
    change = change_of(household, standing, facts, household_id, ref=ref, on=on)
    return Revise(change, _absent_members(household, standing, facts, address))


@dataclass(frozen=True, slots=True)
class Address:
    """Column letters by key, to name cells when the sheet itself is closed again."""

    letters: Mapping[str, str]

    def cell(self, key: str, row: int) -> str:
        """The cell as Excel names it."""
        return f"{self.letters.get(key, '')}{row}"


def entry_of(household: RosterHousehold, ref: str) -> HouseholdEntry:
    """The household to be opened, with every paper of an application missing."""
    return HouseholdEntry(
        ref=ref,
        division_code=household.division_code,
        category=household.category,
        causes=household.causes,
        house_grade=household.house_grade,
        incomes=household.incomes,
        rigid_expenses=household.rigid_expenses,
        assets=household.assets,
        members=tuple(map(_member_entry, household.members)),
        phone=household.phone,
        account=household.account,
        missing_evidence=EVIDENCE_OF_AN_APPLICATION,
    )


def change_of(
    household: RosterHousehold,
    standing: Mapping[str, Standing],
    facts: Facts,
    household_id: UUID,
    *,
    ref: str,
    on: date,
) -> HouseholdChange:
    """Everything the sheet says, as a change from the day ``on``: what is equal will cost nothing.

    A household whose kept facts the template has no column for (tags, willingness to work) keeps
    them; an empty phone or account leaves the known one.
    """
    members = {
        standing[member.id_number].person_id: member
        for member in household.members
        if member.id_number in standing
        and facts.member(standing[member.id_number].person_id) is not None
    }
    known = {member.id_number for member in members.values()}
    head = next((who for who, member in members.items() if member is household.head), None)
    return HouseholdChange(
        ref=ref,
        household_id=household_id,
        valid_from=on,
        facts={
            "category": household.category,
            "causes": household.causes,
            "house_grade": household.house_grade,
            "incomes": household.incomes,
            "rigid_expenses": household.rigid_expenses,
            "assets": household.assets,
            "division_code": household.division_code,
        },
        members=tuple(
            MemberChange(person_id=who, name=member.name, facts=_member_facts(member))
            for who, member in members.items()
        ),
        join=tuple(
            _member_entry(member) for member in household.members if member.id_number not in known
        ),
        head_person_id=head,
        phone=household.phone,
        account=household.account,
        reason="花名册导入",
    )


def cell_of(
    where: str, household: RosterHousehold, step: "Admit | Revise | Refuse | None", address: Address
) -> str:
    """The cell that a fault of the registry (``#/members/2/id_number``) is about.

    An opened household's members stand in the order of the sheet; of a revised one those who join
    do, and those who were known before.
    """
    place = _MEMBER_PLACE.match(where)
    members = list(household.members)
    if place and isinstance(step, Revise):
        joining = {entry.id_number for entry in step.change.join}
        wants = place["list"] == "join"
        members = [member for member in members if (member.id_number in joining) is wants]
    if place and int(place["at"]) < len(members):
        return address.cell("id_number", members[int(place["at"])].row)
    key = "village" if "division" in where else "head_name"
    return address.cell(key, household.members[0].row)


def _member_entry(member: RosterMember) -> MemberEntry:
    return MemberEntry(name=member.name, id_number=member.id_number, **_member_facts(member))


def _member_facts(member: RosterMember) -> dict[str, Any]:
    return {
        "relation": member.relation,
        "health": member.health,
        "disability": member.disability,
        "labor_ability": member.labor_ability,
        "education": member.education,
        "school_stage": member.school_stage,
        "work": member.work,
        "insured": member.insured,
    }


_OUT_OF_REACH = "登记册中的档案不在您的管辖区域内"
_NOT_ON_ASSISTANCE = "登记册中该户的状态为“{state}”，花名册不能改变，请按程序办理"
_STATES = {
    "accepted": "受理中",
    "lifted": "已脱贫",
    "exited": "已退出",
    "closed": "已终止",
}


def _in_two_files(
    found: Mapping[UUID, list[RosterMember]], address: Address
) -> tuple[Finding, ...]:
    """Every known person is named by the cell: which ones are wrong here only people can tell."""
    members = [member for members in found.values() for member in members]
    return tuple(
        Finding(
            cell=address.cell("id_number", member.row),
            code="people_of_two_households",
            message=f"公民身份号码：本户人员在登记册中分属 {len(found)} 户，请先核实",
            severity=Severity.REJECT,
        )
        for member in members
    )


def _dead(
    household: RosterHousehold, standing: Mapping[str, Standing], address: Address
) -> tuple[Finding, ...]:
    """An old sheet brings nobody back to life: whoever is dead in the registry refuses the row."""
    return tuple(
        Finding(
            cell=address.cell("id_number", member.row),
            code="person_died",
            message="公民身份号码：登记册中此人已亡故，请先核实",
            severity=Severity.REJECT,
        )
        for member in household.members
        if member.id_number in standing and standing[member.id_number].died
    )


def _at_head(household: RosterHousehold, address: Address, code: str, message: str) -> Finding:
    cell = address.cell("id_number", household.head.row)
    return Finding(cell=cell, code=code, message=message, severity=Severity.REJECT)


def held_back(household: RosterHousehold | None, names: Sequence[str], address: Address) -> Finding:
    """What another bureau keeps the record of was left as it is; a task waits for that bureau."""
    row = household.members[0].row if household else 0
    return Finding(
        cell=address.cell("head_name", row),
        code="source_conflict",
        message=f"该户类别由其他部门主管，{len(names)} 项内容未作改动，已转主管部门处理",
        severity=Severity.NOTE,
    )


def _absent_members(
    household: RosterHousehold,
    standing: Mapping[str, Standing],
    facts: Facts,
    address: Address,
) -> tuple[Finding, ...]:
    listed = {
        standing[member.id_number].person_id
        for member in household.members
        if member.id_number in standing
    }
    absent = [member for member in facts.members if member.person_id not in listed]
    if not absent:
        return ()
    return (
        Finding(
            cell=address.cell("name", household.members[0].row),
            code="members_absent",
            message=f"登记册中本户另有 {len(absent)} 名成员表中未列，未作改动",
            severity=Severity.NOTE,
        ),
    )
