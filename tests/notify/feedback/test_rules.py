"""The word to who told of somebody: what happened on which day, and nothing before he told."""

from datetime import date

import pytest

from services.notify.feedback.rules import Progress, in_words, message, steps
from shared.contracts.leads import LeadState

TOLD = date(2026, 3, 10)
GOT, SEEN = "收到您反映的情况", "工作人员已入户走访"
NOT_TAKEN = "经走访核实，暂未列入救助；情况有变化的，请再次反映"
TAKEN = "已受理，进入申请程序"


@pytest.mark.parametrize(
    ("state", "visited", "decided", "expected"),
    [
        (LeadState.OPEN, None, None, [(10, GOT)]),
        (LeadState.VISITED, 12, None, [(10, GOT), (12, SEEN)]),
        (LeadState.VISITED, 10, None, [(10, GOT), (10, SEEN)]),
        (LeadState.VISITED, 9, None, [(10, GOT), (10, SEEN)]),
        (LeadState.DISMISSED, 12, 20, [(10, GOT), (12, SEEN), (20, NOT_TAKEN)]),
        (LeadState.ACCEPTED, 12, 12, [(10, GOT), (12, SEEN), (12, TAKEN)]),
        (LeadState.ACCEPTED, 9, 9, [(10, GOT), (10, SEEN), (10, TAKEN)]),
    ],
)
def test_steps_are_told_by_their_days_and_none_before_he_told(
    state: LeadState, visited: int | None, decided: int | None, expected: list[tuple[int, str]]
) -> None:
    progress = Progress(
        state=state,
        received_on=TOLD,
        visited_on=TOLD.replace(day=visited) if visited else None,
        decided_on=TOLD.replace(day=decided) if decided else None,
    )
    assert [(step.on.day, step.words) for step in steps(progress)] == expected


def test_a_step_says_its_day_in_words() -> None:
    (step,) = steps(Progress(state=LeadState.OPEN, received_on=TOLD))
    assert step.sentence == "2026年3月10日，收到您反映的情况"


@pytest.mark.parametrize(
    ("day", "expected"),
    [(date(2026, 12, 31), "2026年12月31日"), (date(2027, 1, 1), "2027年1月1日")],
)
def test_a_day_in_words_has_no_leading_zeros(day: date, expected: str) -> None:
    assert in_words(day) == expected


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (LeadState.OPEN, "2026年3月10日，收到您反映的情况；目前：已收到，等待入户走访。"),
        (LeadState.ACCEPTED, f"2026年3月10日，收到您反映的情况；2026年3月20日，{TAKEN}。"),
    ],
)
def test_the_message_ends_with_what_stands_now(state: LeadState, expected: str) -> None:
    decided = None if state.is_open else date(2026, 3, 20)
    assert message(Progress(state=state, received_on=TOLD, decided_on=decided)) == expected
