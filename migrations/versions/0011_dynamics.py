"""Entanglements, and a log that says from where a measurement came and how long a τ was.

Revision ID: 0011
Revises: 0010
"""

from alembic import op

from migrations.policies import grant, isolate, revoke

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

DDL = """
CREATE TABLE entanglement (
    tenant_id UUID DEFAULT nullif(current_setting('lattice.tenant', true), '')::uuid NOT NULL,
    gem_id UUID NOT NULL,
    other_id UUID NOT NULL,
    strength DOUBLE PRECISION NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT entanglement_pkey PRIMARY KEY (tenant_id, gem_id, other_id),
    CONSTRAINT entanglement_order_check CHECK (gem_id < other_id),
    CONSTRAINT entanglement_strength_check CHECK (strength BETWEEN 0 AND 1),
    CONSTRAINT entanglement_tenant_id_gem_id_fkey FOREIGN KEY(tenant_id, gem_id)
        REFERENCES gem (tenant_id, gem_id) ON DELETE CASCADE,
    CONSTRAINT entanglement_tenant_id_other_id_fkey FOREIGN KEY(tenant_id, other_id)
        REFERENCES gem (tenant_id, gem_id) ON DELETE CASCADE
);

CREATE INDEX entanglement_tenant_id_other_id_idx ON entanglement (tenant_id, other_id);

ALTER TABLE measurement ADD COLUMN via_gem_id UUID, ADD COLUMN tau_s DOUBLE PRECISION,
    ADD COLUMN state_at TIMESTAMP WITH TIME ZONE;

CREATE INDEX measurement_passage_idx ON measurement (tenant_id, passage_id, measurement_id)
    WHERE passage_id IS NOT NULL;
"""

# one hop, each partner by its strongest link; strengths so small that their products would underflow are none
REACH = """
CREATE FUNCTION lattice_reach(gem_ids uuid[], gains float8[])
RETURNS TABLE (gem_id uuid, gain float8, via_gem_id uuid) LANGUAGE sql STABLE PARALLEL SAFE AS $$
    WITH used AS (SELECT u.gem_id, u.gain FROM unnest(gem_ids, gains) AS u (gem_id, gain)),
    reached AS (
        SELECT u.gem_id, u.gain, NULL::uuid AS via_gem_id FROM used AS u
        UNION ALL
        SELECT e.other_id, u.gain * e.strength, u.gem_id FROM used AS u JOIN entanglement AS e ON e.gem_id = u.gem_id
        WHERE e.strength >= 1e-6
        UNION ALL
        SELECT e.gem_id, u.gain * e.strength, u.gem_id FROM used AS u JOIN entanglement AS e ON e.other_id = u.gem_id
        WHERE e.strength >= 1e-6)
    SELECT DISTINCT ON (r.gem_id) r.gem_id, r.gain, r.via_gem_id FROM reached AS r
    ORDER BY r.gem_id, r.via_gem_id IS NOT NULL, r.gain DESC, r.via_gem_id
$$
"""

# as in gems/state.py, with the same operations in the same order; Postgres raises where a product underflows
MEASURE = """
CREATE OR REPLACE FUNCTION lattice_measure(
    INOUT energy float8, INOUT phase float8, INOUT coherence float8, INOUT uncertainty float8, dt float8,
    gain float8, energy_max float8 DEFAULT 64
) LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT greatest(e.energy, least(energy_max, e.energy * (1 + {beta} * (1 - e.coherence)))),
        e.phase,
        e.coherence + gain * (1 - e.coherence),
        {uncertainty} * (1 - gain)
    FROM lattice_evolve(energy, phase, coherence, uncertainty, dt) AS e
$$
"""


def upgrade() -> None:
    """Make the table and the columns; a weak measurement adds less energy than a whole one."""
    op.execute(DDL)
    op.execute(REACH)
    held = "CASE WHEN e.uncertainty < 1e-100 THEN 0 ELSE e.uncertainty END"
    op.execute(MEASURE.format(beta="0.5 * least(1, gain / 0.3)", uncertainty=held))
    isolate("entanglement")
    grant("entanglement", "SELECT, INSERT, UPDATE, DELETE")


def downgrade() -> None:
    """Drop them."""
    op.execute(MEASURE.format(beta="0.5", uncertainty="e.uncertainty"))
    op.execute("DROP FUNCTION lattice_reach(uuid[], float8[])")
    op.execute("DROP INDEX measurement_passage_idx")
    op.execute("ALTER TABLE measurement DROP COLUMN via_gem_id, DROP COLUMN tau_s, DROP COLUMN state_at")
    revoke("entanglement")
    op.drop_table("entanglement")
