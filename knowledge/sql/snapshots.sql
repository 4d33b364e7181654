-- name: be_patient
-- for this transaction: all rows of a large gem take their time, and so does one connection while the other works
SET LOCAL statement_timeout = 0;
SET LOCAL idle_in_transaction_session_timeout = '10min';

-- name: take_turn
-- snapshots of one lattice are taken, restored and deleted one at a time, so that no content is swept away that another
-- counts upon; held until the transaction ends
SELECT pg_advisory_xact_lock(hashtextextended('snapshots ' || %(tenant)s, 0));

-- name: list_columns
-- the columns of tables, in one order on every server: which are numbered once and for all, and what fills them in a row
-- from before they were there
SELECT c.relname AS table, a.attname AS column, a.attidentity <> '' AS is_fixed,
  CASE WHEN a.attnotnull AND a.attidentity = '' THEN pg_get_expr(d.adbin, d.adrelid) END AS filled
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE c.oid = ANY(%(tables)s::regclass[]) AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
ORDER BY c.relname, a.attname COLLATE "C";

-- name: list_keys
-- the primary keys of tables, and the foreign keys by which their rows need others
SELECT c.relname AS table, k.contype = 'p' AS is_primary,
  (SELECT array_agg(a.attname::text ORDER BY n.place) FROM unnest(k.conkey) WITH ORDINALITY AS n (number, place)
   JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = n.number) AS columns,
  (SELECT relname FROM pg_class WHERE oid = k.confrelid) AS target,
  (SELECT array_agg(a.attname::text ORDER BY n.place) FROM unnest(k.confkey) WITH ORDINALITY AS n (number, place)
   JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = n.number) AS target_columns
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
WHERE c.oid = ANY(%(tables)s::regclass[]) AND k.contype IN ('p', 'f') ORDER BY c.relname, k.conname COLLATE "C";

-- name: find_model
-- what the vectors of a lattice are made by, and where they are
SELECT embedding_model AS model, embedding_dimension AS dimension, embedding_column AS column FROM lattice;

-- name: list_gems
-- the gems that are asked for, or all of them, in the order in which rows are locked
SELECT gem_id, name, (SELECT count(*) FROM passage p WHERE p.gem_id = gem.gem_id) AS passages,
  sealed_slot IS NOT NULL AS is_unsealed
FROM gem WHERE %(gem_ids)s::uuid[] IS NULL OR gem_id = ANY(%(gem_ids)s::uuid[]) ORDER BY gem_id;

-- name: read_rows
-- the rows of a table, each as JSON
SELECT to_jsonb(r)::text AS row FROM (SELECT {columns} FROM {source} ORDER BY {order}) AS r;

-- name: list_documents
-- the documents of a gem and how many passages each has
SELECT d.document_id, d.passages FROM document d WHERE d.gem_id = %(gem_id)s ORDER BY d.document_id;

-- name: read_documents
-- some documents with all that goes with them, save states and vectors; what is stored already comes without its content
WITH place AS MATERIALIZED (
  SELECT p.tenant_id, p.gem_id, p.slot, p.document_id, p.passage_id, p.ordinal FROM passage p
  WHERE p.document_id = ANY(%(document_ids)s::uuid[])),
passages AS (
  SELECT r.document_id, count(*) AS rows, jsonb_agg(to_jsonb(r) ORDER BY r.ordinal) AS list
  FROM (SELECT {passage} FROM passage t WHERE t.document_id = ANY(%(document_ids)s::uuid[])) AS r GROUP BY r.document_id),
supersessions AS (
  SELECT r.document_id, count(*) AS rows, jsonb_agg(to_jsonb(r) ORDER BY r.external_id COLLATE "C") AS list
  FROM (SELECT {supersession} FROM supersession t WHERE t.document_id = ANY(%(document_ids)s::uuid[])) AS r
  GROUP BY r.document_id),
extracted AS (
  SELECT p.document_id, count(*) AS rows, jsonb_agg(to_jsonb(r) ORDER BY p.ordinal) AS list
  FROM place p JOIN extracted_passage t ON t.tenant_id = p.tenant_id AND t.gem_id = p.gem_id AND t.slot = p.slot
  CROSS JOIN LATERAL (SELECT p.passage_id, {extracted_passage}) AS r GROUP BY p.document_id),
mentions AS (
  SELECT p.document_id, count(*) AS rows, jsonb_agg(to_jsonb(r) ORDER BY p.ordinal, t.entity_id, t.role) AS list
  FROM place p JOIN mention t ON t.tenant_id = p.tenant_id AND t.gem_id = p.gem_id AND t.slot = p.slot
  CROSS JOIN LATERAL (SELECT p.passage_id, {mention}) AS r GROUP BY p.document_id),
made AS (
  SELECT r.document_id, convert_to(jsonb_build_object('document', jsonb_build_array(to_jsonb(r)), 'passage', p.list,
      'supersession', s.list, 'extracted_passage', e.list, 'mention', m.list)::text, 'UTF8') AS content,
    jsonb_build_object('document', 1, 'passage', p.rows, 'supersession', s.rows, 'extracted_passage', e.rows,
      'mention', m.rows) AS counts
  FROM (SELECT {document} FROM document t WHERE t.document_id = ANY(%(document_ids)s::uuid[])) AS r
  LEFT JOIN passages p USING (document_id) LEFT JOIN supersessions s USING (document_id)
  LEFT JOIN extracted e USING (document_id) LEFT JOIN mentions m USING (document_id)),
summed AS (SELECT made.*, sha256(content) AS sha256 FROM made)
SELECT 'document' AS kind, document_id AS key, 0 AS part, sha256, length(content) AS size, counts,
  CASE WHEN NOT EXISTS (SELECT FROM snapshot_item i WHERE i.sha256 = summed.sha256) THEN content END AS content
FROM summed ORDER BY document_id;

-- name: read_states
-- the states of the passages of some documents, and where each stands in its gem
WITH made AS (
  SELECT p.document_id, convert_to(jsonb_agg(jsonb_build_object('passage_id', p.passage_id, 'ordinal', p.ordinal, 'slot', p.slot,
      'around', p.around, 'energy', p.energy, 'phase', p.phase, 'coherence', p.coherence, 'uncertainty', p.uncertainty,
      'measured_at', p.measured_at) ORDER BY p.ordinal)::text, 'UTF8') AS content
  FROM passage p WHERE p.document_id = ANY(%(document_ids)s::uuid[]) GROUP BY p.document_id),
summed AS (SELECT made.*, sha256(content) AS sha256 FROM made)
SELECT 'states' AS kind, document_id AS key, 0 AS part, sha256, length(content) AS size,
  CASE WHEN NOT EXISTS (SELECT FROM snapshot_item i WHERE i.sha256 = summed.sha256) THEN content END AS content
FROM summed ORDER BY document_id;

-- name: read_vectors
-- the vectors and token states of the passages of some documents: each its ordinal, and both behind their lengths, -1 for
-- none; a part for so many ordinals. They are the bulk of a gem, so that only what is not stored yet leaves the server
WITH made AS (
  SELECT p.document_id, p.ordinal / %(ordinals)s AS part, string_agg(
      int4send(p.ordinal) || coalesce(int4send(length(v.vector)) || v.vector, int4send(-1))
        || coalesce(int4send(length(t.states)) || t.states, int4send(-1)), ''::bytea ORDER BY p.ordinal) AS content
  FROM passage p CROSS JOIN LATERAL (SELECT halfvec_send(p.{embedding}) AS vector OFFSET 0) AS v
  LEFT JOIN passage_tokens t ON t.tenant_id = p.tenant_id AND t.gem_id = p.gem_id AND t.slot = p.slot
  WHERE p.document_id = ANY(%(document_ids)s::uuid[]) GROUP BY p.document_id, p.ordinal / %(ordinals)s),
summed AS (SELECT made.*, sha256(content) AS sha256 FROM made)
SELECT 'vectors' AS kind, document_id AS key, part, sha256, length(content) AS size,
  CASE WHEN %(whole)s AND NOT EXISTS (SELECT FROM snapshot_item i WHERE i.sha256 = summed.sha256) THEN content END AS content
FROM summed ORDER BY document_id, part;

-- name: make_live
-- where the present is laid beside a snapshot, for as long as the transaction lasts
CREATE TEMP TABLE live_gem (LIKE snapshot_gem INCLUDING DEFAULTS) ON COMMIT DROP;
CREATE TEMP TABLE live_item (LIKE snapshot_item INCLUDING DEFAULTS) ON COMMIT DROP;
CREATE TEMP TABLE live_member (LIKE snapshot_member INCLUDING DEFAULTS) ON COMMIT DROP;

-- name: insert_snapshot
-- a snapshot, its contents to follow
INSERT INTO snapshot (snapshot_id, scope, reason, note, model, dimension, taken_at)
VALUES (%(snapshot_id)s, %(scope)s, %(reason)s, %(note)s, %(model)s, %(dimension)s, %(now)s);

-- name: insert_gem
-- a gem of it
INSERT INTO {gem} (snapshot_id, gem_id, name) VALUES (%(snapshot_id)s, %(gem_id)s, %(name)s);

-- name: find_stored
-- which contents are stored already
SELECT sha256 FROM snapshot_item WHERE sha256 = ANY(%(digests)s::bytea[]);

-- name: insert_items
-- contents that were not
INSERT INTO {item} (sha256, size, packed)
SELECT i.* FROM unnest(%(digests)s::bytea[], %(sizes)s::int[], %(packed)s::bytea[]) AS i ON CONFLICT DO NOTHING;

-- name: insert_members
-- what a snapshot holds of a gem
INSERT INTO {member} (snapshot_id, gem_id, kind, key, part, sha256)
SELECT %(snapshot_id)s, %(gem_id)s, m.* FROM unnest(%(kinds)s::text[], %(keys)s::uuid[], %(parts)s::int[],
  %(digests)s::bytea[]) AS m;

-- name: seal_gem
-- all of a gem is there: how many rows of each table, and a digest over its members in their order
UPDATE {gem} SET counts = %(counts)s, sha256 = (
  SELECT sha256(coalesce(string_agg(convert_to(m.kind, 'UTF8') || uuid_send(m.key) || int4send(m.part) || m.sha256,
    ''::bytea ORDER BY m.kind, m.key, m.part), ''::bytea))
  FROM {member} m WHERE m.snapshot_id = %(snapshot_id)s AND m.gem_id = %(gem_id)s)
WHERE snapshot_id = %(snapshot_id)s AND gem_id = %(gem_id)s;

-- name: seal_snapshot
-- all of a snapshot is there: how large it is, how much of that it alone holds, and a digest over its gems
UPDATE snapshot s SET size_bytes = %(size_bytes)s, added_bytes = %(added_bytes)s, sha256 = (
  SELECT sha256(convert_to(concat_ws(E'\n', s.scope, s.reason, s.note, s.model, s.dimension), 'UTF8') || timestamptz_send(s.taken_at)
    || coalesce(string_agg(uuid_send(g.gem_id) || convert_to(g.name || g.counts::text, 'UTF8') || g.sha256, ''::bytea
      ORDER BY g.gem_id), ''::bytea))
  FROM snapshot_gem g WHERE g.snapshot_id = s.snapshot_id)
WHERE s.snapshot_id = %(snapshot_id)s;

-- name: get_snapshot
-- a snapshot by id
SELECT s.snapshot_id, s.scope, s.reason, s.note, s.model, s.dimension, s.size_bytes, s.added_bytes, s.sha256, s.taken_at, t.*
FROM snapshot s
CROSS JOIN LATERAL (
  SELECT count(*) AS gem_count, coalesce(sum((g.counts ->> 'document')::bigint), 0)::bigint AS documents,
    coalesce(sum((g.counts ->> 'passage')::bigint), 0)::bigint AS passages
  FROM snapshot_gem g WHERE g.snapshot_id = s.snapshot_id) AS t
WHERE s.snapshot_id = %(snapshot_id)s;

-- name: list_snapshots
-- a page of snapshots, newest first: those that hold a gem, or those of the whole lattice, or all
SELECT s.snapshot_id, s.scope, s.reason, s.note, s.model, s.dimension, s.size_bytes, s.added_bytes, s.sha256, s.taken_at, t.*
FROM snapshot s
CROSS JOIN LATERAL (
  SELECT count(*) AS gem_count, coalesce(sum((g.counts ->> 'document')::bigint), 0)::bigint AS documents,
    coalesce(sum((g.counts ->> 'passage')::bigint), 0)::bigint AS passages
  FROM snapshot_gem g
  WHERE g.snapshot_id = s.snapshot_id AND (%(gem_id)s::uuid IS NULL OR g.gem_id = %(gem_id)s)) AS t
WHERE (%(scope)s::text IS NULL OR s.scope = %(scope)s)
  AND (%(gem_id)s::uuid IS NULL
       OR s.snapshot_id IN (SELECT g.snapshot_id FROM snapshot_gem g WHERE g.gem_id = %(gem_id)s))
  AND (%(before_at)s::timestamptz IS NULL
       OR (s.taken_at, s.snapshot_id) < (%(before_at)s::timestamptz, %(before_id)s::uuid))
ORDER BY s.taken_at DESC, s.snapshot_id DESC LIMIT %(limit)s;

-- name: list_held
-- the gems of some snapshots
SELECT g.snapshot_id, g.gem_id, g.name, g.counts, g.sha256 FROM snapshot_gem g
WHERE g.snapshot_id = ANY(%(snapshot_ids)s::uuid[]) ORDER BY g.snapshot_id, g.name;

-- name: delete_snapshots
-- snapshots, and the contents that no other one holds
WITH gone AS (DELETE FROM snapshot_member WHERE snapshot_id = ANY(%(snapshot_ids)s::uuid[]) RETURNING sha256),
swept AS (
  DELETE FROM snapshot_item i USING (SELECT DISTINCT sha256 FROM gone) AS g
  WHERE i.sha256 = g.sha256 AND NOT EXISTS (
    SELECT FROM snapshot_member m WHERE m.sha256 = i.sha256 AND m.snapshot_id <> ALL(%(snapshot_ids)s::uuid[]))
  RETURNING length(i.packed) AS bytes),
dropped AS (DELETE FROM snapshot WHERE snapshot_id = ANY(%(snapshot_ids)s::uuid[]) RETURNING snapshot_id)
SELECT (SELECT count(*) FROM dropped) AS snapshots, (SELECT coalesce(sum(bytes), 0) FROM swept) AS bytes;

-- name: compare_documents
-- documents of a gem that two sides do not hold alike, and in what they differ; part of another query, too
SELECT coalesce(b.key, a.key) AS document_id,
  coalesce(bool_or(b.kind = 'document'), false) AS was_there, coalesce(bool_or(a.kind = 'document'), false) AS is_there,
  bool_or(b.sha256 IS DISTINCT FROM a.sha256 AND coalesce(b.kind, a.kind) = 'document') AS texts,
  bool_or(b.sha256 IS DISTINCT FROM a.sha256 AND coalesce(b.kind, a.kind) = 'states') AS states,
  bool_or(b.sha256 IS DISTINCT FROM a.sha256 AND coalesce(b.kind, a.kind) = 'vectors') AS vectors
FROM (SELECT kind, key, part, sha256 FROM {before} WHERE snapshot_id = %(before_id)s AND gem_id = %(gem_id)s
        AND kind IN ('document', 'states', 'vectors')) AS b
FULL JOIN (SELECT kind, key, part, sha256 FROM {after} WHERE snapshot_id = %(after_id)s AND gem_id = %(gem_id)s
        AND kind IN ('document', 'states', 'vectors')) AS a
  ON a.kind = b.kind AND a.key = b.key AND a.part = b.part
GROUP BY coalesce(b.key, a.key) HAVING bool_or(b.sha256 IS DISTINCT FROM a.sha256) ORDER BY 1

-- name: compare_chunks
-- contents of other kinds that only one of two sides holds of a gem
SELECT coalesce(b.kind, a.kind) AS kind, coalesce(b.sha256, a.sha256) AS sha256, b.sha256 IS NOT NULL AS was_there
FROM (SELECT DISTINCT kind, sha256 FROM {before} WHERE snapshot_id = %(before_id)s AND gem_id = %(gem_id)s
        AND kind NOT IN ('document', 'states', 'vectors')) AS b
FULL JOIN (SELECT DISTINCT kind, sha256 FROM {after} WHERE snapshot_id = %(after_id)s AND gem_id = %(gem_id)s
        AND kind NOT IN ('document', 'states', 'vectors')) AS a
  ON a.kind = b.kind AND a.sha256 = b.sha256
WHERE a.sha256 IS NULL OR b.sha256 IS NULL ORDER BY 1, 3, 2;

-- name: get_items
-- contents by their digests, wherever they are
SELECT sha256, size, packed FROM {item} WHERE sha256 = ANY(%(digests)s::bytea[]);

-- name: list_members
-- what a side holds of some documents, or of one kind
SELECT kind, key, part, sha256 FROM {member}
WHERE snapshot_id = %(snapshot_id)s AND gem_id = %(gem_id)s AND kind = ANY(%(kinds)s::text[])
  AND (%(keys)s::uuid[] IS NULL OR key = ANY(%(keys)s::uuid[]))
ORDER BY kind, key, part;

-- name: find_broken
-- whether the lists of a snapshot are those that were written: the digest of each of its gems, and the one over them
SELECT g.gem_id, g.name, 'list' AS problem FROM snapshot_gem g
WHERE g.snapshot_id = %(snapshot_id)s AND (%(gem_id)s::uuid IS NULL OR g.gem_id = %(gem_id)s)
  AND g.sha256 IS DISTINCT FROM (
    SELECT sha256(coalesce(string_agg(convert_to(m.kind, 'UTF8') || uuid_send(m.key) || int4send(m.part) || m.sha256,
      ''::bytea ORDER BY m.kind, m.key, m.part), ''::bytea))
    FROM snapshot_member m WHERE m.snapshot_id = g.snapshot_id AND m.gem_id = g.gem_id)
UNION ALL
SELECT NULL, NULL, 'snapshot' FROM snapshot s WHERE s.snapshot_id = %(snapshot_id)s AND s.sha256 IS DISTINCT FROM (
  SELECT sha256(convert_to(concat_ws(E'\n', s.scope, s.reason, s.note, s.model, s.dimension), 'UTF8') || timestamptz_send(s.taken_at)
    || coalesce(string_agg(uuid_send(g.gem_id) || convert_to(g.name || g.counts::text, 'UTF8') || g.sha256, ''::bytea
      ORDER BY g.gem_id), ''::bytea))
  FROM snapshot_gem g WHERE g.snapshot_id = s.snapshot_id);

-- name: read_all
-- every content of a snapshot with who needs it, content by content, null where it is gone
SELECT m.gem_id, m.kind, m.key, m.part, m.sha256, i.size, i.packed FROM snapshot_member m
LEFT JOIN snapshot_item i ON i.tenant_id = m.tenant_id AND i.sha256 = m.sha256
WHERE m.snapshot_id = %(snapshot_id)s ORDER BY m.gem_id, m.kind, m.key, m.part;

-- name: count_others
-- how many gems there are beside some
SELECT count(*) AS gems FROM gem WHERE gem_id <> ALL(%(gem_ids)s::uuid[]);

-- name: list_sides
-- the gems that two sides do not hold alike
SELECT coalesce(a.gem_id, b.gem_id) AS gem_id, coalesce(a.name, b.name) AS name
FROM (SELECT * FROM {before} WHERE snapshot_id = %(before_id)s) AS b
FULL JOIN (SELECT * FROM {after} WHERE snapshot_id = %(after_id)s) AS a ON a.gem_id = b.gem_id
WHERE (%(gem_ids)s::uuid[] IS NULL OR coalesce(a.gem_id, b.gem_id) = ANY(%(gem_ids)s::uuid[]))
  AND a.sha256 IS DISTINCT FROM b.sha256
ORDER BY 1;
