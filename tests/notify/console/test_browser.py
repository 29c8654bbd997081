"""The console in a real browser, on the whole platform with the sample county.

What needs data of its own lives in another county, 331102, so that the sample stays as it is.
"""

import re
from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from playwright.async_api import Locator, Page, expect
from sqlalchemy import insert

from services.notify.notices import sealed
from services.notify.notices.models import Notice
from shared import crypto
from shared.db import Database
from tests.notify.console.test_pages import MARKUP
from tests.notify.timelines.support import aid, guarantee, hardship, hear, know
from tests.notify.timelines.test_api import a_notice
from tests.support.builders import household
from tests.support.platform import Platform
from tests.support.services import Surroundings

LIANDU = "331102001001"
DAYS = re.compile(r"(\d+)年(\d+)月(\d+)日")
DRAWN = """canvas => {
    const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    return pixels.some(value => value !== 0);
}"""


@pytest.fixture
def console(sample_platform: Platform) -> str:
    """The console's address."""
    return sample_platform.layout.api("notify")


@pytest.fixture
async def liandu(sample_platform: Platform, surroundings: Surroundings) -> AsyncIterator[Database]:
    """Notify's database of the platform, with its own keys for what is written here."""
    crypto.configure(sample_platform.layout.key_file("notify"))
    url = sample_platform.databases["notify"].worker_url
    database = Database(url, application_name="tests", pool_size=2)
    yield database
    await database.close()
    crypto.configure(surroundings.key_file)


async def sign_in(tab: Page, console: str, *, divisions: str = "331124", path: str = "/") -> None:
    """Through the issuer's page and back to where one wanted to go."""
    await tab.goto(console + path)
    await expect(tab).to_have_title("开发环境登录")
    await tab.get_by_label("工号").fill("officer-7")
    await tab.get_by_label("管辖区划代码").fill(divisions)
    await tab.get_by_role("button", name="登录").click()
    await tab.wait_for_url(console + path)


async def a_story(database: Database) -> tuple[UUID, UUID]:
    """A household of Liandu with markup in its data, and its notice; gives both ids."""
    state = household(division_code=LIANDU)
    await know(database, state)
    await hear(
        database,
        aid(state.household_id, programme=MARKUP),
        guarantee(state.household_id),
        hardship(state.household_id, kind=MARKUP),
    )
    notice = a_notice(
        state.household_id,
        division_code=LIANDU,
        content_encrypted=sealed.seal_sheet(["拟脱贫公示", MARKUP]),
    )
    async with database.transaction() as session:
        await session.execute(insert(Notice), [notice])
    return state.household_id, UUID(str(notice["notice_id"]))


async def days_of(events: Locator) -> list[tuple[int, ...]]:
    texts = await events.locator("time").all_inner_texts()
    return [
        tuple(int(part) for part in found.groups())
        for text in texts
        if (found := DAYS.search(text)) is not None
    ]


async def test_signing_in_shows_the_county_with_its_charts(tab: Page, console: str) -> None:
    await sign_in(tab, console)
    await expect(tab.get_by_role("heading", level=1)).to_contain_text("松阳县")
    await expect(tab.get_by_text("officer-7")).to_be_visible()
    await expect(tab.locator(".tile").first).to_contain_text("1,183")
    canvases = tab.locator("[data-chart] canvas")
    await expect(canvases.first).to_be_visible()
    assert await canvases.count() >= 4
    assert await canvases.first.evaluate(DRAWN)
    await tab.get_by_text("数据表").first.click()
    table = tab.locator("figure table").first
    await expect(table.get_by_role("row", name=re.compile("低保 452"))).to_be_visible()


async def test_a_county_leads_to_its_townships(tab: Page, console: str) -> None:
    await sign_in(tab, console)
    await tab.get_by_label("下级地区").select_option(label="古市镇")
    await expect(tab.get_by_role("heading", level=1)).to_contain_text("古市镇")
    await tab.get_by_role("link", name="松阳县").click()
    await expect(tab.get_by_role("heading", level=1)).to_contain_text("松阳县")


async def test_search_by_name_finds_a_household_and_keeps_the_name_out_of_the_address(
    tab: Page, console: str
) -> None:
    await sign_in(tab, console, path="/households")
    first = tab.locator("#results tbody a").first
    surname = (await first.inner_text())[0]
    await tab.get_by_label("户主或成员姓名").fill(surname)
    await tab.get_by_label("类别").select_option("dibao")
    async with tab.expect_response(lambda answer: answer.request.method == "POST"):
        await tab.get_by_role("button", name="查询").click()
    rows = tab.locator("#results tbody tr")
    await expect(rows.first).to_contain_text("低保")
    await expect(rows.filter(has_not_text="低保")).to_have_count(0)
    assert tab.url == f"{console}/households"


async def test_a_number_that_is_none_is_told(tab: Page, console: str) -> None:
    await sign_in(tab, console, path="/households")
    await tab.get_by_label("户主或成员姓名").fill("331124199003070010")
    await tab.get_by_role("button", name="查询").click()
    await expect(tab.get_by_role("alert")).to_contain_text("身份证号码不正确")


async def test_a_household_s_time_line_stands_in_order(tab: Page, console: str) -> None:
    await sign_in(tab, console, path="/households")
    await tab.locator("#results tbody a").first.click()
    await expect(tab.get_by_role("heading", name="时间线")).to_be_visible()
    events = tab.locator("#line .event")
    await expect(events.last).to_have_attribute("data-kind", "identified")
    days = await days_of(events)
    assert len(days) >= 2
    assert days == sorted(days, reverse=True)
    await tab.get_by_role("link", name="从最早看起").click()
    await expect(events.first).to_have_attribute("data-kind", "identified")
    await expect(tab.locator(".light")).to_have_count(5)
    await expect(tab.locator(".members li").first).to_contain_text("户主")


async def test_a_long_time_line_goes_on_in_place(tab: Page, console: str, liandu: Database) -> None:
    state = household(division_code=LIANDU)
    await know(liandu, state)
    await hear(liandu, *(aid(state.household_id) for _ in range(80)))
    await sign_in(tab, console, divisions="331102", path=f"/households/{state.household_id}")
    events = tab.locator("#line .event")
    await expect(events).to_have_count(60)
    await tab.get_by_role("link", name="继续查看").click()
    await expect(events).to_have_count(81)


async def test_a_notice_and_markup_in_data_that_does_nothing(
    tab: Page, console: str, liandu: Database
) -> None:
    household_id, notice_id = await a_story(liandu)
    await sign_in(tab, console, divisions="331102", path="/notices")
    await tab.locator(f'a[href="/notices/{notice_id}"]').click()
    await expect(tab.locator(".sheet")).to_contain_text("拟脱贫公示")
    await expect(tab.locator(".sheet")).to_contain_text(MARKUP)
    await tab.get_by_role("link", name="查看这一户的档案").click()
    await tab.wait_for_url(f"{console}/households/{household_id}")
    await expect(tab.locator("#line")).to_contain_text(MARKUP)
    await expect(tab.get_by_role("alert")).to_contain_text("家庭档案系统里没有这一户")
    await tab.goto(console)
    await expect(tab.locator("[data-chart] canvas").first).to_be_visible()
    assert await tab.locator("img[src=x]").count() == 0


async def test_another_county_s_officer_sees_nothing(
    tab: Page, console: str, sample_platform: Platform
) -> None:
    listed = await sample_platform.ask(
        "GET", "registry", "/v1/households?limit=1", scopes="registry.households:read"
    )
    household_id = listed.json()["items"][0]["household_id"]
    await sign_in(tab, console, divisions="331181", path="/households")
    await expect(tab.locator("#results")).to_contain_text("没有符合条件的家庭")
    answer = await tab.request.get(f"{console}/households/{household_id}")
    assert answer.status == 404
    answer = await tab.request.get(f"{console}/?division=331124")
    assert "1,183" not in await answer.text()


async def test_signing_out_is_final(tab: Page, console: str) -> None:
    await sign_in(tab, console)
    await tab.get_by_role("button", name="退出").click()
    await expect(tab.get_by_text("您已安全退出帮扶控制台")).to_be_visible()
    await tab.goto(f"{console}/households")
    await expect(tab).to_have_title("开发环境登录")


@pytest.mark.parametrize("path", ["/", "/households", "/notices"])
async def test_a_phone_shows_every_page_without_scrolling_sideways(
    tab: Page, console: str, path: str
) -> None:
    await tab.set_viewport_size({"width": 390, "height": 844})
    await sign_in(tab, console, path=path)
    assert await tab.evaluate("document.documentElement.scrollWidth") <= 390


async def test_the_keyboard_alone_is_enough(tab: Page, console: str) -> None:
    await sign_in(tab, console)
    await tab.keyboard.press("Tab")
    await expect(tab.get_by_role("link", name="跳到正文")).to_be_focused()
    await tab.get_by_role("link", name="家庭").focus()
    await tab.keyboard.press("Enter")
    await expect(tab).to_have_title(re.compile("家庭"))
