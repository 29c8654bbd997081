"""What clients meant to do and what they were answered, on disk before anything follows from it."""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

Outcome = Literal["acknowledged", "refused", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation; its id is the correlation id that the source keeps with what it did.

    ``aborts`` is rolled back on purpose; ``poison`` makes a household that notify cannot store.
    """

    op: str
    kind: str
    subject: str = ""
    aborts: bool = False
    poison: bool = False


@dataclass(slots=True)
class Entry:
    """An operation and what became of it: without an outcome it stays unknown."""

    operation: Operation
    outcome: Outcome = "unknown"
    status: int = 0
    version: int = 0


class Journal:
    """Appends lines that are on disk when the call returns."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def intend(self, operation: Operation) -> None:
        """Before the first try."""
        self._append({"intent": asdict(operation)})

    def answer(self, op: str, outcome: Outcome, *, status: int = 0, version: int = 0) -> None:
        """A definite answer; ``version`` is the one that the answer names."""
        self._append({"op": op, "outcome": outcome, "status": status, "version": version})

    def _append(self, line: dict[str, Any]) -> None:
        os.write(self._file, json.dumps(line).encode() + b"\n")
        os.fdatasync(self._file)

    def __enter__(self) -> Self:
        """The journal itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file."""
        os.close(self._file)


def read(path: Path) -> dict[str, Entry]:
    """Every operation of a journal by its id."""
    entries: dict[str, Entry] = {}
    for line in _lines(path):
        if "intent" in line:
            operation = Operation(**line["intent"])
            entries[operation.op] = Entry(operation)
        else:
            entry = entries[line["op"]]
            entry.outcome, entry.status = line["outcome"], line["status"]
            entry.version = line["version"]
    return entries


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open() as file:
        for line in file:
            yield json.loads(line)
