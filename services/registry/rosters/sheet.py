"""A roster's sheet: where its columns stand, which rows make up one household, how text is put in.

Pure: what reads the file is ``workbook``, and what judges the rows is ``rules``.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol
from xml.sax.saxutils import escape

from services.registry.rosters.columns import HEADER_ROWS, IDENTITY_KEYS

Cell = Any
"""What calamine gives: str, float, bool, a date, or "" for an empty cell."""

_FORBIDDEN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""No XML 1.0 document may hold these, escaped or not; a workbook with one does not open."""


class Addresses(Protocol):
    """Names the cell that something is said about, by its column's key and its row."""

    def address(self, key: str, row: int) -> str:
        """The cell, such as ``J2425``."""
        ...


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the columns stand. ``first_row`` is the first row of data, counted from 1."""

    sheet: str
    first_row: int
    index: Mapping[str, int]
    remarks_column: int
    header_rows: int = HEADER_ROWS

    def address(self, key: str, row: int) -> str:
        """The cell as Excel names it, such as ``J2425``."""
        return f"{column_letters(self.index[key])}{row}"

    @property
    def letters(self) -> dict[str, str]:
        """The column letters by key, to name cells when the sheet is closed again."""
        return {key: column_letters(column) for key, column in self.index.items()}


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the sheet: its number counted from 1, and its cells by column key."""

    number: int
    cells: Mapping[str, Cell]

    def blank(self, key: str) -> bool:
        """Whether nothing, or nothing but spaces, stands in the cell."""
        return is_blank(self.cells[key])


def column_letters(index: int) -> str:
    """0 -> A, 25 -> Z, 31 -> AF."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def is_blank(cell: Cell) -> bool:
    """Whether nothing, or nothing but spaces, stands in the cell."""
    return cell == "" or cell is None or (isinstance(cell, str) and not cell.strip())


def each_household(rows: Iterator[Row]) -> Iterator[list[Row]]:
    """The rows of one household after the other.

    A household begins where 序号, 乡镇, 村 or 户主姓名 is filled anew. Where somebody took the
    merged cells apart and copied the values down, equal values do not begin a new one.
    """
    household: list[Row] = []
    for row in rows:
        if household and _begins_anew(row, household[0]):
            yield household
            household = []
        household.append(row)
    if household:
        yield household


def _begins_anew(row: Row, first: Row) -> bool:
    filled = [key for key in IDENTITY_KEYS if not row.blank(key)]
    if not filled:
        return False
    if row.blank("serial"):
        return True
    return any(row.cells[key] != first.cells[key] for key in filled)


def household_cell(rows: Sequence[Row], key: str) -> tuple[Cell, Row, bool]:
    """A household's value in column ``key``, the row it stands in, and whether rows contradict.

    In merged cells the value stands in the first row; unmerged ones may repeat it below.
    """
    filled = [row for row in rows if not row.blank(key)]
    if not filled:
        return "", rows[0], False
    contradict = len(filled) > 1 and len({repr(row.cells[key]) for row in filled}) > 1
    return filled[0].cells[key], filled[0], contradict


def escaped(text: str) -> str:
    """``text`` for an inline string: markup escaped, characters that XML forbids left out."""
    if text.isalnum():
        return text  # most are: nothing in them is markup or forbidden
    return escape(_FORBIDDEN.sub("", text))
