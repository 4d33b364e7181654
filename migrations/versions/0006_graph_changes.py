"""Claims of relations, how many objects a predicate takes, and changes of the graph that can be undone.

Revision ID: 0006
Revises: 0005
"""

from alembic import op

from migrations.policies import grant, isolate, revoke

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TABLES = ("graph_predicate", "graph_change")

DDL = """
ALTER TABLE relation ADD claim_id UUID NOT NULL;
ALTER TABLE relation ADD subject_name TEXT NOT NULL;
ALTER TABLE relation ADD object_name TEXT NOT NULL;
ALTER TABLE relation ADD begins_at TIMESTAMP WITH TIME ZONE;
ALTER TABLE relation ADD learned_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL;

CREATE INDEX relation_claim_idx ON relation (tenant_id, claim_id);

-- partial, so that nothing but what pages by these times can be misled to them while statistics are young
CREATE INDEX relation_learned_idx ON relation (tenant_id, gem_id, learned_at, relation_id)
    WHERE learned_at > '-infinity'::timestamptz;

CREATE INDEX entity_created_idx ON entity (tenant_id, gem_id, created_at, entity_id)
    WHERE created_at > '-infinity'::timestamptz;

CREATE TABLE graph_predicate (
    tenant_id UUID DEFAULT nullif(current_setting('lattice.tenant', true), '')::uuid NOT NULL,
    gem_id UUID NOT NULL,
    predicate TEXT NOT NULL,
    cardinality TEXT NOT NULL,
    CONSTRAINT graph_predicate_pkey PRIMARY KEY (tenant_id, gem_id, predicate),
    CONSTRAINT graph_predicate_tenant_id_gem_id_fkey FOREIGN KEY(tenant_id, gem_id)
        REFERENCES gem (tenant_id, gem_id) ON DELETE CASCADE,
    CONSTRAINT graph_predicate_cardinality_check CHECK (cardinality IN ('one', 'one_at_a_time', 'many'))
);

CREATE TABLE graph_change (
    tenant_id UUID DEFAULT nullif(current_setting('lattice.tenant', true), '')::uuid NOT NULL,
    gem_id UUID NOT NULL,
    change_id UUID NOT NULL,
    ordinal BIGINT GENERATED ALWAYS AS IDENTITY NOT NULL,
    kind TEXT NOT NULL,
    entities UUID[] NOT NULL,
    facts JSONB DEFAULT '{}'::jsonb NOT NULL,
    undo JSONB DEFAULT '{}'::jsonb NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE NOT NULL,
    undone_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT graph_change_pkey PRIMARY KEY (tenant_id, gem_id, change_id),
    CONSTRAINT graph_change_tenant_id_gem_id_fkey FOREIGN KEY(tenant_id, gem_id)
        REFERENCES gem (tenant_id, gem_id) ON DELETE CASCADE,
    CONSTRAINT graph_change_kind_check CHECK (kind IN ('merge', 'split', 'alias', 'resolve'))
);

CREATE INDEX graph_change_ordinal_idx ON graph_change (tenant_id, gem_id, ordinal);
"""

UNDO = """
DROP INDEX entity_created_idx;
DROP INDEX relation_learned_idx;
ALTER TABLE relation DROP COLUMN claim_id, DROP COLUMN subject_name, DROP COLUMN object_name, DROP COLUMN begins_at,
    DROP COLUMN learned_at;
"""


def upgrade() -> None:
    """Make the columns and tables; nothing wrote relations before."""
    op.execute(DDL)
    grants = {"graph_predicate": "SELECT, INSERT, UPDATE, DELETE", "graph_change": "SELECT, INSERT, UPDATE"}
    for table in TABLES:
        isolate(table)
        grant(table, grants[table])


def downgrade() -> None:
    """Drop them; changes stay as they were made and can no longer be undone."""
    for table in reversed(TABLES):
        revoke(table)
        op.drop_table(table)
    op.execute(UNDO)
