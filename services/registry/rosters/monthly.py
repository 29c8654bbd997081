"""A monthly book as a workbook: one list, and its totals by category and age group.

Policy section 9. The list is streamed, so only its totals are held until it is written.
"""

from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count
from typing import Final

from services.registry.households import sealed
from services.registry.means.members import age_on
from services.registry.rosters import monthly_queries, packing
from services.registry.rosters.columns import CATEGORIES, CAUSES, words_by_code
from services.registry.rosters.monthly_queries import Asked, Listed
from services.registry.rosters.monthly_rules import AGE_GROUPS, ListKind, age_group
from services.registry.rosters.packing import (
    CELL,
    CELL_OF_DAY,
    CELL_OF_MONEY,
    HEADER,
    MAIN,
    SUBTITLE,
    TITLE,
    Sheet,
    Value,
)
from services.registry.rosters.sheet import column_letters
from shared.contracts.registry import Category
from shared.db import Database
from shared.divisions import Directory
from shared.money import ZERO, yuan

NAMES: Final[Mapping[ListKind, str]] = {
    ListKind.NEW: "新增名单",
    ListKind.EXIT: "退出名单",
    ListKind.INCREASE: "增发名单",
    ListKind.DECREASE: "减发名单",
}
TOTALS: Final = "汇总"
FIRST_ROW: Final = 4
"""Below a title, a line that says whose book it is, and the header."""
_CATEGORIES = words_by_code(CATEGORIES)
_CAUSES = words_by_code(CAUSES)
_OF_GRANTS: Final = frozenset({ListKind.INCREASE, ListKind.DECREASE})


@dataclass(frozen=True, slots=True)
class Look:
    """How the rows are shown: the names of places, and whether in plain."""

    names: Directory
    plain: bool


@dataclass(frozen=True, slots=True)
class _Column:
    title: str
    of: Callable[[Listed, Look], Value]
    style: int = CELL
    width: int = 12


_PLACE_AND_PEOPLE: Final = (
    _Column("乡镇（街道）", lambda one, look: _name(look.names, one.facts.division_code[:9])),
    _Column(
        "行政村（社区）", lambda one, look: _name(look.names, one.facts.division_code), width=18
    ),
    _Column("户编号", lambda one, _: one.household_no, width=21),
    _Column(
        "户主姓名",
        lambda one, look: sealed.show_name(one.head.name, plain=look.plain) if one.head else None,
    ),
    _Column(
        "户主公民身份号码",
        lambda one, look: (
            sealed.show_id_number(one.head.id_number_encrypted, plain=look.plain)
            if one.head
            else None
        ),
        width=21,
    ),
    _Column(
        "联系电话",
        lambda one, look: sealed.show_phone(one.phone_encrypted, plain=look.plain),
        width=14,
    ),
    _Column("困难类型", lambda one, _: _category(one.facts.category)),
    _Column("家庭人口数（人）", lambda one, _: len(one.facts.members)),
    _Column("共同生活人口数（人）", lambda one, _: one.facts.n),
)
_OF_KIND: Final[Mapping[ListKind, tuple[_Column, ...]]] = {
    ListKind.NEW: (
        _Column("致贫原因", lambda one, _: "、".join(_CAUSES[each] for each in one.facts.causes)),
        _Column("年人均收入（元）", lambda one, _: _income_a_head(one), CELL_OF_MONEY),
        _Column("认定日期", lambda one, _: one.happened_on, CELL_OF_DAY),
        _Column("认定方式", lambda one, _: one.way),
    ),
    ListKind.EXIT: (
        _Column("退出日期", lambda one, _: one.happened_on, CELL_OF_DAY),
        _Column("退出方式", lambda one, _: one.way, width=14),
        _Column("退出原因", lambda one, look: one.reason if look.plain else None, width=30),
        _Column("认定日期", lambda one, _: _identified_on(one), CELL_OF_DAY),
    ),
}
_GRANTS: Final = (
    _Column("上期困难类型", lambda one, _: _category(one.category_before)),
    _Column("上期家庭人口数（人）", lambda one, _: one.people_before),
    _Column("上月低保金（元）", lambda one, _: one.before, CELL_OF_MONEY),
    _Column("本月低保金（元）", lambda one, _: one.now, CELL_OF_MONEY),
    _Column(
        "增减金额（元）", lambda one, _: (one.now or ZERO) - (one.before or ZERO), CELL_OF_MONEY
    ),
)


def columns(kind: ListKind) -> list[str]:
    """The headers of a list, left to right."""
    return ["序号", *(column.title for column in _columns(kind))]


def _columns(kind: ListKind) -> tuple[_Column, ...]:
    return _PLACE_AND_PEOPLE + _OF_KIND.get(kind, _GRANTS)


@dataclass(slots=True)
class _Totals:
    """What a list adds up to, by category; None is a household without one."""

    households: Counter[Category | None] = field(default_factory=Counter)
    people: Counter[tuple[Category | None, str]] = field(default_factory=Counter)
    before: dict[Category | None, Decimal] = field(default_factory=dict)
    now: dict[Category | None, Decimal] = field(default_factory=dict)

    def add(self, one: Listed) -> None:
        category = one.facts.category
        self.households[category] += 1
        for member in one.facts.members:
            self.people[category, age_group(age_on(member.birth_date, one.on))] += 1
        self.before[category] = self.before.get(category, ZERO) + (one.before or ZERO)
        self.now[category] = self.now.get(category, ZERO) + (one.now or ZERO)

    def row(self, name: str, wanted: Iterable[Category | None]) -> list[Value]:
        """A name; households, people, people by age; then the month before, this one, both."""
        these = list(wanted)
        ages = [sum(self.people[each, group] for each in these) for group, _ in AGE_GROUPS]
        before = sum((self.before.get(each, ZERO) for each in these), ZERO)
        now = sum((self.now.get(each, ZERO) for each in these), ZERO)
        households = sum(self.households[each] for each in these)
        return [name, households, sum(ages), *ages, before, now, now - before]


def workbook(
    title: str, stated: str, database: Database, asked: Asked, look: Look
) -> AsyncGenerator[bytes]:
    """The bytes of an .xlsx with the list and its totals."""
    totals, kind = _Totals(), asked.kind

    async def rows() -> AsyncGenerator[str]:
        serials = count(1)
        async for page in monthly_queries.pages(database, asked):
            for one in page:
                totals.add(one)
            yield "".join(_row(next(serials), one, kind, look) for one in page)

    async def total_rows() -> AsyncGenerator[str]:
        yield "".join(_total_rows(totals, kind))

    widths = [6, *(column.width for column in _columns(kind))]
    return packing.workbook(
        Sheet(NAMES[kind], _head(title, stated, columns(kind), widths), rows(), _tail(len(widths))),
        Sheet(
            TOTALS,
            _head(f"{title}{TOTALS}", stated, _total_titles(kind), [14] * len(_total_titles(kind))),
            total_rows(),
            _tail(len(_total_titles(kind))),
        ),
    )


def _row(serial: int, one: Listed, kind: ListKind, look: Look) -> str:
    number = FIRST_ROW - 1 + serial
    cells = [packing.cell(f"A{number}", serial, CELL)]
    cells += [
        packing.cell(f"{column_letters(at)}{number}", column.of(one, look), column.style)
        for at, column in enumerate(_columns(kind), start=1)
    ]
    return f'<row r="{number}">{"".join(cells)}</row>'


def _total_titles(kind: ListKind) -> list[str]:
    titles = ["困难类型", "户数（户）", "人数（人）"]
    titles += [f"{name}（人）" for name, _ in AGE_GROUPS]
    if kind in _OF_GRANTS:
        titles += ["上月低保金（元）", "本月低保金（元）", "增减金额（元）"]
    return titles


def _total_rows(totals: _Totals, kind: ListKind) -> Iterable[str]:
    """A row a category, all five even where empty; what has none; and all together."""
    every: list[tuple[str, Sequence[Category | None]]] = [
        (_CATEGORIES[category], (category,)) for category in Category
    ]
    if totals.households[None]:
        every.append(("未定类型", (None,)))
    every.append(("合计", (*Category, None)))
    wanted = len(_total_titles(kind))
    for number, (name, categories) in enumerate(every, start=FIRST_ROW):
        values = totals.row(name, categories)[:wanted]
        cells = "".join(
            packing.cell(
                f"{column_letters(at)}{number}",
                value,
                CELL_OF_MONEY if isinstance(value, Decimal) else CELL,
            )
            for at, value in enumerate(values)
        )
        yield f'<row r="{number}">{cells}</row>'


def _head(title: str, stated: str, headers: Sequence[str], widths: Sequence[int]) -> str:
    columns = "".join(
        f'<col min="{at}" max="{at}" width="{width}" customWidth="1"/>'
        for at, width in enumerate(widths, start=1)
    )
    rows = packing.row(1, {0: title}, TITLE) + packing.row(2, {0: stated}, SUBTITLE)
    rows += packing.row(FIRST_ROW - 1, dict(enumerate(headers)), HEADER)
    return f'<worksheet xmlns="{MAIN}"><cols>{columns}</cols><sheetData>{rows}'


def _tail(width: int) -> Callable[[], str]:
    last = column_letters(width - 1)
    merged = "".join(f'<mergeCell ref="A{row}:{last}{row}"/>' for row in (1, 2))
    closing = f'</sheetData><mergeCells count="2">{merged}</mergeCells></worksheet>'
    return lambda: closing


def _name(names: Directory, code: str) -> str | None:
    place = names.get(code)
    return place.name if place else None


def _category(category: Category | None) -> str | None:
    return _CATEGORIES[category] if category else None


def _income_a_head(one: Listed) -> Decimal | None:
    incomes = one.facts.incomes
    total = incomes.wage + incomes.business + incomes.property + incomes.transfer
    return yuan(total / one.facts.n) if one.facts.n else None


def _identified_on(one: Listed) -> Value:
    return one.facts.episodes[-1].identified_on if one.facts.episodes else None
