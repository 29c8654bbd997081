"""Small rosters for tests, in the county's template, each test naming only what matters."""

import io
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import xlsxwriter

from services.registry.rosters.columns import BY_KEY, COLUMNS, SHEET
from tests.support.builders import id_number

Cells = Mapping[str, Any]

HOUSEHOLD: Cells = {
    "township": "三都乡",
    "village": "下田村",
    "category": "低保",
    "causes": "因病",
    "wage": 6921.34,
    "business": 2898.05,
    "property": 506.74,
    "transfer": 19996.7,
    "medical": 0,
    "schooling": 0,
    "rehabilitation": 0,
    "other": 0,
    "financial": 1000,
    "vehicles": 0,
    "house_grade": "B",
    "phone": "18213186091",
    "account": "6228875749118625276",
    "remark": "",
}
PERSON: Cells = {
    "name": "张三",
    "relation": "户主",
    "sex": "男",
    "health": "健康",
    "disability": "",
    "labor_ability": "普通劳动力",
    "education": "初中",
    "school_stage": "非在校生",
    "work": "务农",
    "insured": "是",
}


def person(order: int = 1, *, born: date = date(1980, 5, 17), **cells: Any) -> dict[str, Any]:
    """One person; odd ``order`` a man, even a woman, and the ID number goes with it."""
    sex = "男" if order % 2 else "女"
    return {**PERSON, "sex": sex, "id_number": id_number(born=born, order=order), **cells}


def household(*people: Cells, **cells: Any) -> list[dict[str, Any]]:
    """The rows of one household: its own cells in the first, one row a person."""
    people = people or (person(),)
    own = {**HOUSEHOLD, "serial": 1, "head_name": people[0]["name"], "count": len(people), **cells}
    return [{**own, **people[0]}, *(dict(one) for one in people[1:])]


def workbook(
    households: Sequence[Sequence[Cells]],
    *,
    columns: Sequence[str] | None = None,
    sheet: str = SHEET,
    fill_down: bool = False,
    titles: int = 2,
    more: Sequence[Sequence[Any]] = (),
) -> bytes:
    """An .xlsx of these households; ``fill_down`` takes the merged cells apart."""
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True, "strings_to_numbers": False})
    page = book.add_worksheet(sheet)
    keys = list(columns or BY_KEY)
    for line in range(titles):
        page.merge_range(line, 0, line, len(keys) - 1, "松阳县农村困难家庭花名册")
    _headers(page, keys, titles)
    row = titles + 2
    for serial, people in enumerate(households, start=1):
        own = {**people[0], "serial": people[0].get("serial") and serial}
        _household(page, row, keys, own, people, fill_down=fill_down)
        row += len(people)
    for extra in more:
        for column, value in enumerate(extra):
            _write(page, row, column, value)
        row += 1
    book.close()
    return target.getvalue()


def _household(
    page: Any,
    row: int,
    keys: Sequence[str],
    own: Cells,
    people: Sequence[Cells],
    *,
    fill_down: bool,
) -> None:
    merged = [key in BY_KEY and BY_KEY[key].of_household for key in keys]
    for at, cells in enumerate(people):
        for column, key in enumerate(keys):
            source = own if merged[column] and (fill_down or at == 0) else cells
            if not merged[column] or fill_down or at == 0:
                _write(page, row + at, column, source.get(key))
    if len(people) > 1 and not fill_down:
        for column, key in enumerate(keys):
            if merged[column]:
                page.merge_range(row, column, row + len(people) - 1, column, None)
                _write(page, row, column, own.get(key))


def _headers(page: Any, keys: Sequence[str], top: int) -> None:
    group = None
    for at, key in enumerate(keys):
        column = BY_KEY.get(key)
        if column is None:
            page.write_string(top, at, key)
            continue
        if column.group:
            if column.group != group:
                page.write_string(top, at, column.group)
            page.write_string(top + 1, at, column.title)
        else:
            page.merge_range(top, at, top + 1, at, column.title)
        group = column.group


def _write(page: Any, row: int, column: int, value: Any) -> None:
    if value is None:
        page.write_blank(row, column, None)
    elif isinstance(value, bool):
        page.write_boolean(row, column, value)
    elif isinstance(value, str):
        page.write_string(row, column, value)
    else:
        page.write(row, column, value)


ALL_KEYS = [column.key for column in COLUMNS]
