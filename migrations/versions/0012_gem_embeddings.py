"""The embedding of a gem: the exact sum of its passages' embeddings, kept by triggers; how evidence was reached.

Revision ID: 0012
Revises: 0011
"""

from alembic import op

from migrations.policies import grant, isolate, revoke

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

# A total is {n, Σ…} as pgvector's halfvec_accum makes it. Numbers of a halfvec are multiples of 2^-24, so that sums in
# float8 of up to 2^29 of them below 1 in size are exact: what is added and taken away again leaves no trace, in any
# order. The totals of the usual models fit into a page, uncompressed: a write of one passage must not pay for more.
DDL = """
CREATE TABLE gem_embedding (
    tenant_id UUID DEFAULT nullif(current_setting('lattice.tenant', true), '')::uuid NOT NULL,
    gem_id UUID NOT NULL,
    source TEXT NOT NULL,
    dimension INTEGER NOT NULL,
    total DOUBLE PRECISION[] STORAGE EXTERNAL NOT NULL,
    CONSTRAINT gem_embedding_pkey PRIMARY KEY (tenant_id, gem_id, source, dimension),
    CONSTRAINT gem_embedding_source_check CHECK (source IN ('embedding', 'embedding_b')),
    CONSTRAINT gem_embedding_tenant_id_gem_id_fkey FOREIGN KEY(tenant_id, gem_id)
        REFERENCES gem (tenant_id, gem_id) ON DELETE CASCADE
) WITH (fillfactor = 50, toast_tuple_target = 8160);

CREATE AGGREGATE lattice_total(halfvec) (
    SFUNC = halfvec_accum, STYPE = float8[], COMBINEFUNC = halfvec_combine, INITCOND = '{0}', PARALLEL = SAFE
);

ALTER TABLE reflection_evidence ADD COLUMN entanglement DOUBLE PRECISION;

-- room on a page for the new version of a row whose state changed: without it a measurement enters every passage into
-- all indexes anew, that of vectors included, which takes milliseconds where it now takes microseconds
ALTER TABLE passage SET (fillfactor = 75);
"""

# Everything goes by the primary key as an insert that meets what is there: a plan that is kept for a session cannot
# come to read the table. One that is all taken away is left as {0}. Rows are written in the order of keys.
ADD = """
    INSERT INTO gem_embedding AS held (tenant_id, gem_id, source, dimension, total)
    SELECT p.tenant_id, p.gem_id, e.source, vector_dims(e.vector), lattice_total(e.vector)
    FROM {rows} AS p
    CROSS JOIN LATERAL (VALUES ('embedding', p.embedding), ('embedding_b', p.embedding_b)) AS e (source, vector)
    WHERE p.closed_at IS NULL AND e.vector IS NOT NULL
    GROUP BY p.tenant_id, p.gem_id, e.source, vector_dims(e.vector)
    ORDER BY 1, 2, 3, 4
    ON CONFLICT (tenant_id, gem_id, source, dimension) DO UPDATE
        SET total = halfvec_combine(held.total, excluded.total);
"""

# v − v − v is −v. A gem that is being deleted takes its totals along; they are not counted down document by document
TAKE = """
    INSERT INTO gem_embedding AS held (tenant_id, gem_id, source, dimension, total)
    SELECT t.tenant_id, t.gem_id, t.source, t.dimension, array_prepend(-t.total[1], t.total[2:])
    FROM (
        SELECT p.tenant_id, p.gem_id, e.source, vector_dims(e.vector) AS dimension,
            lattice_total(e.vector - e.vector - e.vector) AS total
        FROM {rows} AS p
        CROSS JOIN LATERAL (VALUES ('embedding', p.embedding), ('embedding_b', p.embedding_b)) AS e (source, vector)
        WHERE p.closed_at IS NULL AND e.vector IS NOT NULL
        GROUP BY p.tenant_id, p.gem_id, e.source, vector_dims(e.vector)) AS t
    CROSS JOIN LATERAL (
        SELECT FROM gem g WHERE g.tenant_id = t.tenant_id AND g.gem_id = t.gem_id LIMIT 1) AS g
    ORDER BY 1, 2, 3, 4
    ON CONFLICT (tenant_id, gem_id, source, dimension) DO UPDATE
        SET total = CASE WHEN held.total[1] + excluded.total[1] = 0 THEN '{{0}}'
                         ELSE halfvec_combine(held.total, excluded.total) END;
"""

# a full join is hashed or merged, however few rows it was planned for
CHANGED = """
    (SELECT {side}.* FROM was AS w FULL JOIN fresh AS f ON f.tenant_id = w.tenant_id AND f.passage_id = w.passage_id
     WHERE (w.gem_id, w.closed_at IS NULL, w.embedding, w.embedding_b)
        IS DISTINCT FROM (f.gem_id, f.closed_at IS NULL, f.embedding, f.embedding_b))
"""

FUNCTION = """
CREATE FUNCTION lattice_{name}_embeddings() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    {body}
    RETURN NULL;
END
$$
"""

TRIGGER = """
CREATE TRIGGER {name}_embeddings AFTER {event} ON passage REFERENCING {tables}
    FOR EACH STATEMENT EXECUTE FUNCTION lattice_{name}_embeddings()
"""

TRIGGERS = {
    "add": ("INSERT", "NEW TABLE AS fresh", ADD.format(rows="fresh")),
    "take": ("DELETE", "OLD TABLE AS was", TAKE.format(rows="was")),
    "move": (
        "UPDATE",
        "OLD TABLE AS was NEW TABLE AS fresh",
        f"""IF NOT EXISTS {CHANGED.format(side="w")} THEN  -- only states, mostly
        RETURN NULL;
    END IF;"""
        + TAKE.format(rows=CHANGED.format(side="w"))
        + ADD.format(rows=CHANGED.format(side="f")),
    ),
}


def upgrade() -> None:
    """Make them, and sum what is stored already."""
    op.execute(DDL)
    # the owner of the table sees the rows of every tenant while nothing forces row-level security upon it
    op.execute("ALTER TABLE passage NO FORCE ROW LEVEL SECURITY")
    op.execute(ADD.format(rows="passage"))
    op.execute("ALTER TABLE passage FORCE ROW LEVEL SECURITY")
    for name, (event, tables, body) in TRIGGERS.items():
        op.execute(FUNCTION.format(name=name, body=body))
        op.execute(TRIGGER.format(name=name, event=event, tables=tables))
    isolate("gem_embedding")
    grant("gem_embedding", "SELECT, INSERT, UPDATE, DELETE")


def downgrade() -> None:
    """Drop them."""
    for name in TRIGGERS:
        op.execute(f"DROP TRIGGER {name}_embeddings ON passage")
        op.execute(f"DROP FUNCTION lattice_{name}_embeddings()")
    revoke("gem_embedding")
    op.drop_table("gem_embedding")
    op.execute("DROP AGGREGATE lattice_total(halfvec)")
    op.execute("ALTER TABLE passage RESET (fillfactor)")
    op.execute("ALTER TABLE reflection_evidence DROP COLUMN entanglement")
