"""Reflection: from a question to an answer that cites its evidence, is scored, stored and learned from."""

from reflection.gem_axiom import GemAxiom, GemAxioms
from reflection.happenings import ReflectionStored
from reflection.prompt import build_prompt
from reflection.recent import RecentReflection, RecentReflections
from reflection.reflect import DoneEvent, EvidenceEvent, Reflections
from reflection.reflection import (
    AxiomScore,
    CitedPassage,
    Reflection,
    ReflectionRequest,
    ReflectionSummary,
    ScoredReflection,
    StateChange,
)
from reflection.tables import AttemptRow, EvidenceRow, ReflectionRow
from reflection.travelling import FOLLOWING_TABLES, REFLECTION_TABLES

__all__ = [
    "FOLLOWING_TABLES",
    "REFLECTION_TABLES",
    "AttemptRow",
    "AxiomScore",
    "CitedPassage",
    "DoneEvent",
    "EvidenceEvent",
    "EvidenceRow",
    "GemAxiom",
    "GemAxioms",
    "RecentReflection",
    "RecentReflections",
    "Reflection",
    "ReflectionRequest",
    "ReflectionRow",
    "ReflectionStored",
    "ReflectionSummary",
    "Reflections",
    "ScoredReflection",
    "StateChange",
    "build_prompt",
]
