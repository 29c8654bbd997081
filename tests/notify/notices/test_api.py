"""Notices as officers read them, their days as a parameter; nothing leaks to other counties."""

from datetime import date
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from deploy.local.provision import ServiceDatabase
from services.notify.notices import queries
from shared.contracts.notices import NoticeKind
from shared.db import EVERYWHERE, Database
from shared.identity import new_id
from tests.conftest import ClientOf
from tests.notify.conftest import OfficerOf
from tests.notify.notices.test_objections import SAID, answers, objects
from tests.notify.support import (
    COUNTY,
    NEXT_VILLAGE,
    posted,
    receive,
    request,
    rows,
    run_jobs,
)
from tests.support.tokens import Tokens

ALL_DIVISIONS = (EVERYWHERE,)


async def listed(client: httpx.AsyncClient, **asked: Any) -> list[str]:
    """The request ids of all the notices that a list shows, page by page."""
    found: list[str] = []
    cursor = None
    while True:
        answer = await client.get(
            "/v1/notices", params=asked | ({"cursor": cursor} if cursor else {})
        )
        assert answer.status_code == 200, answer.text
        found += [item["notice_request_id"] for item in answer.json()["items"]]
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            return found


async def test_notices_are_listed_by_division_kind_and_status(
    worker: Database, client: httpx.AsyncClient
) -> None:
    here, there = request(), request(division_code=NEXT_VILLAGE, kind=NoticeKind.EXIT)
    refused, waiting = request(n=0), request()
    await receive(worker, here, there, refused)
    await run_jobs(worker)
    await receive(worker, waiting)

    async def shown(**asked: Any) -> set[str]:
        return set(await listed(client, **asked))

    def ids(*asked: Any) -> set[str]:
        return {str(one.notice_request_id) for one in asked}

    assert await shown() == ids(here, there, refused, waiting)
    assert await shown(division=COUNTY) == ids(here, there, refused, waiting)
    assert await shown(division="331100") == ids(here, there, refused, waiting)
    assert await shown(division="331124212") == ids(there)
    assert await shown(division="331102") == set()
    assert await shown(kind="exit") == ids(there)
    assert await shown(status="posted") == ids(here, there)
    assert await shown(status="waiting") == ids(waiting)
    assert await shown(status="closed", kind="identification") == ids(refused)
    assert await listed(client, limit=1) == await listed(client)


async def test_a_notice_shows_where_it_stands_and_no_name(
    worker: Database, client: httpx.AsyncClient
) -> None:
    found = await posted(worker)
    answer = await client.get(f"/v1/notices/{found['notice_id']}")
    shown = answer.json()
    assert (shown["status"], shown["n"], shown["amount"]) == ("posted", 3, "600.00")
    assert shown["last_day"] == f"{found['last_day']}"
    assert "content_encrypted" not in shown
    query = "SELECT action FROM audit_log WHERE subject_id = :id ORDER BY id"
    read = await rows(worker, query, id=str(found["notice_id"]))
    assert [row["action"] for row in read] == ["notice.posted", "notice.read"]


async def test_the_sheet_is_printed_line_by_line_and_its_reading_noted(
    worker: Database, client: httpx.AsyncClient
) -> None:
    found = await posted(worker)
    sheet = (await client.get(f"/v1/notices/{found['notice_id']}/sheet")).json()
    assert sheet["lines"][0] == "拟认定公示"
    assert "所在村（社区）：水南街道大竹溪村" in sheet["lines"]
    assert (sheet["posted_on"], sheet["last_day"]) == (
        f"{found['posted_on']}",
        f"{found['last_day']}",
    )
    assert await rows(worker, "SELECT 1 FROM audit_log WHERE action = 'notice.sheet_read'")


async def test_what_was_never_posted_has_no_sheet(
    worker: Database, client: httpx.AsyncClient
) -> None:
    await receive(worker, request(n=0))
    (found,) = await rows(worker, "SELECT * FROM notices")
    answer = await client.get(f"/v1/notices/{found['notice_id']}/sheet")
    assert (answer.status_code, answer.json()["code"]) == (409, "notice_not_posted")


async def test_what_is_closed_stays_readable(
    worker: Database, client: httpx.AsyncClient, colleague: httpx.AsyncClient
) -> None:
    found = await posted(worker)
    await answers(colleague, found, await objects(client, found), "upheld")
    for path in ("", "/sheet", "/objections"):
        answer = await client.get(f"/v1/notices/{found['notice_id']}{path}")
        assert answer.status_code == 200, path


async def test_no_county_enters_fewer_than_seven_days(
    worker: Database, client: httpx.AsyncClient
) -> None:
    entry = {
        "key": "notice.days",
        "division_code": COUNTY,
        "valid_from": "2027-01-01",
        "document_number": "松民〔2026〕1号",
    }
    values = {"6": 422, "6.9999": 422, "7": 201, "15": 201, "61": 422}
    for value, status in values.items():
        answer = await client.post("/v1/parameters", json=entry | {"value": value})
        assert answer.status_code == status, value


ROUTES = (
    ("GET", "/v1/notices", "notify.notices:read"),
    ("GET", "/v1/notices/{id}", "notify.notices:read"),
    ("GET", "/v1/notices/{id}/sheet", "notify.notices:read"),
    ("GET", "/v1/notices/{id}/objections", "notify.notices:read"),
    ("POST", "/v1/notices/{id}/objections", "notify.notices:write"),
    ("POST", "/v1/notices/{id}/objections/{id}/answer", "notify.notices:decide"),
)


async def test_each_route_asks_for_its_scope(
    client_of: ClientOf, notify: ServiceDatabase, tokens: Tokens
) -> None:
    client = await client_of("notify", notify)
    for method, path, scope in ROUTES:
        others = {asked for _, _, asked in ROUTES} - {scope}
        said = path.endswith("objections")
        entry = {"text": "不属实"} if said else {"outcome": "upheld", "reason": "属实"}
        answer = await client.request(
            method, path.format(id=new_id()), json=entry, headers=tokens.headers(scopes=others)
        )
        assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing"), path
        assert scope in answer.json()["detail"]


@pytest.fixture
async def objected(worker: Database, client: httpx.AsyncClient) -> dict[str, Any]:
    """A notice of the sample county with an objection; what there is to leak."""
    found = await posted(worker)
    return found | {"objection_id": await objects(client, found)}


async def test_nothing_of_another_division_is_seen_or_touched(
    officer_of: OfficerOf, objected: dict[str, Any]
) -> None:
    for divisions in (("331102",), ("331124101",), ()):
        await _sees_nothing(await officer_of("o9", divisions=divisions), objected)


async def _sees_nothing(other: httpx.AsyncClient, objected: dict[str, Any]) -> None:
    assert await listed(other) == []
    assert await listed(other, division=COUNTY) == []
    assert (await other.get("/v1/jobs")).json()["items"] == []
    path = f"/v1/notices/{objected['notice_id']}"
    for asked in (path, f"{path}/sheet", f"{path}/objections"):
        assert (await other.get(asked)).status_code == 404, asked
    assert (await other.post(f"{path}/objections", json=SAID)).status_code == 404
    refused = await answers(other, objected, objected["objection_id"], "upheld")
    assert (refused.status_code, refused.json()["code"]) == (404, "notice_unknown")


async def test_an_objection_of_another_notice_is_not_answered_here(
    worker: Database, colleague: httpx.AsyncClient, objected: dict[str, Any]
) -> None:
    another = await posted(worker)
    refused = await answers(colleague, another, objected["objection_id"], "upheld")
    assert (refused.status_code, refused.json()["code"]) == (404, "objection_unknown")


async def test_as_the_api_role_with_the_filter_removed_there_is_nothing(
    api_role: Database, objected: dict[str, Any]
) -> None:
    notice_id, objection_id = objected["notice_id"], UUID(objected["objection_id"])
    for divisions, seen in (((COUNTY,), 1), (("331102",), 0), ((), 0), (None, 0)):
        async with api_role.transaction(divisions=divisions) as session:
            everything = queries.NoticeFilter(within=ALL_DIVISIONS)
            found = await queries.notices(session, everything, ALL_DIVISIONS, after=None, limit=9)
            said = await queries.objections_of(
                session, notice_id, ALL_DIVISIONS, after=None, limit=9
            )
            one = await queries.notice_by_id(session, notice_id, ALL_DIVISIONS)
            objection = await queries.objection_by_id(
                session, notice_id, objection_id, ALL_DIVISIONS
            )
        counts = (len(found), len(said), int(one is not None), int(objection is not None))
        assert counts == (seen,) * 4, divisions


async def test_the_api_role_makes_and_removes_no_notice(
    api_role: Database, objected: dict[str, Any]
) -> None:
    for order in (
        "DELETE FROM notices",
        "DELETE FROM notice_objections",
        "INSERT INTO notices SELECT * FROM notices",
    ):
        with pytest.raises(ProgrammingError, match="permission denied"):
            async with api_role.transaction(divisions=(COUNTY,)) as session:
                await session.execute(text(order))


async def test_objections_move_with_their_notice(
    worker: Database, objected: dict[str, Any], officer_of: OfficerOf
) -> None:
    moved = request(
        notice_request_id=objected["notice_request_id"],
        household_id=objected["household_id"],
        division_code=NEXT_VILLAGE,
        requested_on=date(2026, 11, 1),
    )
    await receive(worker, moved, version=2)
    await run_jobs(worker)
    township = await officer_of("o5", divisions=("331124212",))
    path = f"/v1/notices/{objected['notice_id']}/objections"
    assert len((await township.get(path)).json()["items"]) == 1


async def test_lists_of_objections_page(worker: Database, client: httpx.AsyncClient) -> None:
    found = await posted(worker)
    made = [await objects(client, found) for _ in range(3)]
    path = f"/v1/notices/{found['notice_id']}/objections"
    first = (await client.get(path, params={"limit": 2})).json()
    rest = (await client.get(path, params={"limit": 2, "cursor": first["next_cursor"]})).json()
    assert [one["objection_id"] for one in first["items"] + rest["items"]] == made
    assert rest["next_cursor"] is None
