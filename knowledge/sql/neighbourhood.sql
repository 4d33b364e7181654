-- name: load_subgraph
-- entities around seeds, nearest first, or without seeds the most prominent ones; and what binds them, as it was known at
-- a moment: relations, and passages with the entities that they name. Of each entity the newest passages that name it
-- count. That a passage stands is asked by a subquery and not by a join, so that the mentions of an entity that half the
-- gem names are read in the order of their index, and only as far as needed
WITH RECURSIVE reached (entity_id, depth) AS (
  SELECT s, 0 FROM unnest(%(seeds)s::uuid[]) AS s
  UNION
  SELECT n.entity_id, r.depth + 1
  FROM reached r CROSS JOIN LATERAL (
    SELECT x.entity_id FROM (
      (SELECT t.object_id AS entity_id FROM relation t
       WHERE t.gem_id = %(gem_id)s AND t.subject_id = r.entity_id
         AND t.known_from <= %(as_of)s AND (t.known_to IS NULL OR t.known_to > %(as_of)s) LIMIT %(fan)s)
      UNION ALL
      (SELECT t.subject_id FROM relation t
       WHERE t.gem_id = %(gem_id)s AND t.object_id = r.entity_id
         AND t.known_from <= %(as_of)s AND (t.known_to IS NULL OR t.known_to > %(as_of)s) LIMIT %(fan)s)
      UNION ALL
      (SELECT o.entity_id FROM (
         SELECT m.slot FROM generate_series(0, 1) AS k (role) CROSS JOIN LATERAL (
           SELECT m.slot FROM mention m
           WHERE m.gem_id = %(gem_id)s AND m.entity_id BETWEEN r.entity_id AND r.entity_id AND m.role = k.role AND (
             SELECT p.created_at <= %(as_of)s AND (p.closed_at IS NULL OR p.closed_at > %(as_of)s)
             FROM passage p WHERE p.gem_id = m.gem_id AND p.slot = m.slot)
           ORDER BY m.entity_id DESC, m.role DESC, m.slot DESC LIMIT %(passages)s) AS m) AS m
       CROSS JOIN LATERAL (
         SELECT o.entity_id FROM mention o
         WHERE o.gem_id = %(gem_id)s AND o.slot BETWEEN m.slot AND m.slot AND o.role < 2
         ORDER BY o.slot, o.entity_id LIMIT %(together)s) AS o)
    ) AS x WHERE x.entity_id <> r.entity_id
    GROUP BY x.entity_id ORDER BY count(*) DESC, x.entity_id LIMIT %(fan)s) AS n
  WHERE r.depth < %(depth)s),
prominent AS (
  SELECT x.entity_id, 0 AS depth FROM (
    SELECT entity_id FROM mention WHERE gem_id = %(gem_id)s AND %(seeds)s::uuid[] IS NULL
    UNION ALL
    SELECT unnest(ARRAY[subject_id, object_id]) FROM relation
    WHERE gem_id = %(gem_id)s AND known_to IS NULL AND %(seeds)s::uuid[] IS NULL) AS x
  GROUP BY x.entity_id ORDER BY count(*) DESC, x.entity_id LIMIT %(nodes)s + 1),
nodes AS MATERIALIZED (
  SELECT x.entity_id, min(x.depth) AS depth
  FROM ((SELECT * FROM reached LIMIT %(rows)s) UNION ALL SELECT * FROM prominent) AS x
  GROUP BY x.entity_id ORDER BY depth, x.entity_id LIMIT %(nodes)s + 1),
spoken AS MATERIALIZED (
  SELECT DISTINCT m.slot, n.entity_id
  FROM nodes n CROSS JOIN generate_series(0, 1) AS k (role) CROSS JOIN LATERAL (
    SELECT m.slot FROM mention m
    WHERE m.gem_id = %(gem_id)s AND m.entity_id BETWEEN n.entity_id AND n.entity_id AND m.role = k.role AND (
      SELECT p.created_at <= %(as_of)s AND (p.closed_at IS NULL OR p.closed_at > %(as_of)s)
      FROM passage p WHERE p.gem_id = m.gem_id AND p.slot = m.slot)
    ORDER BY m.entity_id DESC, m.role DESC, m.slot DESC LIMIT %(passages)s) AS m),
related AS (
  SELECT t.subject_id, t.object_id, array_agg(DISTINCT t.predicate ORDER BY t.predicate) AS predicates, count(*)::int AS times
  FROM nodes a
  JOIN relation t ON t.gem_id = %(gem_id)s AND t.subject_id = a.entity_id AND t.object_id <> t.subject_id
    AND t.known_from <= %(as_of)s AND (t.known_to IS NULL OR t.known_to > %(as_of)s)
  JOIN nodes b ON b.entity_id = t.object_id
  GROUP BY t.subject_id, t.object_id ORDER BY times DESC, t.subject_id, t.object_id LIMIT %(edges)s + 1)
SELECT 'entity' AS kind, n.entity_id AS source, NULL::uuid AS target, ARRAY[e.name] AS labels, n.depth AS amount,
  NULL::uuid[] AS named
FROM nodes n JOIN entity e ON e.gem_id = %(gem_id)s AND e.entity_id = n.entity_id
UNION ALL
SELECT 'related', subject_id, object_id, predicates, times, NULL FROM related
UNION ALL
SELECT 'passage', NULL, NULL, NULL, NULL, ARRAY(
  SELECT o.entity_id FROM mention o
  WHERE o.gem_id = %(gem_id)s AND o.slot BETWEEN s.slot AND s.slot AND o.role < 2
  ORDER BY o.slot, o.entity_id LIMIT 2 * %(together)s + 1)
FROM (SELECT DISTINCT slot FROM spoken) AS s;
