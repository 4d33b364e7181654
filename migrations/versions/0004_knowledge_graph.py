"""Token states, passages that are closed instead of deleted, and the graph of entities and relations.

Revision ID: 0004
Revises: 0003
"""

from alembic import op

from migrations.policies import grant, isolate, revoke

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLES = ("passage_tokens", "entity", "entity_name", "mention", "relation")

DDL = """
ALTER TABLE lattice ADD embedding_column TEXT DEFAULT 'embedding' NOT NULL;
ALTER TABLE lattice ADD next_model TEXT;
ALTER TABLE lattice ADD next_dimension INTEGER;
ALTER TABLE lattice ADD CONSTRAINT lattice_embedding_column_check
    CHECK (embedding_column IN ('embedding', 'embedding_b'));

ALTER TABLE gem ADD sealed_slot INTEGER;

ALTER TABLE document ADD supersedes JSONB DEFAULT '[]'::jsonb NOT NULL;
ALTER TABLE document ADD closed_at TIMESTAMP WITH TIME ZONE;
ALTER TABLE document ADD closed_by UUID;
ALTER TABLE document ADD closed_reason TEXT;

ALTER TABLE passage ADD around INTEGER[] DEFAULT '{}' NOT NULL;
ALTER TABLE passage ADD context_hash BYTEA;
ALTER TABLE passage ALTER embedding DROP NOT NULL;
ALTER TABLE passage ADD embedding_b HALFVEC;
ALTER TABLE passage ADD created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL;
ALTER TABLE passage ADD closed_at TIMESTAMP WITH TIME ZONE;
ALTER TABLE passage ADD CONSTRAINT passage_embedding_check CHECK (num_nonnulls(embedding, embedding_b) > 0);

CREATE INDEX passage_context_idx ON passage (tenant_id, context_hash) WHERE context_hash IS NOT NULL;

CREATE INDEX passage_closed_idx ON passage (tenant_id, gem_id, slot) WHERE closed_at IS NOT NULL;

CREATE TABLE passage_tokens (
    tenant_id UUID DEFAULT nullif(current_setting('lattice.tenant', true), '')::uuid NOT NULL,
    gem_id UUID NOT NULL,
    slot INTEGER NOT NULL,
    states BYTEA NOT NULL,
    CONSTRAINT passage_tokens_pkey PRIMARY KEY (tenant_id, gem_id, slot),
    CONSTRAINT passage_tokens_tenant_id_gem_id_slot_fkey FOREIGN KEY(tenant_id, gem_id, slot)
        REFERENCES passage (tenant_id, gem_id, slot) ON DELETE CASCADE
);

-- rows of up to 8 kB stay in one page: recall reads some hundreds of them for a question
ALTER TABLE passage_tokens ALTER states SET STORAGE EXTERNAL;
ALTER TABLE passage_tokens SET (toast_tuple_target = 8160);

CREATE TABLE entity (
    tenant_id UUID DEFAULT nullif(current_setting('lattice.tenant', true), '')::uuid NOT NULL,
    gem_id UUID NOT NULL,
    entity_id UUID NOT NULL,
    name TEXT NOT NULL,
    kind TEXT,
    embedding HALFVEC,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT entity_pkey PRIMARY KEY (tenant_id, gem_id, entity_id),
    CONSTRAINT entity_tenant_id_gem_id_fkey FOREIGN KEY(tenant_id, gem_id)
        REFERENCES gem (tenant_id, gem_id) ON DELETE CASCADE
);

CREATE TABLE entity_name (
    tenant_id UUID DEFAULT nullif(current_setting('lattice.tenant', true), '')::uuid NOT NULL,
    gem_id UUID NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    entity_id UUID NOT NULL,
    CONSTRAINT entity_name_pkey PRIMARY KEY (tenant_id, gem_id, key),
    CONSTRAINT entity_name_tenant_id_gem_id_entity_id_fkey FOREIGN KEY(tenant_id, gem_id, entity_id)
        REFERENCES entity (tenant_id, gem_id, entity_id) ON DELETE CASCADE
);

CREATE INDEX entity_name_entity_idx ON entity_name (tenant_id, gem_id, entity_id);

CREATE TABLE mention (
    tenant_id UUID DEFAULT nullif(current_setting('lattice.tenant', true), '')::uuid NOT NULL,
    gem_id UUID NOT NULL,
    slot INTEGER NOT NULL,
    entity_id UUID NOT NULL,
    role SMALLINT NOT NULL,
    CONSTRAINT mention_pkey PRIMARY KEY (tenant_id, gem_id, slot, entity_id, role),
    CONSTRAINT mention_tenant_id_gem_id_slot_fkey FOREIGN KEY(tenant_id, gem_id, slot)
        REFERENCES passage (tenant_id, gem_id, slot) ON DELETE CASCADE,
    CONSTRAINT mention_tenant_id_gem_id_entity_id_fkey FOREIGN KEY(tenant_id, gem_id, entity_id)
        REFERENCES entity (tenant_id, gem_id, entity_id) ON DELETE CASCADE
);

CREATE INDEX mention_entity_idx ON mention (tenant_id, gem_id, entity_id, role, slot);

CREATE TABLE relation (
    tenant_id UUID DEFAULT nullif(current_setting('lattice.tenant', true), '')::uuid NOT NULL,
    relation_id UUID NOT NULL,
    gem_id UUID NOT NULL,
    subject_id UUID NOT NULL,
    predicate TEXT NOT NULL,
    object_id UUID NOT NULL,
    document_id UUID,
    slot INTEGER,
    origin TEXT NOT NULL,
    valid_from TIMESTAMP WITH TIME ZONE,
    valid_to TIMESTAMP WITH TIME ZONE,
    known_from TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    known_to TIMESTAMP WITH TIME ZONE,
    closed_by UUID,
    closed_reason TEXT,
    CONSTRAINT relation_pkey PRIMARY KEY (tenant_id, relation_id),
    CONSTRAINT relation_tenant_id_gem_id_fkey FOREIGN KEY(tenant_id, gem_id)
        REFERENCES gem (tenant_id, gem_id) ON DELETE CASCADE
);

CREATE INDEX relation_subject_idx ON relation (tenant_id, gem_id, subject_id, predicate);

CREATE INDEX relation_object_idx ON relation (tenant_id, gem_id, object_id);

CREATE INDEX relation_document_idx ON relation (tenant_id, document_id);
"""

UNDO = """
DELETE FROM passage WHERE embedding IS NULL;
ALTER TABLE passage DROP COLUMN around, DROP COLUMN context_hash, DROP COLUMN embedding_b, DROP COLUMN created_at,
    DROP COLUMN closed_at;
ALTER TABLE passage ALTER embedding SET NOT NULL;
ALTER TABLE document DROP COLUMN supersedes, DROP COLUMN closed_at, DROP COLUMN closed_by, DROP COLUMN closed_reason;
ALTER TABLE gem DROP COLUMN sealed_slot;
ALTER TABLE lattice DROP COLUMN embedding_column, DROP COLUMN next_model, DROP COLUMN next_dimension;
"""


def upgrade() -> None:
    """Make the columns and tables; what is stored keeps its embeddings and has no token states yet."""
    op.execute(DDL)
    for table in TABLES:
        isolate(table)
        grant(table, "SELECT, INSERT, UPDATE, DELETE")


def downgrade() -> None:
    """Drop them; passages that only the second embedding knows are lost."""
    for table in reversed(TABLES):
        revoke(table)
        op.drop_table(table)
    op.execute(UNDO)
