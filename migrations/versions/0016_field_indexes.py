"""What the questions of the field are answered from; row-level security that reads the tenant once a query.

Two indexes: of a gem's own log without that of its passages, and of all reflections by their time. A use writes one
entry into the first for each gem that it measures, a reflection one into the second. No index holds the states of gems:
it would be written at each measurement and keep Postgres from updating a gem within its page, and half a second for a
million gems is had without it.

The cast of the tenant stood outside of the subquery, so that a UUID was read from text for each row that was looked at,
which was a quarter of the time of whatever looks at many.

Revision ID: 0016
Revises: 0015
"""

from alembic import op
from sqlalchemy import text

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

ONCE = "tenant_id = (SELECT nullif(current_setting('lattice.tenant', true), '')::uuid)"
EACH = "tenant_id = (SELECT nullif(current_setting('lattice.tenant', true), ''))::uuid"


INDEXES = """
CREATE INDEX measurement_gem_idx ON measurement (tenant_id, gem_id, measurement_id) WHERE passage_id IS NULL;

CREATE INDEX reflection_tenant_id_created_at_reflection_id_idx ON reflection (tenant_id, created_at, reflection_id);
"""


def upgrade() -> None:
    """Make the indexes, and let every policy cast once."""
    op.execute(INDEXES)
    _alter(ONCE)


def downgrade() -> None:
    """Drop them, and let it cast for each row again."""
    _alter(EACH)
    op.execute("DROP INDEX measurement_gem_idx, reflection_tenant_id_created_at_reflection_id_idx")


def _alter(condition: str) -> None:
    found = text("SELECT quote_ident(tablename) FROM pg_policies WHERE policyname = 'own_tenant'")
    for table in op.get_bind().execute(found).scalars().all():
        op.execute(f"ALTER POLICY own_tenant ON {table} USING ({condition})")
