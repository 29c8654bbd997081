"""Hospital settlements, medical assistance with its yearly cap, daily statements, alarms."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from shared.schema import access

revision = "0020"
down_revision = "0010"
branch_labels = None
depends_on = None

MONEY = sa.Numeric(14, 2)
MOMENT = sa.DateTime(timezone=True)
PLACE = sa.Text(collation="C")
BY_DIVISION = ("medical_settlements", "medical_statements", "medical_grants", "medical_alarms")


def upgrade() -> None:
    _settlements()
    _person_years()
    _statements()
    _grants()
    _alarms()
    access.grant("relief", "medical_settlements", worker="SELECT")
    # A person's year reaches over counties: no api may look at it.
    access.grant("relief", "medical_person_years", api="", worker="SELECT, INSERT, UPDATE")
    access.grant("relief", "medical_statements", worker="SELECT")
    op.execute("GRANT UPDATE (paid_on, confirmed_by) ON medical_statements TO relief_api")
    access.grant("relief", "medical_grants", api="SELECT", worker="SELECT, INSERT, UPDATE")
    access.grant("relief", "medical_alarms", api="SELECT", worker="SELECT, INSERT")
    for table in BY_DIVISION:
        access.protect_by_division(table)


def downgrade() -> None:
    tables = ("alarms", "grants", "statements", "person_years", "settlements")
    for table in tables:
        op.drop_table(f"medical_{table}")


def _settlements() -> None:
    op.create_table(
        "medical_settlements",
        sa.Column("settlement_id", sa.Uuid(), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("settlement_no", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("division_code", PLACE, nullable=False),
        sa.Column("discharged_on", sa.Date(), nullable=False),
        sa.Column("cost", MONEY, nullable=False),
        sa.Column("off_list", MONEY, nullable=False),
        sa.Column("basic_paid", MONEY, nullable=False),
        sa.Column("critical_paid", MONEY, nullable=False),
        sa.Column("other_paid", MONEY, nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.CheckConstraint(
            "off_list BETWEEN 0 AND cost AND basic_paid >= 0 AND critical_paid >= 0"
            " AND other_paid >= 0 AND basic_paid + critical_paid + other_paid <= cost",
            name=op.f("ck_medical_settlements_sums_possible"),
        ),
        sa.PrimaryKeyConstraint("settlement_id", name=op.f("pk_medical_settlements")),
        sa.UniqueConstraint("partner", "settlement_no", name="uq_medical_settlements_number"),
    )
    for name, columns in (
        ("file", ["file_id", "person_id"]),
        ("person", ["person_id", "discharged_on"]),
        ("household", ["household_id", "discharged_on"]),
        ("division", ["division_code", "person_id"]),
    ):
        op.create_index(f"ix_medical_settlements_{name}", "medical_settlements", columns)


def _person_years() -> None:
    op.create_table(
        "medical_person_years",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("granted", MONEY, nullable=False),
        sa.Column("cap", MONEY, nullable=False),
        sa.CheckConstraint(
            "granted BETWEEN 0 AND cap", name=op.f("ck_medical_person_years_within_cap")
        ),
        sa.PrimaryKeyConstraint("person_id", "year", name=op.f("pk_medical_person_years")),
    )


def _statements() -> None:
    op.create_table(
        "medical_statements",
        sa.Column("statement_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("division_code", PLACE, nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=True),
        sa.Column("confirmed_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("statement_id", name=op.f("pk_medical_statements")),
    )
    columns = ["division_code", "day"]
    op.create_index("ix_medical_statements_division", "medical_statements", columns)


def _grants() -> None:
    op.create_table(
        "medical_grants",
        sa.Column("grant_id", sa.Uuid(), nullable=False),
        sa.Column("settlement_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("place", sa.SmallInteger(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("division_code", PLACE, nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("amount", MONEY, nullable=False),
        sa.Column("total", MONEY, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=True),
        sa.Column("basis", JSONB(), nullable=False),
        sa.Column("decided_on", sa.Date(), nullable=False),
        sa.Column("decided_at", MOMENT, nullable=False),
        sa.Column("statement_id", sa.Uuid(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("total >= 0", name=op.f("ck_medical_grants_total_not_negative")),
        sa.CheckConstraint(
            "number > 1 OR amount = total", name=op.f("ck_medical_grants_first_is_whole")
        ),
        sa.CheckConstraint(
            "extract(day FROM month) = 1", name=op.f("ck_medical_grants_first_of_month")
        ),
        sa.ForeignKeyConstraint(
            ["settlement_id"],
            ["medical_settlements.settlement_id"],
            name=op.f("fk_medical_grants_settlement_id"),
        ),
        sa.ForeignKeyConstraint(
            ["statement_id"],
            ["medical_statements.statement_id"],
            name=op.f("fk_medical_grants_statement_id"),
        ),
        sa.PrimaryKeyConstraint("grant_id", name=op.f("pk_medical_grants")),
        sa.UniqueConstraint("settlement_id", "number", name="uq_medical_grants_number"),
    )
    for name in ("division_code", "household_id", "statement_id"):
        index = f"ix_medical_grants_{name.rsplit('_', 1)[0]}"
        op.create_index(index, "medical_grants", [name, "grant_id"])
    op.create_index(
        "ix_medical_grants_unstated",
        "medical_grants",
        ["decided_on", "grant_id"],
        postgresql_where=sa.text("statement_id IS NULL AND amount <> 0"),
    )


def _alarms() -> None:
    op.create_table(
        "medical_alarms",
        sa.Column("hardship_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("division_code", PLACE, nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("self_borne", MONEY, nullable=False),
        sa.Column("detected_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("hardship_id", name=op.f("pk_medical_alarms")),
        sa.UniqueConstraint("household_id", "year", name="uq_medical_alarms_once"),
    )
