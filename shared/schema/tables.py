"""Every table of a service's database, so that ``alembic check`` compares all of them."""

from collections.abc import Sequence
from importlib import import_module

from sqlalchemy import MetaData

from shared import (
    applying,
    audit,
    divisions,
    events,
    idempotency,
    job_rows,
    parameter_values,
    parking,
    relay,
    workdays,
    written_topics,
)
from shared.db import platform_metadata

DECLARED_IN = (
    applying,
    audit,
    divisions,
    events,
    idempotency,
    job_rows,
    parameter_values,
    parking,
    relay,
    workdays,
    written_topics,
)
"""The modules; a new platform table's belongs in here."""


def whole(models: Sequence[str], *own: MetaData) -> tuple[MetaData, ...]:
    """The platform's tables and a service's ``own``, once its ``models`` have declared theirs.

    By name, for the models import their Base from the very module that asks.
    """
    for module in models:
        import_module(module)
    return (platform_metadata, *own)
