-- name: make_staging
-- where rows wait for their transaction: COPY is refused under row-level security, and into a table of one's own it is not
CREATE TEMP TABLE IF NOT EXISTS bulk_row (
  n int, document_id uuid, passage_id uuid, content_hash bytea, start_char int, end_char int, tokens int,
  embedding halfvec, external_id text, title text, source text, speaker text, occurred_at timestamptz, meta jsonb,
  entities jsonb, body text) ON COMMIT DELETE ROWS;

-- name: hasten_commit
-- this commit need not wait for the disk: that of the sealing does, and takes along all that was written before it. What a
-- crash of the server loses until then is loaded again by whoever finishes the load
SET LOCAL synchronous_commit = off;

-- name: copy_rows
-- fill it
COPY pg_temp.bulk_row FROM STDIN (FORMAT binary);

-- name: find_stored
-- rows whose document is there already, and whether it is the same, or which a document supersedes; each is looked up by
-- a range in the order of an index, which is the only plan there is where sorting is off, however young the statistics
SELECT s.n, d.content_hash = s.content_hash AND d.closed_at IS NULL AS same
FROM pg_temp.bulk_row s
CROSS JOIN LATERAL (
  SELECT d.content_hash, d.closed_at FROM document d
  WHERE d.gem_id = %(gem_id)s AND d.external_id BETWEEN s.external_id AND s.external_id
  ORDER BY d.external_id LIMIT 1) AS d
UNION ALL
SELECT s.n, d.closed_at IS NULL
FROM pg_temp.bulk_row s
CROSS JOIN LATERAL (
  SELECT d.closed_at FROM document d
  WHERE d.gem_id = %(gem_id)s AND d.external_id IS NULL AND d.content_hash BETWEEN s.content_hash AND s.content_hash
  ORDER BY d.content_hash LIMIT 1) AS d
WHERE s.external_id IS NULL
UNION ALL
SELECT s.n, false
FROM pg_temp.bulk_row s
CROSS JOIN LATERAL (
  SELECT 1 FROM supersession x WHERE x.gem_id = %(gem_id)s AND x.external_id BETWEEN s.external_id AND s.external_id
  ORDER BY x.external_id LIMIT 1) AS x
WHERE EXISTS (SELECT FROM supersession x WHERE x.gem_id = %(gem_id)s);

-- name: take_rows
-- rows that are not stored this way, in their order
WITH taken AS (DELETE FROM pg_temp.bulk_row WHERE n = ANY(%(numbers)s::int[]) RETURNING *)
SELECT n, external_id, title, source, speaker, occurred_at, meta, entities, body, embedding::real[] AS embedding
FROM taken ORDER BY n;

-- name: leave_unsealed
-- passages from this slot on are not in the lexical index yet
UPDATE gem SET sealed_slot = coalesce(sealed_slot, %(first)s) WHERE gem_id = %(gem_id)s;

-- name: insert_documents
-- the documents that wait
INSERT INTO document (document_id, gem_id, external_id, title, source, speaker, occurred_at, meta, entities, body,
  content_hash, passages, created_at, updated_at)
SELECT document_id, %(gem_id)s, external_id, title, source, speaker, occurred_at, meta, entities, body, content_hash, 1,
  %(now)s, %(now)s
FROM pg_temp.bulk_row ORDER BY n;

-- name: insert_passages
-- and the one passage of each, in its first state
INSERT INTO passage (passage_id, gem_id, document_id, ordinal, slot, body, start_char, end_char, tokens, {embedding},
  measured_at, created_at)
SELECT passage_id, %(gem_id)s, document_id, 0, %(first)s + row_number() OVER (ORDER BY n) - 1,
  substr(body, start_char + 1, end_char - start_char), start_char, end_char, tokens, embedding, %(now)s, %(now)s
FROM pg_temp.bulk_row ORDER BY n;

-- name: get_sealing
-- from which slot on a gem is not sealed (null: all is), and how many slots it has
SELECT sealed_slot, next_slot FROM gem WHERE gem_id = %(gem_id)s;

-- name: lock_sealing
-- the same, held until the transaction ends: writers of one gem take turns
SELECT sealed_slot, next_slot FROM gem WHERE gem_id = %(gem_id)s FOR UPDATE;

-- name: read_unsealed
-- passages to be sealed, in the order of their slots
SELECT p.slot, p.body, p.heading, d.title, d.speaker, d.entities
FROM passage p
CROSS JOIN LATERAL (SELECT d.title, d.speaker, d.entities FROM document d WHERE d.document_id = p.document_id LIMIT 1) AS d
WHERE p.gem_id = %(gem_id)s AND p.slot >= %(first)s AND p.slot < %(end)s
ORDER BY p.slot;

-- name: move_sealing
-- sealed up to here, null once that is all there is; the segment takes the new version for its id
UPDATE gem SET version = version + 1, sealed_slot = CASE WHEN next_slot > %(end)s THEN %(end)s END
WHERE gem_id = %(gem_id)s RETURNING version;
