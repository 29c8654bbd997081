"""What a notice prints, and what none may: a table of the content check (N21 24; ZJ 55)."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from services.notify.notices.content import (
    NO_NAME,
    Posting,
    Rule,
    complaints_to,
    compose,
    forbidden,
)
from services.notify.notices.rules import Content
from shared.contracts.notices import NoticeKind
from shared.contracts.registry import Category
from shared.identity import new_id

PHONE = "0578-8062345"
CONTENT = Content(
    kind=NoticeKind.IDENTIFICATION,
    division_code="331124002221",
    category=Category.DIBAO,
    n=3,
    amount=Decimal("600.00"),
    applicant_person_id=new_id(),
)
POSTING = Posting(
    name="张三丰",
    village="大竹溪村",
    township="水南街道",
    posted_on=date(2016, 10, 26),
    last_day=date(2016, 11, 2),
    complaints_to="松阳县民政局",
    phone=PHONE,
)


def test_the_sheet_says_what_the_law_asks_for_and_nothing_else() -> None:
    assert compose(CONTENT, POSTING) == (
        "拟认定公示",
        "申请人：张三丰",
        "家庭人口：3人",
        "类别：最低生活保障家庭",
        "金额：每月600.00元",
        "所在村（社区）：水南街道大竹溪村",
        "公示期：2016年10月26日张贴，次日起7日，至2016年11月2日止",
        "公示期内如有异议，请向松阳县民政局反映，电话：0578-8062345",
    )


@pytest.mark.parametrize(
    ("kind", "title"),
    [
        (NoticeKind.IDENTIFICATION, "拟认定公示"),
        (NoticeKind.LIFT, "拟脱贫公示"),
        (NoticeKind.EXIT, "拟退出公示"),
        (NoticeKind.TEMPORARY_ASSISTANCE, "拟给予临时救助公示"),
    ],
)
def test_the_title_says_what_is_about_to_be_decided(kind: NoticeKind, title: str) -> None:
    assert compose(replace(CONTENT, kind=kind), POSTING)[0] == title


def test_without_an_adult_nobody_is_named() -> None:
    lines = compose(CONTENT, replace(POSTING, name=None))
    assert lines[1] == f"申请人：{NO_NAME}"


@pytest.mark.parametrize("category", [None, Category.DIBAO])
def test_temporary_assistance_tells_its_sum_and_not_what_a_household_is(
    category: Category | None,
) -> None:
    kind = NoticeKind.TEMPORARY_ASSISTANCE
    lines = compose(replace(CONTENT, kind=kind, category=category, amount=Decimal(7200)), POSTING)
    assert lines[2:5] == ("救助人口：3人", "项目：临时救助", "金额：一次性7200.00元")


def test_without_an_amount_or_a_phone_there_is_no_word_of_it() -> None:
    lines = compose(replace(CONTENT, amount=None), replace(POSTING, phone=None))
    assert not any("金额" in line or "电话" in line for line in lines)
    assert lines[-1] == "公示期内如有异议，请向松阳县民政局反映"


@pytest.mark.parametrize("category", Category)
@pytest.mark.parametrize("kind", NoticeKind)
@pytest.mark.parametrize("amount", [None, Decimal("0.00"), Decimal("123456.78")])
def test_what_we_compose_passes_our_own_check(
    category: Category, kind: NoticeKind, amount: Decimal | None
) -> None:
    content = replace(CONTENT, category=category, kind=kind, amount=amount, n=12)
    assert forbidden("\n".join(compose(content, POSTING)), phone=PHONE) is None


def test_whom_to_complain_to() -> None:
    assert complaints_to(Category.DIBAO, "松阳县") == "松阳县民政局"
    assert complaints_to(None, "松阳县") == "松阳县民政局"
    assert complaints_to(Category.GROUP_4600, "松阳县") == "松阳县农办（扶贫办）"


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("申请人：张三丰", None),
        ("身份证号11010519491231002X", Rule.ID_NUMBER),
        ("身份证号11010519491231002x", Rule.ID_NUMBER),
        ("身份证号331102199003070011", Rule.ID_NUMBER),
        ("身份证号331102 19900307 0011", Rule.ID_NUMBER),
        ("身份证号331102-19900307-0011", Rule.ID_NUMBER),
        ("身份证号３３１１０２１９９００３０７００１１", Rule.ID_NUMBER),
        ("旧身份证331102900307001", Rule.ID_NUMBER),
        ("联系13812340000", Rule.PHONE),
        ("联系138 1234 0000", Rule.PHONE),
        ("联系138-1234-0000", Rule.PHONE),
        ("联系１３８１２３４００００", Rule.PHONE),
        ("家里0578-8061111", Rule.PHONE),
        ("家里(0578)8061111", Rule.PHONE),
        ("家里8061111", Rule.PHONE),
        ("投诉0578-8062345", None),
        ("投诉05788062345", None),
        ("投诉0578－8062345", None),
        # the complaint phone inside a longer number is no complaint phone
        ("账号605788062345", Rule.BANK_ACCOUNT),
        ("投诉0578-8062345，家里0578-8062346", Rule.PHONE),
        ("账号622848001234", Rule.BANK_ACCOUNT),
        ("账号6228 4800 1234 5678", Rule.BANK_ACCOUNT),
        ("账号6228480012345678901", Rule.BANK_ACCOUNT),
        ("金额：每月123456.78元", None),
        ("2016年10月26日至2016年11月2日", None),
        ("因患病致贫", Rule.ILLNESS),
        ("户主患重病", Rule.ILLNESS),
        ("母亲患癌", Rule.ILLNESS),
        ("残疾人家庭", Rule.ILLNESS),
        ("二级精神残疾", Rule.ILLNESS),
        ("张小明，学生", Rule.MINOR_NAME),
        ("张小红", None),
    ],
)
def test_what_must_not_be_printed(text: str, rule: Rule | None) -> None:
    assert forbidden(text, phone=PHONE, minors_names={"张小明", ""}) == rule


def test_the_words_of_illness_can_be_chosen() -> None:
    assert forbidden("长期卧床", words=("卧床",)) is Rule.ILLNESS
    assert forbidden("长期卧床") is None


def test_without_a_complaint_phone_every_number_is_somebodys() -> None:
    assert forbidden(f"投诉{PHONE}") is Rule.PHONE
