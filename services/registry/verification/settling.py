"""Settling a doubt on the township's board: confirmed, explained with a proof, or corrected."""

from uuid import UUID

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.households import actions as households
from services.registry.households.refusals import refuse_if
from services.registry.households.rules import fault
from services.registry.tasks import actions as tasks
from services.registry.verification import queries
from services.registry.verification.models import Doubt
from services.registry.verification.recording import TASKS
from services.registry.verification.sources import Outcome, Severity
from shared import audit, clock
from shared.auth import Caller, officer_of
from shared.errors import Conflict, Fault, NotFound


async def settle(
    session: AsyncSession,
    caller: Caller,
    doubt_id: UUID,
    *,
    outcome: Outcome,
    words: str,
    proof: str,
) -> None:
    """Settle a doubt by an officer's words.

    Raises NotFound, Conflict (``doubt_settled``), or Refused (``words_missing``,
    ``proof_missing``, ``file_not_corrected``).
    """
    officer, where = officer_of(caller), caller.divisions
    seen = await queries.doubt(session, doubt_id, divisions=where)
    if seen is None:
        raise NotFound("doubt_not_found", "no such doubt in the caller's divisions")
    files = await households.lock(session, [seen["household_id"]], divisions=where)
    row = await queries.doubt(session, doubt_id, divisions=where)
    if row is None or row["household_id"] not in files:
        raise NotFound("doubt_not_found", "no such doubt in the caller's divisions")
    if row["outcome"] is not None:
        raise Conflict("doubt_settled", f"this doubt has been settled: {row['outcome']}")
    corrected = files[row["household_id"]].revision > row["revision"]
    refuse_if(_faults(outcome, words, proof, corrected=corrected))
    settled = {"outcome": outcome.value, "words": words.strip(), "proof": proof.strip()}
    await session.execute(
        update(Doubt)
        .where(Doubt.doubt_id == doubt_id)
        .values(**settled, closed_on=clock.today(), closed_by=officer, recorded_at=clock.now())
    )
    await tasks.close_task(session, kind=TASKS[Severity(row["severity"])], subject_id=doubt_id)
    await audit.record(
        session,
        caller,
        action="verification.doubt_settled",
        subject_type="household",
        subject_id=row["household_id"],
        division_code=row["division_code"],
        detail={"doubt_id": str(doubt_id), "kind": row["kind"], "outcome": outcome.value},
    )


def _faults(outcome: Outcome, words: str, proof: str, *, corrected: bool) -> list[Fault]:
    faults = []
    if not words.strip():
        faults.append(fault("words", "words_missing", "须以文字说明处理情况"))
    if outcome is Outcome.EXPLAINED and not proof.strip():
        faults.append(fault("proof", "proof_missing", "作出解释须注明证明材料"))
    if outcome is Outcome.CORRECTED and not corrected:
        faults.append(fault("outcome", "file_not_corrected", "核对发起后档案未作更正,请先更正档案"))
    return faults
