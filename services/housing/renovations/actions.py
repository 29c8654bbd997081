"""Renovations: applied for, moved from stage to stage, accepted and subsidised, paid (C31, C32).

The only writers of both tables. Whoever writes holds the household's dwelling first, then the
renovation: of two officers at it one wins and the other is told so.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, insert, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.housing.renovations import queries
from services.housing.renovations.granting import announce, reckon_subsidy, values_on
from services.housing.renovations.models import Renovation
from services.housing.renovations.rules import (
    SUBSIDISED,
    Method,
    Stage,
    StageFacts,
    again_from,
    category_on,
    date_faults,
    method_faults,
    stage_faults,
    worsened_faults,
)
from services.housing.renovations.subsidies import REPEAT_YEARS
from services.housing.renovations.writing import (
    advance,
    check_order,
    hold,
    refuse,
    sign,
    stored,
)
from services.housing.surveys import actions as surveys
from services.housing.surveys import queries as house_files
from services.housing.surveys.reports import read_grade
from services.housing.surveys.rules import FileState
from shared import clock, household_copy, identity
from shared.auth import Caller, officer_of
from shared.contracts.assistance import AssistanceStatus
from shared.contracts.registry import HouseGrade, HouseholdState
from shared.errors import Conflict, Fault, NotFound, PreconditionFailed, Refused

_MOVED = """
    FROM unnest(CAST(:household_ids AS uuid[]), CAST(:division_codes AS text[]))
        AS moved(household_id, division_code)
"""
_FOLLOW_RENOVATIONS = text(f"""
    UPDATE renovations AS stored SET division_code = moved.division_code {_MOVED}
    WHERE stored.household_id = moved.household_id
        AND stored.division_code <> moved.division_code
""")  # noqa: S608 - only the constant above is put in
_FOLLOW_STAGES = text(f"""
    UPDATE renovation_stages AS stored SET division_code = moved.division_code {_MOVED}
    JOIN renovations ON renovations.household_id = moved.household_id
    WHERE stored.renovation_id = renovations.renovation_id
        AND stored.division_code <> moved.division_code
""")  # noqa: S608 - only the constant above is put in


async def apply_for(
    session: AsyncSession,
    caller: Caller,
    file_id: UUID,
    *,
    method: Method,
    applied_on: date,
    disaster: bool,
) -> RowMapping:
    """Open a renovation of a house on file (C31).

    Raises NotFound, Conflict (``house_file_closed``, ``renovation_exists``), and Refused listing
    every fault: a method that is not for the grade, a household not on assistance that day, too
    soon after the last renovation.
    """
    file = await _hold_file(session, caller, file_id)
    household_id = file["household_id"]
    running = await queries.running_of(session, household_id)
    if running is not None:
        raise Conflict("renovation_exists", f"该家庭已有一项改造正在办理（{running}）")
    (household,) = await household_copy.load(session, [household_id])
    category = category_on(household.periods, applied_on)
    faults = date_faults(applied_on, today=clock.today(), previous=None, where="#/applied_on")
    faults += method_faults(method, HouseGrade(file["grade"]), where="#/method")
    if category is None:
        message = f"{applied_on}该家庭不是在册帮扶对象，不能申请危房改造补助"
        faults.append(Fault("#/applied_on", "not_on_assistance", message))
    faults += [] if disaster else await _repeat_faults(session, household, applied_on)
    refuse(faults)
    renovation = {
        "renovation_id": identity.new_id(),
        "file_id": file_id,
        "household_id": household_id,
        "division_code": file["division_code"],
        "method": method,
        "disaster": disaster,
        "category": category,
        "stage": Stage.APPLIED,
        "applied_on": applied_on,
        "revision": 1,
        "version": 0,
    }
    await session.execute(insert(Renovation), [renovation])
    await sign(session, caller, renovation, StageFacts(stage=Stage.APPLIED, done_on=applied_on))
    return await stored(session, caller, renovation["renovation_id"])


async def record_stage(
    session: AsyncSession, caller: Caller, renovation_id: UUID, given: StageFacts, revision: int
) -> RowMapping:
    """Record that a stage is done; the acceptance also reckons and grants the subsidy (C31, R32).

    Raises NotFound, PreconditionFailed for a revision that others have passed, Conflict
    (``stage_not_due``, ``household_closed``), Forbidden where an acceptance names no officer,
    Refused listing every fault or naming a missing parameter.
    """
    renovation, dwelling = await hold(session, caller, renovation_id)
    if renovation["revision"] != revision:
        raise PreconditionFailed(
            "revision_moved",
            f"该改造已被他人更新（当前为{renovation['revision']}），请重新读取后再办理",
        )
    check_order(renovation, given.stage)
    if given.stage is Stage.PAID:
        raise Refused("paid_elsewhere", "拨付补助请使用 POST /v1/renovations/{id}/pay")
    if not dwelling["on_file"]:
        raise Conflict("household_closed", "该家庭档案已注销，改造不能继续，可以取消")
    method = Method(renovation["method"])
    previous = await queries.last_stage_on(session, renovation_id)
    faults = date_faults(given.done_on, today=clock.today(), previous=previous, where="#/done_on")
    faults += stage_faults(given, method)
    faults += worsened_faults(method, read_grade(dwelling["grade"]))
    refuse(faults)
    if given.stage is Stage.ACCEPTED:
        return await _accept(session, caller, renovation, given)
    return await advance(session, caller, renovation, given, **_facts(given))


async def pay(
    session: AsyncSession, caller: Caller, renovation_id: UUID, *, paid_on: date
) -> RowMapping:
    """Record that the subsidy was paid, by an officer other than the one who accepted (C32).

    Raises NotFound, Forbidden without an officer, Conflict (``stage_not_due``, ``same_officer``),
    Refused for a day before the acceptance or in the future.
    """
    signer = officer_of(caller)
    renovation, _ = await hold(session, caller, renovation_id)
    check_order(renovation, Stage.PAID)
    if renovation["accepted_by"] == signer:
        raise Conflict("same_officer", "验收经办人不能同时办理拨付，请由其他人员办理")
    refuse(
        date_faults(
            paid_on, today=clock.today(), previous=renovation["accepted_on"], where="#/paid_on"
        )
    )
    given = StageFacts(stage=Stage.PAID, done_on=paid_on)
    paid = {"paid_on": paid_on, "paid_by": signer, "version": renovation["version"] + 1}
    written = await advance(session, caller, renovation, given, **paid)
    await announce(session, written, AssistanceStatus.PAID)
    return written


async def cancel(
    session: AsyncSession, caller: Caller, renovation_id: UUID, *, reason: str
) -> RowMapping:
    """End a renovation before its acceptance; its file stays open for another.

    Raises NotFound, Conflict (``renovation_settled``) once it is accepted, paid or cancelled.
    """
    renovation, _ = await hold(session, caller, renovation_id)
    stage = Stage(renovation["stage"])
    if stage in SUBSIDISED or stage is Stage.CANCELLED:
        raise Conflict("renovation_settled", f"该改造已办结（{stage}），不能取消")
    given = StageFacts(stage=Stage.CANCELLED, done_on=clock.today(), note=reason)
    return await advance(session, caller, renovation, given, cancel_reason=reason)


async def follow_households(session: AsyncSession, states: Sequence[HouseholdState]) -> None:
    """Let the renovations of households that moved follow them."""
    if not states:
        return
    places = {
        "household_ids": [state.household_id for state in states],
        "division_codes": [state.division_code for state in states],
    }
    await session.execute(_FOLLOW_STAGES, places)
    await session.execute(_FOLLOW_RENOVATIONS, places)


async def _hold_file(session: AsyncSession, caller: Caller, file_id: UUID) -> RowMapping:
    """The open file, its household's dwelling locked."""
    unknown = NotFound("house_file_unknown", f"no dangerous-house file {file_id}")
    seen = await house_files.file_by_id(session, file_id, caller.divisions)
    if seen is None:
        raise unknown
    await surveys.hold_dwelling(session, caller, seen["household_id"])
    file = await house_files.file_by_id(session, file_id, caller.divisions)
    if file is None:
        raise unknown
    if file["state"] != FileState.OPEN:
        raise Conflict("house_file_closed", f"该危房档案已于{file['closed_on']}关闭，不能申请改造")
    return file


async def _repeat_faults(
    session: AsyncSession, household: HouseholdState, applied_on: date
) -> list[Fault]:
    last = await queries.last_accepted_on(session, household.household_id)
    if last is None:
        return []
    (years,) = await values_on(session, (REPEAT_YEARS,), household.division_code, applied_on)
    earliest = again_from(last, years.value)
    if applied_on >= earliest:
        return []
    message = f"该家庭上一次改造于{last}验收，因灾除外，{earliest}起方可再次申请"
    return [Fault("#/applied_on", "renovated_before", message)]


async def _accept(
    session: AsyncSession, caller: Caller, renovation: RowMapping, given: StageFacts
) -> RowMapping:
    signer = officer_of(caller)
    amount, reckoning = await reckon_subsidy(session, renovation, given.done_on)
    granted = {
        "accepted_on": given.done_on,
        "accepted_by": signer,
        "amount": amount,
        "reckoning": reckoning,
        "version": renovation["version"] + 1,
    }
    written = await advance(session, caller, renovation, given, **granted)
    await announce(session, written, AssistanceStatus.APPROVED)
    await surveys.close_renovated(
        session,
        caller,
        renovation["household_id"],
        file_id=renovation["file_id"],
        on=given.done_on,
    )
    return written


def _facts(given: StageFacts) -> dict[str, Any]:
    names = ("appraised_grade", "plan_year", "contractor", "actual_cost")
    return {name: getattr(given, name) for name in names if getattr(given, name) is not None}
