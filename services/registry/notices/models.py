"""What is stored of public notices (C60): what we asked for, and beside it what came of it.

The request is ours and carries the version that we publish; the notice is notify's, in the newest
version heard. Each is written by one side only.
"""

from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, Numeric, Text
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.db import Base
from services.registry.households.models import Code, Moment, OptionalCode


class NoticeRequest(Base):
    """One notice that the registry wants posted, or no longer wants.

    ``division_code`` follows the household; ``announced_in`` is the village at the time.
    """

    __tablename__ = "notice_requests"

    notice_request_id: Mapped[UUID] = mapped_column(primary_key=True)
    household_id: Mapped[UUID] = mapped_column(ForeignKey("households.household_id"))
    division_code: Mapped[Code]
    kind: Mapped[Code]
    episode: Mapped[int]
    category: Mapped[Code]
    n: Mapped[int]
    announced_in: Mapped[Code]
    amount: Mapped[Decimal | None] = mapped_column(Numeric(14, 2))
    applicant_person_id: Mapped[UUID | None]
    applicant_birth_date: Mapped[date | None]
    requested_on: Mapped[date]
    requested_by: Mapped[Code]
    withdrawn_on: Mapped[date | None]
    withdrawn_by: Mapped[OptionalCode]
    withdrawn_reason: Mapped[str | None] = mapped_column(Text)
    version: Mapped[int] = mapped_column(BigInteger)
    recorded_at: Mapped[Moment]

    __table_args__ = (Index("ix_notice_requests_household_id", "household_id"),)


class Notice(Base):
    """What notify last said of the notice of one request."""

    __tablename__ = "notices"

    notice_id: Mapped[UUID] = mapped_column(primary_key=True)
    notice_request_id: Mapped[UUID] = mapped_column(
        ForeignKey("notice_requests.notice_request_id"), unique=True
    )
    household_id: Mapped[UUID]
    division_code: Mapped[Code]
    status: Mapped[Code]
    posted_on: Mapped[date | None]
    last_day: Mapped[date | None]
    objections: Mapped[int]
    outcome: Mapped[OptionalCode]
    refusal: Mapped[OptionalCode]
    closed_on: Mapped[date | None]
    version: Mapped[int] = mapped_column(BigInteger)
    recorded_at: Mapped[Moment]

    __table_args__ = (Index("ix_notices_household_id", "household_id"),)
