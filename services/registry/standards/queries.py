"""Which standard is in force where and when (C11)."""

from datetime import date

from sqlalchemy import RowMapping, String, any_, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.standards.models import Standard
from shared import divisions

DIBAO_LINE = "dibao_line"
"""The standard that says what a person may live on, in yuan a month."""


async def standard_on(
    session: AsyncSession, key: str, division_code: str, on: date
) -> RowMapping | None:
    """The standard in force in a division on a day: the nearest division's newest by then.

    As ``shared.parameter_values.holding`` has it: a city's value holds until the county's own
    first begins and never again after it. None where nobody has set one.
    """
    chain = literal(list(divisions.ancestors(division_code)), ARRAY(String(collation="C")))
    found = await session.execute(
        select(Standard.__table__)
        .where(Standard.key == key)
        .where(Standard.division_code == any_(chain))
        .where(Standard.valid_from <= on)
        .order_by(func.array_position(chain, Standard.division_code), Standard.valid_from.desc())
        .limit(1)
    )
    return found.mappings().one_or_none()
