"""Which schedules are played: 2,000 by themselves, SCHEDULES=50000 for more, SEED=17 for one."""

import os
from collections.abc import Iterable, Mapping

from tests.bus.schedules.schedule import Play, Schedule, run

SCHEDULES = int(os.environ.get("SCHEDULES", "2000"))


def seeds() -> Iterable[int]:
    """The seeds to be played."""
    only = os.environ.get("SEED")
    return range(SCHEDULES) if only is None else [int(only)]


def first_broken(faults: Mapping[str, float], play: Play) -> Schedule | None:
    """The first schedule in which a property does not hold."""
    for seed in seeds():
        schedule = run(Schedule(seed, faults), play)
        if schedule.violation is not None:
            return schedule
    return None


def hold(faults: Mapping[str, float], play: Play) -> None:
    """Fails with the seed, the property and the trace where a property does not hold."""
    broken = first_broken(faults, play)
    assert broken is None, (
        f"seed {broken.seed}: {broken.violation}\n{broken.trace()}\nAgain with SEED={broken.seed}"
    )
