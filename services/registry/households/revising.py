"""Changes to open files: facts, personal data, and members who join, change or leave.

Called through ``actions``. One path for a single PATCH and for a roster of hundreds.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.deaths import actions as deaths
from services.registry.deaths.actions import Death
from services.registry.deaths.rules import died_on
from services.registry.households import (
    admission,
    history,
    personal_data,
    persons,
    places,
    records,
    rules,
    sealed,
    writing,
)
from services.registry.households.admission import Identified
from services.registry.households.facts import (
    Facts,
    HouseholdChange,
    Outcome,
    Result,
)
from services.registry.households.history import Timeline
from services.registry.households.models import Household
from services.registry.households.persons import Claim
from services.registry.households.records import File, Revision, Ruling
from services.registry.households.writing import Written
from shared import audit, clock, identity
from shared.auth import Caller
from shared.contracts.registry import Sex, State
from shared.errors import Fault


@dataclass(slots=True, kw_only=True)
class _Case:
    """A change on its way: the file it is for, who joins, what is wrong so far."""

    change: HouseholdChange
    file: File | None
    claim: Claim
    faults: list[Fault] = field(default_factory=list)
    corrected: dict[UUID, identity.IdNumber] = field(default_factory=dict)
    person_rows: list[dict[str, Any]] = field(default_factory=list)
    contact: dict[str, bytes | None] = field(default_factory=dict)
    timeline: Timeline = ()
    decision: bool = False


async def revise_households(
    session: AsyncSession, caller: Caller, changes: Sequence[HouseholdChange]
) -> list[Outcome]:
    """Change households: facts, personal data, members who join, change or leave.

    One outcome a change, in order: CHANGED (a new version is published if published facts moved),
    UNCHANGED (nothing was written) or REFUSED with every fault. At most one change a household in a
    call (``household_twice``). A household outside the caller's divisions is refused as
    ``household_not_found``.
    """
    files = await records.lock(
        session, [each.household_id for each in changes], divisions=caller.divisions
    )
    cases = [_case(change, files.get(change.household_id)) for change in changes]
    _refuse_twice(cases)
    villages = await places.villages(session, _new_divisions(cases))
    for case in _sound(cases):
        _check(caller, case, villages)
    await _claim(session, caller, cases)
    await _compare_personal_data(session, caller, cases)
    sound = _sound(cases)
    await personal_data.write(session, [row for each in sound for row in each.person_rows])
    revisions = [_revision(caller, each) for each in sound]
    written = await writing.write(session, caller, revisions)
    await _ask_reviews(session, sound, written)
    await _audit(session, caller, sound, written)
    done = {id(each): one for each, one in zip(sound, written, strict=True)}
    return [_outcome(each, done.get(id(each))) for each in cases]


def _case(change: HouseholdChange, file: File | None) -> _Case:
    claim = Claim(
        wanted=(),
        division_code=change.facts.get("division_code")
        or (file.facts.division_code if file else ""),
        on=change.valid_from,
        household_id=change.household_id,
        path="join",
    )
    case = _Case(change=change, file=file, claim=claim)
    if file is None:
        case.faults.append(Fault("path/household_id", "household_not_found", "没有该家庭档案"))
    elif change.expected_revision not in (None, file.revision):
        case.faults.append(
            Fault("header/if-match", "revision_moved", "档案已被他人修改,请重新读取后再改")
        )
    elif file.facts.state is State.CLOSED:
        case.faults.append(Fault("path/household_id", "household_closed", "档案已终止,不能修改"))
    return case


def _sound(cases: Sequence[_Case]) -> list[_Case]:
    return [each for each in cases if not each.faults and not each.claim.faults]


def _refuse_twice(cases: Sequence[_Case]) -> None:
    count = Counter(each.change.household_id for each in cases)
    for each in cases:
        if count[each.change.household_id] > 1:
            each.faults.append(
                Fault("path/household_id", "household_twice", "同一批中该户出现多次")
            )


def _new_divisions(cases: Sequence[_Case]) -> list[str]:
    return [code for each in cases if (code := each.change.facts.get("division_code"))]


def _file(case: _Case) -> File:
    if case.file is None:
        raise ValueError("a case without its file is refused before this")
    return case.file


def _check(caller: Caller, case: _Case, villages: set[str]) -> None:
    """All that can be said before anybody new is registered.

    Ids of joining people are drafts: theirs for good unless they are registered already.
    """
    change, file = case.change, _file(case)
    case.faults += rules.valid_from_faults(
        change.valid_from, opened_on=file.opened_on, today=clock.today()
    )
    case.faults += admission.contact_faults(change.phone, change.account)
    moved_to = change.facts.get("division_code")
    if moved_to is not None and moved_to != file.facts.division_code:
        case.faults += places.faults(caller, moved_to, villages)
    case.claim.wanted = _joining(case)
    _check_members(case)
    if not case.faults:
        case.claim.drafts = tuple(identity.new_id() for _ in case.claim.wanted)
        _apply(caller, case, case.claim.drafts)


def _joining(case: _Case) -> list[Identified]:
    known = []
    for at, entry in enumerate(case.change.join):
        found, faults = admission.identify_member(
            entry, on=case.change.valid_from, where=f"join/{at}"
        )
        case.faults += faults
        if found:
            known.append(found)
    return known


def _check_members(case: _Case) -> None:
    for at, member in enumerate(case.change.members):
        case.faults += admission.contact_faults(member.phone, None, f"members/{at}/")
        if member.name is not None and not member.name.strip():
            case.faults.append(Fault(f"#/members/{at}/name", "name_missing", "缺少姓名"))
        if member.id_number is None:
            continue
        if member.proof is None:
            message = "登记或更正身份证号码须注明所凭证件"
            case.faults.append(Fault(f"#/members/{at}/proof", "proof_missing", message))
        try:
            case.corrected[member.person_id] = identity.parse_id_number(member.id_number)
        except identity.InvalidIdNumberError as wrong:
            case.faults.append(Fault(f"#/members/{at}/id_number", wrong.code, wrong.message_zh))


def _apply(caller: Caller, case: _Case, person_ids: Sequence[UUID]) -> None:
    """The timeline that the change makes, or its faults."""
    change, file = case.change, _file(case)
    timeline = _with_corrections(file.timeline, case.corrected)
    facts = history.facts_at(timeline, change.valid_from)
    if facts is None:
        raise ValueError("a day before the opening is refused before this")
    joining = [
        admission.member_facts(person_id, who)
        for person_id, who in zip(person_ids, case.claim.wanted, strict=True)
    ]
    new, faults = rules.revised(facts, change, joining)
    case.decision = rules.is_decision(facts, change)
    if case.decision:
        faults += rules.officer_faults(caller.officer_id)
        new = rules.reclassified(facts, new, on=change.valid_from)
    case.timeline = history.amend(timeline, change.valid_from, new)
    if not faults:
        faults += _later_faults(file.timeline, case.timeline, change.valid_from)
    case.faults += faults


def _later_faults(before: Timeline, after: Timeline, valid_from: date) -> list[Fault]:
    for entry in history.changed_entries(before, after):
        if entry.valid_from > valid_from and rules.standing_faults(entry.facts):
            message = f"与{entry.valid_from}起的记录矛盾,请先更正该记录"
            return [Fault("#/valid_from", "later_facts_conflict", message)]
    return []


def _with_corrections(timeline: Timeline, corrected: Mapping[UUID, identity.IdNumber]) -> Timeline:
    """A corrected ID number was always the right one: from the person's first day on."""
    for person_id, number in corrected.items():
        first = history.first_day_of(timeline, person_id)
        facts = history.facts_at(timeline, first) if first else None
        if first and facts:
            timeline = history.amend(timeline, first, _born(facts, person_id, number))
    return timeline


def _born(facts: Facts, person_id: UUID, number: identity.IdNumber) -> Facts:
    right = {"sex": Sex(number.sex), "birth_date": number.birth_date}
    members = tuple(
        member.model_copy(update=right) if member.person_id == person_id else member
        for member in facts.members
    )
    return facts.model_copy(update={"members": members})


async def _claim(session: AsyncSession, caller: Caller, cases: Sequence[_Case]) -> None:
    joined = [each for each in _sound(cases) if each.claim.wanted]
    if not joined:
        return
    await persons.claim(session, caller, [each.claim for each in joined])
    for each in joined:
        if not each.claim.faults and each.claim.person_ids != each.claim.drafts:
            _apply(caller, each, each.claim.person_ids)


async def _compare_personal_data(
    session: AsyncSession, caller: Caller, cases: Sequence[_Case]
) -> None:
    """Keep of the personal data what differs from what is stored; refuse a number that is taken."""
    sound = _sound(cases)
    asked = [
        (case, member)
        for case in sound
        for member in case.change.members
        if (member.name, member.phone, member.id_number) != (None, None, None)
    ]
    person_ids = [member.person_id for _, member in asked]
    stored = await personal_data.stored(session, caller, person_ids)
    taken = await personal_data.taken(session, [case.corrected for case in sound])
    for case, member in asked:
        if member.person_id not in stored:
            case.faults.append(Fault("#/members", "member_out_of_reach", "该人员不在您的管辖区域"))
            continue
        number = case.corrected.get(member.person_id)
        row = personal_data.differing(stored[member.person_id], member, number)
        if row.get("id_number_hash") in taken:
            case.faults.append(Fault("#/members", "id_number_taken", "该身份证号码已登记为另一人"))
        if row:
            case.person_rows.append({"of_person": member.person_id, **row})
    await _compare_contacts(session, [each for each in sound if not each.faults])


async def _compare_contacts(session: AsyncSession, cases: Sequence[_Case]) -> None:
    asked = {
        each.change.household_id: each
        for each in cases
        if (each.change.phone, each.change.account) != (None, None)
    }
    if not asked:
        return
    rows = await session.execute(
        select(
            Household.household_id, Household.phone_encrypted, Household.account_encrypted
        ).where(Household.household_id.in_(list(asked)))
    )
    for row in rows:
        case = asked[row.household_id]
        phone, account = case.change.phone, case.change.account
        if phone is not None and sealed.same_phone(row.phone_encrypted, phone):
            phone = None
        if account is not None and sealed.same_account(row.account_encrypted, account):
            account = None
        case.contact = sealed.contact_columns(phone, account)


def _revision(caller: Caller, case: _Case) -> Revision:
    change, file = case.change, _file(case)
    entries = history.changed_entries(file.timeline, case.timeline)
    earliest = min((entry.valid_from for entry in entries), default=change.valid_from)
    ruling = Ruling(
        kind="reclassify",
        decided_on=change.valid_from,
        officer_id=caller.officer_id or "",
        reason=change.reason,
    )
    return Revision(
        file=file,
        timeline=case.timeline,
        effective_from=min(earliest, change.valid_from),
        day=change.valid_from,
        personal=bool(case.person_rows),
        contact=case.contact,
        ruling=ruling if case.decision else None,
        left={left.person_id: left.reason for left in change.leave},
    )


def _outcome(case: _Case, written: Written | None) -> Outcome:
    change = case.change
    if written is None:
        return Outcome(
            ref=change.ref,
            result=Result.REFUSED,
            household_id=case.file.household_id if case.file else None,
            faults=(*case.faults, *case.claim.faults),
            elsewhere=tuple(case.claim.elsewhere),
        )
    return Outcome(
        ref=change.ref,
        result=Result.CHANGED if written.changed else Result.UNCHANGED,
        household_id=change.household_id,
        version=written.version,
        revision=written.revision,
        person_ids=case.claim.person_ids,
    )


async def _ask_reviews(
    session: AsyncSession, cases: Sequence[_Case], written: Sequence[Written]
) -> None:
    await deaths.ask_reviews(
        session,
        [
            Death(
                household_id=case.change.household_id,
                division_code=each.facts.division_code,
                died_on=day,
            )
            for case, each in zip(cases, written, strict=True)
            if each.changed and (day := died_on(each.facts.state, case.change))
        ],
    )


async def _note_numbers(session: AsyncSession, caller: Caller, cases: Sequence[_Case]) -> None:
    """Every number that was entered or corrected, with the paper it rests on."""
    for case in cases:
        proofs = {member.person_id: member.proof for member in case.change.members}
        for row in case.person_rows:
            if "id_number_hash" in row:
                await audit.record(
                    session,
                    caller,
                    action="person.id_number_corrected",
                    subject_type="person",
                    subject_id=row["of_person"],
                    division_code=_file(case).facts.division_code,
                    detail={"proof": proofs[row["of_person"]]},
                )


async def _audit(
    session: AsyncSession, caller: Caller, cases: Sequence[_Case], written: Sequence[Written]
) -> None:
    """One line for every household that changed, in the village where it stands now."""
    changed = [each for each in written if each.changed]
    await _note_numbers(session, caller, cases)
    await audit.record(
        session,
        caller,
        action="household.revised",
        subject_type="household",
        subject_id=[each.revised.file.household_id for each in changed],
        division_code=[each.facts.division_code for each in changed],
    )
