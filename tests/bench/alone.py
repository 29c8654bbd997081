"""A side of a row as a process of its own: started, waited for, its figures read from a file."""

from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Any

import orjson

from tests.bench.machine import Bench
from tests.support.waiting import until

_numbers = count(1)
LONGEST_SECONDS = 900.0


async def answer_of(
    bench: Bench, module: str, *arguments: object, env: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Run ``python -m module RESULT arguments…`` until it has written RESULT; gives what is in it.

    The process takes its own times, so that its start is not among them.
    """
    number = next(_numbers)
    name = f"{module.rsplit('.', 1)[-1]}-{number}"
    result = bench.folder / f"{name}.json"
    bench.start(name, ["-m", module, str(result), *map(str, arguments)], env)

    async def written() -> bool:
        if not result.exists():
            bench.check()
        return result.exists()

    try:
        await until(written, what=f"the figures of {name}", seconds=LONGEST_SECONDS, every=0.1)
    finally:
        await bench.stop(name)
    answer: dict[str, Any] = orjson.loads(result.read_bytes())
    return answer


def write_answer(result: str, **figures: float) -> None:
    """What a program run by ``answer_of`` ends with; the file appears whole."""
    unfinished = Path(result + ".new")
    unfinished.write_bytes(orjson.dumps(figures))
    unfinished.rename(result)
