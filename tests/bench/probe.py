"""How fast this machine is right now, on two things of which the design names the figures.

The design's measurements (2 shared vCPU) say what ``orjson.loads`` of a 460-byte object and an
``fdatasync`` cost there. A baseline that falls short of its figure is explained by these two only.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import orjson

LOADS_FIGURE_US = 0.8
FDATASYNC_FIGURE_MS = 0.11
_OBJECTS = 1000
_TIMES = 41
_BLOCK = b"x" * 8192


@dataclass(frozen=True, kw_only=True)
class Probe:
    """``loads_us``: orjson.loads of one 460-byte object. ``fdatasync_ms``: of 8 KiB appended."""

    loads_us: float
    fdatasync_ms: float

    @property
    def slowdown(self) -> float:
        """How many times slower than the figures' machine; 1 where this one is faster."""
        return max(1.0, self.loads_us / LOADS_FIGURE_US, self.fdatasync_ms / FDATASYNC_FIGURE_MS)

    def __str__(self) -> str:
        return (
            f"loads {self.loads_us:.2f} us (figure {LOADS_FIGURE_US}), fdatasync "
            f"{self.fdatasync_ms:.2f} ms (figure {FDATASYNC_FIGURE_MS}): x{self.slowdown:.2f}"
        )


def probe(folder: Path) -> Probe:
    """Measure now; ``folder`` is on the disk that the database uses. Takes about 50 ms."""
    objects = orjson.dumps([_object(number) for number in range(_OBJECTS)])
    loads = _median(lambda: orjson.loads(objects)) / _OBJECTS
    with tempfile.TemporaryFile(dir=folder) as file:
        handle = file.fileno()

        def write_through() -> None:
            os.write(handle, _BLOCK)
            os.fdatasync(handle)

        synced = _median(write_through)
    return Probe(loads_us=loads * 1e6, fdatasync_ms=synced * 1e3)


def _median(work: Callable[[], object]) -> float:
    taken = []
    for _ in range(_TIMES):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


def _object(number: int) -> dict[str, object]:
    return {
        "id": f"018f4e7a-{number:04d}-7000-8000-0123456789ab",
        "division": f"331124{number:06d}",
        "amount": number * 1.25,
        "members": [{"relation": "child", "born": "2014-05-06", "insured": True}] * 4,
        "note": "x" * 60,
    }
