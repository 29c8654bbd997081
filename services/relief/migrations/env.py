"""Alembic's entry into relief's database; how it runs is the same for every service."""

from services.relief.db import metadatas
from shared import migrations

migrations.run("relief", metadatas())
