"""What may be a household's number in another book (section 7). Pure.

The printed number is the registry's own (``households.rules.household_no``) and never changes.
"""

import re
from collections.abc import Mapping
from enum import StrEnum

from services.registry.households.rules import fault
from shared import identity
from shared.errors import Fault

_NUMBER = re.compile(r"[0-9A-Z][0-9A-Z-]{3,29}")


class AliasKind(StrEnum):
    """Whose number it is. One national number is one household; a hukou booklet may be several."""

    NATIONAL_HOUSEHOLD_NO = "national_household_no"
    HUKOU_NO = "hukou_no"


def read(given: Mapping[AliasKind, str | None]) -> tuple[dict[AliasKind, str | None], list[Fault]]:
    """The numbers in their one form, None for one that is taken away, and what is wrong.

    Example: ``３３１１-24`` in full-width digits is ``3311-24``.
    """
    known: dict[AliasKind, str | None] = {}
    faults = []
    for kind, number in given.items():
        known[kind] = identity.normalise_code(number).upper() if number else None
        if known[kind] and not _NUMBER.fullmatch(known[kind] or ""):
            faults.append(fault(kind, "number_invalid", "户编号应为4至30位数字、字母或连字符"))
    return known, faults
