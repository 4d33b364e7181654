-- name: pending_passages
-- open passages in which this version and model have not looked, in the order of their slots. Each is looked up by its
-- key: the limits keep the planner from joining whole tables while its statistics are young
SELECT p.slot, p.document_id, p.heading, left(p.body, %(longest)s) AS body, p.tokens, d.title, d.speaker, d.occurred_at
FROM passage p
CROSS JOIN LATERAL (
  SELECT d.title, d.speaker, d.occurred_at FROM document d WHERE d.document_id = p.document_id LIMIT 1) AS d
LEFT JOIN LATERAL (
  SELECT e.slot, e.version, e.model FROM extracted_passage e
  WHERE e.gem_id = p.gem_id AND e.slot BETWEEN p.slot AND p.slot ORDER BY e.slot LIMIT 1) AS e ON true
WHERE p.gem_id = %(gem_id)s AND p.slot > %(after)s AND p.closed_at IS NULL
  AND (e.slot IS NULL OR e.version <> %(version)s OR e.model <> %(model)s)
ORDER BY p.slot LIMIT %(limit)s;

-- name: find_extractions
-- what was found before in passages of these hashes
SELECT e.* FROM unnest(%(hashes)s::bytea[]) AS h (hash)
CROSS JOIN LATERAL (
  SELECT e.content_hash, e.found FROM extraction e
  WHERE e.content_hash = h.hash AND e.version = %(version)s AND e.model = %(model)s LIMIT 1) AS e;

-- name: list_extractions
-- which of these hashes have something found, for counting
SELECT h.hash FROM unnest(%(hashes)s::bytea[]) AS h (hash)
WHERE EXISTS (
  SELECT FROM extraction e WHERE e.content_hash = h.hash AND e.version = %(version)s AND e.model = %(model)s);

-- name: put_extractions
-- what was found, for passages of the same content
INSERT INTO extraction (content_hash, version, model, found, found_at)
SELECT g.hash, %(version)s, %(model)s, g.found, %(now)s
FROM unnest(%(hashes)s::bytea[], %(found)s::jsonb[]) AS g (hash, found)
ON CONFLICT (tenant_id, content_hash, version, model) DO NOTHING;

-- name: list_open
-- which of these passages are still there and open
SELECT p.slot FROM unnest(%(slots)s::int[]) AS s (slot)
CROSS JOIN LATERAL (
  SELECT p.slot FROM passage p
  WHERE p.gem_id = %(gem_id)s AND p.slot = s.slot AND p.closed_at IS NULL LIMIT 1) AS p;

-- name: add_names
-- mentions of entities in passages that do not mention them in any way
INSERT INTO mention (gem_id, slot, entity_id, role)
SELECT DISTINCT %(gem_id)s::uuid, s.slot, s.entity_id, %(role)s::smallint
FROM unnest(%(slots)s::int[], %(entity_ids)s::uuid[]) AS s (slot, entity_id)
LEFT JOIN LATERAL (
  SELECT m.slot FROM mention m
  WHERE m.gem_id = %(gem_id)s AND m.slot BETWEEN s.slot AND s.slot AND m.entity_id BETWEEN s.entity_id AND s.entity_id
  ORDER BY m.slot, m.entity_id LIMIT 1) AS m ON true
WHERE m.slot IS NULL;

-- name: put_kinds
-- what entities are, where nobody has said so yet
UPDATE entity e SET kind = g.kind
FROM unnest(%(entity_ids)s::uuid[], %(kinds)s::text[]) AS g (entity_id, kind)
WHERE e.gem_id = %(gem_id)s AND e.entity_id = g.entity_id AND e.kind IS NULL;

-- name: list_told
-- what was found in passages before and still stands, or was decided against
SELECT r.relation_id, r.slot, r.subject_id, r.predicate, r.object_id, r.valid_from,
  CASE WHEN r.closed_reason = 'replaced' THEN NULL ELSE r.valid_to END AS valid_to, r.known_to IS NULL AS stands
FROM unnest(%(document_ids)s::uuid[]) AS g (document_id)
JOIN relation r ON r.document_id = g.document_id
WHERE r.gem_id = %(gem_id)s AND r.origin = %(origin)s AND r.slot = ANY(%(slots)s::int[])
  AND (r.known_to IS NULL OR r.closed_reason = 'resolved');

-- name: take_back
-- relations that are no longer found where they were
UPDATE relation SET known_to = greatest(%(now)s, known_from), closed_by = NULL, closed_reason = %(reason)s
WHERE gem_id = %(gem_id)s AND relation_id = ANY(%(relation_ids)s::uuid[])
RETURNING subject_id, predicate;

-- name: mark_extracted
-- passages that this version and model have looked into
INSERT INTO extracted_passage (gem_id, slot, content_hash, version, model)
SELECT %(gem_id)s, g.slot, g.hash, %(version)s, %(model)s
FROM unnest(%(slots)s::int[], %(hashes)s::bytea[]) AS g (slot, hash)
ON CONFLICT (tenant_id, gem_id, slot) DO UPDATE
SET content_hash = excluded.content_hash, version = excluded.version, model = excluded.model;

-- name: forget_extractions
-- what was found in texts that no passage has had for long
DELETE FROM extraction e
WHERE e.found_at < now() - make_interval(days => %(kept_days)s) AND NOT EXISTS (
  SELECT FROM extracted_passage p WHERE p.content_hash = e.content_hash AND p.content_hash > ''::bytea);

-- name: add_run
-- an extraction that is asked for
INSERT INTO extraction_run (run_id, gem_id, state, model, max_usd, most, created_at)
VALUES (%(run_id)s, %(gem_id)s, 'queued', %(model)s, %(max_usd)s, %(most)s, %(now)s)
RETURNING *;

-- name: find_run
-- one by its id
SELECT * FROM extraction_run WHERE run_id = %(run_id)s;

-- name: list_runs
-- those of a gem, newest first
SELECT * FROM extraction_run WHERE gem_id = %(gem_id)s ORDER BY created_at DESC, run_id DESC LIMIT %(limit)s;

-- name: claim_run
-- whoever carries it out from now on; an earlier worker that is still alive finds that it is not its own
UPDATE extraction_run SET state = 'running', claim = %(claim)s, attempts = attempts + 1,
  started_at = coalesce(started_at, now())
WHERE run_id = %(run_id)s AND state IN ('queued', 'running')
RETURNING *;

-- name: report_run
-- how far it has come; no row if it was cancelled or is another worker's now
UPDATE extraction_run SET counts = %(counts)s, attempts = 0
WHERE run_id = %(run_id)s AND claim = %(claim)s AND state = 'running'
RETURNING run_id;

-- name: end_run
-- how it ended, or why it is to be repeated
UPDATE extraction_run SET state = %(state)s, error_code = %(code)s, error = %(message)s,
  finished_at = CASE WHEN %(state)s = 'queued' THEN NULL ELSE now() END
WHERE run_id = %(run_id)s AND claim = %(claim)s AND state = 'running'
RETURNING *;

-- name: cancel_run
-- it ends before its next call
UPDATE extraction_run SET state = 'cancelled', finished_at = now()
WHERE run_id = %(run_id)s AND state IN ('queued', 'running')
RETURNING *;
