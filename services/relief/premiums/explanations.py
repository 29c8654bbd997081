"""A premium subsidy told again: as JSON that decides the same, and as Chinese sentences (C57)."""

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from services.relief.medical.entitlement import figure_from_json
from services.relief.medical.explanations import (
    document_of,
    percent,
    plain,
    standing_as_json,
    standing_from_json,
)
from services.relief.medical.parameters import CATEGORY_NAMES
from services.relief.premiums.rules import Decision, Rate, judge
from services.relief.schedules.telling import day, money
from shared.contracts.registry import Category

Step = tuple[str, Decimal | None, str]


def basis_of(decision: Decision, *, year: int, enrolled_on: date) -> dict[str, Any]:
    """All that a decision rests on, as JSON. ``read`` gives the same decision back."""
    contribution = decision.contribution
    return {
        "clauses": ["C14", "R20"],
        "year": year,
        "enrolled_on": enrolled_on.isoformat(),
        "standing": standing_as_json(decision.standing),
        "contribution": None if contribution is None else contribution.as_json(),
        "rates": [
            {"category": rate.category.value, "figure": rate.figure.as_json()}
            for rate in decision.rates
        ],
    }


def read(basis: Mapping[str, Any]) -> Decision:
    """The decision of a stored basis, decided anew from the facts and figures kept with it."""
    contribution = basis["contribution"]
    rates = tuple(
        Rate(category=Category(kept["category"]), figure=figure_from_json(kept["figure"]))
        for kept in basis["rates"]
    )
    return judge(
        standing_from_json(basis["standing"]),
        None if contribution is None else figure_from_json(contribution),
        rates,
    )


def explain(basis: Mapping[str, Any]) -> dict[str, Any]:
    """The basis with the steps of the reckoning and the text a citizen reads."""
    told = list(_steps(basis, read(basis)))
    steps = [
        {"code": code, "value": None if value is None else plain(value), "text": text}
        for code, value, text in told
    ]
    return {**basis, "steps": steps, "text": "".join(text for _, _, text in told)}


def _steps(basis: Mapping[str, Any], decision: Decision) -> Iterator[Step]:
    contribution, rate, standing = decision.contribution, decision.rate, decision.standing
    if contribution is None or rate is None:
        return
    value = contribution.value
    text = f"{basis['year']}年度个人缴费{money(value)}元，{document_of(contribution)}。"
    yield "contribution", value, text
    names = "、".join(CATEGORY_NAMES[each] for each in standing.categories)
    on = day(date.fromisoformat(basis["enrolled_on"]))
    best = CATEGORY_NAMES[rate.category]
    others = f"，按资助比例最高的{best}计算" if len(standing.categories) > 1 else ""
    yield "category", None, f"参保登记日{on}家庭属{names}{others}。"
    if standing.kept_until is not None:
        yield "kept", None, f"家庭已脱贫或退出，政策保留至{day(standing.kept_until)}。"
    share = percent(rate.figure)
    yield "rate", rate.figure.value, f"资助比例{share}，{document_of(rate.figure)}。"
    text = f"{money(value)}元×{share}={money(decision.amount)}元，每人每年资助一次。"
    yield "amount", decision.amount, text
