-- name: prefer_index
-- for this transaction: read in the order of the HNSW index instead of sorting, whatever the statistics say
SET LOCAL enable_sort = off;

-- name: nearest_indexed
-- the k nearest passages by cosine distance through the HNSW index of this dimension; ties by id
SELECT p.gem_id, p.slot
FROM passage p
WHERE p.gem_id = ANY(%(gem_ids)s::uuid[]) AND vector_dims(p.embedding) = {dimension}
  AND (NOT %(filtered)s OR EXISTS (
    SELECT 1 FROM document d WHERE d.tenant_id = p.tenant_id AND d.document_id = p.document_id
      AND (%(sources)s::text[] IS NULL OR d.source = ANY(%(sources)s::text[]))
      AND (%(since)s::timestamptz IS NULL OR d.occurred_at >= %(since)s::timestamptz)
      AND (%(until)s::timestamptz IS NULL OR d.occurred_at < %(until)s::timestamptz)
      AND (%(metadata)s::jsonb IS NULL OR d.meta @> %(metadata)s::jsonb)))
ORDER BY p.embedding::halfvec({dimension}) <=> %(question)s::halfvec({dimension}), p.passage_id
LIMIT %(k)s;

-- name: nearest_exact
-- the same over every passage, for gems so small, or filters so narrow, that an index scan would miss or waste
WITH compared AS MATERIALIZED (
  SELECT p.gem_id, p.slot, p.passage_id,
    p.embedding::halfvec({dimension}) <=> %(question)s::halfvec({dimension}) AS distance
  FROM passage p
  WHERE p.gem_id = ANY(%(gem_ids)s::uuid[]) AND vector_dims(p.embedding) = {dimension}
    AND (NOT %(filtered)s OR EXISTS (
      SELECT 1 FROM document d WHERE d.tenant_id = p.tenant_id AND d.document_id = p.document_id
        AND (%(sources)s::text[] IS NULL OR d.source = ANY(%(sources)s::text[]))
        AND (%(since)s::timestamptz IS NULL OR d.occurred_at >= %(since)s::timestamptz)
        AND (%(until)s::timestamptz IS NULL OR d.occurred_at < %(until)s::timestamptz)
        AND (%(metadata)s::jsonb IS NULL OR d.meta @> %(metadata)s::jsonb))))
SELECT gem_id, slot FROM compared ORDER BY distance, passage_id LIMIT %(k)s;

-- name: allowed_slots
-- the slots that a filter leaves, packed as big-endian integers, one row a gem
SELECT p.gem_id, string_agg(int4send(p.slot), ''::bytea) AS slots
FROM document d JOIN passage p ON p.tenant_id = d.tenant_id AND p.document_id = d.document_id
WHERE d.gem_id = ANY(%(gem_ids)s::uuid[])
  AND (%(sources)s::text[] IS NULL OR d.source = ANY(%(sources)s::text[]))
  AND (%(since)s::timestamptz IS NULL OR d.occurred_at >= %(since)s::timestamptz)
  AND (%(until)s::timestamptz IS NULL OR d.occurred_at < %(until)s::timestamptz)
  AND (%(metadata)s::jsonb IS NULL OR d.meta @> %(metadata)s::jsonb)
GROUP BY p.gem_id;

-- name: hydrate_candidates
-- candidates by (gem, slot) with what scores them; what was deleted meanwhile falls out. Each is looked up by its key:
-- the limits keep the planner from joining whole tables while its statistics are young
SELECT p.*, d.speaker
FROM unnest(%(gem_ids)s::uuid[], %(slots)s::int[]) AS c (gem_id, slot)
CROSS JOIN LATERAL (
  SELECT p.passage_id, p.gem_id, p.slot, p.document_id, p.energy, p.phase, p.coherence, p.uncertainty,
    extract(epoch FROM p.measured_at)::float8 AS measured_at,
    1 - (p.embedding::halfvec({dimension}) <=> %(question)s::halfvec({dimension})) AS cosine
  FROM passage p WHERE p.gem_id = c.gem_id AND p.slot = c.slot LIMIT 1) AS p
CROSS JOIN LATERAL (SELECT d.speaker FROM document d WHERE d.document_id = p.document_id LIMIT 1) AS d;

-- name: get_passages
-- the passages that are shown, with their documents
SELECT p.*, d.*
FROM unnest(%(passage_ids)s::uuid[]) AS c (passage_id)
CROSS JOIN LATERAL (
  SELECT p.passage_id, p.document_id, p.ordinal, p.heading, p.body, p.start_char, p.end_char, p.tokens
  FROM passage p WHERE p.passage_id = c.passage_id LIMIT 1) AS p
CROSS JOIN LATERAL (
  SELECT d.external_id, d.title, d.source, d.thread, d.occurred_at, d.meta
  FROM document d WHERE d.document_id = p.document_id LIMIT 1) AS d;

-- name: measure_passages
-- evolve each to now, measure it with its own gain, and say so in the log; rows are locked in one order
WITH target AS (
  SELECT p.tenant_id, p.passage_id, m.gain FROM unnest(%(passage_ids)s::uuid[], %(gains)s::float8[]) AS m (id, gain)
  JOIN passage p ON p.passage_id = m.id ORDER BY p.passage_id FOR UPDATE OF p),
measured AS (
  UPDATE passage p SET (energy, phase, coherence, uncertainty) = (
      SELECT m.energy, m.phase, m.coherence, m.uncertainty
      FROM lattice_measure(p.energy, p.phase, p.coherence, p.uncertainty,
                           greatest(0, extract(epoch FROM %(now)s - p.measured_at)::float8 / %(tau_s)s), t.gain) AS m),
    measured_at = greatest(p.measured_at, %(now)s)
  FROM target t WHERE p.tenant_id = t.tenant_id AND p.passage_id = t.passage_id
  RETURNING p.gem_id, p.passage_id, t.gain, p.energy, p.phase, p.coherence, p.uncertainty, p.measured_at)
INSERT INTO measurement (gem_id, passage_id, reflection_id, cause, gain, energy, phase, coherence, uncertainty, measured_at)
SELECT gem_id, passage_id, %(reflection_id)s, %(cause)s, gain, energy, phase, coherence, uncertainty, measured_at
FROM measured ORDER BY passage_id;
