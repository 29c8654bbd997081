"""Public notices and the objections to them."""

import sqlalchemy as sa
from alembic import op

from shared.schema import access

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _notices()
    _objections()
    # No DELETE for anybody: a notice is closed and an objection answered, never removed.
    access.grant("notify", "notices", api="SELECT, UPDATE", worker="SELECT, INSERT, UPDATE")
    access.grant(
        "notify", "notice_objections", api="SELECT, INSERT, UPDATE", worker="SELECT, UPDATE"
    )
    for table in ("notices", "notice_objections"):
        access.protect_by_division(table)


def downgrade() -> None:
    for table in ("notice_objections", "notices"):
        op.drop_table(table)


def _notices() -> None:
    op.create_table(
        "notices",
        sa.Column("notice_id", sa.Uuid(), nullable=False),
        sa.Column("notice_request_id", sa.Uuid(), nullable=False),
        sa.Column("request_version", sa.BigInteger(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("division_code", sa.Text(collation="C"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("episode", sa.Integer(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("amount", sa.Numeric(14, 2), nullable=True),
        sa.Column("applicant_person_id", sa.Uuid(), nullable=True),
        sa.Column("applicant_birth_date", sa.Date(), nullable=True),
        sa.Column("requested_on", sa.Date(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("to_post", sa.Boolean(), nullable=False),
        sa.Column("content_encrypted", sa.LargeBinary(), nullable=True),
        sa.Column("posted_on", sa.Date(), nullable=True),
        sa.Column("last_day", sa.Date(), nullable=True),
        sa.Column("days_parameter_id", sa.Uuid(), nullable=True),
        sa.Column("objections_open", sa.Integer(), nullable=False),
        sa.Column("objections_dismissed", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("refusal", sa.Text(), nullable=True),
        sa.Column("refusal_rule", sa.Text(), nullable=True),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "status IN ('waiting', 'posted', 'objected', 'closed')",
            name=op.f("ck_notices_known_status"),
        ),
        sa.CheckConstraint(
            "(status = 'objected') = (objections_open > 0)", name=op.f("ck_notices_objected")
        ),
        sa.CheckConstraint(
            "(status = 'closed') = (outcome IS NOT NULL)",
            name=op.f("ck_notices_closed_with_outcome"),
        ),
        sa.CheckConstraint(
            "outcome NOT IN ('unopposed', 'objections_dismissed') OR closed_on > last_day",
            name=op.f("ck_notices_ends_after_its_days"),
        ),
        sa.CheckConstraint("last_day >= posted_on + 7", name=op.f("ck_notices_seven_full_days")),
        sa.PrimaryKeyConstraint("notice_id", name=op.f("pk_notices")),
        sa.UniqueConstraint("notice_request_id", name=op.f("uq_notices_notice_request_id")),
    )
    op.create_index("ix_notices_division", "notices", ["division_code", "notice_id"])
    op.create_index("ix_notices_household_id", "notices", ["household_id"])
    op.create_index(
        "ix_notices_due", "notices", ["last_day"], postgresql_where=sa.text("status = 'posted'")
    )
    op.create_index(
        "ix_notices_to_post", "notices", ["notice_id"], postgresql_where=sa.text("to_post")
    )


def _objections() -> None:
    op.create_table(
        "notice_objections",
        sa.Column("objection_id", sa.Uuid(), nullable=False),
        sa.Column("notice_id", sa.Uuid(), nullable=False),
        sa.Column("division_code", sa.Text(collation="C"), nullable=False),
        sa.Column("text_encrypted", sa.LargeBinary(), nullable=False),
        sa.Column("objector_encrypted", sa.LargeBinary(), nullable=False),
        sa.Column("contact_encrypted", sa.LargeBinary(), nullable=True),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("reason_encrypted", sa.LargeBinary(), nullable=True),
        sa.Column("answered_by", sa.Text(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "outcome IN ('dismissed', 'upheld', 'lapsed')",
            name=op.f("ck_notice_objections_known_outcome"),
        ),
        sa.CheckConstraint(
            "answered_by <> recorded_by", name=op.f("ck_notice_objections_two_people")
        ),
        sa.ForeignKeyConstraint(
            ["notice_id"],
            ["notices.notice_id"],
            name=op.f("fk_notice_objections_notice_id_notices"),
        ),
        sa.PrimaryKeyConstraint("objection_id", name=op.f("pk_notice_objections")),
    )
    op.create_index(
        "ix_notice_objections_notice", "notice_objections", ["notice_id", "objection_id"]
    )
    op.create_index("ix_notice_objections_division_code", "notice_objections", ["division_code"])
