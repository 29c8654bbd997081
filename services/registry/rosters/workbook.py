"""Reading a roster workbook: finds the template's sheet and hands out its rows, merged or not.

Columns are found by their headers, so that a moved or an additional column does no harm; a missing
one refuses the file by name. Runs in a child process (``reading``), never in an event loop.
"""

import io
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import python_calamine

from services.registry.rosters import archive
from services.registry.rosters.archive import UnusableWorkbookError
from services.registry.rosters.columns import (
    COLUMNS,
    HEADER_ROWS,
    REMARKS_HEADER,
    SHEET,
)
from services.registry.rosters.sheet import Cell, Layout, Row, is_blank

MAX_ROWS: Final = 100_000
LOOK_FOR_HEADERS_IN: Final = 20
_MOST_MISSING_NAMED: Final = 32
TOTALS: Final = ("合计", "总计", "小计", "共计", "填报", "填表", "审核", "制表", "说明", "注：")


def open_sheet(content: bytes) -> tuple[Layout, Iterator[Row]]:
    """The template's sheet in ``content`` and its rows of data, one after the other.

    Raises UnusableWorkbookError for everything that is not a roster of this template.
    """
    layout, cells = _template_sheet(read_sheets(content))
    bound_rows(layout, cells)
    return layout, _rows(layout, cells)


def read_sheets(content: bytes) -> list[tuple[str, list[list[Cell]]]]:
    """The work sheets that may hold a roster, by name. Raises UnusableWorkbookError."""
    archive.check(content).close()
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
        return [
            (name, book.get_sheet_by_name(name).to_python(skip_empty_area=False))
            for name in _candidates(book)
        ]
    except (python_calamine.CalamineError, ValueError, OSError) as broken:
        raise UnusableWorkbookError(
            "workbook_damaged", "工作簿内容已损坏，无法读取。请在 Excel 中另存为 .xlsx 后重新上传。"
        ) from broken


def bound_rows(layout: Layout, cells: Sequence[Sequence[Cell]]) -> None:
    """Raises UnusableWorkbookError for more rows of data than one import takes."""
    if len(cells) - layout.first_row + 1 > MAX_ROWS:
        raise UnusableWorkbookError(
            "workbook_too_many_rows", f"花名册超过 {MAX_ROWS:,} 行，请按乡镇拆分后上传。"
        )


def _candidates(book: python_calamine.CalamineWorkbook) -> list[str]:
    """The sheet of the template's name alone where there is one, else every visible work sheet."""
    if SHEET in book.sheet_names:
        return [SHEET]
    return [
        sheet.name
        for sheet in book.sheets_metadata
        if sheet.typ == python_calamine.SheetTypeEnum.WorkSheet
        and sheet.visible == python_calamine.SheetVisibleEnum.Visible
    ]


def _template_sheet(
    sheets: Sequence[tuple[str, list[list[Cell]]]],
) -> tuple[Layout, list[list[Cell]]]:
    """The first sheet that carries every header; names the best candidate's missing ones."""
    missing = [column.label for column in COLUMNS]
    for name, cells in sheets:
        for top in range(min(LOOK_FOR_HEADERS_IN, len(cells))):
            titles = titles_at(cells, top)
            lacking = [column.label for column in COLUMNS if folded(column.label) not in titles]
            if not lacking:
                return _layout(name, top, titles), cells
            missing = min(missing, lacking, key=len)
    if not any(not is_blank(cell) for _, cells in sheets for row in cells for cell in row):
        raise UnusableWorkbookError("workbook_empty", "工作簿里没有任何内容。")
    named = "、".join(missing[:_MOST_MISSING_NAMED])
    raise UnusableWorkbookError(
        "workbook_foreign_template", f"不是农村困难家庭花名册模板，缺少表头：{named}。"
    )


def _layout(sheet: str, top: int, titles: Mapping[str, int]) -> Layout:
    index = {column.key: titles[folded(column.label)] for column in COLUMNS}
    beyond = max(titles.values()) + 1
    return Layout(
        sheet=sheet,
        first_row=top + HEADER_ROWS + 1,
        index=index,
        remarks_column=titles.get(folded(REMARKS_HEADER), beyond),
    )


def titles_at(
    cells: Sequence[Sequence[Cell]], top: int, *, height: int = HEADER_ROWS
) -> dict[str, int]:
    """Folded labels and their columns, reading so many header rows (1 or 2) from ``top`` on."""
    upper = cells[top]
    lower = cells[top + 1] if height > 1 and top + 1 < len(cells) else []
    titles: dict[str, int] = {}
    group = ""
    for column, title in enumerate(upper):
        beneath = lower[column] if column < len(lower) else ""
        if not is_blank(title):
            group = str(title)
        label = str(title) if is_blank(beneath) else f"{group}·{beneath}"
        if not is_blank(label):
            titles.setdefault(folded(label), column)
    return titles


def folded(label: str) -> str:
    """Full-width brackets, spaces and line breaks make no difference in a header."""
    return "".join(unicodedata.normalize("NFKC", label).split())


def _rows(layout: Layout, cells: Sequence[Sequence[Cell]]) -> Iterator[Row]:
    """The rows that speak of somebody: blank ones, totals and signatures are passed over."""
    for number, row in enumerate(cells[layout.first_row - 1 :], start=layout.first_row):
        if all(map(is_blank, row)):
            continue
        found = Row(number, {key: row[column] for key, column in layout.index.items()})
        if not _is_totals(found, row):
            yield found


def _is_totals(row: Row, cells: Sequence[Cell]) -> bool:
    if not (row.blank("id_number") and row.blank("name") and row.blank("relation")):
        return False
    first = next((cell for cell in cells if not is_blank(cell)), "")
    return isinstance(first, str) and first.strip().startswith(TOTALS)
