"""A county with its line and figures, its officers by name, and a clock that moves."""

from collections.abc import Awaitable, Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local.provision import ServiceDatabase
from shared import clock, workdays
from shared.contracts.registry import HouseholdState
from shared.db import Database
from tests.conftest import ClientOf, SettingsOf
from tests.relief.support import COUNTY, SCOPES, receive, set_line
from tests.relief.temporary.desk import Desk
from tests.relief.temporary.figures import set_figures
from tests.support.builders import household, member

OfficerOf = Callable[..., Awaitable[httpx.AsyncClient]]


@pytest.fixture(autouse=True)
async def figures(worker: Database) -> None:
    """Approved for the city, so that a neighbour county has them too; and the holidays."""
    await set_line(worker, "600", date(2026, 1, 1), division="331100")
    await set_figures(worker)
    async with worker.transaction() as session:
        await workdays.seed(session)


@pytest.fixture
def clock_file(tmp_path: Path) -> Iterator[Path]:
    """A clock of this test's own, which ``clock.advance`` moves; apps made here go by it too."""
    path = tmp_path / "clock.json"
    clock.configure(path, "development")
    yield path
    clock.configure(None, "production")


@pytest.fixture
def officer_of(
    relief: ServiceDatabase, client_of: ClientOf, settings_of: SettingsOf, clock_file: Path
) -> OfficerOf:
    """``officer_of("o2", …)``: an officer at work in the sample county with all rights."""

    async def officer(name: str, **rights: Any) -> httpx.AsyncClient:
        changes = {"clock_file": clock_file} | rights.pop("settings", {})
        settings = settings_of("relief", relief, **changes)
        known = {"scopes": SCOPES, "divisions": (COUNTY,)} | rights
        return await client_of("relief", relief, settings=settings, officer=name, **known)

    return officer


@pytest.fixture
async def desk(officer_of: OfficerOf, worker: Database) -> Desk:
    """The officers: o1 clerk, o2 surveyor, o3 township leader, o4 county, o5 cashier."""
    people = {name: await officer_of(name) for name in ("o1", "o2", "o3", "o4", "o5")}
    return Desk(people=people, worker=worker)


@pytest.fixture
async def family(worker: Database) -> HouseholdState:
    """Four people on dibao, whom relief has a copy of."""
    state = household(members=[member(), member(), member(), member()])
    await receive(worker, state)
    return state
