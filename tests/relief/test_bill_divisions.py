"""Nothing of another county's bills and premiums is seen: by the API's own filter, and without."""

from datetime import date
from typing import Any
from uuid import UUID

import httpx
import pytest

from deploy.local.provision import ServiceDatabase
from services.relief.medical import lists as medical
from services.relief.medical import statements
from services.relief.premiums import queries as premiums
from shared import clock
from shared.db import EVERYWHERE, Database
from tests.conftest import ClientOf
from tests.relief import leaks
from tests.relief.leaks import NEIGHBOUR
from tests.relief.medical.facts import R20
from tests.relief.medical.support import borne_wholly, send
from tests.relief.support import COUNTY, receive, rows, run_jobs, set_figure, set_line
from tests.support.builders import household, member

MONTH = "2026-05"
TABLES = (
    "medical_settlements",
    "medical_statements",
    "medical_grants",
    "medical_alarms",
    "premium_runs",
    "premium_subsidies",
    "premium_exceptions",
)
NO_FILTER = (EVERYWHERE,)


@pytest.fixture
async def paid(worker: Database, client: httpx.AsyncClient) -> dict[str, Any]:
    """One paid household and one exception in the sample county; what there is to leak."""
    await set_line(worker, "1150", date(2026, 1, 1), division="331100")
    person = member()
    state, blocked = household(members=[person]), household(members=[person])
    await receive(worker, state, blocked)
    order = {"programme": "dibao", "month": MONTH, "division": COUNTY}
    run = (await client.post("/v1/payment-runs", json=order)).json()
    await run_jobs(worker)
    ill = await _relieved(worker, client, [state, blocked])
    (payment,) = await rows(worker, "SELECT * FROM payments")
    (exception,) = await rows(worker, "SELECT * FROM payment_exceptions")
    assert exception["household_id"] != payment["payee_household_id"]
    return {
        "household": payment["payee_household_id"],
        "grant": payment["grant_id"],
        "run": UUID(run["run_id"]),
        "job": run["job_id"],
        **ill,
    }


async def _relieved(
    worker: Database, client: httpx.AsyncClient, states: list[Any]
) -> dict[str, Any]:
    """A bill, its statement and alarm, a premium run: of people of the sample county."""
    for name, value in zip(("deductible", "ratio", "cap"), R20[states[0].category], strict=True):
        await set_figure(worker, f"medical.{name}.dibao", value)
    await set_figure(worker, "medical.self_borne_alarm", "20000")
    await set_figure(worker, "premium.contribution", "400")
    await set_figure(worker, "premium.rate.dibao", "1")
    told = await send(client, borne_wholly(states[0], "90000"))
    assert told["counts"]["stored"] == 1
    await run_jobs(worker)
    today = clock.today()
    asked = {"day": today.isoformat(), "division": COUNTY}
    statement = (await client.post("/v1/medical-statements", json=asked)).json()
    order = {"year": today.year, "division": COUNTY}
    premium_run = (await client.post("/v1/premium-runs", json=order)).json()
    await run_jobs(worker)
    (grant,) = await rows(worker, "SELECT * FROM medical_grants")
    (subsidy,) = await rows(worker, "SELECT * FROM premium_subsidies")
    return {
        "medical": grant["grant_id"],
        "ill": grant["household_id"],
        "statement": UUID(statement["statement_id"]),
        "subsidy": subsidy["subsidy_id"],
        "premium_run": UUID(premium_run["run_id"]),
        "quarter": f"{today.year}-Q{(today.month + 2) // 3}",
    }


ONE = (
    "/v1/medical-grants/{medical}",
    "/v1/medical-statements/{statement}",
    "/v1/medical-statements/{statement}/amounts",
    "/v1/medical-statements/{statement}/workbook",
    "/v1/premium-subsidies/{subsidy}",
    "/v1/premium-runs/{premium_run}",
    "/v1/premium-runs/{premium_run}/exceptions",
)
LISTS = (
    "/v1/medical-grants",
    f"/v1/medical-grants?division={COUNTY}",
    "/v1/medical-grants?division=3311",
    "/v1/medical-grants?household={ill}",
    "/v1/medical-grants/summary?quarter={quarter}",
    "/v1/medical-grants/summary?quarter={quarter}&division=3311",
    "/v1/medical-statements",
    "/v1/medical-statements?unconfirmed=true&division=3311",
    "/v1/premium-runs",
    "/v1/premium-runs?unconfirmed=true&division=3311",
    "/v1/premium-subsidies",
    "/v1/premium-subsidies?division=3311",
    "/v1/premium-subsidies?run={premium_run}",
)


async def test_nothing_is_seen_from_elsewhere(
    relief: ServiceDatabase, client_of: ClientOf, paid: dict[str, Any]
) -> None:
    await leaks.nothing_is_seen(relief, client_of, paid, one=ONE, lists=LISTS)


async def test_as_the_api_role_without_a_filter_there_is_nothing(
    api_role: Database, paid: dict[str, Any]
) -> None:
    await leaks.nothing_without_a_filter(api_role, TABLES)


async def test_nor_do_those_of_bills_and_premiums(api_role: Database, paid: dict[str, Any]) -> None:
    async with api_role.transaction(divisions=(NEIGHBOUR,)) as session:
        statement_id, run_id = paid["statement"], paid["premium_run"]
        assert await medical.grant_by_id(session, paid["medical"], NO_FILTER) is None
        every = medical.GrantFilter()
        assert not await medical.grants(session, every, (NO_FILTER,), after=None, limit=9)
        year = clock.today().year
        first, last = date(year, 1, 1), date(year, 12, 31)
        assert not await medical.sums(session, first, last, (NO_FILTER,))
        assert await statements.statement_by_id(session, statement_id, NO_FILTER) is None
        assert (await statements.totals(session, statement_id, NO_FILTER)).amounts == 0
        page: dict[str, Any] = {"unconfirmed": False, "after": None, "limit": 9}
        assert not await statements.statements(session, (NO_FILTER,), day=None, **page)
        assert not await premiums.runs(session, (NO_FILTER,), year=None, **page)
        assert await premiums.run_by_id(session, run_id, NO_FILTER) is None
        totals = await premiums.run_totals(session, run_id, NO_FILTER)
        assert (totals.people, totals.exceptions) == (0, 0)
        assert await premiums.subsidy_by_id(session, paid["subsidy"], NO_FILTER) is None
        asked = premiums.SubsidyFilter()
        assert not await premiums.subsidies(session, asked, (NO_FILTER,), after=None, limit=9)
        assert not await premiums.exceptions_of(session, run_id, NO_FILTER, after=None, limit=9)


async def test_the_api_role_cannot_touch_money(api_role: Database, paid: dict[str, Any]) -> None:
    await leaks.out_of_reach(
        api_role,
        (
            "UPDATE medical_settlements SET cost = cost + 1",
            "DELETE FROM medical_settlements",
            "UPDATE medical_grants SET amount = amount + 1",
            "INSERT INTO medical_grants SELECT * FROM medical_grants",
            "UPDATE medical_statements SET day = day - 1",
            "SELECT * FROM medical_person_years",
            "UPDATE premium_subsidies SET amount = amount + 1",
            "INSERT INTO premium_subsidies SELECT * FROM premium_subsidies",
            "UPDATE premium_runs SET year = year + 1",
        ),
    )
