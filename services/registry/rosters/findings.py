"""Reading cells of one household while collecting every fault: nothing stops at the first one."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TypeVar

from services.registry.rosters import cells
from services.registry.rosters.columns import BY_KEY, Severity
from services.registry.rosters.facts import Finding
from services.registry.rosters.sheet import Addresses, Cell, Row, household_cell

T = TypeVar("T")


class Reader:
    """The cells of one household and what was found in them so far."""

    def __init__(self, layout: Addresses, rows: Sequence[Row]) -> None:
        self.rows = rows
        self.found: list[Finding] = []
        self._layout = layout

    @property
    def rejected(self) -> bool:
        """Whether something found so far refuses the household."""
        return any(one.severity is Severity.REJECT for one in self.found)

    def reject(self, key: str, row: Row, code: str, message: str) -> None:
        """Refuse the household for this cell."""
        self._add(key, row, code, message, Severity.REJECT)

    def warn(self, key: str, row: Row, code: str, message: str) -> None:
        """Ask for a look at this cell."""
        self._add(key, row, code, message, Severity.WARN)

    def note(self, key: str, row: Row, code: str, message: str) -> None:
        """Tell of this cell, nothing more."""
        self._add(key, row, code, message, Severity.NOTE)

    def _add(self, key: str, row: Row, code: str, message: str, severity: Severity) -> None:
        told = f"{BY_KEY[key].label}：{message}"
        cell = self._layout.address(key, row.number)
        self.found.append(Finding(cell=cell, code=code, message=told, severity=severity))

    def of_member(self, row: Row, key: str, read: Callable[[Cell], T]) -> T | None:
        """A member's cell through ``read``; None, and a finding, where it cannot be read."""
        return self._tried(key, row, row.cells[key], read)

    def of_household(self, key: str, read: Callable[[Cell], T]) -> T | None:
        """A household's cell through ``read``; rows that contradict each other are a fault."""
        cell, row, contradicts = household_cell(self.rows, key)
        if contradicts:
            self.reject(key, row, "household_value_twice", "同一户的各行填了不同的值，请合并或统一")
            return None
        return self._tried(key, row, cell, read)

    def row_of(self, key: str) -> Row:
        """The row a household's value stands in, for findings about it."""
        return household_cell(self.rows, key)[1]

    def money(self, key: str, *, may_be_negative: bool = False) -> Decimal:
        """A household's yuan; an empty cell counts as 0 and warns, a negative one refuses."""
        known = len(self.found)
        value = self.of_household(key, cells.amount)
        if value is None:
            if len(self.found) == known:
                self.warn(key, self.row_of(key), "amount_missing", "未填写，按 0 计")
            return Decimal(0)
        if value < 0 and not may_be_negative:
            self.reject(key, self.row_of(key), "number_negative", "不能为负数")
        return value

    def _tried(self, key: str, row: Row, cell: Cell, read: Callable[[Cell], T]) -> T | None:
        try:
            return read(cell)
        except cells.UnreadableCellError as unreadable:
            self.reject(key, row, unreadable.code, unreadable.message)
            return None
