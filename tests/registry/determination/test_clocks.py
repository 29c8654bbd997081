"""The time limits of the law, both sides, and what a county may set of them (R29). Pure."""

from datetime import date
from decimal import Decimal

import pytest

from services.registry.determination.deadlines import Clock, due, limit, sooner
from services.registry.determination.parameters import DEFINITIONS
from shared import parameters, workdays
from shared.auth import Caller
from shared.contracts.registry import Category, RuleSet
from shared.errors import Refused
from shared.workdays import Calendar, Deadline
from tests.registry.filing import Registry

KNOWN = Calendar({row.day: row.working for row in workdays.seed_rows()})


def test_the_worked_example() -> None:
    accepted = due(KNOWN, date(2016, 9, 30), 15, None)
    assert accepted == Deadline(date(2016, 10, 26))
    assert workdays.next_notice_end(accepted.on, 7) == date(2016, 11, 2)
    assert due(KNOWN, date(2016, 11, 3), 5, None) == Deadline(date(2016, 11, 10))


@pytest.mark.parametrize(
    ("clock", "rule_set", "category", "wanted"),
    [
        (Clock.SURVEY, RuleSet.LS2016, Category.DIBAO, ("deadline.survey.LS2016", 10)),
        (Clock.OPINION, RuleSet.LS2016, Category.DIBAO, ("deadline.opinion.LS2016", 15)),
        (Clock.DECISION, RuleSet.LS2016, Category.TEKUN, ("deadline.decision.LS2016", 5)),
        (Clock.OBJECTION, RuleSet.LS2016, Category.DIBAO, ("deadline.objection.LS2016", 20)),
        (Clock.SURVEY, RuleSet.CN2021, Category.DIBAO, ("deadline.survey.CN2021", 3)),
        (Clock.OPINION, RuleSet.CN2021, Category.DIBAO, None),
        (Clock.DECISION, RuleSet.CN2025, Category.DIBAO, ("deadline.decision.CN2025", 10)),
        (Clock.DECISION, RuleSet.CN2021, Category.TEKUN, ("deadline.decision.CN2021.tekun", 15)),
        (Clock.TOTAL, RuleSet.CN2021, Category.TEKUN, None),
        (Clock.TOTAL, RuleSet.LS2016, Category.DIBAO, None),
        (Clock.TOTAL, RuleSet.CN2021, Category.DIBAO, ("deadline.total.CN2021", 30)),
        (Clock.SPECIAL, RuleSet.CN2021, Category.DIBAO, ("deadline.special.CN2021", 45)),
    ],
)
def test_the_laws_limits(
    clock: Clock, rule_set: RuleSet, category: Category, wanted: tuple[str, int] | None
) -> None:
    assert limit(clock, rule_set, category) == wanted
    if wanted is not None:
        key, days = wanted
        assert DEFINITIONS[key].maximum == days


def test_a_county_shortens_and_never_lengthens() -> None:
    assert due(KNOWN, date(2026, 1, 5), 10, Decimal(3)).on == date(2026, 1, 8)
    assert due(KNOWN, date(2026, 1, 5), 10, Decimal(20)) == due(KNOWN, date(2026, 1, 5), 10, None)


def test_the_sooner_of_two_limits_holds() -> None:
    early, late = Deadline(date(2026, 1, 8)), Deadline(date(2026, 1, 9))
    assert sooner(late, None, early) == early
    assert sooner(None) is None


@pytest.mark.parametrize(("value", "fits"), [("10", True), ("11", False), ("0", False)])
async def test_a_limit_longer_than_the_laws_is_not_entered(
    registry: Registry, value: str, *, fits: bool
) -> None:
    caller = Caller(sub="c8", officer_id="c8", divisions=("331124",))
    entry = parameters.Entry(
        key="deadline.decision.CN2025",
        division_code="331124",
        valid_from=date(2026, 1, 1),
        value=Decimal(value),
        document_number="松民〔2026〕2号",
    )
    async with registry.acting(caller) as session:
        if fits:
            await parameters.enter(session, caller, DEFINITIONS, entry)
            return
        with pytest.raises(Refused) as refused:
            await parameters.enter(session, caller, DEFINITIONS, entry)
    assert refused.value.code == "parameter_out_of_bounds"
