-- name: get_document
-- a document of a gem without its text
SELECT document_id, gem_id, external_id, title, source, thread, speaker, occurred_at, meta, passages,
  length(body) AS characters, created_at, updated_at, closed_at, closed_reason
FROM document WHERE gem_id = %(gem_id)s AND document_id = %(document_id)s;

-- name: get_place
-- where a passage stands in its document
SELECT start_char, end_char FROM passage WHERE document_id = %(document_id)s AND passage_id = %(passage_id)s;

-- name: cut_document
-- a stretch of a document's text, in characters
SELECT substr(body, %(start)s + 1, %(end)s - %(start)s) AS text FROM document WHERE document_id = %(document_id)s;

-- name: list_within
-- the passages of a document that have a part in a stretch of its text, in order
SELECT passage_id, ordinal, heading, start_char AS start, end_char AS end FROM passage
WHERE document_id = %(document_id)s AND start_char < %(end)s AND end_char > %(start)s ORDER BY ordinal;
