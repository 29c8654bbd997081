"""Notify's tables: its Base, and all that its migrations and ``alembic check`` must see."""

from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase

from shared import household_copy, public_uses
from shared.db import NAMING
from shared.schema import tables

MODELS: tuple[str, ...] = (
    "services.notify.notices.models",
    "services.notify.timelines.models",
    "services.notify.console.models",
    "services.notify.feedback.models",
)
"""Modules that declare tables on Base; a capability adds its ``models`` here."""


class Base(DeclarativeBase):
    """The base of notify's own tables."""

    metadata = MetaData(naming_convention=NAMING)


def metadatas() -> tuple[MetaData, ...]:
    """Every table of this service's database."""
    return tables.whole(MODELS, household_copy.metadata, public_uses.metadata, Base.metadata)
