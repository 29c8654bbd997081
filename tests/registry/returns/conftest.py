"""Households that were struck off, for signs of hardship to come from."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.registry.filing import Office

Exited = Callable[..., Awaitable[str]]


@pytest.fixture
def exited(office: Office) -> Exited:
    """Makes a household that was struck off on 2026-03-01; gives its id."""

    async def struck_off(by: Office = office, **given: Any) -> str:
        household_id = await by.identified(**given)
        await by.announce(household_id, "exit", closed_on="2026-03-01")
        await by.decide(household_id, "exit", decided_on="2026-03-01", reason="自愿退出")
        return household_id

    return struck_off
