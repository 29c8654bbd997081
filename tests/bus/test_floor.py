"""The floor never passes a row that may still appear, whatever the order of commits."""

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.floor import Floor


def test_rises_to_what_was_seen_once_everyone_from_then_is_gone() -> None:
    floor = Floor()
    floor.saw(10)
    assert floor.seeks_bound
    floor.observe(xmin=100, bound=105)
    assert floor.proven is None
    floor.observe(xmin=104, bound=200)
    assert floor.proven is None  # 104 may own an id up to 10
    floor.observe(xmin=105, bound=200)
    assert floor.proven == 10
    floor.drained(10, covered=None)
    assert floor.value == 10
    assert not floor.seeks_bound


def test_a_foreign_transaction_keeps_it_down_and_no_more() -> None:
    floor = Floor()
    floor.saw(10)
    floor.observe(xmin=100, bound=105)
    for _ in range(5):
        floor.observe(xmin=100, bound=999)
    assert floor.value == 0


def test_follows_a_backlog_only_as_far_as_it_was_sent() -> None:
    floor = Floor()
    floor.saw(1000)
    floor.observe(xmin=5, bound=5)
    floor.observe(xmin=5, bound=5)
    floor.drained(1000, covered=400)
    assert floor.value == 400
    assert floor.proven == 1000
    floor.drained(1000, covered=1200)
    assert floor.value == 1000
    assert floor.proven is None


def test_an_old_proof_says_nothing_of_the_next_candidate() -> None:
    """A look ahead began under the proof of 10; meanwhile that was used and another is sought."""
    floor = Floor()
    floor.saw(10)
    floor.observe(xmin=5, bound=5)
    floor.observe(xmin=5, bound=5)
    old = floor.proven
    assert old == 10
    floor.drained(old, covered=20)
    floor.saw(30)
    floor.observe(xmin=5, bound=9)
    floor.drained(old, covered=40)
    assert floor.value == 10


@dataclass
class Primary:
    """PostgreSQL as far as the floor is concerned: numbers, ids, visibility."""

    next_xid: int = 1
    next_id: int = 1
    last_over: int = 0
    running: dict[int, list[int]] = field(default_factory=dict)
    visible: set[int] = field(default_factory=set)

    def begin(self) -> None:
        self.running[self.next_xid] = []
        self.next_xid += 1

    def draw(self, choice: int) -> None:
        if self.running:
            xid = sorted(self.running)[choice % len(self.running)]
            self.running[xid].append(self.next_id)
            self.next_id += 1

    def end(self, choice: int, *, commit: bool) -> None:
        if self.running:
            xid = sorted(self.running)[choice % len(self.running)]
            ids = self.running.pop(xid)
            self.last_over = max(self.last_over, xid)
            if commit:
                self.visible.update(ids)

    def number(self) -> int:
        """As ``pg_current_xact_id()`` in a transaction of its own, over at once."""
        self.last_over = self.next_xid
        self.next_xid += 1
        return self.last_over

    @property
    def xmin(self) -> int:
        """A snapshot knows nothing of what runs above its xmax, one past the last that is over."""
        xmax = self.last_over + 1
        return min((xid for xid in self.running if xid < xmax), default=xmax)


STEP = st.tuples(
    st.sampled_from(["open", "draw", "publish", "commit", "abort", "relay", "relay"]),
    st.integers(0, 50),
)


@dataclass
class Game:
    """The relay's rounds on that primary: fails when a row appears below the floor."""

    limit: int = 10
    primary: Primary = field(default_factory=Primary)
    floor: Floor = field(default_factory=Floor)

    def round(self, choice: int | None) -> None:
        """One round; the broker takes as many rows as ``choice`` says, all with None."""
        proven = self.floor.proven
        assert not {one for one in self.primary.visible if one <= self.floor.value}
        rows = sorted(self.primary.visible)[: self.limit]
        if not rows:
            if proven is not None:
                self.floor.drained(proven, covered=None)
            return
        self.floor.saw(rows[-1])
        sent = rows if choice is None else rows[: choice % (len(rows) + 1)]
        self.primary.visible.difference_update(sent)
        if proven is not None:
            left = [one for one in rows if one not in sent]
            self.floor.drained(proven, covered=left[0] - 1 if left else rows[-1])

    def step(self, name: str, choice: int) -> None:
        """One step of a schedule."""
        if name == "open":
            self.primary.begin()
            self.primary.draw(-1)
        elif name == "publish":
            self.step("open", 0)
            self.primary.end(-1, commit=True)
        elif name == "draw":
            self.primary.draw(choice)
        elif name == "relay":
            self.round(None if choice % 2 else choice)
            xmin = self.primary.xmin
            bound = self.primary.number() if self.floor.seeks_bound else None
            self.floor.observe(xmin=xmin, bound=bound)
        else:
            self.primary.end(choice, commit=name == "commit")


@settings(max_examples=500, deadline=None)
@given(st.lists(STEP, max_size=80), st.integers(1, 4))
def test_no_schedule_loses_a_row(steps: list[tuple[str, int]], limit: int) -> None:
    game = Game(limit)
    for name, choice in steps:
        game.step(name, choice)
    while game.primary.running:
        game.primary.end(0, commit=True)
    while game.primary.visible:
        game.round(None)


def test_the_game_catches_a_floor_that_waits_for_nobody() -> None:
    """The schedule that a cursor without proof loses."""
    game = Game()
    for name in ("open", "publish", "relay", "relay", "relay", "commit", "relay"):
        game.step(name, 1)
    assert not game.primary.visible


def test_a_younger_transaction_with_an_older_id_is_waited_for() -> None:
    """The elder draws the higher id and ends first: a snapshot's xmax would not see the younger."""
    game = Game()
    for name in ("open", "open", "draw", "commit", "relay", "relay", "relay"):
        game.step(name, 1 if name == "relay" else 0)
    assert game.floor.value == 0
    for name in ("commit", "relay", "relay"):
        game.step(name, 1)
    assert game.floor.value == 3
    assert not game.primary.visible
