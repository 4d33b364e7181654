"""What LLM calls cost: the log of attempts, budgets with what is reserved of them, and switches of targets.

Revision ID: 0002
Revises: 0001
"""

from alembic import op

from migrations.policies import grant, isolate, revoke

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLES = {
    "llm_attempt": "SELECT, INSERT",
    "llm_budget": "SELECT, INSERT, UPDATE",
    "llm_reservation": "SELECT, INSERT, DELETE",
    "llm_switch": "SELECT, INSERT, UPDATE",
}

DDL = """
CREATE TABLE llm_attempt (
    tenant_id UUID DEFAULT nullif(current_setting('lattice.tenant', true), '')::uuid NOT NULL,
    attempt_id UUID NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    model TEXT NOT NULL,
    target TEXT NOT NULL,
    provider TEXT NOT NULL,
    target_model TEXT NOT NULL,
    api_key TEXT NOT NULL,
    outcome TEXT NOT NULL,
    error TEXT,
    status INTEGER,
    seconds DOUBLE PRECISION NOT NULL,
    first_token_s DOUBLE PRECISION,
    usage JSONB,
    raw_usage JSONB,
    cost_usd NUMERIC,
    price_version TEXT,
    tier TEXT,
    estimated BOOLEAN NOT NULL,
    CONSTRAINT llm_attempt_pkey PRIMARY KEY (tenant_id, attempt_id)
);

CREATE INDEX llm_attempt_tenant_id_at_idx ON llm_attempt (tenant_id, at);

CREATE TABLE llm_budget (
    tenant_id UUID DEFAULT nullif(current_setting('lattice.tenant', true), '')::uuid NOT NULL,
    budget TEXT NOT NULL,
    subject TEXT NOT NULL,
    window_start TIMESTAMP WITH TIME ZONE NOT NULL,
    spent_usd NUMERIC DEFAULT 0 NOT NULL,
    reserved_usd NUMERIC DEFAULT 0 NOT NULL,
    CONSTRAINT llm_budget_pkey PRIMARY KEY (tenant_id, budget, subject, window_start),
    CONSTRAINT llm_budget_amounts_check CHECK (spent_usd >= 0 AND reserved_usd >= 0)
);

CREATE TABLE llm_reservation (
    tenant_id UUID DEFAULT nullif(current_setting('lattice.tenant', true), '')::uuid NOT NULL,
    reservation_id UUID NOT NULL,
    budget TEXT NOT NULL,
    subject TEXT NOT NULL,
    window_start TIMESTAMP WITH TIME ZONE NOT NULL,
    amount_usd NUMERIC NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT llm_reservation_pkey PRIMARY KEY (tenant_id, reservation_id, budget)
);

CREATE INDEX llm_reservation_expiry_idx
    ON llm_reservation (tenant_id, budget, subject, window_start, expires_at);

CREATE TABLE llm_switch (
    tenant_id UUID DEFAULT nullif(current_setting('lattice.tenant', true), '')::uuid NOT NULL,
    target TEXT NOT NULL,
    enabled BOOLEAN NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT llm_switch_pkey PRIMARY KEY (tenant_id, target)
);

ALTER TABLE reflection
    ADD variant TEXT,
    ADD cached BOOLEAN DEFAULT false NOT NULL;

ALTER TABLE reflection_attempt
    ADD first_token_s DOUBLE PRECISION,
    ADD raw_usage JSONB,
    ADD cost_usd NUMERIC,
    ADD price_version TEXT,
    ADD tier TEXT;

-- Both functions keep one rule: rows of llm_reservation change only under the lock of their row in llm_budget, and
-- these locks are taken in the order (budget, subject, window_start, owner), so no two calls wait for each other;
-- the collation is that of the service's own sorting.
-- A row may belong to another tenant than the caller's (a cap that all tenants share), hence the changes of tenant.

-- set an amount aside in every budget or in none; answers with what each had spent and reserved before. The arrays are
-- parallel and in the order of locks. First of all it releases what has expired in these budgets, also in windows that
-- are over.
CREATE FUNCTION lattice_reserve_spend(
    reservation uuid, amount numeric, moment timestamptz, expires timestamptz,
    owners uuid[], budgets text[], subjects text[], starts timestamptz[], limits numeric[],
    OUT granted boolean, OUT spent numeric[], OUT reserved numeric[]
) LANGUAGE plpgsql AS $$
DECLARE
    home text := current_setting('lattice.tenant');
    was llm_budget;
    start timestamptz;
    freed numeric;
BEGIN
    granted := true;
    FOR i IN 1 .. cardinality(budgets) LOOP
        PERFORM set_config('lattice.tenant', owners[i]::text, true);
        FOR start IN
            SELECT DISTINCT r.window_start FROM llm_reservation r
            WHERE r.budget = budgets[i] AND r.subject = subjects[i] AND r.window_start <= starts[i]
              AND r.expires_at <= moment
            ORDER BY 1
        LOOP
            PERFORM FROM llm_budget b
            WHERE b.budget = budgets[i] AND b.subject = subjects[i] AND b.window_start = start FOR UPDATE;
            WITH expired AS (
                DELETE FROM llm_reservation r
                WHERE r.budget = budgets[i] AND r.subject = subjects[i] AND r.window_start = start
                  AND r.expires_at <= moment
                RETURNING r.amount_usd)
            SELECT coalesce(sum(amount_usd), 0) INTO freed FROM expired;
            UPDATE llm_budget b SET reserved_usd = b.reserved_usd - freed
            WHERE b.budget = budgets[i] AND b.subject = subjects[i] AND b.window_start = start;
        END LOOP;
        INSERT INTO llm_budget (budget, subject, window_start) VALUES (budgets[i], subjects[i], starts[i])
        ON CONFLICT DO NOTHING;
        SELECT * INTO was FROM llm_budget b
        WHERE b.budget = budgets[i] AND b.subject = subjects[i] AND b.window_start = starts[i] FOR UPDATE;
        spent[i] := was.spent_usd;
        reserved[i] := was.reserved_usd;
        granted := granted AND spent[i] + reserved[i] + amount <= limits[i];
    END LOOP;
    IF granted THEN
        FOR i IN 1 .. cardinality(budgets) LOOP
            PERFORM set_config('lattice.tenant', owners[i]::text, true);
            INSERT INTO llm_reservation (reservation_id, budget, subject, window_start, amount_usd, expires_at)
            VALUES (reservation, budgets[i], subjects[i], starts[i], amount, expires);
            UPDATE llm_budget b SET reserved_usd = reserved[i] + amount
            WHERE b.budget = budgets[i] AND b.subject = subjects[i] AND b.window_start = starts[i];
        END LOOP;
    END IF;
    PERFORM set_config('lattice.tenant', home, true);
END
$$;

-- count a cost (null: as much as was set aside) in every budget that holds the reservation, in the window that it was
-- made in, and in the given ones that do not; the reservation is gone afterwards. `sharing` owns what tenants share.
CREATE FUNCTION lattice_settle_spend(
    reservation uuid, cost numeric, sharing uuid,
    owners uuid[], budgets text[], subjects text[], starts timestamptz[]
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    home text := current_setting('lattice.tenant');
    held llm_reservation[];
    due record;
    freed numeric;
BEGIN
    held := ARRAY(SELECT r FROM llm_reservation r WHERE r.reservation_id = reservation);
    IF sharing::text <> home THEN
        PERFORM set_config('lattice.tenant', sharing::text, true);
        held := held || ARRAY(SELECT r FROM llm_reservation r WHERE r.reservation_id = reservation);
    END IF;
    FOR due IN
        SELECT * FROM (
            SELECT h.tenant_id AS owner, h.budget, h.subject, h.window_start FROM unnest(held) AS h
            UNION ALL
            SELECT g.owner, g.budget, g.subject, g.window_start
            FROM unnest(owners, budgets, subjects, starts) AS g (owner, budget, subject, window_start)
            WHERE NOT EXISTS (SELECT FROM unnest(held) AS h WHERE h.budget = g.budget)) AS d
        ORDER BY d.budget COLLATE "C", d.subject COLLATE "C", d.window_start, d.owner
    LOOP
        PERFORM set_config('lattice.tenant', due.owner::text, true);
        INSERT INTO llm_budget (budget, subject, window_start) VALUES (due.budget, due.subject, due.window_start)
        ON CONFLICT DO NOTHING;
        PERFORM FROM llm_budget b
        WHERE b.budget = due.budget AND b.subject = due.subject AND b.window_start = due.window_start FOR UPDATE;
        DELETE FROM llm_reservation r WHERE r.reservation_id = reservation AND r.budget = due.budget
        RETURNING r.amount_usd INTO freed;
        UPDATE llm_budget b SET spent_usd = b.spent_usd + coalesce(cost, freed, 0),
            reserved_usd = b.reserved_usd - coalesce(freed, 0)
        WHERE b.budget = due.budget AND b.subject = due.subject AND b.window_start = due.window_start;
    END LOOP;
    PERFORM set_config('lattice.tenant', home, true);
END
$$;
"""


def upgrade() -> None:
    """Make the tables and the two functions by which budgets are kept."""
    op.execute(DDL)
    for table, rights in TABLES.items():
        isolate(table)
        grant(table, rights)


def downgrade() -> None:
    """Drop them; what was spent is forgotten."""
    op.execute("DROP FUNCTION lattice_settle_spend(uuid, numeric, uuid, uuid[], text[], text[], timestamptz[])")
    op.execute(
        "DROP FUNCTION lattice_reserve_spend(uuid, numeric, timestamptz, timestamptz, uuid[], text[], text[], "
        "timestamptz[], numeric[])"
    )
    for table in reversed(TABLES):
        revoke(table)
        op.drop_table(table)
    op.execute("ALTER TABLE reflection DROP variant, DROP cached")
    op.execute(
        "ALTER TABLE reflection_attempt "
        "DROP first_token_s, DROP raw_usage, DROP cost_usd, DROP price_version, DROP tier"
    )
