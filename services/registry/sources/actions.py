"""Holding back what a feed may not change, and settling what it said (C3)."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.households import actions as households
from services.registry.households.facts import HouseholdChange
from services.registry.households.history import facts_at
from services.registry.households.records import File
from services.registry.households.refusals import refuse_if, require_done
from services.registry.sources import queries, rules
from services.registry.sources.models import SourceConflict
from services.registry.sources.rules import Settlement
from services.registry.tasks import actions as tasks
from services.registry.tasks.actions import Opening
from services.registry.tasks.models import TaskKind
from shared import audit, clock, identity
from shared.auth import Caller
from shared.errors import Conflict, NotFound


async def hold_back(
    session: AsyncSession, caller: Caller, changes: Sequence[HouseholdChange], *, origin: str
) -> tuple[list[HouseholdChange], dict[str, list[str]]]:
    """What a feed may change of these households, and by ``ref`` the facts it may not.

    To be asked before ``revise_households``. What is held back is kept with a task for the bureau
    that keeps the record; the value stays. The files stay locked.
    """
    ids = [change.household_id for change in changes]
    files = await households.lock(session, ids, divisions=caller.divisions)
    allowed, held, rows = [], {}, []
    for change in changes:
        file = files.get(change.household_id)
        facts = facts_at(file.timeline, change.valid_from) if file else None
        if file is None or facts is None:
            allowed.append(change)
            continue
        rest, wanted = rules.held_back(facts, change, caller.bureau)
        allowed.append(rest)
        if wanted:
            held[change.ref] = list(wanted)
            rows.append(_row(caller, file, change.valid_from, wanted, origin))
    await _keep(session, rows)
    return allowed, held


def _row(
    caller: Caller, file: File, valid_from: date, wanted: Mapping[str, Any], origin: str
) -> dict[str, Any]:
    facts = facts_at(file.timeline, valid_from)
    if facts is None or facts.category is None:
        raise ValueError("nothing is held back of a household that nobody keeps the record of")
    return {
        "conflict_id": identity.new_id(),
        "household_id": file.household_id,
        "division_code": file.facts.division_code,
        "bureau": caller.bureau or "",
        "owner": rules.source_of_record(facts.category),
        "origin": origin,
        "wanted": rules.as_json(wanted),
        "valid_from": valid_from,
        "opened_on": clock.today(),
        "reason": "",
        "recorded_at": clock.now(),
    }


async def _keep(session: AsyncSession, rows: Sequence[dict[str, Any]]) -> None:
    """One open conflict a household and bureau, with what was said last; each with its task."""
    if not rows:
        return
    order = insert(SourceConflict)
    newest = {
        name: order.excluded[name]
        for name in ("owner", "origin", "wanted", "valid_from", "recorded_at")
    }
    kept = await session.execute(
        order.values(list(rows))
        .on_conflict_do_update(
            index_elements=["household_id", "bureau"],
            index_where=SourceConflict.outcome.is_(None),
            set_=newest,
        )
        .returning(
            SourceConflict.conflict_id, SourceConflict.household_id, SourceConflict.division_code
        )
    )
    openings = [
        Opening(
            kind=TaskKind.SOURCE_CONFLICT,
            subject_id=row.conflict_id,
            household_id=row.household_id,
            division_code=row.division_code,
            due=None,
        )
        for row in kept
    ]
    await tasks.open_tasks(session, openings)


async def settle(
    session: AsyncSession,
    caller: Caller,
    conflict_id: UUID,
    settlement: Settlement,
    reason: str,
) -> None:
    """Keep the value, or take what the other bureau said from today on.

    Raises NotFound, Conflict (``conflict_settled``), Refused, or what speaks against the change.
    """
    seen = await queries.one(session, conflict_id, divisions=caller.divisions)
    if seen is None:
        raise NotFound("conflict_not_found", "no such conflict in the caller's divisions")
    ids = [seen["household_id"]]
    files = await households.lock(session, ids, divisions=caller.divisions)
    row = await queries.one(session, conflict_id, divisions=caller.divisions)
    if row is None or row["outcome"] is not None:
        raise Conflict("conflict_settled", "this conflict was settled already")
    faults = rules.settling_faults(
        reason, officer_id=caller.officer_id, bureau=caller.bureau, owner=row["owner"]
    )
    refuse_if(faults)
    if settlement is Settlement.TAKEN:
        await _take(session, caller, files[row["household_id"]], row, reason)
    await session.execute(
        update(SourceConflict)
        .where(SourceConflict.conflict_id == conflict_id)
        .values(
            outcome=settlement.value,
            settled_on=clock.today(),
            settled_by=caller.officer_id,
            reason=reason.strip(),
        )
    )
    await tasks.close_task(session, kind=TaskKind.SOURCE_CONFLICT, subject_id=conflict_id)
    await audit.record(
        session,
        caller,
        action=f"source_conflict.{settlement}",
        subject_type="household",
        subject_id=row["household_id"],
        division_code=row["division_code"],
        detail={"conflict_id": str(conflict_id), "facts": sorted(row["wanted"])},
    )


async def _take(
    session: AsyncSession, caller: Caller, file: File, conflict: RowMapping, reason: str
) -> None:
    change = HouseholdChange(
        household_id=file.household_id,
        valid_from=clock.today(),
        facts=rules.from_json(file.facts, conflict["wanted"]),
        reason=reason.strip(),
    )
    (outcome,) = await households.revise_households(session, caller, [change])
    require_done(outcome)
