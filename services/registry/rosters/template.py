"""A roster written out in the county's own template, streamed: no part of it is ever held whole.

Titles, two header rows and the household's cells merged over its people, as offices know it.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from services.registry.rosters import packing
from services.registry.rosters.columns import COLUMNS, SHEET
from services.registry.rosters.packing import CELL, HEADER, MAIN, SUBTITLE, TITLE, Sheet, Value, row
from services.registry.rosters.sheet import column_letters

_WIDE: Final = {"id_number": 22, "account": 24, "phone": 14, "village": 18, "disability": 12}
_LAST: Final = column_letters(len(COLUMNS) - 1)


@dataclass(frozen=True, slots=True)
class Written:
    """One household as cells: its own by column key, and those of each of its people."""

    household: Mapping[str, Value]
    people: Sequence[Mapping[str, Value]]


def workbook(
    title: str, subtitle: str, pages: AsyncIterator[Sequence[Written]]
) -> AsyncGenerator[bytes]:
    """The bytes of an .xlsx with these households, page after page."""
    merged = _Merged()

    async def rows() -> AsyncGenerator[str]:
        async for page in pages:
            yield "".join(_household(one, merged) for one in page)

    def tail() -> str:
        return f"</sheetData>{merged.xml()}</worksheet>"

    return packing.workbook(Sheet(SHEET, _head(title, subtitle, merged), rows(), tail))


class _Merged:
    """Where the next row goes and which cells are merged, kept as two numbers a household."""

    def __init__(self) -> None:
        self.next_row = 1
        self.headers: list[str] = []
        self._households: list[tuple[int, int]] = []

    def add(self, first: int, last: int) -> None:
        if last > first:
            self._households.append((first, last))

    def xml(self) -> str:
        letters = [column_letters(at) for at, one in enumerate(COLUMNS) if one.of_household]
        ranges = self.headers + [
            f"{letter}{first}:{letter}{last}"
            for first, last in self._households
            for letter in letters
        ]
        cells = "".join(f'<mergeCell ref="{one}"/>' for one in ranges)
        return f'<mergeCells count="{len(ranges)}">{cells}</mergeCells>'


def _head(title: str, subtitle: str, merged: _Merged) -> str:
    """The sheet up to its first household: widths, two title rows, two header rows."""
    widths = "".join(
        f'<col min="{at}" max="{at}" width="{_WIDE.get(column.key, 11)}" customWidth="1"/>'
        for at, column in enumerate(COLUMNS, start=1)
    )
    merged.headers += [f"A1:{_LAST}1", f"A2:{_LAST}2", *_merged_headers()]
    upper = {
        at: column.group or column.title
        for at, column in enumerate(COLUMNS)
        if column.group is None or COLUMNS[at - 1].group != column.group
    }
    lower = {at: column.title for at, column in enumerate(COLUMNS) if column.group}
    every = dict.fromkeys(range(len(COLUMNS)), None)
    rows = [
        row(1, {0: title}, TITLE),
        row(2, {0: subtitle}, SUBTITLE),
        row(3, {**every, **upper}, HEADER),
        row(4, {**every, **lower}, HEADER),
    ]
    merged.next_row = 5
    return f'<worksheet xmlns="{MAIN}"><cols>{widths}</cols><sheetData>{"".join(rows)}'


def _merged_headers() -> list[str]:
    """A column without a group is merged downwards, a group across its columns."""
    ranges = []
    for group, columns in groupby(enumerate(COLUMNS), key=lambda pair: pair[1].group):
        letters = [column_letters(at) for at, _ in columns]
        if group is None:
            ranges += [f"{letter}3:{letter}4" for letter in letters]
        else:
            ranges.append(f"{letters[0]}3:{letters[-1]}3")
    return ranges


def _household(household: Written, merged: _Merged) -> str:
    first = merged.next_row
    rows = []
    for at, person in enumerate(household.people):
        own: Mapping[str, Value] = household.household if at == 0 else {}
        values = {at: {**own, **person}.get(column.key) for at, column in enumerate(COLUMNS)}
        rows.append(row(first + at, values, CELL))
    merged.next_row = first + len(rows)
    merged.add(first, merged.next_row - 1)
    return "".join(rows)
