-- name: prefer_index
-- for this transaction: read in the order of the HNSW index instead of sorting, whatever the statistics say
SET LOCAL enable_sort = off;

-- name: nearest_indexed
-- the k nearest passages by cosine distance through the HNSW index of this column and dimension; ties by id
SELECT p.gem_id, p.slot
FROM passage p
WHERE p.gem_id = ANY(%(gem_ids)s::uuid[]) AND vector_dims(p.{embedding}) = {dimension}
  AND (p.closed_at IS NULL OR p.closed_at > %(as_of)s) AND p.created_at <= %(as_of)s
  AND (NOT %(filtered)s OR EXISTS (
    SELECT 1 FROM document d WHERE d.tenant_id = p.tenant_id AND d.document_id = p.document_id
      AND (%(sources)s::text[] IS NULL OR d.source = ANY(%(sources)s::text[]))
      AND (%(since)s::timestamptz IS NULL OR d.occurred_at >= %(since)s::timestamptz)
      AND (%(until)s::timestamptz IS NULL OR d.occurred_at < %(until)s::timestamptz)
      AND (%(metadata)s::jsonb IS NULL OR d.meta @> %(metadata)s::jsonb)))
ORDER BY p.{embedding}::halfvec({dimension}) <=> %(question)s::halfvec({dimension}), p.passage_id
LIMIT %(k)s;

-- name: nearest_exact
-- the same over every passage, for gems so small, or filters so narrow, that an index scan would miss or waste
WITH compared AS MATERIALIZED (
  SELECT p.gem_id, p.slot, p.passage_id,
    p.{embedding}::halfvec({dimension}) <=> %(question)s::halfvec({dimension}) AS distance
  FROM passage p
  WHERE p.gem_id = ANY(%(gem_ids)s::uuid[]) AND vector_dims(p.{embedding}) = {dimension}
  AND (p.closed_at IS NULL OR p.closed_at > %(as_of)s) AND p.created_at <= %(as_of)s
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
  AND (p.closed_at IS NULL OR p.closed_at > %(as_of)s) AND p.created_at <= %(as_of)s
  AND (%(sources)s::text[] IS NULL OR d.source = ANY(%(sources)s::text[]))
  AND (%(since)s::timestamptz IS NULL OR d.occurred_at >= %(since)s::timestamptz)
  AND (%(until)s::timestamptz IS NULL OR d.occurred_at < %(until)s::timestamptz)
  AND (%(metadata)s::jsonb IS NULL OR d.meta @> %(metadata)s::jsonb)
GROUP BY p.gem_id;

-- name: closed_slots
-- the slots of closed passages, which the lexical index still holds; packed as big-endian integers, one row a gem
SELECT p.gem_id, string_agg(int4send(p.slot), ''::bytea) AS slots
FROM passage p WHERE p.gem_id = ANY(%(gem_ids)s::uuid[]) AND p.closed_at IS NOT NULL GROUP BY p.gem_id;

-- name: hydrate_candidates
-- candidates by (gem, slot) with what scores them, then the neighbours that answer for them in part (without an id);
-- what was deleted or closed meanwhile falls out. Each is looked up by its key: the limits keep the planner from
-- joining whole tables while its statistics are young
WITH found AS MATERIALIZED (
  SELECT p.*, d.speaker, d.title, d.thread IS NOT NULL AS threaded
  FROM unnest(%(gem_ids)s::uuid[], %(slots)s::int[]) AS c (gem_id, slot)
  CROSS JOIN LATERAL (
    SELECT p.passage_id, p.gem_id, p.slot, p.document_id, p.around, right(p.body, 40) LIKE '%%?%%' AS asks,
      1 - (p.{embedding}::halfvec({dimension}) <=> %(question)s::halfvec({dimension})) AS cosine
    FROM passage p
    WHERE p.gem_id = c.gem_id AND p.slot = c.slot AND vector_dims(p.{embedding}) = {dimension}
      AND (p.closed_at IS NULL OR p.closed_at > %(as_of)s) AND p.created_at <= %(as_of)s
      AND (NOT %(filtered)s OR EXISTS (
    SELECT 1 FROM document d WHERE d.tenant_id = p.tenant_id AND d.document_id = p.document_id
      AND (%(sources)s::text[] IS NULL OR d.source = ANY(%(sources)s::text[]))
      AND (%(since)s::timestamptz IS NULL OR d.occurred_at >= %(since)s::timestamptz)
      AND (%(until)s::timestamptz IS NULL OR d.occurred_at < %(until)s::timestamptz)
      AND (%(metadata)s::jsonb IS NULL OR d.meta @> %(metadata)s::jsonb)))
    LIMIT 1) AS p
  CROSS JOIN LATERAL (
    SELECT d.speaker, d.title, d.thread FROM document d WHERE d.document_id = p.document_id LIMIT 1) AS d),
beside AS MATERIALIZED (
  SELECT f.gem_id, a.slot FROM found f CROSS JOIN unnest(f.around) AS a (slot) WHERE a.slot >= 0
  EXCEPT SELECT gem_id, slot FROM found)
SELECT f.passage_id, f.gem_id, f.slot, f.document_id, f.around, f.asks, f.cosine, f.speaker, f.title, f.threaded, t.states
FROM found f
LEFT JOIN LATERAL (
  SELECT t.states FROM passage_tokens t WHERE %(tokens)s AND t.gem_id = f.gem_id AND t.slot = f.slot LIMIT 1) AS t ON true
UNION ALL
SELECT NULL, b.gem_id, b.slot, NULL, NULL, p.asks, NULL, NULL, NULL, NULL, t.states
FROM beside b
CROSS JOIN LATERAL (
  SELECT right(p.body, 40) LIKE '%%?%%' AS asks FROM passage p WHERE p.gem_id = b.gem_id AND p.slot = b.slot LIMIT 1) AS p
LEFT JOIN LATERAL (
  SELECT t.states FROM passage_tokens t WHERE t.gem_id = b.gem_id AND t.slot = b.slot LIMIT 1) AS t ON true
WHERE %(tokens)s;

-- name: get_states
-- the states of passages, as they were last measured
SELECT p.*
FROM unnest(%(passage_ids)s::uuid[]) AS c (passage_id)
CROSS JOIN LATERAL (
  SELECT p.passage_id, p.gem_id, p.energy, p.phase, p.coherence, p.uncertainty,
    extract(epoch FROM p.measured_at)::float8 AS measured_at
  FROM passage p WHERE p.passage_id = c.passage_id LIMIT 1) AS p;

-- name: get_passages
-- the passages that are shown, with their documents and the names of their gems
SELECT p.*, d.*, g.*
FROM unnest(%(passage_ids)s::uuid[]) AS c (passage_id)
CROSS JOIN LATERAL (
  SELECT p.passage_id, p.gem_id, p.document_id, p.ordinal, p.heading, p.body, p.start_char, p.end_char, p.tokens
  FROM passage p WHERE p.passage_id = c.passage_id LIMIT 1) AS p
CROSS JOIN LATERAL (
  SELECT d.external_id, d.title, d.source, d.thread, d.speaker, d.occurred_at, d.meta
  FROM document d WHERE d.document_id = p.document_id LIMIT 1) AS d
CROSS JOIN LATERAL (SELECT g.name AS gem_name FROM gem g WHERE g.gem_id = p.gem_id LIMIT 1) AS g;

-- name: get_vectors
-- the vectors of passages, for choosing ones that differ
SELECT p.passage_id, p.{embedding} AS vector
FROM unnest(%(passage_ids)s::uuid[]) AS c (passage_id)
CROSS JOIN LATERAL (SELECT p.passage_id, p.{embedding} FROM passage p WHERE p.passage_id = c.passage_id LIMIT 1) AS p;

-- name: measure_passages
-- evolve each to now, measure it with its own gain, and say so in the log; rows are locked in one order, each passage
-- after its gem, as by whoever writes into that
WITH named AS MATERIALIZED (
  SELECT p.tenant_id, p.gem_id, p.passage_id, m.gain
  FROM unnest(%(passage_ids)s::uuid[], %(gains)s::float8[]) AS m (id, gain)
  CROSS JOIN LATERAL (SELECT p.tenant_id, p.gem_id, p.passage_id FROM passage p WHERE p.passage_id = m.id LIMIT 1) AS p),
target AS (
  SELECT p.tenant_id, p.passage_id, n.gain FROM named n
  JOIN passage p ON p.tenant_id = n.tenant_id AND p.passage_id = n.passage_id
  JOIN gem g ON g.tenant_id = n.tenant_id AND g.gem_id = n.gem_id AND g.archived_at IS NULL
  ORDER BY p.passage_id FOR KEY SHARE OF g FOR NO KEY UPDATE OF p),
measured AS (
  UPDATE passage p SET (energy, phase, coherence, uncertainty) = (
      SELECT m.energy, m.phase, m.coherence, m.uncertainty
      FROM lattice_measure(p.energy, p.phase, p.coherence, p.uncertainty,
                           greatest(0, extract(epoch FROM %(now)s - p.measured_at)::float8 / %(tau_s)s), t.gain) AS m),
    measured_at = greatest(p.measured_at, %(now)s)
  FROM target t WHERE p.tenant_id = t.tenant_id AND p.passage_id = t.passage_id
  RETURNING p.gem_id, p.passage_id, t.gain, p.energy, p.phase, p.coherence, p.uncertainty, p.measured_at),
logged AS (
  INSERT INTO measurement (gem_id, passage_id, reflection_id, cause, gain, tau_s, energy, phase, coherence, uncertainty,
    measured_at)
  SELECT gem_id, passage_id, %(reflection_id)s, %(cause)s, gain, %(tau_s)s, energy, phase, coherence, uncertainty,
    measured_at FROM measured ORDER BY passage_id)
SELECT gem_id, gain FROM measured;
