"""Who is asked first: policies that order a model's targets, and the score and calibration of `difficulty`."""

from llm_router.policies.calibration import Calibration, CurvePoint, Outcome, calibrate, read_outcomes
from llm_router.policies.difficulty import DifficultyScore, DifficultyTerm, explain_difficulty
from llm_router.policies.policy import Policy, build_policy

__all__ = [
    "Calibration",
    "CurvePoint",
    "DifficultyScore",
    "DifficultyTerm",
    "Outcome",
    "Policy",
    "build_policy",
    "calibrate",
    "explain_difficulty",
    "read_outcomes",
]
