-- name: read_entities
-- entities as they are stored, for bringing them back
SELECT entity_id, name, kind, embedding::text AS embedding, created_at FROM entity
WHERE gem_id = %(gem_id)s AND entity_id = ANY(%(entity_ids)s::uuid[]) ORDER BY entity_id;

-- name: insert_entities
-- entities as they were, or new ones
INSERT INTO entity (gem_id, entity_id, name, kind, embedding, created_at)
SELECT %(gem_id)s, g.entity_id, g.name, g.kind, g.embedding::halfvec, g.created_at
FROM unnest(%(entity_ids)s::uuid[], %(names)s::text[], %(kinds)s::text[], %(embeddings)s::text[], %(created)s::timestamptz[])
  AS g (entity_id, name, kind, embedding, created_at);

-- name: delete_entities
-- entities that nothing points to any more
DELETE FROM entity WHERE gem_id = %(gem_id)s AND entity_id = ANY(%(entity_ids)s::uuid[]);

-- name: read_names
-- the names of entities
SELECT key, entity_id FROM entity_name WHERE gem_id = %(gem_id)s AND entity_id = ANY(%(entity_ids)s::uuid[]) ORDER BY key;

-- name: find_names
-- which entities go by these names
SELECT n.key, n.entity_id, e.name FROM entity_name n JOIN entity e ON e.gem_id = n.gem_id AND e.entity_id = n.entity_id
WHERE n.gem_id = %(gem_id)s AND n.key = ANY(%(keys)s::text[]) ORDER BY n.key;

-- name: insert_names
-- names that are new to the gem
INSERT INTO entity_name (gem_id, key, entity_id) SELECT %(gem_id)s, k, %(entity_id)s FROM unnest(%(keys)s::text[]) AS k;

-- name: delete_names
-- names that an entity is to go by no longer
DELETE FROM entity_name WHERE gem_id = %(gem_id)s AND entity_id = %(entity_id)s AND key = ANY(%(keys)s::text[]);

-- name: move_names
-- names that are to stand for other entities than they do
UPDATE entity_name n SET entity_id = g.target
FROM unnest(%(keys)s::text[], %(sources)s::uuid[], %(targets)s::uuid[]) AS g (key, source, target)
WHERE n.gem_id = %(gem_id)s AND n.key = g.key AND n.entity_id = g.source;

-- name: read_mentions
-- where entities are mentioned
SELECT entity_id, slot, role FROM mention WHERE gem_id = %(gem_id)s AND entity_id = ANY(%(entity_ids)s::uuid[])
ORDER BY entity_id, slot, role;

-- name: read_mentioned
-- where an entity is mentioned, with what is said there
SELECT m.slot, m.role, p.passage_id, p.body, d.title, d.speaker
FROM mention m JOIN passage p ON p.gem_id = m.gem_id AND p.slot = m.slot JOIN document d ON d.document_id = p.document_id
WHERE m.gem_id = %(gem_id)s AND m.entity_id = %(entity_id)s ORDER BY m.slot, m.role;

-- name: insert_mentions
-- mentions, of passages that are still there; what is there already stays, and what is new is returned
INSERT INTO mention (gem_id, slot, entity_id, role)
SELECT p.gem_id, g.slot, g.entity_id, g.role
FROM unnest(%(entity_ids)s::uuid[], %(slots)s::int[], %(roles)s::smallint[]) AS g (entity_id, slot, role)
JOIN passage p ON p.gem_id = %(gem_id)s AND p.slot = g.slot
ON CONFLICT DO NOTHING RETURNING entity_id, slot, role;

-- name: delete_mentions
-- mentions that are to be no more
DELETE FROM mention m USING unnest(%(entity_ids)s::uuid[], %(slots)s::int[], %(roles)s::smallint[]) AS g (entity_id, slot, role)
WHERE m.gem_id = %(gem_id)s AND m.entity_id = g.entity_id AND m.slot = g.slot AND m.role = g.role;

-- name: read_claims
-- the claims at whose ends entities stand, by the names that were given there
SELECT DISTINCT claim_id, subject_id, subject_name, object_id, object_name, slot FROM relation
WHERE gem_id = %(gem_id)s
  AND (subject_id = ANY(%(entity_ids)s::uuid[]) OR object_id = ANY(%(entity_ids)s::uuid[]))
ORDER BY claim_id;

-- name: list_claims_groups
-- the subjects and predicates of claims that stand open
SELECT DISTINCT subject_id, predicate FROM relation
WHERE gem_id = %(gem_id)s AND claim_id = ANY(%(claims)s::uuid[]) AND known_to IS NULL;

-- name: move_subjects
-- claims that are to be of another subject, in all their versions
UPDATE relation r SET subject_id = g.target
FROM unnest(%(claims)s::uuid[], %(sources)s::uuid[], %(targets)s::uuid[]) AS g (claim_id, source, target)
WHERE r.gem_id = %(gem_id)s AND r.claim_id = g.claim_id AND r.subject_id = g.source;

-- name: move_objects
-- claims that are to have another object, in all their versions
UPDATE relation r SET object_id = g.target
FROM unnest(%(claims)s::uuid[], %(sources)s::uuid[], %(targets)s::uuid[]) AS g (claim_id, source, target)
WHERE r.gem_id = %(gem_id)s AND r.claim_id = g.claim_id AND r.object_id = g.source;

-- name: list_unembedded
-- entities whose names have no vector of this dimension yet, newest first, and how many there are
SELECT entity_id, name, count(*) OVER () AS waiting FROM entity
WHERE gem_id = %(gem_id)s AND (embedding IS NULL OR vector_dims(embedding) <> %(dimension)s)
ORDER BY created_at DESC, entity_id LIMIT %(limit)s;

-- name: store_embeddings
-- vectors of names
UPDATE entity SET embedding = %(embedding)s WHERE gem_id = %(gem_id)s AND entity_id = %(entity_id)s AND name = %(name)s;

-- name: list_embedded
-- the newest entities with the vectors of their names
SELECT entity_id, name, embedding FROM entity
WHERE gem_id = %(gem_id)s AND embedding IS NOT NULL AND vector_dims(embedding) = %(dimension)s
ORDER BY created_at DESC, entity_id LIMIT %(limit)s;
