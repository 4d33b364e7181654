-- name: configure_session
-- all that a new connection of the pool needs, in one round trip: the service's role, UTC (far dates cannot be read in
-- another zone), time limits, exact vector search under filters; answers with the types of pgvector, if it is installed
SELECT set_config('role', %(role)s, false),
  set_config('timezone', 'UTC', false),
  set_config('statement_timeout', %(statement_timeout_ms)s, false),
  set_config('lock_timeout', %(lock_timeout_ms)s, false),
  set_config('idle_in_transaction_session_timeout', %(idle_timeout_ms)s, false),
  set_config('hnsw.iterative_scan', 'strict_order', false),
  set_config('hnsw.ef_search', %(ef_search)s, false),
  to_regtype('vector')::oid AS vector, to_regtype('vector[]')::oid AS vectors,
  to_regtype('halfvec')::oid AS halfvec, to_regtype('halfvec[]')::oid AS halfvecs;

-- name: read_server
-- what decides whether a server and its user are fit, whether or not the schema is there already
SELECT current_setting('server_version_num')::int / 10000 AS major,
  current_user::text AS username,
  current_database()::text AS database,
  (SELECT extversion FROM pg_extension WHERE extname = 'vector') AS vector_installed,
  (SELECT default_version FROM pg_available_extensions WHERE name = 'vector') AS vector_available,
  me.rolsuper OR (has_database_privilege(current_database(), 'CREATE') AND EXISTS (
    SELECT FROM pg_available_extension_versions WHERE name = 'vector' AND trusted)) AS may_create_vector,
  me.rolsuper OR me.rolcreaterole AS may_create_role,
  EXISTS (SELECT FROM pg_roles WHERE rolname = %(role)s) AS role_exists,
  (SELECT pg_has_role(r.oid, 'SET') FROM pg_roles AS r WHERE rolname = %(role)s) AS may_take_role,
  to_regclass('public.alembic_version') IS NOT NULL AS has_schema,
  has_schema_privilege('public', 'CREATE') AS may_create_table
FROM pg_roles AS me WHERE me.rolname = current_user;
