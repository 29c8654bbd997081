"""Leads, their reports and the visits to them; how often the public reported today."""

from alembic import op

from shared.schema import public_uses_0001
from shared.schema.access import grant, protect_by_division

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    public_uses_0001.upgrade("registry")
    for order in (_LEADS, _REPORTS, _VISITS, *_INDEXES):
        op.execute(order)
    for table in ("leads", "lead_reports", "lead_visits"):
        protect_by_division(table)
    # A report joins its lead wherever that lies; whoever sent it does not see it there.
    op.execute("CREATE POLICY joining ON lead_reports FOR INSERT WITH CHECK (true)")
    both = "SELECT, INSERT, UPDATE (division_code)"
    grant("registry", "leads", api="SELECT, INSERT, UPDATE", worker="SELECT, INSERT, UPDATE")
    grant("registry", "lead_reports", api=both, worker=both)
    grant("registry", "lead_visits", api=both, worker="SELECT, UPDATE (division_code)")
    for name, arguments, definition in (
        ("join_lead", "uuid, bytea, text", _JOIN),
        ("hand_over_lead", "uuid, text", _HAND_OVER),
        ("lead_of_receipt", "text", _OF_RECEIPT),
    ):
        op.execute(definition)
        op.execute(f"REVOKE ALL ON FUNCTION {name}({arguments}) FROM PUBLIC")
        op.execute(
            f"GRANT EXECUTE ON FUNCTION {name}({arguments}) TO registry_api, registry_worker"
        )


def downgrade() -> None:
    op.execute("DROP FUNCTION lead_of_receipt(text)")
    op.execute("DROP FUNCTION hand_over_lead(uuid, text)")
    op.execute("DROP FUNCTION join_lead(uuid, bytea, text)")
    for table in ("lead_visits", "lead_reports", "leads"):
        op.execute(f"DROP TABLE {table}")
    public_uses_0001.downgrade("registry")


_LEADS = """
CREATE TABLE leads (
    lead_id uuid NOT NULL,
    household_id uuid,
    person_hash bytea,
    division_code text COLLATE "C" NOT NULL,
    source text COLLATE "C" NOT NULL,
    state text COLLATE "C" NOT NULL,
    opened_on date NOT NULL,
    due_on date,
    due_provisional boolean NOT NULL,
    accord text COLLATE "C",
    decided_on date,
    decided_by text COLLATE "C",
    reason text NOT NULL,
    receipts text[] COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT pk_leads PRIMARY KEY (lead_id),
    CONSTRAINT fk_leads_household_id FOREIGN KEY (household_id)
        REFERENCES households (household_id),
    CONSTRAINT ck_leads_decided
        CHECK ((state IN ('accepted', 'dismissed')) = (decided_on IS NOT NULL)),
    CONSTRAINT ck_leads_accepted_with_household
        CHECK ((state = 'accepted') = (accord IS NOT NULL)
            AND (state <> 'accepted' OR household_id IS NOT NULL))
)"""

_REPORTS = """
CREATE TABLE lead_reports (
    report_id uuid NOT NULL,
    lead_id uuid NOT NULL,
    division_code text COLLATE "C" NOT NULL,
    source text COLLATE "C" NOT NULL,
    origin text COLLATE "C" NOT NULL,
    source_id uuid,
    reported_on date NOT NULL,
    text_encrypted bytea NOT NULL,
    name_encrypted bytea,
    id_number_encrypted bytea,
    phone_encrypted bytea,
    reported_by text COLLATE "C" NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT pk_lead_reports PRIMARY KEY (report_id),
    CONSTRAINT fk_lead_reports_lead_id FOREIGN KEY (lead_id) REFERENCES leads (lead_id)
)"""

_VISITS = """
CREATE TABLE lead_visits (
    visit_id uuid NOT NULL,
    lead_id uuid NOT NULL,
    division_code text COLLATE "C" NOT NULL,
    visited_on date NOT NULL,
    officer_id text COLLATE "C" NOT NULL,
    findings_encrypted bytea NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT pk_lead_visits PRIMARY KEY (visit_id),
    CONSTRAINT fk_lead_visits_lead_id FOREIGN KEY (lead_id) REFERENCES leads (lead_id)
)"""

_INDEXES = (
    """CREATE UNIQUE INDEX uq_leads_household_id ON leads (household_id)
       WHERE state IN ('open', 'visited')""",
    """CREATE UNIQUE INDEX uq_leads_person_hash ON leads (person_hash)
       WHERE state IN ('open', 'visited')""",
    "CREATE INDEX ix_leads_division_code ON leads (division_code, lead_id)",
    "CREATE INDEX ix_leads_household_id ON leads (household_id)",
    "CREATE INDEX ix_leads_receipts ON leads USING gin (receipts)",
    """CREATE UNIQUE INDEX uq_lead_reports_origin_source_id
       ON lead_reports (origin, source_id)""",
    "CREATE INDEX ix_lead_reports_lead_id ON lead_reports (lead_id, report_id)",
    "CREATE INDEX ix_lead_visits_lead_id ON lead_visits (lead_id, visit_id)",
)

# The open lead of a household or a person in any county, locked; a new receipt is a new version.
_JOIN = """
CREATE FUNCTION join_lead(of_household uuid, of_person bytea, receipt text)
RETURNS TABLE (lead_id uuid, division_code text, source text, state text, receipts text[],
    version bigint)
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
SET bangfu.divisions = ','
AS $$
    UPDATE public.leads
    SET receipts = array_remove(array_append(leads.receipts, receipt), NULL),
        version = leads.version + CASE WHEN receipt IS NULL THEN 0 ELSE 1 END
    WHERE leads.lead_id = (
        SELECT one.lead_id FROM public.leads AS one
        WHERE one.state IN ('open', 'visited')
            AND (one.household_id = of_household OR one.person_hash = of_person)
        ORDER BY (one.household_id = of_household) DESC NULLS LAST, one.lead_id
        LIMIT 1 FOR UPDATE)
    RETURNING leads.lead_id, leads.division_code, leads.source, leads.state, leads.receipts,
        leads.version
$$
"""

# Who holds a receipt number learns the state and nothing else.
_OF_RECEIPT = """
CREATE FUNCTION lead_of_receipt(receipt text) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
SET bangfu.divisions = ','
AS $$ SELECT leads.state FROM public.leads WHERE leads.receipts @> ARRAY[receipt] $$
"""

# Whoever hands a lead on sees it here and not there; the action has locked and judged it.
_HAND_OVER = """
CREATE FUNCTION hand_over_lead(which uuid, to_division text)
RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
SET bangfu.divisions = ','
AS $$
    UPDATE public.leads SET division_code = to_division WHERE lead_id = which;
    UPDATE public.lead_reports SET division_code = to_division WHERE lead_id = which;
    UPDATE public.lead_visits SET division_code = to_division WHERE lead_id = which;
    UPDATE public.tasks SET division_code = to_division
        WHERE subject_id = which AND kind LIKE 'lead\\_%' AND closed_on IS NULL;
$$
"""
