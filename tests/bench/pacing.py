"""A steady rate, and percentiles of what came of it."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence


async def paced(per_second: int, seconds: float) -> AsyncIterator[int]:
    """0, 1, 2 … at the times of a steady rate; who is late goes on without a pause."""
    began = time.perf_counter()
    for number in range(int(per_second * seconds)):
        wait = began + number / per_second - time.perf_counter()
        if wait > 0:
            await asyncio.sleep(wait)
        yield number


def percentile(values: Sequence[float], percent: float) -> float:
    """The value that so many of a hundred do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]
