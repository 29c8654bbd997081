"""Alembic's entry into education's database; how it runs is the same for every service."""

from services.education.db import metadatas
from shared import migrations

migrations.run("education", metadatas())
