-- name: record_model
-- the first write of a lattice fixes its embedding model; later ones read it
INSERT INTO lattice (embedding_model, embedding_dimension) VALUES (%(model)s, %(dimension)s)
ON CONFLICT (tenant_id) DO UPDATE SET embedding_model = coalesce(lattice.embedding_model, excluded.embedding_model),
  embedding_dimension = coalesce(lattice.embedding_dimension, excluded.embedding_dimension)
RETURNING embedding_model, embedding_dimension, embedding_column;

-- name: get_model
-- the embedding model that a lattice was written with
SELECT embedding_model, embedding_dimension, embedding_column FROM lattice;

-- name: hold_model
-- the same for a write: until it ends, the lattice cannot move to another model
SELECT embedding_model, embedding_dimension, embedding_column FROM lattice FOR SHARE;

-- name: find_known
-- documents that a batch may equal or replace: by external id, or by content where there is none. An equality would do,
-- but a range in the order of an index has only one plan: with young statistics a batch else reads the whole gem
SELECT d.* FROM unnest(%(external_ids)s::text[]) AS k (id)
CROSS JOIN LATERAL (
  SELECT d.document_id, d.external_id, d.content_hash, d.thread, d.position FROM document d
  WHERE d.gem_id = %(gem_id)s AND d.external_id BETWEEN k.id AND k.id ORDER BY d.external_id LIMIT 1) AS d
UNION ALL
SELECT d.* FROM unnest(%(hashes)s::bytea[]) AS k (hash)
CROSS JOIN LATERAL (
  SELECT d.document_id, d.external_id, d.content_hash, d.thread, d.position FROM document d
  WHERE d.gem_id = %(gem_id)s AND d.external_id IS NULL AND d.content_hash BETWEEN k.hash AND k.hash
  ORDER BY d.content_hash LIMIT 1) AS d;

-- name: last_positions
-- where each thread ends
SELECT t.thread, (SELECT max(d.position) FROM document d WHERE d.gem_id = %(gem_id)s AND d.thread = t.thread) AS position
FROM unnest(%(threads)s::text[]) AS t (thread);

-- name: thread_windows
-- the passages around each anchor (thread, position), those of documents at the anchor itself included
SELECT DISTINCT ON (w.thread, w.position, w.ordinal) w.*
FROM unnest(%(threads)s::text[], %(positions)s::bigint[]) AS a (thread, position)
CROSS JOIN LATERAL (
  (SELECT d.thread, d.position, p.ordinal, p.passage_id, p.document_id, p.slot, p.body, d.title, p.heading, d.speaker,
          d.occurred_at, p.context_hash IS NULL AS given
   FROM document d JOIN passage p ON p.tenant_id = d.tenant_id AND p.document_id = d.document_id
   WHERE d.gem_id = %(gem_id)s AND d.thread = a.thread AND d.position < a.position
   ORDER BY d.position DESC, p.ordinal DESC LIMIT %(window)s)
  UNION ALL
  (SELECT d.thread, d.position, p.ordinal, p.passage_id, p.document_id, p.slot, p.body, d.title, p.heading, d.speaker,
          d.occurred_at, p.context_hash IS NULL AS given
   FROM document d JOIN passage p ON p.tenant_id = d.tenant_id AND p.document_id = d.document_id
   WHERE d.gem_id = %(gem_id)s AND d.thread = a.thread AND d.position = a.position)
  UNION ALL
  (SELECT d.thread, d.position, p.ordinal, p.passage_id, p.document_id, p.slot, p.body, d.title, p.heading, d.speaker,
          d.occurred_at, p.context_hash IS NULL AS given
   FROM document d JOIN passage p ON p.tenant_id = d.tenant_id AND p.document_id = d.document_id
   WHERE d.gem_id = %(gem_id)s AND d.thread = a.thread AND d.position > a.position
   ORDER BY d.position, p.ordinal LIMIT %(window)s)
) AS w
ORDER BY w.thread, w.position, w.ordinal;

-- name: loose_passages
-- the passages of documents that belong to no thread
SELECT NULL::text AS thread, 0::bigint AS position, p.ordinal, p.passage_id, p.document_id, p.slot, p.body, d.title,
  p.heading, d.speaker, d.occurred_at, p.context_hash IS NULL AS given
FROM document d JOIN passage p ON p.tenant_id = d.tenant_id AND p.document_id = d.document_id
WHERE d.document_id = ANY(%(document_ids)s::uuid[]) AND d.thread IS NULL
ORDER BY p.document_id, p.ordinal;

-- name: delete_passages
-- the passages of documents that are replaced
DELETE FROM passage WHERE document_id = ANY(%(document_ids)s::uuid[]);

-- name: put_document
-- store a document, or replace the one of this id; its evidence in past reflections stays. What was closed for another
-- reason than that a document supersedes it is told anew, and holds again
INSERT INTO document (document_id, gem_id, external_id, title, source, thread, speaker, position, occurred_at, meta,
  entities, relations, supersedes, body, content_hash, passages, created_at, updated_at)
VALUES (%(document_id)s, %(gem_id)s, %(external_id)s, %(title)s, %(source)s, %(thread)s, %(speaker)s, %(position)s,
  %(occurred_at)s, %(meta)s, %(entities)s, %(relations)s, %(supersedes)s, %(body)s,
  %(content_hash)s, %(passages)s, %(now)s, %(now)s)
ON CONFLICT (tenant_id, document_id) DO UPDATE SET title = excluded.title, source = excluded.source,
  thread = excluded.thread, speaker = excluded.speaker, position = excluded.position,
  occurred_at = excluded.occurred_at, meta = excluded.meta, entities = excluded.entities,
  relations = excluded.relations, supersedes = excluded.supersedes, body = excluded.body,
  content_hash = excluded.content_hash, passages = excluded.passages, updated_at = excluded.updated_at,
  closed_at = CASE WHEN document.closed_reason = 'superseded' THEN document.closed_at END,
  closed_by = CASE WHEN document.closed_reason = 'superseded' THEN document.closed_by END,
  closed_reason = CASE WHEN document.closed_reason = 'superseded' THEN document.closed_reason END;

-- name: get_documents
-- documents of a gem by id
SELECT document_id, thread, position FROM document WHERE gem_id = %(gem_id)s AND document_id = ANY(%(document_ids)s::uuid[]);

-- name: close_documents
-- from now on documents are known no more, for a reason; what is closed already stays as it is
UPDATE document SET closed_at = %(now)s, closed_by = %(by)s, closed_reason = %(reason)s
WHERE gem_id = %(gem_id)s AND document_id = ANY(%(document_ids)s::uuid[]) AND closed_at IS NULL
RETURNING document_id;

-- name: follow_documents
-- passages are closed and open with their documents
UPDATE passage p SET closed_at = d.closed_at FROM document d
WHERE d.document_id = ANY(%(document_ids)s::uuid[]) AND p.tenant_id = d.tenant_id AND p.document_id = d.document_id
  AND p.closed_at IS DISTINCT FROM d.closed_at;

-- name: delete_documents
-- documents with their passages, and their evidence in reflections
DELETE FROM document WHERE document_id = ANY(%(document_ids)s::uuid[]);

-- name: list_documents
-- a page of a gem's documents, newest first, without their text
SELECT document_id, gem_id, external_id, title, source, thread, speaker, occurred_at, meta, passages,
  length(body) AS characters, created_at, updated_at, closed_at, closed_reason
FROM document
WHERE gem_id = %(gem_id)s
  AND (%(before_at)s::timestamptz IS NULL
       OR (created_at, document_id) < (%(before_at)s::timestamptz, %(before_id)s::uuid))
ORDER BY created_at DESC, document_id DESC LIMIT %(limit)s;

-- name: count_contents
-- how much a gem holds
SELECT (SELECT count(*) FROM document WHERE gem_id = %(gem_id)s) AS documents,
       (SELECT coalesce(sum(passages), 0) FROM document WHERE gem_id = %(gem_id)s) AS passages;
