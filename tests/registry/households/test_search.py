"""Lists, search, counts, persons: filters, pages, masks, audit lines, and the plan behind them."""

from typing import Any

import asyncpg
import pytest
from sqlalchemy import text

from tests.registry.conftest import OfficeOf
from tests.registry.filing import (
    NEXT_VILLAGE,
    OTHER_TOWNSHIP,
    RESOLVE,
    Office,
    Registry,
    number,
    person,
    problem,
)
from tests.registry.told import VILLAGE


async def found(office: Office, **body: Any) -> list[str]:
    answer = await office.client.post("/v1/households/search", json=body)
    assert answer.status_code == 200, answer.text
    return [item["household_id"] for item in answer.json()["items"]]


async def test_search_by_name_prefix_and_by_number(registry: Registry, office: Office) -> None:
    one = number()
    first = await office.identified(person(name="诸葛亮"), person("spouse", name="黄月英"))
    second = await office.open(
        person(name="诸葛瑾", id_number=one), division_code=OTHER_TOWNSHIP, category="tekun"
    )

    assert await found(office, name_prefix="诸葛") == [first, second]
    assert await found(office, name_prefix="黄月") == [first]
    assert await found(office, name_prefix="葛") == []
    assert await found(office, name_prefix="诸葛%") == []
    assert await found(office, id_number=one) == [second]
    assert await found(office, id_number=f" {one[:6]} {one[6:].lower()}") == [second]
    assert await found(office, name_prefix="诸葛", division="331124212") == [second]
    assert await found(office, name_prefix="诸葛", category="dibao") == [first]
    assert await found(office, name_prefix="诸葛", state="accepted") == [second]
    assert await found(office, id_number=number()) == []


@pytest.mark.parametrize(
    ("body", "code"),
    [({}, "search_empty"), ({"id_number": "123"}, "id_number_length"), ({"x": 1}, None)],
)
async def test_what_cannot_be_searched_for(
    office: Office, body: dict[str, Any], code: str | None
) -> None:
    answer = await office.client.post("/v1/households/search", json=body)

    problem(answer, 422, code or "request_invalid")


async def test_lists_page_and_filter(registry: Registry, office_of: OfficeOf) -> None:
    township = await office_of(divisions=("331124212",))
    made = [await township.open(division_code=OTHER_TOWNSHIP) for _ in range(5)]
    seen: list[str] = []
    cursor: str | None = None

    while True:
        query = {"limit": "2", "category": "dibao"} | ({"cursor": cursor} if cursor else {})
        page = (await township.client.get("/v1/households", params=query)).json()
        seen += [item["household_id"] for item in page["items"]]
        assert {item["head_name"] for item in page["items"]} <= {"张*", "诸*"}
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert [each for each in seen if each in made] == made
    assert len(seen) == len(set(seen))
    nothing = await township.client.get("/v1/households", params={"category": "group_4600"})
    assert nothing.json() == {"items": [], "next_cursor": None}
    for household_id in made:
        assert ("household.listed", "o1") in await registry.audited(household_id)


async def test_counts(office_of: OfficeOf) -> None:
    office = await office_of(divisions=(NEXT_VILLAGE,))
    await office.identified(person(), person("son"), division_code=NEXT_VILLAGE)
    await office.open(person(), division_code=NEXT_VILLAGE)
    await office.open(person(), division_code=NEXT_VILLAGE, category=None)

    answer = await office.client.get("/v1/households/counts", params={"by": "village"})
    by_county = await office.client.get("/v1/households/counts", params={"by": "county"})

    assert answer.json() == [
        {
            "division_code": NEXT_VILLAGE,
            "category": "dibao",
            "state": "accepted",
            "households": 1,
            "people": 1,
        },
        {
            "division_code": NEXT_VILLAGE,
            "category": "dibao",
            "state": "identified",
            "households": 1,
            "people": 2,
        },
        {
            "division_code": NEXT_VILLAGE,
            "category": None,
            "state": "accepted",
            "households": 1,
            "people": 1,
        },
    ]
    assert {row["division_code"] for row in by_county.json()} == {"331124"}


async def test_numbers_into_ids_and_ids_into_names(
    registry: Registry, office: Office, office_of: OfficeOf
) -> None:
    one = number()
    household_id = await office.open(person(id_number=one, phone="13900001111"))
    person_id = (await office.read(household_id))["head_person_id"]
    bureau = await office_of(RESOLVE)
    plainly = await office_of(f"{RESOLVE} pii:read")

    resolved = await bureau.client.post(
        "/v1/persons/resolve", json={"id_numbers": [number(), one.lower(), "12"]}
    )
    masked = await bureau.client.post("/v1/persons/bulk", json={"person_ids": [person_id] * 2})
    plain = await plainly.client.post("/v1/persons/bulk", json={"person_ids": [person_id]})

    assert resolved.json() == [
        {"person_id": None, "household_id": None, "fault": None},
        {"person_id": person_id, "household_id": household_id, "fault": None},
        {"person_id": None, "household_id": None, "fault": "id_number_length"},
    ]
    assert masked.json() == [
        {
            "person_id": person_id,
            "name": "张*",
            "id_number": f"{one[:6]}********{one[14:]}",
            "phone": "139****1111",
            "household_id": household_id,
        }
    ]
    assert (plain.json()[0]["name"], plain.json()[0]["id_number"]) == ("张三丰", one)
    assert [action for action, _ in await registry.audited(person_id)] == [
        "person.resolved",
        "person.read",
        "person.read",
    ]


async def test_persons_ask_for_their_own_scope_and_a_bounded_batch(
    office: Office, office_of: OfficeOf
) -> None:
    bureau = await office_of(RESOLVE)

    refused = await office.client.post("/v1/persons/resolve", json={"id_numbers": ["1"]})
    too_many = await bureau.client.post("/v1/persons/resolve", json={"id_numbers": ["1"] * 1001})

    problem(refused, 403, "scope_missing")
    problem(too_many, 422, "request_invalid")


async def test_every_route_asks_for_its_scope(office_of: OfficeOf) -> None:
    nobody = await office_of("other.things:read")

    for method, where in (
        ("GET", "/v1/households"),
        ("GET", "/v1/households/counts"),
        ("POST", "/v1/households/search"),
        ("POST", "/v1/households"),
        ("POST", "/v1/persons/bulk"),
        ("GET", "/v1/households/0190d5e0-0000-7000-8000-000000000000/timeline"),
    ):
        answer = await nobody.client.request(method, where, json={"name_prefix": "张"})
        problem(answer, 403, "scope_missing")


async def test_a_name_prefix_is_found_by_its_index_under_row_security(
    registry: Registry, office: Office
) -> None:
    async with registry.worker.transaction() as session:
        await session.execute(
            text(
                "INSERT INTO persons (person_id, division_code, name, sex, birth_date, recorded_at)"
                " SELECT gen_random_uuid(), :village, chr(20000 + n % 5000) || n, 'male',"
                " '1980-01-01', now() FROM generate_series(1, 20000) AS n"
            ),
            {"village": VILLAGE},
        )
    await analyse(registry)

    async with registry.acting() as session:
        plan = "\n".join(
            row[0]
            for row in await session.execute(
                text("EXPLAIN SELECT person_id FROM persons WHERE name ^@ :prefix"),
                {"prefix": "诸葛"},
            )
        )

    assert "ix_persons_name" in plan, plan


async def analyse(registry: Registry) -> None:
    """Fresh statistics, as autovacuum would give them."""
    owner = await asyncpg.connect(registry.urls.owner_url)
    try:
        await owner.execute("ANALYZE persons")
    finally:
        await owner.close()


async def test_audit_lines_stand_in_the_village_they_speak_of(
    registry: Registry, office: Office
) -> None:
    household_id = await office.identified()
    await office.change(household_id, valid_from="2026-03-01", house_grade="C")
    await office.read(household_id)

    lines = await registry.rows(
        "SELECT action, division_code FROM audit_log WHERE subject_id = :id ORDER BY id",
        id=household_id,
    )

    assert [(line["action"], line["division_code"]) for line in lines] == [
        ("household.opened", VILLAGE),
        ("notice.requested", VILLAGE),
        ("household.identified", VILLAGE),
        ("household.revised", VILLAGE),
        ("household.read", VILLAGE),
    ]


async def test_a_closed_file_is_listed_where_its_head_can_no_longer_be_seen(
    office: Office, office_of: OfficeOf
) -> None:
    head = person()
    closed = await office.identified(head)
    await office.decide(closed, "close", decided_on="2026-03-01", ground="moved_out")
    await office.open(head, division_code=OTHER_TOWNSHIP, opened_on="2026-03-01")
    township = await office_of(divisions=("331124002",))

    answer = await township.client.get("/v1/households", params={"state": "closed"})

    names = {one["household_id"]: one["head_name"] for one in answer.json()["items"]}
    assert names[closed] == ""


async def test_a_moment_without_its_zone_is_refused(office: Office) -> None:
    household_id = await office.open()
    answer = await office.client.get(
        f"/v1/households/{household_id}", params={"known_at": "2026-03-01T00:00:00"}
    )
    problem(answer, 422, "request_invalid")
