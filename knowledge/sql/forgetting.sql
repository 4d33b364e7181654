-- name: find_faded
-- open documents of which no passage holds any more, longest faded first. A passage of coherence c, energy E and time
-- unit τ falls below m at measured_at + τ·E·ln(c/m), one that was below already at measured_at; its document falls with
-- the last of them. The bound on E keeps a number that no memory lives to see from overflowing
WITH faded AS (
  SELECT p.document_id, count(*) AS passages,
    max(p.coherence * exp(greatest(-200, least(0, extract(epoch FROM p.measured_at - %(now)s)::float8 / %(tau_s)s / p.energy))))
      AS coherence,
    max(extract(epoch FROM p.measured_at)::float8
        + %(tau_s)s::float8 * least(p.energy, 1e9) * (ln(greatest(p.coherence, %(below)s::float8)) - ln(%(below)s::float8))) AS faded_s
  FROM passage p WHERE p.gem_id = %(gem_id)s AND p.closed_at IS NULL
  GROUP BY p.document_id),
used AS (
  SELECT DISTINCT p.document_id FROM measurement m JOIN passage p ON p.tenant_id = m.tenant_id AND p.passage_id = m.passage_id
  WHERE m.gem_id = %(gem_id)s AND %(keep_used)s)
SELECT d.document_id, d.external_id, d.title, d.source, f.passages, f.coherence, to_timestamp(f.faded_s) AS faded_at
FROM faded f JOIN document d ON d.document_id = f.document_id AND d.closed_at IS NULL
WHERE f.faded_s <= extract(epoch FROM %(faded_before)s::timestamptz)::float8
  AND NOT EXISTS (SELECT FROM used u WHERE u.document_id = d.document_id)
ORDER BY f.faded_s, d.document_id;

-- name: count_open
-- how many documents of a gem are not closed
SELECT count(*) AS documents FROM document WHERE gem_id = %(gem_id)s AND closed_at IS NULL;

-- name: find_run
-- a run of forgetting by its id, or the last one: what it closed and what is closed still
SELECT closed_by AS run_id, closed_at, array_agg(document_id ORDER BY document_id) AS document_ids FROM document
WHERE gem_id = %(gem_id)s AND closed_reason = %(reason)s AND (%(run_id)s::uuid IS NULL OR closed_by = %(run_id)s)
GROUP BY closed_by, closed_at ORDER BY closed_at DESC, closed_by LIMIT 1;

-- name: reopen_documents
-- documents of a run hold again
UPDATE document SET closed_at = NULL, closed_by = NULL, closed_reason = NULL
WHERE gem_id = %(gem_id)s AND document_id = ANY(%(document_ids)s::uuid[]);

-- name: reopen_relations
-- what these documents claimed when a run closed them is taken to hold again
UPDATE relation SET known_to = NULL, closed_by = NULL, closed_reason = NULL
WHERE gem_id = %(gem_id)s AND document_id = ANY(%(document_ids)s::uuid[]) AND closed_reason = %(reason)s
  AND known_to >= %(closed_at)s
RETURNING subject_id, predicate;
