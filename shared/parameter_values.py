"""The values of policy parameters: what is stored, and which of it holds where and when."""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, field_validator
from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Index,
    Numeric,
    Select,
    Table,
    Text,
    Uuid,
    false,
    select,
    text,
)
from sqlalchemy.ext.asyncio import AsyncSession

from shared import divisions
from shared.db import driver_of, platform_metadata
from shared.money import CENT

PARAMETERS = Table(
    "policy_parameters",
    platform_metadata,
    Column("parameter_id", Uuid, primary_key=True),
    Column("key", Text, nullable=False),
    Column("division_code", Text(collation="C"), nullable=False),
    Column("valid_from", Date, nullable=False),
    Column("value", Numeric(14, 4), nullable=False),
    Column("unit", Text, nullable=False),
    Column("document_number", Text, nullable=False),
    Column("sample", Boolean, nullable=False, server_default=false()),
    Column("entered_by", Text, nullable=False),
    Column("entered_at", DateTime(timezone=True), nullable=False),
    Column("approved_by", Text),
    Column("approved_at", DateTime(timezone=True)),
    Column("version", BigInteger, nullable=False, server_default="1"),
    CheckConstraint("approved_by <> entered_by", name="two_people"),
    Index(
        "uq_policy_parameters_key_division_code_valid_from",
        "key",
        "division_code",
        "valid_from",
        unique=True,
        postgresql_where=text("approved_at IS NOT NULL"),
    ),
)


class Parameter(BaseModel):
    """One value of one key for one division from ``valid_from`` on; in force once approved."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    parameter_id: UUID
    key: str
    division_code: str
    valid_from: date
    value: Decimal
    unit: str
    document_number: str
    sample: bool
    entered_by: str
    entered_at: datetime
    approved_by: str | None = None
    approved_at: datetime | None = None
    version: int = 1

    @field_validator("value", mode="after")
    @classmethod
    def _two_places_where_they_do(cls, value: Decimal) -> Decimal:
        # The column has four places; money is shown and published with two, a ratio with its own.
        rounded = value.quantize(CENT)
        return rounded if rounded == value else value.normalize()


async def value_at(
    session: AsyncSession, key: str, division_code: str, on: date
) -> Parameter | None:
    """The approved value of ``key`` that holds in ``division_code`` on the day ``on``.

    The nearest division's newest row that had begun by then; None when there is none at all.
    """
    holds = [
        parameter
        for parameter in await history(session, key, division_code)
        if parameter.valid_from <= on
    ]
    return holds[-1] if holds else None


async def history(session: AsyncSession, key: str, division_code: str) -> list[Parameter]:
    """The approved values that hold in ``division_code`` one after the other, oldest first.

    Each holds from its ``valid_from`` to the day before the next one's.
    """
    chain = divisions.ancestors(division_code)
    wanted = select(PARAMETERS).where(
        PARAMETERS.c.key == key,
        PARAMETERS.c.division_code.in_(chain),
        PARAMETERS.c.approved_at.is_not(None),
    )
    return holding(await read(session, wanted), chain)


def holding(rows: Iterable[Parameter], chain: tuple[str, ...]) -> list[Parameter]:
    """Of approved ``rows`` of one key, those that ever hold for the first of ``chain``, in order.

    A row of a farther division holds until a nearer one has begun: a city's value of 2025 and a
    county's of 2026 give both; the city's next value, of 2027, never reaches that county.
    """
    held: list[Parameter] = []
    nearest = len(chain)
    # On one day the nearer division's row comes last and takes the other's place.
    for row in sorted(rows, key=lambda row: (row.valid_from, -chain.index(row.division_code))):
        distance = chain.index(row.division_code)
        if distance > nearest:
            continue
        if held and held[-1].valid_from == row.valid_from:
            held.pop()
        nearest = distance
        held.append(row)
    return held


async def approved(
    session: AsyncSession, keys: Iterable[str], scopes: Iterable[str]
) -> list[Parameter]:
    """All approved values of these keys for these very divisions; ``holding`` says which hold."""
    rows = await driver_of(session).fetch(_APPROVED, sorted(keys), sorted(scopes))
    return [Parameter.model_validate(dict(row)) for row in rows]


_APPROVED = """
    SELECT * FROM policy_parameters
    WHERE key = ANY ($1) AND division_code = ANY ($2) AND approved_at IS NOT NULL
"""


async def read(session: AsyncSession, wanted: Select[Any]) -> list[Parameter]:
    """The Parameters that ``wanted`` finds."""
    rows = await session.execute(wanted)
    return [Parameter.model_validate(dict(row)) for row in rows.mappings()]
