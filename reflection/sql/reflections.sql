-- name: insert_reflection
-- the question, its answer and how it scored
INSERT INTO reflection (reflection_id, gem_id, question, answer, grounding, target, provider, model, finish, usage,
  cost_usd, score, terms, seconds, created_at, variant, cached)
VALUES (%(reflection_id)s, %(gem_id)s, %(question)s, %(answer)s, %(grounding)s, %(target)s, %(provider)s, %(model)s,
  %(finish)s, %(usage)s, %(cost_usd)s, %(score)s, %(terms)s, %(seconds)s, %(created_at)s,
  %(variant)s, %(cached)s);

-- name: insert_evidence
-- one passage as it was shown, in the gem that its document is in by now; nothing if that was deleted while the model was
-- thinking
INSERT INTO reflection_evidence (reflection_id, label, passage_id, gem_id, document_id, external_id, title, source, body,
  cited, score, scores, entanglement)
SELECT %(reflection_id)s, %(label)s, %(passage_id)s, d.gem_id, d.document_id, %(external_id)s, %(title)s, %(source)s,
  %(body)s, %(cited)s, %(score)s, %(scores)s, %(entanglement)s
FROM document d WHERE d.document_id = %(document_id)s FOR KEY SHARE;

-- name: insert_attempt
-- one call of one target
INSERT INTO reflection_attempt (reflection_id, number, target, provider, model, outcome, error, status, usage, seconds,
  started_at, first_token_s, raw_usage, cost_usd, price_version, tier)
VALUES (%(reflection_id)s, %(number)s, %(target)s, %(provider)s, %(model)s, %(outcome)s, %(error)s, %(status)s,
  %(usage)s, %(seconds)s, %(started_at)s, %(first_token_s)s, %(raw_usage)s, %(cost_usd)s, %(price_version)s, %(tier)s);

-- name: get_reflection
-- one reflection
SELECT * FROM reflection WHERE reflection_id = %(reflection_id)s;

-- name: get_evidence
-- what the model was shown, by label, with the names that the gems have now
SELECT e.*, g.name AS gem_name
FROM reflection_evidence e LEFT JOIN gem g ON g.tenant_id = e.tenant_id AND g.gem_id = e.gem_id
WHERE e.reflection_id = %(reflection_id)s ORDER BY e.label;

-- name: get_attempts
-- every call, in order
SELECT * FROM reflection_attempt WHERE reflection_id = %(reflection_id)s ORDER BY number;

-- name: list_cited
-- the passages that the answer cited, with what good ratings of it have given to each until now
SELECT e.passage_id, (
  SELECT coalesce(sum(m.gain), 0) FROM measurement m WHERE m.tenant_id = e.tenant_id AND m.passage_id = e.passage_id
    AND m.reflection_id = e.reflection_id AND m.cause = 'feedback') AS confirmed
FROM reflection_evidence e WHERE e.reflection_id = %(reflection_id)s AND e.cited ORDER BY e.label;

-- name: list_reflections
-- a page of a gem's reflections, newest first
SELECT * FROM reflection
WHERE gem_id = %(gem_id)s
  AND (%(before_at)s::timestamptz IS NULL
       OR (created_at, reflection_id) < (%(before_at)s::timestamptz, %(before_id)s::uuid))
ORDER BY created_at DESC, reflection_id DESC LIMIT %(limit)s;

-- name: list_scores
-- a page of how a gem's reflections scored, newest first
SELECT reflection_id, created_at, score, terms FROM reflection
WHERE gem_id = %(gem_id)s
  AND (%(before_at)s::timestamptz IS NULL
       OR (created_at, reflection_id) < (%(before_at)s::timestamptz, %(before_id)s::uuid))
ORDER BY created_at DESC, reflection_id DESC LIMIT %(limit)s;

-- name: rate_reflection
-- the user's rating; a later one replaces it; answers with the one that was there before
WITH rated AS (
  SELECT tenant_id, reflection_id, rating FROM reflection WHERE reflection_id = %(reflection_id)s FOR UPDATE)
UPDATE reflection r SET rating = %(rating)s FROM rated
WHERE r.tenant_id = rated.tenant_id AND r.reflection_id = rated.reflection_id
RETURNING r.gem_id, r.variant, rated.rating AS previous;
