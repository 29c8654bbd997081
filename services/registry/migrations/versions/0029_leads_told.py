"""Leads are told on: when they were visited, who reported them, and since when a receipt is held.

What stands in older leads is filled in from their reports and visits. Receipts are looked up in a
table of their own: ``@>`` is not leakproof, so no index over ``leads.receipts`` was ever used.
The api of the release before goes on meanwhile: the defaults and the shorter ``join_lead`` are for
it, and a lead that it opens is told at the next turn of the day.
"""

from alembic import op

from shared.schema.access import grant

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        ALTER TABLE leads
            ADD COLUMN visited_on date,
            ADD COLUMN senders text[] COLLATE "C" NOT NULL DEFAULT '{}',
            ADD COLUMN senders_on date[] NOT NULL DEFAULT '{}',
            ADD COLUMN received_on date[] NOT NULL DEFAULT '{}',
            ADD COLUMN told_in text COLLATE "C\""""
    )
    op.execute("SELECT set_config('bangfu.divisions', ',', true)")
    op.execute(_FILL)
    op.execute(_RECEIPTS)
    op.execute("INSERT INTO lead_receipts SELECT unnest(receipts), lead_id FROM leads")
    op.execute("SELECT set_config('bangfu.divisions', '', true)")
    op.execute(
        "ALTER TABLE leads ADD CONSTRAINT ck_leads_receipts_received "
        "CHECK (cardinality(received_on) <= cardinality(receipts)), "
        "ADD CONSTRAINT ck_leads_senders_days "
        "CHECK (cardinality(senders) = cardinality(senders_on))"
    )
    op.execute(
        "CREATE INDEX ix_leads_untold ON leads (lead_id) "
        "WHERE told_in IS DISTINCT FROM division_code"
    )
    op.execute("DROP INDEX ix_leads_receipts")
    # A hash and a lead's id, no division: nobody reads it but the function.
    grant("registry", "lead_receipts", api="INSERT", worker="INSERT")
    op.execute(_OF_RECEIPT)
    op.execute(_JOIN_MEANWHILE)
    _joining(_JOIN, "uuid, bytea, text, text, date")


def downgrade() -> None:
    op.execute("DROP FUNCTION join_lead(uuid, bytea, text, text, date)")
    op.execute(_JOIN_BEFORE)
    op.execute(_OF_RECEIPT_BEFORE)
    op.execute("DROP TABLE lead_receipts")
    op.execute("CREATE INDEX ix_leads_receipts ON leads USING gin (receipts)")
    op.execute(
        "ALTER TABLE leads DROP COLUMN visited_on, DROP COLUMN senders, "
        "DROP COLUMN senders_on, DROP COLUMN received_on, DROP COLUMN told_in"
    )


def _joining(definition: str, arguments: str) -> None:
    op.execute(definition)
    op.execute(f"REVOKE ALL ON FUNCTION join_lead({arguments}) FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION join_lead({arguments}) TO registry_api, registry_worker")


# A citizen's report has its receipt in the same place; where not, the day of opening stands for it.
_FILL = """
UPDATE leads SET
    visited_on = (SELECT min(lead_visits.visited_on) FROM lead_visits
        WHERE lead_visits.lead_id = leads.lead_id),
    (senders, senders_on) = (SELECT coalesce(array_agg(sender ORDER BY told_on, sender), '{}'),
            coalesce(array_agg(told_on ORDER BY told_on, sender), '{}')
        FROM (SELECT lead_reports.source || CASE
                WHEN lead_reports.origin IN ('/registry', 'public') THEN ''
                ELSE '@' || ltrim(lead_reports.origin, '/') END COLLATE "C" AS sender,
                min(lead_reports.reported_on) AS told_on
            FROM lead_reports WHERE lead_reports.lead_id = leads.lead_id GROUP BY 1) AS known),
    received_on = coalesce((SELECT array_agg(coalesce(told.reported_on, leads.opened_on)
            ORDER BY held.place)
        FROM generate_subscripts(leads.receipts, 1) AS held(place)
        LEFT JOIN (SELECT reported_on, row_number() OVER (ORDER BY report_id) AS place
            FROM lead_reports WHERE lead_reports.lead_id = leads.lead_id
                AND lead_reports.origin = 'public') AS told USING (place)), '{}')
"""

_RECEIPTS = """
CREATE TABLE lead_receipts (
    receipt_hash text COLLATE "C" NOT NULL,
    lead_id uuid NOT NULL,
    CONSTRAINT pk_lead_receipts PRIMARY KEY (receipt_hash),
    CONSTRAINT fk_lead_receipts_lead_id FOREIGN KEY (lead_id) REFERENCES leads (lead_id)
)"""

# Who holds a receipt number learns the state and nothing else. What the release before opened is
# found among the few leads that were not told yet.
_OF_RECEIPT = """
CREATE OR REPLACE FUNCTION lead_of_receipt(receipt text) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
SET bangfu.divisions = ','
AS $$
    SELECT coalesce(
        (SELECT leads.state FROM public.lead_receipts JOIN public.leads USING (lead_id)
         WHERE lead_receipts.receipt_hash = receipt),
        (SELECT leads.state FROM public.leads
         WHERE leads.told_in IS DISTINCT FROM leads.division_code
             AND leads.receipts @> ARRAY[receipt]))
$$
"""

_OF_RECEIPT_BEFORE = """
CREATE OR REPLACE FUNCTION lead_of_receipt(receipt text) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
SET bangfu.divisions = ','
AS $$ SELECT leads.state FROM public.leads WHERE leads.receipts @> ARRAY[receipt] $$
"""

# The open lead of a household or a person in any county, locked. A new receipt, or a sender of a
# kind that has not reported yet, is a new version.
_JOIN = """
CREATE FUNCTION join_lead(of_household uuid, of_person bytea, receipt text, sender text,
    told_on date)
RETURNS TABLE (lead_id uuid, division_code text, source text, state text, opened_on date,
    visited_on date, decided_on date, accord text, senders text[], senders_on date[],
    receipts text[], received_on date[], version bigint, changed boolean)
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
SET bangfu.divisions = ','
AS $$
    WITH found AS (
        SELECT one.lead_id, receipt IS NOT NULL OR sender <> ALL (one.senders) AS news
        FROM public.leads AS one
        WHERE one.state IN ('open', 'visited')
            AND (one.household_id = of_household OR one.person_hash = of_person)
        ORDER BY (one.household_id = of_household) DESC NULLS LAST, one.lead_id
        LIMIT 1 FOR UPDATE), held AS (
        INSERT INTO public.lead_receipts (receipt_hash, lead_id)
        SELECT receipt, found.lead_id FROM found WHERE receipt IS NOT NULL)
    UPDATE public.leads
    SET receipts = array_remove(array_append(leads.receipts, receipt), NULL),
        received_on = CASE WHEN receipt IS NULL THEN leads.received_on
            ELSE array_append(leads.received_on, told_on) END,
        senders = CASE WHEN sender = ANY (leads.senders) THEN leads.senders
            ELSE array_append(leads.senders, sender) END,
        senders_on = CASE WHEN sender = ANY (leads.senders) THEN leads.senders_on
            ELSE array_append(leads.senders_on, told_on) END,
        told_in = CASE WHEN found.news THEN leads.division_code ELSE leads.told_in END,
        version = leads.version + CASE WHEN found.news THEN 1 ELSE 0 END
    FROM found WHERE leads.lead_id = found.lead_id
    RETURNING leads.lead_id, leads.division_code, leads.source, leads.state, leads.opened_on,
        leads.visited_on, leads.decided_on, leads.accord, leads.senders, leads.senders_on,
        leads.receipts, leads.received_on, leads.version, found.news
$$
"""

_JOIN_BEFORE = """
CREATE OR REPLACE FUNCTION join_lead(of_household uuid, of_person bytea, receipt text)
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

_JOIN_MEANWHILE = """
CREATE OR REPLACE FUNCTION join_lead(of_household uuid, of_person bytea, receipt text)
RETURNS TABLE (lead_id uuid, division_code text, source text, state text, receipts text[],
    version bigint)
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
SET bangfu.divisions = ','
AS $$
    WITH found AS (
        SELECT one.lead_id FROM public.leads AS one
        WHERE one.state IN ('open', 'visited')
            AND (one.household_id = of_household OR one.person_hash = of_person)
        ORDER BY (one.household_id = of_household) DESC NULLS LAST, one.lead_id
        LIMIT 1 FOR UPDATE), held AS (
        INSERT INTO public.lead_receipts (receipt_hash, lead_id)
        SELECT receipt, found.lead_id FROM found WHERE receipt IS NOT NULL)
    UPDATE public.leads
    SET receipts = array_remove(array_append(leads.receipts, receipt), NULL),
        received_on = CASE WHEN receipt IS NULL THEN leads.received_on
            ELSE array_append(leads.received_on, CURRENT_DATE) END,
        told_in = CASE WHEN receipt IS NULL THEN leads.told_in END,
        version = leads.version + CASE WHEN receipt IS NULL THEN 0 ELSE 1 END
    FROM found WHERE leads.lead_id = found.lead_id
    RETURNING leads.lead_id, leads.division_code, leads.source, leads.state, leads.receipts,
        leads.version
$$
"""
