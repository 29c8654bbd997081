"""Daily statements: a day's amounts of a division put together, and confirmed as paid (C15).

An amount stands in one statement only, whichever are made at once; a later one of the same day
takes what was decided since.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, and_, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.relief.medical.actions import assisted
from services.relief.medical.models import MedicalGrant, Statement
from services.relief.payments.confirming import refuse_confirmation
from shared import audit, clock, events, identity, jobs
from shared.asked import prefixes
from shared.auth import Caller, officer_of
from shared.contracts.assistance import AssistanceStatus
from shared.db import among, in_divisions
from shared.errors import Forbidden, NotFound, Refused

COLLECT = "relief.collect_medical_statement"
"""The job that puts the day's amounts into a statement."""
CONFIRM = "relief.confirm_medical_statement"
"""The job that marks a statement's amounts as paid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What a statement comes to so far, in yuan: reckoned from its amounts, corrections and all."""

    amounts: int
    people: int
    total_yuan: Decimal
    taken_back_yuan: Decimal


async def make(session: AsyncSession, caller: Caller, *, day: date, division_code: str) -> UUID:
    """Order the statement of a day and the job that collects it. Returns the statement's id.

    Raises Forbidden (``division_not_covered``, no officer) and Refused (``day_to_come``).
    """
    officer = officer_of(caller)
    if not caller.covers(division_code):
        raise Forbidden(
            "division_not_covered", f"your token does not cover the division {division_code}"
        )
    if day > clock.today():
        raise Refused("day_to_come", f"{day} is to come: a statement holds what was decided on it")
    statement_id = identity.new_id()
    arguments = {"statement_id": str(statement_id)}
    job = await jobs.enqueue(session, caller, COLLECT, arguments, division_code)
    row = {
        "statement_id": statement_id,
        "day": day,
        "division_code": division_code,
        "job_id": job.job_id,
        "created_by": officer,
        "created_at": clock.now(),
    }
    await session.execute(insert(Statement), [row])
    await _note(session, caller, "medical_statement.made", row, {"day": day.isoformat()})
    return statement_id


async def confirm(
    session: AsyncSession, caller: Caller, statement_id: UUID, *, paid_on: date
) -> None:
    """Order that all amounts of a statement be marked as paid on a day, by a second officer.

    Raises NotFound, Forbidden without an officer, Conflict (``statement_not_over``,
    ``statement_confirmed``, ``same_officer``) and Refused (``paid_on_impossible``).
    """
    officer = officer_of(caller)
    found = await statement_by_id(session, statement_id, caller.divisions, lock=True)
    if found is None:
        raise NotFound("medical_statement_unknown", f"no medical statement {statement_id}")
    await refuse_confirmation(session, found, paid_on=paid_on, officer=officer, what="statement")
    confirmed = {"paid_on": paid_on, "confirmed_by": officer}
    mine = Statement.statement_id == statement_id
    await session.execute(update(Statement).where(mine).values(**confirmed))
    arguments = {"statement_id": str(statement_id)}
    await jobs.enqueue(session, caller, CONFIRM, arguments, found["division_code"])
    detail = {"paid_on": paid_on.isoformat()}
    await _note(session, caller, "medical_statement.confirmed", found, detail)


async def _note(
    session: AsyncSession, caller: Caller, action: str, row: Any, detail: dict[str, str]
) -> None:
    await audit.record(
        session,
        caller,
        action=action,
        subject_type="medical_statement",
        subject_id=str(row["statement_id"]),
        division_code=row["division_code"],
        detail=detail,
    )


async def statement_by_id(
    session: AsyncSession, statement_id: UUID, divisions: Sequence[str], *, lock: bool = False
) -> RowMapping | None:
    """One statement as it was ordered; with ``lock``, held until the transaction ends."""
    mine = and_(
        Statement.statement_id == statement_id, in_divisions(Statement.division_code, divisions)
    )
    wanted = select(Statement.__table__).where(mine)
    rows = await session.execute(wanted.with_for_update() if lock else wanted)
    return rows.mappings().one_or_none()


async def statements(
    session: AsyncSession,
    within: Sequence[Sequence[str]],
    *,
    day: date | None,
    unconfirmed: bool,
    after: UUID | None,
    limit: int,
) -> Sequence[RowMapping]:
    """Statements by their ids, which ascend with time; of a day, not yet paid, where asked."""
    conditions = [in_divisions(Statement.division_code, covered) for covered in within]
    if day is not None:
        conditions.append(Statement.day == day)
    if unconfirmed:
        conditions.append(Statement.paid_on.is_(None))
    if after is not None:
        conditions.append(Statement.statement_id > after)
    rows = select(Statement.__table__).where(*conditions)
    ordered = rows.order_by(Statement.statement_id).limit(limit)
    return (await session.execute(ordered)).mappings().all()


async def totals(session: AsyncSession, statement_id: UUID, divisions: Sequence[str]) -> Totals:
    """The sum of a statement's amounts to the fen."""
    amount = MedicalGrant.amount
    zero = Decimal("0.00")
    summed = select(
        func.count().label("amounts"),
        func.count(MedicalGrant.person_id.distinct()).label("people"),
        func.coalesce(func.sum(amount), zero).label("total_yuan"),
        func.coalesce(-func.sum(amount).filter(amount < 0), zero).label("taken_back_yuan"),
    ).where(
        MedicalGrant.statement_id == statement_id,
        in_divisions(MedicalGrant.division_code, divisions),
    )
    return Totals(**(await session.execute(summed)).mappings().one())


async def collect(session: AsyncSession, statement: RowMapping, *, limit: int) -> int:
    """Put the day's next amounts that stand in no statement into this one; returns how many.

    Two statements of one day wait for each other's amounts and never hold the same.
    """
    waiting = (
        select(MedicalGrant.grant_id)
        .where(
            MedicalGrant.decided_on == statement["day"],
            MedicalGrant.statement_id.is_(None),
            MedicalGrant.amount != 0,
            in_divisions(MedicalGrant.division_code, prefixes(statement["division_code"])),
        )
        .order_by(MedicalGrant.grant_id)
        .limit(limit)
        .with_for_update()
    )
    ids = (await session.scalars(waiting)).all()
    if ids:
        taken = update(MedicalGrant).where(among(MedicalGrant.grant_id, ids))
        await session.execute(taken.values(statement_id=statement["statement_id"]))
    return len(ids)


async def confirm_amounts(session: AsyncSession, statement: RowMapping, *, limit: int) -> int:
    """Mark the statement's next approved amounts as paid and announce each; returns how many."""
    waiting = and_(
        MedicalGrant.statement_id == statement["statement_id"],
        MedicalGrant.status == AssistanceStatus.APPROVED,
    )
    columns = (column for column in MedicalGrant.__table__.c if column.name != "basis")
    next_rows = select(*columns).where(waiting).order_by(MedicalGrant.grant_id).limit(limit)
    rows = (await session.execute(next_rows.with_for_update())).mappings().all()
    if not rows:
        return 0
    paid = {"status": AssistanceStatus.PAID.value, "paid_on": statement["paid_on"]}
    ids = [row["grant_id"] for row in rows]
    changed = update(MedicalGrant).where(among(MedicalGrant.grant_id, ids))
    await session.execute(changed.values(**paid, version=MedicalGrant.version + 1))
    told = [{**row, **paid, "version": row["version"] + 1} for row in rows]
    await events.publish(session, [assisted(row) for row in told])
    return len(rows)
