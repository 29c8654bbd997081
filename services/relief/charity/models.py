"""A federation's donations, earmarks, allocations and what it tells its donors (C54).

Free words and names are encrypted (``sealed.py``); a receipt is never rewritten.
"""

from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric, Text, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from services.relief.columns import Code, Key, Moment, OptionalCode, Yuan
from services.relief.db import Base


class Federation(Base):
    """The charity federation (慈善总会) of a division; ``last_receipt`` counts its receipts."""

    __tablename__ = "charity_federations"
    __table_args__ = (
        UniqueConstraint("division_code", name="uq_charity_federations_one_a_division"),
    )

    federation_id: Mapped[Key]
    division_code: Mapped[Code]
    name: Mapped[str] = mapped_column(Text)
    last_receipt: Mapped[int]
    created_by: Mapped[Code]
    created_at: Mapped[Moment]


class Manager(Base):
    """Who runs a federation from a day to a day, so that their families are not its beneficiaries.

    ``until_on`` is the last day in office.
    """

    __tablename__ = "charity_managers"
    __table_args__ = (
        UniqueConstraint("federation_id", "officer_id", "from_on", name="uq_charity_managers_once"),
        CheckConstraint("until_on >= from_on", name="ends_after_start"),
    )

    manager_id: Mapped[Key]
    federation_id: Mapped[UUID] = mapped_column(ForeignKey("charity_federations.federation_id"))
    division_code: Mapped[Code]
    officer_id: Mapped[Code]
    person_id: Mapped[UUID | None]
    post: Mapped[str] = mapped_column(Text)
    from_on: Mapped[date]
    until_on: Mapped[date | None]
    recorded_by: Mapped[Code]
    recorded_at: Mapped[Moment]


class Donor(Base):
    """Who gives. ``name_public``: an organisation that agreed to be named in publications."""

    __tablename__ = "charity_donors"
    __table_args__ = (
        CheckConstraint("kind = 'organisation' OR NOT name_public", name="people_are_not_named"),
        Index("ix_charity_donors_federation", "federation_id", "donor_id"),
    )

    donor_id: Mapped[Key]
    federation_id: Mapped[UUID] = mapped_column(ForeignKey("charity_federations.federation_id"))
    division_code: Mapped[Code]
    kind: Mapped[Code]
    name_encrypted: Mapped[bytes]
    contact_encrypted: Mapped[bytes | None]
    person_id: Mapped[UUID | None]
    name_public: Mapped[bool]
    recorded_by: Mapped[Code]
    recorded_at: Mapped[Moment]


class Donation(Base):
    """One receipt: money, or goods at their fair value. Without a donor it is anonymous.

    Nothing of it changes but ``allocated``, the yuan of it that approved allocations hold, and
    ``corrected_by``, the receipt that takes its place; a corrected one counts for nothing.
    """

    __tablename__ = "charity_donations"
    __table_args__ = (
        UniqueConstraint("federation_id", "receipt_no", name="uq_charity_donations_receipt"),
        UniqueConstraint("corrects", name="uq_charity_donations_corrected_once"),
        CheckConstraint("amount > 0", name="amount_positive"),
        CheckConstraint("allocated >= 0 AND allocated <= amount", name="never_below_zero"),
        CheckConstraint("corrected_by IS NULL OR allocated = 0", name="corrected_holds_nothing"),
        Index(
            "uq_charity_donations_voucher",
            "federation_id",
            "voucher_no",
            unique=True,
            postgresql_where=sql("corrected_by IS NULL"),
        ),
        Index("ix_charity_donations_federation", "federation_id", "donation_id"),
    )

    donation_id: Mapped[Key]
    federation_id: Mapped[UUID] = mapped_column(ForeignKey("charity_federations.federation_id"))
    division_code: Mapped[Code]
    receipt_no: Mapped[int]
    voucher_no: Mapped[OptionalCode]
    donor_id: Mapped[UUID | None] = mapped_column(ForeignKey("charity_donors.donor_id"))
    kind: Mapped[Code]
    amount: Mapped[Yuan]
    item: Mapped[str | None] = mapped_column(Text)
    quantity: Mapped[Decimal | None] = mapped_column(Numeric(12, 2))
    unit: Mapped[str | None] = mapped_column(Text)
    value_basis: Mapped[OptionalCode]
    received_on: Mapped[date]
    earmark_purpose: Mapped[OptionalCode]
    earmark_words_encrypted: Mapped[bytes | None]
    earmark_household_id: Mapped[UUID | None]
    public_fund: Mapped[bool]
    appeal_no: Mapped[OptionalCode]
    corrects: Mapped[UUID | None] = mapped_column(ForeignKey("charity_donations.donation_id"))
    allocated: Mapped[Yuan]
    corrected_by: Mapped[UUID | None]
    recorded_by: Mapped[Code]
    recorded_at: Mapped[Moment]


class EarmarkChange(Base):
    """A donation's new earmark and what allowed it; the newest one holds."""

    __tablename__ = "charity_earmark_changes"
    __table_args__ = (Index("ix_charity_earmark_changes_donation", "donation_id", "change_id"),)

    change_id: Mapped[Key]
    donation_id: Mapped[UUID] = mapped_column(ForeignKey("charity_donations.donation_id"))
    division_code: Mapped[Code]
    earmark_purpose: Mapped[OptionalCode]
    earmark_words_encrypted: Mapped[bytes | None]
    earmark_household_id: Mapped[UUID | None]
    ground: Mapped[Code]
    document: Mapped[Code]
    announced_on: Mapped[date | None]
    changed_on: Mapped[date]
    changed_by: Mapped[Code]
    changed_at: Mapped[Moment]


class Allocation(Base):
    """Help for one household from named donations: proposed, decided by another, handed over.

    ``division_code`` is the household's, so that its township sees what it was given; ``month`` is
    the month that the help is for; ``version`` counts its states.
    """

    __tablename__ = "charity_allocations"
    __table_args__ = (
        CheckConstraint("amount > 0", name="amount_positive"),
        CheckConstraint("extract(day FROM month) = 1", name="first_of_month"),
        CheckConstraint("decided_by <> proposed_by", name="two_officers"),
        CheckConstraint(
            "state <> 'handed_over' OR (handed_over_on IS NOT NULL AND proof IS NOT NULL)",
            name="handed_over_with_proof",
        ),
        Index("ix_charity_allocations_household", "household_id", "month"),
        Index("ix_charity_allocations_division", "division_code", "allocation_id"),
        Index("ix_charity_allocations_federation", "federation_id", "allocation_id"),
    )

    allocation_id: Mapped[Key]
    federation_id: Mapped[UUID] = mapped_column(ForeignKey("charity_federations.federation_id"))
    fund: Mapped[Code]
    household_id: Mapped[UUID]
    division_code: Mapped[Code]
    purpose: Mapped[Code]
    month: Mapped[date]
    amount: Mapped[Yuan]
    words_encrypted: Mapped[bytes]
    uncategorised_reason_encrypted: Mapped[bytes | None]
    declared_relation: Mapped[Code]
    state: Mapped[Code]
    proposed_by: Mapped[Code]
    proposed_at: Mapped[Moment]
    decided_by: Mapped[OptionalCode]
    decided_on: Mapped[date | None]
    reason_encrypted: Mapped[bytes | None]
    cancelled_by: Mapped[OptionalCode]
    handed_over_on: Mapped[date | None]
    handed_over_by: Mapped[OptionalCode]
    received_by_encrypted: Mapped[bytes | None]
    proof: Mapped[OptionalCode]
    proof_reference: Mapped[OptionalCode]
    version: Mapped[int]


class AllocationLine(Base):
    """How many yuan of one donation an allocation takes; seen where the donation is."""

    __tablename__ = "charity_allocation_lines"
    __table_args__ = (
        CheckConstraint("amount > 0", name="amount_positive"),
        Index("ix_charity_allocation_lines_donation", "donation_id", "allocation_id"),
    )

    allocation_id: Mapped[UUID] = mapped_column(
        ForeignKey("charity_allocations.allocation_id"), primary_key=True
    )
    donation_id: Mapped[UUID] = mapped_column(
        ForeignKey("charity_donations.donation_id"), primary_key=True
    )
    division_code: Mapped[Code]
    amount: Mapped[Yuan]


class Feedback(Base):
    """What a donor was told: what the gift was for, how many households, when. No names."""

    __tablename__ = "charity_feedback"
    __table_args__ = (Index("ix_charity_feedback_donation", "donation_id", "feedback_id"),)

    feedback_id: Mapped[Key]
    donation_id: Mapped[UUID] = mapped_column(ForeignKey("charity_donations.donation_id"))
    division_code: Mapped[Code]
    text_zh: Mapped[str] = mapped_column(Text)
    told_on: Mapped[date]
    told_by: Mapped[Code]
    told_at: Mapped[Moment]
