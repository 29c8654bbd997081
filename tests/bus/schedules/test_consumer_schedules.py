"""Whatever the order in which things fail: every record has its effect once, or is parked.

Final versions stand and no version goes back; offsets only rise and pass nothing that had no
effect; what is parked is the planted poison and what stands behind it.
"""

import re

import pytest

from tests.bus.schedules import consumer_bugs, consumer_schedule
from tests.bus.schedules.schedule import Schedule, run
from tests.bus.schedules.seeds import first_broken, hold


def test_every_schedule_is_kept() -> None:
    hold(consumer_schedule.FAULTS, consumer_schedule.play)


@pytest.mark.parametrize("bug", consumer_bugs.BUGS)
def test_a_planted_bug_is_found(bug: str) -> None:
    plant, telling = consumer_bugs.BUGS[bug]
    with plant():
        broken = first_broken(consumer_schedule.FAULTS, consumer_schedule.play)
    assert broken is not None
    assert re.search(telling, str(broken.violation))


def test_a_seed_gives_the_same_schedule_again() -> None:
    for seed in range(20):
        first, second = (
            run(Schedule(seed, consumer_schedule.FAULTS), consumer_schedule.play).trace()
            for _ in range(2)
        )
        assert first == second
