-- name: insert_relations
-- claims of documents, each in its first row
INSERT INTO relation (relation_id, claim_id, gem_id, subject_id, subject_name, predicate, object_id, object_name,
  document_id, slot, origin, valid_from, valid_to, begins_at, learned_at, known_from)
SELECT g.id, g.id, %(gem_id)s, g.subject_id, g.subject_name, g.predicate, g.object_id, g.object_name, g.document_id, g.slot,
  %(origin)s, g.valid_from, g.valid_to, g.begins_at, %(now)s, %(now)s
FROM unnest(%(ids)s::uuid[], %(subject_ids)s::uuid[], %(subject_names)s::text[], %(predicates)s::text[],
            %(object_ids)s::uuid[], %(object_names)s::text[], %(document_ids)s::uuid[], %(slots)s::int[],
            %(valid_froms)s::timestamptz[], %(valid_tos)s::timestamptz[], %(begins)s::timestamptz[])
  AS g (id, subject_id, subject_name, predicate, object_id, object_name, document_id, slot, valid_from, valid_to, begins_at);

-- name: close_documents_relations
-- what these documents claim is no longer taken to hold; what it was is kept. What had been decided against is marked too,
-- so that undoing the decision does not bring it back
UPDATE relation SET known_to = coalesce(known_to, greatest(%(now)s, known_from)), closed_by = NULL, closed_reason = %(reason)s
WHERE gem_id = %(gem_id)s AND document_id = ANY(%(document_ids)s::uuid[])
  AND (known_to IS NULL OR closed_reason = 'resolved')
RETURNING subject_id, predicate;

-- name: forget_extracted
-- what models found in these documents is closed with the rest: should they hold again, it is to be written again
DELETE FROM extracted_passage e USING passage p
WHERE p.document_id = ANY(%(document_ids)s::uuid[]) AND p.gem_id = %(gem_id)s AND e.gem_id = p.gem_id AND e.slot = p.slot;

-- name: withdraw
-- relations that were decided against: no longer taken to hold
UPDATE relation SET known_to = greatest(%(now)s, known_from), closed_by = %(closed_by)s, closed_reason = %(reason)s
WHERE gem_id = %(gem_id)s AND relation_id = ANY(%(relation_ids)s::uuid[]) AND known_to IS NULL
RETURNING relation_id;

-- name: open_claims
-- the open claims of subjects and predicates, for finding anew what replaces what
SELECT r.relation_id, r.claim_id, r.subject_id, r.predicate, r.object_id, r.begins_at, r.valid_to, r.learned_at, r.known_from,
  r.closed_by, r.closed_reason
FROM unnest(%(subjects)s::uuid[], %(predicates)s::text[]) AS g (subject_id, predicate)
JOIN relation r ON r.gem_id = %(gem_id)s AND r.subject_id = g.subject_id AND r.predicate = g.predicate AND r.known_to IS NULL
ORDER BY r.relation_id;

-- name: list_groups
-- the subjects of predicates whose open claims name several objects, or were replaced
SELECT subject_id, predicate FROM relation
WHERE gem_id = %(gem_id)s AND predicate = ANY(%(predicates)s::text[]) AND known_to IS NULL
GROUP BY subject_id, predicate
HAVING min(object_id::text) <> max(object_id::text) OR bool_or(closed_reason = 'replaced');

-- name: revise
-- what is written at this very moment is set right in its place
UPDATE relation r SET valid_to = g.valid_to, closed_by = g.closed_by, closed_reason = g.closed_reason
FROM unnest(%(relation_ids)s::uuid[], %(ends)s::timestamptz[], %(closers)s::uuid[], %(reasons)s::text[])
  AS g (relation_id, valid_to, closed_by, closed_reason)
WHERE r.relation_id = g.relation_id;

-- name: succeed
-- what was known before is closed as it is, and a successor says the same with another end
WITH given AS (
  SELECT * FROM unnest(%(relation_ids)s::uuid[], %(successors)s::uuid[], %(ends)s::timestamptz[], %(closers)s::uuid[],
                       %(reasons)s::text[])
    AS g (relation_id, successor, valid_to, closed_by, closed_reason)),
closed AS (
  UPDATE relation r SET known_to = %(now)s FROM given g WHERE r.relation_id = g.relation_id RETURNING r.*)
INSERT INTO relation (relation_id, claim_id, gem_id, subject_id, subject_name, predicate, object_id, object_name,
  document_id, slot, origin, valid_from, valid_to, begins_at, learned_at, known_from, closed_by, closed_reason)
SELECT g.successor, c.claim_id, c.gem_id, c.subject_id, c.subject_name, c.predicate, c.object_id, c.object_name,
  c.document_id, c.slot, c.origin, c.valid_from, g.valid_to, c.begins_at, c.learned_at, %(now)s, g.closed_by, g.closed_reason
FROM closed c JOIN given g USING (relation_id);

-- name: drop_successors
-- successors that a change made, as long as nothing followed them; their forerunners are returned
WITH given AS (
  SELECT * FROM unnest(%(relation_ids)s::uuid[], %(successors)s::uuid[]) AS g (relation_id, successor)),
gone AS (
  DELETE FROM relation r USING given g WHERE r.relation_id = g.successor AND r.known_to IS NULL RETURNING g.relation_id)
SELECT relation_id FROM gone;

-- name: reopen
-- rows that a change closed or revised, as they were before it; not those that something else closed since
UPDATE relation r SET known_to = NULL, valid_to = g.valid_to, closed_by = g.closed_by, closed_reason = g.closed_reason
FROM unnest(%(relation_ids)s::uuid[], %(ends)s::timestamptz[], %(closers)s::uuid[], %(reasons)s::text[])
  AS g (relation_id, valid_to, closed_by, closed_reason)
WHERE r.relation_id = g.relation_id
  AND (r.known_to IS NULL OR r.closed_reason = 'resolved' OR r.relation_id = ANY(%(succeeded)s::uuid[]));

-- name: list_relations
-- a page of relations as they were known at a moment, newest first; the same said by several documents is one, shown by
-- the claim learned last and counted
SELECT r.*, coalesce(s.name, r.subject_name) AS subject, coalesce(o.name, r.object_name) AS object, d.title, d.external_id,
  (SELECT count(DISTINCT coalesce(n.document_id, n.claim_id)) FROM relation n
   WHERE n.gem_id = r.gem_id AND n.subject_id = r.subject_id AND n.predicate = r.predicate AND n.object_id = r.object_id
     AND n.valid_from IS NOT DISTINCT FROM r.valid_from AND n.valid_to IS NOT DISTINCT FROM r.valid_to
     AND n.known_from <= %(as_of)s AND (n.known_to IS NULL OR n.known_to > %(as_of)s)) AS support
FROM relation r
LEFT JOIN entity s ON s.gem_id = r.gem_id AND s.entity_id = r.subject_id
LEFT JOIN entity o ON o.gem_id = r.gem_id AND o.entity_id = r.object_id
LEFT JOIN document d ON d.document_id = r.document_id
WHERE r.gem_id = %(gem_id)s AND r.learned_at > '-infinity'
  AND r.known_from <= %(as_of)s AND (r.known_to IS NULL OR r.known_to > %(as_of)s)
  AND (%(valid_at)s::timestamptz IS NULL
       OR coalesce(r.valid_from, '-infinity') <= %(valid_at)s AND coalesce(r.valid_to, 'infinity') > %(valid_at)s)
  AND (%(subject_id)s::uuid IS NULL OR r.subject_id = %(subject_id)s)
  AND (%(object_id)s::uuid IS NULL OR r.object_id = %(object_id)s)
  AND (%(entity_id)s::uuid IS NULL OR r.subject_id = %(entity_id)s OR r.object_id = %(entity_id)s)
  AND (%(predicate)s::text IS NULL OR r.predicate = %(predicate)s)
  AND (%(before_at)s::timestamptz IS NULL OR (r.learned_at, r.relation_id) < (%(before_at)s::timestamptz, %(before_id)s::uuid))
  AND NOT EXISTS (
    SELECT FROM relation n
    WHERE n.gem_id = r.gem_id AND n.subject_id = r.subject_id AND n.predicate = r.predicate AND n.object_id = r.object_id
      AND n.valid_from IS NOT DISTINCT FROM r.valid_from AND n.valid_to IS NOT DISTINCT FROM r.valid_to
      AND n.known_from <= %(as_of)s AND (n.known_to IS NULL OR n.known_to > %(as_of)s)
      AND (n.learned_at, n.relation_id) > (r.learned_at, r.relation_id))
ORDER BY r.learned_at DESC, r.relation_id DESC LIMIT %(limit)s;

-- name: get_relations
-- relations by id, each with its document and the passage of it that names both ends best
SELECT r.*, coalesce(s.name, r.subject_name) AS subject, coalesce(o.name, r.object_name) AS object, d.title, d.external_id,
  1 AS support, d.occurred_at, p.passage_id, p.body AS text
FROM relation r
LEFT JOIN entity s ON s.gem_id = r.gem_id AND s.entity_id = r.subject_id
LEFT JOIN entity o ON o.gem_id = r.gem_id AND o.entity_id = r.object_id
LEFT JOIN document d ON d.document_id = r.document_id
LEFT JOIN LATERAL (
  SELECT p.passage_id, p.body FROM passage p
  WHERE p.document_id = r.document_id
  ORDER BY (SELECT count(DISTINCT m.entity_id) FROM mention m
            WHERE m.gem_id = r.gem_id AND m.slot = p.slot AND m.entity_id IN (r.subject_id, r.object_id)) DESC,
           p.slot IS NOT DISTINCT FROM r.slot DESC, p.ordinal
  LIMIT 1) AS p ON true
WHERE r.gem_id = %(gem_id)s AND r.relation_id = ANY(%(relation_ids)s::uuid[]);

-- name: list_contradictions
-- pairs of open claims of one subject and predicate that name different objects and cannot both hold: at no time for the
-- constant predicates, at one time for the others; of each pair of objects the claims learned last
WITH standing AS (
  SELECT r.relation_id, r.subject_id, r.predicate, r.object_id, r.valid_to, r.learned_at,
    coalesce(r.begins_at, r.learned_at) AS begins_at,
    row_number() OVER (PARTITION BY r.subject_id, r.predicate ORDER BY r.learned_at DESC, r.relation_id) AS place
  FROM relation r
  WHERE r.gem_id = %(gem_id)s AND r.predicate = ANY(%(predicates)s::text[]) AND r.known_to IS NULL
    AND (%(subject_id)s::uuid IS NULL OR r.subject_id = %(subject_id)s)),
recent AS (SELECT * FROM standing WHERE place <= %(most)s),
pairs AS (
  SELECT DISTINCT ON (a.subject_id, a.predicate, least(a.object_id, b.object_id), greatest(a.object_id, b.object_id))
    a.predicate, a.relation_id AS newer, b.relation_id AS older, a.learned_at
  FROM recent a
  JOIN recent b ON b.subject_id = a.subject_id AND b.predicate = a.predicate AND b.object_id <> a.object_id AND b.place > a.place
  WHERE a.predicate = ANY(%(constant)s::text[])
     OR (a.begins_at < coalesce(b.valid_to, 'infinity') AND b.begins_at < coalesce(a.valid_to, 'infinity'))
  ORDER BY a.subject_id, a.predicate, least(a.object_id, b.object_id), greatest(a.object_id, b.object_id), a.place, b.place)
SELECT predicate, newer, older FROM pairs ORDER BY learned_at DESC, newer, older LIMIT %(limit)s;

-- name: list_opposed
-- the open claims that name the same as one relation and cannot hold beside another
SELECT b.relation_id, b.valid_to, b.closed_by, b.closed_reason
FROM relation k
JOIN relation x ON x.gem_id = k.gem_id AND x.relation_id = %(drop)s
JOIN relation b ON b.gem_id = k.gem_id AND b.subject_id = x.subject_id AND b.predicate = x.predicate
  AND b.object_id = x.object_id AND b.known_to IS NULL
WHERE k.gem_id = %(gem_id)s AND k.relation_id = %(keep)s
  AND (%(constant)s OR (coalesce(k.begins_at, k.learned_at) < coalesce(b.valid_to, 'infinity')
                    AND coalesce(b.begins_at, b.learned_at) < coalesce(k.valid_to, 'infinity')))
ORDER BY b.relation_id;
