"""R20's premium subsidy as tables: the best rate of the enrolment date, and when people enrol."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.relief.medical.entitlement import Figures, NotAssisted, Standing
from services.relief.premiums.explanations import basis_of, explain, read
from services.relief.premiums.rules import Reason, decide, enrolment_fault, subsidy
from shared.contracts.registry import Category
from tests.relief.medical.facts import figure

TEKUN, DIBAO, MARGINAL = Category.TEKUN, Category.DIBAO, Category.DIBAO_MARGINAL
OPENED = date(2026, 10, 1)


def figures(**changes: str) -> Figures:
    rates = {"tekun": "1", "dibao": "1", "dibao_marginal": "0.5", "group_4600": "0"} | changes
    known = {f"premium.rate.{code}": [figure(code, value)] for code, value in rates.items()}
    return known | {"premium.contribution": [figure("premium.contribution", "250")]}


def standing(*categories: Category) -> Standing:
    return Standing(since=OPENED, categories=categories)


@pytest.mark.parametrize(
    ("contribution", "rate", "amount"),
    [("250", "0.5", "125.00"), ("250", "1", "250.00"), ("0.01", "0.5", "0.01"), ("250", "0", "0")],
)
def test_the_contribution_times_the_rate(contribution: str, rate: str, amount: str) -> None:
    assert subsidy(Decimal(contribution), Decimal(rate)) == Decimal(amount)


@pytest.mark.parametrize(
    ("categories", "amount", "category", "reason"),
    [
        ((MARGINAL,), "125", MARGINAL, Reason.SUBSIDISED),
        ((DIBAO, MARGINAL), "250", DIBAO, Reason.SUBSIDISED),
        ((TEKUN, DIBAO), "250", TEKUN, Reason.SUBSIDISED),
        ((Category.GROUP_4600,), "0", Category.GROUP_4600, Reason.NOTHING_DUE),
        ((Category.EXPENDITURE_BASED,), "0", None, Reason.PARAMETER_MISSING),
        ((MARGINAL, Category.EXPENDITURE_BASED), "125", MARGINAL, Reason.SUBSIDISED),
    ],
)
def test_the_best_rate_over_category_and_tags(
    categories: tuple[Category, ...], amount: str, category: Category | None, reason: Reason
) -> None:
    decision = decide(standing(*categories), figures(), 2027)
    assert (decision.amount, decision.reason) == (Decimal(amount), reason)
    assert (decision.rate.category if decision.rate else None) is category


def test_without_a_contribution_nothing_is_reckoned() -> None:
    missing = {**figures(), "premium.contribution": []}
    assert decide(standing(DIBAO), missing, 2027).reason is Reason.PARAMETER_MISSING


def test_who_is_not_on_assistance_is_not_subsidised() -> None:
    lifted = Standing(since=OPENED, without=NotAssisted.LIFTED)
    assert decide(lifted, figures(), 2027).reason is Reason.LIFTED


def test_the_figures_are_those_of_the_insured_year() -> None:
    dear = [*figures()["premium.contribution"], figure("c", "400", date(2027, 1, 1))]
    late = [*dear, figure("c", "999", date(2027, 1, 2))]
    known = {**figures(), "premium.contribution": late}
    assert decide(standing(DIBAO), known, 2027).amount == Decimal(400)
    assert decide(standing(DIBAO), known, 2026).amount == Decimal(250)


@pytest.mark.parametrize(
    ("enrolled_on", "today", "code"),
    [
        (date(2026, 9, 30), date(2026, 11, 25), "enrolment_closed"),
        (date(2026, 10, 1), date(2026, 11, 25), None),
        (date(2026, 11, 25), date(2026, 11, 25), None),
        (date(2026, 11, 26), date(2026, 11, 25), "enrolment_to_come"),
        (date(2027, 12, 31), date(2028, 1, 5), None),
        (date(2028, 1, 1), date(2028, 1, 5), "enrolment_closed"),
    ],
)
def test_when_people_enrol(enrolled_on: date, today: date, code: str | None) -> None:
    fault = enrolment_fault(year=2027, enrolled_on=enrolled_on, today=today)
    assert (fault and fault[0]) == code


@given(st.sets(st.sampled_from(list(Category))), st.sampled_from(["0.333", "0.5", "1"]))
def test_a_stored_decision_decides_the_same_again(held: set[Category], rate: str) -> None:
    known = tuple(each for each in Category if each in held)
    decision = decide(standing(*known), figures(dibao=rate), 2027)
    assert read(basis_of(decision, year=2027, enrolled_on=OPENED)) == decision


def test_the_explanation_can_be_checked_with_a_pencil() -> None:
    decision = decide(standing(DIBAO, MARGINAL), figures(), 2027)
    told = explain(basis_of(decision, year=2027, enrolled_on=date(2026, 11, 25)))
    assert told["text"] == (
        "2027年度个人缴费250元，2020年1月1日起执行，文件号：丽医保〔2020〕7号。"
        "参保登记日2026年11月25日家庭属低保对象、低保边缘对象，按资助比例最高的低保对象计算。"
        "资助比例100%，2020年1月1日起执行，文件号：丽医保〔2020〕7号。"
        "250元×100%=250元，每人每年资助一次。"
    )
