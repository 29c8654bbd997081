"""A happening in an officer's words: title, what belongs to it, money and the mark beside it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from services.notify.console import words
from services.notify.console.words import said
from services.notify.timelines.rules import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One entry of the time line as the page shows it. ``tone`` is good, bad, plain or money."""

    on: str
    year_month: str
    bureau: str
    kind: str
    title: str
    notes: tuple[str, ...] = ()
    amount: str | None = None
    struck: bool = False
    status: str | None = None
    tone: str = "plain"
    notice_id: str | None = None


def line_of(row: Mapping[str, Any], names: Mapping[str, str]) -> Line:
    """The line of one row of ``timelines.queries.happenings_of``.

    ``names`` are the household's members as the registry names them, by person id.
    """
    kind = Kind(row["kind"])
    told = _TELLERS[kind](row, names)
    bureau = row["source"].removeprefix("/")
    return Line(
        on=words.day(row["happened_on"]),
        year_month=words.month(row["happened_on"]),
        bureau=said(words.SERVICES, bureau),
        kind=kind.value,
        **told,
    )


def _identified(row: Mapping[str, Any], _names: Mapping[str, str]) -> dict[str, Any]:
    notes = _facts(row["detail"])
    return {"title": f"认定为{said(words.CATEGORIES, row['code'])}", "notes": notes}


def _returned(row: Mapping[str, Any], _names: Mapping[str, str]) -> dict[str, Any]:
    number = row["detail"].get("episode", "")
    title = f"返贫，第{number}次纳入帮扶（{said(words.CATEGORIES, row['code'])}）"
    return {"title": title, "notes": _facts(row["detail"]), "tone": "bad"}


def _category(row: Mapping[str, Any], _names: Mapping[str, str]) -> dict[str, Any]:
    before = row["detail"].get("before", {}).get("category")
    title = f"类别由{said(words.CATEGORIES, before)}调整为{said(words.CATEGORIES, row['code'])}"
    return {"title": title, "notes": _facts(row["detail"])}


def _changed(row: Mapping[str, Any], _names: Mapping[str, str]) -> dict[str, Any]:
    now, before = row["detail"], row["detail"].get("before", {})
    notes = []
    if now.get("n") != before.get("n"):
        notes.append(f"人口 {before.get('n')} → {now.get('n')} 人")
    if now.get("yearly_income") != before.get("yearly_income"):
        was, has = words.yuan(before.get("yearly_income")), words.yuan(now.get("yearly_income"))
        notes.append(f"家庭年收入 {was} → {has} 元")
    if now.get("keep_policy_until") != before.get("keep_policy_until"):
        notes.append(f"政策保留至 {words.day(now.get('keep_policy_until'))}")
    return {"title": "家庭情况变动", "notes": tuple(notes)}


def _lifted(row: Mapping[str, Any], _names: Mapping[str, str]) -> dict[str, Any]:
    kept = row["detail"].get("keep_policy_until")
    notes = (f"政策保留至 {words.day(kept)}",) if kept else ()
    return {"title": "脱贫，进入跟踪期", "notes": notes, "tone": "good"}


def _exited(_row: Mapping[str, Any], _names: Mapping[str, str]) -> dict[str, Any]:
    return {"title": "退出，销号", "tone": "good"}


def _closed(_row: Mapping[str, Any], _names: Mapping[str, str]) -> dict[str, Any]:
    return {"title": "档案关闭"}


def _hardship(row: Mapping[str, Any], _names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "title": f"发现困难迹象：{said(words.HARDSHIPS, row['code'])}",
        "amount": words.yuan(row["amount"]) if row["amount"] is not None else None,
        "tone": "bad",
    }


def _assistance(row: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    detail = row["detail"]
    notes = []
    if detail.get("month"):
        notes.append(words.month(detail["month"]))
    if detail.get("fund") in words.FUNDS:
        notes.append(words.FUNDS[detail["fund"]])
    people = [names.get(person_id, "") for person_id in detail.get("person_ids") or ()]
    known = "、".join(name for name in people if name)
    if people:
        notes.append(f"受益人：{known}" if known else f"受益 {len(people)} 人")
    status = said(words.STATUSES, detail.get("status"))
    if not row["amount"]:  # a job found, a place at a course: a measure without money
        notes.append(status)
    return {
        "title": said(words.PROGRAMMES, row["code"]),
        "notes": tuple(notes),
        "amount": words.yuan(row["amount"]) if row["amount"] else None,
        "struck": detail.get("status") == "reversed",
        "status": status,
        "tone": "money",
    }


def _guarantee(row: Mapping[str, Any], _names: Mapping[str, str]) -> dict[str, Any]:
    met = bool(row["detail"].get("met"))
    title = f"{said(words.GUARANTEES, row['code'])}保障：{'达标' if met else '未达标'}"
    return {"title": title, "tone": "good" if met else "bad"}


def _posted(row: Mapping[str, Any], _names: Mapping[str, str]) -> dict[str, Any]:
    last = row["detail"].get("last_day")
    return {
        "title": f"{said(words.NOTICE_KINDS, row['code'])}公示张贴",
        "notes": (f"公示至 {words.day(last)}",) if last else (),
        "notice_id": str(row["aggregate_id"]),
    }


def _ended(row: Mapping[str, Any], _names: Mapping[str, str]) -> dict[str, Any]:
    outcome = said(words.OUTCOMES, row["detail"].get("outcome"))
    return {
        "title": f"{said(words.NOTICE_KINDS, row['code'])}公示结束：{outcome}",
        "notice_id": str(row["aggregate_id"]),
    }


def _facts(detail: Mapping[str, Any]) -> tuple[str, ...]:
    notes = []
    if detail.get("n") is not None:
        notes.append(f"{detail['n']} 人")
    if detail.get("yearly_income") is not None:
        notes.append(f"家庭年收入 {words.yuan(Decimal(detail['yearly_income']))} 元")
    if detail.get("origin"):
        notes.append(said(words.ORIGINS, detail["origin"]))
    return tuple(notes)


Teller = Callable[[Mapping[str, Any], Mapping[str, str]], dict[str, Any]]
_TELLERS: Mapping[Kind, Teller] = {
    Kind.IDENTIFIED: _identified,
    Kind.RETURNED: _returned,
    Kind.CATEGORY_CHANGED: _category,
    Kind.FACTS_CHANGED: _changed,
    Kind.LIFTED: _lifted,
    Kind.EXITED: _exited,
    Kind.CLOSED: _closed,
    Kind.HARDSHIP: _hardship,
    Kind.ASSISTANCE: _assistance,
    Kind.GUARANTEE: _guarantee,
    Kind.NOTICE_POSTED: _posted,
    Kind.NOTICE_CLOSED: _ended,
}
