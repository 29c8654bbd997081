"""Stating relief's two guarantees for households, and ordering that all of a division be looked at.

Living also depends on the line and on the month, so a new line and a new month look again.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.relief.dibao.rules import Line
from services.relief.guarantees import queries
from services.relief.guarantees.queries import Copy
from services.relief.guarantees.rules import has_enough_to_live_on, is_insured
from services.relief.tekun.queries import reckoned_in
from services.relief.tekun.rules import ever_tekun
from shared import clock, guarantees, jobs
from shared.auth import Caller, system_caller
from shared.contracts.assistance import GuaranteeKind
from shared.contracts.registry import HouseholdState, State
from shared.contracts.topics import RELIEF_ASSISTANCE
from shared.db import EVERYWHERE
from shared.guarantees import Verdict

LOOK_AGAIN = "relief.state_guarantees"
"""The job that states the guarantees of every household of a division again."""


async def state_guarantees(
    session: AsyncSession,
    copies: Sequence[HouseholdState | Copy],
    lines: Mapping[str, Sequence[Line]],
) -> int:
    """State living and medical as they stand for next month; returns how many were news.

    ``lines`` are those of the copies' divisions (``dibao.queries.lines_over_time``). Call it with
    the copies held (``household_copy.apply`` holds what it took, ``schedules.hold_copies`` any):
    two at it cannot overwrite each other. Tekun households are to be settled before.
    """
    households = [each for each in copies if each.state is not State.CLOSED]
    month = clock.next_month(clock.today())
    reckoned = await _tekun_reckoned(session, households, month)
    living, medical = [], []
    for each in households:
        met = has_enough_to_live_on(
            each.periods,
            lines[each.division_code],
            month,
            tekun_reckoned=each.household_id in reckoned,
        )
        living += _verdict(each, met, f"grant:{each.household_id}")
        medical += _verdict(each, is_insured(each.members), f"insurance:{each.household_id}")
    news = await guarantees.give(session, RELIEF_ASSISTANCE, GuaranteeKind.LIVING, living)
    return news + await guarantees.give(session, RELIEF_ASSISTANCE, GuaranteeKind.MEDICAL, medical)


async def look_again(session: AsyncSession, caller: Caller, *, division_code: str) -> None:
    """Order that a division's guarantees be stated again, in the caller's transaction."""
    await jobs.enqueue(session, caller, LOOK_AGAIN, {"division": division_code}, division_code)


async def look_again_each_month(session: AsyncSession, day: date) -> bool:
    """Once a month, everywhere: lines that were approved ahead and kept policies that end."""
    month = f"{day:%Y-%m}"
    if not await queries.looked_at(session, LOOK_AGAIN, month):
        arguments = {"division": EVERYWHERE, "month": month}
        await jobs.enqueue(session, system_caller("relief"), LOOK_AGAIN, arguments, EVERYWHERE)
    return False


async def _tekun_reckoned(
    session: AsyncSession, households: Sequence[HouseholdState | Copy], month: date
) -> set[UUID]:
    ids = [each.household_id for each in households if ever_tekun(each.periods)]
    return await reckoned_in(session, ids, month) if ids else set()


def _verdict(household: HouseholdState | Copy, met: bool | None, evidence_id: str) -> list[Verdict]:
    if met is None:
        return []
    verdict = Verdict(
        household_id=household.household_id,
        division_code=household.division_code,
        met=met,
        evidence_id=evidence_id,
    )
    return [verdict]
