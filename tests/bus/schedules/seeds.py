"""Which schedules are played: 2,000 by themselves, SCHEDULES=50000 for more, SEED=17 for one."""

import os
from collections.abc import Iterable, Mapping

from tests.bus.schedules.schedule import Play, Schedule, run

USUAL = range(2_000)
"""A planted bug must be found among these, whatever is asked for."""


def hold(faults: Mapping[str, float], play: Play) -> None:
    """Fails with the seed, the property and the trace where a property does not hold."""
    seed = os.environ.get("SEED")
    more = range(int(os.environ.get("SCHEDULES", len(USUAL))))
    broken = first_broken(faults, play, more if seed is None else [int(seed)])
    assert broken is None, (
        f"seed {broken.seed}: {broken.violation}\n{broken.trace()}\nAgain with SEED={broken.seed}"
    )


def first_broken(
    faults: Mapping[str, float], play: Play, seeds: Iterable[int] = USUAL
) -> Schedule | None:
    """The first schedule in which a property does not hold."""
    for seed in seeds:
        schedule = run(Schedule(seed, faults), play)
        if schedule.violation is not None:
            return schedule
    return None
