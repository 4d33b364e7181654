-- name: list_gems
-- gems as they were at a moment, the largest first, each in the state that its log tells; passages counted by slots given
SELECT g.gem_id, g.name, g.next_slot AS passages, g.created_at, s.*
FROM gem g
CROSS JOIN LATERAL (
  SELECT e.energy, e.phase, e.coherence, e.uncertainty
  FROM (
    SELECT m.energy, m.phase, m.coherence, m.uncertainty, coalesce(m.state_at, m.measured_at) AS since
    FROM (
      (SELECT * FROM measurement m
       WHERE m.gem_id = g.gem_id AND m.passage_id IS NULL AND m.measured_at <= %(as_of)s AND g.measured_at > %(as_of)s
       ORDER BY m.measured_at DESC, m.measurement_id DESC LIMIT 1)
    ) AS m
    UNION ALL
    SELECT g.energy, g.phase, g.coherence, g.uncertainty, g.measured_at LIMIT 1) AS l
  CROSS JOIN LATERAL lattice_evolve(l.energy, l.phase, l.coherence, l.uncertainty,
    greatest(0, extract(epoch FROM %(as_of)s - l.since)::float8 / %(tau_s)s)) AS e) AS s
WHERE g.created_at <= %(as_of)s AND (g.archived_at IS NULL OR g.archived_at > %(as_of)s)
  AND (%(gem_ids)s::uuid[] IS NULL OR g.gem_id = ANY(%(gem_ids)s::uuid[]))
ORDER BY g.next_slot DESC, g.gem_id LIMIT %(limit)s;

-- name: read_span
-- when the lattice began
SELECT min(created_at) AS since FROM gem;

-- name: load_entities
-- what most of the newest passages and relations of each gem are about, as they were known at a moment; or, where a part
-- of a name is given, what has it in a name. How far is looked is bounded for each gem. That a document is titled so makes
-- it nothing that others speak of. Limits keep the planner to the indexes while its statistics are young
WITH spoken AS MATERIALIZED (
  SELECT g.gem_id, x.entity_id, x.amount
  FROM unnest(%(gem_ids)s::uuid[], %(most)s::int[]) AS g (gem_id, most)
  CROSS JOIN LATERAL (
    SELECT o.entity_id, count(*)::int AS amount FROM (
      (SELECT m.entity_id, m.role = 0 AS titled FROM mention m
       WHERE %(part)s::text IS NULL AND m.gem_id = g.gem_id AND m.role < 2 AND (
         SELECT p.created_at <= %(as_of)s AND (p.closed_at IS NULL OR p.closed_at > %(as_of)s)
         FROM passage p WHERE p.gem_id = m.gem_id AND p.slot = m.slot)
       ORDER BY m.slot DESC, m.entity_id DESC LIMIT %(looked)s)
      UNION ALL
      (SELECT unnest(ARRAY[t.subject_id, t.object_id]), false FROM (
         SELECT t.subject_id, t.object_id FROM relation t
         WHERE %(part)s::text IS NULL AND t.gem_id = g.gem_id AND t.learned_at > '-infinity'
           AND t.known_from <= %(as_of)s AND (t.known_to IS NULL OR t.known_to > %(as_of)s)
         ORDER BY t.learned_at DESC, t.relation_id DESC LIMIT %(looked)s) AS t)
      UNION ALL
      (SELECT n.entity_id, false FROM entity_name n
       WHERE n.gem_id = g.gem_id AND strpos(n.key, %(part)s::text) > 0 ORDER BY n.key LIMIT %(looked)s)
    ) AS o GROUP BY o.entity_id HAVING count(*) > 1 OR NOT bool_and(o.titled)
    ORDER BY amount DESC, o.entity_id LIMIT g.most + 1) AS x)
SELECT s.gem_id, s.entity_id, e.name, e.kind, s.amount
FROM spoken s
CROSS JOIN LATERAL (
  SELECT e.name, e.kind FROM entity e
  WHERE e.gem_id = s.gem_id AND e.entity_id = s.entity_id AND e.created_at <= %(as_of)s LIMIT 1) AS e;

-- name: load_relations
-- what relates entities that are shown, as it was known at a moment, most claimed first; of one entity as many as it has
-- room for
WITH told AS MATERIALIZED (
  SELECT a.gem_id, a.entity_id AS source, t.object_id AS target, t.predicate
  FROM unnest(%(gem_ids)s::uuid[], %(entity_ids)s::uuid[]) AS a (gem_id, entity_id)
  CROSS JOIN LATERAL (
    SELECT t.object_id, t.predicate FROM relation t
    WHERE t.gem_id = a.gem_id AND t.subject_id BETWEEN a.entity_id AND a.entity_id AND t.object_id <> t.subject_id
      AND t.known_from <= %(as_of)s AND (t.known_to IS NULL OR t.known_to > %(as_of)s)
    ORDER BY t.subject_id, t.predicate LIMIT %(fan)s) AS t)
SELECT gem_id, source, target, array_agg(DISTINCT predicate ORDER BY predicate) AS predicates, count(*)::int AS claims
FROM told WHERE target = ANY(%(entity_ids)s::uuid[])
GROUP BY gem_id, source, target ORDER BY claims DESC, source, target LIMIT %(limit)s + 1;
