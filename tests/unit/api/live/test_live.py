"""How often the lattice is read for those who watch."""

import pytest

from api.live.live import plan_rest


@pytest.mark.parametrize(
    ("took_s", "is_read", "rest_s"),
    [
        (0.01, True, 0.99),  # a reading each second
        (2.0, True, 6.0),  # a large lattice is read a quarter of the time
        (15.0, False, 0.0),  # whoever waited for a database that is gone tells at once when it is back
        (0.01, False, 0.99),
    ],
)
def test_a_long_reading_is_followed_by_a_long_rest_unless_it_failed(
    took_s: float, is_read: bool, rest_s: float
) -> None:
    assert plan_rest(1.0, took_s, is_read=is_read) == pytest.approx(rest_s)
