"""The two workbooks of a pair: which is which, where their columns stand, their remarks.

Policy section 9 (Excel habits): 家庭查询 has a row a household, 人员查询 a row a person. Columns
are found by their headers, as in the template; both have 户主公民身份号码 besides.
"""

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from services.registry.rosters import remarks, workbook
from services.registry.rosters.archive import UnusableWorkbookError
from services.registry.rosters.columns import BY_KEY, COLUMNS, REMARKS_HEADER, Column
from services.registry.rosters.pair_files import File
from services.registry.rosters.sheet import Cell, Layout, Row, column_letters, is_blank
from services.registry.rosters.workbook import LOOK_FOR_HEADERS_IN, TOTALS, folded, titles_at

HEAD_ID: Final = Column("head_id", "户主公民身份号码")
"""The column that joins the two; both have it."""
OPTIONAL: Final = frozenset({"serial", "remark"})
HOMES: Final = (HEAD_ID, *(column for column in COLUMNS if column.of_household))
PEOPLE: Final = (HEAD_ID, *(column for column in COLUMNS if not column.of_household))
_ALSO_CALLED: Final[Mapping[str, tuple[str, ...]]] = {
    "head_id": ("户主身份证号码", "户主身份证号", "户主证件号码"),
    "id_number": ("身份证号码", "身份证号", "证件号码"),
}

Sheets = Sequence[tuple[str, list[list[Cell]]]]


@dataclass(frozen=True, slots=True)
class Book:
    """One of the two files: what it is called, where its columns stand, its rows of data."""

    name: str
    content: bytes
    layout: Layout
    rows: Sequence[Row]

    @property
    def sheet(self) -> str:
        """File and sheet, as findings name them: ``人员查询_20261101.xlsx/人员``."""
        return f"{self.name}/{self.layout.sheet.replace('!', '')}"

    def address(self, key: str, row: int) -> str:
        """A cell with its file and sheet."""
        return f"{self.sheet}!{self.layout.address(key, row)}"


@dataclass(frozen=True, slots=True)
class Books:
    """Both files. Rows are those of people; ``home_of`` gives the row of their household."""

    homes: Book
    people: Book
    home_of: dict[int, int] = field(default_factory=dict)

    def address(self, key: str, row: int) -> str:
        """The cell of a person's row, or of his household's where the column is the household's."""
        if key in BY_KEY and BY_KEY[key].of_household:
            return self.homes.address(key, self.home_of[row])
        return self.people.address(key, row)

    @property
    def letters(self) -> dict[str, str]:
        """What stands before a person's row number to name a cell once the files are closed.

        What is said of the household then stands at that person's head number.
        """
        book = self.people
        at = {column.key: book.layout.index.get(column.key) for column in COLUMNS}
        joined = book.layout.index["head_id"]
        return {
            key: f"{book.sheet}!{column_letters(joined if place is None else place)}"
            for key, place in at.items()
        }


def opened(files: Sequence[File]) -> Books:
    """The pair, whichever of the two was handed in first.

    Raises UnusableWorkbookError, which names the file, where one of them is no such workbook or
    both are of one kind.
    """
    found = []
    for file in files:
        sheets = _sheets(file)
        found.append((_book(file, sheets, HOMES), _book(file, sheets, PEOPLE)))
    (first_homes, first_people), (other_homes, other_people) = found
    if isinstance(first_homes, Book) and isinstance(other_people, Book):
        return Books(first_homes, other_people)
    if isinstance(other_homes, Book) and isinstance(first_people, Book):
        return Books(other_homes, first_people)
    raise _no_pair(files, found)


def _no_pair(
    files: Sequence[File], found: Sequence[tuple[Book | list[str], Book | list[str]]]
) -> UnusableWorkbookError:
    for at, kind in enumerate(("家庭查询", "人员查询")):
        if all(isinstance(pair[at], Book) for pair in found):
            return UnusableWorkbookError(
                "pair_of_one_kind",
                f"两个文件都是{kind}。请同时上传家庭查询和人员查询各一份。",
            )
    wanted = {
        name: min((lacking for lacking in pair if isinstance(lacking, list)), key=len, default=[])
        for (name, _), pair in zip(files, found, strict=True)
        if not any(isinstance(book, Book) for book in pair)
    }
    told = "；".join(f"{name} 缺少表头：{'、'.join(lacking)}" for name, lacking in wanted.items())
    return UnusableWorkbookError(
        "workbook_foreign_template", f"不是家庭查询、人员查询模板：{told}。"
    )


def _sheets(file: File) -> Sheets:
    name, content = file
    try:
        return workbook.read_sheets(content)
    except UnusableWorkbookError as unusable:
        raise UnusableWorkbookError(unusable.code, f"{name}：{unusable.detail}") from unusable


def _book(file: File, sheets: Sheets, wanted: Sequence[Column]) -> Book | list[str]:
    """The file as a book with these columns, or the headers that its best sheet lacks."""
    missing = [column.label for column in wanted]
    for sheet, rows in sheets:
        for top, height in _tops(rows):
            titles = titles_at(rows, top, height=height)
            index = {column.key: _place(column, titles) for column in wanted}
            lacking = [
                column.label
                for column in wanted
                if index[column.key] is None and column.key not in OPTIONAL
            ]
            if not lacking:
                layout = _layout(sheet, top + height, index, titles, height)
                workbook.bound_rows(layout, rows)
                return Book(*file, layout, list(_rows(layout, rows, wanted)))
            missing = min(missing, lacking, key=len)
    return missing


def _tops(rows: Sequence[Sequence[Cell]]) -> Iterator[tuple[int, int]]:
    """Where headers may begin, and how many rows of them: two over each other, or one."""
    for top in range(min(LOOK_FOR_HEADERS_IN, len(rows))):
        yield from ((top, 2), (top, 1))


def _place(column: Column, titles: Mapping[str, int]) -> int | None:
    """Where a column stands: under its label, its own title with the unit, or another name."""
    names = [column.label, *_ALSO_CALLED.get(column.key, ())]
    if column.group:
        names.append(f"{column.title}（元）")
    return next((titles[folded(name)] for name in names if folded(name) in titles), None)


def _layout(
    sheet: str, above: int, index: Mapping[str, int | None], titles: Mapping[str, int], height: int
) -> Layout:
    beyond = max(titles.values()) + 1
    return Layout(
        sheet=sheet,
        first_row=above + 1,
        index={key: at for key, at in index.items() if at is not None},
        remarks_column=titles.get(folded(REMARKS_HEADER), beyond),
        header_rows=height,
    )


def _rows(
    layout: Layout, rows: Sequence[Sequence[Cell]], wanted: Sequence[Column]
) -> Iterator[Row]:
    """The rows that speak of somebody; an optional column that is not there is empty."""
    for number, row in enumerate(rows[layout.first_row - 1 :], start=layout.first_row):
        if all(map(is_blank, row)) or _is_totals(row):
            continue
        places = {column.key: layout.index.get(column.key) for column in wanted}
        yield Row(number, {key: "" if at is None else row[at] for key, at in places.items()})


def _is_totals(row: Sequence[Cell]) -> bool:
    first = next((cell for cell in row if not is_blank(cell)), "")
    return isinstance(first, str) and first.strip().startswith(TOTALS)


def remark(books: Books, told: Mapping[str, Mapping[int, str]]) -> bytes:
    """Both workbooks with their remarks, in one zip; verdicts stand in 家庭查询."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as packed:
        for book in (books.homes, books.people):
            own = dict(told.get(book.sheet, {}))
            if book is books.homes:
                for row, verdict in told.get("", {}).items():
                    own[row] = f"{verdict}；{own[row]}" if row in own else verdict
            packed.writestr(book.name, remarks.write(book.content, book.layout, own))
    return target.getvalue()
