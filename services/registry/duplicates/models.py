"""Two registered people who may be one (section 5; never merged by machine)."""

from datetime import date
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.db import Base
from services.registry.households.models import Code, Codes, Moment, OptionalCode


class DuplicateCandidate(Base):
    """A pair and what speaks for it. ``division_code`` is the smallest division that holds both.

    So who covers both sees it, and nobody else.
    """

    __tablename__ = "duplicate_candidates"

    candidate_id: Mapped[UUID] = mapped_column(primary_key=True)
    first_person_id: Mapped[UUID] = mapped_column(ForeignKey("persons.person_id"))
    second_person_id: Mapped[UUID] = mapped_column(ForeignKey("persons.person_id"))
    division_code: Mapped[Code]
    grounds: Mapped[Codes]
    state: Mapped[Code]
    opened_on: Mapped[date]
    decided_on: Mapped[date | None]
    decided_by: Mapped[OptionalCode]
    reason: Mapped[str] = mapped_column(Text)
    recorded_at: Mapped[Moment]

    __table_args__ = (
        Index("uq_duplicate_candidates_pair", "first_person_id", "second_person_id", unique=True),
        Index("ix_duplicate_candidates_division_code", "division_code", "candidate_id"),
    )
