"""A deletion of raw answers is asked for by one officer and approved by another (section 7)."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import insert, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.retention import queries, rules
from services.registry.retention.models import AnswerDeletion
from services.registry.verification.sources import ItemState
from shared import audit, clock, divisions, identity, jobs, parameters
from shared.auth import Caller, officer_of
from shared.errors import Conflict, Fault, Forbidden, NotFound, Refused

JOB = "registry.answer_deletion"


async def ask_deletion(session: AsyncSession, caller: Caller, county: str, reason: str) -> UUID:
    """Ask that a county's raw answers that are past keeping be deleted; nothing is deleted yet.

    Raises Forbidden (``division_forbidden``) or Refused (``county_wanted``, ``reason_missing``,
    ``parameter_missing``).
    """
    officer, today = officer_of(caller), clock.today()
    if not caller.covers(county):
        raise Forbidden("division_forbidden", f"{county} is not yours to decide for")
    place = await divisions.find(session, county)
    if place is None or place.level != "county":
        fault = Fault("#/division_code", "county_wanted", "须写明县(市、区)的6位区划代码")
        raise Refused("county_wanted", "a deletion is a county's", faults=[fault])
    if not reason.strip():
        fault = Fault("#/reason", "reason_missing", "须写明删除理由")
        raise Refused("reason_missing", "a deletion says why", faults=[fault])
    row: dict[str, Any] = {
        "deletion_id": identity.new_id(),
        "division_code": county,
        "used_before": rules.used_before(today, await _years(session, county, today)),
        "reason": reason.strip(),
        "requested_by": officer,
        "requested_at": clock.now(),
        "deleted": 0,
    }
    await session.execute(insert(AnswerDeletion), [row])
    await _note(session, caller, row, "answer_deletion.requested")
    deletion_id: UUID = row["deletion_id"]
    return deletion_id


async def approve_deletion(session: AsyncSession, caller: Caller, deletion_id: UUID) -> None:
    """Let a deletion that a colleague asked for begin, as a job. Approving again changes nothing.

    Raises NotFound, or Conflict (``same_officer``, ``already_approved`` by another).
    """
    officer = officer_of(caller)
    row = await queries.one(session, deletion_id, divisions=caller.divisions, hold=True)
    if row is None:
        raise NotFound("deletion_not_found", "no such deletion in the caller's divisions")
    if row["approved_by"] == officer:
        return
    if row["approved_by"] is not None:
        raise Conflict("already_approved", "a colleague has approved this deletion")
    if row["requested_by"] == officer:
        raise Conflict("same_officer", "who asks for a deletion cannot approve it: ask a colleague")
    told = {"deletion_id": str(deletion_id)}
    job = await jobs.enqueue(session, caller, JOB, told, row["division_code"])
    signed = {"approved_by": officer, "approved_at": clock.now(), "job_id": job.job_id}
    await _change(session, deletion_id, signed)
    await _note(session, caller, row, "answer_deletion.approved")


async def delete_answers(
    session: AsyncSession, deletion: Any, household_ids: list[UUID], *, by: Caller
) -> int:
    """Delete these households' raw answers that are past keeping; gives how many went.

    Question, state, doubts and reports stay. One line of the audit a call that deleted any.
    """
    given = {
        "ids": household_ids,
        "county": deletion["division_code"],
        "before": deletion["used_before"],
        "running": [ItemState.WAITING.value, ItemState.SENT.value],
    }
    gone = len((await session.execute(_DELETE, given)).all())
    if gone:
        await _change(session, deletion["deletion_id"], {"deleted": AnswerDeletion.deleted + gone})
        await _note(session, by, deletion, "answer_deletion.carried_out", deleted=gone)
    return gone


async def end_deletion(session: AsyncSession, deletion_id: UUID) -> None:
    """Write down that a deletion has ended."""
    await _change(session, deletion_id, {"done_at": clock.now()})


async def _years(session: AsyncSession, county: str, today: date) -> int:
    value = await parameters.value_at(session, rules.ANSWER_YEARS, county, today)
    if value is None:
        key = rules.ANSWER_YEARS
        fault = Fault(key, "parameter_missing", f"缺少已批准的参数{key},不能删除")
        raise Refused("parameter_missing", "no approved time of keeping", faults=[fault])
    return int(value.value)


async def _change(session: AsyncSession, deletion_id: UUID, values: dict[str, Any]) -> None:
    await session.execute(
        update(AnswerDeletion).where(AnswerDeletion.deletion_id == deletion_id).values(**values)
    )


async def _note(session: AsyncSession, caller: Caller, row: Any, action: str, **more: int) -> None:
    await audit.record(
        session,
        caller,
        action=action,
        subject_type="answer_deletion",
        subject_id=row["deletion_id"],
        division_code=row["division_code"],
        detail={"used_before": row["used_before"].isoformat(), **more},
    )


_DELETE = text(
    "UPDATE verification_items AS item SET answer_encrypted = NULL "  # noqa: S608 (own constant)
    f"WHERE item.household_id = ANY(CAST(:ids AS uuid[])) AND {queries.PAST_KEEPING} RETURNING 1"
)
