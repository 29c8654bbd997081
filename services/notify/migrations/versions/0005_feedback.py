"""How far leads have come, for who told of them; how often the public asked today."""

from alembic import op

from shared.schema import public_uses_0001
from shared.schema.access import grant, protect_by_division

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    public_uses_0001.upgrade("notify")
    op.execute(_FEEDBACK)
    op.execute("CREATE INDEX ix_feedback_division_code ON feedback (division_code, lead_id)")
    op.execute(_RECEIPTS)
    protect_by_division("feedback")
    grant("notify", "feedback", api="SELECT", worker="SELECT, INSERT, UPDATE")
    # A hash and a lead's id, no division: nobody reads it but the function.
    grant("notify", "feedback_receipts", api="", worker="SELECT, INSERT")
    op.execute(_OF_RECEIPT)
    op.execute("REVOKE ALL ON FUNCTION feedback_of_receipt(text) FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION feedback_of_receipt(text) TO notify_api, notify_worker")


def downgrade() -> None:
    op.execute("DROP FUNCTION feedback_of_receipt(text)")
    op.execute("DROP TABLE feedback_receipts")
    op.execute("DROP TABLE feedback")
    public_uses_0001.downgrade("notify")


_FEEDBACK = """
CREATE TABLE feedback (
    lead_id uuid NOT NULL,
    division_code text COLLATE "C" NOT NULL,
    source text COLLATE "C" NOT NULL,
    state text COLLATE "C" NOT NULL,
    opened_on date NOT NULL,
    visited_on date,
    decided_on date,
    accord text COLLATE "C",
    sources text[] COLLATE "C" NOT NULL,
    services text[] COLLATE "C" NOT NULL,
    reported_on date[] NOT NULL,
    receipts text[] COLLATE "C" NOT NULL,
    received_on date[] NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT pk_feedback PRIMARY KEY (lead_id),
    CONSTRAINT ck_feedback_senders CHECK (cardinality(sources) = cardinality(services)
        AND cardinality(sources) = cardinality(reported_on)),
    CONSTRAINT ck_feedback_receipts CHECK (cardinality(receipts) = cardinality(received_on))
)"""

# ``@>`` is not leakproof: under row-level security an index over feedback.receipts is not used.
_RECEIPTS = """
CREATE TABLE feedback_receipts (
    receipt_hash text COLLATE "C" NOT NULL,
    lead_id uuid NOT NULL,
    CONSTRAINT pk_feedback_receipts PRIMARY KEY (receipt_hash),
    CONSTRAINT fk_feedback_receipts_lead_id FOREIGN KEY (lead_id) REFERENCES feedback (lead_id)
)"""

# Who holds a receipt number learns how far it has come and the days, of any division.
_OF_RECEIPT = """
CREATE FUNCTION feedback_of_receipt(receipt text)
RETURNS TABLE (state text, received_on date, visited_on date, decided_on date)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
SET bangfu.divisions = ','
AS $$
    SELECT feedback.state, feedback.received_on[array_position(feedback.receipts, receipt)],
        feedback.visited_on, feedback.decided_on
    FROM public.feedback_receipts JOIN public.feedback USING (lead_id)
    WHERE feedback_receipts.receipt_hash = receipt
$$
"""
