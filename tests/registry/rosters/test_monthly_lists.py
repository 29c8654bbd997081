"""The monthly books on a registry at work: who came, who went, whose dibao changed."""

import io
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import openpyxl
import pytest

from services.registry.ledger.handlers import on_assisted
from services.registry.parameters import DEFINITIONS
from services.registry.rosters import monthly_queries
from shared import clock, parameters
from shared.auth import Caller
from shared.contracts.assistance import AssistanceStatus
from shared.parameters import Entry
from tests.registry.conftest import OfficeOf
from tests.registry.filing import ALL, Office, Registry, person, problem
from tests.registry.told import aid_event
from tests.support.builders import id_number

SCOPES = f"{ALL} registry.rosters:read pii:read"
NEXT_COUNTY = ("331121",)


@pytest.fixture
async def office(office_of: OfficeOf) -> Office:
    """The office of 331124, which sees people in plain."""
    return await office_of(SCOPES)


async def book(
    office: Office, kind: str, month: str, division: str = "331124"
) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]:
    """A list by household number and its totals by category, cells by header."""
    answer = await office.client.get(
        f"/v1/rosters/lists/{kind}", params={"division": division, "month": month}
    )
    assert answer.status_code == 200, answer.text
    sheets = openpyxl.load_workbook(io.BytesIO(answer.content)).worksheets
    assert [sheet.title for sheet in sheets][1] == "汇总"
    listed, totals = (_rows(sheet) for sheet in sheets)
    assert [row["序号"] for row in listed] == list(range(1, len(listed) + 1))
    return {row["户编号"]: row for row in listed}, {row["困难类型"]: row for row in totals}


def _rows(sheet: Any) -> list[dict[str, Any]]:
    _, _, headers, *rows = sheet.iter_rows(values_only=True)
    return [dict(zip(headers, row, strict=True)) for row in rows]


async def number(office: Office, household_id: str) -> str:
    return str((await office.read(household_id))["household_no"])


async def test_who_was_identified_in_the_period_is_new_and_its_ends_count(office: Office) -> None:
    days = ("2026-03-15", "2026-03-16", "2026-04-15", "2026-04-16")
    ids = [await office.identified(on=day) for day in days]
    before, first, last, after = [await number(office, each) for each in ids]
    listed, totals = await book(office, "new", "2026-04")
    assert {first, last} <= listed.keys()
    assert not {before, after} & listed.keys()
    assert listed[first]["认定日期"].date() == date(2026, 3, 16)
    assert listed[first]["认定方式"] == "新认定"
    assert listed[first]["年人均收入（元）"] == 5500
    assert listed[first]["户主姓名"] == "张三丰"
    assert totals["低保"]["户数（户）"] == totals["合计"]["户数（户）"] == len(listed)


async def test_totals_count_people_by_category_and_age(office: Office) -> None:
    people = [
        person(),
        person("son", id_number=id_number(born=date(2020, 6, 16), order=7)),
        person("daughter", id_number=id_number(born=date(2020, 6, 15), order=8)),
    ]
    await office.identified(*people, on="2026-06-10", category="dibao_marginal")
    _, totals = await book(office, "new", "2026-06")
    marginal = totals["低保边缘"]
    # on 15 June, the last day of the period, one child is 5 and the other 6
    assert (marginal["户数（户）"], marginal["人数（人）"]) == (1, 3)
    assert marginal["0—5岁（人）"] == marginal["6—15岁（人）"] == marginal["16—59岁（人）"] == 1
    assert marginal["60—79岁（人）"] == marginal["80岁及以上（人）"] == 0
    assert (totals["特困供养"]["户数（户）"], totals["合计"]["人数（人）"]) == (0, 3)


async def test_who_left_is_listed_with_how_and_why(office: Office) -> None:
    household_id = await office.struck_off()
    listed, totals = await book(office, "exit", "2026-03")
    row = listed[await number(office, household_id)]
    assert (row["退出方式"], row["退出原因"]) == ("退出", "自愿退出")
    assert row["退出日期"].date() == date(2026, 3, 1)
    assert row["认定日期"].date() == date(2026, 1, 10)
    assert row["家庭人口数（人）"] == 1
    assert totals["合计"]["户数（户）"] == len(listed)
    assert await number(office, household_id) not in (await book(office, "exit", "2026-04"))[0]


async def test_lifted_closed_and_returned_households(office: Office) -> None:
    lifted = await office.long_identified()
    await office.ready_to_lift(lifted)
    await office.decide(lifted, "lift", decided_on="2025-08-16")
    closed = await office.long_identified()
    await office.decide(closed, "close", decided_on="2025-09-15", ground="died")
    exits, totals = await book(office, "exit", "2025-09")
    assert exits[await number(office, lifted)]["退出方式"] == "脱贫"
    gone = exits[await number(office, closed)]
    assert (gone["退出方式"], gone["家庭人口数（人）"]) == ("销户", 1)
    assert totals["合计"]["人数（人）"] == len(exits) == 2

    back = await office.struck_off()
    await office.decide(back, "return", decided_on="2026-05-02", reason="因病返贫")
    came, _ = await book(office, "new", "2026-05")
    assert came[await number(office, back)]["认定方式"] == "返贫重新认定"


async def paid(
    registry: Registry, household_id: str, month: str, amount: str, **given: Any
) -> None:
    aid = aid_event(
        household_id=household_id,
        month=date.fromisoformat(f"{month}-01"),
        amount=Decimal(amount),
        **given,
    )
    async with registry.worker.transaction() as session:
        await on_assisted(session, [aid])


async def test_whose_dibao_rose_or_fell(office: Office, registry: Registry) -> None:
    rose, fell, same, came, went, other = [await office.identified() for _ in range(6)]
    for household_id, before, now in (
        (rose, "300.00", "300.01"),
        (fell, "300.00", "299.99"),
        (same, "300.00", "300.00"),
    ):
        await paid(registry, household_id, "2026-02", before)
        await paid(registry, household_id, "2026-03", now, status=AssistanceStatus.APPROVED)
    # reversed payments, other programmes and other months are no part of it
    await paid(registry, same, "2026-03", "50.00", status=AssistanceStatus.REVERSED)
    await paid(registry, same, "2026-03", "60.00", programme="temporary_assistance")
    await paid(registry, same, "2026-01", "70.00")
    await paid(registry, came, "2026-03", "300.00")
    await paid(registry, went, "2026-02", "300.00")
    await paid(registry, other, "2026-02", "200.00")
    await paid(registry, other, "2026-03", "150.00")
    await paid(registry, other, "2026-03", "80.00")

    up, up_totals = await book(office, "increase", "2026-03")
    down, down_totals = await book(office, "decrease", "2026-03")

    assert up.keys() == {await number(office, rose), await number(office, other)}
    assert down.keys() == {await number(office, fell)}
    row = up[await number(office, other)]
    assert (row["上月低保金（元）"], row["本月低保金（元）"], row["增减金额（元）"]) == (
        200,
        230,
        30,
    )
    assert down[await number(office, fell)]["增减金额（元）"] == -0.01
    assert row["上期家庭人口数（人）"] == row["家庭人口数（人）"] == 1
    assert (row["上期困难类型"], row["困难类型"]) == ("低保", "低保")
    assert up_totals["低保"]["增减金额（元）"] == up_totals["合计"]["增减金额（元）"] == 30.01
    assert down_totals["合计"]["本月低保金（元）"] == 299.99


async def test_a_member_and_a_category_more_stand_beside_the_amounts(
    office: Office, registry: Registry
) -> None:
    """With a cut-off on the 15th, March begins on 16 February."""
    household_id = await office.identified()
    await paid(registry, household_id, "2026-02", "300.00")
    await paid(registry, household_id, "2026-03", "500.00")
    for day, relation in (("2026-02-15", "son"), ("2026-02-16", "daughter")):
        answer = await office.client.post(
            f"/v1/households/{household_id}/members", json=person(relation, valid_from=day)
        )
        assert answer.status_code == 201, answer.text
    await office.read(household_id)
    await office.change(
        household_id, valid_from="2026-03-01", category="tekun", reason="复核后调整"
    )
    row = (await book(office, "increase", "2026-03"))[0][await number(office, household_id)]
    assert (row["上期家庭人口数（人）"], row["家庭人口数（人）"]) == (2, 3)
    assert (row["上期困难类型"], row["困难类型"]) == ("低保", "特困供养")


async def test_january_is_compared_with_december(office: Office, registry: Registry) -> None:
    household_id = await office.long_identified()
    await paid(registry, household_id, "2025-12", "100.00")
    await paid(registry, household_id, "2026-01", "90.00")
    assert (await book(office, "decrease", "2026-01"))[0].keys() == {
        await number(office, household_id)
    }


async def test_pages_follow_one_another(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [await office.identified(on="2026-07-01") for _ in range(5)]
    short = {
        kind: order.replace(f"LIMIT {monthly_queries.PAGE}", "LIMIT 2")
        for kind, order in monthly_queries._LISTS.items()
    }
    assert short != monthly_queries._LISTS
    monkeypatch.setattr(monthly_queries, "_LISTS", short)
    listed, _ = await book(office, "new", "2026-07")
    assert listed.keys() == {await number(office, each) for each in ids}


async def test_masked_without_the_scope_and_noted(
    office: Office, office_of: OfficeOf, registry: Registry
) -> None:
    household_id = await office.struck_off()
    masked = await office_of(f"{ALL} registry.rosters:read", officer="o5")
    row = (await book(masked, "exit", "2026-03"))[0][await number(office, household_id)]
    assert (row["户主姓名"], row["联系电话"], row["退出原因"]) == ("张*", "138****0000", None)
    assert row["户主公民身份号码"][6:14] == "********"
    noted = await registry.rows(
        "SELECT subject_id, detail FROM audit_log WHERE action = 'roster.list' "
        "AND officer_id = 'o5'"
    )
    assert noted == [
        {"subject_id": "331124", "detail": {"plain": False, "kind": "exit", "month": "2026-03"}}
    ]


async def test_a_list_keeps_to_its_division_and_to_the_callers(
    office: Office, office_of: OfficeOf
) -> None:
    household_id = await office.identified(on="2026-08-01")
    mine = await number(office, household_id)
    assert mine in (await book(office, "new", "2026-08", "331124002221"))[0]
    assert mine not in (await book(office, "new", "2026-08", "331124212"))[0]
    elsewhere = await office_of(SCOPES, divisions=NEXT_COUNTY)
    answer = await elsewhere.client.get(
        "/v1/rosters/lists/new", params={"division": "331124", "month": "2026-08"}
    )
    problem(answer, 404, "division_unknown")


@pytest.mark.parametrize(
    ("kind", "month"), [("new", "2026-13"), ("new", "26-01"), ("new", ""), ("stop", "2026-01")]
)
async def test_what_is_no_list_is_refused(office: Office, kind: str, month: str) -> None:
    answer = await office.client.get(
        f"/v1/rosters/lists/{kind}", params={"division": "331124", "month": month}
    )
    assert answer.status_code == 422


async def test_a_month_to_come_is_refused(office: Office) -> None:
    ahead = clock.today() + timedelta(days=70)
    answer = await office.client.get(
        "/v1/rosters/lists/new", params={"division": "331124", "month": f"{ahead:%Y-%m}"}
    )
    problem(answer, 422, "month_ahead")


async def test_the_countys_cut_off_goes_before_the_citys(
    office: Office, registry: Registry
) -> None:
    """From November on 331124 counts by the calendar: that month begins where October ended."""
    given = Entry(
        key="rosters.cut_off_day",
        division_code="331124",
        valid_from=date(2024, 11, 1),
        value=Decimal(31),
        document_number="松民〔2024〕1号",
    )
    one, other = (Caller(sub=each, officer_id=each, divisions=("331124",)) for each in ("p1", "p2"))
    async with registry.acting(one) as session:
        entered = await parameters.enter(session, one, DEFINITIONS, given)
        await parameters.approve(session, other, entered.parameter_id)
        found = [
            await monthly_queries.cut_offs(session, "331124", month)
            for month in (date(2024, 10, 1), date(2024, 11, 1), date(2024, 12, 1))
        ]
        assert await monthly_queries.cut_offs(session, "331124", date(2023, 6, 1)) == (31, 31)
        await session.rollback()
    assert found == [(15, 15), (31, 15), (31, 31)]
