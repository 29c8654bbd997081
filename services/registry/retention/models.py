"""Deletions that were asked for, approved and carried out (section 7, retention)."""

from datetime import date
from uuid import UUID

from sqlalchemy import Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.db import Base
from services.registry.households.models import Code, Moment, OptionalCode
from services.registry.verification.models import OptionalMoment


class AnswerDeletion(Base):
    """One deletion of a county's raw answers whose last use lies before ``used_before``.

    Kept for good: it is the proof of what was deleted, by whose word. ``deleted`` grows as the job
    goes on; ``done_at`` is empty until it has ended.
    """

    __tablename__ = "answer_deletions"

    deletion_id: Mapped[UUID] = mapped_column(primary_key=True)
    division_code: Mapped[Code]
    used_before: Mapped[date]
    reason: Mapped[str] = mapped_column(Text)
    requested_by: Mapped[Code]
    requested_at: Mapped[Moment]
    approved_by: Mapped[OptionalCode]
    approved_at: Mapped[OptionalMoment]
    job_id: Mapped[UUID | None]
    deleted: Mapped[int]
    done_at: Mapped[OptionalMoment]

    __table_args__ = (Index("ix_answer_deletions_division_code", "division_code", "deletion_id"),)
