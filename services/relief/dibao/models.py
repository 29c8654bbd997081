"""Every dibao decision ever taken, so that each can be explained years later (C57)."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Index, Numeric, SmallInteger, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.relief.db import Base


class Grant(Base):
    """What one household is owed a month from ``from_month`` until its next live row.

    ``amount`` in yuan, NULL while no line is approved. A decision is never rewritten: what changes
    is superseded and written anew. Only ``division_code`` and ``until_month`` of live rows follow a
    household's moves: within its county it takes them along, and ``until_month`` is the first month
    that another county pays.
    """

    __tablename__ = "dibao_grants"
    __table_args__ = (
        CheckConstraint("amount >= 0", name="amount_not_negative"),
        CheckConstraint("entitled OR amount = 0", name="nothing_unentitled"),
        CheckConstraint("extract(day FROM from_month) = 1", name="from_first_of_month"),
        Index(
            "uq_dibao_grants_live",
            "household_id",
            "from_month",
            unique=True,
            postgresql_where="superseded_at IS NULL",
        ),
        Index(
            "ix_dibao_grants_division",
            "division_code",
            "household_id",
            postgresql_where="superseded_at IS NULL",
        ),
        Index("ix_dibao_grants_household", "household_id", "from_month"),
    )

    grant_id: Mapped[UUID] = mapped_column(primary_key=True)
    household_id: Mapped[UUID]
    division_code: Mapped[str] = mapped_column(Text(collation="C"))
    from_month: Mapped[date]
    until_month: Mapped[date | None]
    amount: Mapped[Decimal | None] = mapped_column(Numeric(14, 2))
    entitled: Mapped[bool]
    reason: Mapped[str] = mapped_column(Text)
    people: Mapped[int] = mapped_column(SmallInteger)
    explanation: Mapped[dict[str, Any]] = mapped_column(JSONB)
    household_version: Mapped[int] = mapped_column(BigInteger)
    decided_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    superseded_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
