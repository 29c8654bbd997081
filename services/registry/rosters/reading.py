"""What is done with a workbook in a child process: look, judge, write remarks.

Everything here takes plain values and gives plain values, so that they can travel. Ask for them
through ``child.run``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.registry.rosters import (
    cells,
    pair_books,
    pair_files,
    pairing,
    remarks,
    rules,
    workbook,
)
from services.registry.rosters.archive import UnusableWorkbookError
from services.registry.rosters.facts import Content, Judged
from services.registry.rosters.placing import Gazetteer, Names
from services.registry.rosters.sheet import each_household, household_cell


@dataclass(frozen=True, slots=True)
class Survey:
    """What a workbook holds at a glance. ``townships``: first cell and households by name."""

    rows: int
    households: int
    townships: Mapping[str, tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Read:
    """One judged household, its parts as JSON, small enough to send 30,000 of them home."""

    first_row: int | None
    last_row: int | None
    serial: str
    head_name: str
    place: str
    people: int
    category: str | None
    rejected: bool
    warned: bool
    findings: list[dict[str, Any]]
    content: bytes
    """Facts, or only the ID numbers of a rejected household, as JSON: to be encrypted."""


@dataclass(frozen=True, slots=True)
class Reading:
    """All households of a workbook, and its column letters by key."""

    letters: Mapping[str, str]
    households: Sequence[Read]


def survey(content: bytes) -> Survey:
    """What is in the workbook, or in the pair, or UnusableWorkbookError. Runs in a child."""
    if pair := pair_files.unpack(content):
        people, homes = pairing.glance(pair_books.opened(pair))
        return Survey(rows=people, households=sum(n for _, n in homes.values()), townships=homes)
    layout, rows = workbook.open_sheet(content)
    townships: dict[str, tuple[str, int]] = {}
    people = households = 0
    for household in each_household(rows):
        cell, row, _ = household_cell(household, "township")
        name = cells.words(cell)
        first, count = townships.get(name, (layout.address("township", row.number), 0))
        townships[name] = (first, count + 1)
        households += 1
        people += len(household)
    if not households:
        raise UnusableWorkbookError("workbook_empty", "表头下面没有任何一户。")
    return Survey(rows=people, households=households, townships=townships)


def judge(
    content: bytes, names: Names, county_code: str, divisions: Sequence[str], on: date
) -> Reading:
    """Every household of the workbook, or of the pair, judged. Runs in a child."""
    gazetteer = Gazetteer(names, county_code)
    if pair := pair_files.unpack(content):
        books = pair_books.opened(pair)
        judged = pairing.judge(books, gazetteer, divisions, on=on)
        return Reading(books.letters, [_read(household) for household in judged])
    layout, rows = workbook.open_sheet(content)
    judged = rules.settle_people_standing_twice(
        layout,
        (
            rules.judge(layout, household, gazetteer, divisions, on=on)
            for household in each_household(rows)
        ),
    )
    return Reading(layout.letters, [_read(household) for household in judged])


def remark(content: bytes, told: Mapping[str, Mapping[int, str]]) -> bytes:
    """The same workbook with the remarks ``told`` by sheet and row in one more column.

    Of a pair both, packed as they came. Runs in a child.
    """
    if pair := pair_files.unpack(content):
        return pair_books.remark(pair_books.opened(pair), told)
    layout, _ = workbook.open_sheet(content)
    return remarks.write(content, layout, told.get("", {}))


def _read(household: Judged) -> Read:
    facts = household.facts
    numbers = tuple(number for number, _ in household.persons)
    return Read(
        first_row=household.first_row,
        last_row=household.last_row,
        serial=household.serial,
        head_name=household.head_name,
        place=household.place,
        people=household.people,
        category=facts.category if facts else None,
        rejected=household.rejected,
        warned=household.warned,
        findings=[found.model_dump(mode="json") for found in household.findings],
        content=Content(facts=facts, id_numbers=numbers).model_dump_json().encode(),
    )
