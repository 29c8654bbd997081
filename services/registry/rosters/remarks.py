"""The uploaded workbook given back with one more column, 导入意见: nothing else of it changes.

The sheet's XML is copied through and one cell is put into each row that has a remark, so that
merged cells, styles, widths and other sheets stay as they were (openpyxl takes 17 seconds for the
merged cells of one county, and the square of it for three). A remark is an inline string, never a
formula. Findings stand in the row of their cell, the household's verdict in its first row.
"""

import io
import posixpath
import re
import zipfile
from collections.abc import Iterable, Mapping
from typing import Any, Final
from xml.sax.saxutils import escape

from services.registry.rosters import archive
from services.registry.rosters.archive import UnusableWorkbookError
from services.registry.rosters.columns import REMARKS_HEADER, Severity, Verdict
from services.registry.rosters.facts import Finding
from services.registry.rosters.sheet import Layout, column_letters, escaped

VERDICTS: Final[Mapping[Verdict, str]] = {
    Verdict.PENDING: "待处理",
    Verdict.ACCEPTED: "通过，新建档",
    Verdict.CHANGED: "通过，有变更",
    Verdict.UNCHANGED: "通过，无变化",
    Verdict.REJECTED: "不予导入",
    Verdict.ABSENT: "表中未列",
}
SEVERITIES: Final[Mapping[Severity, str]] = {
    Severity.REJECT: "错误",
    Severity.WARN: "提醒",
    Severity.NOTE: "说明",
}

_WIDTH: Final = 60
_UNWRAPPED: Final = b"0"
"""The workbook's default style: a text runs on over the empty cells to its right."""
_ROW: Final = re.compile(
    rb"<(?P<p>\w+:)?row\b(?P<attributes>[^>]*?)(?:/>|>(?P<cells>.*?)</(?P=p)?row>)", re.DOTALL
)
_ROW_NUMBER: Final = re.compile(rb'\br="(\d+)"')
_SPANS: Final = re.compile(rb'\sspans="[^"]*"')
_CELL: Final = re.compile(
    rb'<(?P<p>\w+:)?c\b(?=[^>]*?\br="(?P<column>[A-Z]+)\d+")(?:[^>]*?\bs="(?P<style>\d+)")?'
    rb"[^>]*?(?:/>|>.*?</(?P=p)?c>)",
    re.DOTALL,
)
_DIMENSION: Final = re.compile(rb'(<(?:\w+:)?dimension\s+ref="[A-Z]+\d+:)([A-Z]+)(\d+")')
_COLS: Final = re.compile(rb"<(?P<p>\w+:)?cols>(?P<inner>.*?)</(?P=p)?cols>", re.DOTALL)
_LAST_COL: Final = re.compile(rb'\bmax="(\d+)"')
_SHEET_DATA: Final = re.compile(rb"<(\w+:)?sheetData\b")
_TAG: Final = re.compile(rb"<(?:\w+:)?(sheet|Relationship)\b([^>]*?)/?>")
_ATTRIBUTE: Final = re.compile(rb'([\w:]+)="([^"]*)"')


def remarks_by_row(rows: Iterable[Any], *, dry_run: bool) -> dict[str, dict[int, str]]:
    """The remark of every row that has one, by sheet; ``rows`` are those of the report.

    The sheet's name is empty where one was handed in, and for verdicts, which stand where the
    household does. Example: row 2425 says ``【不予导入】``, row 2427 ``错误 J2427 公民身份号码``.
    """
    told: dict[str, dict[int, list[str]]] = {"": {}}
    for row in rows:
        first = row["first_row"]
        if first is not None:
            trial = "（试导入）" if dry_run else ""
            verdict = f"【{VERDICTS[Verdict(row['verdict'])]}】{trial}"
            told[""].setdefault(first, []).insert(0, verdict)
        for finding in map(Finding.model_validate, row["findings"]):
            at = finding.row or first
            if at is not None:
                told.setdefault(finding.sheet, {}).setdefault(at, []).append(_sentence(finding))
    return {
        sheet: {number: "；".join(sentences) for number, sentences in remarks.items()}
        for sheet, remarks in told.items()
    }


def _sentence(finding: Finding) -> str:
    return f"{SEVERITIES[finding.severity]} {finding.cell} {finding.message}"


def write(content: bytes, layout: Layout, told: Mapping[int, str]) -> bytes:
    """``content`` with the header 导入意见 and the remark ``told`` for each row number."""
    header_row = layout.first_row - layout.header_rows
    cells = {**told, header_row: REMARKS_HEADER}
    target = io.BytesIO()
    with archive.check(content) as source, zipfile.ZipFile(target, "w") as written:
        part = _part_of(source, layout.sheet)
        for entry in source.infolist():
            unpacked = source.read(entry)
            if entry.filename == part:
                unpacked = _with_column(unpacked, layout.remarks_column, cells)
            written.writestr(entry, unpacked, compress_type=zipfile.ZIP_DEFLATED)
    return target.getvalue()


def _part_of(source: zipfile.ZipFile, sheet: str) -> str:
    """The path inside the zip of the sheet called ``sheet``."""
    sheets = _attributes(source.read("xl/workbook.xml"), b"sheet")
    links = _attributes(source.read("xl/_rels/workbook.xml.rels"), b"Relationship")
    targets = {link.get("Id"): link.get("Target", "") for link in links}
    wanted = escape(sheet, {'"': "&quot;"})
    for one in sheets:
        if one.get("name") == wanted:
            link = next((value for name, value in one.items() if name.endswith(":id")), "")
            path = targets.get(link, "")
            return path[1:] if path.startswith("/") else posixpath.normpath(f"xl/{path}")
    raise UnusableWorkbookError("workbook_damaged", "工作簿的目录已损坏，无法写入导入意见。")


def _attributes(xml: bytes, element: bytes) -> list[dict[str, str]]:
    return [
        {name.decode(): value.decode() for name, value in _ATTRIBUTE.findall(attributes)}
        for tag, attributes in _TAG.findall(xml)
        if tag == element
    ]


def _with_column(xml: bytes, column: int, told: Mapping[int, str]) -> bytes:
    first_row = _ROW.search(xml)
    head = xml[: first_row.start()] if first_row else xml
    rows = xml[len(head) :]
    letters = column_letters(column).encode()
    number = 0

    def edited(match: re.Match[bytes]) -> bytes:
        nonlocal number
        stated = _ROW_NUMBER.search(match["attributes"])
        number = int(stated[1]) if stated else number + 1
        if number in told:
            return _row(match, number, column, told[number])
        stale = b'"%b%d"' % (letters, number) in match[0]
        return _row(match, number, column, "") if stale else match[0]

    return _head(head, column) + _ROW.sub(edited, rows)


def _row(match: re.Match[bytes], number: int, column: int, remark: str) -> bytes:
    """The row with our cell in its place: an older remark goes, cells further right stay right."""
    prefix = match["p"] or b""
    before, after, style = b"", b"", b"0"
    cells = match["cells"] or b""
    at = 0
    for cell in _CELL.finditer(cells):
        position = _column_number(cell["column"])
        if position == column:
            before, at = cells[: cell.start()], cell.end()
            break
        if position > column:
            before, at = cells[: cell.start()], cell.start()
            break
        style = cell["style"] or b"0"
    else:
        before, at = cells, len(cells)
    after = cells[at:]
    # In a roster's wrapped style and fixed height a long remark would be cut off.
    shown = style if remark == REMARKS_HEADER else _UNWRAPPED
    ours = _cell(prefix, f"{column_letters(column)}{number}", shown, remark) if remark else b""
    attributes = _SPANS.sub(b"", match["attributes"])
    return b"".join(
        (b"<", prefix, b"row", attributes, b">", before, ours, after, b"</", prefix, b"row>")
    )


def _cell(prefix: bytes, address: str, style: bytes, remark: str) -> bytes:
    text = escaped(remark).encode()
    return b"".join(
        (
            b"<%bc" % prefix,
            b' r="%b" s="%b" t="inlineStr">' % (address.encode(), style),
            b"<%bis><%bt>%b</%bt></%bis></%bc>" % (prefix, prefix, text, prefix, prefix, prefix),
        )
    )


def _head(head: bytes, column: int) -> bytes:
    """What stands before the rows, telling of one more column and its width."""
    letters = column_letters(column).encode()

    def wider(match: re.Match[bytes]) -> bytes:
        stays = _column_number(match[2]) >= column
        return match[0] if stays else match[1] + letters + match[3]

    head = _DIMENSION.sub(wider, head, count=1)
    cols = _COLS.search(head)
    if cols:
        taken = max((int(last) for last in _LAST_COL.findall(cols["inner"])), default=0)
        if taken > column:
            return head
        end = cols.start("inner") + len(cols["inner"])
        return head[:end] + _col(cols["p"] or b"", column) + head[end:]
    data = _SHEET_DATA.search(head)
    if not data:
        return head
    prefix = data[1] or b""
    ours = b"<%bcols>%b</%bcols>" % (prefix, _col(prefix, column), prefix)
    return head[: data.start()] + ours + head[data.start() :]


def _col(prefix: bytes, column: int) -> bytes:
    return b'<%bcol min="%d" max="%d" width="%d" customWidth="1"/>' % (
        prefix,
        column + 1,
        column + 1,
        _WIDTH,
    )


def _column_number(letters: bytes) -> int:
    """A -> 0, AF -> 31."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number - 1
