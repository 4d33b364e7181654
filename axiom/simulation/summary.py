"""A series in seven numbers: where it began and ended, its bounds, its mean, its growth, how restless it is."""

from dataclasses import dataclass, fields

import numpy as np

from axiom.equation import Float, FloatArray
from axiom.simulation.tables import blocks, grown, shrunk, table


@dataclass(frozen=True, slots=True)
class Summary:
    """A series in numbers; floats, or arrays (k,) of k scenarios.

    Attributes:
        initial: at step 0.
        final: at the last step.
        minimum: the least.
        maximum: the greatest.
        mean: of all states.
        growth: (final − initial) / |initial|, so 0.1 is 10 % more; None (NaN in arrays) from 0 or beyond any float.
        volatility: standard deviation of the changes from step to step; 0 with fewer than two of them.
    """

    initial: Float
    final: Float
    minimum: Float
    maximum: Float
    mean: Float
    growth: Float | None
    volatility: Float

    def to_dict(self) -> dict[str, object]:
        """Return JSON values; None for a growth that cannot be told."""
        return {each.name: _told(getattr(self, each.name)) for each in fields(self)}


def summarise(values: FloatArray) -> Summary:
    """Return the summary of a series (n,), or of each of k scenarios (n, k).

    Raises:
        InvalidParameterError: the values are no finite numbers of these shapes.
    """
    rows = table("values", values)
    parts = np.concatenate([_facts(block) for _, block in blocks(rows)], axis=1)
    if np.ndim(values) == 2:
        return Summary(*parts)
    initial, final, minimum, maximum, mean, growth, volatility = parts[:, 0].tolist()
    told = growth if np.isfinite(growth) else None
    return Summary(initial, final, minimum, maximum, mean, told, volatility)


def volatility(values: FloatArray) -> FloatArray:
    """Return the standard deviation of the changes in rows (c, n) whose squares do not overflow, shape (c,)."""
    if values.shape[1] < 3:
        return np.zeros(values.shape[0])
    return np.asarray(np.diff(values, axis=1).std(axis=1, ddof=1))


def _facts(values: FloatArray) -> FloatArray:
    """Return the seven numbers of rows (c, n), shape (7, c)."""
    small, scale = shrunk(values)
    low, high = values.min(axis=1), values.max(axis=1)
    initial, final = values[:, 0], values[:, -1]
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        growth = final / np.abs(initial) - np.sign(initial)
    growth[~np.isfinite(growth)] = np.nan
    mean = np.clip(grown(small.mean(axis=1), scale), low, high)  # rounding must not take it out of its bounds
    return np.stack((initial, final, low, high, mean, growth, grown(volatility(small), scale)))


def _told(value: Float | None) -> object:
    if isinstance(value, np.ndarray):
        return [each if np.isfinite(each) else None for each in value.tolist()]
    return value
