"""What a listener is told to check its copies: each household's newest published state."""

from shared.contracts.registry import HouseGrade, HouseholdState
from tests.registry.conftest import OfficeOf
from tests.registry.filing import Office, Registry, person, problem

PATH = "/v1/published-households"
VERIFY = "registry.households:verify"


async def verifier(office_of: OfficeOf, *divisions: str) -> Office:
    """A listener's own token."""
    return await office_of(VERIFY, divisions=divisions or ("331124",), officer=None)


async def test_pages_in_the_order_of_ids_hold_the_last_events(
    registry: Registry, office: Office, office_of: OfficeOf
) -> None:
    filed = [await office.identified(person()) for _ in range(3)]
    never_published = await office.open(person())
    await office.change(filed[1], valid_from="2026-03-01", house_grade="D")
    listener = await verifier(office_of)

    found, cursor = [], None
    while True:
        params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        answer = (await listener.client.get(PATH, params=params)).json()
        found += answer["items"]
        assert answer["divisions"] == ["331124"]
        cursor = answer["next_cursor"]
        if cursor is None:
            break

    ids = [item["household_id"] for item in found]
    assert ids == sorted(ids)
    assert set(filed) <= set(ids)
    assert never_published not in ids
    for item in found:
        _, version, state = (await registry.states(item["household_id"]))[-1]
        assert (item["version"], HouseholdState.model_validate(item["state"])) == (version, state)
    changed = next(item for item in found if item["household_id"] == filed[1])
    assert changed["state"]["house_grade"] == HouseGrade.D


async def test_named_households_alone(office: Office, office_of: OfficeOf) -> None:
    one, _ = await office.identified(person()), await office.identified(person())
    listener = await verifier(office_of)
    answer = await listener.client.get(PATH, params={"household_id": [one]})
    assert [item["household_id"] for item in answer.json()["items"]] == [one]


async def test_nothing_of_another_county_and_nobody_by_name(
    registry: Registry, office: Office, office_of: OfficeOf
) -> None:
    household_id = await office.identified(person(name="欧阳修"))
    neighbours = await verifier(office_of, "331121")
    answer = await neighbours.client.get(PATH, params={"household_id": [household_id]})
    assert answer.json() == {"items": [], "next_cursor": None, "divisions": ["331121"]}
    own = await verifier(office_of)
    assert "欧阳" not in (await own.client.get(PATH, params={"limit": 200})).text
    lines = await registry.rows(
        "SELECT division_code, detail FROM audit_log WHERE action = 'household.verified'"
    )
    assert {line["division_code"] for line in lines} >= {"331121", "331124"}


async def test_it_takes_its_own_scope(office: Office) -> None:
    problem(await office.client.get(PATH), 403, "scope_missing")
