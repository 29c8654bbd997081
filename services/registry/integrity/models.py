"""Integrity records (诚信记录): findings of dishonesty about persons, each signed by two (R27).

What an officer writes is encrypted. ``person_hash`` finds the person again in another household,
as a member or as somebody who owes one support.
"""

from datetime import date
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.db import Base
from services.registry.households.models import Code, Moment, OptionalCode


class IntegrityRecord(Base):
    """One finding. It stands once a second officer confirmed it, to its last day or its lift.

    ``subject_id`` is a person_id or an obligor_id of the household at which it was found;
    ``document`` is the number of the paper that says so. A lift is entered and confirmed by two.
    """

    __tablename__ = "integrity_records"

    record_id: Mapped[UUID] = mapped_column(primary_key=True)
    household_id: Mapped[UUID] = mapped_column(ForeignKey("households.household_id"))
    division_code: Mapped[Code]
    subject_kind: Mapped[Code]
    subject_id: Mapped[UUID]
    person_hash: Mapped[bytes | None]
    kind: Mapped[Code]
    found_on: Mapped[date]
    valid_until: Mapped[date]
    document: Mapped[str] = mapped_column(Text)
    words_encrypted: Mapped[bytes]
    entered_by: Mapped[Code]
    entered_on: Mapped[date]
    confirmed_by: Mapped[OptionalCode]
    confirmed_on: Mapped[date | None]
    withdrawn_by: Mapped[OptionalCode]
    withdrawn_on: Mapped[date | None]
    withdrawn_reason_encrypted: Mapped[bytes | None]
    lift_entered_by: Mapped[OptionalCode]
    lift_entered_on: Mapped[date | None]
    lift_document: Mapped[str] = mapped_column(Text)
    lift_reason_encrypted: Mapped[bytes | None]
    lifted_by: Mapped[OptionalCode]
    lifted_on: Mapped[date | None]
    recorded_at: Mapped[Moment]

    __table_args__ = (
        CheckConstraint("confirmed_by <> entered_by", name="two_officers"),
        CheckConstraint("lifted_by <> lift_entered_by", name="two_officers_lift"),
        CheckConstraint("valid_until > found_on", name="validity"),
        Index("ix_integrity_records_household_id", "household_id", "record_id"),
        Index("ix_integrity_records_subject_id", "subject_id"),
        Index("ix_integrity_records_person_hash", "person_hash"),
    )
