"""Alembic's entry into employment's database; how it runs is the same for every service."""

from services.employment.db import metadatas
from shared import migrations

migrations.run("employment", metadatas())
