"""What is kept of partners' batches: each line carried out once, with its verdict (domain 9)."""

from uuid import UUID

from sqlalchemy import Integer, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.db import Base
from services.registry.households.models import Code, Moment


class BatchLine(Base):
    """One line that was carried out; what it said is kept as a hash alone."""

    __tablename__ = "batch_lines"

    partner: Mapped[Code] = mapped_column(primary_key=True)
    batch: Mapped[Code] = mapped_column(primary_key=True)
    line: Mapped[int] = mapped_column(Integer, primary_key=True)
    division_code: Mapped[Code]
    content_hash: Mapped[bytes] = mapped_column(LargeBinary)
    verdict: Mapped[Code]
    household_id: Mapped[UUID]
    recorded_at: Mapped[Moment]
