"""What an operator does with parked messages: apply them again, or give them up. Audited.

Both shut the gate against running batches, so that no event parks behind an aggregate in the very
moment in which it becomes free.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from shared import audit, parking
from shared.applying import Applier, Subscription
from shared.auth import Caller
from shared.db import Database
from shared.parking import Which

CHUNK = 500
"""Messages named at once: the gate is shut, and their payloads are in memory, for that long."""


@dataclass(frozen=True, slots=True)
class Redriven:
    """How many messages were handled now, and the reasons of those still parked, by id."""

    handled: int
    still_parked: dict[int, str]


async def redrive_all(
    database: Database,
    caller: Caller,
    subscriptions: Sequence[Subscription],
    which: Which,
    *,
    chunk: int = CHUNK,
) -> Redriven:
    """``redrive`` of however many, ``chunk`` chosen ones a transaction: others flow in between.

    Broken off, it may simply be run again.
    """
    async with database.transaction() as session:
        left = await parking.chosen_ids(session, which)
    handled, still_parked = 0, dict[int, str]()
    while left:
        named, left = left[:chunk], left[chunk:]
        async with database.transaction() as session:
            done = await redrive(session, caller, subscriptions, Which(ids=named))
        handled += done.handled
        still_parked |= done.still_parked
        # tried already, as a follower of one that was named
        left = [parked_id for parked_id in left if parked_id not in still_parked]
    return Redriven(handled, still_parked)


async def redrive(
    session: AsyncSession,
    caller: Caller,
    subscriptions: Sequence[Subscription],
    which: Which,
) -> Redriven:
    """Run the handlers again on the chosen messages and all parked with them, by version.

    In the caller's transaction. What is handled, or meanwhile stale, is free; what fails again
    stays, with its new reason, and blocks its own aggregate alone.
    """
    await parking.close_gate(session)
    arrivals = await parking.chosen_with_followers(session, which)
    _, failures = await Applier(subscriptions).retake(session, arrivals)
    still = {
        failure.arrival.parked_id: failure.reason
        for failure in failures
        if failure.arrival.parked_id is not None
    }
    done = [a.parked_id for a in arrivals if a.parked_id is not None and a.parked_id not in still]
    await parking.restate(session, still)
    await parking.resolve(session, done, state="redriven", actor=_actor(caller))
    await audit.record(
        session,
        caller,
        action="event.redriven",
        subject_type="parked",
        subject_id=[str(parked_id) for parked_id in done],
    )
    return Redriven(len(done), still)


async def discard(session: AsyncSession, caller: Caller, which: Which, *, because: str) -> int:
    """Give up exactly the chosen messages, for a reason; gives their number.

    What is parked behind them stays parked until it is re-driven: an aggregate's next whole state
    makes up for what was given up. Raises ValueError without a reason.
    """
    if not because.strip():
        raise ValueError("a message is given up for a reason: say which")
    await parking.close_gate(session)
    ids = await parking.chosen_ids(session, which)
    await parking.resolve(session, ids, state="discarded", actor=_actor(caller))
    await audit.record(
        session,
        caller,
        action="event.discarded",
        subject_type="parked",
        subject_id=[str(parked_id) for parked_id in ids],
        detail={"because": because},
    )
    return len(ids)


def _actor(caller: Caller) -> str:
    return caller.officer_id or caller.sub
