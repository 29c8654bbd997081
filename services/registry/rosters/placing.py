"""From names of townships and villages, as people write them, to division codes.

One workbook is one county; which one follows from its townships, never from a title somebody typed.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from services.registry.rosters.archive import UnusableWorkbookError


class _Division(Protocol):
    @property
    def code(self) -> str: ...
    @property
    def name(self) -> str: ...


class _Found(Protocol):
    @property
    def division(self) -> _Division | None: ...
    @property
    def candidates(self) -> Sequence[_Division]: ...


class Names(Protocol):
    """What ``shared.divisions.Directory`` offers."""

    def township(self, county_code: str, name: str) -> _Found: ...
    def village(self, township_code: str, name: str) -> _Found: ...


@dataclass(frozen=True, slots=True)
class Place:
    """Where a household lives: its code as far as it is known, and which name was wrong.

    ``fault`` is empty, or the column key, the code and the message of the name to blame.
    """

    code: str
    fault: tuple[str, str, str] | None = None


class Gazetteer:
    """The names of one county's townships and villages, each looked up once."""

    def __init__(self, names: Names, county_code: str) -> None:
        self.county_code = county_code
        self._names = names
        self._place = lru_cache(maxsize=10_000)(self._find)

    def place(self, township: str, village: str) -> Place:
        """The village of these two names; a name that leads nowhere comes back as the fault."""
        return self._place(township, village)

    def _find(self, township: str, village: str) -> Place:
        if not township:
            return Place(self.county_code, ("township", "township_missing", "未填写"))
        found = self._names.township(self.county_code, township)
        if found.division is None:
            message = _unknown("本县没有这个乡镇（街道）", found.candidates)
            return Place(self.county_code, ("township", "township_unknown", message))
        return self._in_township(found.division, village)

    def _in_township(self, township: _Division, village: str) -> Place:
        if not village:
            return Place(township.code, ("village", "village_missing", "未填写"))
        found = self._names.village(township.code, village)
        if found.division is None:
            message = _unknown(f"{township.name}没有这个村（社区）", found.candidates)
            return Place(township.code, ("village", "village_unknown", message))
        return Place(found.division.code)


def _unknown(message: str, candidates: Sequence[_Division]) -> str:
    if not candidates:
        return message
    return f"名称不明确，请写全称：{'、'.join(candidate.name for candidate in candidates)}"


def county_of_workbook(
    townships: Mapping[str, tuple[str, int]], names: Names, counties: Mapping[str, str]
) -> str:
    """The county whose townships the workbook names; ``townships`` gives first cell and households.

    ``counties`` are all county codes with their names. The county that knows most of the households
    is meant; a township that only another one knows makes it two counties, and the file is refused.
    A township that nobody knows is left to its households. Raises UnusableWorkbookError.
    """
    known_in = {
        name: [county for county in counties if names.township(county, name).division]
        for name in townships
        if name
    }
    votes = Counter[str]()
    for name, known in known_in.items():
        votes.update(dict.fromkeys(known, townships[name][1]))
    if not votes:
        raise UnusableWorkbookError(
            "workbook_place_unknown", "表中的乡镇（街道）均无法识别，请核对“乡镇（街道）”一列。"
        )
    county = max(sorted(votes), key=votes.__getitem__)
    strange = {name: known for name, known in known_in.items() if known and county not in known}
    if strange:
        raise _two_counties(county, strange, townships, counties)
    return county


def _two_counties(
    county: str,
    strange: Mapping[str, Sequence[str]],
    townships: Mapping[str, tuple[str, int]],
    counties: Mapping[str, str],
) -> UnusableWorkbookError:
    faults = tuple(
        (
            townships[name][0],
            "township_of_another_county",
            f"“{name}”属于{'、'.join(counties[code] for code in known)}",
        )
        for name, known in strange.items()
    )
    others = sorted({counties[code] for known in strange.values() for code in known})
    return UnusableWorkbookError(
        "workbook_two_counties",
        f"一份花名册只能是一个县的：表中既有{counties[county]}，又有{'、'.join(others)}的乡镇。",
        faults,
    )
