"""Who fits whom (C51, C52, R35), in tables."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from services.registry.helpers import rules
from services.registry.helpers.rules import Candidate, HelperKind, PairingFlag, Wish
from services.registry.households.facts import Facts
from shared.contracts.registry import Category, State
from shared.identity import new_id

TODAY = date(2026, 3, 20)
ALONE, MISPLACED = PairingFlag.CADRE_ALONE, PairingFlag.UNIT_STAFF_MISPLACED
CADRES = {HelperKind.TOWNSHIP_CADRE, HelperKind.VILLAGE_CADRE}
BY_UNITS = {Category.EXPENDITURE_BASED, Category.GROUP_4600}


@pytest.mark.parametrize("kind", HelperKind)
@pytest.mark.parametrize("category", Category)
def test_cadres_help_three_categories_and_unit_staff_two(
    kind: HelperKind, category: Category
) -> None:
    assert rules.fits(kind, category) is ((kind in CADRES) is (category not in BY_UNITS))


@pytest.mark.parametrize(
    ("categories", "kinds", "flags"),
    [
        ({"group_4600"}, ["village_cadre"], [ALONE]),
        ({"group_4600"}, ["village_cadre", "township_cadre"], [ALONE, ALONE]),
        ({"group_4600"}, ["village_cadre", "institution"], [None, None]),
        ({"dibao"}, ["organ"], [MISPLACED]),
        ({"dibao"}, ["organ", "village_cadre"], [MISPLACED, None]),
        ({"dibao", "group_4600"}, ["organ"], [None]),
        ({"expenditure_based"}, ["state_enterprise"], [None]),
        (set(), ["organ"], [None]),
    ],
)
def test_what_does_not_fit_is_flagged(
    categories: set[str], kinds: list[str], flags: list[PairingFlag | None]
) -> None:
    helpers = {new_id(): HelperKind(kind) for kind in kinds}
    found = rules.flags({Category(each) for each in categories}, helpers)
    assert [found.get(one) for one in helpers] == flags


GOOD = Candidate(
    started_on=date(2026, 1, 1),
    serves_there=True,
    registered_relative=False,
    load=4,
    most=Decimal(5),
)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({}, None),
        ({"load": 5}, "helper_load"),
        ({"most": None}, "parameter_missing"),
        ({"serves_there": False}, "helper_elsewhere"),
        ({"registered_relative": True}, "helper_is_relative"),
        ({"started_on": TODAY}, None),
        ({"started_on": date(2026, 3, 21)}, "before_helper"),
    ],
)
def test_a_candidate_on_both_sides_of_every_bound(given: dict[str, Any], code: str | None) -> None:
    wish = Wish(
        household_id=new_id(), helper_id=new_id(), lead=True, paired_on=TODAY, related=False
    )
    facts = Facts(division_code="331124002221", state=State.IDENTIFIED, head_person_id=new_id())
    faults = rules.pairing_faults(facts, wish, replace(GOOD, **given), officer_id="o1", today=TODAY)
    assert [each.code for each in faults] == ([code] if code else [])
