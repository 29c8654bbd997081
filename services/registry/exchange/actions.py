"""Taking in a partner's batch (C3, C61): every line once, with a verdict of its own.

What was carried out is known by partner, batch and line: sent again it changes nothing. Households
are written by the households capability alone, as the officer who answers for the token.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.exchange.models import BatchLine
from services.registry.exchange.rules import POINTER, Read
from services.registry.households.actions import admit_households, revise_households
from services.registry.households.facts import Outcome, Result
from services.registry.rosters import matching
from services.registry.rosters.matching import Admit, Refuse, Revise
from services.registry.rosters.standing import standing_of
from services.registry.sources import actions as sources
from services.registry.stewards.actions import require_steward
from shared import audit, clock
from shared.auth import Caller
from shared.errors import Fault

ORIGIN = "batch"
REFUSED = Result.REFUSED.value
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of a line: a ``Result``; ``repeated`` when it was given before."""

    at: int
    line: int | None
    verdict: str
    household_id: UUID | None = None
    faults: tuple[Fault, ...] = ()
    repeated: bool = False


async def take_in(
    session: AsyncSession, caller: Caller, batch: str, lines: Sequence[Read]
) -> list[Verdict]:
    """Carry out the lines that are new; one verdict a line, in their order.

    Raises Conflict where nobody answers for a county's data.
    """
    await session.execute(_LOCK, {"name": f"bangfu.batches:{caller.sub}:{batch}"})
    codes = {read.division_code for read in lines if read.division_code}
    await require_steward(session, codes)
    before = await _known(session, caller, batch, lines)
    verdicts: dict[int, Verdict] = {}
    for read in lines:
        if known := _verdict_before(read, before):
            verdicts[read.at] = known
    fresh = [read for read in lines if read.at not in verdicts]
    done = await _carry_out(session, caller, [read for read in fresh if read.household])
    verdicts |= {read.at: done.get(read.at) or _refused(read, read.faults) for read in fresh}
    await _keep(session, caller, batch, [(read, verdicts[read.at]) for read in fresh])
    await audit.record(
        session,
        caller,
        action="exchange.batch_taken_in",
        subject_type="division",
        subject_id=caller.divisions,
        division_code=caller.divisions,
        detail={"batch": batch, "lines": len(lines), "new": len(fresh)},
    )
    return [verdicts[read.at] for read in lines]


async def _known(
    session: AsyncSession, caller: Caller, batch: str, lines: Sequence[Read]
) -> dict[int, BatchLine | None]:
    numbers = [read.line for read in lines if read.line is not None]
    rows = await session.scalars(
        select(BatchLine).where(
            BatchLine.partner == caller.sub,
            BatchLine.batch == batch,
            BatchLine.line.in_(numbers),
        )
    )
    return {row.line: row for row in rows}


def _verdict_before(read: Read, before: dict[int, BatchLine | None]) -> Verdict | None:
    """The verdict of a line that was carried out before; None for one to be carried out now.

    A number that stands twice in one body, or now says something else, is refused.
    """
    if read.line is None:
        return None
    if read.line not in before:
        before[read.line] = None
        return None
    kept = before[read.line]
    if kept is None or kept.content_hash != read.content_hash:
        other = Fault("#/line", "line_reused", "该批次中此行号已用于其他内容")
        return _refused(read, (other,))
    return Verdict(
        at=read.at,
        line=read.line,
        verdict=kept.verdict,
        household_id=kept.household_id,
        repeated=True,
    )


async def _carry_out(
    session: AsyncSession, caller: Caller, lines: Sequence[Read]
) -> dict[int, Verdict]:
    steps = await _steps(session, caller, lines)
    changes = [step.change for step in steps.values() if isinstance(step, Revise)]
    entries = [step.entry for step in steps.values() if isinstance(step, Admit)]
    outcomes: list[Outcome] = []
    held: Mapping[str, Sequence[str]] = {}
    if changes:
        changes, held = await sources.hold_back(session, caller, changes, origin=ORIGIN)
        outcomes += await revise_households(session, caller, changes)
    if entries:
        outcomes += await admit_households(
            session, caller, entries, origin=ORIGIN, decided_on=clock.today()
        )
    by_at = {read.at: read for read in lines}
    done = {int(each.ref): _verdict(by_at[int(each.ref)], each) for each in outcomes}
    for ref, names in held.items():
        done[int(ref)] = replace(done[int(ref)], faults=(*done[int(ref)].faults, *_kept(names)))
    for at, step in steps.items():
        if isinstance(step, Refuse):
            told = tuple(Fault(each.cell, each.code, each.message) for each in step.findings)
            done[at] = replace(_refused(by_at[at], told), household_id=step.household_id)
    return done


def _kept(names: Sequence[str]) -> list[Fault]:
    """What another bureau keeps the record of was left as it is; a task waits for that bureau."""
    message = "该户类别由其他部门主管,此项未作改动,已转主管部门处理"
    return [Fault(f"#/{name}", "source_conflict", message) for name in names]


async def _steps(
    session: AsyncSession, caller: Caller, lines: Sequence[Read]
) -> Mapping[int, Admit | Revise | Refuse]:
    numbers = {who.id_number for read in lines if read.household for who in read.household.members}
    standing, current = await standing_of(session, numbers, divisions=caller.divisions)
    today = clock.today()
    return {
        read.at: matching.match(
            read.household, standing, current, ref=str(read.at), address=POINTER, on=today
        )
        for read in lines
        if read.household
    }


def _verdict(read: Read, outcome: Outcome) -> Verdict:
    return Verdict(
        at=read.at,
        line=read.line,
        verdict=outcome.result.value,
        household_id=outcome.household_id,
        faults=outcome.faults,
    )


def _refused(read: Read, faults: tuple[Fault, ...]) -> Verdict:
    return Verdict(at=read.at, line=read.line, verdict=REFUSED, faults=faults)


async def _keep(
    session: AsyncSession, caller: Caller, batch: str, done: Sequence[tuple[Read, Verdict]]
) -> None:
    """Keep what was carried out; a refused line may be mended and sent again under its number."""
    rows = [
        {
            "partner": caller.sub,
            "batch": batch,
            "line": read.line,
            "division_code": read.division_code,
            "content_hash": read.content_hash,
            "verdict": verdict.verdict,
            "household_id": verdict.household_id,
            "recorded_at": clock.now(),
        }
        for read, verdict in done
        if verdict.verdict != REFUSED
    ]
    if rows:
        await session.execute(insert(BatchLine), rows)
