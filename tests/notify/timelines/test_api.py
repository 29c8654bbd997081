"""A time line as callers ask for it: pages, order, audit, divisions."""

from datetime import date
from uuid import UUID

import httpx
import pytest
from sqlalchemy import insert, text

from services.notify.notices.models import Notice
from services.notify.timelines import queries
from services.notify.timelines.queries import Stretch
from shared.contracts.registry import State
from shared.db import Database
from shared.identity import new_id
from tests.notify.conftest import OfficerOf
from tests.notify.timelines.support import SCOPES, VILLAGE, aid, guarantee, hear, know, lived, rows
from tests.support.builders import household


@pytest.fixture
async def officer(officer_of: OfficerOf) -> httpx.AsyncClient:
    """An officer of the sample county who may read time lines and figures."""
    return await officer_of("o1", scopes=SCOPES)


async def a_life(database: Database) -> UUID:
    """A household with five happenings and a notice of its lift, posted and closed."""
    state = lived(household(division_code=VILLAGE), (State.LIFTED, date(2026, 9, 10)))
    await know(database, state)
    await hear(database, aid(state.household_id), guarantee(state.household_id))
    async with database.transaction() as session:
        await session.execute(insert(Notice), [a_notice(state.household_id)])
    return state.household_id


def a_notice(household_id: UUID, **facts: object) -> dict[str, object]:
    """A notice of lifting that ran its days; any column may be named."""
    known: dict[str, object] = {
        "notice_id": new_id(),
        "notice_request_id": new_id(),
        "request_version": 1,
        "household_id": household_id,
        "division_code": VILLAGE,
        "kind": "lift",
        "episode": 1,
        "category": "dibao",
        "n": 1,
        "requested_on": date(2026, 8, 30),
        "status": "closed",
        "to_post": False,
        "posted_on": date(2026, 9, 1),
        "last_day": date(2026, 9, 8),
        "objections_open": 0,
        "objections_dismissed": 0,
        "outcome": "unopposed",
        "closed_on": date(2026, 9, 9),
        "version": 2,
    }
    return known | facts


async def test_services_and_notices_stand_in_one_order(
    worker: Database, officer: httpx.AsyncClient
) -> None:
    household_id = await a_life(worker)
    answer = await officer.get(f"/v1/households/{household_id}/timeline")
    assert answer.status_code == 200
    told = [(each["on"], each["kind"], each["service"]) for each in answer.json()["items"]]
    assert told == [
        ("2026-03-10", "identified", "registry"),
        ("2026-05-04", "guarantee", "relief"),
        ("2026-09-01", "notice_posted", "notify"),
        ("2026-09-09", "notice_closed", "notify"),
        ("2026-09-10", "lifted", "registry"),
        ("2026-11-25", "assistance", "relief"),
    ]
    last = answer.json()["items"][-1]
    assert (last["code"], last["amount"], last["month"]) == ("dibao", "650.00", "2026-12")
    assert answer.json()["next_cursor"] is None


@pytest.mark.parametrize("order", ["oldest", "newest"])
@pytest.mark.parametrize("limit", [1, 2, 4])
async def test_pages_tell_everything_once(
    worker: Database, officer: httpx.AsyncClient, order: str, limit: int
) -> None:
    household_id = await a_life(worker)
    path = f"/v1/households/{household_id}/timeline"
    asked: dict[str, str | int] = {"order": order, "limit": limit}
    whole = (await officer.get(path, params={"order": order})).json()["items"]
    paged: list[dict[str, object]] = []
    while True:
        answer = (await officer.get(path, params=asked)).json()
        paged += answer["items"]
        if answer["next_cursor"] is None:
            break
        asked["cursor"] = answer["next_cursor"]
    assert paged == whole
    days = [each["on"] for each in whole]
    assert days == sorted(days, reverse=order == "newest")


async def test_every_look_is_audited(worker: Database, officer: httpx.AsyncClient) -> None:
    household_id = await a_life(worker)
    await officer.get(f"/v1/households/{household_id}/timeline")
    (line,) = await rows(worker, "SELECT * FROM audit_log WHERE action = 'timeline.read'")
    assert (line["subject_id"], line["division_code"]) == (str(household_id), VILLAGE)


async def test_another_county_sees_nothing(
    worker: Database, api_role: Database, officer_of: OfficerOf
) -> None:
    household_id = await a_life(worker)
    neighbour = await officer_of("o9", scopes=SCOPES, divisions=("331102",))
    answer = await neighbour.get(f"/v1/households/{household_id}/timeline")
    assert (answer.status_code, answer.json()["code"]) == (404, "household_not_found")
    # with the application's filter removed, row-level security still hides it
    async with api_role.transaction(divisions=("331102",)) as session:
        hidden = await queries.happenings_of(session, household_id, ("",), Stretch(limit=9))
        assert hidden == []
        assert await queries.guarantees_of(session, household_id, ("",)) == []
        assert await queries.copy_of(session, household_id, ("",)) is None
    async with api_role.transaction(divisions=("331124",)) as session:
        shown = await queries.happenings_of(session, household_id, ("",), Stretch(limit=9))
        assert len(shown) == 6


async def test_the_api_cannot_write_a_time_line(worker: Database, api_role: Database) -> None:
    await a_life(worker)
    async with api_role.transaction(divisions=("331124",)) as session:
        with pytest.raises(Exception, match="permission denied"):
            await session.execute(text("UPDATE happenings SET amount = 1"))
        await session.rollback()


async def test_an_unknown_household_and_a_foreign_cursor(officer: httpx.AsyncClient) -> None:
    path = f"/v1/households/{new_id()}/timeline"
    assert (await officer.get(path)).json()["code"] == "household_not_found"


async def test_a_cursor_of_another_list_is_refused(
    worker: Database, officer: httpx.AsyncClient
) -> None:
    path = f"/v1/households/{await a_life(worker)}/timeline"
    answer = await officer.get(path, params={"cursor": "abc"})
    assert (answer.status_code, answer.json()["code"]) == (400, "cursor_unreadable")


async def test_without_its_scope_nobody_reads(worker: Database, officer_of: OfficerOf) -> None:
    other = await officer_of("o1", scopes="notify.figures:read")
    answer = await other.get(f"/v1/households/{await a_life(worker)}/timeline")
    assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")
