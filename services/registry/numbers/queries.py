"""A household's numbers as they are asked for."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.numbers.models import HouseholdAlias
from services.registry.numbers.rules import AliasKind
from shared.db import in_divisions


async def aliases_of(
    session: AsyncSession, household_id: UUID, *, divisions: Sequence[str]
) -> dict[AliasKind, str]:
    """The numbers of a household in other books, by kind."""
    rows = await session.execute(
        select(HouseholdAlias.kind, HouseholdAlias.number)
        .where(HouseholdAlias.household_id == household_id)
        .where(in_divisions(HouseholdAlias.division_code, divisions))
    )
    return {AliasKind(row.kind): row.number for row in rows}
