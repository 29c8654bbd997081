"""Nothing of another county's charity and mutual aid is seen: by the filter, and without it."""

from datetime import date
from typing import Any
from uuid import UUID

import httpx
import pytest

from deploy.local.provision import ServiceDatabase
from services.relief.charity import queries as charity
from services.relief.mutual_aid import queries as mutual_aid
from shared import clock
from shared.db import EVERYWHERE, Database
from shared.identity import new_id
from tests.conftest import ClientOf
from tests.relief import leaks
from tests.relief.leaks import NEIGHBOUR
from tests.relief.support import COUNTY, receive, rows, run_jobs, set_line
from tests.support.builders import VILLAGE, household, member

MONTH = "2026-05"
TABLES = (
    "charity_federations",
    "charity_managers",
    "charity_donors",
    "charity_donations",
    "charity_earmark_changes",
    "charity_allocations",
    "charity_allocation_lines",
    "charity_feedback",
    "mutual_aid_groups",
    "mutual_aid_members",
    "mutual_aid_activities",
    "home_care_centres",
)
NO_FILTER = (EVERYWHERE,)


@pytest.fixture
async def paid(worker: Database, client: httpx.AsyncClient) -> dict[str, Any]:
    """One paid household and one exception in the sample county; what there is to leak."""
    await set_line(worker, "1150", date(2026, 1, 1), division="331100")
    person = member(left_behind=True)
    state, blocked = household(members=[person]), household(members=[person])
    await receive(worker, state, blocked)
    order = {"programme": "dibao", "month": MONTH, "division": COUNTY}
    run = (await client.post("/v1/payment-runs", json=order)).json()
    await run_jobs(worker)
    (payment,) = await rows(worker, "SELECT * FROM payments")
    (exception,) = await rows(worker, "SELECT * FROM payment_exceptions")
    assert exception["household_id"] != payment["payee_household_id"]
    return {
        "household": payment["payee_household_id"],
        "grant": payment["grant_id"],
        "run": UUID(run["run_id"]),
        "job": run["job_id"],
        **await _helped(client, payment["payee_household_id"]),
        "group": await _grouped(client),
    }


async def _grouped(client: httpx.AsyncClient) -> str:
    """A mutual-aid group with a member and a log, and a home-care centre."""
    day, person = clock.today().isoformat(), str(new_id())
    named = {"division": VILLAGE, "name": "互助组"}
    group = (await client.post("/v1/mutual-aid/groups", json=named | {"founded_on": day})).json()[
        "group_id"
    ]
    centre = named | {"capacity": 9, "opened_on": day}
    joining = {"person_id": person, "role": "helper", "joined_on": day}
    entry = {"held_on": day, "kind": "visit", "person_ids": [person]}
    for url, body in (
        (f"mutual-aid/groups/{group}/members", joining),
        (f"mutual-aid/groups/{group}/activities", entry),
        ("home-care-centres", centre),
    ):
        answer = await client.post(f"/v1/{url}", json=body)
        assert answer.status_code == 201, answer.text
    return str(group)


async def _helped(client: httpx.AsyncClient, household_id: UUID) -> dict[str, Any]:
    """A federation with all that it may hold, and help proposed for the household."""

    async def made(url: str, **body: Any) -> dict[str, Any]:
        answer = await client.post(f"/v1/charity/{url}", json=body)
        assert answer.status_code in {200, 201}, answer.text
        return dict(answer.json()) if isinstance(answer.json(), dict) else {}

    today = clock.today().isoformat()
    federation = (await made("federations", division=COUNTY, name="慈善总会"))["federation_id"]
    books = f"federations/{federation}"
    await made(f"{books}/managers", officer_id="o7", post="会长", from_on=today)
    donor = (await made(f"{books}/donors", kind="person", name="王小明"))["donor_id"]
    gift = {"kind": "cash", "amount": "9.00", "received_on": today, "donor_id": donor}
    donation = (await made(f"{books}/donations", **gift))["donation_id"]
    change = {"earmark": {}, "ground": "consent", "document": "同意书1"}
    await made(f"donations/{donation}/earmark-changes", **change)
    await made(f"donations/{donation}/feedback")
    help_ = {
        "household_id": str(household_id),
        "purpose": "living",
        "month": MONTH,
        "words": "慰问金",
        "declared_relation": "none",
        "lines": [{"donation_id": donation, "amount": "1.00"}],
    }
    allocation = (await made(f"{books}/allocations", **help_))["allocation_id"]
    return {
        "federation": federation,
        "donor": donor,
        "donation": donation,
        "allocation": allocation,
    }


IN_COUNTY_BOOKS = (
    "/v1/charity/federations/{federation}/managers",
    "/v1/charity/federations/{federation}/donations",
    f"/v1/charity/federations/{{federation}}/balance?from_on={MONTH}-01&to_on={MONTH}-02",
    "/v1/charity/federations/{federation}/publication?year=2026",
    "/v1/charity/donors/{donor}",
    "/v1/charity/donations/{donation}",
)
"""What belongs to the county's federation, whatever township its beneficiaries live in."""


ONE = (
    "/v1/charity/allocations/{allocation}",
    "/v1/households/{household}/aid-view",
    "/v1/mutual-aid/groups/{group}",
    "/v1/mutual-aid/groups/{group}/activities",
    *IN_COUNTY_BOOKS,
)
LISTS = (
    "/v1/charity/federations",
    "/v1/charity/allocations",
    "/v1/charity/allocations?household={household}",
    "/v1/charity/allocations?federation={federation}&state=proposed",
    "/v1/mutual-aid/groups",
    f"/v1/mutual-aid/groups?division={COUNTY}",
    "/v1/mutual-aid/uncared",
    "/v1/home-care-centres",
)


async def test_nothing_is_seen_from_elsewhere(
    relief: ServiceDatabase, client_of: ClientOf, paid: dict[str, Any]
) -> None:
    await leaks.nothing_is_seen(relief, client_of, paid, one=ONE, lists=LISTS)


async def test_as_the_api_role_without_a_filter_there_is_nothing(
    api_role: Database, paid: dict[str, Any]
) -> None:
    await leaks.nothing_without_a_filter(api_role, TABLES)


async def test_societys_own_queries_with_the_filter_removed_find_nothing(
    api_role: Database, paid: dict[str, Any]
) -> None:
    ids = {key: UUID(str(paid[key])) for key in ("federation", "donor", "donation", "allocation")}
    federation = ids["federation"]
    async with api_role.transaction(divisions=(NEIGHBOUR,)) as session:
        assert await charity.federation_by_id(session, federation, NO_FILTER) is None
        assert not await charity.federations(session, NO_FILTER, after=None, limit=9)
        assert not await charity.managers_of(session, federation, NO_FILTER)
        assert await charity.donor_by_id(session, ids["donor"], NO_FILTER) is None
        assert not await charity.donations(session, federation, NO_FILTER, after=None, limit=9)
        assert not await charity.donations_by_id(session, [ids["donation"]], NO_FILTER)
        assert not await charity.newest_changes(session, [ids["donation"]])
        assert not await charity.feedback_of(session, ids["donation"])
        assert not await charity.lines_of(session, ids["allocation"])
        assert await charity.allocation_by_id(session, ids["allocation"], NO_FILTER) is None
        asked = charity.AllocationFilter()
        assert not await charity.allocations(session, asked, NO_FILTER, after=None, limit=9)
        assert await charity.household(session, paid["household"], NO_FILTER) is None
        assert not await charity.receipts_of_year(session, federation, 2026, after=0, limit=9)
        group = UUID(paid["group"])
        assert await mutual_aid.group_by_id(session, group, NO_FILTER) is None
        assert not await mutual_aid.groups(session, (NO_FILTER,), after=None, limit=9)
        assert not await mutual_aid.members_of(session, group)
        assert not await mutual_aid.activities_of(session, group, after=None, limit=9)
        assert not await mutual_aid.uncared(session, (NO_FILTER,), after=None, limit=9)
        assert not await mutual_aid.centres(session, (NO_FILTER,), after=None, limit=9)
        assert (await charity.flows(session, federation, date(2999, 1, 1))).received == 0


async def test_the_api_role_cannot_touch_money(api_role: Database, paid: dict[str, Any]) -> None:
    await leaks.out_of_reach(
        api_role,
        (
            "UPDATE charity_allocations SET amount = amount + 1",
            "DELETE FROM charity_allocations",
            "DELETE FROM charity_allocation_lines",
        ),
    )
