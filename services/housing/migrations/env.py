"""Alembic's entry into housing's database; how it runs is the same for every service."""

from services.housing.db import metadatas
from shared import migrations

migrations.run("housing", metadatas())
