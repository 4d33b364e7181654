-- name: insert_operation
-- something that was done to gems, and what undoes it
INSERT INTO operation (operation_id, kind, subject_id, others, facts, undo, made_at)
VALUES (%(operation_id)s, %(kind)s, %(subject_id)s, %(others)s::uuid[], %(facts)s, %(undo)s, %(now)s);

-- name: list_operations
-- a page of operations, the last one first
SELECT operation_id, kind, subject_id, others, facts, made_at, undone_at FROM operation
WHERE %(before_id)s::uuid IS NULL
  OR ordinal < (SELECT b.ordinal FROM operation b WHERE b.operation_id = %(before_id)s)
ORDER BY ordinal DESC LIMIT %(limit)s;

-- name: get_operation
-- an operation
SELECT operation_id, kind, subject_id, others, facts, made_at, undone_at FROM operation
WHERE operation_id = %(operation_id)s;

-- name: lock_operation
-- an operation with what undoes it, held until the transaction ends
SELECT * FROM operation WHERE operation_id = %(operation_id)s FOR UPDATE;

-- name: mark_undone
-- an operation stands no longer
UPDATE operation SET undone_at = %(now)s WHERE operation_id = %(operation_id)s
RETURNING operation_id, kind, subject_id, others, facts, made_at, undone_at;

-- name: hold_gems
-- gems that are there, archived or not, held in the order of ids until the transaction ends
SELECT gem_id, name, archived_at, merged_into FROM gem WHERE gem_id = ANY(%(gem_ids)s::uuid[])
ORDER BY gem_id FOR UPDATE;

-- name: archive_into
-- gems are read only from now on, since what they held is in another one
UPDATE gem SET archived_at = %(now)s, merged_into = %(target)s, updated_at = %(now)s
WHERE gem_id = ANY(%(gem_ids)s::uuid[]) AND archived_at IS NULL;

-- name: restore_from
-- gems that were archived since all went into this one are writable again
UPDATE gem SET archived_at = NULL, merged_into = NULL, updated_at = %(now)s
WHERE gem_id = ANY(%(gem_ids)s::uuid[]) AND merged_into = %(target)s;
