"""A zero-employment household to place somebody of."""

import pytest

from shared.contracts.registry import HouseholdState, Member
from shared.db import Database
from tests.employment.support import (
    receive,
    worker_of,
)
from tests.support.builders import household


@pytest.fixture
def idle() -> Member:
    return worker_of()


@pytest.fixture
async def home(worker: Database, idle: Member) -> HouseholdState:
    """A zero-employment household of one."""
    state = household(members=[idle])
    await receive(worker, state)
    return state
