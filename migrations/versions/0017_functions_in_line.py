"""Evolution and measurement of a state as sets of one row, which Postgres writes into whatever query calls them.

A function that returns a row is called by itself for each state, in a query of its own: 16 µs for each that a use
measures, where its formulas take next to nothing. They stay as they were, with the same operations in the same order.

Revision ID: 0017
Revises: 0016
"""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

# as in gems/state.py; the floors keep exp and products from an underflow error, which Postgres raises where numpy has 0
EVOLVE = """
CREATE FUNCTION lattice_evolve(
    INOUT energy float8, INOUT phase float8, INOUT coherence float8, INOUT uncertainty float8, dt float8
) {rows} LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT energy,
        least(greatest(phase + energy * dt - 2 * pi() * floor((phase + energy * dt) / (2 * pi())), 0),
              6.283185307179585),
        CASE WHEN coherence < 1e-100 THEN 0 ELSE coherence * exp(greatest(-dt / energy, -200)) END,
        least(1, uncertainty + dt / 10)
$$
"""
MEASURE = """
CREATE FUNCTION lattice_measure(
    INOUT energy float8, INOUT phase float8, INOUT coherence float8, INOUT uncertainty float8, dt float8,
    gain float8, energy_max float8 DEFAULT 64
) {rows} LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT greatest(e.energy, least(energy_max, e.energy * (1 + 0.5 * least(1, gain / 0.3) * (1 - e.coherence)))),
        e.phase,
        e.coherence + gain * (1 - e.coherence),
        CASE WHEN e.uncertainty < 1e-100 THEN 0 ELSE e.uncertainty END * (1 - gain)
    FROM lattice_evolve(energy, phase, coherence, uncertainty, dt) AS e
$$
"""


def upgrade() -> None:
    """Make the functions anew: what one returns cannot be altered."""
    _make("RETURNS SETOF record ROWS 1")


def downgrade() -> None:
    """Let them return a row again."""
    _make("")


def _make(rows: str) -> None:
    op.execute("DROP FUNCTION lattice_measure(float8, float8, float8, float8, float8, float8, float8)")
    op.execute("DROP FUNCTION lattice_evolve(float8, float8, float8, float8, float8)")
    op.execute(EVOLVE.format(rows=rows))
    op.execute(MEASURE.format(rows=rows))
