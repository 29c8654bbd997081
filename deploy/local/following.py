"""The other bureaus after the sample roster: wait until each has opened its cases, and tell them.

Each service is asked through its own API; a service that lags too long is told as it stands.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from deploy.local.progress import Step

_FOLLOW_SECONDS = 120.0

Ask = Callable[[str, str, str], Awaitable[Any]]
"""``ask(service, path, scope)``: a service's figures of the sample county."""

QUESTIONS = {
    "housing": ("/v1/dwellings/summary", "housing.surveys:read"),
    "education": ("/v1/students/summary", "education.students:read"),
    "employment": ("/v1/labour-profiles/summary", "employment.labour:read"),
    "notify": ("/v1/figures", "notify.figures:read"),
}


async def until_all_follow(ask: Ask, households: int, step: Step) -> Iterator[str]:
    """Wait until ``households`` have gone through every service; their figures, a line each."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _FOLLOW_SECONDS
    while True:
        seen = {service: await ask(service, *asked) for service, asked in QUESTIONS.items()}
        done = _done(seen)
        step.tell(done, households)
        if done >= households or loop.time() > deadline:
            return _told(seen, households - done)
        await asyncio.sleep(0.3)


def _done(seen: dict[str, Any]) -> int:
    """How far the slowest is: education and employment state a guarantee for every household."""
    stated = {
        row["kind"]: row["met"] + row["not_met"]
        for row in seen["notify"]["guarantees"]
        if row["kind"] in {"education", "employment"}
    }
    known = sum(row["households"] for row in seen["notify"]["households"])
    parts = (seen["housing"]["households"], known, *stated.values())
    return min(parts) if len(stated) == 2 else 0


def _told(seen: dict[str, Any], missing: int) -> Iterator[str]:
    housing, labour = seen["housing"], seen["employment"]
    yield f"housing   {housing['grade_c']:,} C-grade and {housing['grade_d']:,} D-grade houses"
    yield f"education {seen['education']['enrolled']:,} student files"
    yield (
        f"employ.   {labour['profiles']:,} labour profiles, "
        f"{labour['zero_employment_open']:,} zero-employment households"
    )
    if missing > 0:
        yield f"          ! {missing:,} households have not reached every service: see their logs"
