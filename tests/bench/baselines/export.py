"""``python -m tests.bench.baselines.export RESULT WORKBOOK CELLS ROWS``.

Bare xlsxwriter in its constant memory: the cells of CELLS (rows of 80, as our workbook has them),
over and over until ROWS are written. The list lies ready before the clock starts.
"""

import sys
import time
from datetime import date
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import orjson
import xlsxwriter

from services.registry.rosters.wide_columns import WIDE, Kind
from tests.bench.alone import write_answer


def main(result: str, workbook: str, cells: str, count: str) -> None:
    """Write so many rows."""
    rows = [_row(row) for row in orjson.loads(Path(cells).read_bytes())]
    started = time.perf_counter()
    book = xlsxwriter.Workbook(
        workbook,
        {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False},
    )
    sheet = book.add_worksheet()
    formats: dict[Kind, Any] = {
        Kind.WORDS: None,
        Kind.CODE: book.add_format({"num_format": "@"}),
        Kind.DAY: book.add_format({"num_format": "yyyy-mm-dd"}),
        Kind.MONEY: book.add_format({"num_format": "0.00"}),
    }
    styles = [formats[column.kind] for column in WIDE]
    write_string, write_number = sheet.write_string, sheet.write_number
    for at, row in enumerate(islice(cycle(rows), int(count))):
        for column, value, style in zip(range(len(row)), row, styles, strict=True):
            if value is None:
                continue
            write = write_string if isinstance(value, str) else write_number
            write(at, column, value, style)
    book.close()
    write_answer(result, seconds=time.perf_counter() - started)


def _row(cells: list[Any]) -> list[Any]:
    """A day comes as text: a number, as ours writes it."""
    return [
        float(date.fromisoformat(cell[:10]).toordinal() - 693594)
        if column.kind is Kind.DAY and cell
        else cell
        for column, cell in zip(WIDE, cells, strict=True)
    ]


if __name__ == "__main__":
    main(*sys.argv[1:])
