"""The platform's tables, version 2: which topic an offset belongs to, and a topic's own writer."""

import sqlalchemy as sa
from alembic import op

from shared.schema import access


def upgrade(service: str) -> None:
    """Keep Kafka's topic ids: beside a listener's offsets and for the topics ``service`` writes."""
    op.add_column("consumer_offsets", sa.Column("topic_id", sa.Uuid))
    op.add_column("consumer_offsets", sa.Column("began_again_at", sa.DateTime(timezone=True)))
    op.create_table(
        "written_topics",
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("topic_id", sa.Uuid, nullable=False),
        sa.Column("replay_after", sa.BigInteger),
        sa.PrimaryKeyConstraint("topic", name="pk_written_topics"),
    )
    access.grant(service, "written_topics", api="")


def downgrade(_service: str) -> None:
    """Forget them; they are learned again from Kafka, a change in between unseen."""
    op.drop_table("written_topics")
    op.drop_column("consumer_offsets", "began_again_at")
    op.drop_column("consumer_offsets", "topic_id")
