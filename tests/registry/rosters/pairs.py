"""Small pairs of workbooks for tests: 家庭查询 and 人员查询, each test naming only what matters."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import xlsxwriter

from services.registry.rosters.columns import Column
from services.registry.rosters.pair_books import HOMES, PEOPLE
from tests.registry.rosters.sheets import HOUSEHOLD, person

HOMES_NAME, PEOPLE_NAME = "家庭查询_20261101.xlsx", "人员查询_20261101.xlsx"
HOMES_SHEET, PEOPLE_SHEET = "家庭", "人员"

Cells = Mapping[str, Any]


def home(head: Cells, **cells: Any) -> dict[str, Any]:
    """A row of 家庭查询 for the household of this head."""
    own = {"head_id": head["id_number"], "serial": 1, "head_name": head["name"], "count": 1}
    return {**HOUSEHOLD, **own, **cells}


def member(order: int, head: Cells | None = None, **cells: Any) -> dict[str, Any]:
    """A row of 人员查询; of a head unless somebody else is named as his."""
    one = person(order, **cells)
    return {"head_id": (head or one)["id_number"], **one, **cells}


def homes(rows: Sequence[Cells], **options: Any) -> bytes:
    """家庭查询 with these rows; the first one stands in row 4, in row 3 with one header row."""
    return _workbook(HOMES, rows, sheet=HOMES_SHEET, **options)


def people(rows: Sequence[Cells], **options: Any) -> bytes:
    """人员查询 with these rows; the first one stands in row 3."""
    return _workbook(PEOPLE, rows, sheet=PEOPLE_SHEET, **options)


def _workbook(
    columns: Sequence[Column],
    rows: Sequence[Cells],
    *,
    sheet: str,
    flat: bool = False,
    leave_out: Sequence[str] = (),
    titles: Mapping[str, str] | None = None,
    more: Sequence[Sequence[Any]] = (),
) -> bytes:
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True, "strings_to_numbers": False})
    page = book.add_worksheet(sheet)
    kept = [column for column in columns if column.key not in leave_out]
    page.merge_range(0, 0, 0, len(kept) - 1, "松阳县")
    grouped = any(column.group for column in kept) and not flat
    for at, column in enumerate(kept):
        title = (titles or {}).get(column.key, column.title)
        if column.group and not flat:
            page.write_string(1, at, column.group)
            page.write_string(2, at, title)
        else:
            page.write_string(1, at, f"{title}（元）" if column.group else title)
    first = 3 if grouped else 2
    for row, cells in enumerate(rows, start=first):
        for at, column in enumerate(kept):
            _write(page, row, at, cells.get(column.key))
    for row, extra in enumerate(more, start=first + len(rows)):
        for at, value in enumerate(extra):
            _write(page, row, at, value)
    book.close()
    return target.getvalue()


def _write(page: Any, row: int, column: int, value: Any) -> None:
    if isinstance(value, str):
        page.write_string(row, column, value)
    elif value is not None:
        page.write(row, column, value)
