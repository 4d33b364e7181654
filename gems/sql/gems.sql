-- name: insert_gem
-- a new gem in its first state, with which its log begins
WITH born AS (
  INSERT INTO gem (gem_id, name, description, meta, measured_at, created_at, updated_at)
  VALUES (%(gem_id)s, %(name)s, %(description)s, %(meta)s, %(now)s, %(now)s, %(now)s)
  RETURNING *),
logged AS (
  INSERT INTO measurement (gem_id, cause, gain, tau_s, energy, phase, coherence, uncertainty, measured_at)
  SELECT gem_id, 'ingest', 0, %(tau_s)s, energy, phase, coherence, uncertainty, measured_at FROM born)
SELECT * FROM born;

-- name: get_gems
-- gems by id, whatever their number
SELECT * FROM gem WHERE gem_id = ANY(%(gem_ids)s::uuid[]);

-- name: find_by_name
-- the gem of this name, if there is one
SELECT * FROM gem WHERE name = %(name)s;

-- name: lock_gem
-- the gem, held until the transaction ends: writers of one gem take turns
SELECT * FROM gem WHERE gem_id = %(gem_id)s FOR UPDATE;

-- name: list_gems
-- a page of gems, newest first, after the cursor's position
SELECT * FROM gem
WHERE (%(archived)s::boolean IS NULL OR (archived_at IS NOT NULL) = %(archived)s)
  AND (%(before_at)s::timestamptz IS NULL OR (created_at, gem_id) < (%(before_at)s::timestamptz, %(before_id)s::uuid))
ORDER BY created_at DESC, gem_id DESC LIMIT %(limit)s;

-- name: list_active
-- the ids of all gems that are not archived, for recall over the whole lattice
SELECT gem_id FROM gem WHERE archived_at IS NULL ORDER BY created_at, gem_id;

-- name: update_gem
-- change what is given; null leaves as it is
UPDATE gem SET name = coalesce(%(name)s, name), description = coalesce(%(description)s, description),
  meta = coalesce(%(meta)s, meta), updated_at = %(now)s
WHERE gem_id = %(gem_id)s RETURNING *;

-- name: archive_gem
-- read only from now on; archiving twice keeps the first moment
UPDATE gem SET archived_at = coalesce(archived_at, %(now)s), updated_at = %(now)s WHERE gem_id = %(gem_id)s RETURNING *;

-- name: restore_gem
-- writable again
UPDATE gem SET archived_at = NULL, merged_into = NULL, updated_at = %(now)s WHERE gem_id = %(gem_id)s RETURNING *;

-- name: delete_gem
-- the gem; all that is under it goes by foreign key
DELETE FROM gem WHERE gem_id = %(gem_id)s RETURNING gem_id;

-- name: advance_gem
-- what a write of knowledge leaves on its gem: a higher version, the slots it took, speakers it met
UPDATE gem SET version = version + %(versions)s, next_slot = next_slot + %(slots)s, updated_at = %(now)s,
  speakers = ARRAY(SELECT DISTINCT s FROM unnest(speakers || %(speakers)s::text[]) AS s ORDER BY s LIMIT 1000)
WHERE gem_id = %(gem_id)s RETURNING version, next_slot - %(slots)s AS first_slot;

-- name: rate_gem
-- the feedback F_n: an exponentially weighted mean of ratings, the first rating counting whole
UPDATE gem SET ratings = ratings + 1,
  feedback = CASE WHEN ratings = 0 THEN %(rating)s ELSE feedback + %(weight)s * (%(rating)s - feedback) END
WHERE gem_id = %(gem_id)s RETURNING *;

-- name: list_measurements
-- a page of a gem's log, passages included, newest first, after a place in it
SELECT * FROM measurement WHERE gem_id = %(gem_id)s
  AND (%(moment)s::timestamptz IS NULL OR (measured_at, measurement_id) < (%(moment)s, %(measurement_id)s::bigint))
ORDER BY measured_at DESC, measurement_id DESC LIMIT %(limit)s;
