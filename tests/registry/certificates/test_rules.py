"""Who is issued a certificate, and what it still proves (R21), as tables."""

from datetime import date
from typing import Any

import pytest

from services.registry.certificates.rules import (
    Ground,
    Issue,
    holds,
    issue_faults,
    withdrawal_faults,
)
from shared.contracts.registry import Category, State
from tests.registry.lifecycle.judged import accepted, identified

TODAY = date(2026, 11, 25)
IDENTIFIED = identified().episodes[-1].identified_on
BEFORE = date.fromordinal(IDENTIFIED.toordinal() - 1)


@pytest.mark.parametrize(
    ("given", "codes"),
    [
        ({}, []),
        ({"on": IDENTIFIED}, []),
        ({"on": BEFORE}, ["before_last"]),
        ({"on": date(2026, 11, 26)}, ["date_in_future"]),
        ({"bureau": "township"}, ["bureau_not_competent"]),
        ({"officer": None}, ["officer_missing"]),
        ({"facts": accepted()}, ["no_certificate_of_kind"]),
        ({"facts": identified(category=Category.TEKUN)}, []),
        ({"facts": identified(category=Category.DIBAO_MARGINAL)}, []),
        ({"facts": identified(category=Category.EXPENDITURE_BASED)}, ["no_certificate_of_kind"]),
        ({"facts": identified(category=Category.GROUP_4600)}, ["no_certificate_of_kind"]),
        ({"standing": TODAY}, ["certificate_stands"]),
        ({"standing": TODAY, "ground": Ground.LOST}, []),
        ({"standing": TODAY, "ground": Ground.DAMAGED}, []),
        ({"standing": TODAY, "ground": Ground.CHANGED}, []),
        ({"standing": TODAY, "ground": Ground.LOST, "on": date(2026, 11, 24)}, ["before_last"]),
        ({"ground": Ground.LOST}, ["nothing_to_replace"]),
        ({"whole_county": False}, ["bureau_not_competent"]),
        ({"ended": TODAY}, []),
        ({"ended": TODAY, "on": date(2026, 11, 24)}, ["before_last"]),
    ],
)
def test_what_speaks_against_a_certificate(given: dict[str, Any], codes: list[str]) -> None:
    found = issue_faults(
        given.get("facts", identified()),
        Issue(issued_on=given.get("on", TODAY), ground=given.get("ground", Ground.FIRST)),
        standing_since=given.get("standing"),
        ended_on=given.get("ended"),
        whole_county=given.get("whole_county", True),
        officer_id=given.get("officer", "c1"),
        bureau=given.get("bureau", "civil-affairs"),
        today=TODAY,
    )
    assert [each.code for each in found] == codes


@pytest.mark.parametrize(
    ("state", "category", "ended_on", "expected"),
    [
        (State.IDENTIFIED, Category.DIBAO, None, True),
        (State.RETURNED, Category.DIBAO, None, True),
        (State.IDENTIFIED, Category.DIBAO, TODAY, False),
        (State.IDENTIFIED, Category.DIBAO_MARGINAL, None, False),
        (State.LIFTED, Category.DIBAO, None, False),
        (State.EXITED, Category.DIBAO, None, False),
        (State.IDENTIFIED, None, None, False),
    ],
)
def test_what_a_certificate_proves(
    state: State, category: Category | None, ended_on: date | None, *, expected: bool
) -> None:
    found = holds(state, category, TODAY, certified="dibao", issued_on=TODAY, ended_on=ended_on)
    assert found is expected


def test_a_certificate_of_an_earlier_stay_proves_nothing() -> None:
    def told(identified_on: date) -> bool:
        return holds(
            State.RETURNED,
            Category.DIBAO,
            identified_on,
            certified="dibao",
            issued_on=date(2026, 3, 1),
            ended_on=None,
        )

    assert told(date(2026, 3, 1))
    assert not told(date(2026, 3, 2))


@pytest.mark.parametrize(
    ("on", "reason", "codes"),
    [
        (date(2026, 3, 1), "退出低保", []),
        (date(2026, 2, 28), "退出低保", ["before_issue"]),
        (TODAY, " ", ["reason_missing"]),
        (date(2026, 11, 26), "退出低保", ["date_in_future"]),
    ],
)
def test_how_a_certificate_is_taken_back(on: date, reason: str, codes: list[str]) -> None:
    found = withdrawal_faults(on, date(2026, 3, 1), reason, officer_id="c1", today=TODAY)
    assert [each.code for each in found] == codes
