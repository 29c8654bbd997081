"""What a question becomes by what is said of it, and how long it is asked again."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.registry.verification.judging import Asked, judged, pause, put_off
from services.registry.verification.sources import ItemState, Source

NOW = datetime(2026, 5, 17, 8, tzinfo=UTC)
PATIENCE = timedelta(hours=72)


def asked(**given: Any) -> Asked:
    known: dict[str, Any] = {
        "household_id": UUID(int=1),
        "verification_id": UUID(int=2),
        "subject_id": UUID(int=3),
        "source": Source.BANK,
        "id_number": "110",
        "requested_at": NOW,
        "attempts": 0,
    }
    return Asked(**(known | given))


@pytest.mark.parametrize(
    ("said", "state", "failure"),
    [
        (None, "sent", None),
        ({"status": "pending"}, "sent", None),
        ({"status": "by_file"}, "not_returned", None),
        ({"status": "nothing_found", "id_number": "110"}, "nothing_found", None),
        (
            {"status": "nothing_found", "id_number": "220"},
            "failed",
            "answer_for_another_person",
        ),
        ({"status": "nothing_found"}, "failed", "answer_for_another_person"),
        (
            {"status": "answered", "id_number": "110", "data": {"over_limit": True}},
            "answered",
            None,
        ),
        ({"status": "answered", "id_number": "110", "data": {}}, "failed", "answer_malformed"),
        ({"status": "???", "id_number": "110"}, "failed", "answer_malformed"),
        ({}, "failed", "answer_for_another_person"),
    ],
)
def test_what_is_said(said: dict[str, Any] | None, state: str, failure: str | None) -> None:
    verdict = judged(asked(), said, now=NOW, today=date(2026, 5, 17), patience=PATIENCE)

    assert (verdict.state, verdict.failure) == (state, failure)
    assert (verdict.due_at is None) == (state != "sent")
    assert (verdict.answer is not None) == (state == "answered")


def test_pauses_grow_up_to_six_hours() -> None:
    assert [pause(tries).total_seconds() for tries in (0, 1, 2, 10, 11, 400)] == [
        15,
        30,
        60,
        15_360,
        21_600,
        21_600,
    ]


@pytest.mark.parametrize(
    ("ago", "state"),
    [
        (PATIENCE - timedelta(seconds=1), ItemState.WAITING),
        (PATIENCE, ItemState.NOT_RETURNED),
    ],
)
def test_patience_ends(ago: timedelta, state: ItemState) -> None:
    question = asked(requested_at=NOW - ago, attempts=4)

    verdict = put_off(question, ItemState.WAITING, now=NOW, patience=PATIENCE, failure="x")

    assert (verdict.state, verdict.attempts, verdict.failure) == (state, 5, "x")
    assert verdict.due_at == (NOW + timedelta(minutes=4) if state is ItemState.WAITING else None)
