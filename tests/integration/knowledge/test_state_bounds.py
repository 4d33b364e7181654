import math

import psycopg
import pytest

from tests.integration.knowledge.shelf import Shelf

NUMBERS = ("energy", "phase", "coherence", "uncertainty")


@pytest.mark.parametrize("table", ["gem", "passage"])
async def test_no_state_is_stored_whose_numbers_no_reader_takes(shelf: Shelf, database_url: str, table: str) -> None:
    await shelf.put({"text": "The ferry leaves at noon."})
    with psycopg.connect(database_url, autocommit=True) as conn:
        for name in NUMBERS:
            for value in (math.nan, math.inf, -math.inf, math.tau if name == "phase" else -1e-300):
                with pytest.raises(psycopg.errors.CheckViolation, match=f"{table}_state_check"):
                    conn.execute(f"UPDATE {table} SET {name} = %s".encode(), (value,))
        largest = math.nextafter(math.tau, 0)
        changed = conn.execute(f"UPDATE {table} SET energy = 1e300, phase = %s".encode(), (largest,)).rowcount
    assert changed == 1
