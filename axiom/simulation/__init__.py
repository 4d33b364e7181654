"""Simulation of the equation through time: rules, events, ensembles, and scenarios that replay from their JSON."""

from axiom.equation import Float, FloatArray
from axiom.simulation.change_points import find_change_points
from axiom.simulation.composition import Bounded, Chain, Piece, Piecewise, Sum
from axiom.simulation.detection import Event, EventHandler
from axiom.simulation.engine import Stop
from axiom.simulation.events import Milestones, Peaks, Plateaus, Threshold
from axiom.simulation.inputs import SERIES, VARIABLES, AxiomInputs, SeriesName, VariableName
from axiom.simulation.parameters import Parameters, choice, number, whole
from axiom.simulation.presets import PRESETS, Preset, find_preset, list_presets, vary
from axiom.simulation.results import EnsembleResult, IntelligenceSnapshot, SimulationResult, TimeStep
from axiom.simulation.rulebook import EVENTS, RULES, read_event, read_rule
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
from axiom.simulation.summary import Summary, summarise
from axiom.simulation.trends import Half, Trend, analyse_trend, analyse_trends

__all__ = [
    "EVENTS",
    "MOST_STEPS",
    "PRESETS",
    "RULES",
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
    "Float",
    "FloatArray",
    "Half",
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
    "Preset",
    "RandomWalk",
    "Rule",
    "Scenario",
    "SeriesName",
    "Sigmoid",
    "SimulationResult",
    "Spread",
    "Stop",
    "Sum",
    "Summary",
    "SystemState",
    "Threshold",
    "TimeSphere",
    "TimeStep",
    "Trend",
    "UpdateRule",
    "VariableName",
    "analyse_trend",
    "analyse_trends",
    "choice",
    "find_change_points",
    "find_preset",
    "list_presets",
    "number",
    "read_event",
    "read_rule",
    "summarise",
    "vary",
    "whole",
]
