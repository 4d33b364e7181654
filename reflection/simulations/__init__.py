"""Simulations: run once, stored, and found again by the same request."""

from reflection.simulations.cache import SimulationCache
from reflection.simulations.limits import is_quickly_read, read_scenario
from reflection.simulations.simulation import MOST_EVENTS, Outcome, Simulation, SimulationHead
from reflection.simulations.simulations import Answered, Origin, Progress, Simulations

__all__ = [
    "MOST_EVENTS",
    "Answered",
    "Origin",
    "Outcome",
    "Progress",
    "Simulation",
    "SimulationCache",
    "SimulationHead",
    "Simulations",
    "is_quickly_read",
    "read_scenario",
]
