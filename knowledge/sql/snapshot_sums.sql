-- name: make_sums
-- the sums of the embeddings of gems, made from their open passages; part of other queries
SELECT p.tenant_id, p.gem_id, e.source, vector_dims(e.vector) AS dimension, lattice_total(e.vector) AS total
FROM passage p CROSS JOIN LATERAL (VALUES ('embedding', p.embedding), ('embedding_b', p.embedding_b)) AS e (source, vector)
WHERE p.gem_id = ANY(%(gem_ids)s::uuid[]) AND p.closed_at IS NULL AND e.vector IS NOT NULL GROUP BY 1, 2, 3, 4

-- name: find_wrong_sums
-- the gems that have other ones; a sum of nothing is as good as none
SELECT DISTINCT coalesce(m.gem_id, h.gem_id) AS gem_id FROM ({made}) AS m
FULL JOIN (SELECT * FROM gem_embedding WHERE gem_id = ANY(%(gem_ids)s::uuid[]) AND total <> '{{0}}') AS h
  ON h.gem_id = m.gem_id AND h.source = m.source AND h.dimension = m.dimension
WHERE h.total IS DISTINCT FROM m.total ORDER BY 1;

-- name: mend_sums
-- sums that are others, or missing, are made right; those that no passage gives go
WITH made AS MATERIALIZED ({made}),
mended AS (
  INSERT INTO gem_embedding AS held (tenant_id, gem_id, source, dimension, total)
  SELECT tenant_id, gem_id, source, dimension, total FROM made ORDER BY 1, 2, 3, 4
  ON CONFLICT (tenant_id, gem_id, source, dimension) DO UPDATE SET total = excluded.total
  WHERE held.total IS DISTINCT FROM excluded.total)
DELETE FROM gem_embedding h WHERE h.gem_id = ANY(%(gem_ids)s::uuid[]) AND h.total <> '{{0}}' AND NOT EXISTS (
  SELECT FROM made m WHERE m.gem_id = h.gem_id AND m.source = h.source AND m.dimension = h.dimension);
