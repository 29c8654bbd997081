"""What holds for every history: order and repetition do not matter, nothing is lost or made up."""

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from services.relief.dibao.explanations import explain, read
from services.relief.dibao.rules import (
    Decision,
    Line,
    decide,
    schedule,
)
from services.relief.schedules.rules import change
from shared.contracts.registry import Category, FactPeriod, Incomes, State
from tests.relief.dibao.facts import line

# Few days, most of them on a boundary, so that changes meet.
days = st.builds(
    date, st.integers(2025, 2026), st.integers(1, 5), st.sampled_from([1, 1, 2, 15, 28])
)
fen = st.decimals(min_value=-1000, max_value=100_000, places=2)
facts = st.builds(
    FactPeriod,
    valid_from=days,
    state=st.sampled_from(list(State)),
    category=st.sampled_from([Category.DIBAO, Category.DIBAO, Category.TEKUN]),
    n=st.integers(1, 9),
    incomes=st.builds(Incomes, wage=fen, business=fen, property=fen, transfer=fen),
    keep_policy_until=st.none() | days,
)
histories = st.lists(facts, max_size=5, unique_by=lambda each: each.valid_from).map(
    lambda periods: sorted(periods, key=lambda each: each.valid_from)
)
lines_over_time = st.lists(
    st.builds(
        line,
        st.decimals(min_value=1, max_value=3000, places=2).map(str),
        days,
        st.integers(1, 1000),
    ),
    max_size=3,
    unique_by=lambda each: each.valid_from,
)


def apply(stored: list[Decision], wanted: list[Decision]) -> list[Decision]:
    """What the table holds after the change, as the action writes it."""
    step = change(stored, wanted)
    left = [each for each in stored if each.from_month not in step.superseded]
    return sorted([*left, *step.written], key=lambda each: each.from_month)


@given(histories, lines_over_time, st.data())
def test_versions_skipped_repeated_or_late_lines_end_in_the_same_schedule(
    periods: list[FactPeriod], lines: list[Line], data: st.DataObject
) -> None:
    newest = schedule(periods, lines)
    versions = [periods[:length] for length in range(len(periods) + 1)]
    seen = data.draw(st.lists(st.sampled_from(versions), max_size=6))
    known = data.draw(st.lists(st.sampled_from([lines[:1], lines[:2], lines]), max_size=6))
    stored: list[Decision] = []
    for version, standing in zip(seen, known, strict=False):
        stored = apply(stored, schedule(version, standing))
    stored = apply(stored, newest)
    assert stored == newest
    assert change(stored, newest) == change([], []), "nothing is written a second time"


@given(histories, lines_over_time)
def test_every_month_is_what_its_own_facts_say(
    periods: list[FactPeriod], lines: list[Line]
) -> None:
    """The merged schedule against each month reckoned alone, straight from the clauses."""
    decisions = schedule(periods, lines)
    month = date(2025, 1, 1)
    while month < date(2028, 6, 1):
        held = [each for each in decisions if each.from_month <= month]
        expected = month_by_hand(periods, lines, month)
        assert (held[-1].amount if held else Decimal(0)) == expected
        month = (month + timedelta(days=31)).replace(day=1)


def month_by_hand(periods: list[FactPeriod], lines: list[Line], month: date) -> Decimal | None:
    begun = [each for each in periods if each.valid_from < month]
    if not begun or begun[-1].category is not Category.DIBAO:
        return Decimal(0)
    last = basis = begun[-1]
    if last.state not in {State.IDENTIFIED, State.RETURNED}:
        until = last.keep_policy_until
        if last.state not in {State.LIFTED, State.EXITED} or until is None or until < month:
            return Decimal(0)
        for each in begun:
            if each.state.on_assistance and each.category is Category.DIBAO:
                basis = each
    standing = [
        each for each in sorted(lines, key=lambda e: e.valid_from) if each.valid_from <= month
    ]
    if not standing:
        return None
    i = basis.incomes
    total = sum(max(Decimal(0), x) for x in (i.wage, i.business, i.property, i.transfer))
    fen_a_year = int((standing[-1].value * basis.n * 12 - total) * 100)
    return Decimal(max(0, -(-fen_a_year // 1200)))


@given(histories, lines_over_time)
def test_every_decision_reads_back_and_recomputes_from_its_own_facts(
    periods: list[FactPeriod], lines: list[Line]
) -> None:
    for decision in schedule(periods, lines):
        row = {
            "from_month": decision.from_month,
            "amount": decision.amount,
            "entitled": decision.entitled,
            "reason": decision.reason.value,
            "explanation": explain(decision),
        }
        back = read(row)
        assert back == decision
        assert decide(back.from_month, back.period, back.basis, back.line) == decision
