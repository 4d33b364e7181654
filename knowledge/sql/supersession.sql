-- name: forget_supersessions
-- what documents say they supersede, before they say it anew or go
DELETE FROM supersession WHERE document_id = ANY(%(document_ids)s::uuid[]) RETURNING external_id;

-- name: put_supersessions
-- what documents supersede, stored already or not
INSERT INTO supersession (gem_id, external_id, document_id)
SELECT %(gem_id)s, s.external_id, s.document_id
FROM unnest(%(external_ids)s::text[], %(document_ids)s::uuid[]) AS s (external_id, document_id);

-- name: find_superseded
-- which of these ids a document supersedes
SELECT DISTINCT external_id FROM supersession
WHERE gem_id = %(gem_id)s AND external_id = ANY(%(external_ids)s::text[]);

-- name: settle_documents
-- close the documents of these ids that another one supersedes, open those that none does any more. Of two that
-- supersede each other the one told last holds. Each is found by its key: see find_known
WITH target AS (
  SELECT d.tenant_id, d.document_id, d.closed_at AS was_closed_at, s.document_id AS superseded_by
  FROM unnest(%(external_ids)s::text[]) AS k (id)
  CROSS JOIN LATERAL (
    SELECT d.tenant_id, d.document_id, d.external_id, d.closed_at, d.closed_by, d.closed_reason, d.updated_at
    FROM document d WHERE d.gem_id = %(gem_id)s AND d.external_id BETWEEN k.id AND k.id
    ORDER BY d.external_id LIMIT 1) AS d
  LEFT JOIN LATERAL (
    SELECT s.document_id FROM supersession s
    JOIN document claimant ON claimant.tenant_id = s.tenant_id AND claimant.document_id = s.document_id
    WHERE s.gem_id = %(gem_id)s AND s.external_id = d.external_id AND s.document_id <> d.document_id
      AND NOT (d.updated_at >= claimant.updated_at AND EXISTS (
        SELECT 1 FROM supersession back WHERE back.tenant_id = s.tenant_id AND back.gem_id = s.gem_id
          AND back.external_id = claimant.external_id AND back.document_id = d.document_id))
    ORDER BY s.document_id IS DISTINCT FROM d.closed_by, claimant.updated_at, s.document_id LIMIT 1) AS s ON true
  WHERE d.closed_at IS NULL OR d.closed_reason = 'superseded')
UPDATE document d SET
  closed_at = CASE WHEN t.superseded_by IS NOT NULL THEN coalesce(d.closed_at, %(now)s) END,
  closed_by = t.superseded_by,
  closed_reason = CASE WHEN t.superseded_by IS NOT NULL THEN 'superseded' END
FROM target t
WHERE d.tenant_id = t.tenant_id AND d.document_id = t.document_id AND d.closed_by IS DISTINCT FROM t.superseded_by
RETURNING d.document_id, t.was_closed_at IS NULL AS closes, d.closed_at IS NULL AS opens, d.relations, d.occurred_at,
  (SELECT min(p.slot) FROM passage p WHERE p.document_id = d.document_id) AS slot;

-- name: list_closed
-- which of these documents are closed
SELECT document_id FROM document WHERE document_id = ANY(%(document_ids)s::uuid[]) AND closed_at IS NOT NULL;
