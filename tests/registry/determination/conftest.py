"""A county's registry with its calendar, and the offices that an application passes through."""

import pytest

from shared import workdays
from tests.registry.conftest import OfficeOf
from tests.registry.determination.casework import RIGHTS, TOWNSHIP, Casework
from tests.registry.filing import Registry


@pytest.fixture(scope="module")
async def calendar(registry: Registry) -> None:
    """The State Council's calendar, as every installation has it."""
    async with registry.worker.transaction() as session:
        await workdays.seed(session)


@pytest.fixture
async def casework(registry: Registry, office_of: OfficeOf, calendar: None) -> Casework:
    """Two clerks and a leader of one township, and the county's civil affairs."""
    return Casework(
        registry,
        clerk=await office_of(RIGHTS, officer="t1", divisions=TOWNSHIP),
        second=await office_of(RIGHTS, officer="t2", divisions=TOWNSHIP),
        leader=await office_of(RIGHTS, officer="t3", divisions=TOWNSHIP),
        county=await office_of(RIGHTS, officer="c1"),
    )
