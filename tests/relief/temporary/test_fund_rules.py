"""A reserve fund: never below zero, accounted for and topped up to the fen."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.relief.temporary.fund_rules import EntryKind, Fund, entry_faults

MONEY = st.decimals("0.01", "9999", places=2)


def fund(**sums: str) -> Fund:
    return Fund(**{name: Decimal(value) for name, value in sums.items()})


@pytest.mark.parametrize(
    ("before", "kind", "amount", "expected"),
    [
        (fund(), EntryKind.PAID, "0.01", ["fund_insufficient"]),
        (fund(), EntryKind.ALLOTTED, "0.00", ["amount_not_positive"]),
        (fund(), EntryKind.ALLOTTED, "0.01", []),
        (fund(allotted="5000", paid="2000"), EntryKind.PAID, "3000.00", []),
        (fund(allotted="5000", paid="2000"), EntryKind.PAID, "3000.01", ["fund_insufficient"]),
        (fund(allotted="5000", paid="2000"), EntryKind.ACCOUNTED, "2000.00", []),
        (fund(allotted="5000", paid="2000"), EntryKind.ACCOUNTED, "2000.01", ["more_than_paid"]),
        (fund(allotted="5000", paid="2000"), EntryKind.TOPPED_UP, "0.01", ["more_than_accounted"]),
        (
            fund(allotted="5000", paid="2000", accounted="1500"),
            EntryKind.TOPPED_UP,
            "1500.00",
            [],
        ),
        (
            fund(allotted="5000", paid="2000", accounted="1500"),
            EntryKind.TOPPED_UP,
            "1500.01",
            ["more_than_accounted"],
        ),
        # what came back is neither accounted for nor topped up
        (
            fund(allotted="5000", paid="2000", returned="800"),
            EntryKind.ACCOUNTED,
            "1200.01",
            ["more_than_paid"],
        ),
        (
            fund(allotted="5000", paid="2000", accounted="2000", returned="800"),
            EntryKind.TOPPED_UP,
            "1200.01",
            ["more_than_accounted"],
        ),
    ],
)
def test_each_entry_has_its_limit(
    before: Fund, kind: EntryKind, amount: str, expected: list[str]
) -> None:
    assert [fault.code for fault in entry_faults(before, kind, Decimal(amount))] == expected


@given(st.lists(st.tuples(st.sampled_from(EntryKind), MONEY), max_size=40))
def test_whatever_is_entered_the_balance_adds_up_and_is_never_negative(
    wanted: list[tuple[EntryKind, Decimal]],
) -> None:
    held = Fund()
    for kind, amount in wanted:
        if kind is EntryKind.RETURNED and amount > held.paid - held.returned:
            continue  # only what was paid comes back: stages are reversed once
        if entry_faults(held, kind, amount):
            continue
        sums = {name: getattr(held, name) for name in Fund.__dataclass_fields__}
        held = Fund(**{**sums, kind.value: sums[kind.value] + amount})
        assert held.balance == held.allotted + held.topped_up - held.paid + held.returned
        assert held.balance >= 0
        assert held.accounted <= held.paid
        assert held.topped_up <= held.accounted
