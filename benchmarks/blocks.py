"""Figures of repeated blocks: medians with their spread, ratios block by block, slopes. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.figures import Figure


@dataclass(frozen=True, slots=True)
class SpreadFigure(Figure):
    """A figure that was measured again and again: the median, the least and the greatest."""

    least: float = 0.0
    greatest: float = 0.0


def spread(name: str, values: Sequence[float], unit: str, aim: str = "") -> SpreadFigure:
    """Return the median of one value a block, with the least and the greatest.

    Raises:
        ValueError: there are none.
    """
    if not values:
        raise ValueError(f"nothing was measured of {name!r}")
    return SpreadFigure(name, float(np.median(values)), unit, aim, min(values), max(values))


def divide(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Return the ratio of each block to the one that was measured beside it.

    Raises:
        ValueError: they are not equally many.
    """
    return [one / other for one, other in zip(ours, theirs, strict=True)]


def median_difference(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Return the median of the differences, pair by pair.

    Raises:
        ValueError: they are not equally many.
    """
    return float(np.median([one - other for one, other in zip(ours, theirs, strict=True)]))


def slope(x: Sequence[float], y: Sequence[float]) -> float:
    """Return by how much y grows with one of x, by least squares."""
    return float(np.polyfit(x, y, 1)[0])


def take_turns(names: Sequence[str], turn: int) -> list[str]:
    """Return who goes in which order: it moves on with each turn, so that nobody always follows the same one."""
    turned = [*names[turn % len(names) :], *names[: turn % len(names)]]
    return turned[::-1] if turn // len(names) % 2 else turned
