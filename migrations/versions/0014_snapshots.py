"""Snapshots of gems and of whole lattices, their contents stored once however many hold them.

Revision ID: 0014
Revises: 0013
"""

from alembic import op

from migrations.policies import ROLE, grant, isolate, revoke

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

TABLES = ("snapshot", "snapshot_gem", "snapshot_item", "snapshot_member")

# contents are packed already; trying to compress them again would only cost time
DDL = """
CREATE TABLE snapshot (
    tenant_id UUID DEFAULT nullif(current_setting('lattice.tenant', true), '')::uuid NOT NULL,
    snapshot_id UUID NOT NULL,
    scope TEXT NOT NULL,
    reason TEXT NOT NULL,
    note TEXT DEFAULT '' NOT NULL,
    model TEXT,
    dimension INTEGER,
    size_bytes BIGINT DEFAULT 0 NOT NULL,
    added_bytes BIGINT DEFAULT 0 NOT NULL,
    sha256 BYTEA DEFAULT ''::bytea NOT NULL,
    taken_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT snapshot_pkey PRIMARY KEY (tenant_id, snapshot_id),
    CONSTRAINT snapshot_scope_check CHECK (scope IN ('gem', 'lattice')),
    CONSTRAINT snapshot_reason_check CHECK (reason IN ('asked', 'safety'))
);

CREATE INDEX snapshot_tenant_id_taken_at_snapshot_id_idx ON snapshot (tenant_id, taken_at, snapshot_id);

CREATE TABLE snapshot_gem (
    tenant_id UUID DEFAULT nullif(current_setting('lattice.tenant', true), '')::uuid NOT NULL,
    snapshot_id UUID NOT NULL,
    gem_id UUID NOT NULL,
    name TEXT NOT NULL,
    counts JSONB DEFAULT '{}'::jsonb NOT NULL,
    sha256 BYTEA DEFAULT ''::bytea NOT NULL,
    CONSTRAINT snapshot_gem_pkey PRIMARY KEY (tenant_id, snapshot_id, gem_id),
    CONSTRAINT snapshot_gem_tenant_id_snapshot_id_fkey FOREIGN KEY(tenant_id, snapshot_id)
        REFERENCES snapshot (tenant_id, snapshot_id) ON DELETE CASCADE
);

CREATE INDEX snapshot_gem_tenant_id_gem_id_idx ON snapshot_gem (tenant_id, gem_id);

CREATE TABLE snapshot_item (
    tenant_id UUID DEFAULT nullif(current_setting('lattice.tenant', true), '')::uuid NOT NULL,
    sha256 BYTEA NOT NULL,
    size INTEGER NOT NULL,
    packed BYTEA STORAGE EXTERNAL NOT NULL,
    CONSTRAINT snapshot_item_pkey PRIMARY KEY (tenant_id, sha256)
);

CREATE TABLE snapshot_member (
    tenant_id UUID DEFAULT nullif(current_setting('lattice.tenant', true), '')::uuid NOT NULL,
    snapshot_id UUID NOT NULL,
    gem_id UUID NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    key UUID NOT NULL,
    part INTEGER NOT NULL,
    sha256 BYTEA NOT NULL,
    CONSTRAINT snapshot_member_pkey PRIMARY KEY (tenant_id, snapshot_id, gem_id, kind, key, part),
    CONSTRAINT snapshot_member_tenant_id_snapshot_id_gem_id_fkey FOREIGN KEY(tenant_id, snapshot_id, gem_id)
        REFERENCES snapshot_gem (tenant_id, snapshot_id, gem_id) ON DELETE CASCADE,
    CONSTRAINT snapshot_member_tenant_id_sha256_fkey FOREIGN KEY(tenant_id, sha256)
        REFERENCES snapshot_item (tenant_id, sha256)
);

CREATE INDEX snapshot_member_tenant_id_sha256_idx ON snapshot_member (tenant_id, sha256);
"""

RIGHTS = {
    "snapshot": "SELECT, INSERT, UPDATE, DELETE",
    "snapshot_gem": "SELECT, INSERT, UPDATE, DELETE",
    "snapshot_item": "SELECT, INSERT, DELETE",
    "snapshot_member": "SELECT, INSERT, DELETE",
}


def upgrade() -> None:
    """Make the tables; a restore takes changes of the graph away that were made since."""
    op.execute(DDL)
    for table in TABLES:
        isolate(table)
        grant(table, RIGHTS[table])
    grant("graph_change", "DELETE")


def downgrade() -> None:
    """Drop them."""
    op.execute(f"REVOKE DELETE ON graph_change FROM {ROLE}")
    for table in reversed(TABLES):
        revoke(table)
        op.drop_table(table)
