"""Who must have signed, what a paper must say, and on which days it holds."""

from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.registry.households.facts import Facts
from services.registry.verification.consent import (
    Consent,
    Guardian,
    Signed,
    Wish,
    allowed_sources,
    is_live,
    must_sign,
    questions,
    signed_faults,
    unsigned_faults,
    window_months,
    wish_faults,
)
from services.registry.verification.sources import Source
from shared.contracts.registry import Category, Member, Relation, Sex, State

TODAY = date(2026, 5, 17)
HEAD, CHILD, CONVICT, SON = (UUID(int=at) for at in range(1, 5))


def member(person_id: UUID, **given: Any) -> Member:
    known: dict[str, Any] = {
        "person_id": person_id,
        "relation": Relation.HEAD if person_id == HEAD else Relation.SON,
        "sex": Sex.MALE,
        "birth_date": date(1970, 1, 1),
    }
    return Member(**(known | given))


FACTS = Facts(
    division_code="331124002221",
    head_person_id=HEAD,
    state=State.ACCEPTED,
    members=(
        member(HEAD),
        member(CHILD, birth_date=date(2008, 5, 18)),
        member(CONVICT, counted=False),
    ),
)


def paper(subject_id: UUID = HEAD, **given: Any) -> Signed:
    known: dict[str, Any] = {
        "subject_id": subject_id,
        "purpose": "低保",
        "signed_on": date(2026, 5, 1),
        "valid_from": date(2026, 5, 1),
        "valid_to": date(2026, 12, 31),
        "document": "A-1",
    }
    return Signed(**(known | given))


def consent(subject_id: UUID, *sources: Source, **given: Any) -> Consent:
    known: dict[str, Any] = {
        "authorization_id": uuid4(),
        "subject_id": subject_id,
        "sources": frozenset(sources or Source),
        "valid_from": date(2026, 1, 1),
        "valid_to": date(2026, 12, 31),
    }
    return Consent(**(known | given))


@pytest.mark.parametrize(
    ("on", "live"),
    [
        (date(2025, 12, 31), False),
        (date(2026, 1, 1), True),
        (date(2026, 12, 31), True),
        (date(2027, 1, 1), False),
    ],
)
def test_an_authorisation_holds_from_its_first_to_its_last_day(on: date, *, live: bool) -> None:
    assert is_live(consent(HEAD), on=on) is live


def test_a_revoked_one_holds_no_more_on_that_very_day() -> None:
    assert not is_live(consent(HEAD, revoked_on=TODAY), on=TODAY)


@pytest.mark.parametrize(
    ("signed", "codes"),
    [
        (paper(), []),
        (paper(signed_on=TODAY, valid_from=TODAY, valid_to=TODAY), []),
        (paper(signed_on=date(2026, 5, 18), valid_from=date(2026, 5, 18)), ["date_in_future"]),
        (paper(valid_from=date(2026, 4, 30)), ["valid_before_signing"]),
        (paper(valid_to=date(2026, 5, 16)), ["authorization_over"]),
        (paper(valid_from=date(2027, 1, 1)), ["authorization_over"]),
        (paper(document="  "), ["document_missing"]),
        (paper(sources=()), ["sources_missing"]),
        (paper(uuid4()), ["person_unknown"]),
        (paper(SON), []),
        (paper(CHILD), ["guardian_missing"]),
        (paper(CHILD, guardian=Guardian(person_id=HEAD)), []),
        (paper(CHILD, guardian=Guardian(name="李奶奶")), []),
        (paper(CHILD, guardian=Guardian(name=" ")), ["guardian_missing"]),
        (paper(CHILD, guardian=Guardian(person_id=CHILD)), ["guardian_not_adult"]),
        (paper(HEAD, guardian=Guardian(person_id=CHILD)), ["guardian_not_adult"]),
        (paper(HEAD, guardian=Guardian(person_id=uuid4())), ["guardian_not_adult"]),
    ],
)
def test_what_a_paper_must_say(signed: Signed, codes: list[str]) -> None:
    faults = signed_faults(FACTS, {SON}, signed, today=TODAY)

    assert [fault.code for fault in faults] == codes


def test_a_minor_signs_for_himself_from_his_eighteenth_birthday() -> None:
    assert signed_faults(FACTS, (), paper(CHILD), today=date(2026, 5, 18)) == []


def test_every_adult_who_counts_must_sign_and_for_tekun_the_obligors() -> None:
    assert must_sign(FACTS, [SON], aid_type=Category.DIBAO, today=TODAY) == [HEAD]
    assert must_sign(FACTS, [SON], aid_type=Category.TEKUN, today=TODAY) == [HEAD, SON]
    grown = must_sign(FACTS, [], aid_type=Category.DIBAO, today=date(2026, 5, 18))
    assert grown == [HEAD, CHILD]


def test_each_missing_signature_is_a_fault_of_its_own() -> None:
    sources = (Source.BANK, Source.DEATH)
    consents = [consent(HEAD, Source.BANK), consent(CHILD, valid_to=date(2026, 5, 16))]

    faults = unsigned_faults([HEAD, CHILD, SON], consents, sources, on=TODAY)

    assert [(fault.where, fault.code) for fault in faults] == [
        (f"#/members/{each}", "authorization_missing") for each in (HEAD, CHILD, SON)
    ]
    assert "bank" not in faults[0].message
    assert "death" in faults[0].message
    assert unsigned_faults([HEAD], [consent(HEAD)], sources, on=TODAY) == []


def test_the_newest_live_authorisation_is_the_one_asked_by() -> None:
    newer, older = consent(HEAD, Source.BANK), consent(HEAD)
    gone = consent(HEAD, revoked_on=TODAY)

    allowed = allowed_sources([gone, newer, older], on=TODAY)[HEAD]

    assert allowed[Source.BANK] == newer.authorization_id
    assert allowed[Source.DEATH] == older.authorization_id


def test_only_who_signed_is_asked_about_and_only_where() -> None:
    consents = [consent(HEAD, Source.BANK, Source.TAX), consent(SON, Source.BANK)]

    asked = questions(FACTS, [SON], consents, (Source.BANK, Source.DEATH), on=TODAY)

    assert [(each.subject_id, each.source) for each in asked] == [
        (HEAD, Source.BANK),
        (SON, Source.BANK),
    ]


def wish(**given: Any) -> Wish:
    known: dict[str, Any] = {
        "aid_type": Category.DIBAO,
        "purpose": "申请",
        "window_from": date(2025, 6, 1),
        "window_to": date(2026, 5, 1),
    }
    return Wish(**(known | given))


@pytest.mark.parametrize(
    ("given", "codes"),
    [
        ({}, []),
        ({"window_from": date(2026, 5, 1)}, []),
        ({"window_from": date(2026, 6, 1), "window_to": date(2026, 5, 1)}, ["window_reversed"]),
        ({"window_to": date(2026, 6, 1)}, ["date_in_future"]),
        ({"window_from": date(2023, 6, 1)}, []),
        ({"window_from": date(2023, 5, 1)}, ["window_too_long"]),
        ({"purpose": " "}, ["purpose_missing"]),
        ({"sources": ()}, ["sources_missing"]),
    ],
)
def test_what_may_be_asked_for(given: dict[str, Any], codes: list[str]) -> None:
    faults = wish_faults(FACTS, wish(**given), officer_id="o1", today=TODAY, running=False)

    assert [fault.code for fault in faults] == codes


def test_who_may_not_be_asked_for() -> None:
    closed = FACTS.model_copy(update={"state": State.CLOSED})
    cases = (
        (closed, "o1", False, "household_closed"),
        (FACTS, "o1", True, "verification_running"),
        (FACTS, None, False, "officer_missing"),
    )
    for facts, officer, running, code in cases:
        faults = wish_faults(facts, wish(), officer_id=officer, today=TODAY, running=running)
        assert [fault.code for fault in faults] == [code]


def test_a_window_counts_both_of_its_months() -> None:
    assert window_months(date(2026, 1, 1), date(2026, 12, 1)) == 12
    assert window_months(date(2026, 5, 1), date(2026, 5, 1)) == 1
