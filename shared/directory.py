"""Divisions in memory, found by the names that people write. Pure, and light to import.

``shared/divisions.py`` loads them; whoever only looks names up, in a process of its own, needs no
database and no web framework for it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict

from shared.place_names import PlaceName, township_name, village_name

Level = Literal["city", "county", "township", "village"]


class Division(BaseModel):
    """One division. ``valid_to`` is its last day; what it became stands in ``merged_into``."""

    model_config = ConfigDict(frozen=True)

    code: str
    name: str
    level: Level
    parent_code: str | None = None
    valid_from: date
    valid_to: date | None = None
    merged_into: str | None = None
    urban_rural: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What a name led to: the division, or none with the candidates it might have meant."""

    division: Division | None = None
    candidates: tuple[Division, ...] = ()


@dataclass(slots=True)
class Directory:
    """Divisions in memory, found by code or by name. A merged one leads to what it became."""

    divisions: Iterable[Division]
    _by_code: dict[str, Division] = field(init=False)
    _children: dict[str, list[tuple[PlaceName, Division]]] = field(init=False)

    def __post_init__(self) -> None:
        self._by_code = {division.code: division for division in self.divisions}
        self._children = {}
        for division in self._by_code.values():
            named = (_named(division.name, division.level), division)
            self._children.setdefault(division.parent_code or "", []).append(named)

    def get(self, code: str) -> Division | None:
        """The division of ``code`` as loaded, merged away or not."""
        return self._by_code.get(code)

    def township(self, county_code: str, name: str) -> Found:
        """The one township of a county that people mean by ``name``: 西屏 is 西屏街道."""
        return self._find(county_code, township_name(name))

    def village(self, township_code: str, name: str) -> Found:
        """The one village or community of a township that people mean by ``name``.

        周庄, 周庄村, 周庄村委会 and 周庄 村村民委员会 are one. Where a township has both 灯塔村
        and 灯塔社区, plain 灯塔 is ambiguous: no division, both as candidates.
        """
        return self._find(township_code, village_name(name))

    def current(self, division: Division) -> Division:
        """What ``division`` is today: itself, or the end of its mergers."""
        seen = {division.code}
        while division.merged_into and division.merged_into not in seen:
            successor = self._by_code.get(division.merged_into)
            if successor is None:
                break
            seen.add(successor.code)
            division = successor
        return division

    def _find(self, parent_code: str, wanted: PlaceName) -> Found:
        children = self._children.get(parent_code, [])
        for same in (PlaceName.same_text, PlaceName.same_kind, PlaceName.same_stem):
            hits = (self.current(known) for name, known in children if same(wanted, name))
            found = tuple({hit.code: hit for hit in hits}.values())
            if found:
                return Found(found[0]) if len(found) == 1 else Found(None, found)
        return Found()


def _named(name: str, level: Level) -> PlaceName:
    return village_name(name) if level == "village" else township_name(name)
