"""Reading workbooks: headers wherever they stand, merged cells or not; and what is no roster."""

import io
import zipfile
from typing import Any

import openpyxl
import pytest
import xlsxwriter

from services.registry.rosters import archive, workbook
from services.registry.rosters.archive import UnusableWorkbookError
from services.registry.rosters.sheet import Row, column_letters, each_household, household_cell
from tests.registry.rosters import sheets
from tests.registry.rosters.sheets import ALL_KEYS, household, person


def shapes(content: bytes) -> list[tuple[int, int]]:
    """First row and size of every household."""
    _, rows = workbook.open_sheet(content)
    return [(one[0].number, len(one)) for one in each_household(rows)]


THREE = [
    household(person(1), person(2, name="李四", relation="配偶")),
    household(person(3, name="王五")),
    household(person(5, name="赵六"), person(7, relation="子"), person(9, relation="子")),
]


def test_merged_cells_make_households() -> None:
    assert shapes(sheets.workbook(THREE)) == [(5, 2), (7, 1), (8, 3)]


def test_cells_taken_apart_and_filled_down_make_the_same_households() -> None:
    assert shapes(sheets.workbook(THREE, fill_down=True)) == [(5, 2), (7, 1), (8, 3)]


def test_a_roster_without_serial_numbers_has_the_same_households() -> None:
    nameless = [[{**one[0], "serial": None}, *one[1:]] for one in THREE]
    assert shapes(sheets.workbook(nameless)) == [(5, 2), (7, 1), (8, 3)]


def test_totals_signatures_and_blank_rows_are_passed_over() -> None:
    more: list[list[Any]] = [[], ["合计", None, None, None, 6], ["填报人：张三"], ["", "  "]]
    assert shapes(sheets.workbook(THREE, more=more)) == [(5, 2), (7, 1), (8, 3)]


@pytest.mark.parametrize("titles", [1, 2, 5])
def test_headers_are_found_below_any_titles(titles: int) -> None:
    layout, _ = workbook.open_sheet(sheets.workbook(THREE, titles=titles))
    assert layout.first_row == titles + 3


def test_columns_may_stand_elsewhere_and_others_between() -> None:
    keys = ["户编号", *reversed(ALL_KEYS), "其他说明"]
    layout, rows = workbook.open_sheet(sheets.workbook(THREE, columns=keys))
    assert layout.address("name", 5) == f"{column_letters(keys.index('name'))}5"
    assert next(rows).cells["name"] == "张三"
    assert layout.remarks_column == len(keys)


def test_a_value_repeated_differently_contradicts() -> None:
    _, rows = workbook.open_sheet(
        sheets.workbook([household(person(1), person(3, relation="子"), wage=1)])
    )
    (one,) = each_household(rows)
    assert not household_cell(one, "wage")[2]
    below = [one[0], Row(6, {**one[1].cells, "wage": 2.0})]
    assert household_cell(below, "wage")[2]


def test_missing_headers_are_named() -> None:
    keys = [key for key in ALL_KEYS if key not in ("id_number", "wage")]
    with pytest.raises(UnusableWorkbookError) as refused:
        workbook.open_sheet(sheets.workbook(THREE, columns=keys))
    assert refused.value.code == "workbook_foreign_template"
    assert "公民身份号码" in refused.value.detail
    assert "家庭年收入（元）·工资性收入" in refused.value.detail
    assert "姓名、" not in refused.value.detail


def test_another_unit_in_the_header_is_another_template() -> None:
    book = openpyxl.load_workbook(io.BytesIO(sheets.workbook(THREE)))
    book.worksheets[0]["S3"] = "家庭年收入（万元）"
    with pytest.raises(UnusableWorkbookError, match="workbook_foreign_template"):
        workbook.open_sheet(saved(book))


def test_the_sheet_may_have_another_name_and_others_beside_it() -> None:
    book = openpyxl.load_workbook(io.BytesIO(sheets.workbook(THREE, sheet="2026年")))
    book.create_sheet("说明", 0)["A1"] = "填表说明"
    layout, _ = workbook.open_sheet(saved(book))
    assert layout.sheet == "2026年"


def saved(book: openpyxl.Workbook) -> bytes:
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def zipped(parts: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as packed:
        for name, content in parts.items():
            packed.writestr(name, content)
    return target.getvalue()


def empty_sheet() -> bytes:
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True})
    book.add_worksheet()
    book.close()
    return target.getvalue()


def ole(stream: str) -> bytes:
    return archive._OLE + b"\0" * 600 + stream.encode("utf-16-le") + b"\0" * 600


def overlapping() -> bytes:
    """A zip whose entries all share the same bytes, as the densest bombs do."""
    plain = zipped({f"xl/{at}": b"0" * 1000 for at in range(50)})
    with zipfile.ZipFile(io.BytesIO(plain)) as packed:
        size = packed.infolist()[0].compress_size
    return plain.replace(
        size.to_bytes(4, "little") + (1000).to_bytes(4, "little"),
        (10 * size).to_bytes(4, "little") + (1000).to_bytes(4, "little"),
    )


BAD_FILES = {
    "workbook_empty": [b"", empty_sheet()],
    "workbook_not_excel": [
        b"%PDF-1.7\n%...",
        b"\x89PNG\r\n\x1a\n",
        "序号,乡镇".encode(),
        zipped({"word/document.xml": b"<w/>"}),
        ole("Workbook"),
    ],
    "workbook_protected": [ole("EncryptedPackage")],
    "workbook_damaged": [b"PK\x03\x04" + b"\0" * 100, zipped({"xl/workbook.xml": b"<workbook"})],
    "workbook_unpacks_too_large": [
        zipped({"xl/workbook.xml": b"", "xl/worksheets/sheet1.xml": b"\0" * (64 << 20)}),
        zipped({f"xl/{at}": b"" for at in range(archive.MAX_ENTRIES + 1)}),
        overlapping(),
    ],
    "workbook_foreign_template": [sheets.workbook(THREE, columns=["serial", "name"])],
}
BAD = [(code, content) for code, contents in BAD_FILES.items() for content in contents]


@pytest.mark.parametrize(
    ("code", "content"), BAD, ids=[f"{code}-{at}" for at, (code, _) in enumerate(BAD)]
)
def test_what_is_no_roster_is_refused_by_its_own_name(code: str, content: bytes) -> None:
    with pytest.raises(UnusableWorkbookError) as refused:
        workbook.open_sheet(content)
    assert refused.value.code == code
    assert refused.value.detail


def test_a_file_of_more_than_30_mb_is_refused() -> None:
    with pytest.raises(UnusableWorkbookError, match="workbook_too_large"):
        workbook.open_sheet(b"PK" + b"\0" * archive.MAX_FILE)


def test_a_bomb_is_refused_before_anything_unpacks(monkeypatch: pytest.MonkeyPatch) -> None:
    def unpacked(*_: Any, **__: Any) -> None:
        raise AssertionError("something was unpacked")

    monkeypatch.setattr(zipfile.ZipFile, "open", unpacked)
    monkeypatch.setattr(zipfile.ZipFile, "read", unpacked)
    with pytest.raises(UnusableWorkbookError, match="workbook_unpacks_too_large"):
        archive.check(BAD_FILES["workbook_unpacks_too_large"][0])


def test_more_than_a_hundred_thousand_rows_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "MAX_ROWS", 5)
    with pytest.raises(UnusableWorkbookError, match="workbook_too_many_rows"):
        workbook.open_sheet(sheets.workbook(THREE))
    monkeypatch.setattr(workbook, "MAX_ROWS", 6)
    workbook.open_sheet(sheets.workbook(THREE))


@pytest.mark.parametrize(
    ("index", "letters"), [(0, "A"), (25, "Z"), (26, "AA"), (31, "AF"), (701, "ZZ"), (702, "AAA")]
)
def test_columns_are_named_as_excel_names_them(index: int, letters: str) -> None:
    assert column_letters(index) == letters
