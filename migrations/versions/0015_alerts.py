"""Alerts: their rules, silences, the webhooks that hear of them, and what is still to be delivered.

Revision ID: 0015
Revises: 0014
"""

from alembic import op

from migrations.policies import grant, isolate, revoke

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

TABLES = ("alert_rule", "alert", "alert_silence", "alert_webhook", "alert_delivery")

DDL = """
CREATE TABLE alert_rule (
    tenant_id UUID DEFAULT nullif(current_setting('lattice.tenant', true), '')::uuid NOT NULL,
    name TEXT NOT NULL,
    metric TEXT NOT NULL,
    op TEXT NOT NULL,
    threshold DOUBLE PRECISION NOT NULL,
    clear_threshold DOUBLE PRECISION NOT NULL,
    for_s DOUBLE PRECISION NOT NULL,
    severity TEXT NOT NULL,
    enabled BOOLEAN NOT NULL,
    gem_id UUID,
    description TEXT NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT alert_rule_pkey PRIMARY KEY (tenant_id, name),
    CONSTRAINT alert_rule_tenant_id_gem_id_fkey FOREIGN KEY (tenant_id, gem_id)
        REFERENCES gem (tenant_id, gem_id) ON DELETE CASCADE,
    CONSTRAINT alert_rule_op_check CHECK (op IN ('above', 'below')),
    CONSTRAINT alert_rule_severity_check CHECK (severity IN ('info', 'warning', 'critical'))
);

CREATE TABLE alert (
    tenant_id UUID DEFAULT nullif(current_setting('lattice.tenant', true), '')::uuid NOT NULL,
    alert_id UUID NOT NULL,
    rule TEXT NOT NULL,
    subject TEXT NOT NULL,
    subject_name TEXT NOT NULL,
    metric TEXT NOT NULL,
    op TEXT NOT NULL,
    threshold DOUBLE PRECISION NOT NULL,
    clear_threshold DOUBLE PRECISION NOT NULL,
    severity TEXT NOT NULL,
    description TEXT NOT NULL,
    value DOUBLE PRECISION,
    seen_by JSONB DEFAULT '{}'::jsonb NOT NULL,
    fired_at TIMESTAMP WITH TIME ZONE NOT NULL,
    notified_at TIMESTAMP WITH TIME ZONE,
    acknowledged_at TIMESTAMP WITH TIME ZONE,
    acknowledgement TEXT,
    resolved_at TIMESTAMP WITH TIME ZONE,
    changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT alert_pkey PRIMARY KEY (tenant_id, alert_id)
);

-- at most one open alert of a rule about a subject, however many processes look
CREATE UNIQUE INDEX alert_open_idx ON alert (tenant_id, rule, subject) WHERE resolved_at IS NULL;
CREATE INDEX alert_tenant_id_fired_at_alert_id_idx ON alert (tenant_id, fired_at, alert_id);
CREATE INDEX alert_tenant_id_changed_at_idx ON alert (tenant_id, changed_at);

CREATE TABLE alert_silence (
    tenant_id UUID DEFAULT nullif(current_setting('lattice.tenant', true), '')::uuid NOT NULL,
    silence_id UUID NOT NULL,
    rule TEXT,
    subject TEXT,
    note TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT alert_silence_pkey PRIMARY KEY (tenant_id, silence_id)
);

CREATE TABLE alert_webhook (
    tenant_id UUID DEFAULT nullif(current_setting('lattice.tenant', true), '')::uuid NOT NULL,
    webhook_id UUID NOT NULL,
    url TEXT NOT NULL,
    secret TEXT NOT NULL,
    least_severity TEXT NOT NULL,
    description TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    disabled_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT alert_webhook_pkey PRIMARY KEY (tenant_id, webhook_id),
    CONSTRAINT alert_webhook_least_severity_check CHECK (least_severity IN ('info', 'warning', 'critical'))
);

CREATE TABLE alert_delivery (
    tenant_id UUID DEFAULT nullif(current_setting('lattice.tenant', true), '')::uuid NOT NULL,
    delivery_id UUID NOT NULL,
    webhook_id UUID NOT NULL,
    body TEXT NOT NULL,
    attempts INTEGER DEFAULT 0 NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    tried_at TIMESTAMP WITH TIME ZONE,
    delivered_at TIMESTAMP WITH TIME ZONE,
    status INTEGER,
    error TEXT,
    CONSTRAINT alert_delivery_pkey PRIMARY KEY (tenant_id, delivery_id),
    CONSTRAINT alert_delivery_tenant_id_webhook_id_fkey FOREIGN KEY (tenant_id, webhook_id)
        REFERENCES alert_webhook (tenant_id, webhook_id) ON DELETE CASCADE
);

CREATE INDEX alert_delivery_due_idx ON alert_delivery (tenant_id, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX alert_delivery_tenant_id_webhook_id_created_at_idx
    ON alert_delivery (tenant_id, webhook_id, created_at);
"""


def upgrade() -> None:
    """Make the tables."""
    op.execute(DDL)
    for table in TABLES:
        isolate(table)
        grant(table, "SELECT, INSERT, UPDATE, DELETE")


def downgrade() -> None:
    """Drop them; what was still to be delivered is not."""
    for table in reversed(TABLES):
        revoke(table)
        op.drop_table(table)
