"""The numbers by which others know a household (section 7)."""

from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.db import Base
from services.registry.households.models import Code, Moment


class HouseholdAlias(Base):
    """A household's number in another book: the national system's, or the hukou booklet's."""

    __tablename__ = "household_aliases"

    household_id: Mapped[UUID] = mapped_column(
        ForeignKey("households.household_id"), primary_key=True
    )
    kind: Mapped[Code] = mapped_column(primary_key=True)
    number: Mapped[Code]
    division_code: Mapped[Code]
    recorded_by: Mapped[Code]
    recorded_at: Mapped[Moment]

    __table_args__ = (
        Index("ix_household_aliases_number", "number"),
        Index(
            "uq_household_aliases_national",
            "number",
            unique=True,
            postgresql_where=text("kind = 'national_household_no'"),
        ),
    )
