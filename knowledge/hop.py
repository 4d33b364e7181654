"""The second hop: what the best passages link to is lifted; a link never lowers anything. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from knowledge.fusion import Channels, FloatArray, FusionWeights

SEEDS = 5  # the best passages whose links are followed


@dataclass(frozen=True, slots=True)
class Bridge:
    """A link between two of n passages, by their places."""

    source: int
    target: int
    weight: float


def choose_seeds(relevance: FloatArray, threaded: Sequence[bool], most: int = SEEDS) -> list[int]:
    """Return the places of the best passages, best first; a turn of a thread stands among its neighbours already."""
    best = np.argsort(-relevance, kind="stable")[:most].tolist()
    return [place for place in best if not threaded[place]]


def follow(relevance: FloatArray, channels: Channels, bridges: Sequence[Bridge], weights: FusionWeights) -> FloatArray:
    """Return what links add to each passage's relevance, shape (n,), nowhere below 0.

    Through i→j of weight λ, j gains min(1, r_i)² · (w_gain · Σ_t rarity_t · max(0, m(t,j) − m(t,i)) + w_link · λ); of
    several links to j the strongest counts, so that hubs are not lifted by their number.
    """
    lifted = np.zeros(len(relevance))
    found = np.maximum(channels.found, 0)
    for bridge in bridges:
        covers = float(np.maximum(found[bridge.target] - found[bridge.source], 0) @ channels.rarity)
        lift = min(1.0, relevance[bridge.source]) ** 2 * (weights.gain * covers + weights.link * bridge.weight)
        lifted[bridge.target] = max(lifted[bridge.target], lift)
    return lifted
