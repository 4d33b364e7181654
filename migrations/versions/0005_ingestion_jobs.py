"""Ingestions as jobs: what was sent, how far it has come, what could not be read; and the queue itself.

Revision ID: 0005
Revises: 0004
"""

from alembic import op
from procrastinate.schema import SchemaManager
from sqlalchemy import text

from migrations.policies import ROLE, grant, isolate, revoke

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

QUEUE = "lattice_jobs"  # a schema of its own: the queue serves all tenants, and none of its tables is ours
TABLES = ("ingestion", "ingestion_source", "ingestion_chunk", "ingestion_problem")

DDL = """
CREATE TABLE ingestion (
    tenant_id UUID DEFAULT nullif(current_setting('lattice.tenant', true), '')::uuid NOT NULL,
    ingestion_id UUID NOT NULL,
    gem_id UUID NOT NULL,
    state TEXT NOT NULL,
    by_row BOOLEAN DEFAULT false NOT NULL,
    host TEXT,
    input TEXT NOT NULL,
    total BIGINT,
    input_bytes BIGINT DEFAULT 0 NOT NULL,
    read BIGINT DEFAULT 0 NOT NULL,
    stored BIGINT DEFAULT 0 NOT NULL,
    replaced BIGINT DEFAULT 0 NOT NULL,
    skipped BIGINT DEFAULT 0 NOT NULL,
    failed BIGINT DEFAULT 0 NOT NULL,
    passages BIGINT DEFAULT 0 NOT NULL,
    seconds DOUBLE PRECISION DEFAULT 0 NOT NULL,
    fingerprint BYTEA DEFAULT ''::bytea NOT NULL,
    retrying BOOLEAN DEFAULT false NOT NULL,
    cancelling BOOLEAN DEFAULT false NOT NULL,
    run_id UUID,
    attempts INTEGER DEFAULT 0 NOT NULL,
    error_code TEXT,
    error TEXT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE,
    finished_at TIMESTAMP WITH TIME ZONE,
    heartbeat_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT ingestion_pkey PRIMARY KEY (tenant_id, ingestion_id),
    CONSTRAINT ingestion_state_check
        CHECK (state IN ('receiving', 'queued', 'running', 'done', 'failed', 'cancelled')),
    CONSTRAINT ingestion_counts_check CHECK (read = stored + skipped + failed),
    CONSTRAINT ingestion_tenant_id_gem_id_fkey FOREIGN KEY(tenant_id, gem_id)
        REFERENCES gem (tenant_id, gem_id) ON DELETE CASCADE
);

CREATE INDEX ingestion_tenant_id_created_at_ingestion_id_idx ON ingestion (tenant_id, created_at, ingestion_id);

CREATE INDEX ingestion_open_idx ON ingestion (tenant_id, heartbeat_at)
    WHERE state IN ('receiving', 'queued', 'running');

CREATE TABLE ingestion_source (
    tenant_id UUID DEFAULT nullif(current_setting('lattice.tenant', true), '')::uuid NOT NULL,
    ingestion_id UUID NOT NULL,
    source INTEGER NOT NULL,
    name TEXT NOT NULL,
    format TEXT,
    path BYTEA,
    CONSTRAINT ingestion_source_pkey PRIMARY KEY (tenant_id, ingestion_id, source),
    CONSTRAINT ingestion_source_tenant_id_ingestion_id_fkey FOREIGN KEY(tenant_id, ingestion_id)
        REFERENCES ingestion (tenant_id, ingestion_id) ON DELETE CASCADE
);

CREATE TABLE ingestion_chunk (
    tenant_id UUID DEFAULT nullif(current_setting('lattice.tenant', true), '')::uuid NOT NULL,
    ingestion_id UUID NOT NULL,
    source INTEGER NOT NULL,
    chunk INTEGER NOT NULL,
    data BYTEA NOT NULL,
    CONSTRAINT ingestion_chunk_pkey PRIMARY KEY (tenant_id, ingestion_id, source, chunk),
    CONSTRAINT ingestion_chunk_tenant_id_ingestion_id_fkey FOREIGN KEY(tenant_id, ingestion_id)
        REFERENCES ingestion (tenant_id, ingestion_id) ON DELETE CASCADE
);

-- a body lives for minutes: compressing it would cost more than its room
ALTER TABLE ingestion_chunk ALTER data SET STORAGE EXTERNAL;

CREATE TABLE ingestion_problem (
    tenant_id UUID DEFAULT nullif(current_setting('lattice.tenant', true), '')::uuid NOT NULL,
    ingestion_id UUID NOT NULL,
    number BIGINT NOT NULL,
    name TEXT NOT NULL,
    line BIGINT,
    problem TEXT NOT NULL,
    CONSTRAINT ingestion_problem_pkey PRIMARY KEY (tenant_id, ingestion_id, number),
    CONSTRAINT ingestion_problem_tenant_id_ingestion_id_fkey FOREIGN KEY(tenant_id, ingestion_id)
        REFERENCES ingestion (tenant_id, ingestion_id) ON DELETE CASCADE
);
"""

RIGHTS = f"""
GRANT USAGE ON SCHEMA {QUEUE} TO {ROLE};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {QUEUE} TO {ROLE};
GRANT USAGE ON ALL SEQUENCES IN SCHEMA {QUEUE} TO {ROLE};
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA {QUEUE} TO {ROLE};
"""


def upgrade() -> None:
    """Make the tables, closed to other tenants, and the queue, whose jobs name their tenant themselves."""
    op.execute(DDL)
    for table in TABLES:
        isolate(table)
        grant(table, "SELECT, INSERT, UPDATE, DELETE")
    connection = op.get_bind()
    # an administrator may have made it for a user who may not
    if connection.execute(text(f"SELECT to_regnamespace('{QUEUE}')")).scalar_one() is None:
        op.execute(f"CREATE SCHEMA {QUEUE}")
    before = connection.execute(text("SELECT current_setting('search_path')")).scalar_one()
    op.execute(f"SET LOCAL search_path = {QUEUE}")
    op.execute(SchemaManager.get_schema())
    connection.execute(text("SELECT set_config('search_path', :before, true)"), {"before": before})
    op.execute(RIGHTS)


def downgrade() -> None:
    """Drop them; ingestions under way are forgotten, what they have stored stays."""
    op.execute(f"DROP SCHEMA {QUEUE} CASCADE")
    for table in reversed(TABLES):
        revoke(table)
        op.drop_table(table)
