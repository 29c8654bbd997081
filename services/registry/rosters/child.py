"""Opening workbooks in a process of their own: what unpacks, parses and judges costs no event loop.

Each piece of work gets a fresh child with bounded memory and time and without the service's
environment, so that a workbook made to hurt ends its child and nothing else, and no worker grows by
what one file needed. ``python -m services.registry.rosters.child`` is that child.
"""

import asyncio
import os
import pickle
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, ParamSpec, TypeVar

from services.registry.rosters.archive import UnusableWorkbookError

P = ParamSpec("P")
T = TypeVar("T")

MEMORY: Final = 3 * 1024**3
SECONDS: Final = 120
_AT_ONCE: Final = 1
_PASSED_ON: Final = ("PATH", "LANG", "LC_ALL", "TZ")


class BrokenChildError(RuntimeError):
    """The work failed for a reason that is not the workbook's; names the kind of error only."""


class _Turns:
    """So many children at a time a process: one semaphore for each event loop that asks."""

    def __init__(self) -> None:
        self._turns: dict[asyncio.AbstractEventLoop, asyncio.Semaphore] = {}

    def turn(self) -> asyncio.Semaphore:
        loop = asyncio.get_running_loop()
        self._turns = {known: turn for known, turn in self._turns.items() if not known.is_closed()}
        return self._turns.setdefault(loop, asyncio.Semaphore(_AT_ONCE))


_turns = _Turns()


async def run(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """``work(*args)`` in a fresh child; who stops waiting ends it.

    Raises the UnusableWorkbookError of the work, or one of its own where the workbook was too much
    for the child; BrokenChildError for a fault of ours.
    """
    asked = pickle.dumps((work, args, kwargs))
    async with _turns.turn():
        answer = await _ask(asked)
    if not answer:
        raise _too_much()
    # Only our own child writes here, and it only sends back what ``work`` returned.
    kind, value = pickle.loads(answer)  # noqa: S301
    if kind == "unusable":
        raise value
    if kind == "broken":
        raise BrokenChildError(f"{work.__name__} failed in its child: {value}")
    result: T = value
    return result


async def _ask(asked: bytes) -> bytes:
    """What the child answers; nothing when it was ended by a limit."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-m",
        __name__,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,  # a traceback could hold somebody's data
        env=_environment(),
    )
    try:
        async with asyncio.timeout(SECONDS):
            answer, _ = await process.communicate(asked)
    except TimeoutError:
        return b""
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return answer if process.returncode == 0 else b""


def _environment() -> dict[str, str]:
    """Enough to find our modules; no address, no password, no key."""
    passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    paths = [str(Path(path or ".").absolute()) for path in sys.path]
    return {**passed_on, "PYTHONPATH": os.pathsep.join(paths)}


def _too_much() -> UnusableWorkbookError:
    return UnusableWorkbookError(
        "workbook_unpacks_too_large", "工作簿内容过于庞大，无法解析。请另存为新文件后重试。"
    )


def _serve() -> None:
    """The child's life: limits, one piece of work from stdin, its result to stdout."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    work, args, kwargs = pickle.loads(sys.stdin.buffer.read())  # noqa: S301 - our parent wrote it
    answer: tuple[str, Any]
    try:
        answer = ("done", work(*args, **kwargs))
    except UnusableWorkbookError as unusable:
        answer = ("unusable", unusable)
    except MemoryError:
        answer = ("unusable", _too_much())
    except Exception as error:  # noqa: BLE001 - whatever it is, the parent says so
        answer = ("broken", type(error).__name__)
    sys.stdout.buffer.write(pickle.dumps(answer))


if __name__ == "__main__":
    _serve()
