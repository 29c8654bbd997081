"""Whatever decisions follow each other on whatever days: the stays of a file never overlap."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from services.registry.households.facts import Facts
from services.registry.lifecycle import rules
from services.registry.lifecycle.rules import Move, Ruling
from shared.contracts.registry import Episode, State
from tests.registry.lifecycle.judged import OPENED, accepted, broken

STEPS = st.lists(
    st.tuples(st.sampled_from(list(Move)), st.integers(-40, 400)), min_size=4, max_size=14
)
FARAWAY = date(2100, 1, 1)


def last_day(episode: Episode) -> date | None:
    """The day on which assistance ended in a stay; None while it runs."""
    return episode.lifted_on or episode.exited_on


def walked(steps: Sequence[tuple[Move, int]]) -> tuple[Facts, Counter[Move]]:
    """A file after every decision that the rules let pass, and how many of each passed."""
    facts, day, passed = accepted(), OPENED, Counter[Move]()
    for move, days in steps:
        on = day + timedelta(days=days)
        if broken(facts, move, on, today=FARAWAY):
            continue
        facts, day = rules.moved(facts, Ruling(move=move, decided_on=on)), on
        passed[move] += 1
    return facts, passed


@settings(max_examples=400, deadline=None)
@given(steps=STEPS)
def test_stays_follow_each_other(steps: Sequence[tuple[Move, int]]) -> None:
    facts, _ = walked(steps)

    assert [each.number for each in facts.episodes] == list(range(1, len(facts.episodes) + 1))
    for each in facts.episodes:
        known = [each.identified_on, each.lifted_on, each.exited_on]
        days = [day for day in known if day is not None]
        assert days == sorted(days)
    for earlier, later in pairwise(facts.episodes):
        ended = last_day(earlier)
        assert ended is not None
        assert later.identified_on >= ended
    running = [each for each in facts.episodes if last_day(each) is None]
    if facts.state.on_assistance:
        assert running == [facts.episodes[-1]]
    elif facts.state is not State.CLOSED:
        assert running == []


def test_the_walk_goes_through_every_state() -> None:
    """So that the property above cannot hold by never moving."""
    steps = [
        (Move.IDENTIFY, 10),
        (Move.LIFT, 20),  # not in the month of identification nor the next
        (Move.LIFT, 300),
        (Move.RETURN, -1),
        (Move.RETURN, 5),
        (Move.LIFT, 250),
        (Move.EXIT, 400),
        (Move.RETURN, 0),
        (Move.EXIT, 40),
    ]
    facts, passed = walked(steps)
    assert passed == {Move.IDENTIFY: 1, Move.LIFT: 2, Move.RETURN: 2, Move.EXIT: 2}
    assert len(facts.episodes) == 3
    assert facts.state is State.EXITED
