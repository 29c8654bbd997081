"""Six bugs of well-known event paths, planted one at a time to prove that the ledger sees them.

Run as ``python -m tests.ledger.planted BUG services.relief.worker``: the bug goes in, then the
service's own worker runs. The sixth, a client that tries again with a new key, is the load's own.
"""

import asyncio
import runpy
import sys
from collections.abc import Callable, Sequence
from typing import Any

from shared import applying, consumer, floor, household_copy, relay
from shared.applying import Tally

FORGETFUL_CLIENT = "ack lost, retried without key"


def offset_before_apply() -> None:
    """The offsets are stored first, in a transaction of their own: what is killed then is lost."""

    async def apply(self: Any, records: Any) -> None:
        async with self._database.transaction() as session:
            places = [self._place_of(partition) for partition in records]
            stored = await applying.lock_offsets(session, places)
            arrivals, following = self._accept(records, stored)
            moved = {self._place_of(tp): offset for tp, offset in following.items()}
            if moved:
                await applying.move_offsets(session, moved)
        self._positions.update(following)
        await asyncio.sleep(0.2)
        async with self._database.transaction() as session:
            tally = await self._applier.take(session, arrivals) if arrivals else Tally()
        self._count(tally)

    consumer.Consumer._apply = apply  # type: ignore[method-assign]


def delete_before_ack() -> None:
    """Rows leave the outbox when they are handed over, not when Kafka has them."""
    send = relay.Relay._send

    async def deletes_first(self: Any, rows: Sequence[Any]) -> Any:
        await self._planted.execute(relay._DELETE, [row["id"] for row in rows])
        await asyncio.sleep(0.2)  # so that a kill nearly always finds rows under way
        return await send(self, rows)

    publish = relay.Relay._publish

    async def with_session(self: Any, connection: Any, stop: Any) -> None:
        self._planted = connection
        await publish(self, connection, stop)

    relay.Relay._send = deletes_first  # type: ignore[method-assign]
    relay.Relay._publish = with_session  # type: ignore[method-assign]


def skip_locked() -> None:
    """Two relays at once, each taking the next free rows."""
    publish = relay.Relay._publish

    async def one_round(self: Any, connection: Any, floor: Any) -> int:
        async with connection.transaction():
            rows = await connection.fetch(
                "SELECT id FROM outbox ORDER BY id LIMIT 20 FOR UPDATE SKIP LOCKED"
            )
            if not rows:
                return 0
            first, last = rows[0]["id"], rows[-1]["id"]
            query = relay._FETCH.replace("id > $1", f"id BETWEEN {first} AND {last}")
            mine = {row["id"] for row in rows}
            found = [
                row
                for row in await connection.fetch(
                    query.replace("$2", "2000").replace("$3", "$1").replace("$4", "$2"),
                    relay.BYTES_A_ROUND,
                    [],
                )
                if row["id"] in mine
            ]
            outcome = await self._send(found)
            await connection.execute(relay._DELETE, outcome.acknowledged)
            return len(outcome.acknowledged)

    async def everyone(self: Any, connection: Any, stop: Any) -> None:
        await connection.execute("SELECT pg_advisory_unlock_all()")
        await publish(self, connection, stop)

    relay.Relay._round = one_round  # type: ignore[method-assign]
    relay.Relay._publish = everyone  # type: ignore[method-assign]


def cursor_without_floor() -> None:
    """What lies below the highest id seen is never looked at again."""

    def saw(self: Any, outbox_id: int) -> None:
        self.value = max(self.value, outbox_id)

    floor.Floor.saw = saw  # type: ignore[method-assign]
    floor.Floor.proven = property(lambda _self: None)  # type: ignore[method-assign, assignment]
    floor.Floor.seeks_bound = property(lambda _self: False)  # type: ignore[method-assign, assignment]


def no_version_guard() -> None:
    """Whatever comes is applied, also what is older than what is there."""

    def unguarded(statement: str) -> str:
        lines = statement.splitlines()
        return "\n".join(line for line in lines if ".version < excluded.version" not in line)

    applying._GUARD = unguarded(applying._GUARD)
    household_copy._TAKE = unguarded(household_copy._TAKE)


BUGS: dict[str, Callable[[], None]] = {
    "offset moved before apply": offset_before_apply,
    "delete before ack": delete_before_ack,
    "skip locked with two workers": skip_locked,
    "sequence cursor without floor": cursor_without_floor,
    "no version guard": no_version_guard,
}
PROVOKED_BY = {
    "offset moved before apply": ("kill consumer",),
    "delete before ack": ("kill relay owner",),
    "skip locked with two workers": ("kill broker",),
    "sequence cursor without floor": ("kill standby",),
    "no version guard": ("replay of every version", "kill relay owner"),
    FORGETFUL_CLIENT: ("lost answers", "kill api"),
}
"""The faults that bring each bug to light."""
TOLD_BY = {
    "offset moved before apply": "C",
    "delete before ack": "B",
    "skip locked with two workers": "B",
    "sequence cursor without floor": "B",
    "no version guard": "C",
    FORGETFUL_CLIENT: "A",
}
"""The check that must name each bug: any other red is no proof."""


def main() -> None:
    """Plant the bug named first and run the module named second."""
    BUGS[sys.argv[1]]()
    runpy.run_module(sys.argv[2], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
