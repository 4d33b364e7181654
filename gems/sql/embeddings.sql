-- name: nearest_gems
-- the gems whose embeddings, the means of their open passages, are most like that of one, by the lattice's current model;
-- a mean of nothing or of opposites has no direction and is like none
WITH own AS MATERIALIZED (
  SELECT e.source, e.dimension, vector_avg(e.total) AS mean
  FROM lattice l JOIN gem_embedding e
    ON e.tenant_id = l.tenant_id AND e.source = l.embedding_column AND e.dimension = l.embedding_dimension
  WHERE e.gem_id = %(gem_id)s AND e.total[1] > 0)
SELECT g.*, greatest(0, coalesce(nullif(1 - (vector_avg(e.total) <=> own.mean), 'NaN'), 0)) AS resonance
FROM own JOIN gem_embedding e ON e.source = own.source AND e.dimension = own.dimension
JOIN gem g ON g.tenant_id = e.tenant_id AND g.gem_id = e.gem_id
WHERE e.gem_id <> %(gem_id)s AND e.total[1] > 0 AND g.archived_at IS NULL
ORDER BY resonance DESC, g.gem_id LIMIT %(limit)s;
