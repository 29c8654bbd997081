"""Pages without a browser: what they show, to whom, and what they do in trouble."""

import json
import re
from html import unescape
from typing import Any

import httpx
import pytest
from sqlalchemy import insert

from services.notify.console import site
from services.notify.notices import sealed
from services.notify.notices.models import Notice
from shared.contracts.registry import HouseholdState
from shared.db import Database
from shared.identity import new_id
from tests.notify.console.conftest import VisitorOf
from tests.notify.timelines.support import (
    SCOPES,
    VILLAGE,
    aid,
    guarantee,
    hardship,
    hear,
    know,
    rows,
)
from tests.notify.timelines.test_api import a_notice
from tests.support.builders import household

MARKUP = "<img src=x onerror=alert(1)><script>alert(1)</script>"

UNKNOWN = "01a20f67-0000-7000-8000-000000000000"
"""An id that was never given out; the same in every process that collects these tests."""


async def a_household(database: Database) -> HouseholdState:
    """A household of the sample county, helped, with a red guarantee."""
    state = household(division_code=VILLAGE)
    await know(database, state)
    await hear(database, aid(state.household_id), guarantee(state.household_id))
    return state


async def post(database: Database, **facts: Any) -> Any:
    """A notice as it hangs; gives its id."""
    notice = a_notice(new_id(), **facts)
    async with database.transaction() as session:
        await session.execute(insert(Notice), [notice])
    return notice["notice_id"]


def charts_of(page: str) -> list[dict[str, Any]]:
    return [json.loads(unescape(one)) for one in re.findall(r'data-chart="([^"]*)"', page)]


async def test_the_overview_tells_the_county_in_figures(
    worker: Database, visitor_of: VisitorOf
) -> None:
    await a_household(worker)
    page = (await (await visitor_of()).get("/")).text
    assert "松阳县" in page
    assert "住房安全未达标" in page
    assert "水南街道" in page
    assert "650.00" in page
    categories = charts_of(page)[0]
    assert categories["labels"] == ["特困", "低保", "低保边缘", "支出型贫困", "原4600元以下"]
    assert categories["series"][0] == {"name": "户", "values": [0.0, 1.0, 0.0, 0.0, 0.0]}


async def test_every_chart_has_its_table_with_the_same_figures(
    worker: Database, visitor_of: VisitorOf
) -> None:
    await a_household(worker)
    page = (await (await visitor_of()).get("/")).text
    figures = re.findall(r"<figure.*?</figure>", page, re.DOTALL)
    assert len(figures) == 6
    for figure, chart in zip(figures, charts_of(page), strict=True):
        labels = re.findall(r'<th scope="row">(.*?)</th>', figure)
        assert labels == chart["labels"]
        values = [
            float(one.replace(",", "")) for one in re.findall(r'<td class="num">(.*?)</td>', figure)
        ]
        by_row = zip(*(each["values"] for each in chart["series"]), strict=True)
        assert values == [value for row in by_row for value in row]


async def test_places_lead_down_and_up(worker: Database, visitor_of: VisitorOf) -> None:
    await a_household(worker)
    visitor = await visitor_of(divisions=("3311",))
    city = (await visitor.get("/")).text
    assert 'href="/?division=331124"' in city
    township = (await visitor.get("/", params={"division": "331124002"})).text
    assert "大竹溪村" in township
    assert 'href="/?division=331124"' in township


async def test_a_household_is_one_time_line_even_when_the_registry_is_silent(
    worker: Database, visitor_of: VisitorOf
) -> None:
    state = await a_household(worker)
    answer = await (await visitor_of()).get(f"/households/{state.household_id}?order=oldest")
    assert answer.status_code == 200
    kinds = re.findall(r'data-kind="(\w+)"', answer.text)
    assert kinds == ["identified", "guarantee", "assistance"]
    assert "家庭档案的地址" in answer.text
    assert re.findall(r'class="light (\w+)"', answer.text) == [
        "unknown",
        "unmet",
        "unknown",
        "unknown",
        "unknown",
    ]
    (line,) = await rows(worker, "SELECT * FROM audit_log WHERE action = 'timeline.read'")
    assert line["subject_id"] == str(state.household_id)


async def test_a_registry_that_is_down_hides_nothing_of_ours(
    worker: Database, visitor_of: VisitorOf
) -> None:
    state = await a_household(worker)
    visitor = await visitor_of(registry_url="http://127.0.0.1:1")
    file = await visitor.get(f"/households/{state.household_id}")
    assert file.status_code == 200
    assert "家庭档案系统暂时无法连接" in file.text
    assert 'data-kind="assistance"' in file.text
    listed = await visitor.post("/households", data={"q": "张"})
    assert listed.status_code == 200
    assert "家庭档案系统暂时无法连接" in listed.text


async def test_a_long_time_line_goes_on_where_it_stopped(
    worker: Database, visitor_of: VisitorOf
) -> None:
    state = await a_household(worker)
    await hear(worker, *(hardship(state.household_id) for _ in range(70)))
    visitor = await visitor_of()
    first = (await visitor.get(f"/households/{state.household_id}")).text
    (more,) = re.findall(r'<a href="(\?cursor=[^"]+)"', first)
    second = (await visitor.get(f"/households/{state.household_id}{unescape(more)}")).text
    told = [len(re.findall(r'data-kind="', page)) for page in (first, second)]
    assert told == [60, 13]
    assert "?cursor=" not in second


async def test_notices_and_one_of_them(worker: Database, visitor_of: VisitorOf) -> None:
    sheet = sealed.seal_sheet(["拟脱贫公示", "申请人：张三丰"])
    notice_id = await post(worker, content_encrypted=sheet)
    visitor = await visitor_of()
    assert f'href="/notices/{notice_id}"' in (await visitor.get("/notices?state=closed")).text
    assert str(notice_id) not in (await visitor.get("/notices?state=running")).text
    page = (await visitor.get(f"/notices/{notice_id}")).text
    assert "申请人：张三丰" in page
    assert "无异议" in page
    actions = {row["action"] for row in await rows(worker, "SELECT action FROM audit_log")}
    assert {"notice.read", "notice.sheet_read"} <= actions


async def test_notices_page_by_page(worker: Database, visitor_of: VisitorOf) -> None:
    posted = {str(await post(worker)) for _ in range(31)}
    visitor = await visitor_of()
    first = (await visitor.get("/notices")).text
    (more,) = re.findall(r'href="(/notices\?cursor=[^"]+)"', first)
    second = (await visitor.get(unescape(more))).text
    found = re.findall(r'href="/notices/([0-9a-f-]{36})"', first + second)
    assert len(found) == 31
    assert set(found) == posted


async def test_another_county_s_officer_sees_nothing(
    worker: Database, visitor_of: VisitorOf
) -> None:
    state = await a_household(worker)
    notice_id = await post(worker)
    neighbour = await visitor_of(divisions=("331102",))
    for path in (f"/households/{state.household_id}", f"/notices/{notice_id}"):
        answer = await neighbour.get(path)
        assert answer.status_code == 404
        assert "没有找到" in answer.text
    for path in ("/notices", "/notices?division=331124"):
        assert str(notice_id) not in (await neighbour.get(path)).text
    for path in ("/", "/?division=331124"):
        page = (await neighbour.get(path)).text
        assert all(not any(each["values"]) for chart in charts_of(page) for each in chart["series"])


async def test_markup_in_data_stays_text(worker: Database, visitor_of: VisitorOf) -> None:
    state = household(division_code=VILLAGE)
    await know(worker, state)
    await hear(
        worker, aid(state.household_id, programme=MARKUP), hardship(state.household_id, kind=MARKUP)
    )
    notice_id = await post(worker, content_encrypted=sealed.seal_sheet([MARKUP]))
    visitor = await visitor_of()
    for path in ("/", f"/households/{state.household_id}", f"/notices/{notice_id}"):
        page = (await visitor.get(path)).text
        assert "&lt;script&gt;" in page or "&#" in page
        assert "<script>" not in page
        assert "<img src=x" not in page


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/households/abc", 404, "没有找到"),
        ("/notices/abc", 404, "没有找到"),
        ("/?division=abc", 400, "请求有误"),
        ("/notices?cursor=abc", 400, "请求有误"),
    ],
)
async def test_a_wrong_address_is_told_in_chinese(
    visitor_of: VisitorOf, path: str, status: int, said: str
) -> None:
    answer = await (await visitor_of()).get(path)
    assert answer.status_code == status
    assert said in answer.text


@pytest.mark.parametrize("path", ["/", "/notices", f"/households/{UNKNOWN}", f"/notices/{UNKNOWN}"])
async def test_a_scope_that_is_missing_is_told(visitor_of: VisitorOf, path: str) -> None:
    answer = await (await visitor_of(scopes="registry.households:read")).get(path)
    assert answer.status_code == 403
    assert "没有权限" in answer.text


async def test_a_fault_of_ours_shows_its_number_and_nothing_else(
    visitor_of: VisitorOf, worker: Database
) -> None:
    broken = await post(worker, content_encrypted=b"not sealed")
    visitor = await visitor_of()
    answer = await visitor.get(f"/notices/{broken}", headers={"X-Correlation-Id": "abc-1"})
    assert answer.status_code == 500
    assert "abc-1" in answer.text
    assert "sealed" not in answer.text


@pytest.mark.parametrize(
    "path", ["/", "/households", "/notices", "/signed-out", "/static/console.js"]
)
async def test_every_answer_carries_the_strict_headers(visitor_of: VisitorOf, path: str) -> None:
    answer = await (await visitor_of()).get(path)
    assert answer.status_code == 200
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    kept = "no-cache" if path.startswith("/static") else "no-store"
    assert answer.headers["Cache-Control"] == kept


async def test_nothing_comes_from_outside_and_no_script_stands_in_a_page(
    worker: Database, visitor_of: VisitorOf
) -> None:
    state = await a_household(worker)
    visitor = await visitor_of()
    for path in ("/", "/households", "/notices", f"/households/{state.household_id}"):
        page = (await visitor.get(path)).text
        assert re.findall(r'(?:src|href)="(?:https?:)?//', page) == []
        assert re.findall(r"<script(?![^>]*src=)", page) == []
        assert re.findall(r'\s(?:style|on\w+)="', page) == []


async def test_pages_are_no_part_of_the_api(stranger: httpx.AsyncClient) -> None:
    described = (await stranger.get("/openapi.json")).json()
    assert all(path.startswith("/v1/") for path in described["paths"])
    answer = await stranger.get("/v1/nothing")
    assert (answer.status_code, answer.json()["code"]) == (404, "route_unknown")
    paths = {route.path for route in site._routes()}
    assert not any(path.startswith("/v1") for path in paths)


async def test_no_way_out_of_the_static_folder(stranger: httpx.AsyncClient) -> None:
    for path in ("/static/../site.py", "/static/%2e%2e/site.py", "/static/nothing.js"):
        assert (await stranger.get(path)).status_code == 404


async def test_an_empty_county_is_shown_without_charts(visitor_of: VisitorOf) -> None:
    page = (await (await visitor_of(scopes=SCOPES)).get("/")).text
    assert "没有待办和逾期事项" in page
    assert "您的管辖范围内还没有家庭" in page
