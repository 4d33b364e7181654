-- name: insert_passage
-- a passage in its first state
INSERT INTO passage (passage_id, gem_id, document_id, ordinal, slot, heading, body, start_char, end_char, tokens, around,
  context_hash, {embedding}, measured_at, created_at)
VALUES (%(passage_id)s, %(gem_id)s, %(document_id)s, %(ordinal)s, %(slot)s, %(heading)s, %(body)s, %(start_char)s,
  %(end_char)s, %(tokens)s, %(around)s::int[], %(context_hash)b, %(embedding)b, %(now)s, %(now)s);

-- name: insert_tokens
-- the token states of a passage
INSERT INTO passage_tokens (gem_id, slot, states) VALUES (%(gem_id)s, %(slot)s, %(states)b);

-- name: update_embedding
-- the context of a passage changed: its state stays, and a vector of the model that the lattice moves to is made anew
UPDATE passage SET {embedding} = %(embedding)b, {other} = NULL, context_hash = %(context_hash)b
WHERE passage_id = %(passage_id)s;

-- name: update_tokens
-- the same for its token states, which an older lattice may not have had
INSERT INTO passage_tokens (gem_id, slot, states)
SELECT p.gem_id, p.slot, %(states)b FROM passage p WHERE p.passage_id = %(passage_id)s
ON CONFLICT (tenant_id, gem_id, slot) DO UPDATE SET states = excluded.states;

-- name: update_around
-- a passage has other neighbours
UPDATE passage SET around = %(around)s::int[] WHERE passage_id = %(passage_id)s;

-- name: find_readings
-- what equal contexts were read as, anywhere in the lattice; found like documents, in the order of an index
SELECT p.context_hash, p.embedding, t.states FROM unnest(%(keys)s::bytea[]) AS k (key)
CROSS JOIN LATERAL (
  SELECT p.context_hash, p.{embedding} AS embedding, p.gem_id, p.slot FROM passage p
  WHERE p.context_hash BETWEEN k.key AND k.key AND p.{embedding} IS NOT NULL ORDER BY p.context_hash LIMIT 1) AS p
LEFT JOIN LATERAL (
  SELECT t.states FROM passage_tokens t WHERE t.gem_id = p.gem_id AND t.slot = p.slot LIMIT 1) AS t ON true;
