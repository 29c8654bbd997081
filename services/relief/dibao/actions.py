"""Settling grants: what is stored is brought to what the facts and the lines say (C11, C13).

The only writers of dibao_grants.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.relief.dibao import queries
from services.relief.dibao.explanations import explain, read
from services.relief.dibao.models import Grant
from services.relief.dibao.rules import Decision, Line, Lines, schedule
from services.relief.schedules import actions as schedules
from services.relief.schedules.actions import Copy, Ledger
from services.relief.schedules.rules import seen_from
from shared import jobs
from shared.auth import Caller

RECALCULATE = "relief.recalculate_grants"
"""The job that settles every dibao household of a division after its line changed."""

LEDGER: Ledger[Decision] = Ledger(
    table=Grant, read=read, explain=explain, audit_action="dibao.settled"
)


async def settle_grants(session: AsyncSession, household_ids: Sequence[UUID]) -> int:
    """Bring these households' schedules to what their copies and the lines say now.

    Reads the newest copy under its lock, so it does not matter which event set it off or how
    often. Returns how many households changed; the rest is not written to.
    """
    await schedules.hold_figures(session)
    copies = await schedules.lock_copies(session, household_ids)
    lines = await queries.lines_over_time(session, schedules.everywhere(copies))
    return await settle_copies(session, copies, lines)


async def settle_copies(
    session: AsyncSession, copies: Sequence[Copy], lines: Mapping[str, Sequence[Line]]
) -> int:
    """As ``settle_grants``, for copies that are locked and lines that are held already.

    ``lines`` are those of ``schedules.everywhere(copies)``.
    """
    wanted = {copy.household_id: _wanted(copy, lines) for copy in copies}
    live = await schedules.live_grants(session, LEDGER, copies)
    return await schedules.settle(session, LEDGER, copies, wanted, live)


async def recalculate_division(
    session: AsyncSession, caller: Caller, *, division_code: str, parameter_id: UUID
) -> None:
    """Order the recalculation of a division whose line has just been approved.

    To be called in the approval's own transaction: from here to its commit no grant is settled,
    so each is either visible to the job or reckoned with the new line already.
    """
    await schedules.hold_off_settling(session)
    arguments = {"division": division_code, "parameter_id": str(parameter_id)}
    await jobs.enqueue(session, caller, RECALCULATE, arguments, division_code)


def _wanted(copy: Copy, lines: Mapping[str, Sequence[Line]]) -> list[Decision]:
    periods = seen_from(copy.periods, copy.division_code)
    elsewhere = {code: lines[code] for each in periods if (code := each.division_code)}
    return schedule(periods, Lines(lines[copy.division_code], elsewhere))
