"""Relief's tables: its Base, and all that its migrations and ``alembic check`` must see."""

from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase

from shared import guarantees, household_copy
from shared.db import NAMING
from shared.schema import tables

MODELS = (
    "services.relief.charity.models",
    "services.relief.dibao.models",
    "services.relief.medical.models",
    "services.relief.mutual_aid.models",
    "services.relief.payments.bank_models",
    "services.relief.payments.models",
    "services.relief.premiums.models",
    "services.relief.tekun.models",
    "services.relief.temporary.models",
)
"""Modules that declare tables on Base; a capability adds its ``models`` here."""


class Base(DeclarativeBase):
    """The base of relief's own tables."""

    metadata = MetaData(naming_convention=NAMING)


def metadatas() -> tuple[MetaData, ...]:
    """Every table of this service's database."""
    return tables.whole(MODELS, household_copy.metadata, guarantees.metadata, Base.metadata)
