"""States whose energy and phase are finite numbers, as they have to be wherever they are read.

Revision ID: 0010
Revises: 0009
"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TABLES = ("gem", "passage")
LOOSE = "energy > 0 AND phase >= 0 AND coherence BETWEEN 0 AND 1 AND uncertainty BETWEEN 0 AND 1"
STRICT = (
    "energy > 0 AND energy < 'Infinity' AND phase >= 0 AND phase < 6.283185307179586 "
    "AND coherence BETWEEN 0 AND 1 AND uncertainty BETWEEN 0 AND 1"
)


def upgrade() -> None:
    """Close the bounds; fails, naming the table, where a state is stored that no reader takes."""
    _bound(STRICT)


def downgrade() -> None:
    """Open them again."""
    _bound(LOOSE)


def _bound(bounds: str) -> None:
    for table in TABLES:
        name = f"{table}_state_check"
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}, ADD CONSTRAINT {name} CHECK ({bounds})")
