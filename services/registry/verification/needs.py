"""Needs that sources show and no file declares: a lead, or a return check (section 4, C21).

A doubt that shows a need is marked where it is raised. What follows is done here, by the worker and
in a transaction of its own: whoever leads or checks returns holds the household first, and whoever
takes answers in holds questions and doubts.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.determination.process import OPEN
from services.registry.leads import intake
from services.registry.leads.intake import Incoming
from services.registry.ledger.actions import hold_households
from services.registry.returns import actions as returns
from services.registry.verification.kinds import KINDS_ZH, DoubtKind
from services.registry.verification.rules import Following, follows
from shared import audit, clock, logs
from shared.auth import system_caller
from shared.contracts.assistance import Hardship
from shared.contracts.leads import LeadSource
from shared.contracts.registry import SOURCE, State
from shared.db import Database
from shared.trouble import passes
from shared.waiting import pause

CHUNK = 200
"""Doubts in one transaction."""
LOOK_EVERY = 1.0
"""Seconds between looks for needs that wait."""

_BY = system_caller("registry")
_HARDSHIPS: Mapping[DoubtKind, str] = {
    DoubtKind.MEDICAL_NEED: "illness",
    DoubtKind.DISABILITY_NOT_DECLARED: "disability",
    DoubtKind.ENROLMENT_NOT_DECLARED: "schooling",
}
_log = logs.get("verification")


class Needs:
    """The worker's part that takes up needs until told to stop; several workers may run it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def run(self, stop: asyncio.Event) -> None:
        """Raises only an error that does not pass by itself."""
        while not stop.is_set():
            worked = await self._look()
            await pause(stop, 0 if worked else LOOK_EVERY)

    async def _look(self) -> bool:
        try:
            async with self._database.transaction() as session:
                return await take_needs(session) > 0
        except Exception as error:
            if not passes(error):
                raise
            _log.warning("verification.needs_put_off", error=type(error).__name__)
            return False


async def take_needs(session: AsyncSession) -> int:
    """Take up the next needs that wait, each once; how many doubts that were."""
    waiting = (await session.execute(_WAITING, {"most": CHUNK})).all()
    if not waiting:
        return 0
    await hold_households(session, [row.household_id for row in waiting])
    given = {"ids": [row.doubt_id for row in waiting], "open": [state.value for state in OPEN]}
    rows = (await session.execute(_HELD, given)).mappings().all()
    by_following: dict[Following, list[RowMapping]] = defaultdict(list)
    for row in rows:
        by_following[follows(State(row["state"]), applying=row["applying"])].append(row)
    await _open_leads(session, by_following[Following.LEAD])
    await _open_checks(session, by_following[Following.RETURN_CHECK])
    for following, doubts in by_following.items():
        await _done(session, following, doubts)
    return len(rows)


async def _open_leads(session: AsyncSession, doubts: Sequence[RowMapping]) -> None:
    """One report a household, in the words of its doubts' kinds; it joins a lead that is open."""
    by_household: dict[UUID, list[RowMapping]] = defaultdict(list)
    for doubt in doubts:
        by_household[doubt["household_id"]].append(doubt)
    reports = [
        Incoming(
            source=LeadSource.DATA_MATCH,
            division_code=own[0]["division_code"],
            household_id=household_id,
            reported_on=clock.today(),
            words=in_words(DoubtKind(each["kind"]) for each in own),
            reported_by=_BY.sub,
            origin=SOURCE,
            source_id=own[0]["doubt_id"],
        )
        for household_id, own in sorted(by_household.items())
    ]
    await intake.take(session, reports)


def in_words(kinds: Iterable[DoubtKind]) -> str:
    """What a lead says of these doubts, by kinds alone: no name and no figure."""
    found = set(kinds)
    told = "；".join(KINDS_ZH[kind] for kind in DoubtKind if kind in found)
    return f"数据核对发现档案未申报的需求：{told}"


async def _open_checks(session: AsyncSession, doubts: Sequence[RowMapping]) -> None:
    """Each is a sign of hardship, which opens a return check like any other."""
    signs = [
        Hardship(
            hardship_id=doubt["doubt_id"],
            household_id=doubt["household_id"],
            kind=_HARDSHIPS[DoubtKind(doubt["kind"])],
            detected_on=clock.today(),
            amount=_amount(doubt["detail"]),
        )
        for doubt in doubts
    ]
    await returns.record_hardships(session, [(SOURCE, sign) for sign in signs])


def _amount(detail: Mapping[str, Any]) -> Decimal | None:
    return Decimal(detail["cash"]) if "cash" in detail else None


async def _done(session: AsyncSession, following: Following, doubts: Sequence[RowMapping]) -> None:
    if not doubts:
        return
    ids = [doubt["doubt_id"] for doubt in doubts]
    await session.execute(_DONE, {"ids": ids, "need": following.value})
    await audit.record(
        session,
        _BY,
        action="verification.need_taken_up",
        subject_type="household",
        subject_id=[doubt["household_id"] for doubt in doubts],
        division_code=[doubt["division_code"] for doubt in doubts],
        detail={"following": following.value},
    )


_WAITING = text(
    "SELECT doubt_id, household_id FROM verification_doubts WHERE need = 'waiting' "
    "ORDER BY doubt_id LIMIT :most"
)
_HELD = text(
    "SELECT doubt.doubt_id, doubt.household_id, doubt.kind, doubt.detail, household.state, "
    "household.division_code, EXISTS (SELECT FROM applications AS application "
    "WHERE application.household_id = doubt.household_id "
    "AND application.state = ANY (CAST(:open AS text[]))) AS applying "
    "FROM verification_doubts AS doubt JOIN households AS household "
    "ON household.household_id = doubt.household_id "
    "WHERE doubt.doubt_id = ANY (CAST(:ids AS uuid[])) AND doubt.need = 'waiting' "
    "ORDER BY doubt.doubt_id FOR UPDATE OF doubt"
)
_DONE = text(
    "UPDATE verification_doubts SET need = :need WHERE doubt_id = ANY (CAST(:ids AS uuid[]))"
)
