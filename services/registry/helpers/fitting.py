"""Judging pairings anew when a household's category, tags, state or helpers change (R35).

The households capability calls it within the change itself, so it imports none of its writers.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import RowMapping, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.helpers import rules
from services.registry.helpers.models import Helper, Pairing
from services.registry.helpers.rules import HelperKind, PairingFlag
from services.registry.households.facts import Facts
from services.registry.tasks import actions as tasks
from services.registry.tasks.actions import Opening
from services.registry.tasks.models import TaskKind
from shared import clock
from shared.contracts.registry import Category
from shared.db import among
from shared.workdays import Deadline

HOUSEHOLD_LEFT = "household_left"


class Refit(NamedTuple):
    """What a household was and is; ``day``: from when."""

    household_id: UUID
    old: Facts
    new: Facts
    day: date

    @property
    def moved(self) -> bool:
        """Whether the change may change who should help."""
        return _matters(self.old) != _matters(self.new)


async def refit(session: AsyncSession, changes: Sequence[Refit]) -> None:
    """Flag what no longer fits and ask for it on the board; end what has nobody left to help."""
    moved = [each for each in changes if each.moved]
    if not moved:
        return
    helped = {each.household_id: each.new for each in moved if rules.is_helped(each.new.state)}
    left: dict[date, list[UUID]] = {}
    for each in moved:
        if each.household_id not in helped:
            left.setdefault(each.day, []).append(each.household_id)
    for day, ids in left.items():
        await _end(session, ids, day)
    await reflag(session, helped)


async def bring_back(
    session: AsyncSession, household_id: UUID, facts: Facts, ended_on: date
) -> None:
    """Let the pairings that ended because the household left on a day go on as if it had not.

    Whose helper has left office since stays ended; how many households he has is not asked again.
    """
    ended = (
        Pairing.household_id == household_id,
        Pairing.end_reason == HOUSEHOLD_LEFT,
        Pairing.ended_on == func.greatest(ended_on, Pairing.paired_on),
    )
    for helper_id in await session.scalars(
        select(Pairing.helper_id).where(*ended).order_by(Pairing.helper_id)
    ):
        await session.execute(select(func.hold_helper(helper_id)))
    there = select(Helper.helper_id).where(Helper.left_on.is_(None))
    rows = await session.execute(
        update(Pairing)
        .where(*ended)
        .where(Pairing.helper_id.in_(there))
        .values(ended_on=None, end_reason="", recorded_at=clock.now())
        .returning(
            Pairing.pairing_id,
            Pairing.transferred,
            Pairing.handed_over_on,
            Pairing.handover_due_on,
        )
    )
    openings = [
        Opening(
            kind=TaskKind.HANDOVER,
            subject_id=row.pairing_id,
            household_id=household_id,
            division_code=facts.division_code,
            due=Deadline(row.handover_due_on) if row.handover_due_on else None,
        )
        for row in rows
        if row.transferred and row.handed_over_on is None
    ]
    await tasks.open_tasks(session, openings)
    await reflag(session, {household_id: facts})


async def reflag(session: AsyncSession, households: Mapping[UUID, Facts]) -> None:
    """Set the flags of the open pairings of these households, and the tasks that follow."""
    if not households:
        return
    kinds: dict[UUID, dict[UUID, HelperKind]] = {}
    known: dict[UUID, str | None] = {}
    for row in await _open_of(session, list(households)):
        known[row["pairing_id"]] = row["flag"]
        kinds.setdefault(row["household_id"], {})[row["pairing_id"]] = HelperKind(row["kind"])
    judged = {one: rules.flags(rules.categories_of(households[one]), kinds[one]) for one in kinds}
    found = {pairing: flag for flags in judged.values() for pairing, flag in flags.items()}
    for flag in (None, *PairingFlag):
        now = [one for one, old in known.items() if found.get(one) == flag != old]
        await _set_flag(session, flag, now)
    wrong = [one for one, flags in judged.items() if flags]
    await tasks.open_tasks(session, [_task(one, households[one]) for one in wrong])
    right = [one for one in households if not judged.get(one)]
    await tasks.close_tasks(session, kind=TaskKind.RE_PAIR, subject_ids=right)


def _matters(facts: Facts) -> tuple[frozenset[Category], bool]:
    return rules.categories_of(facts), rules.is_helped(facts.state)


async def _set_flag(
    session: AsyncSession, flag: PairingFlag | None, pairing_ids: Sequence[UUID]
) -> None:
    if pairing_ids:
        await session.execute(
            update(Pairing)
            .where(among(Pairing.pairing_id, pairing_ids))
            .values(flag=flag.value if flag else None, recorded_at=clock.now())
        )


def _task(household_id: UUID, facts: Facts) -> Opening:
    return Opening(
        kind=TaskKind.RE_PAIR,
        subject_id=household_id,
        household_id=household_id,
        division_code=facts.division_code,
        due=None,
    )


async def _open_of(session: AsyncSession, ids: Sequence[UUID]) -> Sequence[RowMapping]:
    rows = await session.execute(
        select(Pairing.pairing_id, Pairing.household_id, Pairing.flag, Helper.kind)
        .join(Helper, Helper.helper_id == Pairing.helper_id)
        .where(among(Pairing.household_id, ids), Pairing.ended_on.is_(None))
    )
    return rows.mappings().all()


async def _end(session: AsyncSession, household_ids: Sequence[UUID], day: date) -> None:
    ended = await session.scalars(
        update(Pairing)
        .where(among(Pairing.household_id, household_ids), Pairing.ended_on.is_(None))
        .values(
            ended_on=func.greatest(day, Pairing.paired_on),
            end_reason=HOUSEHOLD_LEFT,
            recorded_at=clock.now(),
        )
        .returning(Pairing.pairing_id)
    )
    await tasks.close_tasks(session, kind=TaskKind.HANDOVER, subject_ids=ended.all())
    await tasks.close_tasks(session, kind=TaskKind.RE_PAIR, subject_ids=household_ids)
