"""How the published states are read: the newest event of each household, in the order of ids."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import RowMapping, Uuid, cast, column, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from shared.db import in_divisions


async def published_households(
    session: AsyncSession,
    *,
    divisions: Sequence[str],
    after: UUID | None,
    wanted: Sequence[UUID] | None,
    limit: int,
) -> Sequence[RowMapping]:
    """``household_id``, ``division_code``, ``version`` and ``state`` (JSON) after one id.

    Only of households in ``divisions`` that were ever published, and of ``wanted`` where given.
    """
    found = func.published_households(
        cast(literal(after), Uuid),
        cast(literal(None if wanted is None else list(wanted), ARRAY(Uuid)), ARRAY(Uuid)),
        limit,
    ).table_valued(
        column("household_id"), column("division_code"), column("version"), column("state")
    )
    rows = await session.execute(
        select(found).where(in_divisions(found.c.division_code, divisions))
    )
    return rows.mappings().all()
