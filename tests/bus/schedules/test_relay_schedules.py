"""Whatever the order in which things fail: the relay skips nothing, and sends in order.

Every committed event reaches the broker, a row is deleted only after an acknowledgement of its own
record, an aggregate's first copies come in the order of their versions, and no row appears below
the floor.
"""

import re

import pytest

from tests.bus.schedules import relay_bugs, relay_schedule
from tests.bus.schedules.schedule import Schedule, run
from tests.bus.schedules.seeds import first_broken, hold


def test_every_schedule_is_kept() -> None:
    hold(relay_schedule.FAULTS, relay_schedule.play)


@pytest.mark.parametrize("bug", relay_bugs.BUGS)
def test_a_planted_bug_is_found(bug: str) -> None:
    plant, telling = relay_bugs.BUGS[bug]
    with plant():
        broken = first_broken(relay_schedule.FAULTS, relay_schedule.play)
    assert broken is not None
    assert re.search(telling, str(broken.violation))


def test_a_seed_gives_the_same_schedule_again() -> None:
    for seed in range(20):
        first, second = (
            run(Schedule(seed, relay_schedule.FAULTS), relay_schedule.play).trace()
            for _ in range(2)
        )
        assert first == second
