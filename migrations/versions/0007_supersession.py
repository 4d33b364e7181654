"""Which documents take the place of which others.

Revision ID: 0007
Revises: 0006
"""

from alembic import op

from migrations.policies import grant, isolate, revoke

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TABLE = "supersession"

DDL = """
CREATE TABLE supersession (
    tenant_id UUID DEFAULT nullif(current_setting('lattice.tenant', true), '')::uuid NOT NULL,
    gem_id UUID NOT NULL,
    external_id TEXT NOT NULL,
    document_id UUID NOT NULL,
    CONSTRAINT supersession_pkey PRIMARY KEY (tenant_id, gem_id, external_id, document_id),
    CONSTRAINT supersession_tenant_id_document_id_fkey FOREIGN KEY(tenant_id, document_id)
        REFERENCES document (tenant_id, document_id) ON DELETE CASCADE
);

CREATE INDEX supersession_document_idx ON supersession (tenant_id, document_id);
"""


def upgrade() -> None:
    """Make the table; no document superseded another one before."""
    op.execute(DDL)
    isolate(TABLE)
    grant(TABLE, "SELECT, INSERT, DELETE")


def downgrade() -> None:
    """Drop it; what is closed stays closed."""
    revoke(TABLE)
    op.drop_table(TABLE)
