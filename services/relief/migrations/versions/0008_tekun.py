"""Tekun: decisions kept for good, self-care assessments, institutions and forms of support."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from shared.schema import access

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# What the api signs; everything else of a row stands as it was entered.
SIGNED = {
    "tekun_assessments": "confirmed_by, confirmed_at, confirmed_on, withdrawn_at",
    "tekun_reassessments": "closed_on, assessment_id",
    "tekun_institution_accounts": "confirmed_by, confirmed_at, withdrawn_at",
}


def upgrade() -> None:
    _grants()
    _assessments()
    _reassessments()
    _institutions()
    _accounts()
    _supports()
    # No DELETE for anybody: a decision is superseded, an assessment withdrawn, none is removed.
    access.grant("relief", "tekun_grants", api="SELECT", worker="SELECT, INSERT, UPDATE")
    access.protect_by_division("tekun_grants")
    for table in ("tekun_assessments", "tekun_reassessments", "tekun_supports"):
        access.grant("relief", table, worker="SELECT")
        op.execute(f"GRANT UPDATE (division_code) ON {table} TO relief_worker")
        access.protect_by_division(table)
    op.execute("GRANT UPDATE (due_on, due_provisional) ON tekun_reassessments TO relief_worker")
    for table in ("tekun_institutions", "tekun_institution_accounts"):
        access.grant("relief", table, worker="SELECT")
        access.protect_by_division(table)
    for table, columns in SIGNED.items():
        op.execute(f"GRANT UPDATE ({columns}) ON {table} TO relief_api")


def downgrade() -> None:
    for table in (
        "tekun_supports",
        "tekun_institution_accounts",
        "tekun_institutions",
        "tekun_reassessments",
        "tekun_assessments",
        "tekun_grants",
    ):
        op.drop_table(table)


def _grants() -> None:
    op.create_table(
        "tekun_grants",
        sa.Column("grant_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("division_code", sa.Text(collation="C"), nullable=False),
        sa.Column("from_month", sa.Date(), nullable=False),
        sa.Column("until_month", sa.Date(), nullable=True),
        sa.Column("amount", sa.Numeric(14, 2), nullable=True),
        sa.Column("entitled", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("people", sa.SmallInteger(), nullable=False),
        sa.Column("payee", sa.Text(), nullable=False),
        sa.Column("institution_id", sa.Uuid(), nullable=True),
        sa.Column("explanation", JSONB(), nullable=False),
        sa.Column("household_version", sa.BigInteger(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_tekun_grants_amount_not_negative")),
        sa.CheckConstraint(
            "entitled OR amount = 0", name=op.f("ck_tekun_grants_nothing_unentitled")
        ),
        sa.CheckConstraint(
            "extract(day FROM from_month) = 1", name=op.f("ck_tekun_grants_from_first_of_month")
        ),
        sa.PrimaryKeyConstraint("grant_id", name=op.f("pk_tekun_grants")),
    )
    live = sa.text("superseded_at IS NULL")
    op.create_index(
        "uq_tekun_grants_live",
        "tekun_grants",
        ["household_id", "from_month"],
        unique=True,
        postgresql_where=live,
    )
    op.create_index(
        "ix_tekun_grants_division",
        "tekun_grants",
        ["division_code", "household_id"],
        postgresql_where=live,
    )
    op.create_index("ix_tekun_grants_household", "tekun_grants", ["household_id", "from_month"])


def _assessments() -> None:
    op.create_table(
        "tekun_assessments",
        sa.Column("assessment_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("division_code", sa.Text(collation="C"), nullable=False),
        sa.Column("assessed_on", sa.Date(), nullable=False),
        sa.Column("failed", ARRAY(sa.Text()), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("document_number", sa.Text(), nullable=True),
        sa.Column("attachment_id", sa.Uuid(), nullable=True),
        sa.Column("assessor", sa.Text(), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_by", sa.Text(), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("confirmed_on", sa.Date(), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "level IN ('able', 'partly', 'lost')", name=op.f("ck_tekun_assessments_level_known")
        ),
        sa.CheckConstraint(
            "confirmed_by <> assessor", name=op.f("ck_tekun_assessments_two_people")
        ),
        sa.CheckConstraint(
            "num_nulls(confirmed_by, confirmed_at, confirmed_on) IN (0, 3)",
            name=op.f("ck_tekun_assessments_confirmed_whole"),
        ),
        sa.CheckConstraint(
            "num_nulls(confirmed_at, withdrawn_at) > 0",
            name=op.f("ck_tekun_assessments_confirmed_or_withdrawn"),
        ),
        sa.CheckConstraint(
            "num_nonnulls(document_number, attachment_id) > 0",
            name=op.f("ck_tekun_assessments_evidence"),
        ),
        sa.PrimaryKeyConstraint("assessment_id", name=op.f("pk_tekun_assessments")),
    )
    op.create_index(
        "uq_tekun_assessments_waiting",
        "tekun_assessments",
        ["person_id"],
        unique=True,
        postgresql_where=sa.text("confirmed_at IS NULL AND withdrawn_at IS NULL"),
    )
    op.create_index(
        "ix_tekun_assessments_household", "tekun_assessments", ["household_id", "assessment_id"]
    )
    op.create_index(
        "ix_tekun_assessments_division", "tekun_assessments", ["division_code", "assessment_id"]
    )


def _reassessments() -> None:
    op.create_table(
        "tekun_reassessments",
        sa.Column("reassessment_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("division_code", sa.Text(collation="C"), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("reported_on", sa.Date(), nullable=False),
        sa.Column("reported_by", sa.Text(), nullable=False),
        sa.Column("working_days", sa.SmallInteger(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("due_provisional", sa.Boolean(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("assessment_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["assessment_id"],
            ["tekun_assessments.assessment_id"],
            name=op.f("fk_tekun_reassessments_assessment_id"),
        ),
        sa.PrimaryKeyConstraint("reassessment_id", name=op.f("pk_tekun_reassessments")),
    )
    still_open = sa.text("closed_on IS NULL")
    op.create_index(
        "uq_tekun_reassessments_open",
        "tekun_reassessments",
        ["person_id"],
        unique=True,
        postgresql_where=still_open,
    )
    op.create_index(
        "ix_tekun_reassessments_division",
        "tekun_reassessments",
        ["division_code", "reassessment_id"],
        postgresql_where=still_open,
    )
    op.create_index(
        "ix_tekun_reassessments_household",
        "tekun_reassessments",
        ["household_id", "reassessment_id"],
    )


def _institutions() -> None:
    op.create_table(
        "tekun_institutions",
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("division_code", sa.Text(collation="C"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("entered_by", sa.Text(), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("institution_id", name=op.f("pk_tekun_institutions")),
        sa.UniqueConstraint("division_code", "name", name="uq_tekun_institutions_name"),
    )
    op.create_index(
        "ix_tekun_institutions_division", "tekun_institutions", ["division_code", "institution_id"]
    )


def _accounts() -> None:
    table = "tekun_institution_accounts"
    op.create_table(
        table,
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("division_code", sa.Text(collation="C"), nullable=False),
        sa.Column("bank", sa.Text(), nullable=False),
        sa.Column("account_encrypted", sa.LargeBinary(), nullable=False),
        sa.Column("entered_by", sa.Text(), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_by", sa.Text(), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("confirmed_by <> entered_by", name=op.f(f"ck_{table}_two_people")),
        sa.CheckConstraint(
            "num_nulls(confirmed_by, confirmed_at) IN (0, 2)",
            name=op.f(f"ck_{table}_confirmed_whole"),
        ),
        sa.CheckConstraint(
            "num_nulls(confirmed_at, withdrawn_at) > 0",
            name=op.f(f"ck_{table}_confirmed_or_withdrawn"),
        ),
        sa.ForeignKeyConstraint(
            ["institution_id"],
            ["tekun_institutions.institution_id"],
            name=op.f(f"fk_{table}_institution_id"),
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f(f"pk_{table}")),
    )
    op.create_index(
        f"uq_{table}_waiting",
        table,
        ["institution_id"],
        unique=True,
        postgresql_where=sa.text("confirmed_at IS NULL AND withdrawn_at IS NULL"),
    )
    op.create_index(f"ix_{table}_institution", table, ["institution_id", "account_id"])
    op.create_index(f"ix_{table}_division", table, ["division_code"])


def _supports() -> None:
    op.create_table(
        "tekun_supports",
        sa.Column("support_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("division_code", sa.Text(collation="C"), nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("institution_id", sa.Uuid(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(form = 'centralised') = (institution_id IS NOT NULL)",
            name=op.f("ck_tekun_supports_where_fits"),
        ),
        sa.ForeignKeyConstraint(
            ["institution_id"],
            ["tekun_institutions.institution_id"],
            name=op.f("fk_tekun_supports_institution_id"),
        ),
        sa.PrimaryKeyConstraint("support_id", name=op.f("pk_tekun_supports")),
    )
    op.create_index("ix_tekun_supports_household", "tekun_supports", ["household_id", "support_id"])
    op.create_index("ix_tekun_supports_division", "tekun_supports", ["division_code"])
