"""Made-up facts and figures for the rules of tekun; each test names only what matters."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from services.relief.schedules.rules import Figure
from services.relief.standards.rules import DIBAO_LINE, MINIMUM_WAGE
from services.relief.tekun.rules import (
    BASIC_MULTIPLE,
    CARE,
    Decision,
    Form,
    Known,
    Reason,
    Support,
)
from services.relief.tekun.selfcare import Assessment, Item, Level
from shared.contracts.registry import Category, FactPeriod, Incomes, State

OLD_WANG = UUID(int=1)
HIS_BROTHER = UUID(int=2)
HOME = UUID(int=77)
LONG_AGO = date(2020, 1, 1)


def period(valid_from: date, **fields: Any) -> FactPeriod:
    known = {"state": State.IDENTIFIED, "category": Category.TEKUN, "n": 1, "incomes": Incomes()}
    return FactPeriod(**{"valid_from": valid_from, **known, **fields})


def figure(value: str, valid_from: date = LONG_AGO, number: int = 1) -> Figure:
    return Figure(
        parameter_id=UUID(int=number),
        value=Decimal(value),
        valid_from=valid_from,
        document_number=f"丽民〔{valid_from.year}〕{number}号",
        division_code="331124",
    )


def figures(**changes: Sequence[Figure]) -> dict[str, Sequence[Figure]]:
    """The example's: L = 600, wage 1,380, 1.3 and 10/30/50%."""
    return {
        DIBAO_LINE: [figure("600", number=1)],
        MINIMUM_WAGE: [figure("1380", number=2)],
        BASIC_MULTIPLE: [figure("1.3", number=3)],
        CARE[Level.ABLE]: [figure("0.1", number=4)],
        CARE[Level.PARTLY]: [figure("0.3", number=5)],
        CARE[Level.LOST]: [figure("0.5", number=6)],
        **changes,
    }


def assessment(
    failed: int,
    on: date,
    *,
    confirmed_on: date | None = None,
    person_id: UUID = OLD_WANG,
    number: int = 1,
) -> Assessment:
    return Assessment(
        assessment_id=UUID(int=number),
        person_id=person_id,
        assessed_on=on,
        confirmed_on=confirmed_on or on,
        failed=tuple(Item)[:failed],
        document_number="松民评〔2026〕1号",
    )


def support(
    valid_from: date,
    *,
    institution: UUID | None = HOME,
    person_id: UUID = OLD_WANG,
    number: int = 1,
) -> Support:
    return Support(
        support_id=UUID(int=number),
        person_id=person_id,
        form=Form.DISPERSED if institution is None else Form.CENTRALISED,
        valid_from=valid_from,
        institution_id=institution,
    )


def known(*given: Assessment | Support, **fields: Any) -> Known:
    return Known(
        **{
            "members": frozenset({OLD_WANG}),
            "assessments": [each for each in given if isinstance(each, Assessment)],
            "supports": [each for each in given if isinstance(each, Support)],
            "here": figures(),
            **fields,
        }
    )


def told(decisions: Sequence[Decision]) -> list[tuple[str, object, Reason]]:
    return [(f"{each.from_month:%Y-%m}", each.amount, each.reason) for each in decisions]
