"""The city's nine rosters: 120,000 households, 260,000 people, as each county's office keeps them.

Division codes and names are those of deploy/sample/divisions.csv; people are made up, with valid
ID numbers. One to three members a household; every thirtieth house is C, every sixtieth D.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from deploy.local.layout import SAMPLE
from tests.registry.rosters import sheets
from tests.support.builders import id_number

HOUSEHOLDS = 120_000
COUNTIES = 9
_SIZES = (1, 2, 2, 2, 3, 3)
_RELATIONS = ("户主", "兄弟姐妹", "其他")
_CATEGORIES = ("低保", "低保", "低保", "特困供养", "低保边缘", "支出型")
_CAUSES = ("因病", "因残", "因学", "缺劳力", "因老")
_OLDEST = date(1940, 1, 1)
_ORDERS = 400

Household = Sequence[Mapping[str, Any]]


def counties() -> list[str]:
    """The codes of Lishui's nine counties."""
    return [row["code"] for row in _divisions() if row["level"] == "county"]


def households(county: str, wanted: int) -> Iterator[Household]:
    """The rows of one county's roster."""
    places = _villages(county)
    numbers = count()
    for number in range(wanted):
        people = [
            _person(county, next(numbers), relation)
            for relation in _RELATIONS[: _SIZES[number % len(_SIZES)]]
        ]
        township, village = places[number % len(places)]
        yield sheets.household(
            *people,
            township=township,
            village=village,
            category=_CATEGORIES[number % len(_CATEGORIES)],
            causes=_CAUSES[number % len(_CAUSES)],
            wage=3000 + number % 7000,
            house_grade="D" if number % 60 == 0 else "C" if number % 30 == 0 else "B",
            phone=f"182{county[-2:]}{number:06d}",
            account=f"62288757491{county[-2:]}{number:06d}",
        )


def write(folder: Path, scale: float) -> dict[str, Path]:
    """One workbook a county; gives their places by county code."""
    wanted = int(HOUSEHOLDS * scale) // COUNTIES
    written = {}
    for county in counties():
        written[county] = folder / f"roster-{county}-{wanted}.xlsx"
        if not written[county].exists():
            written[county].write_bytes(sheets.workbook(list(households(county, wanted))))
    return written


def _person(county: str, number: int, relation: str) -> dict[str, Any]:
    """Nobody of a county has another's birth date and order number."""
    order = number % _ORDERS * 2 + 1
    born = _OLDEST + timedelta(days=number // _ORDERS * 300)
    cells = sheets.person(order, born=born, name=f"村民{number}", relation=relation)
    return cells | {"id_number": id_number(born=born, order=order, area=county)}


def _villages(county: str) -> list[tuple[str, str]]:
    rows = [row for row in _divisions() if row["code"].startswith(county)]
    names = {row["code"]: row["name"] for row in rows}
    return [(names[row["parent_code"]], row["name"]) for row in rows if row["level"] == "village"]


def _divisions() -> list[dict[str, str]]:
    with (SAMPLE / "divisions.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
