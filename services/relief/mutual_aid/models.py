"""Mutual-aid groups with their people and activities; home-care centres (C54, C55)."""

from datetime import date
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Uuid

from services.relief.columns import Code, Key, Moment
from services.relief.db import Base


class Group(Base):
    """A mutual-aid group (互助组织) of a village, from its founding to its last day."""

    __tablename__ = "mutual_aid_groups"
    __table_args__ = (
        CheckConstraint("dissolved_on >= founded_on", name="ends_after_start"),
        Index("ix_mutual_aid_groups_division", "division_code", "group_id"),
    )

    group_id: Mapped[Key]
    division_code: Mapped[Code]
    name: Mapped[str] = mapped_column(Text)
    founded_on: Mapped[date]
    dissolved_on: Mapped[date | None]
    recorded_by: Mapped[Code]
    recorded_at: Mapped[Moment]


class Membership(Base):
    """One person in a group from a day to their last day: its leader, who helps, who is cared for.

    At most one leader at a time; nobody twice in the same role.
    """

    __tablename__ = "mutual_aid_members"
    __table_args__ = (
        CheckConstraint("left_on >= joined_on", name="ends_after_start"),
        Index(
            "uq_mutual_aid_members_one_leader",
            "group_id",
            unique=True,
            postgresql_where=sql("left_on IS NULL AND role = 'leader'"),
        ),
        Index(
            "uq_mutual_aid_members_once",
            "group_id",
            "person_id",
            "role",
            unique=True,
            postgresql_where=sql("left_on IS NULL"),
        ),
        Index("ix_mutual_aid_members_person", "person_id"),
    )

    membership_id: Mapped[Key]
    group_id: Mapped[UUID] = mapped_column(ForeignKey("mutual_aid_groups.group_id"))
    division_code: Mapped[Code]
    person_id: Mapped[UUID]
    role: Mapped[Code]
    joined_on: Mapped[date]
    left_on: Mapped[date | None]
    recorded_by: Mapped[Code]
    recorded_at: Mapped[Moment]


class Activity(Base):
    """One entry of a group's log: what was done on a day, for whom. Never rewritten."""

    __tablename__ = "mutual_aid_activities"
    __table_args__ = (Index("ix_mutual_aid_activities_group", "group_id", "activity_id"),)

    activity_id: Mapped[Key]
    group_id: Mapped[UUID] = mapped_column(ForeignKey("mutual_aid_groups.group_id"))
    division_code: Mapped[Code]
    held_on: Mapped[date]
    kind: Mapped[Code]
    person_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    recorded_by: Mapped[Code]
    recorded_at: Mapped[Moment]


class HomeCareCentre(Base):
    """A home-care centre (居家养老) of a township or village; ``capacity`` in people."""

    __tablename__ = "home_care_centres"
    __table_args__ = (
        CheckConstraint("capacity > 0", name="capacity_positive"),
        CheckConstraint("closed_on >= opened_on", name="ends_after_start"),
        Index("ix_home_care_centres_division", "division_code", "centre_id"),
    )

    centre_id: Mapped[Key]
    division_code: Mapped[Code]
    name: Mapped[str] = mapped_column(Text)
    capacity: Mapped[int]
    opened_on: Mapped[date]
    closed_on: Mapped[date | None]
    recorded_by: Mapped[Code]
    recorded_at: Mapped[Moment]
