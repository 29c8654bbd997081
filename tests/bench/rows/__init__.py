"""The rows of the table: each module here gives ``ROWS``, a tuple of ``tests.bench.row.Row``."""

import importlib
import pkgutil
from collections.abc import Sequence

from tests.bench.row import Row

ORDER = ("write", "read", "relay", "apply", "bulk", "export", "recalculation", "propagation")
"""The modules in the order of the table."""


def known() -> list[Row]:
    """Every row of every module in this folder, in the table's order."""
    found = {module.name for module in pkgutil.iter_modules(__path__)}
    names = [name for name in ORDER if name in found] + sorted(found.difference(ORDER))
    return [row for name in names for row in importlib.import_module(f"{__name__}.{name}").ROWS]


def picked(rows: Sequence[Row], wanted: Sequence[str]) -> list[Row]:
    """The rows that ``wanted`` names, by name or by module (``propagation`` is all of its rows).

    Nothing named, or nothing but ``growth``: all rows. Raises ValueError for an unknown name.
    """
    names = [name for name in wanted if name != "growth"]
    for name in names:
        if not any(row.answers_to(name) for row in rows):
            known_names = ", ".join([*(row.name for row in rows), "growth"])
            raise ValueError(f"BENCH names {name!r}, which is no row: take one of {known_names}")
    return [row for row in rows if not names or any(row.answers_to(name) for name in names)]
