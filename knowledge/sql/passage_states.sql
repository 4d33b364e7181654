-- name: list_by_position
-- a page of a gem's passages in the order in which they were stored, after the cursor's position: slots are whole
-- numbers, and an index finds them only by such ones
SELECT p.slot::float8 AS key, p.passage_id, p.document_id, p.ordinal, p.heading, p.body, p.energy, p.phase, p.coherence,
  p.uncertainty, p.measured_at, p.closed_at
FROM passage p WHERE p.gem_id = %(gem_id)s AND p.slot > %(after_slot)s::int ORDER BY p.slot LIMIT %(limit)s;

-- name: list_by_coherence
-- the same by coherence at a moment times `sign`, the least first. The formula is that of lattice_evolve, written out,
-- since only the coherence is needed; only the rows of the page are read whole
WITH page AS (
  SELECT key, passage_id FROM (
    SELECT passage_id, %(sign)s::float8 * CASE WHEN coherence < 1e-100 THEN 0 ELSE coherence
        * exp(greatest(-greatest(0, date_part('epoch', %(now)s - measured_at) / %(tau_s)s::float8)
                       / greatest(energy, 1e-100), -200)) END AS key
    FROM passage WHERE gem_id = %(gem_id)s AND (closed_at IS NULL OR NOT %(open_only)s) OFFSET 0) AS p
  WHERE (key, passage_id) > (%(after_key)s::float8, %(after_id)s::uuid)
  ORDER BY key, passage_id LIMIT %(limit)s)
SELECT page.key, p.passage_id, p.document_id, p.ordinal, p.heading, p.body, p.energy, p.phase, p.coherence, p.uncertainty,
  p.measured_at, p.closed_at
FROM page CROSS JOIN LATERAL (SELECT * FROM passage p WHERE p.passage_id = page.passage_id LIMIT 1) AS p
ORDER BY page.key, page.passage_id;

-- name: find_passages
-- which of these the gem has
SELECT passage_id FROM passage WHERE gem_id = %(gem_id)s AND passage_id = ANY(%(passage_ids)s::uuid[]);
