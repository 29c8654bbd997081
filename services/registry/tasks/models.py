"""The township's board: what waits to be done, where, and until when (C5).

A task is opened and closed by the capability whose work it is; the board lists them.
"""

from datetime import date
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Boolean, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.db import Base
from services.registry.households.models import Code, Moment


class TaskKind(StrEnum):
    """Whose work a task is; the subject's id is the one that capability's routes take."""

    RETURN_CHECK = "return_check"
    ACCEPTANCE = "acceptance"
    SURVEY = "survey"
    APPRAISAL = "appraisal"
    OPINION = "opinion"
    ANNOUNCEMENT = "announcement"
    COUNTY_VISIT = "county_visit"
    DECISION = "decision"
    DELIVERY = "delivery"
    LEAD_VISIT = "lead_visit"
    LEAD_DECISION = "lead_decision"
    SPLIT_REVIEW = "split_review"
    SOURCE_CONFLICT = "source_conflict"
    DEATH_REVIEW = "death_review"
    DUPLICATE_CANDIDATE = "duplicate_candidate"
    HANDOVER = "handover"
    RE_PAIR = "re_pair"
    HELPER_VISIT = "helper_visit"
    TRACKING_VISIT = "tracking_visit"
    REVIEW = "review"
    PLAN = "plan"
    PLAN_RESULT = "plan_result"
    INCOME_FALL = "income_fall"
    VERIFICATION_DOUBT = "verification_doubt"
    VERIFICATION_DEATH_MARK = "verification_death_mark"


class Task(Base):
    """One thing to be done; open while ``closed_on`` is empty, and then the only one of its kind.

    ``due_on`` is empty where the county has no approved time limit; ``due_provisional`` says that
    a day was counted that no announced calendar covers yet.
    """

    __tablename__ = "tasks"

    task_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[Code]
    subject_id: Mapped[UUID]
    household_id: Mapped[UUID | None] = mapped_column(ForeignKey("households.household_id"))
    division_code: Mapped[Code]
    opened_on: Mapped[date]
    due_on: Mapped[date | None]
    due_provisional: Mapped[bool] = mapped_column(Boolean)
    closed_on: Mapped[date | None]
    recorded_at: Mapped[Moment]

    __table_args__ = (
        Index(
            "uq_tasks_kind_subject_id",
            "kind",
            "subject_id",
            unique=True,
            postgresql_where=text("closed_on IS NULL"),
        ),
        Index("ix_tasks_division_code", "division_code", "due_on", "task_id"),
        Index("ix_tasks_household_id", "household_id"),
    )
