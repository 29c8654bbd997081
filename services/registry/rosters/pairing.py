"""A pair of workbooks joined by the head's ID number, and judged as the households they make.

Policy section 9: 家庭查询 has a row a household, 人员查询 a row a person with its head's number.
Nobody is joined by a name, a position or a damaged number; what cannot be joined is refused by
its row.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final

from services.registry.rosters import cells, rules
from services.registry.rosters.archive import UnusableWorkbookError
from services.registry.rosters.columns import BY_KEY, RELATIONS, Severity
from services.registry.rosters.facts import Finding, Judged
from services.registry.rosters.findings import Reader
from services.registry.rosters.member_rules import read_member
from services.registry.rosters.pair_books import HEAD_ID, HOMES, PEOPLE, Book, Books
from services.registry.rosters.placing import Gazetteer
from services.registry.rosters.sheet import Cell, Row
from shared.contracts.registry import Relation
from shared.identity import InvalidIdNumberError, normalise_code, parse_id_number

_HEAD: Final = next(word for word, meant in RELATIONS.items() if meant is Relation.HEAD)
_LABELS: Final = {"head_id": HEAD_ID.label} | {key: column.label for key, column in BY_KEY.items()}
_NO_HOME: Final[dict[str, Cell]] = dict.fromkeys((column.key for column in HOMES), "")
_NO_PERSON: Final[dict[str, Cell]] = dict.fromkeys((column.key for column in PEOPLE), "")


def glance(books: Books) -> tuple[int, dict[str, tuple[str, int]]]:
    """How many people, and of each township the first cell and how many households.

    Raises UnusableWorkbookError for a pair without a household.
    """
    townships: dict[str, tuple[str, int]] = {}
    for row in books.homes.rows:
        name = cells.words(row.cells["township"])
        first, count = townships.get(name, (books.homes.address("township", row.number), 0))
        townships[name] = (first, count + 1)
    if not townships:
        raise UnusableWorkbookError("workbook_empty", f"{books.homes.name}：表头下面没有任何一户。")
    return len(books.people.rows), townships


def judge(
    books: Books, gazetteer: Gazetteer, divisions: Sequence[str], *, on: date
) -> list[Judged]:
    """Every household of the pair, in the order of 家庭查询, then the people who have none there.

    A household's own fault of the joining (no number, a damaged one, nobody in it, its number
    twice) refuses it; people whose household is not there are told of together, by their head.
    """
    joining = _Joining(books, on)
    judged = [_household(joining, row, gazetteer, divisions, on=on) for row in books.homes.rows]
    judged += [_homeless(joining, rows, gazetteer, on=on) for rows in joining.homeless()]
    return rules.settle_people_standing_twice(books, judged)


class _Joining:
    """Which people belong to which row of 家庭查询, by the head's number."""

    def __init__(self, books: Books, on: date) -> None:
        self.books = books
        self._on = on
        self.faults: dict[int, tuple[str, str]] = {}
        """By row of 家庭查询: why it cannot be joined."""
        self.unread: dict[int, tuple[str, str]] = {}
        """By row of 人员查询: why its head is not known."""
        self.number_of: dict[int, str] = {}
        self._people = self._by_head()
        self._look_at_homes()

    def number(self, cell: Cell) -> str:
        """An ID number in its one form: 15 digits become 18. One that is wrong stays as written."""
        text = cells.digits(cell, code_if_lost="id_number_lost_digits")
        try:
            return parse_id_number(text, on=self._on).number
        except InvalidIdNumberError:
            return normalise_code(text)

    def people_of(self, home: Row) -> list[Row]:
        """The people of a household, each with a relation; none where it cannot be joined."""
        if home.number in self.faults:
            return []
        return self._people.get(self.number_of[home.number], [])

    def homeless(self) -> Iterator[list[Row]]:
        """The people whose household is not there, by head; alone who names no head."""
        joined = {self.number_of[at] for at in self.number_of if at not in self.faults}
        for number, rows in self._people.items():
            if number not in joined:
                yield rows
        for row in self.books.people.rows:
            if row.number in self.unread:
                yield [row]

    def _by_head(self) -> dict[str, list[Row]]:
        found: dict[str, list[Row]] = {}
        for row in self.books.people.rows:
            number, fault = self._read(row)
            if fault:
                self.unread[row.number] = fault
            else:
                found.setdefault(number, []).append(row)
        return found

    def _look_at_homes(self) -> None:
        found: dict[str, list[Row]] = {}
        for row in self.books.homes.rows:
            number, fault = self._read(row)
            if fault:
                self.faults[row.number] = fault
            else:
                self.number_of[row.number] = number
                found.setdefault(number, []).append(row)
        for number, rows in found.items():
            for row in rows if len(rows) > 1 else []:
                others = "、".join(str(one.number) for one in rows if one is not row)
                message = f"与第 {others} 行相同，无法确定人员属于哪一户"
                self.faults[row.number] = ("head_of_two_households", message)
            if number not in self._people:
                message = "人员查询中没有此户的任何人员"
                self.faults.setdefault(rows[0].number, ("household_without_people", message))

    def _read(self, row: Row) -> tuple[str, tuple[str, str] | None]:
        try:
            number = self.number(row.cells["head_id"])
        except cells.UnreadableCellError as unreadable:
            return "", (unreadable.code, unreadable.message)
        return number, None if number else ("head_id_missing", "未填写，无法与另一表对应")


def _household(
    joining: _Joining, home: Row, gazetteer: Gazetteer, divisions: Sequence[str], *, on: date
) -> Judged:
    books = joining.books
    people = joining.people_of(home)
    if not people:
        return _alone(joining, home, gazetteer, divisions, on=on)
    books.home_of.update({row.number: home.number for row in people})
    rows, found = _with_head(joining, home, people)
    first, *others = rows
    whole = [Row(first.number, {**home.cells, **first.cells})]
    whole += [Row(row.number, {**_NO_HOME, **row.cells}) for row in others]
    judged = rules.judge(books, whole, gazetteer, divisions, on=on)
    # a template without a row for the head may take a name for it; here the number decides
    kept = tuple(one for one in judged.findings if one.code != "head_by_name")
    return _at_home(judged, home, kept).with_findings(*found)


def _alone(
    joining: _Joining, home: Row, gazetteer: Gazetteer, divisions: Sequence[str], *, on: date
) -> Judged:
    """A household that nobody can be joined to: why, and what else is wrong in its own row."""
    books = joining.books
    nobody = Row(-home.number, {**_NO_PERSON, **home.cells})
    books.home_of[nobody.number] = home.number
    judged = rules.judge(books, [nobody], gazetteer, divisions, on=on)
    own = [one for one in judged.findings if one.sheet == books.homes.sheet]
    fault = _rejected(books.homes, "head_id", home.number, *joining.faults[home.number])
    kept = (fault, *(one for one in own if one.code != "count_differs"))
    return _at_home(judged, home, kept).model_copy(update={"people": 0})


def _at_home(judged: Judged, home: Row, findings: tuple[Finding, ...]) -> Judged:
    """The household with its place in 家庭查询 and these findings."""
    place = {"first_row": home.number, "last_row": home.number}
    return judged.model_copy(update={**place, "findings": findings})


def _with_head(
    joining: _Joining, home: Row, people: Sequence[Row]
) -> tuple[list[Row], list[Finding]]:
    """The people with the head's row said to be the head's, and what is wrong with that.

    The number decides who is meant, never a name: where no row says 户主 the one with the head's
    number is, with a warning.
    """
    books, number = joining.books, joining.number_of[home.number]
    mine = [row for row in people if _same(joining, row, number)]
    if not mine:
        message = "人员查询中没有户主本人的一行"
        return list(people), [
            _rejected(books.homes, "head_id", home.number, "head_not_listed", message)
        ]
    said = [row for row in people if _says_head(row)]
    if not said:
        row = mine[0]
        message = f"{_LABELS['relation']}：没有户主行，按户主公民身份号码将此人记为户主"
        warning = Finding(
            cell=books.people.address("relation", row.number),
            code="head_by_id_number",
            message=message,
            severity=Severity.WARN,
        )
        head = Row(row.number, {**row.cells, "relation": _HEAD})
        return [head if one is row else one for one in people], [warning]
    return list(people), [
        _rejected(
            books.people, "relation", row.number, "head_differs", "此人不是家庭查询所列的户主"
        )
        for row in said
        if row not in mine
    ]


def _same(joining: _Joining, row: Row, number: str) -> bool:
    try:
        return joining.number(row.cells["id_number"]) == number
    except cells.UnreadableCellError:
        return False


def _says_head(row: Row) -> bool:
    return RELATIONS.get(cells.words(row.cells["relation"])) is Relation.HEAD


def _homeless(joining: _Joining, rows: Sequence[Row], gazetteer: Gazetteer, *, on: date) -> Judged:
    """People who have no household in 家庭查询: why, and what else is wrong in their rows."""
    books = joining.books
    why = ("people_without_household", "家庭查询中没有可对应的户主公民身份号码")
    reader = Reader(books, rows)
    read = [read_member(reader, row, on=on) for row in rows]
    faults = [
        _rejected(books.people, "head_id", row.number, *joining.unread.get(row.number, why))
        for row in rows
    ]
    return Judged(
        first_row=None,
        last_row=None,
        serial="",
        head_name="",
        place=gazetteer.county_code,
        facts=None,
        findings=(*faults, *reader.found),
        persons=tuple((one.id_number, one.row) for one in read if one),
        people=len(rows),
    )


def _rejected(book: Book, key: str, row: int, code: str, message: str) -> Finding:
    told = f"{_LABELS[key]}：{message}"
    return Finding(cell=book.address(key, row), code=code, message=told, severity=Severity.REJECT)
