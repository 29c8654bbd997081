"""Pupils' files, their history, schools' statements, gaps, and the guarantees given."""

import sqlalchemy as sa
from alembic import op

from shared.schema import access, guarantees_0001

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLES = (
    "student_files",
    "student_history",
    "school_statements",
    "school_gaps",
    "settled_households",
)


def upgrade() -> None:
    _files()
    _statements()
    _gaps()
    _settled()
    # Nobody deletes: files are closed, statements superseded, gaps ended. The api settles a
    # household too, when a school reports an enrolment or a case is opened or closed.
    privileges = "SELECT, INSERT, UPDATE"
    for table in TABLES:
        access.grant("education", table, api=privileges, worker=privileges)
        access.protect_by_division(table)
    guarantees_0001.upgrade("education")
    _settle_what_is_there()


def downgrade() -> None:
    guarantees_0001.downgrade("education")
    for table in ("student_history", *(each for each in TABLES if each != "student_history")):
        op.drop_table(table)


def _settle_what_is_there() -> None:
    """Households copied before there were files: the first day of the worker settles them."""
    op.execute("SELECT set_config('bangfu.divisions', ',', true)")
    op.execute(
        "INSERT INTO settled_households (household_id, division_code, look_again_on)"
        " SELECT household_id, division_code, DATE '2000-01-01' FROM household_copy"
    )
    op.execute("SELECT set_config('bangfu.divisions', '', true)")


def _files() -> None:
    op.create_table(
        "student_files",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("division_code", sa.Text(collation="C"), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("stage_known", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("left_behind", sa.Boolean(), nullable=True),
        sa.Column("school_code", sa.Text(), nullable=True),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("left_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_student_files")),
    )
    op.create_index("ix_student_files_division", "student_files", ["division_code", "person_id"])
    op.create_index("ix_student_files_household", "student_files", ["household_id"])
    op.create_table(
        "student_history",
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("division_code", sa.Text(collation="C"), nullable=False),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["student_files.person_id"], name=op.f("fk_student_history_person_id")
        ),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_student_history")),
    )
    op.create_index("ix_student_history_person", "student_history", ["person_id", "entry_id"])


def _statements() -> None:
    op.create_table(
        "school_statements",
        sa.Column("statement_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("division_code", sa.Text(collation="C"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=True),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("school_code", sa.Text(), nullable=True),
        sa.Column("registry_stage", sa.Text(), nullable=True),
        sa.Column("household_version", sa.BigInteger(), nullable=False),
        sa.Column("reported_by", sa.Text(), nullable=False),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("statement_id", name=op.f("pk_school_statements")),
    )
    op.create_index(
        "uq_school_statements_live",
        "school_statements",
        ["person_id"],
        unique=True,
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.create_index("ix_school_statements_division", "school_statements", ["division_code"])


def _gaps() -> None:
    op.create_table(
        "school_gaps",
        sa.Column("gap_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("division_code", sa.Text(collation="C"), nullable=False),
        sa.Column("standing", sa.Text(), nullable=False),
        sa.Column("doubt", sa.Text(), nullable=True),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("gap_id", name=op.f("pk_school_gaps")),
    )
    still_open = sa.text("ended_on IS NULL")
    op.create_index(
        "uq_school_gaps_open",
        "school_gaps",
        ["household_id", "person_id"],
        unique=True,
        postgresql_where=still_open,
    )
    op.create_index(
        "ix_school_gaps_division",
        "school_gaps",
        ["division_code", "gap_id"],
        postgresql_where=still_open,
    )


def _settled() -> None:
    op.create_table(
        "settled_households",
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("division_code", sa.Text(collation="C"), nullable=False),
        sa.Column("look_again_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("household_id", name=op.f("pk_settled_households")),
    )
    op.create_index(
        "ix_settled_households_look_again",
        "settled_households",
        ["look_again_on", "household_id"],
    )
    op.create_index("ix_settled_households_division", "settled_households", ["division_code"])
