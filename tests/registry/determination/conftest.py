"""A county's registry with its calendar, and the offices that an application passes through."""

from datetime import date
from decimal import Decimal

import pytest

from services.registry.checks.rules import G4600_INDEX, G4600_LINE
from services.registry.means.keys import STANDARDS
from services.registry.means.parameters import ASKED
from services.registry.parameters import DEFINITIONS
from services.registry.standards.handlers import on_standards
from shared import parameters, workdays
from shared.auth import Caller
from tests.registry.conftest import OfficeOf
from tests.registry.determination.casework import RIGHTS, TOWNSHIP, Casework
from tests.registry.filing import Registry
from tests.registry.means.cases import VALUES
from tests.registry.told import LINE, standard_event

SINCE = date(2014, 1, 1)


@pytest.fixture(scope="module")
async def county(registry: Registry) -> None:
    """The State Council's calendar, and all that a means test asks, since 2014."""
    amounts = {key: Decimal(VALUES[key]) for key in STANDARDS} | {"dibao_line": Decimal(LINE)}
    async with registry.worker.transaction() as session:
        await workdays.seed(session)
        await on_standards(
            session,
            [
                standard_event(key=key, value=value, valid_from=SINCE)
                for key, value in amounts.items()
            ],
        )
    one = Caller(sub="c3", officer_id="c3", divisions=("331124",))
    other = Caller(sub="c4", officer_id="c4", divisions=("331124",))
    async with registry.acting(one) as session:
        for key in (*ASKED, G4600_LINE, G4600_INDEX):
            entry = parameters.Entry(
                key=key,
                division_code="331124",
                valid_from=SINCE,
                value=Decimal(VALUES[key]),
                document_number="sample, not official",
                sample=True,
            )
            entered = await parameters.enter(session, one, DEFINITIONS, entry)
            await parameters.approve(session, other, entered.parameter_id)


@pytest.fixture
async def casework(registry: Registry, office_of: OfficeOf, county: None) -> Casework:
    """Two clerks and a leader of one township, and the county's civil affairs."""
    return Casework(
        registry,
        clerk=await office_of(RIGHTS, officer="t1", divisions=TOWNSHIP),
        second=await office_of(RIGHTS, officer="t2", divisions=TOWNSHIP),
        leader=await office_of(RIGHTS, officer="t3", divisions=TOWNSHIP),
        county=await office_of(RIGHTS, officer="c1"),
    )
