"""What holds for every history: nothing negative, nothing lost, and each decision recomputes."""

from datetime import date
from uuid import UUID

import orjson
from hypothesis import given
from hypothesis import strategies as st

from services.relief.schedules.rules import change
from services.relief.tekun.explanations import explain, read
from services.relief.tekun.rules import (
    FIGURES,
    Decision,
    Form,
    Known,
    Support,
    decide,
    schedule,
)
from services.relief.tekun.selfcare import Assessment, Item
from shared.contracts.registry import Category, FactPeriod, Incomes, State
from tests.relief.tekun.facts import figure

# Few days, most of them on a boundary, so that changes meet.
days = st.builds(
    date, st.integers(2025, 2026), st.integers(1, 5), st.sampled_from([1, 1, 2, 15, 28])
)
people = st.integers(1, 3).map(lambda number: UUID(int=number))
facts = st.builds(
    FactPeriod,
    valid_from=days,
    state=st.sampled_from(list(State)),
    category=st.sampled_from([Category.TEKUN, Category.TEKUN, Category.DIBAO]),
    n=st.integers(0, 3),
    incomes=st.just(Incomes()),
    keep_policy_until=st.none() | days,
)
histories = st.lists(facts, max_size=5, unique_by=lambda each: each.valid_from).map(
    lambda periods: sorted(periods, key=lambda each: each.valid_from)
)
assessments = st.lists(
    st.builds(
        Assessment,
        assessment_id=st.uuids(),
        person_id=people,
        assessed_on=days,
        confirmed_on=days,
        failed=st.sets(st.sampled_from(Item)).map(lambda found: tuple(sorted(found))),
        document_number=st.none() | st.just("松民评〔2026〕1号"),
        attachment_id=st.none() | st.uuids(),
    ),
    max_size=4,
)
supports = st.lists(
    st.builds(
        Support,
        support_id=st.uuids(),
        person_id=people,
        form=st.just(Form.CENTRALISED),
        valid_from=days,
        institution_id=st.just(UUID(int=77)),
    ),
    max_size=3,
)
values = st.decimals(min_value="0.01", max_value=3000, places=2).map(str)
figures = st.fixed_dictionaries(
    {
        key: st.lists(
            st.builds(figure, values, days, st.integers(1, 1000)),
            max_size=2,
            unique_by=lambda each: each.valid_from,
        )
        for key in FIGURES
    }
)
everything = st.builds(
    Known,
    members=st.frozensets(people, max_size=3),
    assessments=assessments,
    supports=supports,
    here=figures,
)


def apply(stored: list[Decision], wanted: list[Decision]) -> list[Decision]:
    """What the table holds after the change, as the action writes it."""
    step = change(stored, wanted)
    left = [each for each in stored if each.from_month not in step.superseded]
    return sorted([*left, *step.written], key=lambda each: each.from_month)


@given(histories, everything)
def test_no_amount_is_ever_negative_and_nothing_is_owed_without_a_claim(
    periods: list[FactPeriod], known: Known
) -> None:
    for decision in schedule(periods, known):
        assert decision.amount is None or decision.amount >= 0
        assert decision.entitled or decision.amount == 0
        assert not decision.entitled or len(decision.shares) == decision.people
        assert (decision.amount is None) is bool(decision.missing)


@given(histories, everything)
def test_every_decision_reads_back_and_recomputes_from_its_own_facts(
    periods: list[FactPeriod], known: Known
) -> None:
    for decision in schedule(periods, known):
        row = {
            "from_month": decision.from_month,
            "amount": decision.amount,
            "entitled": decision.entitled,
            "reason": decision.reason.value,
            "explanation": orjson.loads(orjson.dumps(explain(decision))),
        }
        back = read(row)
        assert back == decision
        again = decide(back.from_month, back.period, back.basis, back.shares, back.figures)
        assert again == decision


@given(histories, everything, st.data())
def test_versions_skipped_repeated_or_late_end_in_the_same_schedule(
    periods: list[FactPeriod], known: Known, data: st.DataObject
) -> None:
    newest = schedule(periods, known)
    versions = [periods[:length] for length in range(len(periods) + 1)]
    stored: list[Decision] = []
    for version in data.draw(st.lists(st.sampled_from(versions), max_size=5)):
        stored = apply(stored, schedule(version, known))
    stored = apply(stored, newest)
    assert stored == newest
    assert change(stored, newest) == change([], []), "nothing is written a second time"


@given(histories, everything)
def test_the_order_of_facts_does_not_matter(periods: list[FactPeriod], known: Known) -> None:
    turned = Known(
        members=known.members,
        assessments=known.assessments[::-1],
        supports=known.supports[::-1],
        here={key: list(figures)[::-1] for key, figures in known.here.items()},
    )
    assert schedule(periods[::-1], turned) == schedule(periods, known)
