"""R20 as tables: base, deductible, ratio, cap; category and tags of the day; the alarm."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.relief.medical.entitlement import NotAssisted, figure_on, standing_on
from services.relief.medical.explanations import basis_of, explain, read
from services.relief.medical.rules import (
    Bill,
    Case,
    Reason,
    assistance,
    base_of,
    cap_of,
    decide,
    decide_year,
    is_alarming,
    self_borne,
    terms_on,
)
from shared.contracts.registry import Category, RuleSet, State
from tests.relief.medical.facts import R20, bill, case, figure, period, plain, terms

TEKUN, DIBAO, MARGINAL = Category.TEKUN, Category.DIBAO, Category.DIBAO_MARGINAL


@pytest.mark.parametrize(
    ("given_bill", "base"),
    [
        (bill(), "17000"),
        (bill(other_paid="16999.99"), "0.01"),
        (bill(other_paid="17000"), "0"),
        (bill(other_paid="22000"), "0"),
        (plain("100"), "100"),
    ],
)
def test_the_base_is_what_is_in_scope_and_left(given_bill: Bill, base: str) -> None:
    assert base_of(given_bill) == Decimal(base)


@pytest.mark.parametrize(
    ("category", "base", "before", "amount"),
    [
        (DIBAO, "17000", "0", "11900.00"),
        (DIBAO, "17000", "75000", "5000.00"),
        (MARGINAL, "17000", "0", "9000.00"),
        (TEKUN, "17000", "0", "17000.00"),
        (MARGINAL, "2000", "0", "0.00"),
        (MARGINAL, "2000.01", "0", "0.01"),
        (TEKUN, "80000", "0", "80000.00"),
        (TEKUN, "80000.01", "0", "80000.00"),
        (TEKUN, "10000", "70000", "10000.00"),
        (TEKUN, "10000", "70000.01", "9999.99"),
        (TEKUN, "1", "80000", "0.00"),
        (TEKUN, "1", "90000", "0.00"),
        (DIBAO, "0.05", "0", "0.04"),  # 0.035 is rounded once, half up
        (DIBAO, "0.02", "0", "0.01"),
    ],
)
def test_what_a_bill_is_owed(category: Category, base: str, before: str, amount: str) -> None:
    assert assistance(Decimal(base), terms(category), Decimal(before)) == Decimal(amount)


def test_a_cap_below_the_fen_is_not_passed_by_rounding() -> None:
    held = terms(TEKUN, cap="100.0055")
    assert assistance(Decimal(200), held, Decimal(0)) == Decimal("100.00")


@pytest.mark.parametrize(
    ("held", "amount", "category"),
    [
        ((TEKUN, DIBAO), "17000", TEKUN),
        ((DIBAO, MARGINAL), "11900", DIBAO),
        ((MARGINAL,), "9000", MARGINAL),
    ],
)
def test_the_best_result_over_category_and_tags(
    held: tuple[Category, ...], amount: str, category: Category
) -> None:
    decision = decide(case(bill(), *(terms(each) for each in held)), Decimal(0))
    assert (decision.amount, decision.reason) == (Decimal(amount), Reason.ASSISTED)
    assert decision.terms
    assert decision.terms.category is category


def test_the_best_result_may_be_the_category_with_the_higher_cap() -> None:
    small, large = terms(DIBAO, ratio="1", cap="1000"), terms(MARGINAL, cap="50000")
    decision = decide(case(bill(), small, large), Decimal(1000))
    assert decision.amount == Decimal(9000)


@pytest.mark.parametrize(
    ("given_case", "before", "reason"),
    [
        (case(plain("2000"), terms(MARGINAL)), "0", Reason.BELOW_DEDUCTIBLE),
        (case(plain("9000"), terms(DIBAO)), "80000", Reason.CAP_REACHED),
        (case(plain("0"), terms(DIBAO)), "80000", Reason.BELOW_DEDUCTIBLE),
        (case(bill(), categories=(DIBAO,)), "0", Reason.PARAMETER_MISSING),
        (case(bill(), without=NotAssisted.LIFTED), "0", Reason.LIFTED),
    ],
)
def test_why_nothing_is_owed(given_case: Case, before: str, reason: Reason) -> None:
    decision = decide(given_case, Decimal(before))
    assert (decision.amount, decision.reason) == (Decimal(0), reason)


DAY = date(2026, 4, 20)
MARCH, MAY = date(2026, 3, 10), date(2026, 5, 4)


@pytest.mark.parametrize(
    ("day", "categories", "without"),
    [
        (date(2026, 3, 9), (), NotAssisted.NOT_ASSISTED),
        (MARCH, (DIBAO,), None),
        (date(2026, 5, 3), (DIBAO,), None),
        (MAY, (TEKUN, MARGINAL), None),
        (date(2026, 5, 31), (TEKUN, MARGINAL), None),
        (date(2026, 6, 1), (TEKUN, MARGINAL), None),
        (date(2026, 6, 2), (), NotAssisted.LIFTED),
        (date(2026, 7, 1), (), NotAssisted.CLOSED),
    ],
)
def test_the_category_counts_on_the_day(
    day: date, categories: tuple[Category, ...], without: NotAssisted | None
) -> None:
    periods = [
        period(date(2026, 5, 31), MARGINAL, state=State.LIFTED, tags=(TEKUN,),
               keep_policy_until=date(2026, 6, 1)),
        period(MAY, MARGINAL, tags=(TEKUN,)),
        period(MARCH),
        period(date(2026, 7, 1), MARGINAL, state=State.CLOSED),
    ]  # fmt: skip
    standing = standing_on(periods, (), day)
    assert (standing.categories, standing.without) == (categories, without)


def test_tags_that_a_publisher_left_out_are_todays_for_the_newest_period_only() -> None:
    periods = [period(MARCH, tags=None), period(MAY, tags=None)]
    assert standing_on(periods, (TEKUN,), MAY).categories == (TEKUN, DIBAO)
    assert standing_on(periods, (TEKUN,), date(2026, 5, 3)).categories == (DIBAO,)
    assert standing_on([period(MARCH, tags=())], (TEKUN,), MAY).categories == (DIBAO,)


def test_figures_hold_from_their_first_day() -> None:
    old, new = figure("k", "1"), figure("k", "2", date(2026, 7, 1))
    assert figure_on([old, new], date(2026, 6, 30)) is old
    assert figure_on([old, new], date(2026, 7, 1)) is new
    assert figure_on([new], date(2026, 6, 30)) is None


def test_terms_need_all_three_figures() -> None:
    whole = terms(DIBAO)
    known = {each.key: [each] for each in (whole.deductible, whole.ratio, whole.cap)}
    assert terms_on(known, (DIBAO, TEKUN), DAY) == (whole,)
    for missing in known:
        rest = {key: kept for key, kept in known.items() if key != missing}
        assert terms_on(rest, (DIBAO,), DAY) == ()


def test_the_law_is_that_of_the_discharge() -> None:
    old = decide(case(bill(), terms(), day=date(2024, 12, 31)), Decimal(0))
    new = decide(case(bill(), terms(), day=date(2025, 1, 1)), Decimal(0))
    assert (old.rule_set, new.rule_set) == (RuleSet.CN2021, RuleSet.CN2025)


@pytest.mark.parametrize(
    ("borne", "income", "alarming"),
    [
        ("20000.00", "100000", False),
        ("20000.01", "100000", True),
        ("9000.00", "18000", False),
        ("9000.01", "18000", True),
        ("0.00", "0", False),
        ("0.01", "0", True),
    ],
)
def test_the_alarm_is_above_either_bound(borne: str, income: str, alarming: bool) -> None:
    alarm, percent, yearly = Decimal(20000), Decimal(50), Decimal(income)
    both = is_alarming(Decimal(borne), alarm=alarm, percent=percent, yearly_income=yearly)
    assert both is alarming
    assert not is_alarming(Decimal(borne), alarm=None, percent=None, yearly_income=yearly)


def test_what_is_self_borne_counts_what_is_off_the_list() -> None:
    assert self_borne(bill(), Decimal(11900)) == Decimal(10100)


yuan = st.decimals(0, 200_000, places=2)
ratios = st.sampled_from(["0", "0.333", "0.5", "0.7", "1"])


@st.composite
def cases(draw: st.DrawFn) -> Case:
    held = draw(st.sets(st.sampled_from(list(R20))))
    kept = [terms(each, ratio=draw(ratios), cap=str(draw(st.integers(0, 90_000)))) for each in held]
    cost = draw(yuan)
    given_bill = Bill(cost=cost, off_list=min(cost, draw(yuan)), basic_paid=min(cost, draw(yuan)))
    without = None if held else NotAssisted.NOT_ASSISTED
    return case(given_bill, *kept, without=without)


@given(st.lists(cases(), max_size=8))
def test_the_cap_is_never_passed_in_any_order(given_cases: list[Case]) -> None:
    decisions = decide_year(given_cases)
    paid = Decimal(0)
    for decision in decisions:
        assert decision.paid_before == paid
        assert decision.amount >= 0
        paid += decision.amount
        if decision.amount:
            assert decision.terms
            assert paid <= decision.terms.cap.value
    assert paid <= cap_of(decisions)


@given(cases(), yuan)
def test_a_stored_decision_decides_the_same_again(given_case: Case, before: Decimal) -> None:
    decision = decide(given_case, before)
    assert read(basis_of(decision)) == decision


def test_the_explanation_can_be_checked_with_a_pencil() -> None:
    decision = decide(case(bill(), terms(MARGINAL)), Decimal(0))
    told = explain(basis_of(decision), amount=Decimal(9000), total=Decimal(9000))
    assert told["text"] == (
        "2026年4月20日出院结算，总费用60000元。减去目录外5000元、基本医保30000元、大病保险8000元、"
        "其他补充报销0元，政策范围内自付17000元。出院当日家庭属低保边缘对象（2026年3月10日起）。"
        "起付线2000元，2020年1月1日起执行，文件号：丽医保〔2020〕7号。"
        "救助比例60%，2020年1月1日起执行，文件号：丽医保〔2020〕7号。"
        "年度封顶线80000元，2020年1月1日起执行，文件号：丽医保〔2020〕7号。"
        "（17000元-2000元）×60%=9000元。本年度此前已救助0元，年度封顶线内还可救助80000元。"
        "本次结算应救助9000元。"
    )
    assert [step["code"] for step in told["steps"]][-1] == "amount"


@pytest.mark.parametrize(
    ("amount", "said"),
    [("2900", "此前已核定6100元，本次补发2900元。"), ("-500", "此前已核定9500元，本次核减500元。")],
)
def test_a_correction_says_what_it_adds_or_takes(amount: str, said: str) -> None:
    decision = decide(case(bill(), terms(MARGINAL)), Decimal(0))
    told = explain(basis_of(decision), amount=Decimal(amount), total=Decimal(9000))
    assert told["text"].endswith(said)
