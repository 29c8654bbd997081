"""The relay's floor: below it the outbox is proven to be empty for good.

An outbox id is drawn before its transaction commits, so a lower id may appear after a higher one
was sent. The relay therefore reads whatever is there; the floor only spares it from walking over
the dead rows of what it has deleted. It lives in memory: a restore cannot break it.
"""

from dataclasses import dataclass


@dataclass(slots=True)
class Floor:
    """Rises to M once no transaction that may still own an id <= M can be running.

    M is the highest id seen and X a transaction number that the relay draws after that. Whoever
    drew an id <= M had its number by then, one below X (the event is written before the outbox
    row). Once the xmin of a later snapshot has reached X all of them are over, and a round that
    began after that and left nothing <= M behind proves the range empty.

    The xmax of a snapshot would not do for X: it is one past the last *completed* transaction, and
    one that is running with a higher number may own a lower id.
    """

    value: int = 0
    _highest_seen: int = 0
    _candidate: int = 0
    _bound: int = 0
    _settled: bool = False

    def saw(self, outbox_id: int) -> None:
        """A row with this id was visible."""
        self._highest_seen = max(self._highest_seen, outbox_id)

    @property
    def seeks_bound(self) -> bool:
        """Whether ``observe`` could use a ``bound`` now; an idle relay draws no numbers."""
        return not self._candidate and self._highest_seen > self.value

    def observe(self, *, xmin: int, bound: int | None) -> None:
        """A snapshot was taken, and ``bound`` drawn, after every row reported by ``saw``.

        ``bound`` is a transaction number above all given out before; None where none was drawn.
        """
        if self._candidate:
            self._settled = self._settled or xmin >= self._bound
        elif bound is not None and self.seeks_bound:
            self._candidate, self._bound = self._highest_seen, bound

    @property
    def proven(self) -> int | None:
        """The id up to which nothing can appear any more, for a look that begins now; or None.

        It stays proven for ever, so it may be used long after: by then another may be sought.
        """
        return self._candidate if self._settled else None

    def drained(self, proven: int, *, covered: int | None) -> None:
        """A look begun when ``proven`` was so has left nothing visible at or below ``covered``.

        None says that it found no row at all. In a backlog the floor follows round by round.
        """
        self.value = max(self.value, proven if covered is None else min(proven, covered))
        if self._candidate and self.value >= self._candidate:
            self._candidate, self._settled = 0, False
