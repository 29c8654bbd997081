"""Alembic's entry into registry's database; how it runs is the same for every service."""

from services.registry.db import metadatas
from shared import migrations

migrations.run("registry", metadatas())
