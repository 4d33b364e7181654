-- name: get_marks
-- how many objects predicates take, as the gem's users say
SELECT predicate, cardinality FROM graph_predicate WHERE gem_id = %(gem_id)s;

-- name: delete_marks
-- all marks of a gem, before others take their place
DELETE FROM graph_predicate WHERE gem_id = %(gem_id)s;

-- name: insert_marks
-- marks of predicates
INSERT INTO graph_predicate (gem_id, predicate, cardinality)
SELECT %(gem_id)s, * FROM unnest(%(predicates)s::text[], %(cardinalities)s::text[]);

-- name: list_uses
-- how many subjects each predicate has among open relations, and how many of those with several objects
SELECT predicate, count(*) AS subjects, count(*) FILTER (WHERE several) AS with_several
FROM (
  SELECT predicate, min(object_id::text) <> max(object_id::text) AS several FROM relation
  WHERE gem_id = %(gem_id)s AND known_to IS NULL AND predicate <> ALL(%(besides)s::text[])
  GROUP BY predicate, subject_id) AS used
GROUP BY predicate ORDER BY predicate;

-- name: list_entities
-- a page of entities, newest first, with their names; only those with a name that has the text in it, if one is given
SELECT e.entity_id, e.name, e.kind, e.created_at,
  ARRAY(SELECT n.key FROM entity_name n WHERE n.gem_id = e.gem_id AND n.entity_id = e.entity_id ORDER BY n.key) AS names,
  (SELECT count(DISTINCT m.slot) FROM (
     SELECT slot FROM mention WHERE gem_id = e.gem_id AND entity_id = e.entity_id LIMIT %(most)s) AS m) AS passages
FROM entity e
WHERE e.gem_id = %(gem_id)s AND e.created_at > '-infinity'
  AND (%(part)s::text IS NULL OR EXISTS (
    SELECT FROM entity_name n WHERE n.gem_id = e.gem_id AND n.entity_id = e.entity_id AND strpos(n.key, %(part)s) > 0))
  AND (%(before_at)s::timestamptz IS NULL OR (e.created_at, e.entity_id) < (%(before_at)s::timestamptz, %(before_id)s::uuid))
ORDER BY e.created_at DESC, e.entity_id DESC LIMIT %(limit)s;

-- name: get_entities
-- entities by id, with their names
SELECT e.entity_id, e.name, e.kind, e.created_at,
  ARRAY(SELECT n.key FROM entity_name n WHERE n.gem_id = e.gem_id AND n.entity_id = e.entity_id ORDER BY n.key) AS names,
  (SELECT count(DISTINCT m.slot) FROM (
     SELECT slot FROM mention WHERE gem_id = e.gem_id AND entity_id = e.entity_id LIMIT %(most)s) AS m) AS passages
FROM entity e WHERE e.gem_id = %(gem_id)s AND e.entity_id = ANY(%(entity_ids)s::uuid[]);

-- name: list_mentioning
-- the newest passages that mention an entity, those of closed documents left out
SELECT p.passage_id, p.document_id, p.body AS text, d.title, d.external_id, d.occurred_at
FROM (
  SELECT DISTINCT m.slot FROM generate_series(0, 2) AS k (role) CROSS JOIN LATERAL (
    SELECT m.slot FROM mention m
    WHERE m.gem_id = %(gem_id)s AND m.entity_id BETWEEN %(entity_id)s AND %(entity_id)s AND m.role = k.role AND (
      SELECT q.closed_at IS NULL FROM passage q WHERE q.gem_id = m.gem_id AND q.slot = m.slot)
    ORDER BY m.entity_id DESC, m.role DESC, m.slot DESC LIMIT %(limit)s) AS m
  ORDER BY m.slot DESC LIMIT %(limit)s) AS m
JOIN passage p ON p.gem_id = %(gem_id)s AND p.slot = m.slot
JOIN document d ON d.document_id = p.document_id
ORDER BY p.slot DESC;

-- name: insert_change
-- a change that was made, and what undoes it
INSERT INTO graph_change (gem_id, change_id, kind, entities, facts, undo, made_at)
VALUES (%(gem_id)s, %(change_id)s, %(kind)s, %(entities)s::uuid[], %(facts)s, %(undo)s, %(now)s);

-- name: list_changes
-- a page of changes, the last one first
SELECT change_id, kind, entities, facts, made_at, undone_at FROM graph_change
WHERE gem_id = %(gem_id)s AND (%(before_id)s::uuid IS NULL OR ordinal < (
  SELECT b.ordinal FROM graph_change b WHERE b.gem_id = %(gem_id)s AND b.change_id = %(before_id)s))
ORDER BY ordinal DESC LIMIT %(limit)s;

-- name: find_change
-- a change, or the last one that is not undone
SELECT * FROM graph_change
WHERE gem_id = %(gem_id)s AND (change_id = %(change_id)s OR %(change_id)s::uuid IS NULL AND undone_at IS NULL)
ORDER BY ordinal DESC LIMIT 1;

-- name: list_followers
-- changes that were made after one to the same entities, and still stand
SELECT change_id FROM graph_change
WHERE gem_id = %(gem_id)s AND ordinal > %(ordinal)s AND undone_at IS NULL AND entities && %(entities)s::uuid[]
ORDER BY ordinal DESC;

-- name: mark_undone
-- a change stands no longer
UPDATE graph_change SET undone_at = %(now)s WHERE gem_id = %(gem_id)s AND change_id = %(change_id)s;
