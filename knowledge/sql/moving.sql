-- name: list_merged
-- the documents of a gem, in the order of time, and which of them the other gem has by the same id, or by the same content
-- if they have none. Each is looked up by a range in the order of an index, whatever young statistics say: see find_known
SELECT d.document_id, d.external_id, d.content_hash, d.position, d.passages,
  coalesce(e.content_hash, a.content_hash) AS known_hash
FROM document d
LEFT JOIN LATERAL (
  SELECT e.content_hash FROM document e
  WHERE e.gem_id = %(target)s AND e.external_id BETWEEN d.external_id AND d.external_id
  ORDER BY e.external_id LIMIT 1) AS e ON true
LEFT JOIN LATERAL (
  SELECT a.content_hash FROM document a
  WHERE d.external_id IS NULL AND a.gem_id = %(target)s AND a.external_id IS NULL
    AND a.content_hash BETWEEN d.content_hash AND d.content_hash
  ORDER BY a.content_hash LIMIT 1) AS a ON true
WHERE d.gem_id = %(source)s ORDER BY d.created_at, d.document_id;

-- name: list_split
-- the documents of a gem that are all of what is asked for
SELECT d.document_id, d.position, d.passages FROM document d
WHERE d.gem_id = %(source)s
  AND (%(document_ids)s::uuid[] IS NULL OR d.document_id = ANY(%(document_ids)s::uuid[]))
  AND (%(source_name)s::text IS NULL OR d.source = %(source_name)s)
  AND (%(thread)s::text IS NULL OR d.thread = %(thread)s)
  AND (%(metadata)s::jsonb IS NULL OR d.meta @> %(metadata)s::jsonb)
ORDER BY d.created_at, d.document_id;

-- name: count_graph
-- how much of a gem's graph goes with documents: the entities that they name, and the relations they claim to hold
WITH taken AS MATERIALIZED (SELECT d.id FROM unnest(%(document_ids)s::uuid[]) AS d (id)),
claimed AS (
  SELECT r.subject_id, r.object_id, r.known_to FROM taken t JOIN relation r ON r.document_id = t.id AND r.gem_id = %(source)s)
SELECT (SELECT count(*) FROM claimed WHERE known_to IS NULL) AS relations,
  (SELECT count(*) FROM (
    SELECT m.entity_id FROM taken t JOIN passage p ON p.document_id = t.id
      JOIN mention m ON m.gem_id = %(source)s AND m.slot = p.slot
    UNION SELECT subject_id FROM claimed UNION SELECT object_id FROM claimed) AS e) AS entities;

-- name: make_tables
-- where a move keeps what goes where, until its transaction ends
CREATE TEMP TABLE IF NOT EXISTS moving_document (
  document_id uuid PRIMARY KEY, thread text, was_at bigint, position bigint) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS moving_passage (
  passage_id uuid PRIMARY KEY, old_slot int UNIQUE, new_slot int UNIQUE) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS moving_entity (
  entity_id uuid PRIMARY KEY, target_id uuid, is_new boolean) ON COMMIT DELETE ROWS;
TRUNCATE pg_temp.moving_document, pg_temp.moving_passage, pg_temp.moving_entity;

-- name: take_documents
-- what is to be moved, at the places in threads that it had or is to have again
INSERT INTO pg_temp.moving_document
SELECT d.document_id, d.thread, d.position, CASE WHEN d.thread IS NOT NULL THEN coalesce(g.position, d.position) END
FROM unnest(%(document_ids)s::uuid[], %(positions)s::bigint[]) AS g (document_id, position)
JOIN document d ON d.gem_id = %(source)s AND d.document_id = g.document_id;

-- name: place_documents
-- where one of these places is taken, all of the thread comes after what is there
WITH crowded AS (
  SELECT t.thread, (
    SELECT max(d.position) FROM document d WHERE d.gem_id = %(target)s AND d.thread = t.thread) AS last
  FROM (
    SELECT DISTINCT m.thread FROM pg_temp.moving_document m
    JOIN document d ON d.gem_id = %(target)s AND d.thread = m.thread AND d.position = m.position) AS t),
placed AS (
  SELECT m.document_id, c.last + row_number() OVER (PARTITION BY m.thread ORDER BY m.was_at, m.document_id) AS position
  FROM pg_temp.moving_document m JOIN crowded c USING (thread))
UPDATE pg_temp.moving_document m SET position = p.position FROM placed p WHERE p.document_id = m.document_id;

-- name: look_at_documents
-- how many there are, for the planner
ANALYZE pg_temp.moving_document;

-- name: look_at_passages
-- how many there are, for the planner
ANALYZE pg_temp.moving_passage;

-- name: look_at_entities
-- how many there are, for the planner
ANALYZE pg_temp.moving_entity;

-- name: find_edges
-- the passages, going or staying, that have others near them in their threads afterwards: up to six on each side of
-- every cut in the old gem and of every seam in the new one
WITH thread AS (SELECT DISTINCT thread FROM pg_temp.moving_document WHERE thread IS NOT NULL),
line AS (
  SELECT 0 AS side, d.thread, d.position, p.ordinal, p.passage_id, m.document_id IS NOT NULL AS goes
  FROM thread t
  JOIN document d ON d.gem_id = %(source)s AND d.thread = t.thread
  JOIN passage p ON p.tenant_id = d.tenant_id AND p.document_id = d.document_id
  LEFT JOIN pg_temp.moving_document m ON m.document_id = d.document_id
  UNION ALL
  SELECT 1, d.thread, d.position, p.ordinal, p.passage_id, false
  FROM thread t
  JOIN document d ON d.gem_id = %(target)s AND d.thread = t.thread
  JOIN passage p ON p.tenant_id = d.tenant_id AND p.document_id = d.document_id
  UNION ALL
  SELECT 1, m.thread, m.position, p.ordinal, p.passage_id, true
  FROM pg_temp.moving_document m JOIN passage p ON p.document_id = m.document_id WHERE m.thread IS NOT NULL),
cut AS (
  SELECT *, goes <> lag(goes) OVER (PARTITION BY side, thread ORDER BY position, ordinal) AS is_cut FROM line),
near AS (
  SELECT passage_id, bool_or(is_cut) OVER (
    PARTITION BY side, thread ORDER BY position, ordinal ROWS BETWEEN 5 PRECEDING AND 6 FOLLOWING) AS is_near FROM cut)
SELECT DISTINCT passage_id FROM near WHERE is_near ORDER BY passage_id;

-- name: move_documents
-- from now on they are the other gem's
UPDATE document d SET gem_id = %(target)s, position = m.position FROM pg_temp.moving_document m
WHERE d.document_id = m.document_id;

-- name: size_up
-- how many passages go, those in threads last; who speaks in them; whether anything stays
SELECT
  (SELECT count(*) FROM pg_temp.moving_document m JOIN passage p ON p.document_id = m.document_id
   WHERE m.thread IS NULL) AS loose,
  (SELECT count(*) FROM pg_temp.moving_document m JOIN passage p ON p.document_id = m.document_id
   WHERE m.thread IS NOT NULL) AS threaded,
  ARRAY(SELECT DISTINCT d.speaker FROM pg_temp.moving_document m JOIN document d ON d.document_id = m.document_id
        WHERE d.speaker IS NOT NULL ORDER BY d.speaker) AS speakers,
  NOT EXISTS (SELECT FROM document d WHERE d.gem_id = %(source)s) AS is_emptied;

-- name: number_passages
-- the slots that they get; the rows are locked in one order
WITH locked AS (
  SELECT p.passage_id, p.slot, m.thread IS NOT NULL AS is_threaded
  FROM pg_temp.moving_document m JOIN passage p ON p.document_id = m.document_id ORDER BY p.passage_id FOR UPDATE OF p)
INSERT INTO pg_temp.moving_passage
SELECT passage_id, slot, %(first)s + row_number() OVER (ORDER BY is_threaded, slot) - 1 FROM locked;

-- name: list_slots
-- the slots that they had
SELECT array_agg(old_slot ORDER BY old_slot) AS slots FROM pg_temp.moving_passage;

-- name: need_entities
-- the entities that go along: those that moved passages mention, and the ends of what moved documents claim
INSERT INTO pg_temp.moving_entity (entity_id)
SELECT m.entity_id FROM pg_temp.moving_passage p JOIN mention m ON m.gem_id = %(source)s AND m.slot = p.old_slot
UNION
SELECT e.entity_id FROM pg_temp.moving_document d
JOIN relation r ON r.document_id = d.document_id AND r.gem_id = %(source)s
CROSS JOIN LATERAL (VALUES (r.subject_id), (r.object_id)) AS e (entity_id);

-- name: map_entities
-- what the other gem calls them: as is known from an earlier move, else by the same id, else by the names they share, most
-- of them first; what none of these tells is new there, under its own id. Each is looked up by its key: see find_known
WITH recalled AS (
  SELECT DISTINCT ON (g.entity_id) g.entity_id, g.target_id
  FROM unnest(%(entity_ids)s::uuid[], %(target_ids)s::uuid[]) AS g (entity_id, target_id)
  CROSS JOIN LATERAL (
    SELECT FROM entity t
    WHERE t.gem_id = %(target)s AND t.entity_id BETWEEN g.target_id AND g.target_id ORDER BY t.entity_id LIMIT 1) AS t
  ORDER BY g.entity_id, g.target_id),
found AS (
  SELECT e.entity_id, coalesce(r.target_id, s.entity_id, n.entity_id) AS target_id
  FROM pg_temp.moving_entity e
  LEFT JOIN recalled r ON r.entity_id = e.entity_id
  LEFT JOIN LATERAL (
    SELECT s.entity_id FROM entity s
    WHERE s.gem_id = %(target)s AND s.entity_id BETWEEN e.entity_id AND e.entity_id
    ORDER BY s.entity_id LIMIT 1) AS s ON true
  LEFT JOIN LATERAL (
    SELECT t.entity_id FROM entity_name n
    CROSS JOIN LATERAL (
      SELECT t.entity_id, t.key FROM entity_name t
      WHERE t.gem_id = %(target)s AND t.key BETWEEN n.key AND n.key ORDER BY t.key LIMIT 1) AS t
    WHERE n.gem_id = %(source)s AND n.entity_id BETWEEN e.entity_id AND e.entity_id
    GROUP BY t.entity_id ORDER BY count(*) DESC, min(t.key) LIMIT 1) AS n ON true)
UPDATE pg_temp.moving_entity e SET target_id = coalesce(f.target_id, e.entity_id), is_new = f.target_id IS NULL
FROM found f WHERE f.entity_id = e.entity_id;

-- name: read_joined
-- entities that go by another id in the other gem
SELECT entity_id, target_id FROM pg_temp.moving_entity WHERE target_id <> entity_id ORDER BY entity_id;

-- name: read_joined_mentions
-- mentions of entities of which several become one: by that one they could not be told apart again
SELECT p.passage_id, m.entity_id, m.role
FROM pg_temp.moving_entity e
JOIN mention m ON m.gem_id = %(source)s AND m.entity_id = e.entity_id
JOIN pg_temp.moving_passage p ON p.old_slot = m.slot
WHERE e.target_id IN (SELECT target_id FROM pg_temp.moving_entity GROUP BY target_id HAVING count(*) > 1);

-- name: read_joined_claims
-- claims about such entities
SELECT DISTINCT r.claim_id, r.subject_id, r.object_id
FROM pg_temp.moving_document d JOIN relation r ON r.document_id = d.document_id AND r.gem_id = %(source)s
JOIN pg_temp.moving_entity e ON e.entity_id IN (r.subject_id, r.object_id)
WHERE e.target_id IN (SELECT target_id FROM pg_temp.moving_entity GROUP BY target_id HAVING count(*) > 1);

-- name: insert_entities
-- those that are new to the other gem
INSERT INTO entity (gem_id, entity_id, name, kind, embedding, created_at)
SELECT %(target)s, e.entity_id, e.name, e.kind, e.embedding, e.created_at
FROM pg_temp.moving_entity m JOIN entity e ON e.gem_id = %(source)s AND e.entity_id = m.entity_id
WHERE m.is_new RETURNING entity_id;

-- name: insert_names
-- the names they go by, as far as the other gem knows none of them; returned are those of entities that were there
WITH made AS (
  INSERT INTO entity_name (gem_id, key, entity_id)
  SELECT %(target)s, n.key, m.target_id
  FROM pg_temp.moving_entity m JOIN entity_name n ON n.gem_id = %(source)s AND n.entity_id = m.entity_id
  WHERE m.is_new OR %(adding)s
  ON CONFLICT DO NOTHING RETURNING key, entity_id)
SELECT n.key, n.entity_id FROM made n
WHERE NOT EXISTS (SELECT FROM pg_temp.moving_entity m WHERE m.entity_id = n.entity_id AND m.is_new);

-- name: drop_links
-- links of what goes; they are found anew when somebody asks for them
WITH dropped AS (
  DELETE FROM passage_link l USING pg_temp.moving_passage m WHERE l.gem_id = %(source)s AND l.slot = m.old_slot)
DELETE FROM passage_link l USING pg_temp.moving_passage m WHERE l.gem_id = %(source)s AND l.target = m.old_slot;

-- name: move_passages
-- passages with all that hangs on their slots, in one statement, since the foreign keys between them hold at its end
WITH kept AS (
  UPDATE passage_tokens t SET gem_id = %(target)s, slot = m.new_slot FROM pg_temp.moving_passage m
  WHERE t.gem_id = %(source)s AND t.slot = m.old_slot),
looked_into AS (
  UPDATE extracted_passage t SET gem_id = %(target)s, slot = m.new_slot FROM pg_temp.moving_passage m
  WHERE t.gem_id = %(source)s AND t.slot = m.old_slot),
unsaid AS (
  DELETE FROM mention t USING pg_temp.moving_passage m WHERE t.gem_id = %(source)s AND t.slot = m.old_slot
  RETURNING m.new_slot, t.entity_id, t.role),
said AS (
  INSERT INTO mention (gem_id, slot, entity_id, role)
  SELECT DISTINCT %(target)s::uuid, u.new_slot, e.target_id, u.role
  FROM unsaid u JOIN pg_temp.moving_entity e ON e.entity_id = u.entity_id)
UPDATE passage p SET gem_id = %(target)s, slot = m.new_slot,
  around = CASE WHEN p.around = '{}' THEN p.around ELSE ARRAY(
    SELECT coalesce(n.new_slot, -1) FROM unnest(p.around) WITH ORDINALITY AS a (slot, place)
    LEFT JOIN pg_temp.moving_passage n ON n.old_slot = a.slot ORDER BY a.place) END
FROM pg_temp.moving_passage m WHERE p.passage_id = m.passage_id;

-- name: move_relations
-- what they claim, in all its versions
UPDATE relation r SET gem_id = %(target)s, slot = g.new_slot,
  subject_id = coalesce(g.subject_id, r.subject_id), object_id = coalesce(g.object_id, r.object_id)
FROM (
  SELECT r.relation_id, p.new_slot, s.target_id AS subject_id, o.target_id AS object_id
  FROM pg_temp.moving_document d
  JOIN relation r ON r.document_id = d.document_id AND r.gem_id = %(source)s
  LEFT JOIN pg_temp.moving_passage p ON p.old_slot = r.slot
  LEFT JOIN pg_temp.moving_entity s ON s.entity_id = r.subject_id
  LEFT JOIN pg_temp.moving_entity o ON o.entity_id = r.object_id) AS g
WHERE r.relation_id = g.relation_id;

-- name: list_groups
-- subjects and predicates of what these documents claim to hold
SELECT DISTINCT r.subject_id, r.predicate FROM pg_temp.moving_document d
JOIN relation r ON r.document_id = d.document_id WHERE r.gem_id = %(gem_id)s AND r.known_to IS NULL;

-- name: move_log
-- the log of passages follows them
UPDATE measurement t SET gem_id = %(target)s FROM pg_temp.moving_passage m WHERE t.passage_id = m.passage_id;

-- name: follow_documents
-- rows of another table that name the gem of a document
UPDATE {table} AS t SET gem_id = %(target)s FROM pg_temp.moving_document m WHERE t.document_id = m.document_id;

-- name: read_loose
-- what is indexed of passages without a thread, in the order of their slots
SELECT p.slot, p.body, p.heading, d.title, d.speaker, d.entities
FROM passage p JOIN document d ON d.tenant_id = p.tenant_id AND d.document_id = p.document_id
WHERE p.gem_id = %(gem_id)s AND p.slot >= %(first)s AND p.slot < %(end)s ORDER BY p.slot;

-- name: list_passages
-- the passages of some slots
SELECT passage_id FROM passage WHERE gem_id = %(gem_id)s AND slot >= %(first)s AND slot < %(end)s ORDER BY slot;

-- name: drop_index
-- the lexical index of a gem that holds nothing any more
DELETE FROM lexical_segment WHERE gem_id = %(gem_id)s;

-- name: read_texts
-- what passages say, for finding titles in it
SELECT p.slot, CASE WHEN p.heading IS NULL THEN p.body ELSE p.heading || '. ' || p.body END AS text FROM passage p
WHERE p.gem_id = %(gem_id)s AND p.slot >= %(first)s AND p.slot < %(end)s ORDER BY p.slot;

-- name: list_titles
-- the titles that come with the documents
SELECT DISTINCT d.title FROM pg_temp.moving_document m JOIN document d ON d.document_id = m.document_id
WHERE d.title IS NOT NULL ORDER BY d.title;

-- name: list_new_titles
-- entities that were no title in the gem before
SELECT t.entity_id
FROM (
  SELECT DISTINCT m.entity_id FROM mention m
  WHERE m.gem_id = %(target)s AND m.slot >= %(first)s AND m.role = 0) AS t
CROSS JOIN LATERAL (
  SELECT o.slot FROM mention o
  WHERE o.gem_id = %(target)s AND o.entity_id BETWEEN t.entity_id AND t.entity_id AND o.role = 0
  ORDER BY o.entity_id, o.role, o.slot LIMIT 1) AS o
WHERE o.slot >= %(first)s;

-- name: add_wordings
-- the words of titles in passages that do not mention them in any way
WITH made AS (
  INSERT INTO mention (gem_id, slot, entity_id, role)
  SELECT DISTINCT %(gem_id)s::uuid, s.slot, s.entity_id, 2
  FROM unnest(%(slots)s::int[], %(entity_ids)s::uuid[]) AS s (slot, entity_id)
  WHERE NOT EXISTS (
    SELECT FROM mention m WHERE m.gem_id = %(gem_id)s AND m.slot = s.slot AND m.entity_id = s.entity_id)
  RETURNING slot, entity_id)
SELECT p.passage_id, w.entity_id FROM made w JOIN passage p ON p.gem_id = %(gem_id)s AND p.slot = w.slot
ORDER BY p.passage_id, w.entity_id;

-- name: drop_wordings
-- such words, no longer
DELETE FROM mention m USING unnest(%(passage_ids)s::uuid[], %(entity_ids)s::uuid[]) AS g (passage_id, entity_id), passage p
WHERE p.gem_id = %(gem_id)s AND p.passage_id = g.passage_id
  AND m.gem_id = p.gem_id AND m.slot = p.slot AND m.entity_id = g.entity_id AND m.role = 2;

-- name: drop_joined_mentions
-- what was mapped back to one of several entities, before it is told apart
DELETE FROM mention m USING unnest(%(passage_ids)s::uuid[]) AS g (passage_id), pg_temp.moving_passage p
WHERE p.passage_id = g.passage_id AND m.gem_id = %(target)s AND m.slot = p.new_slot
  AND m.entity_id = ANY(%(entity_ids)s::uuid[]);

-- name: restore_mentions
-- mentions as they were before an earlier move
INSERT INTO mention (gem_id, slot, entity_id, role)
SELECT %(target)s, p.new_slot, e.entity_id, g.role
FROM unnest(%(passage_ids)s::uuid[], %(entity_ids)s::uuid[], %(roles)s::smallint[]) AS g (passage_id, entity_id, role)
JOIN pg_temp.moving_passage p ON p.passage_id = g.passage_id
JOIN entity e ON e.gem_id = %(target)s AND e.entity_id = g.entity_id
ON CONFLICT DO NOTHING;

-- name: restore_claims
-- the ends of claims as they were before an earlier move
UPDATE relation r SET subject_id = g.subject_id, object_id = g.object_id
FROM unnest(%(claim_ids)s::uuid[], %(subject_ids)s::uuid[], %(object_ids)s::uuid[]) AS g (claim_id, subject_id, object_id),
  pg_temp.moving_document d, entity s, entity o
WHERE r.claim_id = g.claim_id AND r.gem_id = %(target)s AND r.document_id = d.document_id
  AND s.gem_id = %(target)s AND s.entity_id = g.subject_id AND o.gem_id = %(target)s AND o.entity_id = g.object_id;

-- name: drop_names
-- names that an earlier move gave to entities
DELETE FROM entity_name n USING unnest(%(keys)s::text[], %(entity_ids)s::uuid[]) AS g (key, entity_id)
WHERE n.gem_id = %(gem_id)s AND n.key = g.key AND n.entity_id = g.entity_id;

-- name: drop_entities
-- entities that an earlier move made, as far as nothing speaks of them any more
DELETE FROM entity e WHERE e.gem_id = %(gem_id)s AND e.entity_id = ANY(ARRAY(
  SELECT g.id FROM unnest(%(entity_ids)s::uuid[]) AS g (id)
  LEFT JOIN LATERAL (
    (SELECT true AS is_spoken_of FROM mention m
     WHERE m.gem_id = %(gem_id)s AND m.entity_id BETWEEN g.id AND g.id ORDER BY m.entity_id LIMIT 1)
    UNION ALL
    (SELECT true FROM relation r
     WHERE r.gem_id = %(gem_id)s AND r.subject_id BETWEEN g.id AND g.id ORDER BY r.subject_id LIMIT 1)
    UNION ALL
    (SELECT true FROM relation r
     WHERE r.gem_id = %(gem_id)s AND r.object_id BETWEEN g.id AND g.id ORDER BY r.object_id LIMIT 1)) AS s ON true
  WHERE s.is_spoken_of IS NULL));

-- name: copy_marks
-- what users said of predicates goes along, where the other gem's said nothing
INSERT INTO graph_predicate (gem_id, predicate, cardinality)
SELECT %(target)s, g.predicate, g.cardinality FROM graph_predicate g WHERE g.gem_id = %(source)s
ON CONFLICT DO NOTHING RETURNING predicate;

-- name: drop_marks
-- marks that an earlier move brought
DELETE FROM graph_predicate WHERE gem_id = %(gem_id)s AND predicate = ANY(%(predicates)s::text[]);

-- name: list_predicates
-- the predicates of what these documents claim
SELECT DISTINCT r.predicate FROM pg_temp.moving_document d
JOIN relation r ON r.document_id = d.document_id WHERE r.known_to IS NULL ORDER BY r.predicate;

-- name: move_supersessions
-- what documents supersede is of the other gem from now on
WITH gone AS (
  DELETE FROM supersession s USING pg_temp.moving_document m WHERE s.document_id = m.document_id
  RETURNING s.external_id, s.document_id)
INSERT INTO supersession (gem_id, external_id, document_id)
SELECT %(target)s, external_id, document_id FROM gone RETURNING external_id;

-- name: list_arrivals
-- ids of documents that came and are superseded here, or were there
SELECT d.external_id FROM pg_temp.moving_document m JOIN document d ON d.document_id = m.document_id
WHERE d.external_id IS NOT NULL AND (d.closed_reason = 'superseded' OR EXISTS (
  SELECT FROM supersession s WHERE s.gem_id = %(target)s AND s.external_id = d.external_id));

-- name: read_closings
-- how documents of these ids are closed
SELECT document_id, closed_at, closed_by, closed_reason FROM document
WHERE gem_id = %(gem_id)s AND external_id = ANY(%(external_ids)s::text[]) ORDER BY document_id;

-- name: restore_closings
-- what is closed again for the reason it was closed for before is so since then
UPDATE document d SET closed_at = g.closed_at
FROM unnest(%(document_ids)s::uuid[], %(closed)s::timestamptz[], %(closers)s::uuid[]) AS g (document_id, closed_at, closed_by)
WHERE d.document_id = g.document_id AND d.closed_by = g.closed_by AND d.closed_at IS NOT NULL;

-- name: log_documents
-- what an operation moved, and from where
INSERT INTO operation_document (operation_id, document_id, source_id, position)
SELECT %(operation_id)s, g.* FROM unnest(%(document_ids)s::uuid[], %(source_ids)s::uuid[], %(positions)s::bigint[]) AS g;

-- name: list_logged
-- what an operation moved and is still there
SELECT l.document_id, l.source_id, l.position, d.gem_id FROM operation_document l
JOIN document d ON d.tenant_id = l.tenant_id AND d.document_id = l.document_id
WHERE l.operation_id = %(operation_id)s ORDER BY l.source_id, d.created_at, l.document_id;

-- name: list_followers
-- operations that came after one, moved the same documents and still stand
SELECT DISTINCT o.operation_id, o.ordinal FROM operation_document l
JOIN operation_document f ON f.tenant_id = l.tenant_id AND f.document_id = l.document_id
JOIN operation o ON o.tenant_id = f.tenant_id AND o.operation_id = f.operation_id
WHERE l.operation_id = %(operation_id)s AND o.ordinal > %(ordinal)s AND o.undone_at IS NULL ORDER BY o.ordinal DESC;

-- name: list_graph_followers
-- changes of a gem's graph that were made since, to what documents name, and still stand
WITH named AS (
  SELECT m.entity_id FROM unnest(%(document_ids)s::uuid[]) AS d (id)
  JOIN passage p ON p.document_id = d.id JOIN mention m ON m.gem_id = %(gem_id)s AND m.slot = p.slot
  UNION
  SELECT e.entity_id FROM unnest(%(document_ids)s::uuid[]) AS d (id)
  JOIN relation r ON r.document_id = d.id AND r.gem_id = %(gem_id)s
  CROSS JOIN LATERAL (VALUES (r.subject_id), (r.object_id)) AS e (entity_id))
SELECT c.change_id FROM graph_change c
WHERE c.gem_id = %(gem_id)s AND c.ordinal > %(changes)s AND c.undone_at IS NULL
  AND EXISTS (SELECT FROM named n WHERE n.entity_id = ANY(c.entities))
ORDER BY c.ordinal DESC;

-- name: list_clashes
-- documents that could not be stored in another gem: what they are known by is taken there
SELECT coalesce(d.external_id, d.document_id::text) AS name
FROM unnest(%(document_ids)s::uuid[]) AS g (id)
JOIN document d ON d.document_id = g.id
CROSS JOIN LATERAL (
  (SELECT FROM document s
   WHERE s.gem_id = %(target)s AND s.external_id BETWEEN d.external_id AND d.external_id
   ORDER BY s.external_id LIMIT 1)
  UNION ALL
  (SELECT FROM document s
   WHERE d.external_id IS NULL AND s.gem_id = %(target)s AND s.external_id IS NULL
     AND s.content_hash BETWEEN d.content_hash AND d.content_hash
   ORDER BY s.content_hash LIMIT 1)) AS s
ORDER BY name;

-- name: is_bare
-- whether a gem holds nothing and nothing happened to it but its birth
SELECT NOT EXISTS (SELECT FROM document WHERE gem_id = %(gem_id)s)
  AND NOT EXISTS (SELECT FROM measurement WHERE gem_id = %(gem_id)s AND cause <> 'ingest')
  AND NOT EXISTS (SELECT FROM entanglement WHERE %(gem_id)s IN (gem_id, other_id))
  AND NOT EXISTS (SELECT FROM graph_change WHERE gem_id = %(gem_id)s)
  AND NOT EXISTS (SELECT FROM ingestion WHERE gem_id = %(gem_id)s) AS is_bare;

-- name: has_rows
-- whether another table holds something of a gem
SELECT EXISTS (SELECT FROM {table} AS t WHERE t.gem_id = %(gem_id)s) AS found;

-- name: be_patient
-- for this transaction: the vectors of many passages find their places in the index one by one
SET LOCAL statement_timeout = 0;

-- name: list_named
-- which of these documents are in a gem
SELECT document_id FROM document WHERE gem_id = %(source)s AND document_id = ANY(%(document_ids)s::uuid[]);

-- name: list_turns
-- operations that archived or restored a gem after one, and still stand
SELECT operation_id FROM operation
WHERE subject_id = %(gem_id)s AND ordinal > %(ordinal)s AND undone_at IS NULL AND kind IN ('archive', 'restore')
ORDER BY ordinal DESC;

-- name: find_merge
-- a merge of a gem into another one that stands
SELECT operation_id FROM operation
WHERE kind = 'merge' AND subject_id = %(target)s AND %(gem_id)s = ANY(others) AND undone_at IS NULL LIMIT 1;

-- name: last_change
-- the last change of the other gem's graph so far
SELECT coalesce(max(ordinal), 0) AS changes FROM graph_change WHERE gem_id = %(target)s;
