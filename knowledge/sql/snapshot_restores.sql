-- name: hold_gems
-- the gems that are there, and all their passages: nobody writes into them or measures them until the transaction ends
SELECT gem_id, name, (SELECT count(*) FROM (
    SELECT FROM passage p WHERE p.gem_id = held.gem_id ORDER BY p.passage_id FOR UPDATE) AS p) AS passages
FROM (SELECT gem_id, name FROM gem WHERE gem_id = ANY(%(gem_ids)s::uuid[]) ORDER BY gem_id FOR UPDATE) AS held;

-- name: find_elsewhere
-- documents of a snapshot that have gone to gems which are not restored with it
SELECT g.gem_id, g.name, count(*) AS documents FROM snapshot_member m
JOIN document d ON d.tenant_id = m.tenant_id AND d.document_id = m.key JOIN gem g ON g.gem_id = d.gem_id
WHERE m.snapshot_id = %(snapshot_id)s AND m.gem_id = ANY(%(gem_ids)s::uuid[]) AND m.kind = 'document'
  AND d.gem_id <> ALL(%(gem_ids)s::uuid[])
GROUP BY g.gem_id, g.name ORDER BY g.name;

-- name: find_taken
-- names of a snapshot that other gems have meanwhile
SELECT s.name FROM snapshot_gem s JOIN gem g ON g.name = s.name
WHERE s.snapshot_id = %(snapshot_id)s AND s.gem_id = ANY(%(gem_ids)s::uuid[]) AND g.gem_id <> ALL(%(gem_ids)s::uuid[])
ORDER BY s.name;

-- name: make_wanted
-- where the rows of a table that are to be there wait
CREATE TEMP TABLE {wanted} (LIKE {table} INCLUDING DEFAULTS) ON COMMIT DROP;

-- name: make_waiting
-- the documents that are not as they are to be, contents of some of them, and where their passages belong
CREATE TEMP TABLE changed_document (gem_id uuid, document_id uuid, was_there bool, is_there bool, texts bool, states bool,
  vectors bool) ON COMMIT DROP;
CREATE TEMP TABLE wanted_item (document_id uuid, kind text, content jsonb) ON COMMIT DROP;
CREATE TEMP TABLE wanted_vector (document_id uuid, ordinal int, vector halfvec, states bytea) ON COMMIT DROP;
CREATE TEMP TABLE wanted_place (gem_id uuid, document_id uuid, passage_id uuid, ordinal int, slot int) ON COMMIT DROP;
CREATE TEMP TABLE kept_operation (LIKE operation_document) ON COMMIT DROP;

-- name: stage_rows
-- rows of one content
INSERT INTO {wanted} ({columns}) SELECT {values} FROM jsonb_populate_recordset(NULL::{table}, %(rows)s::jsonb) AS r;

-- name: stage_documents
-- the documents of a gem that are not as they are to be
INSERT INTO pg_temp.changed_document (gem_id, document_id, was_there, is_there, texts, states, vectors)
SELECT %(gem_id)s, c.* FROM ({compared}) AS c;

-- name: list_changed
-- those that are to be there, and how large their contents but the vectors are
SELECT c.gem_id, c.document_id, c.texts, c.states, c.vectors, s.size
FROM pg_temp.changed_document c
CROSS JOIN LATERAL (
  SELECT coalesce(sum(i.size), 0) AS size FROM snapshot_member m JOIN snapshot_item i ON i.sha256 = m.sha256
  WHERE m.snapshot_id = %(snapshot_id)s AND m.gem_id = c.gem_id AND m.kind IN ('document', 'states')
    AND m.key = c.document_id) AS s
WHERE c.is_there ORDER BY c.gem_id, c.document_id;

-- name: stage_items
-- contents of some documents
INSERT INTO pg_temp.wanted_item (document_id, kind, content)
SELECT i.id, i.kind, i.content::jsonb FROM unnest(%(document_ids)s::uuid[], %(kinds)s::text[], %(contents)s::text[])
  AS i (id, kind, content);

-- name: stage_places
-- where the passages of these documents belong
INSERT INTO pg_temp.wanted_place (gem_id, document_id, passage_id, ordinal, slot)
SELECT %(gem_id)s, i.document_id, r.passage_id, r.ordinal, r.slot
FROM pg_temp.wanted_item i CROSS JOIN LATERAL jsonb_populate_recordset(NULL::passage, i.content) AS r
WHERE i.kind = 'states';

-- name: index_places
-- places are looked up by document
CREATE INDEX ON pg_temp.wanted_place (document_id, passage_id);
CREATE INDEX ON pg_temp.changed_document (document_id);
ANALYZE pg_temp.wanted_place;
ANALYZE pg_temp.changed_document;

-- name: clear_items
-- no content waits
TRUNCATE pg_temp.wanted_item, pg_temp.wanted_vector;

-- name: clear_wanted
-- no row of a table waits
TRUNCATE {wanted};

-- name: keep_cited
-- history that hangs on documents which are to come from other gems: it goes with them there, and comes again
INSERT INTO {wanted} ({columns}) SELECT {told} FROM pg_temp.changed_document c
JOIN document d ON d.document_id = c.document_id JOIN {table} AS t ON t.document_id = d.document_id
WHERE c.is_there AND d.gem_id <> c.gem_id;

-- name: keep_operations
-- and what moved these documents, which cannot be undone once they are back: it would be told by nothing else
INSERT INTO pg_temp.kept_operation SELECT o.* FROM pg_temp.changed_document c
JOIN document d ON d.document_id = c.document_id JOIN operation_document o ON o.document_id = d.document_id
WHERE c.is_there AND d.gem_id <> c.gem_id;

-- name: list_elsewhere
-- documents that are to come from gems which are not restored
SELECT d.gem_id, array_agg(d.document_id ORDER BY d.document_id) AS document_ids FROM pg_temp.changed_document c
JOIN document d ON d.document_id = c.document_id
WHERE c.is_there AND d.gem_id <> ALL(%(gem_ids)s::uuid[]) GROUP BY d.gem_id ORDER BY d.gem_id;

-- name: drop_documents
-- documents that are not to be there
DELETE FROM document d USING pg_temp.changed_document c
WHERE d.document_id = c.document_id AND d.gem_id = c.gem_id AND c.was_there AND NOT c.is_there;

-- name: drop_passages
-- passages that are not to be there, or not there
DELETE FROM passage p USING pg_temp.changed_document c
WHERE p.document_id = c.document_id AND c.was_there AND c.is_there AND (c.texts OR c.states)
  AND NOT EXISTS (SELECT FROM pg_temp.wanted_place w WHERE w.document_id = p.document_id AND w.passage_id = p.passage_id
    AND w.gem_id = p.gem_id AND w.ordinal = p.ordinal AND w.slot = p.slot);

-- name: drop_rows
-- rows of a gem that are not to be there
DELETE FROM {table} AS t WHERE {where} AND NOT EXISTS (SELECT FROM {wanted} AS w WHERE {keys});

-- name: want_vectors
-- passages that are to come need their vectors; vectors of another model than the lattice's mend nothing that is there
UPDATE pg_temp.changed_document c SET vectors = (c.vectors AND NOT %(is_foreign)s) OR EXISTS (
  SELECT FROM pg_temp.wanted_place w WHERE w.document_id = c.document_id
    AND NOT EXISTS (SELECT FROM passage p WHERE p.passage_id = w.passage_id))
WHERE c.is_there;

-- name: free_names
-- names that gems of a snapshot are to give to each other
UPDATE gem g SET name = g.gem_id::text FROM {wanted} AS w WHERE w.gem_id = g.gem_id AND w.name <> g.name;

-- name: update_rows
-- rows that are there and not as they are to be; as text, since what is equal need not be the same: 1.50 and 1.5, -0 and 0
UPDATE {table} AS t SET {changes} FROM {wanted} AS w WHERE {keys} AND ROW({old})::text IS DISTINCT FROM ROW({new})::text;

-- name: insert_rows
-- rows that are missing, under their own numbers
INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE
SELECT {columns} FROM {wanted} AS w WHERE {needs} ON CONFLICT ({key}) DO NOTHING;

-- name: stage_of_documents
-- rows of a table that stand in the contents of documents
INSERT INTO {wanted} ({columns}) SELECT {values}
FROM pg_temp.wanted_item i
CROSS JOIN LATERAL jsonb_array_elements(coalesce(nullif(i.content -> {name}, 'null'), '[]')) AS e
CROSS JOIN LATERAL jsonb_populate_record(NULL::{table}, e) AS r
WHERE i.kind = 'document';

-- name: stage_placed
-- the same for one whose rows know their passage by its slot
INSERT INTO {wanted} ({columns}) SELECT {values}
FROM pg_temp.wanted_item i
CROSS JOIN LATERAL jsonb_array_elements(coalesce(nullif(i.content -> {name}, 'null'), '[]')) AS e
CROSS JOIN LATERAL jsonb_populate_record(NULL::{table}, e) AS r
JOIN pg_temp.wanted_passage p ON p.passage_id = (e ->> 'passage_id')::uuid
WHERE i.kind = 'document';

-- name: stage_passages
-- passages with their states and, where these are wanted, their vectors
INSERT INTO pg_temp.wanted_passage ({columns}) SELECT {values}
FROM pg_temp.wanted_item i
CROSS JOIN LATERAL jsonb_array_elements(coalesce(nullif(i.content -> 'passage', 'null'), '[]')) AS e
CROSS JOIN LATERAL jsonb_populate_record(NULL::passage, e) AS r
JOIN (SELECT s.* FROM pg_temp.wanted_item i CROSS JOIN LATERAL jsonb_populate_recordset(NULL::passage, i.content) AS s
      WHERE i.kind = 'states') AS s ON s.passage_id = r.passage_id
LEFT JOIN pg_temp.wanted_vector v ON v.document_id = r.document_id AND v.ordinal = r.ordinal
WHERE i.kind = 'document';

-- name: stage_vector
-- what models made of a passage
INSERT INTO pg_temp.wanted_vector (document_id, ordinal, vector, states)
VALUES (%(document_id)s, %(ordinal)s, %(vector)s, %(states)s);

-- name: stage_tokens
-- token states of the passages whose vectors are wanted
INSERT INTO pg_temp.wanted_passage_tokens (gem_id, slot, states)
SELECT p.gem_id, p.slot, v.states FROM pg_temp.wanted_passage p
JOIN pg_temp.wanted_vector v ON v.document_id = p.document_id AND v.ordinal = p.ordinal WHERE v.states IS NOT NULL;

-- name: drop_of_documents
-- rows of a table that some documents are not to have
DELETE FROM {table} AS t USING pg_temp.wanted_document d
WHERE t.tenant_id = d.tenant_id AND t.document_id = d.document_id
  AND NOT EXISTS (SELECT FROM {wanted} AS w WHERE {keys});

-- name: drop_placed
-- rows of a table that some passages are not to have
DELETE FROM {table} AS t USING pg_temp.wanted_passage p
WHERE t.tenant_id = p.tenant_id AND t.gem_id = p.gem_id AND t.slot = p.slot
  AND NOT EXISTS (SELECT FROM {wanted} AS w WHERE {keys});

-- name: drop_tokens
-- token states that some passages are not to have
DELETE FROM passage_tokens AS t USING pg_temp.wanted_passage p, pg_temp.wanted_vector v
WHERE t.tenant_id = p.tenant_id AND t.gem_id = p.gem_id AND t.slot = p.slot AND v.document_id = p.document_id
  AND v.ordinal = p.ordinal AND v.states IS NULL;

-- name: put_vectors
-- vectors of passages that are there, where they are others in any bit
UPDATE passage AS t SET {embedding} = w.{embedding} FROM pg_temp.wanted_passage AS w
WHERE t.tenant_id = w.tenant_id AND t.passage_id = w.passage_id AND w.{embedding} IS NOT NULL
  AND halfvec_send(t.{embedding}) IS DISTINCT FROM halfvec_send(w.{embedding});

-- name: insert_passages
-- passages that are missing
INSERT INTO passage ({columns}) SELECT {columns} FROM pg_temp.wanted_passage AS w
WHERE NOT EXISTS (SELECT FROM passage AS t WHERE t.tenant_id = w.tenant_id AND t.passage_id = w.passage_id)
RETURNING passage_id, gem_id, slot;

-- name: drop_foreign
-- vectors of another model, which stood in for the lattice's own until these were made
UPDATE passage SET {other} = NULL WHERE passage_id = ANY(%(passage_ids)s::uuid[]);

-- name: put_operations
-- what moved documents that are back moved them still
INSERT INTO operation_document SELECT * FROM pg_temp.kept_operation ON CONFLICT DO NOTHING;

-- name: follow_documents
-- history that names the gem of a document names the one that it is in now
UPDATE {table} AS t SET gem_id = d.gem_id FROM pg_temp.changed_document c
JOIN document d ON d.document_id = c.document_id
WHERE c.is_there AND t.document_id = d.document_id AND t.gem_id <> d.gem_id;

-- name: follow_passages
-- and so does the log of a passage
UPDATE measurement t SET gem_id = p.gem_id FROM pg_temp.wanted_place p
WHERE t.passage_id = p.passage_id AND t.gem_id <> p.gem_id;

-- name: drop_index
-- the lexical index of a gem, which is made anew
DELETE FROM lexical_segment WHERE gem_id = %(gem_id)s;

-- name: begin_index
-- the version from which the segments count, and how far the index reaches
SELECT greatest(g.version, w.version) AS version, coalesce(w.sealed_slot, m.next_slot) AS end
FROM gem g JOIN pg_temp.wanted_gem w ON w.gem_id = g.gem_id
CROSS JOIN LATERAL (SELECT coalesce(max(p.slot) + 1, 0) AS next_slot FROM passage p WHERE p.gem_id = g.gem_id) AS m
WHERE g.gem_id = %(gem_id)s;

-- name: settle_gem
-- a version that nobody has seen, slots that nobody had, and all else as it was
UPDATE gem g SET version = %(version)s, updated_at = w.updated_at, sealed_slot = w.sealed_slot,
  next_slot = greatest(g.next_slot, w.next_slot)
FROM pg_temp.wanted_gem w WHERE w.gem_id = g.gem_id AND g.gem_id = %(gem_id)s;

-- name: link_again
-- passages that came are linked again with those that are alike
UPDATE passage_linking SET next_slot = least(next_slot, %(slot)s) WHERE gem_id = %(gem_id)s;

-- name: log_states
-- states that were set: of the gem, and of every passage whose log ends otherwise, or that has none and is not new
INSERT INTO measurement (gem_id, passage_id, cause, gain, tau_s, energy, phase, coherence, uncertainty, measured_at, state_at)
SELECT g.gem_id, NULL, 'restore', 0, %(tau_s)s, g.energy, g.phase, g.coherence, g.uncertainty, %(now)s, g.measured_at
FROM gem g WHERE g.gem_id = %(gem_id)s
UNION ALL
(SELECT p.gem_id, p.passage_id, 'restore', 0, %(tau_s)s, p.energy, p.phase, p.coherence, p.uncertainty, %(now)s, p.measured_at
FROM passage p
LEFT JOIN LATERAL (
  SELECT m.energy, m.phase, m.coherence, m.uncertainty, coalesce(m.state_at, m.measured_at) AS state_at FROM measurement m
  WHERE m.passage_id = p.passage_id AND m.gem_id = p.gem_id ORDER BY m.measurement_id DESC LIMIT 1) AS l ON true
WHERE p.gem_id = %(gem_id)s AND (p.energy, p.phase, p.coherence, p.uncertainty, p.measured_at) IS DISTINCT FROM (
  coalesce(l.energy, 1::float8), coalesce(l.phase, 0::float8), coalesce(l.coherence, 1::float8),
  coalesce(l.uncertainty, 0.1::float8), coalesce(l.state_at, p.created_at))
ORDER BY p.passage_id);

-- name: count_changed
-- how many documents are to be made as they were
SELECT count(*) AS documents FROM pg_temp.changed_document WHERE is_there;

-- name: forget_vectors
-- vectors of names are of another model than the lattice's; they are made again as they are needed
UPDATE pg_temp.wanted_entity SET embedding = NULL WHERE embedding IS NOT NULL;
