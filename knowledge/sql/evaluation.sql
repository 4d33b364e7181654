-- name: list_documents
-- the callers' names for the documents of passages, in the order given; what is gone falls out
SELECT p.passage_id, d.external_id
FROM unnest(%(passage_ids)s::uuid[]) AS c (passage_id)
CROSS JOIN LATERAL (SELECT p.passage_id, p.document_id FROM passage p WHERE p.passage_id = c.passage_id LIMIT 1) AS p
CROSS JOIN LATERAL (SELECT d.external_id FROM document d WHERE d.document_id = p.document_id LIMIT 1) AS d;
