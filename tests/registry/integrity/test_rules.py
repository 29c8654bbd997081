"""When a finding may be entered, when it stands, and on which days; both sides of each boundary."""

from datetime import date
from typing import Any

import pytest

from services.registry.integrity.rules import (
    KINDS_ZH,
    Finding,
    RecordKind,
    Signatures,
    Stage,
    finding_faults,
    lift_faults,
    stands,
)

TODAY = date(2026, 3, 20)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, []),
        ({"found_on": TODAY}, []),
        ({"found_on": date(2026, 3, 21), "valid_until": date(2026, 3, 22)}, ["date_in_future"]),
        ({"valid_until": date(2026, 3, 11), "found_on": date(2026, 3, 10)}, ["validity_over"]),
        ({"valid_until": TODAY}, []),
        ({"valid_until": date(2026, 3, 19)}, ["validity_over"]),
        ({"valid_until": date(2026, 3, 10)}, ["validity_missing"]),
        ({"document": " "}, ["document_missing"]),
        ({"words": "\n"}, ["words_missing"]),
        (
            {"document": "", "words": "", "valid_until": date(2026, 1, 1)},
            ["validity_missing", "document_missing", "words_missing"],
        ),
    ],
)
def test_a_finding_has_its_paper_its_words_and_a_time(
    given: dict[str, Any], expected: list[str]
) -> None:
    known: dict[str, Any] = {
        "kind": RecordKind.FRAUD,
        "found_on": date(2026, 3, 10),
        "valid_until": date(2027, 3, 10),
        "document": "松民认〔2026〕12号",
        "words": "隐瞒经营收入",
    }
    faults = finding_faults(Finding(**(known | given)), today=TODAY)
    assert [each.code for each in faults] == expected


@pytest.mark.parametrize(
    ("document", "reason", "expected"),
    [
        ("松民解〔2026〕3号", "已退回", []),
        (" ", "已退回", ["document_missing"]),
        ("松民解〔2026〕3号", " ", ["reason_missing"]),
        ("", "", ["document_missing", "reason_missing"]),
    ],
)
def test_a_lift_rests_on_a_paper_and_a_reason(
    document: str, reason: str, expected: list[str]
) -> None:
    assert [each.code for each in lift_faults(document, reason)] == expected


@pytest.mark.parametrize(
    ("signed", "expected"),
    [
        ({}, Stage.ENTERED),
        ({"withdrawn_by": "o2"}, Stage.WITHDRAWN),
        ({"confirmed_by": "o2"}, Stage.STANDING),
        ({"confirmed_by": "o2", "lift_entered_by": "o1"}, Stage.LIFTING),
        ({"confirmed_by": "o2", "lift_entered_by": "o1", "lifted_by": "o3"}, Stage.LIFTED),
    ],
)
def test_signatures_say_where_a_record_is(signed: dict[str, str], expected: Stage) -> None:
    assert Signatures(entered_by="o1", **signed).stage is expected


@pytest.mark.parametrize("stage", Stage)
@pytest.mark.parametrize(
    ("day", "within"),
    [
        (date(2026, 3, 9), False),
        (date(2026, 3, 10), True),
        (date(2027, 3, 10), True),
        (date(2027, 3, 11), False),
    ],
)
def test_it_stands_once_confirmed_on_its_days_until_it_is_lifted(
    stage: Stage, day: date, within: bool
) -> None:
    days = {"found_on": date(2026, 3, 10), "valid_until": date(2027, 3, 10)}
    counts = stage in {Stage.STANDING, Stage.LIFTING}
    assert stands(stage, **days, on=day) == (within and counts)


def test_every_kind_has_its_words_and_none_refuses() -> None:
    assert set(KINDS_ZH) == set(RecordKind)
    assert not any("不予" in words for words in KINDS_ZH.values())
