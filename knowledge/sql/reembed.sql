-- name: find_models
-- which model a lattice is embedded by, in which column, and which one it moves to
SELECT embedding_model AS model, embedding_dimension AS dimension, embedding_column AS column, next_model, next_dimension
FROM lattice;

-- name: hold_models
-- the same, held as it is until the transaction ends; others may hold it too
SELECT embedding_model AS model, embedding_dimension AS dimension, embedding_column AS column, next_model, next_dimension
FROM lattice FOR SHARE;

-- name: lock_models
-- the same, for changing it
SELECT embedding_model AS model, embedding_dimension AS dimension, embedding_column AS column, next_model, next_dimension
FROM lattice FOR UPDATE;

-- name: be_patient
-- for this transaction: a look at every passage of a large lattice takes its time
SET LOCAL statement_timeout = 0;

-- name: begin_move
-- say where the lattice moves to
UPDATE lattice SET next_model = %(model)s, next_dimension = %(dimension)s;

-- name: end_move
-- no move is under way any more
UPDATE lattice SET next_model = NULL, next_dimension = NULL;

-- name: switch_models
-- from now on the other column is the current one
UPDATE lattice SET embedding_column = %(column)s, embedding_model = next_model, embedding_dimension = next_dimension,
  next_model = NULL, next_dimension = NULL;

-- name: forget_entity_embeddings
-- vectors of names by the old model cannot be compared with new ones
UPDATE entity SET embedding = NULL WHERE embedding IS NOT NULL;

-- name: unmoved_passages
-- the next passages that the new model has not embedded, in the order of gems and slots
SELECT p.passage_id, p.gem_id, p.slot FROM passage p
WHERE p.{target} IS NULL AND (p.gem_id, p.slot) > (%(gem_id)s, %(slot)s)
ORDER BY p.gem_id, p.slot LIMIT %(limit)s;

-- name: incomplete_passages
-- the next passages that an older version wrote, without token states or without the passages around them
SELECT p.passage_id, p.gem_id, p.slot FROM passage p
WHERE (p.gem_id, p.slot) > (%(gem_id)s, %(slot)s) AND (
  %(states)s AND NOT EXISTS (
    SELECT FROM passage_tokens t WHERE t.tenant_id = p.tenant_id AND t.gem_id = p.gem_id AND t.slot = p.slot)
  OR p.around = '{{}}' AND EXISTS (
    SELECT FROM document d WHERE d.tenant_id = p.tenant_id AND d.document_id = p.document_id AND d.thread IS NOT NULL))
ORDER BY p.gem_id, p.slot LIMIT %(limit)s;

-- name: count_unmoved
-- how many passages a move embeds, all of them before it has begun, and about how many tokens: a passage in a thread is read after the two before it
SELECT count(*) AS texts, coalesce(sum(tokens), 0)::bigint AS tokens FROM (
  SELECT p.{target} IS NULL OR NOT %(begun)s AS is_left, p.tokens
    + CASE WHEN d.thread IS NULL THEN 0 ELSE coalesce(lag(p.tokens, 1) OVER w, 0) + coalesce(lag(p.tokens, 2) OVER w, 0)
      END AS tokens
  FROM passage p JOIN document d ON d.tenant_id = p.tenant_id AND d.document_id = p.document_id
  WINDOW w AS (PARTITION BY p.gem_id, d.thread ORDER BY d.position, p.ordinal)) AS p
WHERE is_left;

-- name: count_incomplete
-- how many passages lack token states or the passages around them, and about how many tokens the former have
SELECT count(*) AS texts, coalesce(sum(tokens) FILTER (WHERE lacks_states), 0)::bigint AS tokens FROM (
  SELECT p.tokens, p.around = '{{}}' AND d.thread IS NOT NULL AS lacks_around,
    %(states)s AND NOT EXISTS (
      SELECT FROM passage_tokens t WHERE t.tenant_id = p.tenant_id AND t.gem_id = p.gem_id AND t.slot = p.slot
    ) AS lacks_states
  FROM passage p JOIN document d ON d.tenant_id = p.tenant_id AND d.document_id = p.document_id) AS p
WHERE lacks_around OR lacks_states;

-- name: get_texts
-- passages with all that their context is made of; each is looked up by its key, whatever young statistics say
SELECT p.*, d.gem_id, d.title, d.speaker, d.occurred_at, d.thread, coalesce(d.position, 0) AS position
FROM unnest(%(passage_ids)s::uuid[]) AS c (passage_id)
CROSS JOIN LATERAL (
  SELECT p.passage_id, p.document_id, p.ordinal, p.slot, p.heading, p.body, p.context_hash
  FROM passage p WHERE p.passage_id = c.passage_id LIMIT 1) AS p
CROSS JOIN LATERAL (
  SELECT d.gem_id, d.title, d.speaker, d.occurred_at, d.thread, d.position
  FROM document d WHERE d.document_id = p.document_id LIMIT 1) AS d
ORDER BY d.gem_id, p.slot;

-- name: put_vector
-- the new model's vector of a passage, unless its context changed since it was read; one that came with its vector, or
-- before contexts were recorded, is from now on embedded like any other
UPDATE passage SET {target} = %(vector)b, context_hash = %(key)b
WHERE passage_id = %(passage_id)s AND {target} IS NULL AND context_hash IS NOT DISTINCT FROM %(context_hash)b;

-- name: put_states
-- the token states of a passage, unless its context changed since it was read
INSERT INTO passage_tokens (gem_id, slot, states)
SELECT p.gem_id, p.slot, %(states)b FROM passage p
WHERE p.passage_id = %(passage_id)s AND p.context_hash IS NOT DISTINCT FROM %(context_hash)b
ON CONFLICT (tenant_id, gem_id, slot) DO UPDATE SET states = excluded.states;

-- name: put_around
-- what stands around a passage, unless a write said so meanwhile
UPDATE passage SET around = %(around)s::int[] WHERE passage_id = %(passage_id)s AND around = '{{}}';

-- name: find_stale_dimension
-- of what is left in the column that is not current
SELECT vector_dims(p.{stale}) AS dimension FROM passage p WHERE p.{stale} IS NOT NULL LIMIT 1;

-- name: empty_column
-- take the next vectors out of the column that is not current; rows are locked in one order
WITH page AS (
  SELECT p.tenant_id, p.passage_id, p.gem_id, p.slot FROM passage p
  WHERE p.{stale} IS NOT NULL AND p.{current} IS NOT NULL AND (p.gem_id, p.slot) > (%(gem_id)s, %(slot)s)
  ORDER BY p.gem_id, p.slot LIMIT %(limit)s),
locked AS (
  SELECT p.tenant_id, p.passage_id FROM passage p JOIN page USING (tenant_id, passage_id)
  ORDER BY p.passage_id FOR UPDATE OF p),
emptied AS (
  UPDATE passage p SET {stale} = NULL FROM locked l
  WHERE p.tenant_id = l.tenant_id AND p.passage_id = l.passage_id AND p.{current} IS NOT NULL)
SELECT gem_id, slot FROM page ORDER BY gem_id, slot;

-- name: drop_states
-- take the next token states away; the model does not tell them
WITH page AS (
  SELECT t.tenant_id, t.gem_id, t.slot FROM passage_tokens t WHERE (t.gem_id, t.slot) > (%(gem_id)s, %(slot)s)
  ORDER BY t.gem_id, t.slot LIMIT %(limit)s),
dropped AS (
  DELETE FROM passage_tokens t USING page
  WHERE t.tenant_id = page.tenant_id AND t.gem_id = page.gem_id AND t.slot = page.slot)
SELECT gem_id, slot FROM page ORDER BY gem_id, slot;

-- name: renew_gems
-- what recall found in a gem is kept until its version rises; rows are locked in one order
UPDATE gem g SET version = g.version + 1, updated_at = now()
FROM (SELECT tenant_id, gem_id FROM gem ORDER BY gem_id FOR UPDATE) AS held
WHERE g.tenant_id = held.tenant_id AND g.gem_id = held.gem_id;
