"""What the sample roster must open in every service, counted from the workbook by hand.

An independent reader: openpyxl and the sheet's own words, none of the product's code. Households
that the import refuses (the expected verdicts beside the roster's tests) are left out.
"""

import calendar
import json
import unicodedata
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl

HOUSE = Path(__file__).parents[2]
ROSTER = HOUSE / "deploy" / "sample" / "roster-331124.xlsx"
EXPECTED = HOUSE / "tests" / "registry" / "rosters" / "roster-331124.expected.json"
FIRST_ROW = 5
"""The sheet's first row of data, counted from 1."""
SERIAL, NAME, ID_NUMBER, LABOR, SCHOOL, WORK, GRADE = 0, 7, 9, 13, 15, 16, 28
AT_WORK = {"务农", "灵活就业", "县内务工", "省内务工", "省外务工"}
ABLE = {"技能劳动力", "普通劳动力", "弱劳动力"}


@dataclass(frozen=True, slots=True)
class Person:
    """One row of the sheet, by the words in its cells."""

    id_number: str
    labor: str
    school: str
    work: str

    @property
    def born(self) -> date:
        """The birth date in the ID number."""
        digits = self.id_number[6:14]
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))

    @property
    def is_man(self) -> bool:
        """An odd order number is a man's."""
        return int(self.id_number[16]) % 2 == 1

    @property
    def at_school(self) -> bool:
        """Whether the sheet says so."""
        return self.school not in {"", "非在校生"}

    def of_working_age(self, on: date) -> bool:
        """From the 16th birthday until retirement by the gradual reform in force since 2025."""
        return months_old(self.born, on) >= 16 * 12 and on < self.retires()

    def retires(self) -> date:
        """One month later for every four months of birth, at most 36 (60 and 55 before)."""
        age, first = (60, (1965, 1)) if self.is_man else (55, (1970, 1))
        behind = (self.born.year - first[0]) * 12 + self.born.month - first[1]
        later = 0 if behind < 0 else min(36, behind // 4 + 1)
        year, month = divmod(self.born.year * 12 + self.born.month - 1 + age * 12 + later, 12)
        last = calendar.monthrange(year, month + 1)[1]
        return date(year, month + 1, min(self.born.day, last))


@dataclass(frozen=True, slots=True)
class Household:
    """A household that the import accepts: its house grade and its people."""

    grade: str
    people: tuple[Person, ...]

    def is_zero_employment(self, on: date) -> bool:
        """R30: somebody is able, of age and not at school, and none of them works."""
        able = [
            person
            for person in self.people
            if person.of_working_age(on) and person.labor in ABLE and not person.at_school
        ]
        return bool(able) and all(person.work not in AT_WORK for person in able)


def accepted() -> list[Household]:
    """The households that stand in the registry after the import."""
    faults = json.loads(EXPECTED.read_text(encoding="utf-8"))["faults"]
    refused = {one["household"] for one in faults if one["verdict"].startswith("rejected")}
    sheet = openpyxl.load_workbook(ROSTER).worksheets[0]
    found: dict[int, list[tuple[Any, ...]]] = {}
    serial = 0
    for row in sheet.iter_rows(min_row=FIRST_ROW, values_only=True):
        if row[NAME] is None:
            continue  # the line of totals
        serial = int(str(row[SERIAL])) if row[SERIAL] is not None else serial
        found.setdefault(serial, []).append(row)
    return [_household(rows) for number, rows in found.items() if number not in refused]


def _household(rows: list[tuple[Any, ...]]) -> Household:
    return Household(
        grade=_word(rows[0][GRADE]),
        people=tuple(
            Person(*(_word(row[at]) for at in (ID_NUMBER, LABOR, SCHOOL, WORK))) for row in rows
        ),
    )


def _word(cell: object) -> str:
    """As people mean it: half-width, without spaces."""
    text = unicodedata.normalize("NFKC", "" if cell is None else str(cell))
    return "".join(text.split()).upper()


def months_old(born: date, on: date) -> int:
    """Whole months of life."""
    return (on.year - born.year) * 12 + on.month - born.month - (on.day < born.day)


def counts(on: date) -> dict[str, int]:
    """How many cases every service must have opened, on a day."""
    households = accepted()
    people = [person for household in households for person in household.people]
    return {
        "households": len(households),
        "people": len(people),
        "student_files": sum(person.at_school for person in people),
        "house_files_c": sum(household.grade == "C" for household in households),
        "house_files_d": sum(household.grade == "D" for household in households),
        "labour_profiles": sum(person.of_working_age(on) for person in people),
        "zero_employment": sum(household.is_zero_employment(on) for household in households),
    }
