"""What one cell says, as people write it: numbers, code words, disability cards, digits.

Pure. Policy section 9 (Excel habits): text-numbers, full-width digits and spaces, words for zero,
ID numbers kept as floats. Nothing is guessed: a cell that cannot be read says why.
"""

import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from math import isfinite
from typing import Final, TypeVar

from services.registry.rosters.columns import DISABILITY_KINDS, GRADES
from services.registry.rosters.sheet import Cell, is_blank
from shared import money
from shared.contracts.registry import Disability

Code = TypeVar("Code")

MAX_AMOUNT: Final = Decimal(10) ** 10
MAX_EXACT_DIGITS: Final = 15
"""Excel keeps 15 digits of a number; the others of an ID or an account are lost."""
MAX_CAUSES: Final = 5

_ZERO_WORDS: Final = frozenset({"无", "零", "没有", "暂无", "〇", "-", "--", "/", "\\"})
_PLAIN: Final = re.compile(r"[+-]?[0-9]+(\.[0-9]*)?|[+-]?\.[0-9]+")
_GROUPED: Final = re.compile(r"[+-]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?")
_BRACKETED: Final = re.compile(r"\((.+)\)")
_UNITS: Final = re.compile(r"(元|辆|人|口)$")
_MINUS: Final = str.maketrans({"\u2212": "-", "\u2013": "-", "\u2014": "-", "\uff0d": "-"})
_NONE_WORDS: Final = frozenset({"无", "-", "--", "/", "没有"})
_LIST_MARKS: Final = re.compile(r"[、,;/+和]|\s+")
_DISABILITY: Final = re.compile(
    rf"({'|'.join(DISABILITY_KINDS)})(?:残疾)?([{''.join(GRADES)}1-4])级"
)
_LONG_NUMBER: Final = re.compile(r"[0-9]{5}")
_MOST_SHOWN: Final = 12
_LONGEST_SERIAL: Final = 8
_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
"""Excel writes them as ``_x0000_``; the database keeps no such text."""
_CHINESE: Final = re.compile(r"[\u3400-\u9fff·]+")


class UnreadableCellError(ValueError):
    """A cell that says nothing we can use. ``code`` is stable, ``message`` is for the officer."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message


def name(cell: Cell) -> str:
    """A person's name: spaces between characters for looks (张　三) go, nothing else changes."""
    written = " ".join(_CONTROL.sub("", str(cell)).split())
    together = written.replace(" ", "")
    return together if _CHINESE.fullmatch(together) else written


def words(cell: Cell) -> str:
    """A cell's text as a code: full-width forms made plain, no spaces, a whole number as such."""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return _plain_form(str(cell))


@lru_cache(maxsize=4_096)  # a sheet says the same few words thousands of times
def _plain_form(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", _CONTROL.sub("", text)).split())


def serial(cell: Cell) -> str:
    """序号 as written; what is too long to be one may be somebody's number and is left out."""
    written = words(cell)
    return written if len(written) <= _LONGEST_SERIAL else ""


def amount(cell: Cell) -> Decimal | None:
    """Yuan with two places; None for an empty cell.

    ``'32,878.89'`` is 32878.89, ``'１２'`` is 12, ``无`` and ``-`` are 0, ``1.2万元`` is 12000,
    ``(100)`` is -100. Raises UnreadableCellError (``number_unreadable``, ``number_too_large``).
    """
    if is_blank(cell):
        return None
    value = _written(cell) if isinstance(cell, str) else _counted(cell)
    if abs(value) >= MAX_AMOUNT:
        raise UnreadableCellError("number_too_large", "数值过大，请核对单位是否为元")
    return money.yuan(value)


def _counted(cell: Cell) -> Decimal:
    if isinstance(cell, bool) or not isinstance(cell, int | float) or not isfinite(cell):
        raise _no_number()
    return Decimal(str(cell))  # as Excel shows it; Decimal(cell) would bring binary rests along


def _written(cell: str) -> Decimal:
    text = words(cell).translate(_MINUS)
    if text in _ZERO_WORDS:
        return Decimal(0)
    if bracketed := _BRACKETED.fullmatch(text):
        text = f"-{bracketed[1]}"
    text = _UNITS.sub("", text.removeprefix("¥").removeprefix("人民币"))
    times = 10_000 if text.endswith("万") else 1
    text = text.removesuffix("万")
    if not (_PLAIN.fullmatch(text) or _GROUPED.fullmatch(text)):
        raise _no_number()
    return Decimal(text.replace(",", "")) * times


def _no_number() -> UnreadableCellError:
    return UnreadableCellError("number_unreadable", "无法识别为数字")


def whole(cell: Cell) -> int | None:
    """A number of people or vehicles; None for an empty cell. Raises UnreadableCellError."""
    found = amount(cell)
    if found is None:
        return None
    if found != found.to_integral_value():
        raise UnreadableCellError("number_not_whole", "应为整数")
    return int(found)


def code(cell: Cell, meanings: Mapping[str, Code]) -> Code | None:
    """The code a word stands for; None for an empty cell or ``无``.

    Raises UnreadableCellError (``word_unknown``) that lists the words the column allows.
    """
    if is_blank(cell):
        return None
    word = words(cell)
    if word in meanings:
        return meanings[word]
    if word in _NONE_WORDS:
        return None
    raise UnreadableCellError(
        "word_unknown", f"“{_shown(word)}”不是规定用词，可填：{'、'.join(meanings)}"
    )


def codes(cell: Cell, meanings: Mapping[str, Code]) -> tuple[Code, ...]:
    """Several codes in one cell (因病、因残), each once, in the order written."""
    if is_blank(cell):
        return ()
    parts = [part for part in _LIST_MARKS.split(unicodedata.normalize("NFKC", str(cell))) if part]
    found = dict.fromkeys(meant for part in parts if (meant := code(part, meanings)) is not None)
    if len(found) > MAX_CAUSES:
        raise UnreadableCellError("too_many_causes", f"最多填 {MAX_CAUSES} 项")
    return tuple(found)


def disability(cell: Cell) -> Disability | None:
    """A disability card: ``肢体二级`` and ``肢体残疾2级`` are limb, grade 2; None for none."""
    if is_blank(cell) or words(cell) in _NONE_WORDS:
        return None
    found = _DISABILITY.fullmatch(words(cell))
    if not found:
        raise UnreadableCellError(
            "word_unknown",
            f"“{_shown(words(cell))}”不是规定用词，可填："
            f"{'、'.join(DISABILITY_KINDS)}之一加一级至四级，如“肢体二级”",
        )
    grade = GRADES.get(found[2]) or int(found[2])
    return Disability(kind=DISABILITY_KINDS[found[1]], grade=grade)


def digits(cell: Cell, *, code_if_lost: str) -> str:
    """An ID number, phone or account as text; empty for an empty cell.

    A number of more than 15 digits has lost its last ones in Excel: raises UnreadableCellError.
    """
    if is_blank(cell):
        return ""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool) or not isinstance(cell, int | float):
        raise UnreadableCellError(code_if_lost, "单元格格式不对，请设为文本后重新填写")
    if not float(cell).is_integer() or abs(cell) >= 10**MAX_EXACT_DIGITS:
        raise UnreadableCellError(
            code_if_lost, "单元格为数字格式，Excel 已丢失末几位，请设为文本后重新填写"
        )
    return str(int(cell))


def _shown(word: str) -> str:
    """A number or a long text put into the wrong column is not repeated: it may be personal."""
    if _LONG_NUMBER.search(word):
        return "（一串数字）"
    return word if len(word) <= _MOST_SHOWN else f"{word[:_MOST_SHOWN]}…"
