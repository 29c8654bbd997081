"""The copy of relief's standards: written from what relief publishes, by nobody else."""

from collections.abc import Sequence

from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.standards import models
from shared import clock
from shared.contracts.relief import Standard

_CONTENT = ("key", "division_code", "valid_from", "value", "document_number", "sample")


async def record_standards(session: AsyncSession, reported: Sequence[tuple[int, Standard]]) -> None:
    """Store standards (version, standard); an older version never replaces a newer one."""
    rows = [
        {**standard.model_dump(), "version": version, "recorded_at": clock.now()}
        for version, standard in reported
    ]
    if not rows:
        return
    order = upsert(models.Standard).values(rows)
    changed = {name: order.excluded[name] for name in (*_CONTENT, "version", "recorded_at")}
    await session.execute(
        order.on_conflict_do_update(
            index_elements=["standard_id"],
            set_=changed,
            where=models.Standard.version < order.excluded.version,
        )
    )
