"""Storing signs of hardship, opening the return checks they ask for, and ending these (C7, C24).

Nothing is published here (no echoes): a return to poverty is a decision of the life cycle.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import insert, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.households import actions as households
from services.registry.households.refusals import refuse_if
from services.registry.ledger.actions import hold_households
from services.registry.returns import models, queries, rules
from services.registry.returns.rules import CheckOutcome, Dismissal, Sign
from services.registry.tasks import actions as tasks
from services.registry.tasks.models import TaskKind
from services.registry.tasks.queries import deadlines
from shared import audit, clock, identity
from shared.auth import Caller
from shared.contracts.assistance import Hardship
from shared.contracts.registry import SOURCE, State
from shared.db import among
from shared.errors import Conflict, NotFound
from shared.workdays import Deadline


async def record_hardships(session: AsyncSession, reported: Sequence[tuple[str, Hardship]]) -> None:
    """Store signs (source, hardship), each once, and open what they ask for.

    Raises UnknownHouseholdError naming the ids.
    """
    await hold_households(session, [sign.household_id for _, sign in reported])
    rows = [
        {"source": source, "note": "", "reported_by": None, **sign.model_dump()}
        for source, sign in reported
    ]
    await _store(session, rows)


async def report(
    session: AsyncSession, caller: Caller, household_id: UUID, sign: Sign
) -> tuple[UUID, UUID | None]:
    """Store a sign that a township saw; gives its id, and that of the return check it opened.

    Raises NotFound, or Refused listing every fault.
    """
    file = await households.lock_one(session, caller, household_id)
    facts = file.facts
    refuse_if(rules.sign_faults(facts, sign, today=clock.today()))
    hardship_id = identity.new_id()
    row = {
        "source": SOURCE,
        "hardship_id": hardship_id,
        "household_id": household_id,
        "kind": sign.kind.value,
        "detected_on": sign.detected_on,
        "amount": sign.amount,
        "note": sign.note.strip(),
        "reported_by": caller.officer_id or caller.sub,
    }
    opened = await _store(session, [row])
    await audit.record(
        session,
        caller,
        action="household.hardship_reported",
        subject_type="household",
        subject_id=household_id,
        division_code=facts.division_code,
        detail={"hardship_id": str(hardship_id), "kind": sign.kind.value},
    )
    return hardship_id, opened[0] if opened else None


async def dismiss(session: AsyncSession, caller: Caller, dismissal: Dismissal) -> None:
    """End a return check after a visit that found no return.

    Raises NotFound, Conflict (``return_check_closed``), or Refused listing every fault.
    """
    check_id, where = dismissal.return_check_id, caller.divisions
    seen = await queries.one(session, check_id, divisions=where)
    if seen is not None:
        await households.lock(session, [seen["household_id"]], divisions=where)
    check = await queries.one(session, check_id, divisions=where)
    if check is None:
        raise NotFound("return_check_not_found", "no such return check in the caller's divisions")
    if check["outcome"] is not None:
        raise Conflict("return_check_closed", f"this return check has ended: {check['outcome']}")
    faults = rules.dismissal_faults(
        dismissal,
        detected_on=check["detected_on"],
        officer_id=caller.officer_id,
        today=clock.today(),
    )
    refuse_if(faults)
    await _end(
        session,
        caller,
        [check_id],
        CheckOutcome.DISMISSED,
        closed_on=clock.today(),
        visited_on=dismissal.visited_on,
        reason=dismissal.reason.strip(),
    )
    await audit.record(
        session,
        caller,
        action="return_check.dismissed",
        subject_type="household",
        subject_id=check["household_id"],
        division_code=check["division_code"],
        detail={"return_check_id": str(check_id)},
    )


async def end_with(
    session: AsyncSession, caller: Caller, household_id: UUID, state: State, decided_on: date
) -> None:
    """End the household's open return checks if its new ``state`` answers them.

    The caller holds the household's row lock. Example: the household has returned.
    """
    if state not in rules.ENDED_BY:
        return
    open_now = await queries.open_checks(session, household_id, divisions=caller.divisions)
    await _end(session, caller, open_now, rules.ENDED_BY[state], closed_on=decided_on)


async def _end(
    session: AsyncSession,
    caller: Caller,
    check_ids: Sequence[UUID],
    outcome: CheckOutcome,
    **more: Any,
) -> None:
    if not check_ids:
        return
    ended = {"outcome": outcome.value, "closed_by": caller.officer_id or caller.sub}
    await session.execute(
        update(models.ReturnCheck)
        .where(among(models.ReturnCheck.return_check_id, check_ids))
        .values(**ended, **more, recorded_at=clock.now())
    )
    await tasks.close_tasks(session, kind=TaskKind.RETURN_CHECK, subject_ids=check_ids)


async def _store(session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> list[UUID]:
    """Store the signs that are new; gives the ids of the return checks that they opened."""
    if not rows:
        return []
    sent = {column: [row[column] for row in rows] for column in _HARDSHIP}
    stored = (await session.execute(_RECORD, sent | {"now": clock.now()})).mappings().all()
    asking = [dict(row) for row in stored if rules.opens_check(State(row["state"]))]
    return await _open_checks(session, asking)


async def _open_checks(session: AsyncSession, signs: Sequence[Mapping[str, Any]]) -> list[UUID]:
    """Open a check, with its task, for each of these signs; gives their ids."""
    if not signs:
        return []
    today = clock.today()
    places = {sign["division_code"] for sign in signs}
    limits = await deadlines(session, rules.CHECK_WORKING_DAYS, places, today)
    checks = [_check(sign, limits[sign["division_code"]], today) for sign in signs]
    await session.execute(insert(models.ReturnCheck), checks)
    await tasks.open_tasks(
        session,
        [
            tasks.Opening(
                kind=TaskKind.RETURN_CHECK,
                subject_id=check["return_check_id"],
                household_id=check["household_id"],
                division_code=check["division_code"],
                due=limits[check["division_code"]],
            )
            for check in checks
        ],
    )
    return [check["return_check_id"] for check in checks]


def _check(sign: Mapping[str, Any], limit: Deadline | None, today: date) -> dict[str, Any]:
    taken = ("household_id", "division_code", "source", "hardship_id")
    return {
        "return_check_id": identity.new_id(),
        **{name: sign[name] for name in taken},
        "opened_on": today,
        "due_on": limit.on if limit else None,
        "due_provisional": bool(limit and limit.provisional),
        "reason": "",
        "recorded_at": clock.now(),
    }


_HARDSHIP = {
    "source": "text",
    "hardship_id": "uuid",
    "household_id": "uuid",
    "kind": "text",
    "detected_on": "date",
    "amount": "numeric",
    "note": "text",
    "reported_by": "text",
}
_NAMES = ", ".join(_HARDSHIP)
_RECORD = text(
    f"WITH stored AS (INSERT INTO hardships ({_NAMES}, division_code, recorded_at) "  # noqa: S608 (own names)
    f"SELECT sent.*, households.division_code, :now FROM unnest("
    f"{', '.join(f'CAST(:{name} AS {kind}[])' for name, kind in _HARDSHIP.items())}"
    f") AS sent({_NAMES}) JOIN households ON households.household_id = sent.household_id "
    "ON CONFLICT (source, hardship_id) DO NOTHING "
    "RETURNING source, hardship_id, household_id, division_code) "
    "SELECT stored.*, households.state FROM stored "
    "JOIN households ON households.household_id = stored.household_id "
    "ORDER BY stored.source, stored.hardship_id"
)
