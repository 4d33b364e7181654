"""Simulations: run once, stored, and found again by the same request."""

from reflection.simulations.cache import SimulationCache
from reflection.simulations.limits import MOST_RULES, MOST_SCENARIO_STEPS, MOST_WATCHED_STEPS, read_scenario
from reflection.simulations.simulation import MOST_EVENTS, Outcome, Simulation, SimulationHead
from reflection.simulations.simulations import Answered, Origin, Progress, Simulations
from reflection.simulations.tables import SimulationRow

__all__ = [
    "MOST_EVENTS",
    "MOST_RULES",
    "MOST_SCENARIO_STEPS",
    "MOST_WATCHED_STEPS",
    "Answered",
    "Origin",
    "Outcome",
    "Progress",
    "Simulation",
    "SimulationCache",
    "SimulationHead",
    "SimulationRow",
    "Simulations",
    "read_scenario",
]
