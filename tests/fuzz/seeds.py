"""What the running platform holds, so that fuzzed requests name things that are there."""

import random
import re
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

Scalar = str | int
Record = dict[str, Scalar]

OF = "@of"
"""In each record: the service that it was learned from, whose own records are preferred."""
_TELLING = re.compile(r"(_id|_code|^id|^code|^key|^month|^division|^year|^season|^name)$")
_SUFFIXES = ("", "_id", "_code")


class Seeds:
    """Ids and codes by their field names, with the others that stood beside them."""

    def __init__(self) -> None:
        self._by_name: dict[str, deque[Record]] = {}

    def learn(self, node: Any, beside: Mapping[str, Scalar] | None = None) -> None:
        """Take every id and code out of an answer, each with those of what it stands in."""
        if isinstance(node, list):
            for one in node:
                self.learn(one, beside)
        if not isinstance(node, dict):
            return
        own: Record = {
            name: value
            for name, value in node.items()
            if isinstance(value, str | int) and value != "" and _TELLING.search(name)
        }
        record = {**(beside or {}), **own}
        if own:
            for name in own:
                self._by_name.setdefault(name, deque(maxlen=200)).append(record)
        for value in node.values():
            self.learn(value, record)

    def pick(self, name: str, agreed: Record, chance: random.Random) -> Scalar | None:
        """A value of this name, preferably of a record that agrees with what was picked before.

        What it stood beside is agreed from then on. None where nothing of the name is known.
        """
        for known in (name + suffix for suffix in _SUFFIXES):
            if known in agreed:
                return agreed[known]
            records = self._by_name.get(known)
            if records:
                return self._of(known, list(records), agreed, chance)
        return None

    def _of(
        self, name: str, records: Sequence[Record], agreed: Record, chance: random.Random
    ) -> Scalar:
        shared = [sum(one.get(key) == value for key, value in agreed.items()) for one in records]
        most = max(shared)
        fitting = [one for one, count in zip(records, shared, strict=True) if count == most]
        # the newest are what an earlier operation has just made
        chosen = chance.choice(fitting[-5:] if chance.random() < 0.5 else fitting)
        agreed.update({key: value for key, value in chosen.items() if key not in agreed})
        return chosen[name]
