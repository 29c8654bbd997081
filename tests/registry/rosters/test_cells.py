"""Cells as people write them: numbers, words, cards, digits; and nothing guessed."""

from contextlib import suppress
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.registry.rosters import cells
from services.registry.rosters.columns import CATEGORIES, CAUSES, DISABILITY_KINDS, GRADES
from shared.contracts.registry import Category, Cause, Disability, DisabilityKind

CENTS = st.integers(min_value=-(10**11), max_value=10**11).map(lambda fen: Decimal(fen) / 100)
FULL_WIDTH = str.maketrans("0123456789.,-", "０１２３４５６７８９．，－")


@pytest.mark.parametrize(
    ("cell", "yuan"),
    [
        (6921.34, "6921.34"),
        (0.1 + 0.2, "0.30"),
        (7.0, "7.00"),
        ("32,878.89", "32878.89"),
        ("32，878.89", "32878.89"),
        ("１２３．５", "123.50"),
        (" 1 200 ", "1200.00"),
        ("无", "0.00"),
        ("零", "0.00"),
        ("没有", "0.00"),
        ("—", "0.00"),
        ("/", "0.00"),
        ("1.2万", "12000.00"),
        ("1.2万元", "12000.00"),
        ("300元", "300.00"),
        ("¥300.5", "300.50"),
        ("￥300", "300.00"),
        ("-2600", "-2600.00"),
        ("－2600", "-2600.00"),
        ("(100)", "-100.00"),
        ("（100）", "-100.00"),
        ("1.005", "1.01"),
    ],
)
def test_an_amount_is_read_as_it_is_meant(cell: Any, yuan: str) -> None:
    assert cells.amount(cell) == Decimal(yuan)


@pytest.mark.parametrize("cell", ["", "  ", "　", None])
def test_an_empty_cell_is_no_amount(cell: Any) -> None:
    assert cells.amount(cell) is None


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("约3000", "number_unreadable"),
        ("3,28", "number_unreadable"),
        ("1,2345", "number_unreadable"),
        ("12.3.4", "number_unreadable"),
        ("1e5", "number_unreadable"),
        ("#N/A", "number_unreadable"),
        (True, "number_unreadable"),
        (float("nan"), "number_unreadable"),
        (float("inf"), "number_unreadable"),
        (date(2026, 1, 1), "number_unreadable"),
        (1e10, "number_too_large"),
        ("100000万", None),
        ("1000000万", "number_too_large"),
    ],
)
def test_what_is_no_amount_says_so(cell: Any, code: str | None) -> None:
    if code is None:
        assert cells.amount(cell) is not None
        return
    with pytest.raises(cells.UnreadableCellError) as refused:
        cells.amount(cell)
    assert refused.value.code == code


@given(CENTS)
def test_every_way_of_writing_an_amount_reads_back(amount: Decimal) -> None:
    for written in (str(amount), f"{amount:,.2f}", f"{amount:.2f}元", f" {amount} "):
        assert cells.amount(written) == amount
        assert cells.amount(written.translate(FULL_WIDTH)) == amount
    assert cells.amount(float(amount)) == amount


@given(st.one_of(st.text(), st.floats(), st.integers(), st.booleans(), st.dates(), st.none()))
def test_no_cell_breaks_the_reader(cell: Any) -> None:
    for read in (
        cells.amount,
        cells.whole,
        cells.disability,
        lambda one: cells.code(one, CATEGORIES),
        lambda one: cells.codes(one, CAUSES),
        lambda one: cells.digits(one, code_if_lost="lost"),
    ):
        with suppress(cells.UnreadableCellError):
            read(cell)
    cells.name(cell)


@pytest.mark.parametrize(
    ("cell", "number"), [(4.0, 4), ("４", 4), ("3人", 3), ("无", 0), ("", None)]
)
def test_a_count_is_whole(cell: Any, number: int | None) -> None:
    assert cells.whole(cell) == number


def test_half_a_person_is_refused() -> None:
    with pytest.raises(cells.UnreadableCellError, match="number_not_whole"):
        cells.whole(2.5)


@pytest.mark.parametrize(
    ("cell", "category"),
    [
        ("低保", Category.DIBAO),
        (" 低 保 ", Category.DIBAO),
        ("原４６００元以下", Category.GROUP_4600),
        ("特困供养", Category.TEKUN),
        ("", None),
    ],
)
def test_a_word_stands_for_its_code(cell: str, category: Category | None) -> None:
    assert cells.code(cell, CATEGORIES) == category


def test_an_unknown_word_lists_the_allowed_ones() -> None:
    with pytest.raises(cells.UnreadableCellError) as refused:
        cells.code("五保", CATEGORIES)
    assert refused.value.code == "word_unknown"
    assert "五保" in refused.value.message
    assert all(word in refused.value.message for word in CATEGORIES)


def test_a_number_in_a_words_column_is_not_repeated() -> None:
    with pytest.raises(cells.UnreadableCellError) as refused:
        cells.code("331124198605222715", CATEGORIES)
    assert "3311" not in refused.value.message


@pytest.mark.parametrize(
    "cell", ["因病、因残", "因病，因残", "因病 因残", "因病/因残", "因病；因残、因病"]
)
def test_causes_may_be_several(cell: str) -> None:
    assert cells.codes(cell, CAUSES) == (Cause.ILLNESS, Cause.DISABILITY)


def test_six_causes_are_too_many() -> None:
    with pytest.raises(cells.UnreadableCellError, match="too_many_causes"):
        cells.codes("、".join(list(CAUSES)[:6]), CAUSES)


@pytest.mark.parametrize("cell", ["肢体二级", "肢体残疾二级", "肢体２级", "肢体 二级"])
def test_a_disability_card_has_kind_and_grade(cell: str) -> None:
    assert cells.disability(cell) == Disability(kind=DisabilityKind.LIMB, grade=2)


@pytest.mark.parametrize("kind", DISABILITY_KINDS)
@pytest.mark.parametrize("grade", GRADES)
def test_every_card_reads(kind: str, grade: str) -> None:
    found = cells.disability(f"{kind}{grade}级")
    assert found is not None
    assert (found.kind, found.grade) == (DISABILITY_KINDS[kind], GRADES[grade])


@pytest.mark.parametrize("cell", ["肢体", "肢体五级", "二级肢体", "残疾"])
def test_half_a_card_is_refused(cell: str) -> None:
    with pytest.raises(cells.UnreadableCellError, match="word_unknown"):
        cells.disability(cell)


@pytest.mark.parametrize(
    ("cell", "name"),
    [("张三", "张三"), ("张　三", "张三"), (" 张 三 ", "张三"), ("Li Ming", "Li Ming")],
)
def test_spaces_for_looks_leave_a_name(cell: str, name: str) -> None:
    assert cells.name(cell) == name


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("18213186091", "18213186091"),
        (18213186091.0, "18213186091"),
        ("", ""),
        (110101800101001.0, "110101800101001"),
    ],
)
def test_digits_come_as_text(cell: Any, text: str) -> None:
    assert cells.digits(cell, code_if_lost="lost") == text


@pytest.mark.parametrize("cell", [331124198605222715.0, 6.22887574911862e18, 1.5, True])
def test_digits_that_excel_lost_are_refused(cell: Any) -> None:
    with pytest.raises(cells.UnreadableCellError, match="lost"):
        cells.digits(cell, code_if_lost="lost")


def test_what_is_too_long_for_a_serial_is_left_out() -> None:
    assert cells.serial(12.0) == "12"
    assert cells.serial("３3110219900307001X") == ""


def test_control_characters_leave_a_text() -> None:
    assert (cells.name("张\x00三"), cells.words("三\x01都乡")) == ("张三", "三都乡")
