"""Bugs planted into the consumer, each of which some schedule must bring to light."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any
from unittest.mock import patch
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from shared import applying, parking, topic_ids
from shared.consumer import Consumer, Records
from shared.parking import Arrival
from shared.producer import Place
from shared.watchdog import Watchdog

_apply, _accept = Consumer._apply, Consumer._accept
_place = Consumer._place
_pass_guard = applying._pass_guard


async def _moved_first(self: Consumer, records: Records) -> None:
    """Move the offsets in a transaction of their own, then apply."""
    following = {
        self._place_of(partition): batch[-1].offset + 1 for partition, batch in records.items()
    }
    async with self._database.transaction() as session:
        await applying.move_offsets(session, following)
    await _apply(self, records)


async def _goes_on(self: Consumer, records: Records) -> None:
    """Read on behind a batch that has failed."""
    try:
        await _apply(self, records)
    except Exception:
        self._unplaced.difference_update(records)
        raise


async def _asked_in_vain(session: AsyncSession, newest: Sequence[Arrival]) -> set[tuple[str, str]]:
    """Pass whatever the guard says."""
    await _pass_guard(session, newest)
    return {each.aggregate for each in newest}


async def _without_lock(session: AsyncSession, places: Sequence[Place]) -> dict[Place, int]:
    """Read the offsets without locking their rows."""
    stored = await applying.stored_offsets(session, [place.topic for place in places])
    return {place: stored[place] for place in places if place in stored}


def _wherever_it_reads(
    self: Consumer, records: Records, stored: Mapping[Place, int]
) -> tuple[list[Arrival], dict[Any, int]]:
    """Take records without asking whether they begin at the stored offset."""
    self._positions.update({each: stored.get(self._place_of(each), 0) for each in records})
    return _accept(self, records, stored)


def _takes_the_doubtful(
    self: Consumer, records: Records, stored: Mapping[Place, int]
) -> tuple[list[Arrival], dict[Any, int]]:
    """Take records of partitions that were assigned anew meanwhile and are not placed yet."""
    unplaced, self._unplaced = self._unplaced, set()
    try:
        return _accept(self, records, stored)
    finally:
        self._unplaced |= unplaced


async def _excused_for_ever(self: Consumer, kafka: Any) -> None:
    """Never again look whether a partition moves that was out of range once."""
    excused = set(self.progress.excused)
    await _place(self, kafka)
    self.progress.excused |= excused


async def _nothing_blocked(
    _session: AsyncSession, _aggregates: Iterable[tuple[str, str]]
) -> set[tuple[str, str]]:
    """Apply what stands behind a parked message."""
    return set()


def _never_passes(_error: BaseException) -> bool:
    """Park what only had to wait."""
    return False


async def _reads_on(
    session: AsyncSession, first: Mapping[Place, int], ids: Mapping[str, UUID]
) -> None:
    """Take the offset over into the topic that was made anew."""
    stored = await applying.stored_offsets(session, list(ids))
    await _begin_again(session, {place: stored[place] for place in first}, ids)


_begin_again = topic_ids.begin_again


async def _asks_no_ids(_self: Watchdog) -> None:
    """Never look whether the topics are still the same ones."""


Bug = Callable[[], AbstractContextManager[Any]]

BUGS: Mapping[str, tuple[Bug, str]] = {
    "offset moved before the effect": (
        lambda: patch.object(Consumer, "_apply", _moved_first),
        "had no effect",
    ),
    "read on behind a failed batch": (
        lambda: patch.object(Consumer, "_apply", _goes_on),
        "had no effect",
    ),
    "no version guard": (
        lambda: patch.object(applying, "_pass_guard", _asked_in_vain),
        "applied on",
    ),
    "offset rows not locked": (
        lambda: patch.object(applying, "lock_offsets", _without_lock),
        "goes back|parked twice",
    ),
    "position not compared with the stored offset": (
        lambda: patch.object(Consumer, "_accept", _wherever_it_reads),
        "had no effect",
    ),
    "what is not placed yet is taken": (
        lambda: patch.object(Consumer, "_accept", _takes_the_doubtful),
        "had no effect",
    ),
    "silence excused for ever": (
        lambda: patch.object(Consumer, "_place", _excused_for_ever),
        "every offset at its end",
    ),
    "what stands behind is applied": (
        lambda: patch.object(parking, "blocked", _nothing_blocked),
        "behind a parked|parked because",
    ),
    "parked instead of waited": (
        lambda: patch.object(applying, "passes", _never_passes),
        "parked because|a member fell",
    ),
    "offset of another topic read on from": (
        lambda: patch.object(topic_ids, "begin_again", _reads_on),
        "had no effect",
    ),
    "topic made anew under a member unnoticed": (
        lambda: patch.object(Watchdog, "_compare_ids", _asks_no_ids),
        "every offset at its end",
    ),
}
"""Each with what the schedule that finds it must say, as a pattern."""
