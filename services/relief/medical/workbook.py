"""A statement as an Excel workbook for the fund: by ids and numbers, never by names (section 7)."""

import io
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import xlsxwriter

from services.relief.medical.parameters import CATEGORY_NAMES
from shared.contracts.registry import Category

SHEET = "医疗救助"
MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
HEADERS = ("序号", "人员编号", "家庭编号", "行政区划", "结算单号", "出院日期", "类别", "金额（元）")
_WIDTHS = (6, 38, 38, 14, 24, 12, 18, 14)


def write(rows: Iterable[Mapping[Any, Any]], *, day: date, division: str, total: Decimal) -> bytes:
    """The workbook's bytes. Texts stay texts: nothing that came in can become a formula.

    Amounts are numbers with two places, which Excel keeps exactly to fifteen digits.
    """
    out = io.BytesIO()
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(out, options)
    bold, money = book.add_format({"bold": True}), book.add_format({"num_format": "#,##0.00"})
    sheet = book.add_worksheet(SHEET)
    for column, width in enumerate(_WIDTHS):
        sheet.set_column(column, column, width)
    sheet.write_string(0, 0, f"{division} {day.isoformat()} 医疗救助结算单", bold)
    for column, header in enumerate(HEADERS):
        sheet.write_string(1, column, header, bold)
    at = 1
    for at, row in enumerate(rows, start=2):
        for column, text in enumerate(_texts(at - 1, row)):
            sheet.write_string(at, column, text)
        sheet.write_number(at, len(HEADERS) - 1, float(row["amount"]), money)
    sheet.write_string(at + 1, 0, "合计", bold)
    sheet.write_number(at + 1, len(HEADERS) - 1, float(total), money)
    book.close()
    return out.getvalue()


def _texts(number: int, row: Mapping[Any, Any]) -> tuple[str, ...]:
    category = row["category"]
    return (
        str(number),
        str(row["person_id"]),
        str(row["household_id"]),
        row["division_code"],
        row["settlement_no"],
        row["discharged_on"].isoformat(),
        CATEGORY_NAMES[Category(category)] if category else "",
    )
