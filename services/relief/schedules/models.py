"""What is stored of every decision of a monthly programme, so that each can be explained (C57)."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Index, Numeric, SmallInteger, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from services.relief.db import Base


class Grant(Base):
    """What one household is owed a month from ``from_month`` until its next live row.

    ``amount`` in yuan, NULL while a standard is missing. A decision is never rewritten: what
    changes is superseded and written anew. Only ``division_code`` and ``until_month`` of live rows
    follow a household's moves: within its county it takes them along, and ``until_month`` is the
    first month that another county pays.
    """

    __abstract__ = True

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

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[Any, ...]:
        """The keys and checks under the table's own name."""
        table, live = cls.__tablename__, "superseded_at IS NULL"
        return (
            CheckConstraint("amount >= 0", name="amount_not_negative"),
            CheckConstraint("entitled OR amount = 0", name="nothing_unentitled"),
            CheckConstraint("extract(day FROM from_month) = 1", name="from_first_of_month"),
            Index(
                f"uq_{table}_live",
                "household_id",
                "from_month",
                unique=True,
                postgresql_where=live,
            ),
            Index(f"ix_{table}_division", "division_code", "household_id", postgresql_where=live),
            Index(f"ix_{table}_household", "household_id", "from_month"),
        )
