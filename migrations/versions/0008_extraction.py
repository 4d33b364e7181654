"""What models find in passages, and which passages are alike.

Revision ID: 0008
Revises: 0007
"""

from alembic import op

from migrations.policies import grant, isolate, revoke

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TABLES = ("extraction", "extracted_passage", "extraction_run", "passage_link", "passage_linking")

DDL = """
CREATE TABLE extraction (
    tenant_id UUID DEFAULT nullif(current_setting('lattice.tenant', true), '')::uuid NOT NULL,
    content_hash BYTEA NOT NULL,
    version TEXT NOT NULL,
    model TEXT NOT NULL,
    found JSONB DEFAULT '{}'::jsonb NOT NULL,
    found_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT extraction_pkey PRIMARY KEY (tenant_id, content_hash, version, model)
);

CREATE TABLE extracted_passage (
    tenant_id UUID DEFAULT nullif(current_setting('lattice.tenant', true), '')::uuid NOT NULL,
    gem_id UUID NOT NULL,
    slot INTEGER NOT NULL,
    content_hash BYTEA NOT NULL,
    version TEXT NOT NULL,
    model TEXT NOT NULL,
    CONSTRAINT extracted_passage_pkey PRIMARY KEY (tenant_id, gem_id, slot),
    CONSTRAINT extracted_passage_tenant_id_gem_id_slot_fkey FOREIGN KEY(tenant_id, gem_id, slot)
        REFERENCES passage (tenant_id, gem_id, slot) ON DELETE CASCADE
);

CREATE INDEX extracted_passage_content_idx ON extracted_passage (tenant_id, content_hash)
    WHERE content_hash > ''::bytea;

CREATE TABLE extraction_run (
    tenant_id UUID DEFAULT nullif(current_setting('lattice.tenant', true), '')::uuid NOT NULL,
    run_id UUID NOT NULL,
    gem_id UUID NOT NULL,
    state TEXT NOT NULL,
    model TEXT NOT NULL,
    max_usd NUMERIC,
    most BIGINT,
    counts JSONB DEFAULT '{}'::jsonb NOT NULL,
    claim UUID,
    attempts INTEGER DEFAULT 0 NOT NULL,
    error_code TEXT,
    error TEXT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE,
    finished_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT extraction_run_pkey PRIMARY KEY (tenant_id, run_id),
    CONSTRAINT extraction_run_tenant_id_gem_id_fkey FOREIGN KEY(tenant_id, gem_id)
        REFERENCES gem (tenant_id, gem_id) ON DELETE CASCADE,
    CONSTRAINT extraction_run_state_check
        CHECK (state IN ('queued', 'running', 'done', 'stopped', 'failed', 'cancelled'))
);

CREATE TABLE passage_link (
    tenant_id UUID DEFAULT nullif(current_setting('lattice.tenant', true), '')::uuid NOT NULL,
    gem_id UUID NOT NULL,
    slot INTEGER NOT NULL,
    target INTEGER NOT NULL,
    cosine REAL NOT NULL,
    CONSTRAINT passage_link_pkey PRIMARY KEY (tenant_id, gem_id, slot, target),
    CONSTRAINT passage_link_tenant_id_gem_id_slot_fkey FOREIGN KEY(tenant_id, gem_id, slot)
        REFERENCES passage (tenant_id, gem_id, slot) ON DELETE CASCADE,
    CONSTRAINT passage_link_tenant_id_gem_id_target_fkey FOREIGN KEY(tenant_id, gem_id, target)
        REFERENCES passage (tenant_id, gem_id, slot) ON DELETE CASCADE
);

CREATE INDEX passage_link_target_idx ON passage_link (tenant_id, gem_id, target);

CREATE TABLE passage_linking (
    tenant_id UUID DEFAULT nullif(current_setting('lattice.tenant', true), '')::uuid NOT NULL,
    gem_id UUID NOT NULL,
    threshold DOUBLE PRECISION NOT NULL,
    most INTEGER NOT NULL,
    model TEXT NOT NULL,
    next_slot INTEGER NOT NULL,
    linked_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT passage_linking_pkey PRIMARY KEY (tenant_id, gem_id),
    CONSTRAINT passage_linking_tenant_id_gem_id_fkey FOREIGN KEY(tenant_id, gem_id)
        REFERENCES gem (tenant_id, gem_id) ON DELETE CASCADE
);
"""


def upgrade() -> None:
    """Make the tables; they fill when somebody asks for it."""
    op.execute(DDL)
    for table in TABLES:
        isolate(table)
        grant(table, "SELECT, INSERT, UPDATE, DELETE")


def downgrade() -> None:
    """Drop them; entities and relations that were found stay."""
    for table in reversed(TABLES):
        revoke(table)
        op.drop_table(table)
