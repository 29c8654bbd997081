"""The policy parameter of retention (section 7)."""

from decimal import Decimal

from services.registry.retention.rules import ANSWER_YEARS
from shared.parameters import Definition

DEFINITIONS = {
    ANSWER_YEARS: Definition(
        key=ANSWER_YEARS,
        unit="years",
        minimum=Decimal(1),
        maximum=Decimal(30),
        description_zh="核对原始反馈数据最后使用后的保存年限(年)",
        scopes=("county", "city"),
    )
}
"""Without an approved value nothing is deleted."""
