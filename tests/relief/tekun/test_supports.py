"""Institutions by two officers, and where people are supported: who is paid from which month."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from services.relief.tekun import placing as placing_actions
from shared import clock
from shared.auth import Caller
from shared.contracts.registry import HouseholdState
from shared.db import Database
from shared.errors import Conflict
from shared.identity import new_id
from tests.relief.support import COUNTY, blocked, receive, rows, run_jobs
from tests.relief.tekun.support import (
    ACCOUNT,
    TODAY,
    institution,
    placing,
)
from tests.support.builders import household
from tests.support.waiting import until

pytestmark = pytest.mark.usefixtures("known")
GIVEN = {
    "division_code": "331124001",
    "name": "西屏街道敬老院",
    "bank": "松阳农商银行",
    "account": ACCOUNT,
}
NEXT = clock.next_month(TODAY)


def supports_of(state: HouseholdState) -> str:
    return f"/v1/households/{state.household_id}/tekun-supports"


async def test_an_institution_s_account_is_encrypted_and_shown_by_its_end(
    client: httpx.AsyncClient, worker: Database
) -> None:
    answer = await client.post(
        "/v1/tekun-institutions", json=GIVEN | {"account": "２０１０ 0012-3456789"}
    )
    assert answer.status_code == 201, answer.text
    found = answer.json()
    (account,) = found["accounts"]
    assert (account["account"], account["entered_by"], account["confirmed_by"]) == (
        "****6789",
        "o1",
        None,
    )
    (row,) = await rows(worker, "SELECT * FROM tekun_institution_accounts")
    assert ACCOUNT.encode() not in row["account_encrypted"]
    assert ACCOUNT not in str({name: row[name] for name in row if name != "account_encrypted"})
    (line,) = await rows(worker, "SELECT * FROM audit_log")
    assert (line["action"], line["subject_id"]) == (
        "tekun_institution.entered",
        found["institution_id"],
    )
    (listed,) = (await client.get("/v1/tekun-institutions")).json()["items"]
    assert listed == found


async def test_another_officer_confirms_it_by_typing_it_again(
    client: httpx.AsyncClient, colleague: httpx.AsyncClient
) -> None:
    path = f"/v1/tekun-institutions/{await institution(client, None)}/confirm"
    for asking, account, status, code in (
        (client, ACCOUNT, 409, "same_officer"),
        (colleague, "201000123456788", 422, "account_differs"),
        (colleague, ACCOUNT, 200, None),
        (colleague, ACCOUNT, 409, "nothing_waits"),
    ):
        answer = await asking.post(path, json={"account": account})
        assert (answer.status_code, answer.json().get("code")) == (status, code)
        assert account not in answer.text


async def test_another_account_is_paid_to_once_it_is_confirmed_and_the_old_one_is_kept(
    client: httpx.AsyncClient, colleague: httpx.AsyncClient
) -> None:
    path = f"/v1/tekun-institutions/{await institution(client, colleague)}"
    for account in ("301000123451111", "301000123452222"):
        answer = await client.post(f"{path}/account", json={"bank": "农行", "account": account})
        assert answer.status_code == 200, answer.text
    wrong = await colleague.post(f"{path}/confirm", json={"account": "301000123451111"})
    assert wrong.json()["code"] == "account_differs", "the one before it is withdrawn"
    answer = await colleague.post(f"{path}/confirm", json={"account": "301000123452222"})
    told = answer.json()["accounts"]
    assert [
        (each["account"], each["confirmed_by"], each["withdrawn_at"] is None) for each in told
    ] == [("****6789", "o2", True), ("****1111", None, False), ("****2222", "o2", True)]


async def test_an_account_of_another_county_is_neither_changed_nor_confirmed(
    client: httpx.AsyncClient, neighbour: httpx.AsyncClient
) -> None:
    path = f"/v1/tekun-institutions/{await institution(client, None)}"
    for step, body in (
        ("account", {"bank": "农行", "account": ACCOUNT}),
        ("confirm", {"account": ACCOUNT}),
    ):
        answer = await neighbour.post(f"{path}/{step}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (404, "institution_unknown")


@pytest.mark.parametrize(
    "changes",
    [
        {"account": "1234567"},
        {"account": "1" * 33},
        {"account": "20100012345678A"},
        {"account": 201000123456789},
        {"name": " "},
        {"name": "x" * 101},
        {"bank": ""},
        {"division_code": "33112"},
        {"owner": "x"},
    ],
)
async def test_a_malformed_institution_is_refused(
    client: httpx.AsyncClient, changes: dict[str, Any]
) -> None:
    answer = await client.post("/v1/tekun-institutions", json=GIVEN | changes)
    assert answer.status_code == 422
    assert answer.json()["errors"]
    assert ACCOUNT not in answer.text


async def test_an_institution_stands_in_a_division_of_one_s_own_once(
    client: httpx.AsyncClient, neighbour: httpx.AsyncClient
) -> None:
    await institution(client, None)
    for asking, changes, status, code in (
        (client, {}, 409, "institution_exists"),
        (client, {"division_code": "331124999"}, 422, "division_unknown"),
        (neighbour, {}, 403, "division_not_covered"),
    ):
        answer = await asking.post("/v1/tekun-institutions", json=GIVEN | changes)
        assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_who_lives_in_an_institution_is_paid_for_to_it_from_next_month(
    client: httpx.AsyncClient,
    colleague: httpx.AsyncClient,
    worker: Database,
    state: HouseholdState,
) -> None:
    home = await institution(client, colleague)
    answer = await client.post(supports_of(state), json=placing(state, home))
    assert answer.status_code == 201, answer.text
    (told,) = answer.json()
    assert (told["form"], told["institution_id"], told["until"]) == ("centralised", home, None)
    await run_jobs(worker)
    found = await rows(
        worker,
        "SELECT from_month, payee, institution_id FROM tekun_grants"
        " WHERE superseded_at IS NULL ORDER BY from_month",
    )
    assert [(row["payee"], row["institution_id"]) for row in found] == [
        ("person", None),
        ("institution", found[-1]["institution_id"]),
    ]
    assert (found[-1]["from_month"], str(found[-1]["institution_id"])) == (NEXT, home)


async def test_each_form_has_its_days_and_a_mended_one_stands_alone(
    client: httpx.AsyncClient, colleague: httpx.AsyncClient, state: HouseholdState
) -> None:
    home = await institution(client, colleague)
    earlier = TODAY - timedelta(days=30)
    await client.post(supports_of(state), json=placing(state, None, earlier))
    await client.post(supports_of(state), json=placing(state, home, earlier))
    await client.post(supports_of(state), json=placing(state, None, TODAY))
    told = (await client.get(supports_of(state))).json()
    assert [(each["form"], each["valid_from"], each["until"]) for each in told] == [
        ("centralised", earlier.isoformat(), (TODAY - timedelta(days=1)).isoformat()),
        ("dispersed", TODAY.isoformat(), None),
    ]


async def test_every_fault_of_a_placing_is_listed(
    client: httpx.AsyncClient,
    colleague: httpx.AsyncClient,
    worker: Database,
    state: HouseholdState,
) -> None:
    home = await institution(client, colleague)
    unconfirmed = await institution(client, None, name="古市镇敬老院")
    tomorrow = (TODAY + timedelta(days=1)).isoformat()
    good = placing(state, home)
    for changes, codes in (
        ({"institution_id": None}, ["institution_missing"]),
        ({"form": "dispersed"}, ["institution_unneeded"]),
        ({"institution_id": str(new_id())}, ["institution_unknown"]),
        ({"institution_id": unconfirmed}, ["institution_unconfirmed"]),
        (
            {"person_id": str(new_id()), "valid_from": tomorrow, "institution_id": None},
            ["person_not_member", "in_future", "institution_missing"],
        ),
    ):
        answer = await client.post(supports_of(state), json=good | changes)
        assert answer.status_code == 422
        assert [error["code"] for error in answer.json()["errors"]] == codes
    assert await rows(worker, "SELECT 1 FROM tekun_supports") == []


async def test_an_institution_of_another_county_takes_nobody_in(
    relief: Any, client_of: Any, worker: Database, state: HouseholdState
) -> None:
    """Two officers of the city see both counties, and still pay each county's own."""
    scopes = "relief.tekun:read relief.tekun:write relief.tekun:confirm"
    city, other = [
        await client_of("relief", relief, scopes=scopes, officer=officer, divisions=("3311",))
        for officer in ("o5", "o6")
    ]
    there = await institution(city, other, division_code="331102")
    answer = await city.post(supports_of(state), json=placing(state, there))
    assert (answer.status_code, answer.json()["code"]) == (422, "institution_elsewhere")


async def test_only_tekun_people_are_placed_and_only_by_their_county(
    client: httpx.AsyncClient,
    neighbour: httpx.AsyncClient,
    worker: Database,
    state: HouseholdState,
) -> None:
    dibao = household()
    await receive(worker, dibao)
    answer = await client.post(supports_of(dibao), json=placing(dibao, None))
    assert (answer.status_code, answer.json()["code"]) == (422, "household_not_tekun")
    answer = await neighbour.post(supports_of(state), json=placing(state, None))
    assert (answer.status_code, answer.json()["code"]) == (404, "household_unknown")
    assert (await neighbour.get(supports_of(state))).status_code == 404


async def test_of_two_who_register_one_at_once_one_is_kept(
    api_role: Database, worker: Database
) -> None:
    new = placing_actions.NewInstitution(**GIVEN)

    def caller(officer: str) -> Caller:
        return Caller(sub=officer, officer_id=officer, divisions=(COUNTY,))

    async def enter(officer: str) -> None:
        async with api_role.transaction(divisions=(COUNTY,)) as session:
            await placing_actions.register(session, caller(officer), new)

    async with api_role.transaction(divisions=(COUNTY,)) as session:
        await placing_actions.register(session, caller("o1"), new)
        racing = asyncio.create_task(enter("o2"))
        await until(lambda: blocked(worker), what="the second entry to wait for the first")
    with pytest.raises(Conflict, match="of this name"):
        await racing
    assert len(await rows(worker, "SELECT 1 FROM tekun_institutions")) == 1


async def test_of_two_accounts_entered_at_once_one_waits(
    client: httpx.AsyncClient, colleague: httpx.AsyncClient, api_role: Database, worker: Database
) -> None:
    where = UUID(await institution(client, colleague))

    async def enter(officer: str, account: str) -> None:
        caller = Caller(sub=officer, officer_id=officer, divisions=(COUNTY,))
        async with api_role.transaction(divisions=(COUNTY,)) as session:
            await placing_actions.change_account(
                session, caller, where, bank="农行", account=account
            )
            if officer == "o1":
                started.set()
                await until(lambda: blocked(worker), what="the second entry to wait")

    started = asyncio.Event()
    first = asyncio.create_task(enter("o1", "301000123451111"))
    await started.wait()
    await enter("o2", "301000123452222")
    await first
    found = await rows(
        worker,
        "SELECT entered_by, withdrawn_at IS NULL AS stands FROM tekun_institution_accounts"
        " WHERE confirmed_at IS NULL",
    )
    assert {row["entered_by"]: row["stands"] for row in found} == {"o1": False, "o2": True}
