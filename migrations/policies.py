"""Who sees which rows: the service's role, and row-level security by tenant, for use by migrations."""

from alembic import op
from sqlalchemy import text

ROLE = "lattice_app"
MAKE_ROLE = """
DO $$ BEGIN
  CREATE ROLE {role} NOLOGIN NOSUPERUSER NOBYPASSRLS;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$
"""


def make_role() -> None:
    """Make the role that the service works as, and let the migrating user take it."""
    connection = op.get_bind()
    if connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": ROLE}).first() is None:
        op.execute(MAKE_ROLE.format(role=ROLE))  # roles are of the server: another of its databases may be quicker
    member = text("SELECT pg_has_role(current_user, :role, 'SET')")
    if not connection.execute(member, {"role": ROLE}).scalar_one():
        op.execute(f"GRANT {ROLE} TO CURRENT_USER")
    op.execute(f"GRANT USAGE ON SCHEMA public TO {ROLE}")
    op.execute(f"GRANT SELECT ON alembic_version TO {ROLE}")


def isolate(table: str) -> None:
    """Let a transaction see and write only rows of the tenant that it named; none if it named none."""
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY own_tenant ON {table} USING "
        "(tenant_id = (SELECT nullif(current_setting('lattice.tenant', true), '')::uuid))"
    )


def grant(table: str, rights: str) -> None:
    """Give the service's role these rights, for example "SELECT, INSERT"."""
    op.execute(f"GRANT {rights} ON {table} TO {ROLE}")


def revoke(table: str) -> None:
    """Take every right on a table back from the service's role."""
    op.execute(f"REVOKE ALL ON {table} FROM {ROLE}")
