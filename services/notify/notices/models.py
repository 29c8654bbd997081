"""Notices and the objections to them. What is printed and what is objected is encrypted.

``WAITING`` is notify's own: a notice that was asked for and not posted yet, of which nothing has
been published. ``to_post`` is true while a posting is due, the first or one with other content.
"""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    Numeric,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from services.notify.db import Base


class Notice(Base):
    """One notice as requested and as it stands; ``version`` counts its published states.

    ``request_version`` is that of the request last taken. ``objections_dismissed`` counts since the
    last posting.
    """

    __tablename__ = "notices"
    __table_args__ = (
        UniqueConstraint("notice_request_id"),
        CheckConstraint(
            "status IN ('waiting', 'posted', 'objected', 'closed')", name="known_status"
        ),
        CheckConstraint("(status = 'objected') = (objections_open > 0)", name="objected"),
        CheckConstraint("(status = 'closed') = (outcome IS NOT NULL)", name="closed_with_outcome"),
        CheckConstraint(
            "outcome NOT IN ('unopposed', 'objections_dismissed') OR closed_on > last_day",
            name="ends_after_its_days",
        ),
        CheckConstraint("last_day >= posted_on + 7", name="seven_full_days"),
        Index("ix_notices_division", "division_code", "notice_id"),
        Index("ix_notices_due", "last_day", postgresql_where=text("status = 'posted'")),
        Index("ix_notices_to_post", "notice_id", postgresql_where=text("to_post")),
    )

    notice_id: Mapped[UUID] = mapped_column(primary_key=True)
    notice_request_id: Mapped[UUID]
    request_version: Mapped[int] = mapped_column(BigInteger)
    household_id: Mapped[UUID] = mapped_column(index=True)
    division_code: Mapped[str] = mapped_column(Text(collation="C"))
    kind: Mapped[str] = mapped_column(Text)
    episode: Mapped[int]
    category: Mapped[str | None] = mapped_column(Text)
    n: Mapped[int]
    amount: Mapped[Decimal | None] = mapped_column(Numeric(14, 2))
    applicant_person_id: Mapped[UUID | None]
    applicant_birth_date: Mapped[date | None]
    requested_on: Mapped[date]
    status: Mapped[str] = mapped_column(Text)
    to_post: Mapped[bool]
    content_encrypted: Mapped[bytes | None]
    posted_on: Mapped[date | None]
    last_day: Mapped[date | None]
    days_parameter_id: Mapped[UUID | None]
    objections_open: Mapped[int]
    objections_dismissed: Mapped[int]
    outcome: Mapped[str | None] = mapped_column(Text)
    refusal: Mapped[str | None] = mapped_column(Text)
    refusal_rule: Mapped[str | None] = mapped_column(Text)
    closed_on: Mapped[date | None]
    version: Mapped[int] = mapped_column(BigInteger)


class Objection(Base):
    """What somebody objects, recorded by one officer and answered by another."""

    __tablename__ = "notice_objections"
    __table_args__ = (
        CheckConstraint("outcome IN ('dismissed', 'upheld', 'lapsed')", name="known_outcome"),
        CheckConstraint("answered_by <> recorded_by", name="two_people"),
        Index("ix_notice_objections_notice", "notice_id", "objection_id"),
    )

    objection_id: Mapped[UUID] = mapped_column(primary_key=True)
    notice_id: Mapped[UUID] = mapped_column(ForeignKey("notices.notice_id"))
    division_code: Mapped[str] = mapped_column(Text(collation="C"), index=True)
    text_encrypted: Mapped[bytes]
    objector_encrypted: Mapped[bytes]
    contact_encrypted: Mapped[bytes | None]
    recorded_by: Mapped[str] = mapped_column(Text)
    recorded_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    outcome: Mapped[str | None] = mapped_column(Text)
    reason_encrypted: Mapped[bytes | None]
    answered_by: Mapped[str | None] = mapped_column(Text)
    answered_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
