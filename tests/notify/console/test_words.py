"""What happenings are called, and which charts the figures make."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from services.notify.console import charts, telling, words
from services.notify.timelines.rules import Kind
from shared.contracts.assistance import AssistanceStatus, GuaranteeKind, HardshipKind
from shared.contracts.notices import NoticeKind, NoticeOutcome
from shared.contracts.registry import Category, Cause, Relation, State
from shared.identity import new_id


def row(kind: Kind, **facts: Any) -> dict[str, Any]:
    known: dict[str, Any] = {
        "source": "/relief",
        "aggregate_id": new_id(),
        "part": "",
        "happened_on": date(2026, 11, 25),
        "rank": 0,
        "kind": kind.value,
        "code": "dibao",
        "amount": None,
        "month": None,
        "detail": {},
    }
    return known | facts


@pytest.mark.parametrize(
    ("named", "codes"),
    [
        (words.STATES, State),
        (words.CATEGORIES, Category),
        (words.CAUSES, Cause),
        (words.GUARANTEES, GuaranteeKind),
        (words.STATUSES, AssistanceStatus),
        (words.HARDSHIPS, HardshipKind),
        (words.NOTICE_KINDS, NoticeKind),
        (words.OUTCOMES, NoticeOutcome),
        (words.RELATIONS, Relation),
    ],
)
def test_every_code_of_the_contracts_has_its_word(named: dict[str, str], codes: Any) -> None:
    assert set(named) == {code.value for code in codes}


@pytest.mark.parametrize(
    ("told", "title", "notes"),
    [
        (
            row(Kind.IDENTIFIED, detail={"n": 3, "yearly_income": "6000.00", "origin": "roster"}),
            "认定为低保",
            ("3 人", "家庭年收入 6,000.00 元", "花名册导入"),
        ),
        (row(Kind.RETURNED, detail={"episode": 2}), "返贫，第2次纳入帮扶（低保）", ()),
        (
            row(
                Kind.CATEGORY_CHANGED,
                code="dibao_marginal",
                detail={"before": {"category": "dibao"}},
            ),
            "类别由低保调整为低保边缘",
            (),
        ),
        (
            row(Kind.FACTS_CHANGED, detail={"n": 4, "before": {"n": 3}}),
            "家庭情况变动",
            ("人口 3 → 4 人",),
        ),
        (
            row(Kind.LIFTED, detail={"keep_policy_until": "2027-09-10"}),
            "脱贫，进入跟踪期",
            ("政策保留至 2027年9月10日",),
        ),
        (row(Kind.EXITED), "退出，销号", ()),
        (row(Kind.CLOSED), "档案关闭", ()),
        (row(Kind.HARDSHIP, code="dropout"), "发现困难迹象：适龄子女失学辍学", ()),
        (row(Kind.HARDSHIP, code="flooded"), "发现困难迹象：flooded", ()),
        (row(Kind.GUARANTEE, code="housing", detail={"met": False}), "住房安全保障：未达标", ()),
        (row(Kind.GUARANTEE, code="housing", detail={"met": True}), "住房安全保障：达标", ()),
        (
            row(Kind.NOTICE_POSTED, code="lift", detail={"last_day": "2026-12-02"}),
            "拟脱贫公示张贴",
            ("公示至 2026年12月2日",),
        ),
        (
            row(Kind.NOTICE_CLOSED, code="exit", detail={"outcome": "withdrawn"}),
            "拟退出公示结束：已撤回",
            (),
        ),
    ],
)
def test_a_happening_in_words(told: dict[str, Any], title: str, notes: tuple[str, ...]) -> None:
    line = telling.line_of(told, {})
    assert (line.title, line.notes) == (title, notes)


@pytest.mark.parametrize(
    ("status", "said", "struck"),
    [("approved", "已批准", False), ("paid", "已发放", False), ("reversed", "已撤销", True)],
)
def test_a_measure_in_words(status: str, said: str, struck: bool) -> None:
    person = new_id()
    detail = {"status": status, "fund": "county", "month": "2026-12", "person_ids": [str(person)]}
    told = row(Kind.ASSISTANCE, amount=Decimal("650.5"), detail=detail)
    line = telling.line_of(told, {str(person): "张*"})
    assert (line.bureau, line.title, line.amount) == ("民政", "低保金", "650.50")
    assert (line.status, line.struck) == (said, struck)
    assert line.notes == ("2026年12月", "县级资金", "受益人：张*")
    assert telling.line_of(told, {}).notes[-1] == "受益 1 人"


def test_the_smallest_programmes_share_one_series_and_no_fen_is_lost() -> None:
    months = charts.months_until(date(2026, 2, 3), 3)
    assert months == [date(2025, 12, 1), date(2026, 1, 1), date(2026, 2, 1)]
    measures = [
        {
            "programme": f"p{place}",
            "month": months[place % 3],
            "approved_yuan": Decimal("0.01"),
            "paid_yuan": Decimal(place),
        }
        for place in range(9)
    ]
    chart = charts.money(measures, months, most=6)
    assert [name for name, _ in chart.series] == ["p8", "p7", "p6", "p5", "p4", "p3", "其他"]
    assert sum(sum(values) for _, values in chart.series) == Decimal("36.09")


def test_the_funnel_and_the_trend_leave_no_step_and_no_month_out() -> None:
    flow = [
        {"month": date(2026, 1, 1), "found": 5, "identified": 4, "lifted": 2, "exited": 1}
        | {"returned": 0},
        {"month": date(2026, 2, 1), "found": 1, "identified": 1, "lifted": 0, "exited": 0}
        | {"returned": 1},
    ]
    assert charts.funnel(flow).series == (("户", (6, 5, 2, 1)),)
    trend = charts.trend(flow, charts.months_until(date(2026, 3, 1), 3))
    assert dict(trend.series)["认定"] == (4, 1, 0)
    assert dict(trend.series)["返贫"] == (0, 1, 0)


def test_a_measure_without_money_says_how_far_it_is() -> None:
    detail: dict[str, Any] = {"status": "approved", "fund": "none", "month": None, "person_ids": []}
    line = telling.line_of(row(Kind.ASSISTANCE, amount=Decimal("0.00"), detail=detail), {})
    assert (line.amount, line.notes) == (None, ("已批准",))
