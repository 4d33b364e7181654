"""Simulations that were run over the API.

Revision ID: 0009
Revises: 0008
"""

from alembic import op

from migrations.policies import grant, isolate, revoke

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# the numbers of a series barely compress, so trying to would only cost time
DDL = """
CREATE TABLE simulation (
    tenant_id UUID DEFAULT nullif(current_setting('lattice.tenant', true), '')::uuid NOT NULL,
    simulation_id UUID NOT NULL,
    scenario JSON NOT NULL,
    outcome JSON NOT NULL,
    events JSON NOT NULL,
    series BYTEA STORAGE EXTERNAL NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT simulation_pkey PRIMARY KEY (tenant_id, simulation_id)
);

CREATE INDEX simulation_tenant_id_created_at_simulation_id_idx
    ON simulation (tenant_id, created_at, simulation_id);
"""


def upgrade() -> None:
    """Make the table."""
    op.execute(DDL)
    isolate("simulation")
    grant("simulation", "SELECT, INSERT, DELETE")


def downgrade() -> None:
    """Drop it."""
    revoke("simulation")
    op.drop_table("simulation")
