"""What charts show and the tables beneath them, from the figures. Pure; both say the same."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from services.notify.console import words
from services.notify.console.words import said
from shared import clock

Row = Mapping[str, Any]
Number = int | Decimal
ON_ASSISTANCE = ("identified", "returned")
FLOW = {
    "found": "发现",
    "identified": "认定",
    "lifted": "脱贫",
    "exited": "退出",
    "returned": "返贫",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One chart: bars, steps, lines, stack or share. Every series has one value a label."""

    shape: str
    title: str
    labels: tuple[str, ...]
    series: tuple[tuple[str, tuple[Number, ...]], ...]
    unit: str
    first: str

    @property
    def document(self) -> str:
        """The same for the script that draws it, as JSON."""
        series = [
            {"name": name, "values": [float(value) for value in values]}
            for name, values in self.series
        ]
        shown = {"shape": self.shape, "labels": self.labels, "series": series, "unit": self.unit}
        return json.dumps(shown, ensure_ascii=False)

    @property
    def rows(self) -> list[tuple[str, list[str]]]:
        """The table beneath: a label and its values in words."""
        return [
            (label, [_written(values[place]) for _, values in self.series])
            for place, label in enumerate(self.labels)
        ]


def categories(households: Iterable[Row]) -> Chart:
    """Households and people on assistance by the five categories, in the notice's order."""
    counted = _sums(
        (row for row in households if row["on_assistance"]), "category", ("households", "people")
    )
    codes = list(words.CATEGORIES)
    return Chart(
        shape="bars",
        title="五类对象（在帮扶）",
        labels=tuple(words.CATEGORIES.values()),
        series=(
            ("户", tuple(counted[code]["households"] for code in codes)),
            ("人", tuple(counted[code]["people"] for code in codes)),
        ),
        unit="",
        first="类别",
    )


def funnel(flow: Iterable[Row]) -> Chart:
    """How many households were found, identified, lifted, exited in the months shown."""
    totals = dict.fromkeys(FLOW, 0)
    for row in flow:
        for name in totals:
            totals[name] += row[name]
    shown = [name for name in FLOW if name != "returned"]
    return Chart(
        shape="steps",
        title="从发现到销号（近12个月，户）",
        labels=tuple(FLOW[name] for name in shown),
        series=(("户", tuple(totals[name] for name in shown)),),
        unit="户",
        first="环节",
    )


def trend(flow: Iterable[Row], months: Sequence[date]) -> Chart:
    """Households identified, lifted, exited and returned month by month; no month is left out."""
    counted: dict[date, dict[str, Number]] = _sums(flow, "month", tuple(FLOW))
    shown = [name for name in FLOW if name != "found"]
    return Chart(
        shape="lines",
        title="每月变化（户）",
        labels=tuple(f"{month:%Y-%m}" for month in months),
        series=tuple(
            (FLOW[name], tuple(counted[month][name] for month in months)) for name in shown
        ),
        unit="户",
        first="月份",
    )


def money(measures: Iterable[Row], months: Sequence[date], most: int = 6) -> Chart:
    """Approved and paid by month and programme; the smallest programmes share one series."""
    sums: dict[str, dict[date, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for row in measures:
        sums[row["programme"]][row["month"]] += row["approved_yuan"] + row["paid_yuan"]
    ranked = sorted(sums, key=lambda code: (-sum(sums[code].values()), code))
    series = [(said(words.PROGRAMMES, code), sums[code]) for code in ranked[:most]]
    if ranked[most:]:
        rest: dict[date, Decimal] = defaultdict(Decimal)
        for code in ranked[most:]:
            for month, value in sums[code].items():
                rest[month] += value
        series.append(("其他", rest))
    return Chart(
        shape="stack",
        title="帮扶资金（已批准和已发放，元）",
        labels=tuple(f"{month:%Y-%m}" for month in months),
        series=tuple((name, tuple(of[month] for month in months)) for name, of in series),
        unit="元",
        first="月份",
    )


def guarantees(rows: Iterable[Row]) -> Chart:
    """The five guarantees: households for which each is met and not met."""
    counted = _sums(rows, "kind", ("met", "not_met"))
    codes = list(words.GUARANTEES)
    return Chart(
        shape="share",
        title="保障达标情况（户）",
        labels=tuple(words.GUARANTEES.values()),
        series=(
            ("未达标", tuple(counted[code]["not_met"] for code in codes)),
            ("达标", tuple(counted[code]["met"] for code in codes)),
        ),
        unit="户",
        first="保障",
    )


def ranking(households: Iterable[Row], names: Mapping[str, str], most: int = 20) -> Chart:
    """Places by households on assistance, the most first."""
    counted = _sums(
        (row for row in households if row["on_assistance"]), "division_code", ("households",)
    )
    ranked = sorted(counted, key=lambda code: (-counted[code]["households"], code))[:most]
    return Chart(
        shape="bars",
        title="在帮扶户数排名",
        labels=tuple(said(names, code) for code in ranked),
        series=(("户", tuple(counted[code]["households"] for code in ranked)),),
        unit="户",
        first="地区",
    )


def months_until(today: date, count: int) -> list[date]:
    """The first days of ``count`` months, the last of them this month's."""
    this = clock.month_of(today)
    return [clock.add_months(this, -back) for back in reversed(range(count))]


def _sums(rows: Iterable[Row], by: str, of: Sequence[str]) -> dict[Any, dict[str, Any]]:
    sums: dict[Any, dict[str, Any]] = defaultdict(lambda: dict.fromkeys(of, 0))
    for row in rows:
        for name in of:
            sums[row[by]][name] += row[name]
    return sums


def _written(value: Number) -> str:
    return f"{value:,.2f}" if isinstance(value, Decimal) else f"{value:,}"
