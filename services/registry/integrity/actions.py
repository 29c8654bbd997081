"""Integrity records entered, confirmed, withdrawn and lifted; each step is signed (R27)."""

from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, insert, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.households import actions as households
from services.registry.households import sealed
from services.registry.households.actions import File
from services.registry.households.refusals import problem_of, refuse_if
from services.registry.households.rules import fault
from services.registry.integrity import queries, rules
from services.registry.integrity.models import IntegrityRecord
from services.registry.integrity.rules import Finding, Stage
from services.registry.verification import queries as verifications
from services.registry.verification.sources import SubjectKind
from shared import audit, clock, identity
from shared.auth import Caller, officer_of
from shared.errors import Conflict, NotFound


async def enter(
    session: AsyncSession, caller: Caller, household_id: UUID, subject_id: UUID, finding: Finding
) -> UUID:
    """Enter what was found about a member or an obligor; it does not stand yet. Gives its id.

    Raises NotFound, or Refused listing every fault.
    """
    officer, today = officer_of(caller), clock.today()
    file = await households.lock_one(session, caller, household_id)
    refuse_if(rules.finding_faults(finding, today=today))
    kind, hashed = await _subject(session, caller, file, subject_id)
    record_id = identity.new_id()
    row = {
        "record_id": record_id,
        "household_id": household_id,
        "division_code": file.facts.division_code,
        "subject_kind": kind.value,
        "subject_id": subject_id,
        "person_hash": hashed,
        "kind": finding.kind.value,
        "found_on": finding.found_on,
        "valid_until": finding.valid_until,
        "document": finding.document.strip(),
        "words_encrypted": sealed.seal_words(finding.words),
        "entered_by": officer,
        "entered_on": today,
        "lift_document": "",
        "recorded_at": clock.now(),
    }
    await session.execute(insert(IntegrityRecord), [row])
    await _note(session, caller, row, "integrity.entered")
    return record_id


async def confirm(session: AsyncSession, caller: Caller, record_id: UUID) -> None:
    """Let a record stand that a colleague entered.

    Raises NotFound, or Conflict (``record_not_open``, ``same_officer``).
    """
    officer = officer_of(caller)
    row = await _held(session, caller, record_id, {Stage.ENTERED})
    _require_another(officer, row["entered_by"])
    await _change(session, record_id, confirmed_by=officer, confirmed_on=clock.today())
    await _note(session, caller, row, "integrity.confirmed")


async def withdraw(session: AsyncSession, caller: Caller, record_id: UUID, reason: str) -> None:
    """Take a record back before it stood: it was entered in error, or not borne out.

    Raises NotFound, Conflict (``record_not_open``), or Refused (``reason_missing``).
    """
    officer = officer_of(caller)
    if not reason.strip():
        raise problem_of([fault("reason", "reason_missing", "须以文字写明理由")])
    row = await _held(session, caller, record_id, {Stage.ENTERED})
    await _change(
        session,
        record_id,
        withdrawn_by=officer,
        withdrawn_on=clock.today(),
        withdrawn_reason_encrypted=sealed.seal_words(reason),
    )
    await _note(session, caller, row, "integrity.withdrawn")


async def enter_lift(
    session: AsyncSession, caller: Caller, record_id: UUID, *, document: str, reason: str
) -> None:
    """Enter that a record is to be lifted; it stands until a colleague confirms.

    Raises NotFound, Conflict (``record_not_standing``), or Refused listing every fault.
    """
    officer = officer_of(caller)
    refuse_if(rules.lift_faults(document, reason))
    row = await _held(session, caller, record_id, {Stage.STANDING})
    await _change(
        session,
        record_id,
        lift_entered_by=officer,
        lift_entered_on=clock.today(),
        lift_document=document.strip(),
        lift_reason_encrypted=sealed.seal_words(reason),
    )
    await _note(session, caller, row, "integrity.lift_entered")


async def confirm_lift(session: AsyncSession, caller: Caller, record_id: UUID) -> None:
    """Lift a record whose lift a colleague entered: from today it stands no more.

    Raises NotFound, or Conflict (``lift_not_entered``, ``same_officer``).
    """
    officer = officer_of(caller)
    row = await _held(session, caller, record_id, {Stage.LIFTING})
    _require_another(officer, row["lift_entered_by"])
    await _change(session, record_id, lifted_by=officer, lifted_on=clock.today())
    await _note(session, caller, row, "integrity.lifted")


async def withdraw_lift(session: AsyncSession, caller: Caller, record_id: UUID) -> None:
    """Take back a lift that was entered and not confirmed: the record goes on standing.

    Raises NotFound, or Conflict (``lift_not_entered``).
    """
    officer_of(caller)
    row = await _held(session, caller, record_id, {Stage.LIFTING})
    await _change(
        session,
        record_id,
        lift_entered_by=None,
        lift_entered_on=None,
        lift_document="",
        lift_reason_encrypted=None,
    )
    await _note(session, caller, row, "integrity.lift_withdrawn")


async def _subject(
    session: AsyncSession, caller: Caller, file: File, subject_id: UUID
) -> tuple[SubjectKind, bytes | None]:
    """Whether he is a member or an obligor of the household, and his ID number's hash."""
    if file.facts.member(subject_id):
        hashes = await verifications.hashes_of(session, [subject_id])
        return SubjectKind.MEMBER, hashes[subject_id]
    known = await verifications.obligors_of(session, file.household_id, divisions=caller.divisions)
    for each in known:
        if each["obligor_id"] == subject_id:
            return SubjectKind.OBLIGOR, each["id_number_hash"]
    raise problem_of([fault("subject_id", "subject_unknown", "该人员不是本户成员或登记的义务人")])


_WRONG_STAGE = {
    Stage.ENTERED: ("record_not_open", "only a record that waits for its confirmation"),
    Stage.STANDING: ("record_not_standing", "only a record that stands, without a lift under way"),
    Stage.LIFTING: ("lift_not_entered", "only a record whose lift was entered"),
}


async def _held(
    session: AsyncSession, caller: Caller, record_id: UUID, stages: set[Stage]
) -> RowMapping:
    """The record, locked, in one of these stages; whoever signs second finds it signed."""
    row = await queries.one(session, record_id, divisions=caller.divisions, hold=True)
    if row is None:
        raise NotFound("record_not_found", "no such integrity record in the caller's divisions")
    stage = queries.signatures_of(row).stage
    if stage not in stages:
        code, needed = _WRONG_STAGE[next(iter(stages))]
        raise Conflict(code, f"{needed} takes this step; this one is {stage.value}")
    return row


def _require_another(officer: str, before: str) -> None:
    if officer == before:
        raise Conflict("same_officer", "who entered it cannot confirm it: ask a colleague")


async def _change(session: AsyncSession, record_id: UUID, **values: Any) -> None:
    await session.execute(
        update(IntegrityRecord)
        .where(IntegrityRecord.record_id == record_id)
        .values(**values, recorded_at=clock.now())
    )


async def _note(
    session: AsyncSession,
    caller: Caller,
    row: RowMapping | dict[str, Any],
    action: str,
) -> None:
    await audit.record(
        session,
        caller,
        action=action,
        subject_type="household",
        subject_id=row["household_id"],
        division_code=row["division_code"],
        detail={"record_id": str(row["record_id"]), "kind": row["kind"]},
    )
