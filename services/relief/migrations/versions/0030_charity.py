"""Charity federations, what they were given, and whom they helped with it."""

from alembic import op

from shared.schema.access import grant, protect_by_division

revision = "0030"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in (*_TABLES, *_INDEXES):
        op.execute(statement)
    for table, api in _GRANTS.items():
        # The worker reads: what charity holds is moved by officers alone.
        grant("relief", table, api=api, worker="SELECT")
        protect_by_division(table)
    # But help goes along with a household that moves within its county.
    op.execute("GRANT UPDATE (division_code) ON charity_allocations TO relief_worker")


def downgrade() -> None:
    for table in reversed(_GRANTS):
        op.execute(f"DROP TABLE {table}")


_GRANTS = {
    "charity_federations": "SELECT, INSERT, UPDATE (last_receipt)",
    "charity_managers": "SELECT, INSERT, UPDATE (until_on)",
    "charity_donors": "SELECT, INSERT",
    "charity_donations": "SELECT, INSERT, UPDATE (allocated, corrected_by)",
    "charity_earmark_changes": "SELECT, INSERT",
    "charity_allocations": (
        "SELECT, INSERT, UPDATE (state, decided_by, decided_on, reason_encrypted, "
        "cancelled_by, handed_over_on, handed_over_by, received_by_encrypted, proof, "
        "proof_reference, version)"
    ),
    "charity_allocation_lines": "SELECT, INSERT",
    "charity_feedback": "SELECT, INSERT",
}
"""What the api may do with each table, in the order in which they are made."""

_TABLES = (
    """
CREATE TABLE charity_federations (
    federation_id uuid NOT NULL,
    division_code text COLLATE "C" NOT NULL,
    name text NOT NULL,
    last_receipt integer NOT NULL,
    created_by text COLLATE "C" NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT pk_charity_federations PRIMARY KEY (federation_id),
    CONSTRAINT uq_charity_federations_one_a_division UNIQUE (division_code)
)""",
    """
CREATE TABLE charity_managers (
    manager_id uuid NOT NULL,
    federation_id uuid NOT NULL,
    division_code text COLLATE "C" NOT NULL,
    officer_id text COLLATE "C" NOT NULL,
    person_id uuid,
    post text NOT NULL,
    from_on date NOT NULL,
    until_on date,
    recorded_by text COLLATE "C" NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT pk_charity_managers PRIMARY KEY (manager_id),
    CONSTRAINT uq_charity_managers_once UNIQUE (federation_id, officer_id, from_on),
    CONSTRAINT ck_charity_managers_ends_after_start CHECK (until_on >= from_on),
    CONSTRAINT fk_charity_managers_federation_id
        FOREIGN KEY (federation_id) REFERENCES charity_federations (federation_id)
)""",
    """
CREATE TABLE charity_donors (
    donor_id uuid NOT NULL,
    federation_id uuid NOT NULL,
    division_code text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    name_encrypted bytea NOT NULL,
    contact_encrypted bytea,
    person_id uuid,
    name_public boolean NOT NULL,
    recorded_by text COLLATE "C" NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT pk_charity_donors PRIMARY KEY (donor_id),
    CONSTRAINT ck_charity_donors_people_are_not_named
        CHECK (kind = 'organisation' OR NOT name_public),
    CONSTRAINT fk_charity_donors_federation_id
        FOREIGN KEY (federation_id) REFERENCES charity_federations (federation_id)
)""",
    """
CREATE TABLE charity_donations (
    donation_id uuid NOT NULL,
    federation_id uuid NOT NULL,
    division_code text COLLATE "C" NOT NULL,
    receipt_no integer NOT NULL,
    voucher_no text COLLATE "C",
    donor_id uuid,
    kind text COLLATE "C" NOT NULL,
    amount numeric(14, 2) NOT NULL,
    item text,
    quantity numeric(12, 2),
    unit text,
    value_basis text COLLATE "C",
    received_on date NOT NULL,
    earmark_purpose text COLLATE "C",
    earmark_words_encrypted bytea,
    earmark_household_id uuid,
    public_fund boolean NOT NULL,
    appeal_no text COLLATE "C",
    corrects uuid,
    allocated numeric(14, 2) NOT NULL,
    corrected_by uuid,
    recorded_by text COLLATE "C" NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT pk_charity_donations PRIMARY KEY (donation_id),
    CONSTRAINT uq_charity_donations_receipt UNIQUE (federation_id, receipt_no),
    CONSTRAINT uq_charity_donations_corrected_once UNIQUE (corrects),
    CONSTRAINT ck_charity_donations_amount_positive CHECK (amount > 0),
    CONSTRAINT ck_charity_donations_never_below_zero
        CHECK (allocated >= 0 AND allocated <= amount),
    CONSTRAINT ck_charity_donations_corrected_holds_nothing
        CHECK (corrected_by IS NULL OR allocated = 0),
    CONSTRAINT fk_charity_donations_federation_id
        FOREIGN KEY (federation_id) REFERENCES charity_federations (federation_id),
    CONSTRAINT fk_charity_donations_donor_id
        FOREIGN KEY (donor_id) REFERENCES charity_donors (donor_id),
    CONSTRAINT fk_charity_donations_corrects
        FOREIGN KEY (corrects) REFERENCES charity_donations (donation_id)
)""",
    """
CREATE TABLE charity_earmark_changes (
    change_id uuid NOT NULL,
    donation_id uuid NOT NULL,
    division_code text COLLATE "C" NOT NULL,
    earmark_purpose text COLLATE "C",
    earmark_words_encrypted bytea,
    earmark_household_id uuid,
    ground text COLLATE "C" NOT NULL,
    document text COLLATE "C" NOT NULL,
    announced_on date,
    changed_on date NOT NULL,
    changed_by text COLLATE "C" NOT NULL,
    changed_at timestamptz NOT NULL,
    CONSTRAINT pk_charity_earmark_changes PRIMARY KEY (change_id),
    CONSTRAINT fk_charity_earmark_changes_donation_id
        FOREIGN KEY (donation_id) REFERENCES charity_donations (donation_id)
)""",
    """
CREATE TABLE charity_allocations (
    allocation_id uuid NOT NULL,
    federation_id uuid NOT NULL,
    fund text COLLATE "C" NOT NULL,
    household_id uuid NOT NULL,
    division_code text COLLATE "C" NOT NULL,
    purpose text COLLATE "C" NOT NULL,
    month date NOT NULL,
    amount numeric(14, 2) NOT NULL,
    words_encrypted bytea NOT NULL,
    uncategorised_reason_encrypted bytea,
    declared_relation text COLLATE "C" NOT NULL,
    state text COLLATE "C" NOT NULL,
    proposed_by text COLLATE "C" NOT NULL,
    proposed_at timestamptz NOT NULL,
    decided_by text COLLATE "C",
    decided_on date,
    reason_encrypted bytea,
    cancelled_by text COLLATE "C",
    handed_over_on date,
    handed_over_by text COLLATE "C",
    received_by_encrypted bytea,
    proof text COLLATE "C",
    proof_reference text COLLATE "C",
    version integer NOT NULL,
    CONSTRAINT pk_charity_allocations PRIMARY KEY (allocation_id),
    CONSTRAINT ck_charity_allocations_amount_positive CHECK (amount > 0),
    CONSTRAINT ck_charity_allocations_first_of_month CHECK (extract(day FROM month) = 1),
    CONSTRAINT ck_charity_allocations_two_officers CHECK (decided_by <> proposed_by),
    CONSTRAINT ck_charity_allocations_handed_over_with_proof
        CHECK (state <> 'handed_over' OR (handed_over_on IS NOT NULL AND proof IS NOT NULL)),
    CONSTRAINT fk_charity_allocations_federation_id
        FOREIGN KEY (federation_id) REFERENCES charity_federations (federation_id)
)""",
    """
CREATE TABLE charity_allocation_lines (
    allocation_id uuid NOT NULL,
    donation_id uuid NOT NULL,
    division_code text COLLATE "C" NOT NULL,
    amount numeric(14, 2) NOT NULL,
    CONSTRAINT pk_charity_allocation_lines PRIMARY KEY (allocation_id, donation_id),
    CONSTRAINT ck_charity_allocation_lines_amount_positive CHECK (amount > 0),
    CONSTRAINT fk_charity_allocation_lines_allocation_id
        FOREIGN KEY (allocation_id) REFERENCES charity_allocations (allocation_id),
    CONSTRAINT fk_charity_allocation_lines_donation_id
        FOREIGN KEY (donation_id) REFERENCES charity_donations (donation_id)
)""",
    """
CREATE TABLE charity_feedback (
    feedback_id uuid NOT NULL,
    donation_id uuid NOT NULL,
    division_code text COLLATE "C" NOT NULL,
    text_zh text NOT NULL,
    told_on date NOT NULL,
    told_by text COLLATE "C" NOT NULL,
    told_at timestamptz NOT NULL,
    CONSTRAINT pk_charity_feedback PRIMARY KEY (feedback_id),
    CONSTRAINT fk_charity_feedback_donation_id
        FOREIGN KEY (donation_id) REFERENCES charity_donations (donation_id)
)""",
)

_INDEXES = (
    "CREATE INDEX ix_charity_donors_federation ON charity_donors (federation_id, donor_id)",
    """CREATE INDEX ix_charity_donations_federation
    ON charity_donations (federation_id, donation_id)""",
    """CREATE UNIQUE INDEX uq_charity_donations_voucher
    ON charity_donations (federation_id, voucher_no)
    WHERE corrected_by IS NULL""",
    """CREATE INDEX ix_charity_earmark_changes_donation
    ON charity_earmark_changes (donation_id, change_id)""",
    """CREATE INDEX ix_charity_allocations_division
    ON charity_allocations (division_code, allocation_id)""",
    """CREATE INDEX ix_charity_allocations_federation
    ON charity_allocations (federation_id, allocation_id)""",
    """CREATE INDEX ix_charity_allocations_household
    ON charity_allocations (household_id, month)""",
    """CREATE INDEX ix_charity_allocation_lines_donation
    ON charity_allocation_lines (donation_id, allocation_id)""",
    "CREATE INDEX ix_charity_feedback_donation ON charity_feedback (donation_id, feedback_id)",
)
