"""What another county must never see: by the API, and again as the api role without its filter."""

from typing import Any

import pytest
from sqlalchemy import text

from services.registry.ledger.handlers import on_assisted
from services.registry.returns.handlers import on_hardships
from tests.registry.conftest import OfficeOf
from tests.registry.filing import (
    ALL,
    OTHER_COUNTY,
    RESOLVE,
    Office,
    Registry,
    number,
    person,
    problem,
)
from tests.registry.leads.telling import visited
from tests.registry.told import aid_event, hardship_event

TABLES = (
    "persons",
    "households",
    "members",
    "episodes",
    "household_versions",
    "decisions",
    "household_serials",
    "aid_ledger",
    "guarantees",
    "notice_requests",
    "notices",
    "income_checks",
    "hardships",
    "return_checks",
    "tasks",
    "leads",
    "lead_reports",
    "lead_visits",
)
"""Every table with a household or a person in it."""


class Filed:
    """A household of 331124, with something in every table, and its neighbour's office."""

    def __init__(self, household_id: str, person_id: str, id_number: str, own: Office) -> None:
        self.household_id = household_id
        self.person_id = person_id
        self.id_number = id_number
        self.own = own


@pytest.fixture
async def filed(registry: Registry, office_of: OfficeOf) -> Filed:
    own = await office_of(f"{ALL} {RESOLVE} pii:read")
    one = number()
    household_id = await own.identified(person(id_number=one, name="欧阳修"))
    async with registry.worker.transaction() as session:
        await on_assisted(session, [aid_event(household_id=household_id)])
    await registry.guarantee(household_id=household_id, met=True)
    await registry.checked(household_id, "2026-02-01")
    await under_return_check(registry, own)
    await visited(own, household_id=household_id)
    person_id = (await own.read(household_id))["head_person_id"]
    return Filed(household_id, person_id, one, own)


async def under_return_check(registry: Registry, own: Office) -> None:
    """A household struck off at which somebody fell ill; one a module is enough."""
    if (await registry.counted("return_checks"))["return_checks"]:
        return
    household_id = await own.struck_off()
    async with registry.worker.transaction() as session:
        await on_hardships(session, [hardship_event(household_id=household_id)])


@pytest.fixture
async def neighbours(office_of: OfficeOf) -> Office:
    """The office of 331121, with every right, personal data included."""
    return await office_of(f"{ALL} {RESOLVE} pii:read", divisions=("331121",), officer="o9")


LOOKS: list[tuple[str, str, dict[str, Any]]] = [
    ("GET", "/v1/households", {}),
    ("GET", "/v1/households?division=331124", {}),
    ("GET", "/v1/households?category=dibao&state=identified", {}),
    ("GET", "/v1/households/counts", {}),
    ("GET", "/v1/households/counts?by=village&division=331124", {}),
    ("POST", "/v1/households/search", {"name_prefix": "欧"}),
    ("POST", "/v1/households/search", {"id_number": "ID"}),
    ("POST", "/v1/persons/resolve", {"id_numbers": ["ID"]}),
    ("POST", "/v1/persons/bulk", {"person_ids": ["PERSON"]}),
]


def filled(value: Any, filed: Filed) -> Any:
    marks = {"ID": filed.id_number, "PERSON": filed.person_id}
    if isinstance(value, list):
        return [filled(each, filed) for each in value]
    return marks.get(value, value)


@pytest.mark.parametrize(("method", "where", "body"), LOOKS)
async def test_no_list_look_up_or_count_shows_another_county(
    filed: Filed, neighbours: Office, method: str, where: str, body: dict[str, Any]
) -> None:
    asked = {name: filled(value, filed) for name, value in body.items()}

    own = await filed.own.client.request(method, where, json=asked or None)
    theirs = await neighbours.client.request(method, where, json=asked or None)

    assert own.status_code == theirs.status_code == 200
    seen = own.text
    assert filed.household_id in seen or filed.person_id in seen or '"households":' in seen
    assert theirs.json() in (
        {"items": [], "next_cursor": None},
        [],
        [{"person_id": None, "household_id": None, "fault": None}],
    )


async def test_no_write_reaches_another_county(
    registry: Registry, filed: Filed, neighbours: Office
) -> None:
    where = f"/v1/households/{filed.household_id}"
    match = {"If-Match": '"2"'}
    before = await registry.counted("household_versions", "events", "members", "persons")

    day = {"valid_from": "2026-03-01"}
    answers = [
        await neighbours.client.get(where),
        await neighbours.client.patch(where, json=day | {"house_grade": "D"}, headers=match),
        await neighbours.client.post(f"{where}/members", json=person("son") | day),
        await neighbours.client.patch(
            f"{where}/members/{filed.person_id}", json=day | {"name": "x"}, headers=match
        ),
        await neighbours.client.post(
            f"{where}/members/{filed.person_id}/leave", json=day | {"reason": "died"}
        ),
    ]

    for answer in answers:
        problem(answer, 404, "household_not_found")
        assert "欧阳" not in answer.text
    assert await registry.counted("household_versions", "events", "members", "persons") == before


@pytest.mark.parametrize("table", TABLES)
async def test_the_database_itself_hides_another_county(
    registry: Registry, filed: Filed, table: str
) -> None:
    count = text(f"SELECT count(*) FROM {table} WHERE division_code ^@ '331124'")  # noqa: S608 (our own)
    touch = text(f"UPDATE {table} SET division_code = division_code")  # noqa: S608 (our own)

    seen: dict[object, object] = {}
    for divisions in (("331124",), ("331121",), ("331124212",), ()):
        async with registry.api.transaction(divisions=divisions) as session:
            seen[divisions] = await session.scalar(count)
            touched = await session.execute(touch)
            if divisions != ("331124",):
                assert touched.rowcount == 0  # type: ignore[attr-defined] # a cursor result has it
    async with registry.api.transaction() as session:
        seen["unset"] = await session.scalar(count)

    own = seen.pop(("331124",))
    assert isinstance(own, int)
    assert own >= 1
    assert set(seen.values()) == {0}


@pytest.mark.parametrize("table", TABLES)
async def test_the_database_itself_lets_nothing_be_moved_out_of_sight(
    registry: Registry, filed: Filed, table: str
) -> None:
    move = text(f"UPDATE {table} SET division_code = '{OTHER_COUNTY}'")  # noqa: S608 (our own)

    with pytest.raises(Exception, match="row-level security"):
        async with registry.api.transaction(divisions=("331124",)) as session:
            await session.execute(move)


@pytest.mark.parametrize(
    "order",
    [
        "UPDATE household_versions SET facts = '{}'",
        "DELETE FROM household_versions",
        "UPDATE decisions SET reason = ''",
        "DELETE FROM decisions",
        "DELETE FROM persons",
        "DELETE FROM households",
        "UPDATE aid_ledger SET amount = 0",
        "UPDATE guarantees SET met = true",
        "INSERT INTO guarantees SELECT * FROM guarantees",
        "UPDATE notices SET outcome = 'unopposed'",
        "INSERT INTO notices SELECT * FROM notices",
        "DELETE FROM notice_requests",
        "UPDATE income_checks SET passed = true",
        "DELETE FROM income_checks",
        "UPDATE hardships SET kind = ''",
        "DELETE FROM return_checks",
        "DELETE FROM tasks",
        "UPDATE standards SET value = 0",
    ],
)
async def test_what_the_api_role_may_never_do(registry: Registry, order: str) -> None:
    with pytest.raises(Exception, match="permission denied"):
        async with registry.api.transaction(divisions=("331124",)) as session:
            await session.execute(text(order))


async def test_the_look_everywhere_tells_person_and_county_only(
    registry: Registry, filed: Filed
) -> None:
    async with registry.api.transaction(divisions=("331121",)) as session:
        rows = (
            await session.execute(
                text(
                    "SELECT * FROM find_person(ARRAY[(SELECT decode('00', 'hex'))]) "
                    "UNION ALL SELECT * FROM find_person(CAST(:hashes AS bytea[]))"
                ),
                {"hashes": [await hash_of(registry, filed)]},
            )
        ).mappings()
        found = [dict(row) for row in rows]
        # and afterwards the caller sees as little as before
        assert await session.scalar(text("SELECT count(*) FROM persons")) == 0

    assert [(set(row), row["county"]) for row in found] == [
        ({"hash", "person_id", "county"}, "331124")
    ]


async def hash_of(registry: Registry, filed: Filed) -> bytes:
    (row,) = await registry.rows(
        "SELECT id_number_hash FROM persons WHERE person_id = :id", id=filed.person_id
    )
    return bytes(row["id_number_hash"])


async def test_a_transfer_is_seen_by_both_counties_and_nobody_else(
    registry: Registry, filed: Filed, neighbours: Office
) -> None:
    answer = await neighbours.client.post(
        "/v1/households",
        json={
            "division_code": OTHER_COUNTY,
            "members": [person(id_number=filed.id_number, name="欧阳修")],
        },
    )
    problem(answer, 409, "person_registered_elsewhere")

    tasks = [
        (await office.client.get("/v1/transfer-tasks")).json()["items"]
        for office in (filed.own, neighbours)
    ]
    assert [filed.person_id in {task["person_id"] for task in seen} for seen in tasks] == [True] * 2
    assert {task["from_county"] for task in tasks[1]} == {"331124"}
    seen: dict[str, object] = {}
    for divisions in (("331124",), ("331121",), ("331124002",), ("331102",)):
        async with registry.api.transaction(divisions=divisions) as session:
            seen[divisions[0]] = await session.scalar(
                text("SELECT count(*) FROM transfer_tasks WHERE person_id = :id"),
                {"id": filed.person_id},
            )
    assert seen == {"331124": 1, "331121": 1, "331124002": 0, "331102": 0}
