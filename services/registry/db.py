"""Registry's tables: its Base, and all that its migrations and ``alembic check`` must see."""

from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase

from shared import attachments, public_uses
from shared.db import NAMING
from shared.schema import tables

MODELS: tuple[str, ...] = (
    "services.registry.certificates.models",
    "services.registry.checks.models",
    "services.registry.determination.models",
    "services.registry.exchange.models",
    "services.registry.duplicates.models",
    "services.registry.helpers.models",
    "services.registry.households.models",
    "services.registry.integrity.models",
    "services.registry.leads.models",
    "services.registry.ledger.models",
    "services.registry.mergers.models",
    "services.registry.notices.models",
    "services.registry.numbers.models",
    "services.registry.plans.models",
    "services.registry.reports.models",
    "services.registry.retention.models",
    "services.registry.returns.models",
    "services.registry.reviews.models",
    "services.registry.rosters.models",
    "services.registry.sources.models",
    "services.registry.splits.models",
    "services.registry.standards.models",
    "services.registry.stewards.models",
    "services.registry.tasks.models",
    "services.registry.transfers.models",
    "services.registry.verification.models",
    "services.registry.visits.models",
)
"""Modules that declare tables on Base; a capability adds its ``models`` here."""


class Base(DeclarativeBase):
    """The base of registry's own tables."""

    metadata = MetaData(naming_convention=NAMING)


def metadatas() -> tuple[MetaData, ...]:
    """Every table of this service's database."""
    return tables.whole(MODELS, attachments.metadata, public_uses.metadata, Base.metadata)
