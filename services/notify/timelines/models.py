"""What happened to households, as every service published it; codes and sums, no names.

``division_code`` is null until the household itself has arrived: such rows are seen by nobody.
"""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, Numeric, SmallInteger, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.notify.db import Base


class Happening(Base):
    """One thing that happened. ``part`` tells the several that one aggregate speaks of apart.

    ``code`` is the programme, the guarantee's or the hardship's kind, or the category. ``month`` is
    the month that a measure counts in: its own, or else that of its grant. ``newest`` is false for
    what a guarantee was before; everything else is the newest by itself.
    """

    __tablename__ = "happenings"
    __table_args__ = (
        Index(
            "ix_happenings_household",
            "household_id",
            "happened_on",
            "rank",
            "source",
            "aggregate_id",
            "part",
        ),
        Index("ix_happenings_division", "division_code", "kind", "happened_on"),
        Index(
            "ix_happenings_measures",
            "division_code",
            "month",
            postgresql_where=text("kind = 'assistance'"),
        ),
        Index(
            "ix_happenings_guarantees",
            "division_code",
            "code",
            postgresql_where=text("kind = 'guarantee' AND newest"),
        ),
    )

    source: Mapped[str] = mapped_column(Text, primary_key=True)
    aggregate_id: Mapped[UUID] = mapped_column(primary_key=True)
    part: Mapped[str] = mapped_column(Text, primary_key=True)
    household_id: Mapped[UUID]
    division_code: Mapped[str | None] = mapped_column(Text(collation="C"))
    happened_on: Mapped[date]
    rank: Mapped[int] = mapped_column(SmallInteger)
    kind: Mapped[str] = mapped_column(Text)
    code: Mapped[str | None] = mapped_column(Text)
    amount: Mapped[Decimal | None] = mapped_column(Numeric(14, 2))
    month: Mapped[date | None]
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB)
    version: Mapped[int] = mapped_column(BigInteger)
    newest: Mapped[bool]
