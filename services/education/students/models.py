"""Pupils' files with their history, what schools have shown, and what is missing (C33, C34)."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from services.education.db import Base


class StudentFile(Base):
    """One file a person for life, wherever they live and whichever school they go to."""

    __tablename__ = "student_files"
    __table_args__ = (
        Index("ix_student_files_division", "division_code", "person_id"),
        Index("ix_student_files_household", "household_id"),
    )

    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    household_id: Mapped[UUID]
    division_code: Mapped[str] = mapped_column(Text(collation="C"))
    stage: Mapped[str] = mapped_column(Text)
    stage_known: Mapped[bool]
    state: Mapped[str] = mapped_column(Text)
    left_behind: Mapped[bool | None]
    school_code: Mapped[str | None] = mapped_column(Text)
    opened_on: Mapped[date]
    left_on: Mapped[date | None]


class StudentEntry(Base):
    """One line of a file's history: since when, in which household, at which stage."""

    __tablename__ = "student_history"
    __table_args__ = (Index("ix_student_history_person", "person_id", "entry_id"),)

    entry_id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("student_files.person_id"))
    household_id: Mapped[UUID]
    division_code: Mapped[str] = mapped_column(Text(collation="C"))
    from_day: Mapped[date]
    stage: Mapped[str] = mapped_column(Text)
    recorded_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class SchoolStatement(Base):
    """What was shown about a person beside the registry: an enrolment, a case's proved outcome.

    Live until the registry says something new about the person or a newer statement takes its
    place. ``registry_stage`` and ``household_version`` are what the registry said then.
    """

    __tablename__ = "school_statements"
    __table_args__ = (
        Index(
            "uq_school_statements_live",
            "person_id",
            unique=True,
            postgresql_where="superseded_at IS NULL",
        ),
        Index("ix_school_statements_division", "division_code"),
    )

    statement_id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID]
    household_id: Mapped[UUID]
    division_code: Mapped[str] = mapped_column(Text(collation="C"))
    kind: Mapped[str] = mapped_column(Text)
    stage: Mapped[str | None] = mapped_column(Text)
    from_day: Mapped[date]
    school_code: Mapped[str | None] = mapped_column(Text)
    registry_stage: Mapped[str | None] = mapped_column(Text)
    household_version: Mapped[int] = mapped_column(BigInteger)
    reported_by: Mapped[str] = mapped_column(Text)
    reported_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    superseded_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class SchoolGap(Base):
    """A member who is out of school, or of whom it is not known; open until it ends.

    ``doubt`` says what to find out where the standing is unknown: an officer's task.
    """

    __tablename__ = "school_gaps"
    __table_args__ = (
        Index(
            "uq_school_gaps_open",
            "household_id",
            "person_id",
            unique=True,
            postgresql_where="ended_on IS NULL",
        ),
        Index(
            "ix_school_gaps_division",
            "division_code",
            "gap_id",
            postgresql_where="ended_on IS NULL",
        ),
    )

    gap_id: Mapped[UUID] = mapped_column(primary_key=True)
    household_id: Mapped[UUID]
    person_id: Mapped[UUID]
    division_code: Mapped[str] = mapped_column(Text(collation="C"))
    standing: Mapped[str] = mapped_column(Text)
    doubt: Mapped[str | None] = mapped_column(Text)
    since: Mapped[date]
    ended_on: Mapped[date | None]


class SettledHousehold(Base):
    """A household's lock while it is settled, and the day on which to look at it again."""

    __tablename__ = "settled_households"
    __table_args__ = (
        Index("ix_settled_households_look_again", "look_again_on", "household_id"),
        Index("ix_settled_households_division", "division_code"),
    )

    household_id: Mapped[UUID] = mapped_column(primary_key=True)
    division_code: Mapped[str] = mapped_column(Text(collation="C"))
    look_again_on: Mapped[date | None]
