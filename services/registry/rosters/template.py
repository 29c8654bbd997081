"""A roster written out in the county's own template, streamed: no part of it is ever held whole.

Titles, two header rows and the household's cells merged over its people, as offices know it. Every
text is an inline string, so that nothing somebody typed can become a formula. xlsxwriter cannot
merge downwards in its constant memory, and keeps its rows in files on the disk; hence by hand.
"""

import io
import zipfile
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from typing import Final

from services.registry.rosters.columns import COLUMNS, SHEET
from services.registry.rosters.sheet import column_letters, escaped

Value = str | int | Decimal | None

MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_XML: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_TITLE, _SUBTITLE, _HEADER, _CELL = 1, 2, 3, 4
_WIDE: Final = {"id_number": 22, "account": 24, "phone": 14, "village": 18, "disability": 12}
_LAST: Final = column_letters(len(COLUMNS) - 1)

_PARTS: Final[Mapping[str, str]] = {
    "[Content_Types].xml": (
        f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" ContentType='
        '"application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPE}.worksheet+xml"/>'
        "</Types>"
    ),
    "_rels/.rels": (
        f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
        f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
    ),
    "xl/workbook.xml": (
        f'<workbook xmlns="{MAIN}" xmlns:r="{_OFFICE}"><sheets>'
        f'<sheet name="{SHEET}" sheetId="1" r:id="rId1"/></sheets></workbook>'
    ),
    "xl/_rels/workbook.xml.rels": (
        f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="rId2" Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>'
    ),
    "xl/styles.xml": (
        f'<styleSheet xmlns="{MAIN}"><fonts count="3"><font><sz val="11"/><name val="宋体"/></font>'
        '<font><b/><sz val="18"/><name val="宋体"/></font>'
        '<font><b/><sz val="11"/><name val="宋体"/></font></fonts>'
        '<fills count="2"><fill><patternFill patternType="none"/></fill>'
        '<fill><patternFill patternType="gray125"/></fill></fills>'
        '<borders count="2"><border><left/><right/><top/><bottom/><diagonal/></border><border>'
        '<left style="thin"/><right style="thin"/><top style="thin"/><bottom style="thin"/>'
        "<diagonal/></border></borders>"
        '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/>'
        '</cellStyleXfs><cellXfs count="5">'
        '<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
        '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1" '
        'applyAlignment="1"><alignment horizontal="center"/></xf>'
        '<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
        '<xf numFmtId="0" fontId="2" fillId="0" borderId="1" xfId="0" applyFont="1" '
        'applyBorder="1" applyAlignment="1"><alignment horizontal="center" vertical="center" '
        'wrapText="1"/></xf>'
        '<xf numFmtId="49" fontId="0" fillId="0" borderId="1" xfId="0" applyNumberFormat="1" '
        'applyBorder="1" applyAlignment="1"><alignment horizontal="center" vertical="center" '
        'wrapText="1"/></xf></cellXfs><cellStyles count="1">'
        '<cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
    ),
}


@dataclass(frozen=True, slots=True)
class Written:
    """One household as cells: its own by column key, and those of each of its people."""

    household: Mapping[str, Value]
    people: Sequence[Mapping[str, Value]]


class _Sink(io.RawIOBase):
    """Where the zip is written to; what has gathered is taken out again and again."""

    def __init__(self) -> None:
        super().__init__()
        self._gathered: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override] # bytes is all that zipfile writes
        self._gathered.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        taken, self._gathered = b"".join(self._gathered), []
        return taken


async def workbook(
    title: str, subtitle: str, pages: AsyncIterator[Sequence[Written]]
) -> AsyncIterator[bytes]:
    """The bytes of an .xlsx with these households, page after page."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, xml in _PARTS.items():
            archive.writestr(name, _XML + xml)
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            merged = _Merged()
            sheet.write(_head(title, subtitle, merged).encode())
            async for page in pages:
                sheet.write("".join(_household(one, merged) for one in page).encode())
                yield sink.take()
            sheet.write(f"</sheetData>{merged.xml()}</worksheet>".encode())
    yield sink.take()


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
        _row(1, {0: title}, _TITLE),
        _row(2, {0: subtitle}, _SUBTITLE),
        _row(3, {**every, **upper}, _HEADER),
        _row(4, {**every, **lower}, _HEADER),
    ]
    merged.next_row = 5
    return f'{_XML}<worksheet xmlns="{MAIN}"><cols>{widths}</cols><sheetData>{"".join(rows)}'


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
        rows.append(_row(first + at, values, _CELL))
    merged.next_row = first + len(rows)
    merged.add(first, merged.next_row - 1)
    return "".join(rows)


def _row(number: int, values: Mapping[int, Value], style: int) -> str:
    cells = "".join(
        _cell(f"{column_letters(at)}{number}", value, style) for at, value in values.items()
    )
    return f'<row r="{number}">{cells}</row>'


def _cell(address: str, value: Value, style: int) -> str:
    if value is None or value == "":
        return f'<c r="{address}" s="{style}"/>'
    if isinstance(value, int | Decimal):
        return f'<c r="{address}" s="{style}"><v>{value}</v></c>'
    text = f'<is><t xml:space="preserve">{escaped(value)}</t></is>'
    return f'<c r="{address}" s="{style}" t="inlineStr">{text}</c>'
