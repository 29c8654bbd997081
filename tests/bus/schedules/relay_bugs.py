"""Bugs planted into the relay, each of which some schedule must bring to light."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any
from unittest.mock import patch

from shared import relay
from shared.floor import Floor
from shared.producer import Outcome, Place, Producer, Record
from shared.relay import Relay
from shared.waiting import pause


async def _believe(
    _self: Producer,
    waiting: Mapping[asyncio.Future[Any], tuple[Place, list[int]]],
    _left: float,
    outcome: Outcome,
) -> None:
    """Count as acknowledged what is only on its way."""
    for _, included in waiting.values():
        outcome.acknowledged.extend(included)
    await asyncio.sleep(0)


_build = Producer._build


def _all_of(self: Producer, records: Sequence[Record]) -> tuple[Any, list[int]]:
    """Count what did not fit into the batch as part of it."""
    builder, _ = _build(self, records)
    return builder, [record.outbox_id for record in records]


async def _recover(self: Relay, outcome: Outcome) -> None:
    """Go on with the producer whose send has failed."""
    self._failures += 1
    await pause(self._stop, 0.05)
    del outcome


async def _held_raises(self: Relay, connection: Any, floor: Floor) -> int:
    """Let the floor rise although rows of held partitions were not looked at."""
    proven = floor.proven
    sent = await _round(self, connection, floor)
    if proven is not None:
        floor.drained(proven, covered=None)
    return sent


_round = Relay._round


class Cursor(Floor):
    """The floor as a cursor: past whatever was seen."""

    def saw(self, outbox_id: int) -> None:
        """Go on after it."""
        self.value = max(self.value, outbox_id)


class Hasty(Floor):
    """A floor that draws a number and then waits for nobody below it."""

    def observe(self, *, xmin: int, bound: int | None) -> None:
        """Settled at once."""
        super().observe(xmin=xmin, bound=bound)
        super().observe(xmin=1 << 62, bound=None)


BY_XMAX = """
    SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS xmin,
           CASE WHEN $1 THEN pg_snapshot_xmax(pg_current_snapshot())::text::bigint END AS bound
"""

BLIND_AHEAD = relay._LOOK.format(wanted="id > $1 AND $4 <= $5")
"""Does not look whether a row has appeared below the round under way."""


async def _sends_what_it_read(self: Relay, connection: Any, floor: Floor) -> int:
    """Send what was read ahead although something of the round before it is left."""
    read: list[relay._Look | None] = []

    async def kept(*given: Any) -> relay._Look | None:
        read.append(await _look_ahead(self, *given))
        return read[0]

    with patch.object(self, "_look_ahead", kept):
        sent = await _round(self, connection, floor)
    self._ahead = self._ahead or next(iter(read), None)
    return sent


_look_ahead = Relay._look_ahead

Bug = Callable[[], AbstractContextManager[Any]]

BUGS: Mapping[str, tuple[Bug, str]] = {
    "deleted before the acknowledgement": (
        lambda: patch.object(Producer, "_collect", _believe),
        "without its acknowledgement",
    ),
    "more deleted than the batch held": (
        lambda: patch.object(Producer, "_build", _all_of),
        "without its acknowledgement",
    ),
    "producer kept after a failed send": (
        lambda: patch.object(Relay, "_recover", _recover),
        "outbox empty",
    ),
    "cursor for a floor": (
        lambda: patch.object(relay, "Floor", Cursor),
        "below|arrived after|outbox empty",
    ),
    "floor waits for nobody": (lambda: patch.object(relay, "Floor", Hasty), "below"),
    "floor by xmax": (lambda: patch.object(relay, "_SNAPSHOT", BY_XMAX), "below"),
    "floor rises over held partitions": (
        lambda: patch.object(Relay, "_round", _held_raises),
        "arrived after|outbox empty",
    ),
    "reads ahead over a row below": (
        lambda: patch.object(relay, "_FETCH_AHEAD", BLIND_AHEAD),
        "arrived after|outbox empty",
    ),
    "what was read ahead overtakes what is left": (
        lambda: patch.object(Relay, "_round", _sends_what_it_read),
        "arrived after|outbox empty",
    ),
}
"""Each with what the schedule that finds it must say, as a pattern."""
