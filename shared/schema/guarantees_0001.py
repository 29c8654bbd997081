"""The guarantees a service has given, version 1."""

import sqlalchemy as sa
from alembic import op

from shared.schema import access


def upgrade(service: str) -> None:
    """Create the table for ``service``: both its roles state guarantees, nobody deletes one."""
    op.create_table(
        "guarantees_given",
        sa.Column("guarantee_id", sa.Uuid, nullable=False),
        sa.Column("household_id", sa.Uuid, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("division_code", sa.Text(collation="C"), nullable=False),
        sa.Column("met", sa.Boolean, nullable=False),
        sa.Column("evidence_id", sa.Text, nullable=False),
        sa.Column("since", sa.Date, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("guarantee_id", name="pk_guarantees_given"),
        sa.UniqueConstraint("household_id", "kind", name="uq_guarantees_given_household_id_kind"),
    )
    op.create_index("ix_guarantees_given_division_code", "guarantees_given", ["division_code"])
    privileges = "SELECT, INSERT, UPDATE"
    access.grant(service, "guarantees_given", api=privileges, worker=privileges)
    access.protect_by_division("guarantees_given")


def downgrade(_service: str) -> None:
    """Drop it; every service states its guarantees anew from its own facts."""
    op.drop_table("guarantees_given")
