"""A township's reserve fund (备用金): an imprest that never falls below zero (R23; SA 48). Pure.

The county allots it, the township pays from it, accounts for what it paid, and is topped up by no
more than it has accounted for.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from services.relief.temporary.rules import fault
from shared.errors import Fault
from shared.money import ZERO


class EntryKind(StrEnum):
    """What moves a fund: ALLOTTED, TOPPED_UP, RETURNED add; PAID takes; ACCOUNTED does neither."""

    ALLOTTED = "allotted"
    PAID = "paid"
    RETURNED = "returned"
    ACCOUNTED = "accounted"
    TOPPED_UP = "topped_up"


BY_COUNTY = (EntryKind.ALLOTTED, EntryKind.ACCOUNTED, EntryKind.TOPPED_UP)
"""What the county enters; payments and returns follow from decisions alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fund:
    """The sums of a fund's entries by kind, in yuan."""

    allotted: Decimal = ZERO
    paid: Decimal = ZERO
    returned: Decimal = ZERO
    accounted: Decimal = ZERO
    topped_up: Decimal = ZERO

    @property
    def balance(self) -> Decimal:
        """What is left. Example: 5,000 allotted, 2,000 paid, 500 of it returned: 3,500."""
        return self.allotted + self.topped_up - self.paid + self.returned

    @property
    def unaccounted(self) -> Decimal:
        """What was paid and not accounted for yet; never negative."""
        return max(ZERO, self.paid - self.returned - self.accounted)

    @property
    def to_top_up(self) -> Decimal:
        """What was accounted for and not topped up yet, less what came back; never negative."""
        owed = min(self.accounted, self.paid - self.returned)
        return max(ZERO, owed - self.topped_up)


def entry_faults(fund: Fund, kind: EntryKind, amount: Decimal) -> list[Fault]:
    """Why an entry cannot be made; nothing where it can.

    Examples, 5,000 allotted and 2,000 paid: 3,000.00 paid passes, 3,000.01 does not; 2,000.00
    accounted passes, 2,000.01 does not; topped up only after it was accounted for.
    """
    if amount <= 0:
        return [fault("amount", "amount_not_positive", "金额须大于零")]
    room = {
        EntryKind.PAID: ("fund_insufficient", fund.balance, "备用金余额"),
        EntryKind.ACCOUNTED: ("more_than_paid", fund.unaccounted, "尚未报账的支出"),
        EntryKind.TOPPED_UP: ("more_than_accounted", fund.to_top_up, "已报账尚未补足的金额"),
    }
    if kind not in room or amount <= room[kind][1]:
        return []
    code, most, what = room[kind]
    return [fault("amount", code, f"金额{amount:.2f}元超过{what}{most:.2f}元")]
