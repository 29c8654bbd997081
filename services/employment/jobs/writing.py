"""Placements as they are stored, and the events that follow from what is written of them.

Only jobs.actions calls it, under the lock of the households that list the person.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.employment.jobs.models import Placement
from services.employment.jobs.rules import FUND, EndReason, Kind, Standing, Term, stand
from shared import events
from shared.contracts.assistance import Assistance, AssistanceEvent, AssistanceStatus
from shared.contracts.topics import EMPLOYMENT_ASSISTANCE
from shared.db import among
from shared.money import ZERO

_TABLE = Placement.__table__


async def lock(session: AsyncSession, placement_ids: Sequence[UUID]) -> Sequence[RowMapping]:
    """These placements, locked in the order of their ids."""
    these = among(Placement.placement_id, placement_ids)
    rows = select(_TABLE).where(these).order_by(Placement.placement_id).with_for_update()
    return (await session.execute(rows)).mappings().all()


async def bring_up_to(
    session: AsyncSession, rows: Sequence[dict[str, Any]], ended: Mapping[Any, Any], today: date
) -> list[dict[str, Any]]:
    """Store what ``ended`` and the day change in these locked rows, and publish what that changes.

    Gives the rows that changed; each of them has a new revision.
    """
    written, told = [], []
    for row in rows:
        changed = {**row, **ended}
        changed |= stood(changed, today)
        if changed != row:
            changed["revision"] += 1
            written.append(changed)
        if changed["version"] != row["version"]:
            told.append(changed)
    if written:
        await session.execute(update(Placement), written)
    await publish(session, told)
    return written


def term_of(row: Mapping[Any, Any]) -> Term:
    """The term of a stored placement."""
    return Term(begins_on=row["begins_on"], until=row["until"])


def stood(row: Mapping[Any, Any], today: date) -> dict[str, Any]:
    """The columns that the day decides, as they should be ``today``."""
    before = Standing(
        ended_on=row["ended_on"],
        end_reason=EndReason(row["end_reason"]) if row["end_reason"] else None,
        published=AssistanceStatus(row["published"]) if row["published"] else None,
    )
    now = stand(term_of(row), row["counts_from"], before, today)
    return {
        "ended_on": now.ended_on,
        "end_reason": now.end_reason.value if now.end_reason else None,
        "published": now.published.value if now.published else None,
        "turns_on": now.turns_on,
        "version": row["version"] + (now.published != before.published),
    }


async def publish(session: AsyncSession, rows: Sequence[Mapping[Any, Any]]) -> None:
    """Tell the registry's aid ledger of these placements, where they are a measure granted."""
    await events.publish(session, [_assisted(row) for row in rows if row["published"]])


def _assisted(row: Mapping[Any, Any]) -> events.NewEvent:
    return events.NewEvent(
        topic=EMPLOYMENT_ASSISTANCE,
        type=AssistanceEvent.ASSISTED,
        subject=row["placement_id"],
        version=row["version"],
        payload=Assistance(
            assistance_id=row["placement_id"],
            household_id=row["household_id"],
            person_ids=(row["person_id"],),
            programme=Kind(row["kind"]).programme,
            status=row["published"],
            amount=ZERO,
            fund=FUND,
            granted_on=row["counts_from"],
        ),
    )
