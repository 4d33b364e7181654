from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge import FusionWeights
from knowledge.fusion import Channels
from knowledge.hop import SEEDS, Bridge, choose_seeds, follow

RARITY = np.array([0.6, 0.4], np.float32)


def channels(found: list[list[float]]) -> Channels:
    n, nothing = len(found), np.zeros(len(found))
    return Channels(nothing, nothing, nothing, nothing, np.array(found, np.float32), np.ones(n, np.bool_), RARITY)


def test_a_link_lifts_by_what_its_target_covers_and_its_source_does_not() -> None:
    lifted = follow(
        np.array([0.5, 0.1]), channels([[0.9, 0.0], [0.2, 0.8]]), [Bridge(0, 1, 0.7)], FusionWeights(gain=2, link=0.3)
    )
    assert lifted.tolist() == pytest.approx([0, 0.25 * (2 * 0.4 * 0.8 + 0.3 * 0.7)])


def test_of_several_links_the_strongest_counts() -> None:
    held = channels([[0.9, 0.0], [0.9, 0.0], [0.0, 0.0]])
    one = follow(np.array([1.0, 0.9, 0]), held, [Bridge(0, 2, 0.7)], FusionWeights())
    both = follow(np.array([1.0, 0.9, 0]), held, [Bridge(0, 2, 0.7), Bridge(1, 2, 0.7)], FusionWeights())
    assert both.tolist() == one.tolist()


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_links_lower_nothing(data: Any) -> None:
    n = data.draw(st.integers(1, 12))
    place, unit = st.integers(0, n - 1), st.floats(0, 1)
    bridges = data.draw(st.lists(st.builds(Bridge, place, place, unit), max_size=20))
    relevance = np.array(data.draw(st.lists(st.floats(0, 1.5), min_size=n, max_size=n)))
    found = data.draw(st.lists(st.lists(st.floats(-1, 1), min_size=2, max_size=2), min_size=n, max_size=n))
    lifted = follow(relevance, channels(found), bridges, FusionWeights())
    assert (lifted >= 0).all()
    linked = {bridge.target for bridge in bridges}
    assert all(lifted[i] == 0 for i in range(n) if i not in linked)


def test_seeds_are_the_best_that_stand_in_no_thread() -> None:
    relevance = np.linspace(1, 0, 10)
    assert choose_seeds(relevance, [False] * 10) == list(range(SEEDS))
    assert choose_seeds(relevance, [True, False] * 5) == [1, 3]
