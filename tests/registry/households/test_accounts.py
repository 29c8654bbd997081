"""Whom to pay for a household, and where: plain for who pays, audited, nobody else's."""

from tests.registry.conftest import OfficeOf
from tests.registry.filing import Office, Registry, person, problem

ACCOUNTS = "registry.accounts:read"
ROUTE = "/v1/household-accounts/bulk"


async def test_heads_and_accounts_are_told_plainly_and_audited(
    registry: Registry, office: Office, office_of: OfficeOf
) -> None:
    one = await office.open(person(name="张三丰"), account="6228480012345678")
    without = await office.open(person(name="李四光"), account=None)
    relief = await office_of(ACCOUNTS, officer=None)

    asked = {"household_ids": [one, without, one, "0190d5e0-0000-7000-8000-000000000000"]}
    answer = await relief.client.post(ROUTE, json=asked)

    told = sorted(answer.json(), key=lambda row: row["name"])
    assert told == [
        {"household_id": one, "name": "张三丰", "account": "6228480012345678"},
        {"household_id": without, "name": "李四光", "account": None},
    ]
    for household_id in (one, without):
        assert (await registry.audited(household_id))[-1] == ("household.account_read", None)


async def test_another_county_is_told_nothing_and_nothing_is_audited(
    registry: Registry, office: Office, office_of: OfficeOf
) -> None:
    one = await office.open()
    before = await registry.audited(one)
    neighbours = await office_of(ACCOUNTS, divisions=("331121",))

    answer = await neighbours.client.post(ROUTE, json={"household_ids": [one]})

    assert (answer.status_code, answer.json()) == (200, [])
    assert await registry.audited(one) == before


async def test_it_asks_for_its_own_scope_and_a_bounded_batch(
    office: Office, office_of: OfficeOf
) -> None:
    one = await office.open()
    payer = await office_of(ACCOUNTS)

    refused = await office.client.post(ROUTE, json={"household_ids": [one]})
    too_many = await payer.client.post(ROUTE, json={"household_ids": [one] * 1001})

    problem(refused, 403, "scope_missing")
    problem(too_many, 422, "request_invalid")
