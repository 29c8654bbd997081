"""When each household on assistance is reviewed next, and the reviews made."""

from alembic import op

from shared.schema.access import grant, protect_by_division

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for order in (_DATES, _REVIEWS, *_INDEXES):
        op.execute(order)
    for table in ("review_dates", "reviews"):
        protect_by_division(table)
    every = "SELECT, INSERT, UPDATE, DELETE"
    grant("registry", "review_dates", api=every, worker=every)
    both = "SELECT, INSERT, UPDATE (division_code)"
    grant("registry", "reviews", api=both, worker="SELECT, UPDATE (division_code)")


def downgrade() -> None:
    for table in ("reviews", "review_dates"):
        op.execute(f"DROP TABLE {table}")


_DATES = """
CREATE TABLE review_dates (
    household_id uuid NOT NULL,
    division_code text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    from_on date NOT NULL,
    due_on date,
    reckoned_on date NOT NULL,
    CONSTRAINT pk_review_dates PRIMARY KEY (household_id),
    CONSTRAINT fk_review_dates_household_id_households FOREIGN KEY (household_id)
        REFERENCES households (household_id)
)"""

_REVIEWS = """
CREATE TABLE reviews (
    review_id uuid NOT NULL,
    household_id uuid NOT NULL,
    division_code text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    due_on date,
    reviewed_on date NOT NULL,
    outcome text COLLATE "C" NOT NULL,
    reason_encrypted bytea NOT NULL,
    officer_id text COLLATE "C" NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT pk_reviews PRIMARY KEY (review_id),
    CONSTRAINT fk_reviews_household_id_households FOREIGN KEY (household_id)
        REFERENCES households (household_id)
)"""

_INDEXES = (
    "CREATE INDEX ix_review_dates_division_code ON review_dates (division_code, due_on)",
    "CREATE INDEX ix_reviews_household_id ON reviews (household_id, reviewed_on)",
)
