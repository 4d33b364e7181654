"""The first tables: lattice, gems, knowledge, the lexical index, reflections.

Revision ID: 0001
Revises: none
"""

from alembic import op

from migrations.policies import grant, isolate, make_role, revoke

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

READ_WRITE = "SELECT, INSERT, UPDATE, DELETE"
APPEND_ONLY = "SELECT, INSERT"
TABLES = {
    "lattice": READ_WRITE,
    "gem": READ_WRITE,
    "measurement": APPEND_ONLY,
    "document": READ_WRITE,
    "passage": READ_WRITE,
    "lexical_segment": READ_WRITE,
    "lexical_posting": READ_WRITE,
    "reflection": READ_WRITE,
    "reflection_evidence": READ_WRITE,
    "reflection_attempt": READ_WRITE,
    "idempotency_key": READ_WRITE,
}

DDL = """
CREATE TABLE lattice (
    tenant_id UUID DEFAULT nullif(current_setting('lattice.tenant', true), '')::uuid NOT NULL,
    embedding_model TEXT,
    embedding_dimension INTEGER,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT lattice_pkey PRIMARY KEY (tenant_id)
);

CREATE TABLE gem (
    tenant_id UUID DEFAULT nullif(current_setting('lattice.tenant', true), '')::uuid NOT NULL,
    gem_id UUID NOT NULL,
    name TEXT NOT NULL,
    description TEXT DEFAULT '' NOT NULL,
    meta JSONB DEFAULT '{}'::jsonb NOT NULL,
    energy DOUBLE PRECISION DEFAULT 1 NOT NULL,
    phase DOUBLE PRECISION DEFAULT 0 NOT NULL,
    coherence DOUBLE PRECISION DEFAULT 1 NOT NULL,
    uncertainty DOUBLE PRECISION DEFAULT 0.1 NOT NULL,
    measured_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    feedback DOUBLE PRECISION DEFAULT 0 NOT NULL,
    ratings INTEGER DEFAULT '0' NOT NULL,
    speakers TEXT[] DEFAULT '{}' NOT NULL,
    version BIGINT DEFAULT 0 NOT NULL,
    next_slot INTEGER DEFAULT '0' NOT NULL,
    archived_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT gem_pkey PRIMARY KEY (tenant_id, gem_id),
    CONSTRAINT gem_tenant_id_name_key UNIQUE (tenant_id, name),
    CONSTRAINT gem_state_check CHECK (
        energy > 0 AND phase >= 0 AND coherence BETWEEN 0 AND 1 AND uncertainty BETWEEN 0 AND 1
    )
);

CREATE INDEX gem_tenant_id_created_at_gem_id_idx ON gem (tenant_id, created_at, gem_id);

CREATE TABLE measurement (
    tenant_id UUID DEFAULT nullif(current_setting('lattice.tenant', true), '')::uuid NOT NULL,
    measurement_id BIGINT GENERATED ALWAYS AS IDENTITY,
    gem_id UUID NOT NULL,
    passage_id UUID,
    reflection_id UUID,
    cause TEXT NOT NULL,
    gain DOUBLE PRECISION NOT NULL,
    energy DOUBLE PRECISION NOT NULL,
    phase DOUBLE PRECISION NOT NULL,
    coherence DOUBLE PRECISION NOT NULL,
    uncertainty DOUBLE PRECISION NOT NULL,
    measured_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT measurement_pkey PRIMARY KEY (tenant_id, measurement_id),
    CONSTRAINT measurement_tenant_id_gem_id_fkey FOREIGN KEY(tenant_id, gem_id)
        REFERENCES gem (tenant_id, gem_id) ON DELETE CASCADE
);

CREATE INDEX measurement_tenant_id_gem_id_measured_at_idx ON measurement (tenant_id, gem_id, measured_at);

CREATE TABLE document (
    tenant_id UUID DEFAULT nullif(current_setting('lattice.tenant', true), '')::uuid NOT NULL,
    document_id UUID NOT NULL,
    gem_id UUID NOT NULL,
    external_id TEXT,
    title TEXT,
    source TEXT,
    thread TEXT,
    speaker TEXT,
    position BIGINT,
    occurred_at TIMESTAMP WITH TIME ZONE,
    meta JSONB DEFAULT '{}'::jsonb NOT NULL,
    entities JSONB DEFAULT '[]'::jsonb NOT NULL,
    relations JSONB DEFAULT '[]'::jsonb NOT NULL,
    body TEXT NOT NULL,
    content_hash BYTEA NOT NULL,
    passages INTEGER NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT document_pkey PRIMARY KEY (tenant_id, document_id),
    CONSTRAINT document_tenant_id_gem_id_fkey FOREIGN KEY(tenant_id, gem_id)
        REFERENCES gem (tenant_id, gem_id) ON DELETE CASCADE
);

CREATE UNIQUE INDEX document_external_idx
    ON document (tenant_id, gem_id, external_id) WHERE external_id IS NOT NULL;

CREATE INDEX document_anonymous_idx
    ON document (tenant_id, gem_id, content_hash) WHERE external_id IS NULL;

CREATE INDEX document_tenant_id_gem_id_created_at_document_id_idx
    ON document (tenant_id, gem_id, created_at, document_id);

CREATE INDEX document_thread_idx
    ON document (tenant_id, gem_id, thread, position) WHERE thread IS NOT NULL;

CREATE TABLE passage (
    tenant_id UUID DEFAULT nullif(current_setting('lattice.tenant', true), '')::uuid NOT NULL,
    passage_id UUID NOT NULL,
    gem_id UUID NOT NULL,
    document_id UUID NOT NULL,
    ordinal INTEGER NOT NULL,
    slot INTEGER NOT NULL,
    heading TEXT,
    body TEXT NOT NULL,
    start_char INTEGER NOT NULL,
    end_char INTEGER NOT NULL,
    tokens INTEGER NOT NULL,
    embedding HALFVEC NOT NULL,
    energy DOUBLE PRECISION DEFAULT 1 NOT NULL,
    phase DOUBLE PRECISION DEFAULT 0 NOT NULL,
    coherence DOUBLE PRECISION DEFAULT 1 NOT NULL,
    uncertainty DOUBLE PRECISION DEFAULT 0.1 NOT NULL,
    measured_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT passage_pkey PRIMARY KEY (tenant_id, passage_id),
    CONSTRAINT passage_tenant_id_document_id_fkey FOREIGN KEY(tenant_id, document_id)
        REFERENCES document (tenant_id, document_id) ON DELETE CASCADE,
    CONSTRAINT passage_tenant_id_gem_id_slot_key UNIQUE (tenant_id, gem_id, slot),
    CONSTRAINT passage_tenant_id_document_id_ordinal_key UNIQUE (tenant_id, document_id, ordinal),
    CONSTRAINT passage_state_check CHECK (
        energy > 0 AND phase >= 0 AND coherence BETWEEN 0 AND 1 AND uncertainty BETWEEN 0 AND 1
    )
);

CREATE INDEX passage_embedding_384_idx
    ON passage USING hnsw ((embedding::halfvec(384)) halfvec_cosine_ops)
    WHERE vector_dims(embedding) = 384;

CREATE TABLE lexical_segment (
    tenant_id UUID DEFAULT nullif(current_setting('lattice.tenant', true), '')::uuid NOT NULL,
    gem_id UUID NOT NULL,
    segment_id BIGINT NOT NULL,
    base INTEGER NOT NULL,
    span INTEGER NOT NULL,
    size INTEGER NOT NULL,
    tokens BIGINT NOT NULL,
    terms TEXT[] COLLATE "C" NOT NULL,
    overrides INTEGER[] NOT NULL,
    tombstones INTEGER[] NOT NULL,
    CONSTRAINT lexical_segment_pkey PRIMARY KEY (tenant_id, gem_id, segment_id),
    CONSTRAINT lexical_segment_tenant_id_gem_id_fkey FOREIGN KEY(tenant_id, gem_id)
        REFERENCES gem (tenant_id, gem_id) ON DELETE CASCADE
);

CREATE TABLE lexical_posting (
    tenant_id UUID DEFAULT nullif(current_setting('lattice.tenant', true), '')::uuid NOT NULL,
    term TEXT COLLATE "C" NOT NULL,
    gem_id UUID NOT NULL,
    segment_id BIGINT NOT NULL,
    data BYTEA NOT NULL,
    CONSTRAINT lexical_posting_pkey PRIMARY KEY (tenant_id, term, gem_id, segment_id)
);

-- postings go with their segment; under a cascade this runs as the owner of the tables, so nothing may shadow them
CREATE FUNCTION lattice_drop_postings() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    DELETE FROM lexical_posting p
    WHERE p.tenant_id = OLD.tenant_id AND p.term = ANY (OLD.terms) AND p.gem_id = OLD.gem_id
      AND p.segment_id = OLD.segment_id;
    RETURN NULL;
END
$$;

CREATE TRIGGER drop_postings AFTER DELETE ON lexical_segment
    FOR EACH ROW EXECUTE FUNCTION lattice_drop_postings();

CREATE TABLE reflection (
    tenant_id UUID DEFAULT nullif(current_setting('lattice.tenant', true), '')::uuid NOT NULL,
    reflection_id UUID NOT NULL,
    gem_id UUID NOT NULL,
    question TEXT NOT NULL,
    answer TEXT NOT NULL,
    grounding TEXT NOT NULL,
    target TEXT NOT NULL,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    finish TEXT NOT NULL,
    usage JSONB DEFAULT '{}'::jsonb NOT NULL,
    cost_usd NUMERIC,
    score DOUBLE PRECISION NOT NULL,
    terms JSONB DEFAULT '{}'::jsonb NOT NULL,
    seconds DOUBLE PRECISION NOT NULL,
    rating DOUBLE PRECISION,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT reflection_pkey PRIMARY KEY (tenant_id, reflection_id),
    CONSTRAINT reflection_tenant_id_gem_id_fkey FOREIGN KEY(tenant_id, gem_id)
        REFERENCES gem (tenant_id, gem_id) ON DELETE CASCADE,
    CONSTRAINT reflection_rating_check CHECK (rating BETWEEN -1 AND 1)
);

CREATE INDEX reflection_tenant_id_gem_id_created_at_reflection_id_idx
    ON reflection (tenant_id, gem_id, created_at, reflection_id);

CREATE TABLE reflection_evidence (
    tenant_id UUID DEFAULT nullif(current_setting('lattice.tenant', true), '')::uuid NOT NULL,
    reflection_id UUID NOT NULL,
    label INTEGER NOT NULL,
    passage_id UUID NOT NULL,
    gem_id UUID NOT NULL,
    document_id UUID NOT NULL,
    external_id TEXT,
    title TEXT,
    source TEXT,
    body TEXT NOT NULL,
    cited BOOLEAN NOT NULL,
    score DOUBLE PRECISION NOT NULL,
    scores JSONB DEFAULT '{}'::jsonb NOT NULL,
    CONSTRAINT reflection_evidence_pkey PRIMARY KEY (tenant_id, reflection_id, label),
    CONSTRAINT reflection_evidence_tenant_id_reflection_id_fkey FOREIGN KEY(tenant_id, reflection_id)
        REFERENCES reflection (tenant_id, reflection_id) ON DELETE CASCADE,
    CONSTRAINT reflection_evidence_tenant_id_document_id_fkey FOREIGN KEY(tenant_id, document_id)
        REFERENCES document (tenant_id, document_id) ON DELETE CASCADE
);

CREATE INDEX reflection_evidence_document_idx ON reflection_evidence (tenant_id, document_id);

CREATE TABLE reflection_attempt (
    tenant_id UUID DEFAULT nullif(current_setting('lattice.tenant', true), '')::uuid NOT NULL,
    reflection_id UUID NOT NULL,
    number INTEGER NOT NULL,
    target TEXT NOT NULL,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    outcome TEXT NOT NULL,
    error TEXT,
    status INTEGER,
    usage JSONB DEFAULT '{}'::jsonb NOT NULL,
    seconds DOUBLE PRECISION NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT reflection_attempt_pkey PRIMARY KEY (tenant_id, reflection_id, number),
    CONSTRAINT reflection_attempt_tenant_id_reflection_id_fkey FOREIGN KEY(tenant_id, reflection_id)
        REFERENCES reflection (tenant_id, reflection_id) ON DELETE CASCADE
);

CREATE TABLE idempotency_key (
    tenant_id UUID DEFAULT nullif(current_setting('lattice.tenant', true), '')::uuid NOT NULL,
    key TEXT NOT NULL,
    request_hash BYTEA NOT NULL,
    status INTEGER,
    body BYTEA,
    location TEXT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT idempotency_key_pkey PRIMARY KEY (tenant_id, key)
);

CREATE INDEX idempotency_key_tenant_id_created_at_idx ON idempotency_key (tenant_id, created_at);

-- the formulas of gems/state.py, with the same operations in the same order; time in τ. The floors keep exp and the
-- product from an underflow error, which Postgres raises where numpy returns 0.
CREATE FUNCTION lattice_evolve(
    INOUT energy float8, INOUT phase float8, INOUT coherence float8, INOUT uncertainty float8, dt float8
) LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT energy,
        least(greatest(phase + energy * dt - 2 * pi() * floor((phase + energy * dt) / (2 * pi())), 0),
              6.283185307179585),
        CASE WHEN coherence < 1e-100 THEN 0 ELSE coherence * exp(greatest(-dt / energy, -200)) END,
        least(1, uncertainty + dt / 10)
$$;

CREATE FUNCTION lattice_measure(
    INOUT energy float8, INOUT phase float8, INOUT coherence float8, INOUT uncertainty float8, dt float8,
    gain float8, energy_max float8 DEFAULT 64
) LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT greatest(e.energy, least(energy_max, e.energy * (1 + 0.5 * (1 - e.coherence)))),
        e.phase,
        e.coherence + gain * (1 - e.coherence),
        e.uncertainty * (1 - gain)
    FROM lattice_evolve(energy, phase, coherence, uncertainty, dt) AS e
$$;

-- postings are packed numbers: compressing them again only costs time
ALTER TABLE lexical_posting ALTER data SET STORAGE EXTERNAL;
ALTER TABLE lexical_posting SET (toast_tuple_target = 8160);
"""


def upgrade() -> None:
    """Make the tables, each closed to other tenants from its first moment."""
    make_role()
    op.execute("CREATE EXTENSION IF NOT EXISTS vector")
    op.execute(DDL)
    for table, rights in TABLES.items():
        isolate(table)
        grant(table, rights)


def downgrade() -> None:
    """Drop the tables; the role and the extension may serve other databases and stay."""
    for table in reversed(TABLES):
        revoke(table)
        op.drop_table(table)
    op.execute("DROP FUNCTION lattice_drop_postings()")
    op.execute("DROP FUNCTION lattice_measure(float8, float8, float8, float8, float8, float8, float8)")
    op.execute("DROP FUNCTION lattice_evolve(float8, float8, float8, float8, float8)")
