"""The one kind of error the launcher shows: a line that says what is wrong and what to do."""

import errno
from pathlib import Path


class CannotStartError(Exception):
    """Ends `make up` with its text on one line, without a traceback."""


def disk_full(where: Path) -> CannotStartError:
    """The line for a full disk, wherever it was met."""
    return CannotStartError(
        f"the disk that holds {where} is full: free at least 1 GB, or put the data elsewhere "
        f"with BANGFU_HOME=/another/folder, and start again"
    )


def is_disk_full(error: OSError) -> bool:
    """True for "no space left" and "quota exceeded"."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def from_log(name: str, log: Path, what: str) -> CannotStartError:
    """A child's failure in one line: what happened, the last telling line of its log, the file."""
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    if any("No space left on device" in line for line in lines[-40:]):
        return disk_full(log.parent)
    telling = [line for line in lines[-40:] if any(word in line for word in _TELLING)]
    said = (telling or [line for line in lines if line.strip()] or ["it wrote nothing"])[-1]
    return CannotStartError(f"{name} {what}: {said.strip()[:300]} (whole log: {log})")


_TELLING = ("FATAL", "ERROR", "Error", "error:", "Exception")
