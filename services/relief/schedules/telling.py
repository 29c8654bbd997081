"""How decisions are told: amounts and days as a reader expects them, steps, figures as JSON."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from services.relief.schedules.rules import Figure

Step = tuple[str, Decimal | None, str]
"""A code, the number that the step comes to, and a Chinese sentence."""


def money(value: Decimal) -> str:
    """An amount as a reader expects it: 1150 and 1990.50, never 1E+3."""
    return f"{value:.0f}" if value == value.to_integral_value() else f"{value:.2f}"


def day(value: date) -> str:
    """A day as it is written: 2026年3月1日."""
    return f"{value.year}年{value.month}月{value.day}日"


def number(value: Decimal) -> str:
    """A ratio without trailing zeros: 1.3, and 30 for a share of 0.30 times 100."""
    plain = f"{value:f}"
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def document(figure: Figure) -> str:
    """Which paper a figure stands on, and whether it is only a sample."""
    note = "（示例标准，非官方公布）" if figure.sample else ""
    return f"文件号：{figure.document_number}{note}"


def steps_as_json(steps: Iterable[Step]) -> list[dict[str, Any]]:
    """The steps as they are stored, amounts with two places."""
    return [
        {"code": code, "value": None if value is None else f"{value:.2f}", "text": text}
        for code, value, text in steps
    ]


def figure_as_json(figure: Figure) -> dict[str, Any]:
    """A figure as it is stored; ``figure_from_json`` gives the same one back."""
    return {
        "parameter_id": str(figure.parameter_id),
        "value": f"{figure.value:f}",
        "valid_from": figure.valid_from.isoformat(),
        "document_number": figure.document_number,
        "division_code": figure.division_code,
        "sample": figure.sample,
    }


def figure_from_json(kept: Mapping[str, Any]) -> Figure:
    """A stored figure."""
    return Figure(
        parameter_id=UUID(kept["parameter_id"]),
        value=Decimal(kept["value"]),
        valid_from=date.fromisoformat(kept["valid_from"]),
        document_number=kept["document_number"],
        division_code=kept["division_code"],
        sample=kept["sample"],
    )
