"""One household judged: every kind of fault both ways, and people who stand twice."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from services.registry.rosters import rules, workbook
from services.registry.rosters.columns import Severity
from services.registry.rosters.facts import Judged
from services.registry.rosters.placing import Gazetteer
from services.registry.rosters.sheet import each_household
from shared import divisions
from shared.contracts.registry import Category, Cause, Relation, Sex
from tests.registry.rosters import sheets
from tests.registry.rosters.sheets import household, person
from tests.support.builders import id_number

ON = date(2026, 11, 20)
CSV = Path(__file__).parents[3] / "deploy" / "sample" / "divisions.csv"
GAZETTEER = Gazetteer(divisions.Directory(divisions.read_csv(CSV)), "331124")


def judged(
    *households: Sequence[sheets.Cells], mine: Sequence[str] = ("331124",), **options: Any
) -> list[Judged]:
    layout, rows = workbook.open_sheet(sheets.workbook(households, **options))
    return rules.settle_people_standing_twice(
        layout,
        [rules.judge(layout, one, GAZETTEER, mine, on=ON) for one in each_household(rows)],
    )


def codes(household: Judged, severity: Severity) -> list[tuple[str, str]]:
    return [(one.cell, one.code) for one in household.findings if one.severity is severity]


def test_a_whole_household_is_accepted_without_a_word() -> None:
    (one,) = judged(household(person(1), person(2, name="李四", relation="配偶")))
    assert one.findings == ()
    assert one.facts is not None
    assert one.place == one.facts.division_code
    assert one.place.startswith("331124203")
    assert one.facts.category is Category.DIBAO
    assert one.facts.causes == (Cause.ILLNESS,)
    assert [member.relation for member in one.facts.members] == [Relation.HEAD, Relation.SPOUSE]
    assert str(one.facts.incomes.wage) == "6921.34"


@pytest.mark.parametrize(
    ("cells", "cell", "code"),
    [
        ({"id_number": "331124198605222716"}, "J5", "id_number_checksum"),
        ({"id_number": ""}, "J5", "id_number_missing"),
        ({"id_number": "33112419860522271"}, "J5", "id_number_length"),
        ({"id_number": "331124198613222715"}, "J5", "id_number_birth_date"),
        ({"id_number": 331124198605222715.0}, "J5", "id_number_lost_digits"),
        ({"name": " "}, "H5", "name_missing"),
        ({"name": "长" * 51}, "H5", "name_too_long"),
        ({"relation": ""}, "I5", "relation_missing"),
        ({"relation": "邻居"}, "I5", "word_unknown"),
        ({"sex": "保密"}, "K5", "word_unknown"),
        ({"health": "良好"}, "L5", "word_unknown"),
        ({"disability": "肢体"}, "M5", "word_unknown"),
        ({"labor_ability": "强"}, "N5", "word_unknown"),
        ({"education": "博士后"}, "O5", "word_unknown"),
        ({"school_stage": "补习班"}, "P5", "word_unknown"),
        ({"work": "网红"}, "Q5", "word_unknown"),
        ({"insured": "也许"}, "R5", "word_unknown"),
    ],
)
def test_a_fault_of_a_person_refuses_the_household(
    cells: dict[str, Any], cell: str, code: str
) -> None:
    (one,) = judged(household(person(1, **cells), head_name="张三"))
    assert one.facts is None
    assert (cell, code) in codes(one, Severity.REJECT)


@pytest.mark.parametrize(
    ("cells", "cell", "code"),
    [
        ({"township": ""}, "B5", "township_missing"),
        ({"township": "不存在乡"}, "B5", "township_unknown"),
        ({"village": ""}, "C5", "village_missing"),
        ({"village": "不存在村"}, "C5", "village_unknown"),
        ({"category": ""}, "F5", "category_missing"),
        ({"category": "五保"}, "F5", "word_unknown"),
        ({"causes": "因懒"}, "G5", "word_unknown"),
        ({"wage": -100}, "S5", "number_negative"),
        ({"property": -0.01}, "U5", "number_negative"),
        ({"transfer": "-1"}, "V5", "number_negative"),
        ({"medical": -1}, "W5", "number_negative"),
        ({"financial": -1}, "AA5", "number_negative"),
        ({"vehicles": -1}, "AB5", "number_negative"),
        ({"vehicles": 0.5}, "AB5", "number_not_whole"),
        ({"wage": "约三千"}, "S5", "number_unreadable"),
        ({"house_grade": "E"}, "AC5", "word_unknown"),
        ({"phone": 1.5}, "AD5", "phone_lost_digits"),
        ({"account": 6228875749118625276}, "AE5", "account_lost_digits"),
        ({"account": "6" * 41}, "AE5", "number_too_long"),
    ],
)
def test_a_fault_of_the_household_refuses_it(cells: dict[str, Any], cell: str, code: str) -> None:
    (one,) = judged(household(person(1), **cells))
    assert one.facts is None
    assert codes(one, Severity.REJECT) == [(cell, code)]


@pytest.mark.parametrize(
    "cells",
    [
        {"village": "下田村村委会"},
        {"village": " 下田 村 "},
        {"business": -2600},
        {"wage": 0},
        {"other": "无"},
        {"transfer": "32,878.89"},
        {"phone": 18213186091},
        {"phone": ""},
        {"account": ""},
        {"causes": ""},
        {"house_grade": ""},
    ],
)
def test_what_people_write_is_accepted_without_a_word(cells: dict[str, Any]) -> None:
    (one,) = judged(household(person(1), **cells))
    assert one.facts is not None
    assert one.findings == ()


@pytest.mark.parametrize(
    ("cells", "own", "cell", "code"),
    [
        ({"sex": "女"}, {}, "K5", "sex_differs"),
        ({}, {"count": 3}, "E5", "count_differs"),
        ({"relation": "其他"}, {}, "I5", "head_by_name"),
        ({}, {"head_name": "李四"}, "D5", "head_name_differs"),
        ({}, {"wage": ""}, "S5", "amount_missing"),
        ({"health": "残疾"}, {}, "M5", "disability_missing"),
        ({"disability": "肢体二级"}, {}, "L5", "healthy_with_disability"),
        ({"school_stage": "小学"}, {}, "P5", "stage_odd_for_age"),
    ],
)
def test_what_is_odd_only_warns(
    cells: dict[str, Any], own: dict[str, Any], cell: str, code: str
) -> None:
    (one,) = judged(household(person(1, **cells), **own))
    assert one.facts is not None
    assert codes(one, Severity.WARN) == [(cell, code)]


def test_a_remark_is_told_of_and_not_kept() -> None:
    (one,) = judged(household(person(1), remark="户主在外打工，联系其兄"))
    assert one.facts is not None
    assert codes(one, Severity.NOTE) == [("AF5", "remark_not_kept")]
    assert not one.warned


def test_children_at_work_and_odd_relatives_only_warn() -> None:
    child = person(3, born=date(2016, 5, 1), name="小明", relation="女", work="务农")
    (one,) = judged(household(person(1), child))
    assert one.facts is not None
    assert {code for _, code in codes(one, Severity.WARN)} == {
        "child_at_work",
        "child_able_to_work",
        "relation_odd_for_sex",
    }


def test_a_father_younger_than_his_child_only_warns() -> None:
    father = person(3, born=date(1990, 1, 1), name="老张", relation="父亲")
    (one,) = judged(household(person(1), father))
    assert codes(one, Severity.WARN) == [("I6", "relation_odd_for_age")]


def test_the_number_decides_on_sex_and_birth() -> None:
    (one,) = judged(household(person(2, sex="男", name="王芳")))
    assert one.facts is not None
    assert one.facts.head.sex is Sex.FEMALE
    assert one.facts.head.birth_date == date(1980, 5, 17)


def test_every_fault_of_a_household_is_listed() -> None:
    (one,) = judged(
        household(
            person(1, id_number=""),
            person(2, name="", relation="邻居"),
            village="不存在村",
            wage=-1,
            category="五保",
        )
    )
    assert sorted(codes(one, Severity.REJECT)) == [
        ("C5", "village_unknown"),
        ("F5", "word_unknown"),
        ("H6", "name_missing"),
        ("I6", "word_unknown"),
        ("J5", "id_number_missing"),
        ("S5", "number_negative"),
    ]


def test_nobody_called_head_and_no_name_that_fits_is_refused() -> None:
    (one,) = judged(household(person(1, relation="其他"), head_name="赵六"))
    assert ("I5", "head_missing") in codes(one, Severity.REJECT)


def test_two_of_one_name_and_no_head_row_is_refused() -> None:
    people = [person(order, relation="其他") for order in (1, 3)]
    (one,) = judged(household(*people))
    assert ("I5", "head_missing") in codes(one, Severity.REJECT)


def test_two_heads_are_refused() -> None:
    (one,) = judged(household(person(1), person(3, name="李四")))
    assert codes(one, Severity.REJECT) == [("I6", "two_heads")]


def test_a_household_of_another_township_is_refused_to_a_township() -> None:
    mine, other = judged(
        household(person(1)),
        household(person(3), township="西屏街道", village="城西社区"),
        mine=["331124203"],
    )
    assert mine.facts is not None
    assert codes(other, Severity.REJECT) == [("C6", "outside_your_divisions")]


def test_the_same_person_twice_in_one_household_is_refused() -> None:
    again = person(1, name="张三", relation="其他", id_number=id_number(order=1).lower())
    (one,) = judged(household(person(1), again))
    assert codes(one, Severity.REJECT) == [("J6", "person_twice_in_household")]


def test_who_stands_in_two_households_stays_in_the_first() -> None:
    first, second = judged(household(person(1)), household(person(1)))
    assert first.facts is not None
    assert codes(first, Severity.WARN) == [("J5", "person_in_later_household")]
    assert "序号 2，第 6 行" in first.findings[-1].message
    assert codes(second, Severity.REJECT) == [("J6", "person_in_earlier_household")]
    assert "序号 1，第 5 行" in second.findings[-1].message


def test_a_first_household_that_is_refused_itself_keeps_nobody() -> None:
    first, second = judged(household(person(1), wage=-1), household(person(1)))
    assert first.facts is None
    assert second.facts is not None
    assert codes(second, Severity.WARN) == [("J6", "person_in_later_household")]


def test_a_household_refused_for_one_person_frees_its_others() -> None:
    shared, other = person(1), person(3, name="李四", relation="配偶")
    households = [
        household(shared),
        household(person(5, name="王五"), {**shared, "relation": "其他"}, other),
        household({**other, "relation": "户主"}),
    ]
    first, second, third = judged(*households)
    assert (first.rejected, second.rejected, third.rejected) == (False, True, False)


def test_messages_hold_no_personal_data() -> None:
    one, two = judged(
        household(person(1, id_number="331124198605222716")),
        household(person(3), category="331124198605222715"),
    )
    told = " ".join(found.message for each in (one, two) for found in each.findings)
    assert "3311241986" not in told
    assert "张三" not in told
