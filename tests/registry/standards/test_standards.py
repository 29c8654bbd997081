"""The copy of relief's standards: once, twice, late; and which of them is in force."""

from datetime import date
from decimal import Decimal

import pytest

from services.registry.standards.handlers import on_standards
from services.registry.standards.queries import standard_on
from services.registry.worker import SUBSCRIPTIONS as HEARD
from shared.contracts.envelope import Envelope
from shared.contracts.relief import STANDARD_CHANGED
from shared.contracts.topics import STANDARDS
from shared.identity import new_id
from tests.registry.filing import OTHER_COUNTY, Registry
from tests.registry.told import VILLAGE, standard_event

CITY, COUNTY = "331100", "331124"


async def hear(registry: Registry, *envelopes: Envelope) -> None:
    async with registry.worker.transaction() as session:
        await on_standards(session, envelopes)


async def value(registry: Registry, division: str, on: date, key: str = "dibao_line") -> str | None:
    async with registry.acting() as session:
        found = await standard_on(session, key, division, on)
    return str(found["value"]) if found else None


def line(
    amount: str, division: str, valid_from: date, version: int = 2, **given: object
) -> Envelope:
    more = {"value": Decimal(amount), "division_code": division, "valid_from": valid_from}
    return standard_event(version, **more, **given)


async def test_once_twice_and_late_and_nothing_goes_out(registry: Registry) -> None:
    standard = {"standard_id": new_id(), "key": "minimum_wage"}
    begins = date(2026, 1, 1)
    first = line("1000.00", CITY, begins, 2, **standard)
    newer = line("1100.00", CITY, begins, 3, **standard)
    before = await registry.counted("events", "outbox")

    told = []
    for event in (first, first, newer, first):
        await hear(registry, event)
        told.append(await value(registry, CITY, begins, "minimum_wage"))

    assert told == ["1000.00", "1000.00", "1100.00", "1100.00"]
    assert await registry.counted("events", "outbox") == before


@pytest.fixture
async def lines(registry: Registry) -> str:
    """A reference income of the city for 2025 and 2027, of the county for 2026."""
    key = f"income_{new_id()}"
    await hear(
        registry,
        line("100.00", CITY, date(2025, 1, 1), key=key),
        line("300.00", CITY, date(2027, 1, 1), key=key),
        line("200.00", COUNTY, date(2026, 1, 1), key=key),
        line("250.00", COUNTY, date(2026, 7, 1), key=key),
    )
    return key


@pytest.mark.parametrize(
    ("division", "on", "in_force"),
    [
        (VILLAGE, date(2024, 12, 31), None),
        (VILLAGE, date(2025, 1, 1), "100.00"),
        (VILLAGE, date(2025, 12, 31), "100.00"),
        (VILLAGE, date(2026, 1, 1), "200.00"),
        (VILLAGE, date(2026, 6, 30), "200.00"),
        (VILLAGE, date(2026, 7, 1), "250.00"),
        (VILLAGE, date(2027, 2, 1), "250.00"),
        (OTHER_COUNTY, date(2026, 7, 1), "100.00"),
        (OTHER_COUNTY, date(2027, 1, 1), "300.00"),
        ("330105001001", date(2027, 1, 1), None),
    ],
)
async def test_the_nearest_division_s_newest_holds(
    registry: Registry, lines: str, division: str, on: date, in_force: str | None
) -> None:
    assert await value(registry, division, on, lines) == in_force


async def test_an_empty_batch_is_none(registry: Registry) -> None:
    await hear(registry)


def test_the_topic_is_heard() -> None:
    (heard,) = [each for each in HEARD if each.topic == STANDARDS]

    assert heard.types == {STANDARD_CHANGED}
