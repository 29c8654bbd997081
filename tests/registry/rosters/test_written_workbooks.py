"""What we write opens in others' readers: the remarks beside what was there, and the template."""

import io
import zipfile
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import openpyxl
import pytest

from services.registry.rosters import remarks, template, workbook
from services.registry.rosters.sheet import each_household
from services.registry.rosters.template import Written
from tests.registry.rosters import sheets
from tests.registry.rosters.sheets import household, person

TWO = [
    household(person(1), person(2, name="李四", relation="配偶")),
    household(person(3, name="=1+1")),
]


def opened(content: bytes) -> Any:
    return openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]


def remarked(content: bytes, told: dict[int, str]) -> bytes:
    return remarks.write(content, workbook.open_sheet(content)[0], told)


def test_remarks_stand_in_a_column_of_their_own_and_nothing_else_moves() -> None:
    before = sheets.workbook(TWO)
    after = remarked(before, {5: "【通过】", 6: "错误 J6", 7: "<b>&\x01"})
    old, new = opened(before), opened(after)
    assert [new[f"AG{row}"].value for row in (3, 5, 6, 7)] == [
        "导入意见",
        "【通过】",
        "错误 J6",
        "<b>&",
    ]
    assert sorted(map(str, new.merged_cells.ranges)) == sorted(map(str, old.merged_cells.ranges))
    for row in old.iter_rows():
        for cell in row:
            assert new[cell.coordinate].value == cell.value
            assert new[cell.coordinate].has_style == cell.has_style
    assert new.dimensions == "A1:AG7"
    assert new.column_dimensions["AG"].width == 60


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "=HYPERLINK(1)"])
def test_no_remark_becomes_a_formula(text: str) -> None:
    cell = opened(remarked(sheets.workbook(TWO), {5: text}))["AG5"]
    assert (cell.data_type, cell.value) in {("s", text), ("inlineStr", text)}


def test_remarks_of_an_earlier_round_are_replaced_or_go() -> None:
    first = remarked(sheets.workbook(TWO), {5: "一", 7: "二"})
    layout, rows = workbook.open_sheet(first)
    assert layout.remarks_column == 32
    assert len(list(each_household(rows))) == 2
    sheet = opened(remarked(first, {5: "三"}))
    assert [sheet[f"AG{row}"].value for row in (3, 5, 7)] == ["导入意见", "三", None]
    assert sheet.max_column == 33


def test_cells_further_right_stay_right_of_the_remark() -> None:
    book = openpyxl.load_workbook(io.BytesIO(sheets.workbook(TWO)))
    book.worksheets[0]["AK5"] = "某人的笔记"
    target = io.BytesIO()
    book.save(target)
    content = remarked(target.getvalue(), {5: "意见"})
    sheet = opened(content)
    assert (sheet["AG5"].value, sheet["AK5"].value) == ("意见", "某人的笔记")
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        xml = packed.read("xl/worksheets/sheet1.xml")
    assert xml.index(b'"AG5"') < xml.index(b'"AK5"')


def test_prefixed_elements_and_other_sheets_are_kept() -> None:
    plain = sheets.workbook(TWO)
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(plain)) as old, zipfile.ZipFile(target, "w") as new:
        for entry in old.infolist():
            xml = old.read(entry)
            if entry.filename == "xl/worksheets/sheet1.xml":
                xml = _prefixed(xml)
            new.writestr(entry.filename, xml)
    sheet = opened(remarked(target.getvalue(), {5: "意见"}))
    assert sheet["AG5"].value == "意见"


def _prefixed(xml: bytes) -> bytes:
    """The same document with every element named by a prefix, as some writers do."""
    head, body = xml.split(b"<worksheet", 1)
    body = body.replace(b"</", b"</x:").replace(b"<", b"<x:").replace(b"<x:/x:", b"</x:")
    body = body.replace(b' xmlns="', b' xmlns:x="', 1)
    return head + b"<x:worksheet" + body


def test_a_report_in_words() -> None:
    rows = [
        {
            "first_row": 5,
            "verdict": "rejected",
            "findings": [
                {"cell": "J7", "code": "c", "message": "公民身份号码：错", "severity": "reject"},
                {"cell": "E5", "code": "c", "message": "家庭人口数：不符", "severity": "warn"},
            ],
        },
        {"first_row": 9, "verdict": "accepted", "findings": []},
        {"first_row": None, "verdict": "absent", "findings": []},
    ]
    assert remarks.remarks_by_row(rows, dry_run=False) == {
        "": {
            5: "【不予导入】；提醒 E5 家庭人口数：不符",
            7: "错误 J7 公民身份号码：错",
            9: "【通过，新建档】",
        }
    }
    assert remarks.remarks_by_row(rows, dry_run=True)[""][9] == "【通过，新建档】（试导入）"


async def written(*households: Written) -> bytes:
    async def pages() -> AsyncIterator[list[Written]]:
        for one in households:
            yield [one]

    return b"".join([piece async for piece in template.workbook("标题", "填报", pages())])


async def test_the_template_reads_back_as_what_was_written() -> None:
    one = Written(
        {"serial": 1, "head_name": "=cmd", "wage": Decimal("6921.34"), "township": "三都乡"},
        [{"name": "=cmd", "id_number": "331124198605222715"}, {"name": "李<四>&"}],
    )
    two = Written({"serial": 2, "head_name": "王五"}, [{"name": "王五"}])
    content = await written(one, two)
    layout, rows = workbook.open_sheet(content)
    first, second = each_household(rows)
    assert layout.first_row == 5
    assert [row.cells["name"] for row in first] == ["=cmd", "李<四>&"]
    assert first[0].cells["wage"] == 6921.34
    assert first[0].cells["id_number"] == "331124198605222715"
    assert [row.cells["name"] for row in second] == ["王五"]
    sheet = opened(content)
    assert "S5:S6" in map(str, sheet.merged_cells.ranges)
    assert "H5:H6" not in map(str, sheet.merged_cells.ranges)
    assert "S3:V3" in map(str, sheet.merged_cells.ranges)
    assert sheet["H5"].data_type in {"s", "inlineStr"}


async def test_an_empty_registry_gives_a_template_to_fill_in() -> None:
    layout, rows = workbook.open_sheet(await written())
    assert layout.first_row == 5
    assert list(rows) == []
