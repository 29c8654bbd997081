"""The stages of an approval: opened, marked as paid, reversed; each state published once (R23)."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, insert, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.relief.temporary import funds, queries, rules, sealed, writing
from services.relief.temporary.models import Stage as StageRow
from services.relief.temporary.rules import Stage, fault
from shared import clock, events, identity
from shared.auth import Caller, officer_of
from shared.contracts.assistance import Assistance, AssistanceEvent, AssistanceStatus
from shared.contracts.topics import RELIEF_ASSISTANCE
from shared.errors import Conflict, NotFound

PROGRAMME = "temporary_assistance"
PETTY_FUND = "petty_fund"
COUNTY_FUND = "temporary_assistance"
"""What a stage is paid from: the township's reserve fund, or the county's money."""


async def open_stages(
    session: AsyncSession,
    application: RowMapping,
    wanted: Sequence[Stage],
    *,
    fund: str,
    officer: str,
    on: date,
) -> None:
    """Store the stages of an approval that was just made, and publish each as approved."""
    rows = [
        {
            "stage_id": identity.new_id(),
            "application_id": application["application_id"],
            "household_id": application["household_id"],
            "division_code": application["division_code"],
            "position": position,
            "form": stage.form.value,
            "amount": stage.amount,
            "fund": fund,
            "words_encrypted": sealed.seal(stage.words),
            "due_on": stage.due_on,
            "status": AssistanceStatus.APPROVED.value,
            "approved_on": on,
            "approved_by": officer,
            "version": 1,
            "recorded_at": clock.now(),
        }
        for position, stage in enumerate(wanted, start=1)
    ]
    await session.execute(insert(StageRow), rows)
    await events.publish(session, [_assisted(application, row) for row in rows])


async def confirm_paid(
    session: AsyncSession, caller: Caller, stage_id: UUID, paid_on: date
) -> UUID:
    """Mark a stage as paid, by another officer than who approved it; gives its application.

    Raises NotFound, Conflict (``stage_not_open``), Refused listing every fault.
    """
    application, stage = await _held(session, caller, stage_id)
    if stage["status"] != AssistanceStatus.APPROVED:
        raise Conflict("stage_not_open", f"this stage is {stage['status']} already")
    writing.refuse_if(
        rules.payment_faults(
            approved_by=stage["approved_by"],
            approved_on=stage["approved_on"],
            officer=officer_of(caller),
            paid_on=paid_on,
            today=clock.today(),
        )
    )
    paid = {"status": AssistanceStatus.PAID.value, "paid_on": paid_on}
    await _change(session, application, stage, paid | {"paid_by": officer_of(caller)})
    detail = {"stage": stage["position"], "amount": f"{stage['amount']:.2f}"}
    await writing.step(session, caller, application, "stage_paid", paid_on, detail=detail)
    return UUID(str(application["application_id"]))


async def reverse(session: AsyncSession, caller: Caller, stage_id: UUID, reason: str) -> UUID:
    """Take a stage back, paid or not; a reserve fund's money returns there. Gives its application.

    By another officer than who approved it. Raises NotFound, Conflict (``stage_reversed``) or
    Refused.
    """
    application, stage = await _held(session, caller, stage_id)
    if stage["status"] == AssistanceStatus.REVERSED:
        raise Conflict("stage_reversed", "this stage was reversed already")
    faults = []
    if officer_of(caller) == stage["approved_by"]:
        faults.append(fault("", "same_officer", "审批人不得撤销发放,请由其他经办人办理"))
    if not reason.strip():
        faults.append(fault("reason", "reason_missing", "须以文字写明撤销理由"))
    writing.refuse_if(faults)
    if stage["fund"] == PETTY_FUND:
        await funds.give_back(
            session,
            caller,
            application["division_code"],
            stage["amount"],
            application_id=application["application_id"],
        )
    await _change(session, application, stage, {"status": AssistanceStatus.REVERSED.value})
    detail = {"stage": stage["position"], "amount": f"{stage['amount']:.2f}"}
    await writing.step(
        session, caller, application, "stage_reversed", clock.today(), words=reason, detail=detail
    )
    return UUID(str(application["application_id"]))


async def _held(
    session: AsyncSession, caller: Caller, stage_id: UUID
) -> tuple[RowMapping, RowMapping]:
    """The stage and its application, both locked, the application first. Raises NotFound."""
    seen = await queries.stage(session, stage_id, caller.divisions)
    if seen is not None:
        of = seen["application_id"]
        application = await queries.one(session, of, caller.divisions, lock=True)
        stage = await queries.stage(session, stage_id, caller.divisions, lock=True)
        if application is not None and stage is not None:
            return application, stage
    raise NotFound("stage_unknown", f"no stage {stage_id}")


async def _change(
    session: AsyncSession, application: RowMapping, stage: RowMapping, columns: dict[str, Any]
) -> None:
    changed = {**columns, "version": stage["version"] + 1}
    theirs = StageRow.stage_id == stage["stage_id"]
    await session.execute(update(StageRow).where(theirs).values(**changed, recorded_at=clock.now()))
    await events.publish(session, [_assisted(application, {**stage, **changed})])


def _assisted(application: RowMapping, stage: Mapping[str, Any]) -> events.NewEvent:
    """One stage as the registry's aid ledger takes it: it knows every household on file, and an
    application is taken in only for one of those, with relief's copy or without.
    """
    return events.NewEvent(
        topic=RELIEF_ASSISTANCE,
        type=AssistanceEvent.ASSISTED,
        subject=stage["stage_id"],
        version=stage["version"],
        payload=Assistance(
            assistance_id=stage["stage_id"],
            household_id=stage["household_id"],
            person_ids=tuple(application["person_ids"]),
            programme=PROGRAMME,
            status=stage["status"],
            amount=stage["amount"],
            fund=stage["fund"],
            granted_on=stage["approved_on"],
        ),
    )
