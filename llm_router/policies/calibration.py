"""The threshold of the policy `difficulty`, picked on recorded outcomes. Pure and deterministic."""

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidInputError

Float = NDArray[np.float64]

ROUNDING = 1e-9
"""An aim missed by less than this is reached: sums of decimal fractions are not exact."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One question that both the cheap and the strong model have answered.

    Attributes:
        score: its difficulty, in [0, 1].
        cheap_quality: how well the cheap model did, in [0, 1]; 0 and 1 for wrong and right.
        strong_quality: how well the strong model did, in [0, 1].
        cheap_cost: of its answer, in any unit that `strong_cost` shares.
        strong_cost: without costs, so without both, the cost is the share of questions that the strong model gets.
    """

    score: float
    cheap_quality: float
    strong_quality: float
    cheap_cost: float = 0.0
    strong_cost: float = 1.0


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """What one threshold would have given on the recorded outcomes.

    Attributes:
        threshold: scores from here up go to the strong model.
        strong_share: of the questions that go to the strong model.
        quality: mean over all questions.
        chance_quality: what the same share would have given had the questions been drawn by lot; a score that is worth
            having lies above.
        cost: mean a question.
        cost_share: of what the strong model would have cost for all questions.
    """

    threshold: float
    strong_share: float
    quality: float
    chance_quality: float
    cost: float
    cost_share: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """The threshold that was picked, and what it was picked from.

    Attributes:
        chosen: one of the curve's points; its threshold is what belongs into the configuration.
        curve: a point for each set of questions that a threshold can separate, from none to all for the strong model.
        outcomes: how many were looked at.
    """

    chosen: CurvePoint
    curve: tuple[CurvePoint, ...]
    outcomes: int

    @property
    def threshold(self) -> float:
        """What belongs into the model's configuration."""
        return self.chosen.threshold


def calibrate(
    outcomes: Sequence[Outcome], *, target_quality: float | None = None, cost_share: float | None = None
) -> Calibration:
    """Pick the threshold: the cheapest that reaches a quality, or the best within a cost.

    Args:
        outcomes: their order does not matter.
        target_quality: mean quality to be reached, in [0, 1].
        cost_share: most of what the strong model would cost for all questions, from 0 up.

    Raises:
        InvalidInputError: no outcomes, not exactly one of the two aims, or one that no threshold reaches.
    """
    if not outcomes:
        raise InvalidInputError("outcomes", "calibration needs at least one")
    curve = _draw_curve(outcomes)
    match target_quality, cost_share:
        case float() | int(), None:
            reached = [point for point in curve if point.quality >= target_quality - ROUNDING]
            if not reached:
                most = max(point.quality for point in curve)
                raise InvalidInputError("target_quality", f"no threshold reaches it; the most is {most:.4g}")
            chosen = min(reached, key=lambda point: (point.cost, -point.quality, -point.threshold))
        case None, float() | int():
            afforded = [point for point in curve if point.cost_share <= cost_share + ROUNDING]
            if not afforded:
                least = min(point.cost_share for point in curve)
                raise InvalidInputError("cost_share", f"no threshold costs so little; the least is {least:.4g}")
            chosen = max(afforded, key=lambda point: (point.quality, -point.cost, point.threshold))
        case _:
            raise InvalidInputError("target_quality", "give either target_quality or cost_share")
    return Calibration(chosen, curve, len(outcomes))


def read_outcomes(lines: Iterable[str]) -> list[Outcome]:
    """Return outcomes from JSON lines: objects with the fields of `Outcome`, costs in all of them or in none.

    Raises:
        InvalidInputError: a line is no such object; the field names the line.
    """
    outcomes: list[Outcome] = []
    costed: set[bool] = set()
    for number, line in enumerate(lines, start=1):
        if line.strip():
            where = f"line {number}"
            row = _parse_row(line, where)
            costed.add("cheap_cost" in row)
            if len(costed) > 1:
                raise InvalidInputError(where, "costs must be in all lines or in none")
            outcomes.append(Outcome(**row))
    return outcomes


def _draw_curve(outcomes: Sequence[Outcome]) -> tuple[CurvePoint, ...]:
    """Return the points from "none goes to the strong model" to "all do"."""
    rows: Float = np.array([[getattr(each, field.name) for field in fields(Outcome)] for each in outcomes], np.float64)
    rows = rows[np.lexsort(rows.T[::-1])[::-1]]  # hardest first; by all columns, so that sums are the same in any order
    scores, cheap, strong, cheap_cost, strong_cost = rows.T
    n = len(rows)
    taken = np.flatnonzero(np.diff(scores, append=-1.0)) + 1  # so many go to the strong model, equal scores together
    taken = np.concatenate([[0], taken])
    quality = _mix(cheap, strong, taken)
    cost = _mix(cheap_cost, strong_cost, taken)
    share = taken / n
    by_lot = cheap.mean() + share * (strong.mean() - cheap.mean())
    full_cost = float(strong_cost.mean())
    cost_share = cost / full_cost if full_cost else share
    thresholds = [_part(scores, int(count)) for count in taken]
    points = zip(thresholds, *(x.tolist() for x in (share, quality, by_lot, cost, cost_share)), strict=True)
    curve = tuple(CurvePoint(*point) for point in points)
    return curve[1:] if scores[0] >= 1.0 else curve  # no threshold keeps a score of 1 from the strong model


def _mix(cheap: Float, strong: Float, taken: NDArray[np.intp]) -> Float:
    """Return the mean for each count of questions, hardest first, that the strong model takes; shape (len(taken),)."""
    gains = np.concatenate([[0.0], np.cumsum(strong - cheap)])
    return np.asarray((cheap.sum() + gains[taken]) / len(cheap))


def _part(scores: Float, taken: int) -> float:
    """Return a threshold that the first `taken` of the descending scores reach and the others do not."""
    if taken == len(scores):
        return 0.0
    below = float(scores[taken])
    above = float(scores[taken - 1]) if taken else 1.0
    middle = (above + below) / 2
    return middle if taken and middle > below else above


def _parse_row(line: str, where: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError as e:
        raise InvalidInputError(where, "is no JSON") from e
    needed = {"score", "cheap_quality", "strong_quality"}
    costs = {"cheap_cost", "strong_cost"}
    if not isinstance(row, dict) or row.keys() not in (needed, needed | costs):
        raise InvalidInputError(
            where, f"must be an object with {', '.join(sorted(needed))} and either no costs or both"
        )
    for name, value in row.items():
        most = math.inf if name in costs else 1.0
        if isinstance(value, bool):
            row[name] = float(value)
        elif not (isinstance(value, int | float) and 0 <= value <= most and math.isfinite(value)):
            raise InvalidInputError(where, f"{name} must be a number from 0 {'up' if name in costs else 'to 1'}")
    return row
