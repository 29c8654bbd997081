"""The full roster of a division as one wide sheet: read and written page after page.

A page of households is all that is held of them; the next one is read while this one is written,
each in a transaction of its own, because a stream outlives its request.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing
from datetime import date
from itertools import groupby
from operator import itemgetter
from typing import Any, Final
from uuid import UUID

from services.registry.rosters import packing, wide_queries, wide_values
from services.registry.rosters.packing import HEADER, MAIN, SUBTITLE, TITLE, Sheet, Value
from services.registry.rosters.sheet import column_letters, escaped
from services.registry.rosters.wide_columns import SHEET, WIDE, Kind, WideColumn
from services.registry.rosters.wide_queries import Page
from services.registry.rosters.wide_values import Look
from shared.db import Database

FIRST_ROW: Final = 5
"""Below a title, a line that says whose roster it is, and two header rows."""

_LAST: Final = column_letters(len(WIDE) - 1)
_WIDTHS: Final[Mapping[Kind, int]] = {Kind.WORDS: 12, Kind.CODE: 21, Kind.DAY: 12, Kind.MONEY: 14}
_NUMBER: Final = "\0"
"""Stands in a cell where the row's number goes; no text of a workbook can hold it."""


def workbook(
    title: str,
    stated: str,
    database: Database,
    division: str,
    look: Look,
    *,
    divisions: Sequence[str],
) -> AsyncGenerator[bytes]:
    """The bytes of an .xlsx with the people of ``division``, as far as ``divisions`` cover it.

    Files that are closed are left out, and so are those that nobody stands in any more.
    """
    writing = _Writing(look)

    async def rows() -> AsyncGenerator[str]:
        async with aclosing(_pages(database, division, divisions, look.on)) as pages:
            async for page in pages:
                yield await asyncio.to_thread(writing.page, page)

    return packing.workbook(Sheet(SHEET, _sheet_head(title, stated), rows(), writing.tail))


async def _pages(
    database: Database, division: str, divisions: Sequence[str], today: date
) -> AsyncGenerator[Page]:
    """Every page of the division; the next one is on its way while one is in use."""

    async def read(after: UUID | None) -> Page:
        async with database.transaction(divisions=divisions) as session:
            return await wide_queries.page(
                session, division, divisions=divisions, after=after, today=today
            )

    ahead = asyncio.create_task(read(None))
    try:
        while (page := await ahead).households:
            ahead = asyncio.create_task(read(page.households[-1]["household_id"]))
            yield page
    finally:
        ahead.cancel()
        await asyncio.gather(ahead, return_exceptions=True)


class _Writing:
    """Writes pages one after the other, counting households and rows."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self._serial = 0
        self._row = FIRST_ROW

    def page(self, page: Page) -> str:
        """The rows of a page; pure but for the counting, so that it may run in a thread."""
        people = defaultdict(list)
        for person in page.people:
            people[person["household_id"]].append(person)
        return "".join(
            row
            for household in page.households
            for row in self._household(household, people[household["household_id"]])
        )

    def _household(self, household: Any, people: Sequence[Any]) -> Iterator[str]:
        if not people:
            return
        self._serial += 1
        own = wide_values.household(household, people, self._serial, self._look)
        before, after = (_cells(columns, own) for columns in (_BEFORE, _AFTER))
        for person in people:
            cells = before + _cells(_PERSON, wide_values.person(person, self._look)) + after
            number = str(self._row)
            yield f'<row r="{number}">{cells.replace(_NUMBER, number)}</row>'
            self._row += 1

    def tail(self) -> str:
        """A filter over all that was written, and what is merged: never a row of people."""
        ranges = [f"A1:{_LAST}1", f"A2:{_LAST}2"]
        ranges += [f"{column_letters(first)}3:{column_letters(last)}3" for first, last in _blocks()]
        merged = "".join(f'<mergeCell ref="{one}"/>' for one in ranges)
        last = max(self._row - 1, FIRST_ROW - 1)
        return (
            f'</sheetData><autoFilter ref="A{FIRST_ROW - 1}:{_LAST}{last}"/>'
            f'<mergeCells count="{len(ranges)}">{merged}</mergeCells></worksheet>'
        )


class _Columns:
    """Columns side by side: how each one's cell begins, and all of their values at once."""

    def __init__(self, columns: Iterable[tuple[int, WideColumn]]) -> None:
        held = list(columns)
        self.values = itemgetter(*(column.key for _, column in held))
        self.starts = [
            f'<c r="{column_letters(at)}{_NUMBER}"' + _style(column.kind) for at, column in held
        ]


def _style(kind: Kind) -> str:
    return f' s="{kind.value}"' if kind.value is not None else ""


_OWN = [(at, column) for at, column in enumerate(WIDE) if not column.of_person]
_PERSON = _Columns((at, column) for at, column in enumerate(WIDE) if column.of_person)
_FIRST_OF_PERSON = next(at for at, column in enumerate(WIDE) if column.of_person)
_BEFORE = _Columns((at, column) for at, column in _OWN if at < _FIRST_OF_PERSON)
_AFTER = _Columns((at, column) for at, column in _OWN if at > _FIRST_OF_PERSON)


def _cells(columns: _Columns, values: Mapping[str, Value]) -> str:
    """The cells of a row, each with a mark for the row's number; an empty one is left out."""
    return "".join(map(_cell, columns.starts, columns.values(values)))


def _cell(start: str, value: Value) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, str):
        text = escaped(value)
        return f'{start} t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'
    return f"{start}><v>{packing.number(value)}</v></c>"


def _sheet_head(title: str, stated: str) -> str:
    """The sheet up to its first person: frozen headers, widths, titles, two header rows."""
    widths = "".join(
        f'<col min="{at}" max="{at}" width="{_WIDTHS[column.kind]}" customWidth="1"/>'
        for at, column in enumerate(WIDE, start=1)
    )
    every: dict[int, Value] = dict.fromkeys(range(len(WIDE)), None)
    blocks = {at: WIDE[at].block for at, _ in _blocks()}
    heads = [
        packing.row(1, {0: title}, TITLE),
        packing.row(2, {0: stated}, SUBTITLE),
        packing.row(3, every | blocks, HEADER),
        packing.row(4, {at: column.title for at, column in enumerate(WIDE)}, HEADER),
    ]
    return (
        f'<worksheet xmlns="{MAIN}"><sheetViews><sheetView workbookViewId="0"><pane '
        f'ySplit="{FIRST_ROW - 1}" topLeftCell="A{FIRST_ROW}" activePane="bottomLeft" '
        f'state="frozen"/></sheetView></sheetViews><cols>{widths}</cols><sheetData>{"".join(heads)}'
    )


def _blocks() -> Iterator[tuple[int, int]]:
    """First and last column of every block."""
    for _, columns in groupby(enumerate(WIDE), key=lambda pair: pair[1].block):
        places = [at for at, _ in columns]
        yield places[0], places[-1]
