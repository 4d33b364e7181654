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
from reflection.travelling import FOLLOWING_TABLES, REFLECTION_TABLES

__all__ = [
    "FOLLOWING_TABLES",
    "REFLECTION_TABLES",
    "AxiomScore",
    "CitedPassage",
    "DoneEvent",
    "EvidenceEvent",
    "GemAxiom",
    "GemAxioms",
    "RecentReflection",
    "RecentReflections",
    "Reflection",
    "ReflectionRequest",
    "ReflectionStored",
    "ReflectionSummary",
    "Reflections",
    "ScoredReflection",
    "StateChange",
    "build_prompt",
]
