-- name: keep_order
-- for now: read in the order of an index instead of sorting. Of two indexes that seem alike while statistics are young,
-- the planner else takes the smaller one, and reads the mentions of a whole gem for each entity
SET LOCAL enable_sort = off;

-- name: allow_sorting
-- what follows is planned as ever
SET LOCAL enable_sort = on;

-- name: find_keys
-- the entities that keys stand for, and whether each is some document's title. Keys come as lines of one text, since a
-- batch has thousands; each is looked up by a range in the order of an index, which has only one plan
SELECT k.key, n.entity_id, t.slot IS NOT NULL AS is_title
FROM string_to_table(%(keys)s, E'\n') AS k (key)
CROSS JOIN LATERAL (
  SELECT n.entity_id FROM entity_name n
  WHERE n.gem_id = %(gem_id)s AND n.key BETWEEN k.key AND k.key ORDER BY n.key LIMIT 1) AS n
LEFT JOIN LATERAL (
  SELECT m.slot FROM mention m
  WHERE m.gem_id = %(gem_id)s AND m.entity_id BETWEEN n.entity_id AND n.entity_id AND m.role = 0
  ORDER BY m.entity_id, m.role LIMIT 1) AS t ON true;

-- name: search_keys
-- of these keys the ones that are stored, as `find_keys`, and those that a stored one goes on from: the next key in the
-- order of bytes tells both, since a space comes before all else that a key has
SELECT k.key, n.key = k.key AS is_stored, n.entity_id, t.slot IS NOT NULL AS is_title
FROM string_to_table(%(keys)s, E'\n') AS k (key)
CROSS JOIN LATERAL (
  SELECT n.key, n.entity_id FROM entity_name n
  WHERE n.gem_id = %(gem_id)s AND n.key >= k.key ORDER BY n.key LIMIT 1) AS n
LEFT JOIN LATERAL (
  SELECT m.slot FROM mention m
  WHERE m.gem_id = %(gem_id)s AND m.entity_id BETWEEN n.entity_id AND n.entity_id AND m.role = 0 AND n.key = k.key
  ORDER BY m.entity_id, m.role LIMIT 1) AS t ON true
WHERE n.key = k.key OR starts_with(n.key, k.key || ' ');

-- name: insert_entities
-- new entities, each with its name
INSERT INTO entity (gem_id, entity_id, name)
SELECT %(gem_id)s, e.* FROM unnest(%(entity_ids)s::uuid[], %(names)s::text[]) AS e;

-- name: insert_keys
-- what new entities go by
INSERT INTO entity_name (gem_id, key, entity_id)
SELECT %(gem_id)s, n.* FROM unnest(%(keys)s::text[], %(entity_ids)s::uuid[]) AS n;

-- name: insert_mentions
-- edges between new passages and entities
INSERT INTO mention (gem_id, slot, entity_id, role)
SELECT %(gem_id)s, m.* FROM unnest(%(slots)s::int[], %(entity_ids)s::uuid[], %(roles)s::smallint[]) AS m;

-- name: add_wordings
-- the words of new titles in older passages; those that have the entity by name, or had the title before, stay
INSERT INTO mention (gem_id, slot, entity_id, role)
SELECT DISTINCT %(gem_id)s::uuid, s.slot, s.entity_id, s.role
FROM unnest(%(slots)s::int[], %(entity_ids)s::uuid[], %(roles)s::smallint[]) AS s (slot, entity_id, role)
LEFT JOIN LATERAL (
  SELECT m.slot FROM mention m
  WHERE m.gem_id = %(gem_id)s AND m.slot BETWEEN s.slot AND s.slot AND m.entity_id BETWEEN s.entity_id AND s.entity_id
  ORDER BY m.slot, m.entity_id LIMIT 1) AS m ON true
WHERE m.slot IS NULL;

-- name: find_places
-- where passages stand: their documents, and their numbers there
SELECT p.* FROM unnest(%(slots)s::int[]) AS s (slot)
CROSS JOIN LATERAL (
  SELECT p.slot, p.document_id, p.ordinal FROM passage p
  WHERE p.gem_id = %(gem_id)s AND p.slot BETWEEN s.slot AND s.slot ORDER BY p.slot LIMIT 1) AS p;

-- name: thread_speakers
-- who speaks in the last turns of each thread
SELECT t.thread, array_agg(DISTINCT d.speaker) AS speakers FROM unnest(%(threads)s::text[]) AS t (thread)
CROSS JOIN LATERAL (
  SELECT d.speaker FROM document d
  WHERE d.gem_id = %(gem_id)s AND d.thread BETWEEN t.thread AND t.thread
  ORDER BY d.thread DESC, d.position DESC LIMIT %(turns)s) AS d
WHERE d.speaker IS NOT NULL GROUP BY t.thread;

-- name: size_lists
-- about how many passages hold each term, from the size of its posting lists, which are not read
SELECT term, sum(octet_length(data)) / 6 AS passages FROM lexical_posting
WHERE term = ANY(%(terms)s::text[]) AND gem_id = %(gem_id)s GROUP BY term;

-- name: read_passages
-- the text of passages by slot; those that are gone are left out
SELECT p.* FROM unnest(%(slots)s::int[]) AS s (slot)
CROSS JOIN LATERAL (
  SELECT p.slot, p.heading, p.body FROM passage p
  WHERE p.gem_id = %(gem_id)s AND p.slot BETWEEN s.slot AND s.slot ORDER BY p.slot LIMIT 1) AS p;

-- name: fetch_links
-- what the seeds mention, and for each such entity who else does: for each role at most `most` + 1 open passages, so
-- that an entity which everybody mentions costs no more than a rare one
WITH seed AS MATERIALIZED (
  SELECT s.gem_id, s.most, m.slot, m.entity_id, m.role
  FROM unnest(%(gem_ids)s::uuid[], %(slots)s::int[], %(mosts)s::int[]) AS s (gem_id, slot, most)
  CROSS JOIN LATERAL (
    SELECT m.slot, m.entity_id, m.role FROM mention m
    WHERE m.gem_id = s.gem_id AND m.slot BETWEEN s.slot AND s.slot ORDER BY m.slot) AS m)
SELECT e.gem_id, e.entity_id, r.role, ARRAY(
    SELECT m.slot FROM mention m
    CROSS JOIN LATERAL (
      SELECT p.created_at, p.closed_at FROM passage p
      WHERE p.gem_id = m.gem_id AND p.slot BETWEEN m.slot AND m.slot ORDER BY p.slot LIMIT 1) AS p
    WHERE m.gem_id = e.gem_id AND m.entity_id BETWEEN e.entity_id AND e.entity_id AND m.role BETWEEN r.role AND r.role
      AND (CASE WHEN %(as_of)s::timestamptz IS NULL THEN p.closed_at IS NULL
           ELSE p.created_at <= %(as_of)s AND (p.closed_at IS NULL OR p.closed_at > %(as_of)s) END)
    ORDER BY m.entity_id, m.role, m.slot LIMIT e.most + 1) AS slots,
  coalesce(r.seeds, '{}') AS seeds
FROM (
  -- grouped once: a passage of ten thousand entities must not cost their square
  SELECT gem_id, entity_id, most, array_agg(slot) FILTER (WHERE role = 0) AS titles,
    array_agg(slot) FILTER (WHERE role = 1) AS names, array_agg(slot) FILTER (WHERE role = 2) AS wordings
  FROM seed GROUP BY gem_id, entity_id, most) AS e
CROSS JOIN LATERAL (
  VALUES (0::smallint, e.titles), (1::smallint, e.names), (2::smallint, e.wordings)) AS r (role, seeds);
