"""Alembic's entry into notify's database; how it runs is the same for every service."""

from services.notify.db import metadatas
from shared import migrations

migrations.run("notify", metadatas())
