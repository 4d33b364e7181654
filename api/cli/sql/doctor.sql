-- name: read_row_security
-- whether the role that the service works as is bound by row-level security, and whether that of the connection is
SELECT current_user::text AS login,
  (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user) AS login_bypasses,
  (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = %(role)s) AS service_bypasses,
  ARRAY(
    SELECT c.relname::text FROM pg_class AS c
    JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
      AND NOT (c.relrowsecurity AND c.relforcerowsecurity)
    ORDER BY 1
  ) AS unprotected;
