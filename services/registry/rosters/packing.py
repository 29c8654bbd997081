"""A workbook written out piece by piece, streamed: no part of it is ever held whole.

Every text is an inline string, so that nothing somebody typed can become a formula. xlsxwriter
keeps its rows in plain files on the disk until the last one is there, so that the first byte
would leave after it and personal data lie about meanwhile; hence by hand.
"""

import asyncio
import io
import zipfile
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import IO, Final

from services.registry.rosters.sheet import column_letters, escaped

Value = str | int | Decimal | date | None

MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
XML: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
TITLE, SUBTITLE, HEADER, CELL, TEXT, DAY, MONEY, CELL_OF_DAY, CELL_OF_MONEY = range(1, 10)
"""Styles of ``styles.xml``. A CELL has borders; a TEXT stays text when somebody edits it."""

_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_DAY_ZERO: Final = date(1899, 12, 30).toordinal()
"""The day from which workbooks count, with their leap day of 1900 that never was."""

_RELATIONS = (
    f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
    f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
)
_STYLES = (
    f'<styleSheet xmlns="{MAIN}"><numFmts count="1"><numFmt numFmtId="164" '
    'formatCode="yyyy\\-mm\\-dd"/></numFmts>'
    '<fonts count="3"><font><sz val="11"/><name val="宋体"/></font>'
    '<font><b/><sz val="18"/><name val="宋体"/></font>'
    '<font><b/><sz val="11"/><name val="宋体"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="2"><border><left/><right/><top/><bottom/><diagonal/></border><border>'
    '<left style="thin"/><right style="thin"/><top style="thin"/><bottom style="thin"/>'
    "<diagonal/></border></borders>"
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/>'
    '</cellStyleXfs><cellXfs count="10">'
    '<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1" '
    'applyAlignment="1"><alignment horizontal="center"/></xf>'
    '<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="0" fontId="2" fillId="0" borderId="1" xfId="0" applyFont="1" '
    'applyBorder="1" applyAlignment="1"><alignment horizontal="center" vertical="center" '
    'wrapText="1"/></xf>'
    '<xf numFmtId="49" fontId="0" fillId="0" borderId="1" xfId="0" applyNumberFormat="1" '
    'applyBorder="1" applyAlignment="1"><alignment horizontal="center" vertical="center" '
    'wrapText="1"/></xf>'
    '<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="2" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="164" fontId="0" fillId="0" borderId="1" xfId="0" applyNumberFormat="1" '
    'applyBorder="1" applyAlignment="1"><alignment horizontal="center" vertical="center"/></xf>'
    '<xf numFmtId="2" fontId="0" fillId="0" borderId="1" xfId="0" applyNumberFormat="1" '
    'applyBorder="1" applyAlignment="1"><alignment horizontal="right" vertical="center"/></xf>'
    '</cellXfs><cellStyles count="1">'
    '<cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet as XML: up to its first streamed row, those rows, and what stands after them.

    ``head`` opens ``sheetData``; ``tail``, asked once all rows are there, closes the work sheet.
    """

    name: str
    head: str
    rows: AsyncGenerator[str]
    tail: Callable[[], str]


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


async def workbook(*sheets: Sheet) -> AsyncGenerator[bytes]:
    """The bytes of an .xlsx with these sheets, one after the other, piece by piece.

    Packing goes on beside the event loop. Who stops listening ends what reads the rows.
    """
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, xml in _parts([sheet.name for sheet in sheets]).items():
            archive.writestr(name, XML + xml)
        for number, sheet in enumerate(sheets, start=1):
            with archive.open(_place(number), "w", force_zip64=True) as part:
                part.write((XML + sheet.head).encode())
                async with aclosing(_packed(sheet.rows, part)) as packed:
                    async for _ in packed:
                        yield sink.take()
                part.write(sheet.tail().encode())
    yield sink.take()


async def _packed(rows: AsyncGenerator[str], part: IO[bytes]) -> AsyncGenerator[None]:
    """Write the pieces, one packed in a thread while the next is made; tells of each when it is in.

    No thread writes any more when this ends, however it ends.
    """
    under_way: asyncio.Future[int] | None = None
    async with aclosing(rows) as pieces:
        try:
            async for piece in pieces:
                if under_way:
                    await asyncio.shield(under_way)
                    yield
                writing = asyncio.to_thread(part.write, piece.encode())
                under_way = asyncio.ensure_future(writing)
        finally:
            if under_way:
                await asyncio.wait([under_way])
    if under_way:
        under_way.result()
        yield


def _place(number: int) -> str:
    return f"xl/worksheets/sheet{number}.xml"


def _parts(names: Sequence[str]) -> Mapping[str, str]:
    """All of the package but its sheets."""
    numbered = list(enumerate(names, start=1))
    styles = len(names) + 1
    overrides = "".join(
        f'<Override PartName="/{_place(number)}" ContentType="{_TYPE}.worksheet+xml"/>'
        for number, _ in numbered
    )
    sheets = "".join(
        f'<sheet name="{escaped(name)}" sheetId="{number}" r:id="rId{number}"/>'
        for number, name in numbered
    )
    targets = "".join(
        f'<Relationship Id="rId{number}" Type="{_OFFICE}/worksheet" '
        f'Target="worksheets/sheet{number}.xml"/>'
        for number, _ in numbered
    )
    return {
        "[Content_Types].xml": (
            f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" ContentType='
            '"application/vnd.openxmlformats-package.relationships+xml"/>'
            '<Default Extension="xml" ContentType="application/xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
            f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/>'
            f"{overrides}</Types>"
        ),
        "_rels/.rels": _RELATIONS,
        "xl/workbook.xml": (
            f'<workbook xmlns="{MAIN}" xmlns:r="{_OFFICE}"><sheets>{sheets}</sheets></workbook>'
        ),
        "xl/_rels/workbook.xml.rels": (
            f'<Relationships xmlns="{_PACKAGE}/relationships">{targets}'
            f'<Relationship Id="rId{styles}" Type="{_OFFICE}/styles" Target="styles.xml"/>'
            "</Relationships>"
        ),
        "xl/styles.xml": _STYLES,
    }


def row(number: int, values: Mapping[int, Value], style: int) -> str:
    """One row, its cells by column counted from 0; an empty cell keeps its style."""
    cells = "".join(
        cell(f"{column_letters(at)}{number}", value, style) for at, value in values.items()
    )
    return f'<row r="{number}">{cells}</row>'


def cell(address: str, value: Value, style: int) -> str:
    """One cell; a day needs the style DAY to look like one."""
    if value is None or value == "":
        return f'<c r="{address}" s="{style}"/>'
    if not isinstance(value, str):
        return f'<c r="{address}" s="{style}"><v>{number(value)}</v></c>'
    text = f'<is><t xml:space="preserve">{escaped(value)}</t></is>'
    return f'<c r="{address}" s="{style}" t="inlineStr">{text}</c>'


def number(value: int | Decimal | date) -> int | Decimal:
    """A cell's number; a day as workbooks count it: 2026-11-03 is 46329."""
    return value.toordinal() - _DAY_ZERO if isinstance(value, date) else value
