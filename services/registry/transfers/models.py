"""Who is to move from one county or township to another, and how far it has come (section 5)."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Index, Text, text
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.db import Base
from services.registry.households.models import Code, Moment, OptionalCode


class TransferTask(Base):
    """A person, or with ``household_id`` a whole household, that one place wants from another.

    ``division_code`` is the village that takes over and ``from_county`` the county that holds them;
    ``offered_from`` is the village of a household that was offered unasked. ``moves_on`` is the
    first day on which the holder lets go.
    """

    __tablename__ = "transfer_tasks"

    task_id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID]
    household_id: Mapped[UUID | None]
    from_county: Mapped[Code]
    offered_from: Mapped[OptionalCode]
    division_code: Mapped[Code]
    state: Mapped[Code] = mapped_column(server_default="requested")
    opened_by: Mapped[str] = mapped_column(Text)
    opened_at: Mapped[Moment]
    moves_on: Mapped[date | None]
    new_head_person_id: Mapped[UUID | None]
    decided_by: Mapped[OptionalCode]
    decided_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    reason: Mapped[str] = mapped_column(Text, server_default="")
    taken_over_by: Mapped[OptionalCode]
    taken_over_on: Mapped[date | None]

    __table_args__ = (
        Index(
            "uq_transfer_tasks_person_id_division_code",
            "person_id",
            "division_code",
            unique=True,
            postgresql_where=text("state = 'requested' OR state = 'agreed'"),
        ),
        Index(
            "uq_transfer_tasks_agreed",
            "person_id",
            unique=True,
            postgresql_where=text("state = 'agreed'"),
        ),
    )
