"""Cases and figures of temporary assistance for rule tests, each naming only what matters."""

from datetime import date
from decimal import Decimal
from typing import Any

from services.relief.temporary.rules import Award, Case, Form, Kind, Stage, State, Term, Terms

TODAY = date(2026, 5, 20)
FIGURES = {
    "line": "600",
    "factor_max": "6",
    "factor_special": "12",
    "township_limit": "2000.00",
    "per_year": "1",
    "paper_days": "10",
}


def term(key: str, value: str, **facts: Any) -> Term:
    """An approved figure."""
    known: dict[str, Any] = {
        "valid_from": date(2026, 1, 1),
        "document_number": "松民〔2026〕8号",
        "division_code": "331124",
    }
    return Term(key=key, value=Decimal(value), **(known | facts))


def terms(**changes: str) -> Terms:
    """The figures of domain section 3 with L = 600; any may be named."""
    return Terms(
        **{name: term(name, value) for name, value in (FIGURES | changes).items()},
        line_applied=None,
    )


def case(**facts: Any) -> Case:
    """An urgent case of one person, entered by o1."""
    known: dict[str, Any] = {
        "kind": Kind.URGENT,
        "state": State.ACCEPTED,
        "persons": 1,
        "applied_on": TODAY,
        "entered_by": "o1",
    }
    return Case(**(known | facts))


def award(
    factor: str, *amounts: str, hard_reason: str | None = None, due_on: date = TODAY
) -> Award:
    """An award in stages of these amounts."""
    stages = [Stage(form=Form.CASH, amount=Decimal(each), due_on=due_on) for each in amounts]
    return Award(factor=Decimal(factor), hard_reason=hard_reason, stages=stages)
