"""Paired workbooks: joined by the head's ID number alone, and every fault named by file and row."""

import io
import zipfile
from collections.abc import Sequence
from datetime import date
from typing import Any

import httpx
import openpyxl
import pytest

from services.registry.rosters import pair_books, pair_files, pairing, reading
from services.registry.rosters.archive import UnusableWorkbookError
from services.registry.rosters.facts import Judged
from tests.registry.rosters import sheets
from tests.registry.rosters.conftest import SCOPES, XLSX, Office
from tests.registry.rosters.pairs import HOMES_NAME, PEOPLE_NAME, home, homes, member, people
from tests.registry.rosters.test_placing import SONGYANG

ON = date(2026, 11, 25)
HOMES_AT, PEOPLE_AT = f"{HOMES_NAME}/家庭", f"{PEOPLE_NAME}/人员"

ZHANG = member(1)
WANG = member(3, name="王五")


def judged(home_rows: Sequence[Any], people_rows: Sequence[Any]) -> list[Judged]:
    books = pair_books.opened([(HOMES_NAME, homes(home_rows)), (PEOPLE_NAME, people(people_rows))])
    return pairing.judge(books, SONGYANG, ["331124"], on=ON)


def faults(found: Judged) -> list[tuple[str, str]]:
    return [(one.code, one.cell) for one in found.findings if one.severity.value == "reject"]


def test_people_join_their_household_by_the_heads_number_whatever_their_order() -> None:
    wife = member(2, ZHANG, name="李四", relation="配偶")
    first, second = judged([home(WANG), home(ZHANG, count=2, wage=6921.34)], [wife, WANG, ZHANG])
    assert first.facts is not None
    assert [one.name for one in first.facts.members] == ["王五"]
    assert second.facts is not None
    assert [(one.name, one.row) for one in second.facts.members] == [("李四", 3), ("张三", 5)]
    assert second.facts.head.name == "张三"
    assert str(second.facts.incomes.wage) == "6921.34"
    assert (second.first_row, second.last_row, second.people) == (5, 5, 2)
    assert not second.rejected


def test_fifteen_digits_full_width_and_spaces_are_the_same_number() -> None:
    number = ZHANG["id_number"]
    short = number[:6] + number[8:17]
    wide = "".join(chr(ord(each) + 0xFEE0) for each in number)
    child = member(5, {"id_number": f" {wide} "}, name="张小", relation="子")
    (only,) = judged([home(ZHANG, head_id=short, count=2)], [ZHANG, child])
    assert not only.rejected
    assert only.people == 2


def test_line_breaks_in_names_change_nothing() -> None:
    broken = member(1, name="张\n三")
    (only,) = judged([home(broken, head_name="张\r\n三")], [broken])
    assert only.facts is not None
    assert only.facts.head.name == only.head_name == "张三"
    assert "head_name_differs" not in {one.code for one in only.findings}


def test_a_household_without_people_and_people_without_a_household() -> None:
    stray = [member(5, name="赵六"), member(6, member(5), name="钱七", relation="配偶")]
    empty, good, homeless = judged([home(WANG), home(ZHANG)], [ZHANG, *stray])
    assert faults(empty) == [("household_without_people", f"{HOMES_AT}!A4")]
    assert (empty.first_row, empty.head_name, empty.people) == (4, "王五", 0)
    assert not good.rejected
    assert faults(homeless) == [
        ("people_without_household", f"{PEOPLE_AT}!A4"),
        ("people_without_household", f"{PEOPLE_AT}!A5"),
    ]
    assert (homeless.first_row, homeless.people, homeless.head_name) == (None, 2, "")
    assert [number for number, _ in homeless.persons] == [one["id_number"] for one in stray]


@pytest.mark.parametrize(
    ("written", "code"),
    [("", "head_id_missing"), ("  ", "head_id_missing"), (331124198005170012, None)],
)
def test_a_missing_or_damaged_head_number_joins_nobody(written: Any, code: str | None) -> None:
    code = code or "id_number_lost_digits"
    damaged, homeless = judged([home(ZHANG, head_id=written)], [ZHANG])
    assert faults(damaged) == [(code, f"{HOMES_AT}!A4")]
    assert faults(homeless) == [("people_without_household", f"{PEOPLE_AT}!A3")]

    good, lost = judged([home(ZHANG)], [ZHANG, member(5, head_id=written, name="张小")])
    assert not good.rejected
    assert good.people == 1
    assert faults(lost) == [(code, f"{PEOPLE_AT}!A4")]


def test_what_cannot_be_joined_is_told_all_that_is_wrong_with_it() -> None:
    stray = member(5, name="", work="写诗")
    alone, homeless = judged([home(WANG, wage=-1, village="不存在村", count=4)], [stray])
    assert sorted(faults(alone)) == sorted(
        [
            ("household_without_people", f"{HOMES_AT}!A4"),
            ("number_negative", f"{HOMES_AT}!I4"),
            ("village_unknown", f"{HOMES_AT}!D4"),
        ]
    )
    assert {one.severity.value for one in alone.findings} == {"reject"}
    assert (alone.place, alone.people, alone.persons) == ("331124203", 0, ())
    assert sorted(faults(homeless)) == sorted(
        [
            ("people_without_household", f"{PEOPLE_AT}!A3"),
            ("name_missing", f"{PEOPLE_AT}!B3"),
            ("word_unknown", f"{PEOPLE_AT}!K3"),
        ]
    )


def test_a_float_that_keeps_its_digits_is_still_no_head() -> None:
    damaged, _ = judged([home(ZHANG, head_id=331124198005)], [ZHANG])
    assert faults(damaged) == [("household_without_people", f"{HOMES_AT}!A4")]


def test_one_head_of_two_households_gives_its_people_to_neither() -> None:
    first, second, homeless = judged([home(ZHANG), home(ZHANG, causes="因残")], [ZHANG])
    assert faults(first) == [("head_of_two_households", f"{HOMES_AT}!A4")]
    assert faults(second) == [("head_of_two_households", f"{HOMES_AT}!A5")]
    assert "第 5 行" in first.findings[0].message
    assert faults(homeless) == [("people_without_household", f"{PEOPLE_AT}!A3")]


def test_two_heads_and_a_head_who_is_another() -> None:
    two = [ZHANG, member(5, ZHANG, name="张二", relation="户主")]
    (only,) = judged([home(ZHANG, count=2)], two)
    assert faults(only) == [
        ("two_heads", f"{PEOPLE_AT}!C4"),
        ("head_differs", f"{PEOPLE_AT}!C4"),
    ]
    other = [{**ZHANG, "relation": "父亲"}, member(5, ZHANG, name="张二", relation="户主")]
    (only,) = judged([home(ZHANG, count=2)], other)
    assert faults(only) == [("head_differs", f"{PEOPLE_AT}!C4")]


def test_the_head_is_found_by_number_and_never_by_name() -> None:
    unnamed = [{**ZHANG, "relation": "其他"}, member(5, ZHANG, name="张二", relation="子")]
    (only,) = judged([home(ZHANG, head_name="张二", count=2)], unnamed)
    assert only.facts is not None
    assert only.facts.head.id_number == ZHANG["id_number"]
    codes = {one.code: one.cell for one in only.findings}
    assert codes["head_by_id_number"] == f"{PEOPLE_AT}!C3"
    assert codes["head_name_differs"] == f"{HOMES_AT}!E4"

    namesake = member(5, ZHANG, name="张三", relation="其他")
    (only,) = judged([home(ZHANG)], [namesake])
    assert ("head_not_listed", f"{HOMES_AT}!A4") in faults(only)
    assert only.facts is None
    assert "head_by_name" not in {one.code for one in only.findings}


def test_a_wrong_number_of_a_person_is_named_in_his_row_and_of_a_household_in_its_own() -> None:
    wrong = member(5, ZHANG, name="张小", relation="子")
    wrong["id_number"] = wrong["id_number"][:17] + ("0" if wrong["id_number"][17] != "0" else "1")
    (only,) = judged([home(ZHANG, wage=-1, category="富裕", count=2)], [ZHANG, wrong])
    assert sorted(faults(only)) == sorted(
        [
            ("id_number_checksum", f"{PEOPLE_AT}!D4"),
            ("number_negative", f"{HOMES_AT}!I4"),
            ("word_unknown", f"{HOMES_AT}!G4"),
        ]
    )
    (finding,) = (one for one in only.findings if one.code == "id_number_checksum")
    assert (finding.row, finding.sheet) == (4, PEOPLE_AT)


def test_who_stands_in_two_households_of_a_pair_belongs_to_the_first() -> None:
    guest = {**member(5, ZHANG, name="张小", relation="子")}
    again = {**guest, "head_id": WANG["id_number"], "relation": "其他"}
    first, second = judged([home(ZHANG, count=2), home(WANG, count=2)], [ZHANG, WANG, guest, again])
    assert not first.rejected
    assert faults(second) == [("person_in_earlier_household", f"{PEOPLE_AT}!D6")]


def test_one_header_row_other_words_missing_optionals_and_totals_do_no_harm() -> None:
    books = pair_books.opened(
        [
            (
                PEOPLE_NAME,
                people([ZHANG], titles={"id_number": "身份证号", "head_id": "户主身份证号"}),
            ),
            (
                HOMES_NAME,
                homes([home(ZHANG)], flat=True, leave_out=["serial", "remark"], more=[["合计", 1]]),
            ),
        ]
    )
    assert (books.homes.name, books.people.name) == (HOMES_NAME, PEOPLE_NAME)
    assert [row.number for row in books.homes.rows] == [3]
    assert books.homes.rows[0].cells["wage"] == 6921.34
    assert pairing.glance(books) == (1, {"三都乡": (f"{HOMES_AT}!B3", 1)})


@pytest.mark.parametrize(
    ("files", "code", "told"),
    [
        (
            [
                (HOMES_NAME, homes([home(ZHANG)], leave_out=["wage"])),
                (PEOPLE_NAME, people([ZHANG])),
            ],
            "workbook_foreign_template",
            f"{HOMES_NAME} 缺少表头：家庭年收入（元）·工资性收入",
        ),
        (
            [(HOMES_NAME, homes([home(ZHANG)])), (PEOPLE_NAME, people([], leave_out=["head_id"]))],
            "workbook_foreign_template",
            f"{PEOPLE_NAME} 缺少表头：户主公民身份号码",
        ),
        (
            [("a.xlsx", homes([home(ZHANG)])), ("b.xlsx", homes([home(ZHANG)]))],
            "pair_of_one_kind",
            "家庭查询",
        ),
        (
            [("a.xlsx", people([ZHANG])), ("b.xlsx", people([ZHANG]))],
            "pair_of_one_kind",
            "人员查询",
        ),
        (
            [(HOMES_NAME, homes([home(ZHANG)])), (PEOPLE_NAME, b"%PDF-1.4")],
            "workbook_not_excel",
            f"{PEOPLE_NAME}：",
        ),
        (
            [(HOMES_NAME, homes([])), (PEOPLE_NAME, people([ZHANG]))],
            "workbook_empty",
            HOMES_NAME,
        ),
    ],
)
def test_what_is_no_pair_is_refused_by_the_name_of_its_file(
    files: list[tuple[str | None, bytes]], code: str, told: str
) -> None:
    with pytest.raises(UnusableWorkbookError) as refused:
        reading.survey(pair_files.pack(files))
    assert refused.value.code == code
    assert told in refused.value.detail


def test_a_pair_is_kept_as_it_came_under_names_that_tell_its_files_apart() -> None:
    packed = pair_files.pack([("名册!.xlsx", b"one"), ("名册.xlsx", b"two")])
    assert pair_files.unpack(packed) == [("1_名册.xlsx", b"one"), ("2_名册.xlsx", b"two")]
    packed = pair_files.pack([(None, b"one"), ("../x/331124198005170012.xlsx", b"two")])
    assert pair_files.unpack(packed) == [("文件1.xlsx", b"one"), ("x.xlsx", b"two")]
    assert pair_files.unpack(sheets.workbook([sheets.household()])) is None


def test_a_bomb_dressed_up_as_a_pair_is_not_unpacked() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.comment = pair_files._COMMENT
        for name in ("1/a.xlsx", "2/b.xlsx"):
            packed.writestr(name, b"\0" * (1 << 20))
    assert pair_files.unpack(target.getvalue()) is None


async def hand_in(
    office: Office, first: tuple[str, bytes], second: tuple[str, bytes], *, dry_run: bool = False
) -> httpx.Response:
    return await office.client.post(
        "/v1/rosters",
        params={"dry_run": dry_run},
        files={"file": (*first, XLSX), "second": (*second, XLSX)},
    )


async def bring_in(
    office: Office, home_rows: Sequence[Any], people_rows: Sequence[Any], **options: Any
) -> dict[str, Any]:
    answer = await hand_in(
        office, (HOMES_NAME, homes(home_rows)), (PEOPLE_NAME, people(people_rows)), **options
    )
    assert answer.status_code == 202, answer.text
    await office.work_off()
    return await office.roster(answer.json()["roster_id"])


async def test_a_pair_goes_the_way_of_every_roster(office: Office) -> None:
    wife = member(2, ZHANG, name="李四", relation="配偶")
    rows = [home(ZHANG, count=2), home(WANG)], [ZHANG, wife, member(5, name="赵六")]
    trial = await bring_in(office, *rows, dry_run=True)
    assert trial["figures"]["verdicts"] == {"accepted": 1, "rejected": 2}
    assert await office.count("households") == 0

    roster = await bring_in(office, *rows)

    assert roster["rows"] == 3
    assert roster["figures"]["verdicts"] == {"accepted": 1, "rejected": 2}
    assert roster["figures"]["taken_people"] == 2
    assert await office.count("members") == 2
    (head,) = await office.rows(
        "SELECT persons.name FROM households JOIN persons ON person_id = head_person_id"
    )
    assert head.name == "张三"
    again = await bring_in(office, *rows)
    assert again["figures"]["verdicts"] == {"unchanged": 1, "rejected": 2}
    assert (await office.report(roster["roster_id"]))[2]["findings"][0] == {
        "cell": f"{PEOPLE_AT}!A5",
        "code": "people_without_household",
        "message": "户主公民身份号码：家庭查询中没有可对应的户主公民身份号码",
        "severity": "reject",
    }


def remarks_in(content: bytes, name: str) -> dict[int, Any]:
    """The last column of a workbook in the zip, by row."""
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        sheet: Any = openpyxl.load_workbook(io.BytesIO(packed.read(name))).worksheets[0]
    return {row[0].row: row[-1].value for row in sheet.iter_rows()}


async def test_both_workbooks_come_back_with_their_remarks(office: Office) -> None:
    child = member(5, ZHANG, name="张小", relation="子", sex="女")
    rows = [home(ZHANG, count=3), home(WANG)], [ZHANG, child, member(7, name="赵六")]
    roster = await bring_in(office, *rows)

    answer = await office.client.get(roster["links"]["workbook"])

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"].endswith(".zip")
    told = remarks_in(answer.content, HOMES_NAME)
    assert told[2] == "导入意见"
    assert told[4].startswith("【通过，新建档】；")
    assert "家庭人口数：填 3 人，实列 2 人" in told[4]
    assert told[5].startswith("【不予导入】；")
    told = remarks_in(answer.content, PEOPLE_NAME)
    assert (told[2], told[3]) == ("导入意见", None)
    assert "性别" in told[4]
    assert "家庭查询中没有可对应的户主公民身份号码" in told[5]


async def test_what_the_registry_knows_is_told_at_the_persons_row(office: Office) -> None:
    child = member(5, ZHANG, name="张小", relation="子")
    await bring_in(office, [home(ZHANG, count=1), home(WANG)], [ZHANG, WANG])
    moved = {**WANG, "head_id": ZHANG["id_number"], "relation": "其他"}
    roster = await bring_in(office, [home(ZHANG, count=3)], [ZHANG, child, moved])
    (row, *_) = await office.report(roster["roster_id"])
    assert row["verdict"] == "rejected"
    refusals = [one for one in row["findings"] if one["severity"] == "reject"]
    assert [(one["code"], one["cell"]) for one in refusals] == [
        ("people_of_two_households", f"{PEOPLE_AT}!D3"),
        ("people_of_two_households", f"{PEOPLE_AT}!D5"),
    ]


async def test_a_pair_that_is_none_leaves_nothing_and_one_of_another_county_is_refused(
    office: Office,
) -> None:
    answer = await hand_in(office, ("a.xlsx", homes([home(ZHANG)])), ("b.xlsx", b"nothing"))
    assert (answer.status_code, answer.json()["code"]) == (422, "workbook_not_excel")
    mixed = homes([home(ZHANG), home(WANG, township="鹤城街道"), home(member(7))])
    answer = await hand_in(office, ("a.xlsx", mixed), ("b.xlsx", people([ZHANG, WANG])))
    assert (answer.status_code, answer.json()["code"]) == (422, "workbook_two_counties")
    assert [fault["where"] for fault in answer.json()["errors"]] == ["#/file/a.xlsx/家庭!C5"]
    elsewhere = await office.client_as(SCOPES, divisions=("331121",))
    answer = await elsewhere.post(
        "/v1/rosters",
        files={
            "file": ("a.xlsx", homes([home(ZHANG)]), XLSX),
            "second": ("b.xlsx", people([ZHANG]), XLSX),
        },
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "workbook_of_another_county")
    assert not await office.count("rosters")
