"""Each threshold from both of its sides, on answers as the sources give them."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from services.registry.households.facts import Facts
from services.registry.verification.answers import WrongAnswerError, read_answer
from services.registry.verification.kinds import KINDS_ZH, DoubtKind
from services.registry.verification.rules import (
    Declared,
    Finding,
    Following,
    Given,
    findings,
    follows,
    shows_need,
)
from services.registry.verification.sources import NAMES_ZH, Severity, Source
from services.registry.verification.thresholds import Thresholds
from shared.contracts.registry import (
    Disability,
    DisabilityKind,
    Incomes,
    Member,
    Relation,
    RigidExpenses,
    SchoolStage,
    Sex,
    State,
)

TODAY = date(2026, 5, 17)
HEAD, WIFE, CHILD = (UUID(int=at) for at in range(1, 4))
NUMBERS = {"110": HEAD, "220": WIFE, "330": CHILD}
THRESHOLDS = Thresholds(
    vehicles=Decimal(0),
    dwellings=Decimal(2),
    property_years=Decimal(3),
    business_capital=Decimal(0),
    tax_paid=Decimal(0),
    wage_percent=Decimal(10),
    securities=Decimal(10_000),
    medical_self_paid=Decimal(20_000),
    living_costs=Decimal(6_000),
)


def person(person_id: UUID, **given: Any) -> Member:
    known: dict[str, Any] = {
        "person_id": person_id,
        "relation": Relation.HEAD if person_id == HEAD else Relation.SPOUSE,
        "sex": Sex.MALE,
        "birth_date": date(1970, 1, 1),
    }
    return Member(**(known | given))


def declared(**given: Any) -> Declared:
    facts: dict[str, Any] = {
        "division_code": "331124002221",
        "head_person_id": HEAD,
        "incomes": Incomes(wage=Decimal(12_000), transfer=Decimal(2_400)),
        "members": (person(HEAD), person(WIFE), person(CHILD)),
    }
    return Declared(
        facts=Facts(**(facts | given)),
        window_from=date(2025, 6, 1),
        window_to=date(2026, 5, 1),
        on=TODAY,
        numbers=NUMBERS,
    )


def raised(
    source: Source, *said: Any, thresholds: Thresholds = THRESHOLDS, **facts: Any
) -> list[str]:
    """The doubts of one source, whose data are given for the head, the wife, the child in turn."""
    file = declared(**facts)
    given = [
        Given(member, source, None if data is None else read_answer(source, data, today=TODAY))
        for member, data in zip(file.facts.members, said, strict=False)
    ]
    found = findings(file, given, thresholds)
    assert all(each.source is source for each in found)
    return [each.kind.value for each in found]


def car(plate: str = "K1", **given: Any) -> dict[str, Any]:
    return {"vehicles": [{"plate": plate, "use": "private", "status": "in_use"} | given]}


def house(number: str, **given: Any) -> dict[str, Any]:
    return {"certificate_no": number, "use": "dwelling", "acquired_on": "2001-01-01"} | given


def owns(*houses: dict[str, Any]) -> dict[str, Any]:
    return {"properties": list(houses)}


def firm(**given: Any) -> dict[str, Any]:
    known = {"uscc": "U1", "capital": "0.01", "role": "legal_person", "active": True}
    return {"businesses": [known | given]}


def paid(amount: str, month: str = "2026-01-01") -> dict[str, Any]:
    return {"payments": [{"month_from": month, "month_to": month, "amount": amount}]}


def base(amount: str, months: int = 12) -> dict[str, Any]:
    return {"contributions": [{"base": amount, "months": months}]}


def pension(monthly: str) -> dict[str, Any]:
    return {"pensions": [{"kind": "pension", "monthly": monthly}]}


def worth(value: str) -> dict[str, Any]:
    return {"holdings": [{"value": value}]}


def term(from_on: str, to_on: str | None) -> dict[str, Any]:
    return {"terms": [{"kind": "prison", "from_on": from_on, "to_on": to_on}]}


CARD = {"kind": "limb", "grade": 2}
CASES: list[tuple[Source, tuple[Any, ...], list[str]]] = [
    (Source.HUKOU, ({"members": ["110", "220", "330"]},), []),
    (Source.HUKOU, ({"members": ["110", "220", "330", "440"]},), ["hukou_member_extra"]),
    (Source.HUKOU, ({"members": ["110", "220"]},), ["hukou_member_missing"]),
    (Source.HUKOU, ({"members": []},), []),
    (Source.HUKOU, (None, {"members": ["220"]}), []),
    (Source.HUKOU, (None, {"cancelled_on": "2026-05-17"}), ["hukou_cancelled"]),
    (Source.VEHICLE, (car(),), ["vehicle_in_use"]),
    (Source.VEHICLE, (car(status="scrapped"),), []),
    (Source.VEHICLE, (car(use="disability_aid"), car(use="livelihood_tool")), []),
    (Source.REAL_ESTATE, (owns(house("C1")),), []),
    (Source.REAL_ESTATE, (owns(house("C1"), house("C2")),), ["several_dwellings"]),
    (Source.REAL_ESTATE, (owns(house("C1")), owns(house("C1"))), []),
    (Source.REAL_ESTATE, (owns(house("C1")), owns(house("C2"))), ["several_dwellings"]),
    (Source.REAL_ESTATE, (owns(house("C1"), house("C2", sold_on="2010-01-01")),), []),
    (Source.REAL_ESTATE, (owns(house("C1", use="shop")),), ["shop"]),
    (Source.REAL_ESTATE, (owns(house("C1", acquired_on="2023-05-17")),), ["property_traded"]),
    (Source.REAL_ESTATE, (owns(house("C1", acquired_on="2023-05-16")),), []),
    (Source.REAL_ESTATE, (owns(house("C1", sold_on="2023-05-17")),), ["property_traded"]),
    (Source.BUSINESS, (firm(),), ["active_business"]),
    (Source.BUSINESS, (firm(capital="0.00"),), []),
    (Source.BUSINESS, (firm(active=False),), []),
    (Source.BUSINESS, (firm(role="cooperative_member"),), []),
    (Source.TAX, (paid("0.01"),), ["tax_paid"]),
    (Source.TAX, (paid("0.00"),), []),
    (Source.TAX, (paid("0.01", "2025-06-01"),), ["tax_paid"]),
    (Source.TAX, (paid("9.00", "2025-05-01"),), []),
    (Source.SOCIAL_INSURANCE, (base("1100.00"),), []),
    (Source.SOCIAL_INSURANCE, (base("1100.01"),), ["wage_understated"]),
    (Source.SOCIAL_INSURANCE, (base("1100.00", 6), base("1100.00", 6)), []),
    (Source.SOCIAL_INSURANCE, (base("1100.00", 6), base("1100.01", 6)), ["wage_understated"]),
    (Source.PENSION, (pension("200.00"),), []),
    (Source.PENSION, (pension("200.01"),), ["pension_not_declared"]),
    (Source.PENSION, (pension("100.00"), pension("100.01")), ["pension_not_declared"]),
    (Source.BANK, ({"over_limit": True}, {"over_limit": True}), ["deposits_over_limit"] * 2),
    (Source.BANK, ({"over_limit": False},), []),
    (Source.SECURITIES, (worth("10000.00"), worth("10000.00")), []),
    (Source.SECURITIES, (worth("10000.01"),), ["securities_held"]),
    (Source.DEATH, (None, {"died_on": "2026-05-17"}), ["death_mark"]),
    (Source.MARRIAGE, ({"type": "married", "spouse_id_number": "220"},), []),
    (
        Source.MARRIAGE,
        ({"type": "married", "spouse_id_number": "440"},),
        ["spouse_not_declared"],
    ),
    (Source.MARRIAGE, ({"type": "divorced", "spouse_id_number": "440"},), []),
    (Source.JUSTICE, (term("2026-05-17", None),), ["counted_while_serving"]),
    (Source.JUSTICE, (term("2020-01-01", "2026-05-17"),), ["counted_while_serving"]),
    (Source.JUSTICE, (term("2020-01-01", "2026-05-16"),), []),
    (Source.DISABILITY, (CARD,), ["disability_not_declared"]),
    (Source.DISABILITY, (None,), []),
    (Source.ENROLMENT, ({"stage": "primary"},), ["enrolment_not_declared"]),
    (Source.ENROLMENT, (None,), []),
    (Source.MEDICAL, ({"total": "50000.00", "cash": "20000.00"},), []),
    (Source.MEDICAL, ({"total": "50000.00", "cash": "20000.01"},), ["medical_need"]),
    (Source.LIVING_COSTS, ({"utilities": "999999.00"},), []),
]


@pytest.mark.parametrize(("source", "said", "kinds"), CASES)
def test_what_raises_a_doubt(source: Source, said: tuple[Any, ...], kinds: list[str]) -> None:
    assert raised(source, *said) == kinds


def test_one_vehicle_more_than_allowed() -> None:
    one_allowed = Thresholds(vehicles=Decimal(1))

    assert raised(Source.VEHICLE, car("K1"), car("K1"), thresholds=one_allowed) == []
    assert raised(Source.VEHICLE, car("K1"), car("K2"), thresholds=one_allowed) == [
        "vehicle_in_use"
    ]


@pytest.mark.parametrize(
    ("said", "kinds"),
    [
        (CARD, []),
        (CARD | {"grade": 3}, ["disability_differs"]),
        (CARD | {"kind": "sight"}, ["disability_differs"]),
        (None, ["disability_not_found"]),
    ],
)
def test_a_declared_disability(said: Any, kinds: list[str]) -> None:
    disabled = person(HEAD, disability=Disability(kind=DisabilityKind.LIMB, grade=2))

    assert raised(Source.DISABILITY, said, members=(disabled,)) == kinds


@pytest.mark.parametrize(
    ("stage", "said", "kinds"),
    [
        (SchoolStage.PRIMARY, {"stage": "junior"}, []),
        (SchoolStage.PRIMARY, None, ["enrolment_not_found"]),
        (SchoolStage.NOT_AT_SCHOOL, {"stage": "junior"}, ["enrolment_not_declared"]),
        (SchoolStage.NOT_AT_SCHOOL, None, []),
    ],
)
def test_a_declared_pupil(stage: SchoolStage, said: Any, kinds: list[str]) -> None:
    pupil = person(HEAD, school_stage=stage)

    assert raised(Source.ENROLMENT, said, members=(pupil,)) == kinds


def test_who_serves_and_is_not_counted_is_no_doubt() -> None:
    away = person(HEAD, counted=False)

    assert raised(Source.JUSTICE, term("2020-01-01", None), members=(away,)) == []


def test_living_costs_stand_only_beside_another_doubt() -> None:
    file = declared()
    head = file.facts.members[0]

    def kinds(utilities: str) -> list[str]:
        said = (
            (Source.BANK, {"over_limit": True}),
            (Source.LIVING_COSTS, {"utilities": utilities, "travel": "1.00"}),
        )
        given = [
            Given(head, source, read_answer(source, data, today=TODAY)) for source, data in said
        ]
        return [each.kind.value for each in findings(file, given, THRESHOLDS)]

    assert kinds("5999.00") == ["deposits_over_limit"]
    assert kinds("5999.01") == ["deposits_over_limit", "living_costs_high"]


def test_a_death_mark_alone_stops_the_review() -> None:
    file = declared()
    answer = read_answer(Source.DEATH, {"died_on": "2026-01-01"}, today=TODAY)
    bank = read_answer(Source.BANK, {"over_limit": True}, today=TODAY)

    found = findings(
        file,
        [
            Given(file.facts.members[1], Source.DEATH, answer),
            Given(file.facts.members[0], Source.BANK, bank),
        ],
        THRESHOLDS,
    )

    assert [(each.kind, each.severity) for each in found] == [
        (DoubtKind.DEPOSITS_OVER_LIMIT, Severity.REVIEW),
        (DoubtKind.DEATH_MARK, Severity.STOP),
    ]
    assert found[1].detail == {"died_on": "2026-01-01"}


@pytest.mark.parametrize(
    ("source", "data", "code"),
    [
        (Source.DEATH, {"died_on": "2026-05-18"}, "answer_date_in_future"),
        (Source.TAX, paid("-0.01"), "answer_amount_negative"),
        (Source.MEDICAL, {"total": "1.00"}, "answer_malformed"),
        (Source.MEDICAL, {"total": "NaN", "cash": "1.00"}, "answer_malformed"),
        (Source.BANK, None, "answer_malformed"),
        (Source.VEHICLE, {"vehicles": []}, "answer_malformed"),
        (Source.DISABILITY, CARD | {"grade": 5}, "answer_malformed"),
        (Source.JUSTICE, term("2026-05-18", None), "answer_date_in_future"),
    ],
)
def test_an_answer_that_cannot_be_taken_names_its_fault(
    source: Source, data: Any, code: str
) -> None:
    with pytest.raises(WrongAnswerError) as wrong:
        read_answer(source, data, today=TODAY)

    assert wrong.value.code == code


def test_every_source_and_doubt_has_its_chinese_name() -> None:
    assert NAMES_ZH.keys() == set(Source)
    assert KINDS_ZH.keys() == set(DoubtKind)


@pytest.mark.parametrize("kind", DoubtKind)
def test_only_what_speaks_for_a_household_is_a_need(kind: DoubtKind) -> None:
    finding = Finding(
        subject_id=HEAD, source=Source.HUKOU, kind=kind, detail={"household_cash": "1"}
    )
    needs = {"disability_not_declared", "enrolment_not_declared", "medical_need"}
    assert shows_need(finding, declared().facts) == (kind.value in needs)


@pytest.mark.parametrize(
    ("cash", "declares", "expected"),
    [("24000.00", "23999.99", True), ("24000.00", "24000", False), ("24000.00", "24000.01", False)],
)
def test_costs_that_the_file_declares_are_no_need(cash: str, declares: str, expected: bool) -> None:
    facts = declared(rigid_expenses=RigidExpenses(medical=Decimal(declares))).facts
    finding = Finding(
        subject_id=HEAD,
        source=Source.MEDICAL,
        kind=DoubtKind.MEDICAL_NEED,
        detail={"household_cash": cash},
    )
    assert shows_need(finding, facts) is expected


def test_what_all_members_paid_counts_as_a_need_of_the_household() -> None:
    file = declared(rigid_expenses=RigidExpenses(medical=Decimal("20000.01")))
    paid = [{"total": "50000.00", "cash": "20000.01"}, {"total": "1.00", "cash": "0.01"}]
    told = [
        Given(member, Source.MEDICAL, read_answer(Source.MEDICAL, data, today=TODAY))
        for member, data in zip(file.facts.members, paid, strict=False)
    ]
    (alone,) = findings(file, told[:1], THRESHOLDS)
    (both,) = findings(file, told, THRESHOLDS)
    assert (shows_need(alone, file.facts), shows_need(both, file.facts)) == (False, True)


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("applying", [True, False])
def test_a_need_is_a_lead_where_nobody_helps_and_a_sign_where_somebody_did(
    state: State, applying: bool
) -> None:
    expected = {
        State.ACCEPTED: Following.NOTHING if applying else Following.LEAD,
        State.LIFTED: Following.RETURN_CHECK,
        State.EXITED: Following.RETURN_CHECK,
    }
    assert follows(state, applying=applying) is expected.get(state, Following.NOTHING)
