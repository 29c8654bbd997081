"""Which month may be paid, and who stands in the way."""

from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.relief.payments.rules import is_payable, unpaid_people

PEOPLE = st.sampled_from([UUID(int=number) for number in range(6)])
HOUSEHOLDS = st.dictionaries(
    st.sampled_from([UUID(int=number) for number in range(100, 104)]), st.sets(PEOPLE, max_size=4)
)


@pytest.mark.parametrize(
    ("month", "today", "payable"),
    [
        (date(2026, 12, 1), date(2026, 11, 30), True),  # next month is prepared
        (date(2026, 12, 1), date(2026, 12, 1), True),
        (date(2026, 11, 1), date(2026, 12, 31), True),  # what became due late is made good
        (date(2027, 1, 1), date(2026, 12, 1), True),  # over the year's end
        (date(2027, 1, 1), date(2026, 11, 30), False),  # a month later than next month
        (date(2027, 12, 1), date(2026, 12, 1), False),
    ],
)
def test_no_month_later_than_next_month_is_paid(month: date, today: date, payable: bool) -> None:
    assert is_payable(month, today) is payable


@given(HOUSEHOLDS, st.data())
def test_a_household_is_paid_with_all_its_people_or_not_at_all(
    members: dict[UUID, set[UUID]], data: st.DataObject
) -> None:
    """However the claims fell, nobody is paid for twice."""
    claims: dict[UUID, UUID] = {}
    for household, people in members.items():
        for person in people:
            if data.draw(st.booleans()):
                claims.setdefault(person, household)
    claimed = [(household, person) for person, household in claims.items()]
    blocked = unpaid_people(members, claimed)
    paid_for = [
        person
        for household, people in members.items()
        if household not in blocked
        for person in people
    ]
    assert len(paid_for) == len(set(paid_for))
    for household, missing in blocked.items():
        assert missing == sorted(p for p in members[household] if claims.get(p) != household)
        assert missing
