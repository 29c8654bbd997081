"""A decision told to a citizen: facts, figures, papers and every step of the sum."""

from datetime import date
from decimal import Decimal

from services.relief.tekun.explanations import explain
from services.relief.tekun.rules import schedule
from shared.contracts.registry import State
from tests.relief.tekun.facts import (
    HIS_BROTHER,
    OLD_WANG,
    assessment,
    figures,
    known,
    period,
    support,
)

IDENTIFIED = date(2026, 1, 5)
LOOKED = date(2026, 1, 20)


def test_the_worked_example_in_a_citizen_s_words() -> None:
    (decision,) = schedule([period(IDENTIFIED)], known(assessment(2, LOOKED)))
    told = explain(decision)
    assert told["text"] == (
        "2026年1月5日起，属特困人员，救助供养1人。"
        "低保标准每人每月600元，2020年1月1日起执行，文件号：丽民〔2020〕1号；"
        "基本生活标准为其1.3倍，文件号：丽民〔2020〕3号："
        "600元×1.3=780元，不足一元的按一元计，每人每月780元。"
        "本人2026年1月20日评估（评估文件：松民评〔2026〕1号），"
        "六项指标有2项不能自主完成（吃饭、穿衣），为部分丧失生活自理能力；"
        "最低月工资标准1380元，2020年1月1日起执行，文件号：丽民〔2020〕2号；"
        "照料护理标准为其30%，文件号：丽民〔2020〕5号："
        "1380元×30%=414元，不足一元的按一元计，每月414元。"
        "每月发放780元+414元=1194元。分散供养，发放给本人。自2026年2月起执行。"
    )
    assert [(step["code"], step["value"]) for step in told["steps"]] == [
        ("people", "1.00"),
        ("basic", "780.00"),
        ("care", "414.00"),
        ("amount", "1194.00"),
    ]
    assert told["clauses"] == ["R13", "R24", "R25"]
    assert set(told["figures"]) == {
        "dibao_line",
        "minimum_wage",
        "tekun.basic_multiple",
        "tekun.care.partly",
    }


def test_two_in_an_institution_one_not_yet_assessed() -> None:
    (*_, decision) = schedule(
        [period(IDENTIFIED, n=2)],
        known(
            assessment(6, LOOKED),
            support(LOOKED),
            support(LOOKED, person_id=HIS_BROTHER, number=2),
            members=frozenset({OLD_WANG, HIS_BROTHER}),
        ),
    )
    text = explain(decision)["text"]
    assert "第1人2026年1月20日评估" in text
    assert "第2人尚未完成生活自理能力评估，暂只发放基本生活部分。" in text
    assert "每月发放780元×2人+690元=2250元。集中供养，拨付供养服务机构。" in text


def test_what_is_missing_is_named() -> None:
    (decision,) = schedule(
        [period(IDENTIFIED)], known(assessment(2, LOOKED), here=figures(minimum_wage=[]))
    )
    assert "尚无经批准的最低月工资标准，金额待标准批准后计算" in explain(decision)["text"]


def test_nobody_who_counts_is_owed_nothing() -> None:
    """The single person is in prison: the file stays, n is 0 (R1)."""
    (decision,) = schedule([period(IDENTIFIED, n=0)], known(members=frozenset()))
    assert (decision.amount, decision.entitled) == (Decimal(0), True)
    assert explain(decision)["text"].endswith(
        "没有计入人口的人员，不发救助供养金。自2026年2月起执行。"
    )


def test_a_stop_says_why() -> None:
    stop = period(date(2026, 5, 4), state=State.EXITED)
    decision = schedule([period(IDENTIFIED), stop], known(assessment(0, LOOKED)))[-1]
    assert explain(decision)["text"] == (
        "2026年5月4日起，家庭已退出救助供养，且没有继续享受政策的期限，停发救助供养金。"
        "自2026年6月起执行。"
    )
