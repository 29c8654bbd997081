"""A decision on a bill told again: as JSON that decides the same years later, and as Chinese
sentences that a citizen can check with a pencil (C57; PIPL art. 24).
"""

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from services.relief.medical.entitlement import (
    Figure,
    NotAssisted,
    Standing,
    figure_from_json,
)
from services.relief.medical.parameters import CATEGORY_NAMES
from services.relief.medical.rules import Bill, Case, Decision, Reason, Terms, decide
from services.relief.schedules.telling import day, money
from shared.contracts.registry import Category
from shared.money import yuan

CLAUSES = ("C15", "R20")
_NOTHING = {
    Reason.NOT_ASSISTED: "出院当日家庭尚未认定为救助对象，不予救助。",
    Reason.LIFTED: "出院当日家庭已脱贫，且没有继续享受政策的期限，不予救助。",
    Reason.EXITED: "出院当日家庭已退出帮扶，且没有继续享受政策的期限，不予救助。",
    Reason.CLOSED: "出院当日家庭档案已注销，不予救助。",
    Reason.PARAMETER_MISSING: "当地在出院当日尚无经批准的该类对象医疗救助标准，待批准后补算。",
}
Step = tuple[str, Decimal | None, str]


def basis_of(decision: Decision) -> dict[str, Any]:
    """All that a decision rests on, as JSON. ``read`` gives the same decision back."""
    case = decision.case
    return {
        "rule_set": decision.rule_set.value,
        "clauses": list(CLAUSES),
        "settlement_id": str(case.settlement_id),
        "discharged_on": case.discharged_on.isoformat(),
        "bill": {name: f"{getattr(case.bill, name):.2f}" for name in _SUMS},
        "standing": standing_as_json(case.standing),
        "terms": [_terms_as_json(terms) for terms in case.terms],
        "paid_before": f"{decision.paid_before:.2f}",
    }


def read(basis: Mapping[str, Any]) -> Decision:
    """The decision of a stored basis, decided anew from the facts and figures kept with it."""
    case = Case(
        settlement_id=UUID(basis["settlement_id"]),
        discharged_on=date.fromisoformat(basis["discharged_on"]),
        bill=Bill(**{name: Decimal(basis["bill"][name]) for name in _SUMS}),
        standing=standing_from_json(basis["standing"]),
        terms=tuple(_terms_from_json(terms) for terms in basis["terms"]),
    )
    return decide(case, Decimal(basis["paid_before"]))


def explain(basis: Mapping[str, Any], *, amount: Decimal, total: Decimal) -> dict[str, Any]:
    """The basis with the steps of the reckoning and the text a citizen reads.

    ``amount`` is what the decision adds, ``total`` what the settlement is owed in all, in yuan.
    """
    decision = read(basis)
    told = [*_steps(decision), *_correction(amount, total)]
    steps = [
        {"code": code, "value": None if value is None else plain(value), "text": text}
        for code, value, text in told
    ]
    return {**basis, "steps": steps, "text": "".join(text for _, _, text in told)}


_SUMS = ("cost", "off_list", "basic_paid", "critical_paid", "other_paid")


def _steps(decision: Decision) -> Iterator[Step]:
    yield from _base_steps(decision)
    if decision.reason in _NOTHING:
        yield "amount", Decimal(0), _NOTHING[decision.reason]
        return
    terms = decision.terms
    if terms is not None:
        yield from _amount_steps(decision, terms)


def _base_steps(decision: Decision) -> Iterator[Step]:
    case, bill = decision.case, decision.case.bill
    yield "cost", bill.cost, f"{day(case.discharged_on)}出院结算，总费用{money(bill.cost)}元。"
    text = (
        f"减去目录外{money(bill.off_list)}元、基本医保{money(bill.basic_paid)}元、"
        f"大病保险{money(bill.critical_paid)}元、其他补充报销{money(bill.other_paid)}元，"
        f"政策范围内自付{money(decision.base)}元。"
    )
    yield "base", decision.base, text


def _amount_steps(decision: Decision, terms: Terms) -> Iterator[Step]:
    standing = decision.case.standing
    names = "、".join(CATEGORY_NAMES[each] for each in standing.categories)
    since = "" if standing.since is None else f"（{day(standing.since)}起）"
    best = CATEGORY_NAMES[terms.category]
    others = f"，按待遇最高的{best}计算" if len(standing.categories) > 1 else ""
    yield "category", None, f"出院当日家庭属{names}{since}{others}。"
    if standing.kept_until is not None:
        text = f"家庭已脱贫或退出，政策保留至{day(standing.kept_until)}。"
        yield "kept", None, text
    yield from _figures(terms)
    above = max(Decimal(0), decision.base - terms.deductible.value)
    subtraction = f"{money(decision.base)}元-{money(terms.deductible.value)}元"
    if above == 0:
        text = f"政策范围内自付{money(decision.base)}元未超过起付线，不予救助。"
        yield "above", above, text
        return
    share = yuan(above * terms.ratio.value)
    text = f"（{subtraction}）×{percent(terms.ratio)}={money(share)}元。"
    yield "share", share, text
    room = max(Decimal(0), terms.most - decision.paid_before)
    text = f"本年度此前已救助{money(decision.paid_before)}元，年度封顶线内还可救助{money(room)}元。"
    yield "room", room, text
    yield "amount", decision.amount, f"本次结算应救助{money(decision.amount)}元。"


def _figures(terms: Terms) -> Iterator[Step]:
    told = (
        ("deductible", "起付线", terms.deductible, f"{money(terms.deductible.value)}元"),
        ("ratio", "救助比例", terms.ratio, percent(terms.ratio)),
        ("cap", "年度封顶线", terms.cap, f"{money(terms.cap.value)}元"),
    )
    for code, name, figure, value in told:
        yield code, figure.value, f"{name}{value}，{document_of(figure)}。"


def _correction(amount: Decimal, total: Decimal) -> Iterator[Step]:
    if amount == total:
        return
    before = total - amount
    verb = f"补发{money(amount)}元" if amount > 0 else f"核减{money(-amount)}元"
    text = f"此前已核定{money(before)}元，本次{verb}。" if amount else "此前核定的金额不变。"
    yield "correction", amount, text


def plain(value: Decimal) -> str:
    """A step's value with two places, a ratio with those it has. Example: 17000.00; 0.333."""
    places = value.normalize().as_tuple().exponent
    return f"{value:.2f}" if isinstance(places, int) and places >= -2 else f"{value.normalize():f}"


def document_of(figure: Figure) -> str:
    """Since when a figure holds and on what paper, as a citizen reads it."""
    note = "（示例标准，非官方公布）" if figure.sample else ""
    return f"{day(figure.valid_from)}起执行，文件号：{figure.document_number}{note}"


def percent(ratio: Figure) -> str:
    """A share as a percentage. Example: 0.7 -> 70%."""
    return f"{(ratio.value * 100).normalize():f}%"


def _terms_as_json(terms: Terms) -> dict[str, Any]:
    return {
        "category": terms.category.value,
        "deductible": terms.deductible.as_json(),
        "ratio": terms.ratio.as_json(),
        "cap": terms.cap.as_json(),
    }


def _terms_from_json(kept: Mapping[str, Any]) -> Terms:
    return Terms(
        category=Category(kept["category"]),
        deductible=figure_from_json(kept["deductible"]),
        ratio=figure_from_json(kept["ratio"]),
        cap=figure_from_json(kept["cap"]),
    )


def standing_as_json(standing: Standing) -> dict[str, Any]:
    """A standing as it is kept with a decision; ``standing_from_json`` gives it back."""
    return {
        "since": _iso(standing.since),
        "categories": [each.value for each in standing.categories],
        "without": None if standing.without is None else standing.without.value,
        "kept_until": _iso(standing.kept_until),
    }


def standing_from_json(kept: Mapping[str, Any]) -> Standing:
    """The standing that ``standing_as_json`` wrote."""
    without = kept["without"]
    return Standing(
        since=_day(kept["since"]),
        categories=tuple(Category(each) for each in kept["categories"]),
        without=None if without is None else NotAssisted(without),
        kept_until=_day(kept["kept_until"]),
    )


def _iso(given: date | None) -> str | None:
    return None if given is None else given.isoformat()


def _day(kept: str | None) -> date | None:
    return None if kept is None else date.fromisoformat(kept)
