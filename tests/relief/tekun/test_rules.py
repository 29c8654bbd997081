"""R13, R24, R25, C10, C25: one case a sentence, both sides of every boundary."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from services.relief.standards.rules import DIBAO_LINE, MINIMUM_WAGE
from services.relief.tekun.parameters import DEFINITIONS
from services.relief.tekun.rules import (
    BASIC_MULTIPLE,
    CARE,
    FIGURES,
    Payee,
    Reason,
    basic_part,
    care_part,
    schedule,
)
from services.relief.tekun.selfcare import LEGAL_WORKING_DAYS, REASSESS_WORKING_DAYS, Level
from shared.contracts.registry import Category, RuleSet, State
from tests.relief.tekun.facts import (
    HIS_BROTHER,
    HOME,
    OLD_WANG,
    assessment,
    figure,
    figures,
    known,
    period,
    support,
    told,
)

IDENTIFIED = date(2026, 1, 5)
LOOKED = date(2026, 1, 20)


@pytest.mark.parametrize(
    ("line", "multiple", "basic"),
    [
        ("600", "1.3", 780),  # the example of R25
        ("601", "1.3", 782),  # 781.30 is rounded up
        ("600.01", "1.3", 781),
        ("610", "1.3", 793),  # exactly
        ("1150", "1.3", 1495),
        ("1150", "1.35", 1553),
    ],
)
def test_r25_the_basic_part(line: str, multiple: str, basic: int) -> None:
    assert basic_part(line=Decimal(line), multiple=Decimal(multiple)) == basic


@pytest.mark.parametrize(
    ("wage", "ratio", "care"),
    [
        ("1380", "0.1", 138),
        ("1380", "0.3", 414),
        ("1380", "0.5", 690),
        ("2255", "0.1", 226),
        ("2260", "0", 0),
    ],
)
def test_r25_care(wage: str, ratio: str, care: int) -> None:
    assert care_part(wage=Decimal(wage), ratio=Decimal(ratio)) == care


@pytest.mark.parametrize(
    ("failed", "amount"),
    [(0, 918), (1, 1194), (3, 1194), (4, 1470), (6, 1470)],  # 1,194 is the worked example
)
def test_r25_the_standard_by_items_failed(failed: int, amount: int) -> None:
    decisions = schedule([period(IDENTIFIED)], known(assessment(failed, LOOKED)))
    assert told(decisions) == [("2026-02", amount, Reason.ENTITLED)]


def test_without_an_assessment_the_basic_part_alone_is_owed() -> None:
    looked = assessment(2, date(2026, 3, 31))
    assert told(schedule([period(IDENTIFIED)], known(looked))) == [
        ("2026-02", 780, Reason.ASSESSMENT_MISSING),
        ("2026-04", 1194, Reason.ENTITLED),
    ]


def test_a_new_assessment_counts_from_the_month_after_it_is_confirmed() -> None:
    worse = assessment(4, date(2026, 5, 30), confirmed_on=date(2026, 6, 1), number=2)
    assert told(schedule([period(IDENTIFIED)], known(assessment(2, LOOKED), worse))) == [
        ("2026-02", 1194, Reason.ENTITLED),
        ("2026-07", 1470, Reason.ENTITLED),
    ]


@pytest.mark.parametrize("key", FIGURES)
def test_without_a_figure_the_claim_stands_and_the_amount_waits(key: str) -> None:
    """Each is missed where it is reckoned with; the shares of other levels are not asked for."""
    late: dict[str, Any] = {key: [figure("1.5", date(2026, 4, 1))]}
    if key in {DIBAO_LINE, MINIMUM_WAGE}:
        late = {key: [figure("700", date(2026, 4, 1))]}
    decisions = schedule([period(IDENTIFIED)], known(assessment(2, LOOKED), here=figures() | late))
    of_others = {CARE[Level.ABLE], CARE[Level.LOST]}
    assert (decisions[0].reason is Reason.STANDARD_MISSING) is (key not in of_others)
    if key not in of_others:
        assert (decisions[0].amount, decisions[0].entitled) == (None, True)
        assert decisions[0].missing == (key,)
        assert decisions[1].from_month == date(2026, 4, 1)
        assert decisions[1].amount is not None


@pytest.mark.parametrize(
    ("stopped_on", "first_month_unpaid"),
    [(date(2026, 5, 31), "2026-06"), (date(2026, 6, 1), "2026-07")],
)
@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (State.LIFTED, Reason.LIFTED),
        (State.EXITED, Reason.EXITED),
        (State.CLOSED, Reason.CLOSED),
        (State.ACCEPTED, Reason.NOT_ASSISTED),
    ],
)
def test_c25_stopped_from_the_month_after(
    stopped_on: date, first_month_unpaid: str, state: State, reason: Reason
) -> None:
    periods = [period(IDENTIFIED), period(stopped_on, state=state)]
    assert told(schedule(periods, known(assessment(2, LOOKED)))) == [
        ("2026-02", 1194, Reason.ENTITLED),
        (first_month_unpaid, 0, reason),
    ]


def test_a_closed_file_without_members_keeps_what_its_person_was_owed() -> None:
    """The single person died: nobody counts any more, the months before stand as they were."""
    periods = [period(IDENTIFIED), period(date(2026, 6, 9), state=State.CLOSED)]
    facts = known(assessment(2, LOOKED), members=frozenset())
    assert told(schedule(periods, facts)) == [
        ("2026-02", 1194, Reason.ENTITLED),
        ("2026-07", 0, Reason.CLOSED),
    ]


def test_kept_policy_pays_on() -> None:
    stop = period(date(2026, 5, 4), state=State.EXITED, keep_policy_until=date(2026, 7, 31))
    assert told(schedule([period(IDENTIFIED), stop], known(assessment(2, LOOKED)))) == [
        ("2026-02", 1194, Reason.ENTITLED),
        ("2026-06", 1194, Reason.KEPT),
        ("2026-08", 0, Reason.EXITED),
    ]


def test_another_category_is_not_tekun() -> None:
    for category in Category:
        found = schedule([period(IDENTIFIED, category=category)], known(assessment(2, LOOKED)))
        assert bool(found) is (category is Category.TEKUN)
    moved = [period(IDENTIFIED), period(date(2026, 3, 5), category=Category.DIBAO)]
    assert told(schedule(moved, known(assessment(2, LOOKED))))[-1] == (
        "2026-04",
        0,
        Reason.NOT_TEKUN,
    )


def test_a_new_line_and_a_new_wage_each_move_their_part() -> None:
    moved = figures()
    moved[DIBAO_LINE] = [figure("600"), figure("700", date(2026, 4, 1), 21)]
    moved[MINIMUM_WAGE] = [figure("1380"), figure("1480", date(2026, 5, 2), 22)]
    assert told(schedule([period(IDENTIFIED)], known(assessment(2, LOOKED), here=moved))) == [
        ("2026-02", 1194, Reason.ENTITLED),
        ("2026-04", 910 + 414, Reason.ENTITLED),
        ("2026-06", 910 + 444, Reason.ENTITLED),
    ]


def test_what_another_county_owed_is_reckoned_with_its_figures() -> None:
    """Moved from 331102 in May: until June its line counted, from then on that of here."""
    there = figures()
    there[DIBAO_LINE] = [figure("700", number=31)]
    periods = [period(IDENTIFIED, division_code="331102001001"), period(date(2026, 5, 14))]
    facts = known(assessment(2, LOOKED), elsewhere={"331102001001": there})
    assert told(schedule(periods, facts)) == [
        ("2026-02", 910 + 414, Reason.ENTITLED),
        ("2026-06", 1194, Reason.ENTITLED),
    ]


def test_income_lowers_nothing() -> None:
    rich = period(IDENTIFIED, incomes={"transfer": "7000"})
    assert told(schedule([rich], known(assessment(2, LOOKED))))[0][1] == 1194


def test_two_brothers_are_each_assessed() -> None:
    looks = (assessment(2, LOOKED), assessment(5, LOOKED, person_id=HIS_BROTHER, number=2))
    both = frozenset({OLD_WANG, HIS_BROTHER})
    assert told(schedule([period(IDENTIFIED, n=2)], known(*looks, members=both))) == [
        ("2026-02", 1194 + 1470, Reason.ENTITLED)
    ]
    alone = schedule([period(IDENTIFIED, n=2)], known(looks[0], members=both))
    assert told(alone) == [("2026-02", 1194 + 780, Reason.ASSESSMENT_MISSING)]


def test_who_has_died_still_counts_in_the_months_before() -> None:
    looks = (assessment(2, LOOKED), assessment(5, LOOKED, person_id=HIS_BROTHER, number=2))
    periods = [period(IDENTIFIED, n=2), period(date(2026, 6, 9), n=1)]
    assert told(schedule(periods, known(*looks))) == [
        ("2026-02", 1194 + 1470, Reason.ENTITLED),
        ("2026-07", 1194, Reason.ENTITLED),
    ]


def test_nothing_is_decided_anew_when_somebody_leaves_of_whom_nothing_is_known() -> None:
    looked = assessment(2, LOOKED)
    both = frozenset({OLD_WANG, HIS_BROTHER})
    before = schedule([period(IDENTIFIED, n=2)], known(looked, members=both))
    periods = [period(IDENTIFIED, n=2), period(date(2026, 6, 9), n=1)]
    after = schedule(periods, known(looked))
    assert after[0] == before[0]
    assert told(after) == [
        ("2026-02", 1194 + 780, Reason.ASSESSMENT_MISSING),
        ("2026-07", 1194, Reason.ENTITLED),
    ]


def test_who_joined_later_does_not_count_before() -> None:
    looks = (
        assessment(2, LOOKED),
        assessment(5, date(2026, 6, 20), person_id=HIS_BROTHER, number=2),
    )
    periods = [period(IDENTIFIED, n=1), period(date(2026, 6, 9), n=2)]
    both = frozenset({OLD_WANG, HIS_BROTHER})
    assert told(schedule(periods, known(*looks, members=both))) == [
        ("2026-02", 1194, Reason.ENTITLED),
        ("2026-07", 1194 + 1470, Reason.ENTITLED),
    ]


@pytest.mark.parametrize(
    ("moved_in", "month"), [(date(2026, 5, 31), "2026-06"), (date(2026, 6, 1), "2026-07")]
)
def test_the_institution_is_paid_from_the_month_after_the_move(moved_in: date, month: str) -> None:
    back = support(date(2026, 8, 15), institution=None, number=2)
    decisions = schedule(
        [period(IDENTIFIED)], known(assessment(2, LOOKED), support(moved_in), back)
    )
    assert [
        (f"{each.from_month:%Y-%m}", each.payee, each.institution_id) for each in decisions
    ] == [
        ("2026-02", Payee.PERSON, None),
        (month, Payee.INSTITUTION, HOME),
        ("2026-09", Payee.PERSON, None),
    ]
    assert {each.amount for each in decisions} == {1194}, "the form changes who is paid, not what"


def test_of_two_supports_of_one_day_the_later_entered_holds() -> None:
    mended = support(date(2026, 5, 5), institution=None, number=2)
    facts = known(assessment(2, LOOKED), support(date(2026, 5, 5)), mended)
    assert {each.payee for each in schedule([period(IDENTIFIED)], facts)} == {Payee.PERSON}


def test_brothers_in_different_places_have_several_payees() -> None:
    both = frozenset({OLD_WANG, HIS_BROTHER})
    facts = known(support(LOOKED), members=both)
    (decision,) = schedule([period(IDENTIFIED, n=2)], facts)
    assert (decision.payee, decision.institution_id) == (Payee.SEVERAL, None)
    together = known(
        support(LOOKED), support(LOOKED, person_id=HIS_BROTHER, number=2), members=both
    )
    (decision,) = schedule([period(IDENTIFIED, n=2)], together)
    assert (decision.payee, decision.institution_id) == (Payee.INSTITUTION, HOME)


def test_the_rule_set_goes_by_the_date_of_the_decision() -> None:
    for on, rule_set in (
        (date(2021, 6, 30), RuleSet.LS2016),
        (date(2021, 7, 1), RuleSet.CN2021),
        (date(2025, 1, 1), RuleSet.CN2025),
    ):
        assert schedule([period(on)], known())[0].rule_set is rule_set


@pytest.mark.parametrize(
    ("key", "minimum", "maximum"),
    [
        (BASIC_MULTIPLE, Decimal("1.3"), Decimal(5)),
        (REASSESS_WORKING_DAYS, Decimal(1), Decimal(LEGAL_WORKING_DAYS)),
        (CARE[Level.ABLE], Decimal(0), Decimal(2)),
    ],
)
def test_the_law_bounds_what_a_county_may_set(key: str, minimum: Decimal, maximum: Decimal) -> None:
    assert (DEFINITIONS[key].minimum, DEFINITIONS[key].maximum) == (minimum, maximum)
