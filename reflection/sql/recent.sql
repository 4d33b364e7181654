-- name: list_recent
-- a page of the reflections of all gems, newest first, with the names that the gems have now
SELECT r.reflection_id, r.gem_id, g.name AS gem_name, r.question, r.answer, r.grounding, r.provider, r.model, r.score,
  r.rating, r.created_at
FROM reflection r JOIN gem g ON g.tenant_id = r.tenant_id AND g.gem_id = r.gem_id
WHERE %(before_at)s::timestamptz IS NULL
   OR (r.created_at, r.reflection_id) < (%(before_at)s::timestamptz, %(before_id)s::uuid)
ORDER BY r.created_at DESC, r.reflection_id DESC LIMIT %(limit)s;
