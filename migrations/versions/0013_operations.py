"""What was archived, restored, merged and split, so that it can be undone.

Revision ID: 0013
Revises: 0012
"""

from alembic import op

from migrations.policies import ROLE, grant, isolate, revoke

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

TABLES = {
    "operation": "SELECT, INSERT, UPDATE",
    "operation_document": "SELECT, INSERT",
}

DDL = """
ALTER TABLE gem ADD merged_into UUID;

CREATE TABLE operation (
    tenant_id UUID DEFAULT nullif(current_setting('lattice.tenant', true), '')::uuid NOT NULL,
    operation_id UUID NOT NULL,
    ordinal BIGINT GENERATED ALWAYS AS IDENTITY NOT NULL,
    kind TEXT NOT NULL,
    subject_id UUID NOT NULL,
    others UUID[] NOT NULL,
    facts JSONB DEFAULT '{}'::jsonb NOT NULL,
    undo JSONB DEFAULT '{}'::jsonb NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE NOT NULL,
    undone_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT operation_pkey PRIMARY KEY (tenant_id, operation_id),
    CONSTRAINT operation_kind_check CHECK (kind IN ('archive', 'restore', 'merge', 'split'))
);

CREATE INDEX operation_tenant_id_ordinal_idx ON operation (tenant_id, ordinal);

CREATE TABLE operation_document (
    tenant_id UUID DEFAULT nullif(current_setting('lattice.tenant', true), '')::uuid NOT NULL,
    operation_id UUID NOT NULL,
    document_id UUID NOT NULL,
    source_id UUID NOT NULL,
    position BIGINT,
    CONSTRAINT operation_document_pkey PRIMARY KEY (tenant_id, operation_id, document_id),
    CONSTRAINT operation_document_tenant_id_operation_id_fkey FOREIGN KEY(tenant_id, operation_id)
        REFERENCES operation (tenant_id, operation_id) ON DELETE CASCADE,
    CONSTRAINT operation_document_tenant_id_document_id_fkey FOREIGN KEY(tenant_id, document_id)
        REFERENCES document (tenant_id, document_id) ON DELETE CASCADE
);

CREATE INDEX operation_document_document_idx ON operation_document (tenant_id, document_id);
"""

# every mention has an entity: what the condition does is keep the index from foreign keys to passages, whose checks, if
# they were planned while statistics were young, read all mentions of the gem for each passage that moved or went
MENTIONS = """
DROP INDEX mention_entity_idx;
CREATE INDEX mention_entity_idx ON mention (tenant_id, gem_id, entity_id, role, slot){condition}
"""


def upgrade() -> None:
    """Make them; the log of a passage may follow it into another gem, and is otherwise never changed."""
    op.execute(DDL)
    op.execute(MENTIONS.format(condition=" WHERE entity_id IS NOT NULL"))
    for table, rights in TABLES.items():
        isolate(table)
        grant(table, rights)
    grant("measurement", "UPDATE (gem_id)")


def downgrade() -> None:
    """Drop them; what was moved stays where it is."""
    op.execute(f"REVOKE UPDATE (gem_id) ON measurement FROM {ROLE}")
    for table in reversed(TABLES):
        revoke(table)
        op.drop_table(table)
    op.execute(MENTIONS.format(condition=""))
    op.execute("ALTER TABLE gem DROP COLUMN merged_into")
