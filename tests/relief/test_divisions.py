"""Nothing of one county is seen from another: by the API's own filter, and without it."""

from datetime import date
from itertools import product
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from deploy.local.provision import ServiceDatabase
from services.relief.dibao import queries as dibao
from services.relief.payments import queries as payments
from services.relief.tekun import queries as tekun
from services.relief.tekun import records
from services.relief.temporary import queries as temporary
from shared.db import EVERYWHERE, Database
from tests.conftest import ClientOf
from tests.relief import leaks
from tests.relief.leaks import NEIGHBOUR
from tests.relief.support import (
    COUNTY,
    SCOPES,
    receive,
    rows,
    run_jobs,
    set_line,
    set_tekun_figures,
)
from tests.relief.tekun.support import (
    TODAY,
    assessment,
    institution,
    person_of,
    placing,
    tekun_household,
)
from tests.relief.temporary.desk import PAPERS, TOWNSHIP, Desk, asked, award, today
from tests.relief.temporary.figures import set_figures
from tests.support.builders import household, member
from tests.support.places import load_divisions

MONTH = "2026-05"
TABLES = (
    "household_copy",
    "member_copy",
    "dibao_grants",
    "tekun_grants",
    "tekun_assessments",
    "tekun_reassessments",
    "tekun_institutions",
    "tekun_institution_accounts",
    "tekun_supports",
    "payment_runs",
    "payments",
    "payment_beneficiaries",
    "payment_exceptions",
    "temporary_applications",
    "temporary_steps",
    "temporary_notices",
    "temporary_decisions",
    "temporary_stages",
    "temporary_referrals",
    "petty_funds",
    "petty_fund_entries",
    "jobs",
)
NO_FILTER = (EVERYWHERE,)
COUNTS = {"/v1/grants/summary": 3, "/v1/tekun-grants/summary": 1}


async def _tekun(
    worker: Database, client: httpx.AsyncClient, relief: ServiceDatabase
) -> dict[str, Any]:
    """A tekun household with an assessment, a reported change, an institution and a place."""
    await load_divisions(relief)
    await set_tekun_figures(worker, division="331100", but="dibao_line")
    state = tekun_household(effective_from=date(2026, 3, 10))
    await receive(worker, state)
    home = f"/v1/households/{state.household_id}"
    change = {"person_id": str(person_of(state).person_id), "reason": "worse"}
    change["reported_on"] = TODAY.isoformat()
    for path, body in (
        (f"{home}/tekun-assessments", assessment(state, assessed_on="2026-03-12")),
        (f"{home}/tekun-changes", change),
        (f"{home}/tekun-supports", placing(state, None)),
    ):
        assert (await client.post(path, json=body)).status_code == 201, path
    institution_id = await institution(client, None)
    (grant,) = await rows(worker, "SELECT grant_id FROM tekun_grants")
    return {
        "tekun": state.household_id,
        "tekun_grant": grant["grant_id"],
        "institution": institution_id,
    }


@pytest.fixture
async def paid(
    worker: Database, client: httpx.AsyncClient, relief: ServiceDatabase, client_of: ClientOf
) -> dict[str, Any]:
    """One paid household and one exception in the sample county; what there is to leak."""
    await set_line(worker, "1150", date(2026, 1, 1), division="331100")
    person = member()
    state, blocked = household(members=[person]), household(members=[person])
    await receive(worker, state, blocked)
    order = {"programme": "dibao", "month": MONTH, "division": COUNTY}
    run = (await client.post("/v1/payment-runs", json=order)).json()
    await run_jobs(worker)
    tekun = await _tekun(worker, client, relief)
    (payment,) = await rows(worker, "SELECT * FROM payments")
    (exception,) = await rows(worker, "SELECT * FROM payment_exceptions")
    assert exception["household_id"] != payment["payee_household_id"]
    return {
        "household": payment["payee_household_id"],
        "grant": payment["grant_id"],
        "run": UUID(run["run_id"]),
        "job": run["job_id"],
        **tekun,
    } | await helped_once(relief, client_of, worker)


async def helped_once(
    relief: ServiceDatabase, client_of: ClientOf, worker: Database
) -> dict[str, Any]:
    """One household helped out of its township's fund, referred on, and announced another time."""
    await set_figures(worker)
    state = household(members=[member(), member()])
    await receive(worker, state)
    people = {
        name: await client_of("relief", relief, scopes=SCOPES, officer=name, divisions=(COUNTY,))
        for name in ("o1", "o2", "o3", "o4", "o5")
    }
    desk = Desk(people=people, worker=worker)
    await desk.allot("5000.00")
    path = await desk.apply(state, 1)
    given = await desk.post("o3", f"{path}/township-approval", award("1", "1150.00"))
    referral = {"referred_to": "charity", "referred_on": today(), "words": "另行资助"}
    sent = await desk.post("o1", f"{path}/referrals", referral)
    await desk.announced(state)
    return {
        "application": given["application_id"],
        "stage": given["stages"][0]["stage_id"],
        "referral": sent["referrals"][0]["referral_id"],
    }


ONE = (
    "/v1/households/{household}/grants",
    "/v1/households/{household}/grants?superseded=true",
    "/v1/grants/{grant}",
    "/v1/payment-runs/{run}",
    "/v1/payment-runs/{run}/exceptions",
    "/v1/temporary-assistance/applications/{application}",
    "/v1/jobs/{job}",
    "/v1/households/{tekun}/tekun-grants",
    "/v1/households/{tekun}/tekun-grants?superseded=true",
    "/v1/households/{tekun}/tekun-assessments",
    "/v1/households/{tekun}/tekun-supports",
    "/v1/tekun-grants/{tekun_grant}",
)
LISTS = (
    f"/v1/grants?month={MONTH}",
    f"/v1/grants?month={MONTH}&division={COUNTY}",
    f"/v1/grants?month={MONTH}&division=3311",
    "/v1/payments",
    "/v1/payments?run={run}",
    "/v1/payments?household={household}",
    f"/v1/payments?month={MONTH}",
    "/v1/temporary-assistance/applications",
    f"/v1/temporary-assistance/applications?division={COUNTY}",
    "/v1/temporary-assistance/applications?state=approved",
    "/v1/petty-funds",
    f"/v1/petty-funds?division={COUNTY}",
    f"/v1/petty-funds/{TOWNSHIP}/entries",
    "/v1/jobs",
    f"/v1/tekun-grants?month={MONTH}",
    f"/v1/tekun-grants?month={MONTH}&division={COUNTY}",
    f"/v1/tekun-grants?month={MONTH}&division=3311",
    f"/v1/tekun-grants?month={MONTH}&reason=assessment_missing",
    "/v1/tekun-assessments/waiting",
    "/v1/tekun-reassessments",
    "/v1/tekun-institutions",
    f"/v1/tekun-institutions?division={COUNTY}",
)
TEMPORARY = "/v1/temporary-assistance"
CHANGES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("{at}/checks", {"checked_on": today(), "words": "x"}),
    ("{at}/opinion", {"favourable": False, "words": "x"}),
    ("{at}/repeat", {"reason": "x"}),
    ("{at}/township-approval", award("1", "1.00")),
    ("{at}/county-approval", award("1", "1.00")),
    ("{at}/township-refusal", {"reason": "x"}),
    ("{at}/county-refusal", {"reason": "x"}),
    ("{at}/papers", {"received_on": today(), "papers": PAPERS}),
    ("{at}/referrals", {"referred_to": "charity", "referred_on": today(), "words": "x"}),
    ("{root}/referrals/{referral}/outcome", {"outcome": "helped", "ended_on": today()}),
    ("{root}/stages/{stage}/paid", {"paid_on": today()}),
    ("{root}/stages/{stage}/reversal", {"reason": "x"}),
)
"""Every change to temporary assistance there is."""


async def test_nothing_is_seen_from_elsewhere(
    relief: ServiceDatabase, client_of: ClientOf, paid: dict[str, Any]
) -> None:
    await leaks.nothing_is_seen(relief, client_of, paid, one=ONE, lists=LISTS)


async def test_as_the_api_role_without_a_filter_there_is_nothing(
    api_role: Database, paid: dict[str, Any]
) -> None:
    await leaks.nothing_without_a_filter(api_role, TABLES)


@pytest.mark.parametrize("divisions", [(NEIGHBOUR,), ("331124101",)])
async def test_nothing_of_another_place_is_changed(
    relief: ServiceDatabase,
    client_of: ClientOf,
    worker: Database,
    paid: dict[str, Any],
    divisions: tuple[str, ...],
) -> None:
    stranger = await client_of("relief", relief, scopes=SCOPES, officer="o9", divisions=divisions)
    before = await rows(worker, "SELECT * FROM temporary_steps ORDER BY step_id")
    names = paid | {"root": TEMPORARY, "at": f"{TEMPORARY}/applications/{paid['application']}"}
    for path, body in CHANGES:
        answer = await stranger.post(path.format(**names), json=body)
        assert answer.status_code == 404, (path, answer.text)
    entry = {"kind": "allotted", "amount": "1.00", "document_number": "松财1号"}
    answer = await stranger.post(f"/v1/petty-funds/{TOWNSHIP}/entries", json=entry)
    assert (answer.status_code, answer.json()["code"]) == (403, "division_not_covered")
    assert await rows(worker, "SELECT * FROM temporary_steps ORDER BY step_id") == before


async def test_a_village_s_token_moves_no_township_s_fund(
    relief: ServiceDatabase, client_of: ClientOf, worker: Database, paid: dict[str, Any]
) -> None:
    state = household()
    await receive(worker, state)
    village = await client_of(
        "relief", relief, scopes=SCOPES, officer="o9", divisions=(state.division_code,)
    )
    asking = await client_of(
        "relief", relief, scopes=SCOPES, officer="o1", divisions=(state.division_code,)
    )
    body = asked(state)
    made = await asking.post(f"{TEMPORARY}/applications", json=body)
    at = f"{TEMPORARY}/applications/{made.json()['application_id']}"
    answer = await village.post(f"{at}/township-approval", json=award("1", "1150.00"))
    assert (answer.status_code, answer.json()["code"]) == (403, "division_not_covered")


async def test_counts_of_another_county_are_nought(
    client: httpx.AsyncClient, neighbour: httpx.AsyncClient, paid: dict[str, Any]
) -> None:
    for division, (path, households) in product((COUNTY, "3311", None), COUNTS.items()):
        asked = {"month": MONTH} | ({} if division is None else {"division": division})
        ours = (await client.get(path, params=asked)).json()
        assert ours["households"] == households
        theirs = (await neighbour.get(path, params=asked)).json()
        figures = ("households", "above_zero", "people", "missing_standard")
        assert [theirs[figure] for figure in figures] == [0, 0, 0, 0]
        assert theirs["total_yuan"] == "0.00"


async def test_our_own_queries_with_the_filter_removed_find_nothing(
    api_role: Database, paid: dict[str, Any]
) -> None:
    month = date(2026, 5, 1)
    async with api_role.transaction(divisions=(NEIGHBOUR,)) as session:
        household_id, run_id = paid["household"], paid["run"]
        assert not await dibao.schedule_of(session, household_id, NO_FILTER, superseded=True)
        assert await dibao.grant_by_id(session, paid["grant"], NO_FILTER) is None
        assert not await dibao.grants_of_month(session, month, (NO_FILTER,), after=None, limit=9)
        assert (await dibao.summary_of_month(session, month, (NO_FILTER,))).households == 0
        await _nothing_of_tekun(session, paid, month)
        assert await payments.run_by_id(session, run_id, NO_FILTER) is None
        totals = await payments.run_totals(session, run_id, NO_FILTER)
        assert (totals.payments, totals.exceptions) == (0, 0)
        asked = payments.PaymentFilter()
        assert not await payments.payments(session, asked, NO_FILTER, after=None, limit=9)
        assert not await payments.exceptions_of(session, run_id, NO_FILTER, after=None, limit=9)
        everything = temporary.Wanted(within=NO_FILTER)
        assert not await temporary.page(
            session, everything, divisions=NO_FILTER, after=None, limit=9
        )
        application_id = UUID(paid["application"])
        assert await temporary.one(session, application_id, NO_FILTER) is None
        assert await temporary.stage(session, UUID(paid["stage"]), NO_FILTER) is None
        assert await temporary.hold_referral(session, UUID(paid["referral"]), NO_FILTER) is None
        assert await temporary.fund(session, TOWNSHIP, NO_FILTER) is None
        assert not await temporary.funds(session, NO_FILTER, NO_FILTER)
        assert not await temporary.fund_entries(session, TOWNSHIP, NO_FILTER, after=None, limit=9)


async def _nothing_of_tekun(session: AsyncSession, paid: dict[str, Any], month: date) -> None:
    household_id = paid["tekun"]
    page: dict[str, Any] = {"after": None, "limit": 9}
    assert not await tekun.schedule_of(session, household_id, NO_FILTER, superseded=True)
    assert await tekun.grant_by_id(session, paid["tekun_grant"], NO_FILTER) is None
    assert not await tekun.grants_of_month(session, month, (NO_FILTER,), **page)
    assert (await tekun.summary_of_month(session, month, (NO_FILTER,))).households == 0
    assert await records.household(session, household_id, NO_FILTER) is None
    assert not await records.assessments_of(session, household_id, NO_FILTER)
    assert not await records.waiting_assessments(session, (NO_FILTER,), **page)
    assert not await records.reassessments(session, (NO_FILTER,), due_before=None, **page)
    assert await records.institution_by_id(session, paid["institution"], NO_FILTER) is None
    assert not await records.institutions(session, (NO_FILTER,), **page)
    assert not await records.accounts_of(session, [UUID(paid["institution"])])
    assert not await records.supports_of(session, household_id, NO_FILTER)


async def test_every_table_with_a_division_is_protected_by_force(worker: Database) -> None:
    """A new table cannot be forgotten."""
    open_tables = await rows(
        worker,
        "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
        " WHERE a.attname = 'division_code' AND c.relkind IN ('r', 'p')"
        " AND c.relnamespace = 'public'::regnamespace"
        " AND NOT (c.relrowsecurity AND c.relforcerowsecurity)",
    )
    assert open_tables == []


async def test_the_api_role_cannot_touch_money(api_role: Database, paid: dict[str, Any]) -> None:
    await leaks.out_of_reach(
        api_role,
        (
            "DELETE FROM dibao_grants",
            "UPDATE dibao_grants SET amount = 0",
            "UPDATE payments SET amount = amount + 1",
            "DELETE FROM payments",
            "DELETE FROM tekun_grants",
            "UPDATE tekun_grants SET amount = 0",
            "DELETE FROM tekun_assessments",
            "UPDATE tekun_assessments SET level = 'lost'",
            "UPDATE tekun_reassessments SET due_on = due_on + 1",
            "UPDATE tekun_institution_accounts SET account_encrypted = ''",
            "UPDATE tekun_supports SET institution_id = NULL",
            "INSERT INTO payments SELECT * FROM payments",
            "DELETE FROM temporary_applications",
            "DELETE FROM temporary_steps",
            "UPDATE temporary_steps SET officer_id = 'o9'",
            "UPDATE temporary_decisions SET amount = amount + 1",
            "DELETE FROM temporary_decisions",
            "UPDATE temporary_stages SET amount = amount + 1",
            "UPDATE temporary_notices SET outcome = 'unopposed'",
            "UPDATE petty_fund_entries SET amount = amount + 1",
            "DELETE FROM petty_fund_entries",
        ),
    )
