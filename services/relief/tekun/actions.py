"""Settling tekun grants: what is stored is brought to what facts and figures say (C11, C13, R25).

The only writers of tekun_grants.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from asyncpg import Record
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.relief.schedules import actions as schedules
from services.relief.schedules.actions import Copy, Ledger
from services.relief.schedules.queries import figures_over_time
from services.relief.schedules.rules import Figure, seen_from
from services.relief.tekun import queries
from services.relief.tekun.explanations import explain, read
from services.relief.tekun.models import Grant
from services.relief.tekun.queries import People
from services.relief.tekun.rules import FIGURES, Decision, Known, ever_tekun, schedule
from shared import jobs
from shared.auth import Caller

RECALCULATE = "relief.recalculate_tekun_grants"
"""The job that settles every tekun household of a division after a figure changed."""
SETTLE = "relief.settle_tekun_household"
"""The job that settles one household after an assessment or a form of support."""


def _payee(decision: Decision) -> Mapping[str, Any]:
    return {"payee": decision.payee.value, "institution_id": decision.institution_id}


LEDGER: Ledger[Decision] = Ledger(
    table=Grant,
    read=read,
    explain=explain,
    audit_action="tekun.settled",
    columns={"payee": "text", "institution_id": "uuid"},
    more=_payee,
)
_FOLLOW = tuple(
    text(
        f"""
        UPDATE {table} SET division_code = moved.code
        FROM unnest(CAST(:household_ids AS uuid[]), CAST(:codes AS text[]))
            AS moved(household_id, code)
        WHERE {table}.household_id = moved.household_id AND {table}.division_code <> moved.code
        """  # noqa: S608 (own names)
    )
    for table in ("tekun_assessments", "tekun_reassessments", "tekun_supports")
)


async def settle_grants(session: AsyncSession, household_ids: Sequence[UUID]) -> int:
    """Bring these households' schedules to what their copies, people and figures say now.

    Reads the newest copy under its lock, so it does not matter what set it off or how often.
    Returns how many households changed; the rest is not written to.
    """
    await schedules.hold_figures(session)
    return await settle_copies(session, await schedules.lock_copies(session, household_ids))


async def settle_copies(session: AsyncSession, copies: Sequence[Copy]) -> int:
    """As ``settle_grants``, for copies that are locked and figures that are held already.

    Who never was tekun and has no decision as such costs nothing further. What is known of a
    household's people follows it to where it lives now.
    """
    live = await schedules.live_grants(session, LEDGER, copies)
    concerned = [copy for copy in copies if copy.household_id in live or ever_tekun(copy.periods)]
    if not concerned:
        return 0
    await _follow(session, [copy for copy in concerned if _moved(copy, live)])
    people = await queries.people_of(session, [copy.household_id for copy in concerned])
    figures = await figures_over_time(session, FIGURES, schedules.everywhere(concerned))
    wanted = {
        copy.household_id: _wanted(copy, people[copy.household_id], figures) for copy in concerned
    }
    return await schedules.settle(session, LEDGER, concerned, wanted, live)


async def recalculate_division(
    session: AsyncSession, caller: Caller, *, division_code: str, parameter_id: UUID
) -> None:
    """Order the recalculation of a division one of whose figures has just been approved.

    To be called in the approval's own transaction: from here to its commit no grant is settled.
    """
    await schedules.hold_off_settling(session)
    arguments = {"division": division_code, "parameter_id": str(parameter_id)}
    await jobs.enqueue(session, caller, RECALCULATE, arguments, division_code)


async def order_settling(
    session: AsyncSession, caller: Caller, household_id: UUID, division_code: str
) -> None:
    """Order that one household be settled, in the caller's transaction: the api moves no money."""
    arguments = {"household_id": str(household_id)}
    await jobs.enqueue(session, caller, SETTLE, arguments, division_code)


async def settle_household(session: AsyncSession, household_id: UUID) -> int:
    """As ``settle_grants`` for one household after its people's records were written.

    A record written while the household moved stands where it was before: it follows now.
    """
    await schedules.hold_figures(session)
    copies = await schedules.lock_copies(session, [household_id])
    await _follow(session, copies)
    return await settle_copies(session, copies)


def _moved(copy: Copy, live: Mapping[UUID, Sequence[Record]]) -> bool:
    rows = live.get(copy.household_id, ())
    return any(row["division_code"] != copy.division_code for row in rows)


async def _follow(session: AsyncSession, copies: Sequence[Copy]) -> None:
    if not copies:
        return
    moved = {
        "household_ids": [copy.household_id for copy in copies],
        "codes": [copy.division_code for copy in copies],
    }
    for statement in _FOLLOW:
        await session.execute(statement, moved)


def _wanted(
    copy: Copy, people: People, figures: Mapping[str, Mapping[str, Sequence[Figure]]]
) -> list[Decision]:
    periods = seen_from(copy.periods, copy.division_code)
    known = Known(
        members=people.members,
        assessments=people.assessments,
        supports=people.supports,
        here=figures[copy.division_code],
        elsewhere={code: figures[code] for each in periods if (code := each.division_code)},
    )
    return schedule(periods, known)
