"""Who counts (R1) and who may apply apart (R2), by law; both sides of every age."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from services.registry.means.facts import Absence, Case
from services.registry.means.members import counted_members, separate_reasons
from shared.contracts.registry import Disability, DisabilityKind, LaborAbility, RuleSet, SchoolStage
from tests.registry.means.cases import person

TODAY = date(2026, 3, 10)
OLD, NEW = RuleSet.LS2016, RuleSet.CN2021
SEVERE = Disability(kind=DisabilityKind.LIMB, grade=2)


def counts(law: RuleSet, relation: str, **more: Any) -> tuple[bool, str]:
    case = Case(applied_on=TODAY, members=(person(1), person(2, relation, **more)))
    _, second = counted_members(case, law, TODAY)
    return second.counts, second.reason.code


@pytest.mark.parametrize(
    ("relation", "more", "old", "new"),
    [
        ("spouse", {}, True, True),
        ("father", {}, True, False),
        ("mother", {"supports": True}, True, True),
        ("son", {"born": date(2008, 3, 11)}, True, True),
        ("son", {"born": date(2008, 3, 10), "independent": True}, False, False),
        ("son", {"born": date(2008, 3, 11), "independent": True}, True, True),
        ("son", {"independent": False}, True, True),
        ("daughter", {"school_stage": SchoolStage.COLLEGE, "independent": True}, True, True),
        ("daughter", {"school_stage": SchoolStage.COLLEGE, "postgraduate": True}, False, False),
        ("son", {"absence": Absence.PRISON}, False, False),
        ("son", {"absence": Absence.CLERGY}, False, False),
        ("son", {"absence": Absence.DETOX}, True, False),
        ("son", {"absence": Absence.MISSING}, True, False),
        ("son", {"absence": Absence.NOT_COUNTED}, False, False),
        ("sibling", {}, False, False),
        ("grandchild", {"supports": True}, True, True),
    ],
)
def test_who_counts(relation: str, more: dict[str, Any], *, old: bool, new: bool) -> None:
    assert counts(OLD, relation, **more)[0] is old
    assert counts(NEW, relation, **more)[0] is new


def test_who_is_tekun_leaves_n() -> None:
    case = Case(applied_on=TODAY, members=(person(1), person(2, "father")))

    head, father = counted_members(case, OLD, TODAY, tekun=[UUID(int=2)])

    assert (head.counts, father.counts, father.reason.code) == (True, False, "tekun_apart")


@pytest.mark.parametrize(
    ("law", "more", "marginal", "allowed"),
    [
        (OLD, {"disability": SEVERE, "labor_ability": LaborAbility.LOST}, False, False),
        (
            OLD,
            {"disability": SEVERE, "labor_ability": LaborAbility.LOST, "own_register": True},
            False,
            True,
        ),
        (
            OLD,
            {"disability": SEVERE, "labor_ability": LaborAbility.WEAK, "own_register": True},
            False,
            False,
        ),
        (
            OLD,
            {
                "disability": SEVERE,
                "labor_ability": LaborAbility.LOST,
                "own_register": True,
                "born": date(2008, 3, 11),
            },
            False,
            False,
        ),
        (NEW, {"disability": SEVERE}, False, False),
        (NEW, {"disability": SEVERE}, True, True),
        (NEW, {"disability": Disability(kind=DisabilityKind.LIMB, grade=3)}, True, False),
        (NEW, {"disability": Disability(kind=DisabilityKind.MENTAL, grade=3)}, True, True),
        (NEW, {"disability": Disability(kind=DisabilityKind.MENTAL, grade=4)}, True, False),
        (NEW, {"seriously_ill": True}, True, True),
        (NEW, {"absence": Absence.CLERGY}, False, True),
    ],
)
def test_who_may_apply_apart(
    law: RuleSet, more: dict[str, Any], *, marginal: bool, allowed: bool
) -> None:
    case = Case(
        applied_on=TODAY,
        members=(person(1, **more),),
        separate=True,
        family_is_marginal=marginal,
    )

    assert (separate_reasons(case, law, TODAY) == ()) is allowed
    assert counted_members(case, law, TODAY)[0].counts
