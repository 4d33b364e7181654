"""From a gem to a simulation of it: what becomes of its score while it is left alone. Pure."""

import math
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np

from axiom import Terms
from axiom.simulation import AxiomInputs, Constant, Decay, Linear, Piece, Piecewise, Scenario, UpdateRule, VariableName
from gems import UNCERTAINTY_SPAN
from knowledge.gem_axiom import FloatArray, PassageGroups

PIECES = 40  # of a path that no single rule follows: exact where they meet, straight (C: exponential) in between
LEAST = 1e-300  # below it a coherence is as good as none, and has no logarithm


def plan_scenario(name: str, terms: Terms[float], passages: PassageGroups, step: float, steps: int) -> Scenario:
    """Return the simulation of a gem that is left alone.

    C, Y and Z go the way of its passages; all other variables stay. With one energy E for all passages C decays with
    rate step/E and Y with twice that towards 1/2, since interference is of two coherences; Z falls by step/10. With
    several energies or uncertainties each path is followed in up to 40 pieces, exact where they meet.

    Args:
        name: of the scenario.
        terms: of the gem at step 0.
        passages: of the gem at the same moment.
        step: the length of a step in τ, above 0.
        steps: how many.

    Raises:
        InvalidParameterError: steps are too few or too many.
    """
    inputs = AxiomInputs(terms.A, terms.B, terms.C, terms.X, terms.Y, terms.Z, E_n=terms.E, F_n=terms.F)
    still = Scenario(inputs=inputs, steps=steps, name=name)
    rules: dict[VariableName, UpdateRule] = {}
    if passages.count:
        ends = np.unique(np.linspace(0, steps, min(steps, PIECES) + 1).round())
        seen = passages.look(ends * step)
        if passages.fades_alike:
            rate = step / float(passages.energy[0])
            rules["C"], rules["Y"] = Decay(rate), Decay(2.0 * rate, floor=0.5)
        else:
            rules["C"] = _follow(ends, np.log(np.maximum(seen.C, LEAST)), lambda slope: Decay(max(0.0, -slope)))
            rules["Y"] = _follow(ends, seen.Y, Linear)
        if passages.ages_alike(steps * step):
            rules["Z"] = _fall(float(passages.look().Z), step / UNCERTAINTY_SPAN, steps)
        else:
            rules["Z"] = _follow(ends, seen.Z, Linear)
    return replace(still, rules=rules)


def _fall(start: float, slope: float, steps: int) -> UpdateRule:
    """Return a straight way down that ends at 0."""
    if slope * steps <= start:
        return Linear(-slope)
    falling = math.floor(start / slope)
    ended = Piece(steps, Constant(0.0))
    return Piecewise((Piece(falling, Linear(-slope)), ended) if falling else (ended,))


def _follow(ends: FloatArray, values: FloatArray | float, rule: Callable[[float], UpdateRule]) -> Piecewise:
    """Return one piece a stretch between two ends, each by the rule of its slope."""
    slopes = np.diff(values) / np.diff(ends)
    stretches = (int(end - start) for start, end in pairwise(ends))
    return Piecewise(tuple(Piece(steps, rule(float(slope))) for steps, slope in zip(stretches, slopes, strict=True)))
