"""Receipt numbers for citizens: not to be guessed, and a slip of the pen is noticed.

Sixteen random characters (80 bits) and two check digits, as ``7K2M-9QXW-01AB-CDEF-42``. Only a
number's hash is stored or sent: at 80 bits a plain SHA-256 cannot be turned back.
"""

import hashlib
import secrets

from shared import identity

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Without I, L, O and U, which are misread."""
_RANDOM = 16
_CHECKS = 2
_GROUP = 4
_READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1", "-": "", "_": ""})


class InvalidReceiptError(ValueError):
    """What was given cannot be a receipt number; the text does not hold it."""


def new() -> str:
    """A number that nobody has, in groups of four."""
    drawn = "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM))
    whole = drawn + checks_of(drawn)
    return "-".join(whole[at : at + _GROUP] for at in range(0, len(whole), _GROUP))


def checks_of(drawn: str) -> str:
    """The two check digits (ISO 7064, modulo 97) of a number's characters.

    They find every wrong character and every two that were swapped.
    """
    return f"{98 - _value(drawn) * 100 % 97:02}"


def parse(given: str) -> str:
    """The number's 18 characters, however they were written. Raises InvalidReceiptError."""
    number = identity.normalise_code(given).upper().translate(_READ_AS)
    drawn, checks = number[:_RANDOM], number[_RANDOM:]
    if len(number) != _RANDOM + _CHECKS or not set(drawn) <= set(_ALPHABET):
        raise InvalidReceiptError("a receipt number has 18 letters and digits")
    if checks != checks_of(drawn):
        raise InvalidReceiptError("the receipt number's check digits do not fit")
    return number


def hash_of(given: str) -> str:
    """What is stored and sent in the number's place. Raises InvalidReceiptError."""
    return hashlib.sha256(parse(given).encode()).hexdigest()


def _value(drawn: str) -> int:
    value = 0
    for each in drawn:
        value = value * len(_ALPHABET) + _ALPHABET.index(each)
    return value
