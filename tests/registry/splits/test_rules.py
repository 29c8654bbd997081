"""Which splits are looked at: both sides of the boundary (section 5)."""

from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest

from services.registry.households.facts import Facts
from services.registry.splits.rules import is_watched
from shared.contracts.registry import Episode


def facts(*episodes: Episode) -> Facts:
    return Facts(division_code="331124002221", head_person_id=UUID(int=1), episodes=episodes)


IDENTIFIED = Episode(number=1, origin="application", identified_on=date(2026, 1, 10))


@pytest.mark.parametrize(
    ("known", "day", "months", "watched"),
    [
        (facts(IDENTIFIED), date(2027, 1, 9), Decimal(12), True),
        (facts(IDENTIFIED), date(2027, 1, 10), Decimal(12), False),
        (facts(IDENTIFIED), date(2026, 1, 10), Decimal(0), False),
        (facts(IDENTIFIED), date(2030, 1, 1), None, True),
        (facts(), date(2030, 1, 1), Decimal(12), True),
    ],
)
def test_which_splits_are_watched(
    known: Facts, day: date, months: Decimal | None, *, watched: bool
) -> None:
    assert is_watched(known, day, months) is watched
