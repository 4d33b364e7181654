"""Simulation of the equation through time: rules, events, ensembles, and scenarios that replay from their JSON."""

from axiom.simulation.composition import Bounded, Chain, Piece, Piecewise, Sum
from axiom.simulation.detection import Event, EventHandler
from axiom.simulation.engine import Stop
from axiom.simulation.events import Milestones, Peaks, Plateaus, Threshold
from axiom.simulation.inputs import SERIES, VARIABLES, AxiomInputs, SeriesName, VariableName
from axiom.simulation.parameters import Parameters, choice, number, whole
from axiom.simulation.results import EnsembleResult, IntelligenceSnapshot, SimulationResult, TimeStep
from axiom.simulation.rulebook import read_event, read_rule
from axiom.simulation.rules import (
    Constant,
    Coupled,
    Decay,
    ESequence,
    Exponential,
    Fibonacci,
    Linear,
    Logistic,
    MeanReversion,
    Oscillation,
    RandomWalk,
    Rule,
    Sigmoid,
    UpdateRule,
)
from axiom.simulation.scenario import Ensemble, Scenario, Spread
from axiom.simulation.sphere import MOST_STEPS, OnProgress, TimeSphere
from axiom.simulation.state import SystemState

__all__ = [
    "MOST_STEPS",
    "SERIES",
    "VARIABLES",
    "AxiomInputs",
    "Bounded",
    "Chain",
    "Constant",
    "Coupled",
    "Decay",
    "ESequence",
    "Ensemble",
    "EnsembleResult",
    "Event",
    "EventHandler",
    "Exponential",
    "Fibonacci",
    "IntelligenceSnapshot",
    "Linear",
    "Logistic",
    "MeanReversion",
    "Milestones",
    "OnProgress",
    "Oscillation",
    "Parameters",
    "Peaks",
    "Piece",
    "Piecewise",
    "Plateaus",
    "RandomWalk",
    "Rule",
    "Scenario",
    "SeriesName",
    "Sigmoid",
    "SimulationResult",
    "Spread",
    "Stop",
    "Sum",
    "SystemState",
    "Threshold",
    "TimeSphere",
    "TimeStep",
    "UpdateRule",
    "VariableName",
    "choice",
    "number",
    "read_event",
    "read_rule",
    "whole",
]
