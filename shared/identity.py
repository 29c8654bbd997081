"""Identifiers: UUIDv7 for everything we name, and ID numbers by GB 11643 (policy section 7).

The area of an ID number is never checked: codes changed in 2000 and in-married members carry any.
"""

import re
from dataclasses import dataclass
from datetime import date
from typing import Literal
from uuid import UUID

import uuid6

from shared import clock

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_DIGITS = "10X98765432"
_SHAPE = re.compile(r"[1-9][0-9]{16}[0-9X]")
_OLD_SHAPE = re.compile(r"[1-9][0-9]{14}")
_OLDEST_YEARS = 150

_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
# Spaces of every width, and marks without width that spreadsheets and chat programs leave behind.
_NOISE = re.compile("[\\s\u200b-\u200d\u2060\ufeff]+")

Fault = Literal[
    "id_number_missing",
    "id_number_length",
    "id_number_characters",
    "id_number_birth_date",
    "id_number_future_birth",
    "id_number_checksum",
]

_MESSAGES: dict[Fault, str] = {
    "id_number_missing": "缺少身份证号码",
    "id_number_length": "身份证号码应为18位(旧号码15位)",
    "id_number_characters": "身份证号码含有不允许的字符",
    "id_number_birth_date": "身份证号码中的出生日期不存在",
    "id_number_future_birth": "身份证号码中的出生日期晚于今天",
    "id_number_checksum": "身份证号码校验位不正确",
}


class InvalidIdNumberError(ValueError):
    """An ID number that cannot be one. ``code`` is stable, ``message_zh`` is for officers.

    Neither holds the number, so both may be logged and answered.
    """

    def __init__(self, code: Fault) -> None:
        super().__init__(code)
        self.code = code
        self.message_zh = _MESSAGES[code]


@dataclass(frozen=True, slots=True)
class IdNumber:
    """A valid ID number in its 18-character form with what it says of its holder."""

    number: str
    birth_date: date
    sex: Literal["male", "female"]


def new_id() -> UUID:
    """A new UUIDv7: rising in time within a process, so that indexes grow at their end."""
    return UUID(int=uuid6.uuid7().int)


def normalise_code(text: str) -> str:
    """A number or code as people type it, made plain: full-width forms, spaces, small letters.

    ``normalise_code("３３１１０２ 19900307001x")`` is ``33110219900307001X``. Never for names,
    whose full-width marks may be meant.
    """
    return _NOISE.sub("", text.translate(_FULL_WIDTH)).upper()


def parse_id_number(text: str, *, on: date | None = None) -> IdNumber:
    """Read an ID number as people write it, the 15-digit form of before 1999 included.

    ``on`` is the day no birth date may lie after (today unless given). Raises InvalidIdNumberError
    with the first fault found. Numbers that are wrong but were issued need an override elsewhere.
    """
    number = _eighteen(normalise_code(text))
    birth_date = _birth_date(number, on or clock.today())
    if number[17] != check_digit(number):
        raise InvalidIdNumberError("id_number_checksum")
    return IdNumber(number, birth_date, "male" if int(number[16]) % 2 else "female")


def check_digit(number: str) -> str:
    """The GB 11643 check character of the first 17 digits: 33110219900307001 gives X."""
    total = sum(int(digit) * weight for digit, weight in zip(number[:17], _WEIGHTS, strict=True))
    return _CHECK_DIGITS[total % 11]


def _eighteen(code: str) -> str:
    if not code:
        raise InvalidIdNumberError("id_number_missing")
    if len(code) not in {15, 18}:
        raise InvalidIdNumberError("id_number_length")
    if not (_OLD_SHAPE if len(code) == 15 else _SHAPE).fullmatch(code):
        raise InvalidIdNumberError("id_number_characters")
    if len(code) == 15:
        longer = f"{code[:6]}19{code[6:]}"
        return longer + check_digit(longer)
    return code


def _birth_date(number: str, on: date) -> date:
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError as impossible:
        raise InvalidIdNumberError("id_number_birth_date") from impossible
    if born > on:
        raise InvalidIdNumberError("id_number_future_birth")
    if born.year < on.year - _OLDEST_YEARS:
        raise InvalidIdNumberError("id_number_birth_date")
    return born
