"""What is stored of households and persons (C2, C6): current rows, and the archive in two times.

Every table carries ``division_code`` for the forced row-level security. The archive and the
decisions are append-only by grants, but for the division code, which follows a moving household.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, Numeric, SmallInteger, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.db import Base

Code = Annotated[str, mapped_column(Text(collation="C"))]
OptionalCode = Annotated[str | None, mapped_column(Text(collation="C"))]
Codes = Annotated[list[str], mapped_column(ARRAY(Text(collation="C")))]
Money = Annotated[Decimal, mapped_column(Numeric(14, 2))]
Moment = Annotated[datetime, mapped_column(TIMESTAMP(timezone=True))]
Json = Annotated[Any, mapped_column(JSONB)]


class Person(Base):
    """A human being, once for life. The hash is unique over all counties, seen or not."""

    __tablename__ = "persons"

    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    division_code: Mapped[Code]
    id_number_encrypted: Mapped[bytes | None]
    id_number_hash: Mapped[bytes | None] = mapped_column(unique=True)
    name: Mapped[Code]
    sex: Mapped[Code]
    birth_date: Mapped[date]
    phone_encrypted: Mapped[bytes | None]
    phone_hash: Mapped[bytes | None]
    recorded_at: Mapped[Moment]

    __table_args__ = (
        Index("ix_persons_name", "name", "person_id"),
        Index("ix_persons_birth_date", "birth_date", "name"),
        Index("ix_persons_phone_hash", "phone_hash"),
    )


class Household(Base):
    """A household file as it stands now.

    ``version`` counts the published states and ``revision`` every change, personal data included:
    it is the ETag. ``effective_from`` belongs to the version.
    """

    __tablename__ = "households"

    household_id: Mapped[UUID] = mapped_column(primary_key=True)
    household_no: Mapped[Code] = mapped_column(unique=True)
    division_code: Mapped[Code]
    state: Mapped[Code]
    category: Mapped[OptionalCode]
    tags: Mapped[Codes]
    causes: Mapped[Codes]
    rule_set: Mapped[OptionalCode]
    keep_policy_until: Mapped[date | None]
    house_grade: Mapped[OptionalCode]
    income_wage: Mapped[Money]
    income_business: Mapped[Money]
    income_property: Mapped[Money]
    income_transfer: Mapped[Money]
    rigid_medical: Mapped[Money]
    rigid_education: Mapped[Money]
    rigid_disability: Mapped[Money]
    rigid_other: Mapped[Money]
    assets_financial: Mapped[Money]
    vehicles: Mapped[int]
    head_person_id: Mapped[UUID] = mapped_column(ForeignKey("persons.person_id"))
    n: Mapped[int]
    episode: Mapped[int]
    effective_from: Mapped[date]
    origin: Mapped[Code]
    opened_on: Mapped[date]
    version: Mapped[int] = mapped_column(BigInteger)
    revision: Mapped[int] = mapped_column(BigInteger)
    phone_encrypted: Mapped[bytes | None]
    phone_hash: Mapped[bytes | None]
    account_encrypted: Mapped[bytes | None]
    recorded_at: Mapped[Moment]

    __table_args__ = (
        Index("ix_households_division_code", "division_code", "household_id"),
        Index("ix_households_phone_hash", "phone_hash"),
        Index("ix_households_head_person_id", "head_person_id"),
    )


class Member(Base):
    """One person's place in one household: standing there, or left on a day."""

    __tablename__ = "members"

    household_id: Mapped[UUID] = mapped_column(
        ForeignKey("households.household_id"), primary_key=True
    )
    person_id: Mapped[UUID] = mapped_column(ForeignKey("persons.person_id"), primary_key=True)
    division_code: Mapped[Code]
    relation: Mapped[Code]
    health: Mapped[OptionalCode]
    disability_kind: Mapped[OptionalCode]
    disability_grade: Mapped[int | None] = mapped_column(SmallInteger)
    labor_ability: Mapped[OptionalCode]
    willing_to_work: Mapped[bool | None]
    education: Mapped[OptionalCode]
    school_stage: Mapped[OptionalCode]
    work: Mapped[OptionalCode]
    insured: Mapped[bool | None]
    left_behind: Mapped[bool | None]
    counted: Mapped[bool]
    left_on: Mapped[date | None]
    left_reason: Mapped[OptionalCode]

    __table_args__ = (
        # A person stands in at most one household at a time.
        Index(
            "uq_members_standing",
            "person_id",
            unique=True,
            postgresql_where=text("left_on IS NULL"),
        ),
    )


class Episode(Base):
    """One stay on assistance, from its decision on."""

    __tablename__ = "episodes"

    household_id: Mapped[UUID] = mapped_column(
        ForeignKey("households.household_id"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True)
    division_code: Mapped[Code]
    origin: Mapped[Code]
    identified_on: Mapped[date]
    lifted_on: Mapped[date | None]
    exited_on: Mapped[date | None]
    decided_by: Mapped[str] = mapped_column(Text)
    missing_evidence: Mapped[Codes]


class HouseholdVersion(Base):
    """The archive: ``facts`` held from ``valid_from`` on, as known from ``recorded_at`` on.

    Of the rows known at a moment the one with the greatest ``valid_from`` up to a day, then the
    greatest ``revision``, says what held on that day.
    """

    __tablename__ = "household_versions"

    household_id: Mapped[UUID] = mapped_column(
        ForeignKey("households.household_id"), primary_key=True
    )
    valid_from: Mapped[date] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    division_code: Mapped[Code]
    version: Mapped[int] = mapped_column(BigInteger)
    facts: Mapped[Json]
    recorded_at: Mapped[Moment]


class Decision(Base):
    """A decision of the life cycle, with all it was made on, so that it can be made again."""

    __tablename__ = "decisions"

    decision_id: Mapped[UUID] = mapped_column(primary_key=True)
    household_id: Mapped[UUID] = mapped_column(ForeignKey("households.household_id"))
    division_code: Mapped[Code]
    episode: Mapped[int]
    kind: Mapped[Code]
    decided_on: Mapped[date]
    officer_id: Mapped[Code]
    reason: Mapped[str] = mapped_column(Text)
    rule_set: Mapped[OptionalCode]
    category: Mapped[OptionalCode]
    checks: Mapped[Json]
    parameters: Mapped[Json]
    facts: Mapped[Json]
    revision: Mapped[int] = mapped_column(BigInteger)
    recorded_at: Mapped[Moment]

    __table_args__ = (Index("ix_decisions_household_id", "household_id", "decided_on"),)


class HouseholdSerial(Base):
    """The last serial given in a village: a printed number is never given twice."""

    __tablename__ = "household_serials"

    division_code: Mapped[Code] = mapped_column(primary_key=True)
    last: Mapped[int]
