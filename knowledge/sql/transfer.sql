-- name: be_patient
-- for this transaction: putting all rows of a large gem in order takes its time
SET LOCAL statement_timeout = 0;

-- name: list_columns
-- the columns of tables that can be written, in one order on every server
SELECT c.relname AS table, a.attname AS column, format_type(a.atttypid, NULL) AS type
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
WHERE c.oid = ANY(%(tables)s::regclass[]) AND a.attnum > 0 AND NOT a.attisdropped AND a.attidentity = ''
ORDER BY c.relname, a.attname COLLATE "C";

-- name: find_model
-- what the vectors of a lattice are made by, and where they are
SELECT embedding_model AS model, embedding_dimension AS dimension, embedding_column AS column FROM lattice;

-- name: list_gems
-- the gems that are asked for, or all of them, oldest first
SELECT gem_id, name FROM gem WHERE %(gem_ids)s::uuid[] IS NULL OR gem_id = ANY(%(gem_ids)s::uuid[])
ORDER BY created_at, gem_id;

-- name: list_slots
-- the slots of a gem's passages in order, packed as big-endian integers
SELECT coalesce(string_agg(int4send(p.slot), ''::bytea ORDER BY p.slot), ''::bytea) AS slots FROM passage p
WHERE p.gem_id = %(gem_id)s;

-- name: count_rows
-- how many rows of a table travel with a gem
SELECT count(*) AS rows FROM {table} AS t WHERE t.gem_id = %(gem_id)s;

-- name: read_rows
-- the rows of a table that travel with a gem, in one order on every server
SELECT {columns} FROM {table} AS t WHERE t.gem_id = %(gem_id)s ORDER BY {order};

-- name: count_rows_under
-- the same for a table that knows its gem by the table above it
SELECT count(*) AS rows FROM {table} AS t JOIN {above} AS a USING (tenant_id, {key}) WHERE a.gem_id = %(gem_id)s;

-- name: read_rows_under
-- the same for a table that knows its gem by the table above it
SELECT {columns} FROM {table} AS t JOIN {above} AS a USING (tenant_id, {key}) WHERE a.gem_id = %(gem_id)s ORDER BY {order};

-- name: count_rows_beside
-- the same for a table whose rows may be of another gem than the rows of a table that they belong to
SELECT count(*) AS rows FROM {table} AS t JOIN {above} AS a USING (tenant_id, {key})
WHERE t.gem_id = %(gem_id)s AND a.gem_id = %(gem_id)s;

-- name: read_rows_beside
-- the same for a table whose rows may be of another gem than the rows of a table that they belong to
SELECT {columns} FROM {table} AS t JOIN {above} AS a USING (tenant_id, {key})
WHERE t.gem_id = %(gem_id)s AND a.gem_id = %(gem_id)s ORDER BY {order};

-- name: find_taken
-- what stands where gems shall come: of their ids or their names
SELECT gem_id, name FROM gem WHERE gem_id = ANY(%(gem_ids)s::uuid[]) OR name = ANY(%(names)s::text[]) ORDER BY name;

-- name: insert_row
-- one row as it was exported
INSERT INTO {table} ({columns}) VALUES ({values});

-- name: find_strays
-- whether a gem has passages or relations that lead into another one
SELECT EXISTS (SELECT FROM passage p JOIN document d ON d.tenant_id = p.tenant_id AND d.document_id = p.document_id
               WHERE p.gem_id = %(gem_id)s AND d.gem_id <> p.gem_id)
    OR EXISTS (SELECT FROM relation r JOIN document d ON d.tenant_id = r.tenant_id AND d.document_id = r.document_id
               WHERE r.gem_id = %(gem_id)s AND d.gem_id <> r.gem_id)
    OR EXISTS (SELECT FROM relation r JOIN entity e ON e.tenant_id = r.tenant_id AND e.entity_id = r.subject_id
               WHERE r.gem_id = %(gem_id)s AND e.gem_id <> r.gem_id)
    OR EXISTS (SELECT FROM relation r JOIN entity e ON e.tenant_id = r.tenant_id AND e.entity_id = r.object_id
               WHERE r.gem_id = %(gem_id)s AND e.gem_id <> r.gem_id) AS strays;

-- name: list_passages
-- the next passages of a gem in the order of slots
SELECT passage_id FROM passage WHERE gem_id = %(gem_id)s AND slot >= %(first)s AND slot < %(first)s + %(count)s ORDER BY slot;

-- name: drop_foreign_vectors
-- vectors of another model, which stood in for the lattice's own until these were made
UPDATE passage SET {other} = NULL WHERE gem_id = %(gem_id)s;
