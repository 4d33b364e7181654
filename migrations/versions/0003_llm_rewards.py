"""How variants of LLM experiments were rewarded.

Revision ID: 0003
Revises: 0002
"""

from alembic import op

from migrations.policies import grant, isolate, revoke

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

DDL = """
CREATE TABLE llm_reward (
    tenant_id UUID DEFAULT nullif(current_setting('lattice.tenant', true), '')::uuid NOT NULL,
    experiment TEXT NOT NULL,
    variant TEXT NOT NULL,
    trials BIGINT NOT NULL,
    reward_sum DOUBLE PRECISION NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT llm_reward_pkey PRIMARY KEY (tenant_id, experiment, variant),
    CONSTRAINT llm_reward_amounts_check CHECK (trials > 0 AND reward_sum >= 0 AND reward_sum <= trials)
);
"""


def upgrade() -> None:
    """Make the table, closed to other tenants."""
    op.execute(DDL)
    isolate("llm_reward")
    grant("llm_reward", "SELECT, INSERT, UPDATE")


def downgrade() -> None:
    """Drop the table; the rewards are forgotten."""
    revoke("llm_reward")
    op.drop_table("llm_reward")
