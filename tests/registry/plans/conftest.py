"""The desk at which plans are made."""

import pytest

from tests.registry.conftest import OfficeOf
from tests.registry.filing import ALL
from tests.registry.plans.planning import RIGHTS, Desk


@pytest.fixture
async def desk(office_of: OfficeOf) -> Desk:
    scopes = f"{ALL} {RIGHTS} registry.helpers:read registry.helpers:write"
    clerk, leader = await office_of(scopes, officer="t1"), await office_of(RIGHTS, officer="t3")
    return Desk(office_of, clerk, leader)
