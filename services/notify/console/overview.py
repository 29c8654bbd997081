"""县域概览: a county at a glance, from notify's own tables alone."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request
from starlette.responses import Response

from services.notify.console import charts, places, words
from services.notify.console.rendering import page
from services.notify.console.visits import Visit
from services.notify.figures import queries as figures
from services.notify.figures.queries import DIGITS, Asked
from shared import clock

MONTHS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One figure at the top of the page."""

    name: str
    value: str
    note: str = ""
    alarm: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """One line of what waits for somebody: how much, since when, where to look."""

    what: str
    count: int
    note: str
    link: str | None = None


async def overview(request: Request, visit: Visit) -> Response:
    """The page; ``?division=`` narrows it to a county or township of the officer's own."""
    visit.need("notify.figures:read")
    division = places.asked(request, visit.caller.divisions)
    async with visit.transaction() as session:
        where = await places.place_of(session, visit.caller.divisions, division)
        digits = _digits_below(division)
        asked = Asked(divisions=visit.caller.divisions, division=division, digits=digits)
        found = await figures.everything(session, asked, MONTHS)
        names = await _names(session, found)
    months = charts.months_until(found["as_of"], MONTHS)
    ahead = [*months, clock.next_month(months[-1])]  # a month's money is granted before it begins
    drawn = {
        "categories": charts.categories(found["households"]),
        "funnel": charts.funnel(found["flow"]),
        "trend": charts.trend(found["flow"], months),
        "money": charts.money(found["measures"], ahead),
        "guarantees": charts.guarantees(found["guarantees"]),
        "ranking": charts.ranking(found["households"], names),
    }
    return page(
        "overview.html",
        visit,
        where=where,
        tiles=tiles(found),
        charts=drawn,
        late=late(found, division),
        table=by_place(found, names),
        drill=digits < DIGITS["village"],
    )


def tiles(found: Mapping[str, Any]) -> list[Tile]:
    """The figures at the top: who is on assistance, who went on, money, what is amiss."""
    households = found["households"]
    helped = [row for row in households if row["on_assistance"]]
    paid, approved = (
        Decimal(_sum(found["measures"], name)) for name in ("paid_yuan", "approved_yuan")
    )
    not_met = _sum(found["guarantees"], "not_met")
    running = sum(row["posted"] + row["objected"] for row in found["notices"])
    lifted = [row for row in households if row["state"] == "lifted"]
    exited = [row for row in households if row["state"] == "exited"]
    return [
        Tile(
            name="在帮扶户",
            value=f"{_sum(helped, 'households'):,}",
            note=f"{_sum(helped, 'people'):,} 人",
        ),
        Tile(name="返贫再帮扶", value=f"{_returned(helped):,}", note="户"),
        Tile(
            name="已脱贫（跟踪中）",
            value=f"{_sum(lifted, 'households'):,}",
            note=f"{_sum(lifted, 'people'):,} 人",
        ),
        Tile(
            name="已退出（销号）",
            value=f"{_sum(exited, 'households'):,}",
            note=f"{_sum(exited, 'people'):,} 人",
        ),
        Tile(
            name="帮扶资金（近12个月）",
            value=words.yuan(paid + approved),
            note=f"元，其中已发放 {words.yuan(paid)}",
        ),
        Tile(name="保障未达标", value=f"{not_met:,}", note="户项", alarm=not_met > 0),
        Tile(name="公示中", value=f"{running:,}", note="件"),
    ]


def late(found: Mapping[str, Any], division: str | None) -> list[Late]:
    """What waits for somebody, the sorest first; lines of nothing are left out."""
    notices, today = found["notices"], found["as_of"]
    suffix = f"&division={division}" if division else ""
    running = f"/notices?state=running{suffix}"
    lines = [
        Late(
            what="异议待答复",
            count=_sum(notices, "objected"),
            note="公示期内收到异议，答复前不能作出决定",
            link=running,
        ),
        Late(
            what="公示期满待办结",
            count=_sum(notices, "over"),
            note="公示已满，尚未作出决定",
            link=running,
        ),
        Late(
            what="公示待张贴",
            count=_sum(notices, "waiting"),
            note="已提出公示，尚未张贴",
            link=running,
        ),
        *(_guarantee(code, found["guarantees"], today) for code in words.GUARANTEES),
        Late(
            what="在册未见帮扶措施",
            count=_sum(found["without_measures"], "households"),
            note="在帮扶的家庭，各部门都还没有报来任何措施",
        ),
    ]
    return [line for line in lines if line.count]


def by_place(found: Mapping[str, Any], names: Mapping[str, str]) -> list[dict[str, Any]]:
    """One row a place for the table at the foot: the same figures, place by place."""
    rows: dict[str, dict[str, Any]] = {}

    def row_of(code: str) -> dict[str, Any]:
        empty = {"code": code, "name": names.get(code, code), "by": {}, "households": 0}
        empty |= {"people": 0, "lifted": 0, "not_met": 0, "money": Decimal(0), "running": 0}
        return rows.setdefault(code, empty)

    for each in found["households"]:
        row = row_of(each["division_code"])
        if each["on_assistance"]:
            row["households"] += each["households"]
            row["people"] += each["people"]
            counted = row["by"].get(each["category"], 0)
            row["by"][each["category"]] = counted + each["households"]
        elif each["state"] == "lifted":
            row["lifted"] += each["households"]
    for each in found["guarantees"]:
        row_of(each["division_code"])["not_met"] += each["not_met"]
    for each in found["measures"]:
        row_of(each["division_code"])["money"] += each["approved_yuan"] + each["paid_yuan"]
    for each in found["notices"]:
        row_of(each["division_code"])["running"] += each["posted"] + each["objected"]
    return sorted(rows.values(), key=lambda row: (-row["households"], row["code"]))


def _guarantee(code: str, rows: Sequence[Mapping[str, Any]], today: date) -> Late:
    amiss = [row for row in rows if row["kind"] == code and row["not_met"]]
    oldest = min((row["oldest"] for row in amiss), default=today)
    days = (today - oldest).days
    return Late(
        what=f"{words.GUARANTEES[code]}未达标",
        count=_sum(amiss, "not_met"),
        note=f"最早自{words.day(oldest)}起，已 {days} 天" if days else "今日起",
    )


def _returned(helped: Iterable[Mapping[str, Any]]) -> int:
    return int(sum(row["households"] for row in helped if row["state"] == "returned"))


def _sum(rows: Iterable[Mapping[str, Any]], name: str) -> Any:
    return sum(row[name] for row in rows)


def _digits_below(division: str | None) -> int:
    """Which places are ranked: a city's counties, a county's townships, a township's villages."""
    if division is None or division.endswith("00"):
        return DIGITS["county"]
    return DIGITS["township"] if len(division) == DIGITS["county"] else DIGITS["village"]


async def _names(session: AsyncSession, found: Mapping[str, Any]) -> dict[str, str]:
    counted = ("households", "guarantees", "measures", "notices")
    codes = {row["division_code"] for name in counted for row in found[name]}
    return await places.names_of(session, codes)
