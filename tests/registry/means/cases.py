"""Cases of the means test: parameters as in the policy's worked examples, and people by a word."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from services.registry.means.facts import (
    Case,
    Finding,
    Income,
    IncomeKind,
    MeansParameters,
    Obligor,
    Person,
    Used,
)
from services.registry.means.rules import decide
from shared.contracts.registry import Category, Relation

LS2016, CN2021, CN2025 = date(2016, 11, 10), date(2023, 5, 10), date(2026, 3, 10)
VALUES = {
    "dibao_line": "600",
    "minimum_wage": "1380",
    "disposable_income_ref": "24000",
    "income_window_months": "12",
    "dibao.strict": "1",
    "marginal.ratio": "1.5",
    "marginal.inclusive": "1",
    "marginal.cap_by_wage": "1",
    "asset.money_multiple.dibao": "24",
    "asset.money_multiple.wider": "36",
    "asset.vehicles": "0",
    "asset.dwellings": "1",
    "asset.capital": "0",
    "support.k": "1.5",
    "support.rate": "0.3",
    "labor.coefficient": "0.7",
    "expenditure.min_months": "6",
    "expenditure.ratio": "0.6",
    "expenditure.income_ceiling": "0",
    "expenditure.exclude_marginal": "0",
    "g4600.line": "4600",
    "g4600.index": "1.0",
    "g4600.inclusive": "1",
    "review_cycle.tekun": "12",
    "review_cycle.steady": "12",
    "review_cycle.stable": "12",
    "review_cycle.unstable": "6",
    "review_cycle.expenditure": "6",
    "review_cycle.group_4600": "12",
    "exempt.old_age_allowance": "1",
    "exempt.disability_subsidy": "1",
    "exempt.education_subsidy": "1",
}


def parameters(**changed: str) -> MeansParameters:
    """The policy's examples: L = 600, minimum wage 1,380; ``__`` in a name stands for a dot."""
    values = VALUES | {name.replace("__", "."): value for name, value in changed.items()}
    return MeansParameters(
        {
            key: Used(
                key=key, value=Decimal(value), valid_from=date(2016, 1, 1), document_number="doc"
            )
            for key, value in values.items()
        }
    )


def person(
    at: int, relation: str = "head", *, born: date = date(1980, 5, 17), **more: Any
) -> Person:
    """Somebody by number; an adult unless born otherwise."""
    return Person(person_id=UUID(int=at), relation=Relation(relation), birth_date=born, **more)


def family(n: int, **more: Any) -> Case:
    """A head, a spouse and children to the number of n; nothing earned."""
    people = [person(1)]
    if n > 1:
        people.append(person(2, "spouse"))
    people += [person(at, "son", born=date(2015, 1, 1)) for at in range(3, n + 1)]
    return Case(applied_on=date(2016, 10, 1), members=tuple(people), **more)


def earning(n: int, total: str, **more: Any) -> Case:
    """Such a family with so much wage over the window."""
    return family(n, incomes=(wage(total),), **more)


def wage(amount: str, **more: Any) -> Income:
    return Income(kind=IncomeKind.WAGE, amount=Decimal(amount), **more)


def obligor(**changed: Any) -> Obligor:
    """Of the worked example of R6: 495 a parent and month."""
    given: dict[str, Any] = {
        "supports": (UUID(int=1),),
        "per_capita_month": Decimal(2000),
        "n": 3,
        "supported_parents": 2,
    }
    return Obligor(**(given | changed))


def found(case: Case, on: date = CN2021, **changed: str) -> Finding:
    return decide(case, parameters(**changed), on)


def eligible(finding: Finding) -> set[str]:
    """The categories that fit, but for the 4600 group, which income alone may give."""
    return {each.category.value for each in finding.verdicts if each.eligible}


def codes(finding: Finding, category: str) -> set[str]:
    """What speaks against a category."""
    return {reason.code for reason in finding.verdict(Category(category)).reasons}
