-- name: find_linking
-- how the passages of a gem are linked, and with which model its lattice is embedded
SELECT l.threshold, l.most, l.model, l.next_slot, l.linked_at, t.embedding_model, t.embedding_column, t.embedding_dimension
FROM lattice t LEFT JOIN passage_linking l ON l.gem_id = %(gem_id)s;

-- name: count_links
-- how many passages are still to be linked, and how many links there are
SELECT (SELECT count(*) FROM passage p
        WHERE p.gem_id = %(gem_id)s AND p.slot >= %(next_slot)s AND p.closed_at IS NULL) AS pending,
  (SELECT count(*) FROM passage_link l WHERE l.gem_id = %(gem_id)s) AS links;

-- name: drop_links
-- all links of a gem
DELETE FROM passage_link WHERE gem_id = %(gem_id)s;

-- name: put_linking
-- how they are made from now on, and up to where they are
INSERT INTO passage_linking (gem_id, threshold, most, model, next_slot, linked_at)
VALUES (%(gem_id)s, %(threshold)s, %(most)s, %(model)s, %(next_slot)s, %(now)s)
ON CONFLICT (tenant_id, gem_id) DO UPDATE SET threshold = excluded.threshold, most = excluded.most,
  model = excluded.model, next_slot = excluded.next_slot, linked_at = excluded.linked_at;

-- name: read_vectors
-- open passages with their documents and embeddings, by slot
SELECT p.slot, p.document_id, p.{embedding} AS vector FROM passage p
WHERE p.gem_id = %(gem_id)s AND p.slot >= %(first)s AND p.slot < %(end)s AND p.closed_at IS NULL
  AND vector_dims(p.{embedding}) = %(dimension)s
ORDER BY p.slot LIMIT %(limit)s;

-- name: add_links
-- links between passages that are still there, stronger ones in the place of those beyond the most that one may have
INSERT INTO passage_link (gem_id, slot, target, cosine)
SELECT %(gem_id)s, g.slot, g.target, g.cosine
FROM unnest(%(slots)s::int[], %(targets)s::int[], %(cosines)s::real[]) AS g (slot, target, cosine)
CROSS JOIN LATERAL (SELECT FROM passage p WHERE p.gem_id = %(gem_id)s AND p.slot = g.slot LIMIT 1) AS a
CROSS JOIN LATERAL (SELECT FROM passage p WHERE p.gem_id = %(gem_id)s AND p.slot = g.target LIMIT 1) AS b
ON CONFLICT (tenant_id, gem_id, slot, target) DO NOTHING;

-- name: keep_nearest
-- of the links from these passages the nearest stay
DELETE FROM passage_link WHERE ctid = ANY(ARRAY(
  SELECT r.ctid FROM (
    SELECT l.ctid, row_number() OVER (PARTITION BY l.slot ORDER BY l.cosine DESC, l.target) AS place
    FROM passage_link l WHERE l.gem_id = %(gem_id)s AND l.slot = ANY(%(slots)s::int[])) AS r
  WHERE r.place > %(most)s));

-- name: fetch_resonance
-- the links of passages, in either direction, to passages that stood at a moment
SELECT s.gem_id, s.slot, o.slot AS target, max(o.cosine) AS cosine
FROM unnest(%(gem_ids)s::uuid[], %(slots)s::int[]) AS s (gem_id, slot)
CROSS JOIN LATERAL (
  (SELECT l.target AS slot, l.cosine FROM passage_link l
   WHERE l.gem_id = s.gem_id AND l.slot BETWEEN s.slot AND s.slot ORDER BY l.slot LIMIT %(most)s)
  UNION ALL
  (SELECT l.slot, l.cosine FROM passage_link l
   WHERE l.gem_id = s.gem_id AND l.target BETWEEN s.slot AND s.slot ORDER BY l.target LIMIT %(most)s)) AS o
CROSS JOIN LATERAL (
  SELECT FROM passage p WHERE p.gem_id = s.gem_id AND p.slot = o.slot
    AND (CASE WHEN %(as_of)s::timestamptz IS NULL THEN p.closed_at IS NULL
         ELSE p.created_at <= %(as_of)s AND (p.closed_at IS NULL OR p.closed_at > %(as_of)s) END)
  LIMIT 1) AS p
GROUP BY s.gem_id, s.slot, o.slot;

-- name: place_passage
-- where a passage of a gem stands
SELECT p.slot FROM passage p WHERE p.passage_id = %(passage_id)s AND p.gem_id = %(gem_id)s;

-- name: show_passages
-- passages by slot, with their documents
SELECT p.slot, p.passage_id, p.document_id, p.body AS text, d.title, d.external_id
FROM unnest(%(slots)s::int[]) AS s (slot)
CROSS JOIN LATERAL (
  SELECT p.slot, p.passage_id, p.document_id, p.body FROM passage p
  WHERE p.gem_id = %(gem_id)s AND p.slot = s.slot LIMIT 1) AS p
CROSS JOIN LATERAL (
  SELECT d.title, d.external_id FROM document d WHERE d.document_id = p.document_id LIMIT 1) AS d;
