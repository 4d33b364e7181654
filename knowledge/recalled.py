"""What recall gives, and the form that a question asks of it: folded, varied, cut. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

import numpy as np

from gems import QuantumState
from knowledge.ranking import PassageScore, Ranked
from knowledge.shaping.diversity import select_diverse
from knowledge.shaping.duplicates import fold_duplicates
from knowledge.shaping.expansion import Surroundings


@dataclass(frozen=True, slots=True)
class RecalledPassage:
    """A passage that answers, with where it stands in its document and the state it is in.

    Attributes:
        probability: that it matters to the question, comparable between questions, in [0, 1].
        also_in: documents of passages that say the same and were folded into this one.
        around: the section or document around it, if that was asked for; of passages that share one, the best has it.
        gem_name: of its gem.
        entanglement: how strongly its gem is entangled with one that was asked; None for a gem that was asked itself,
            or was reached though nothing entangles it.
    """

    passage_id: UUID
    document_id: UUID
    external_id: str | None
    gem_id: UUID
    text: str
    title: str | None
    heading: str | None
    source: str | None
    thread: str | None
    speaker: str | None
    occurred_at: datetime | None
    metadata: Mapping[str, Any]
    ordinal: int
    start: int
    end: int
    tokens: int
    score: PassageScore
    state: QuantumState[float]
    probability: float = 0.0
    also_in: tuple[UUID, ...] = ()
    around: Surroundings | None = None
    gem_name: str = ""
    entanglement: float | None = None


def to_passage(
    ranked: Ranked, text: Mapping[str, Any], strengths: Mapping[UUID, float] = MappingProxyType({})
) -> RecalledPassage:
    """Return a ranked passage with its text, and the strength by which its gem was reached."""
    return RecalledPassage(
        passage_id=ranked.passage_id,
        document_id=text["document_id"],
        external_id=text["external_id"],
        gem_id=text["gem_id"],
        text=text["body"],
        title=text["title"],
        heading=text["heading"],
        source=text["source"],
        thread=text["thread"],
        speaker=text["speaker"],
        occurred_at=text["occurred_at"],
        metadata=text["meta"],
        ordinal=text["ordinal"],
        start=text["start_char"],
        end=text["end_char"],
        tokens=text["tokens"],
        score=ranked.score,
        state=ranked.state,
        probability=ranked.probability,
        gem_name=text["gem_name"],
        entanglement=strengths.get(text["gem_id"]),
    )


def fold(passages: Sequence[RecalledPassage]) -> list[RecalledPassage]:
    """Return passages, best first, without those that say what a better one says; that one tells where else it is."""
    firsts = fold_duplicates([each.text for each in passages])
    others: dict[int, dict[UUID, None]] = {}
    for i, first in enumerate(firsts):
        if first != i and passages[i].document_id != passages[first].document_id:
            others.setdefault(first, {})[passages[i].document_id] = None
    return [replace(each, also_in=tuple(others.get(i, ()))) for i, each in enumerate(passages) if firsts[i] == i]


def vary(
    passages: Sequence[RecalledPassage], vectors: Mapping[UUID, Any], k: int, diversity: float
) -> list[RecalledPassage]:
    """Return k passages, each worth showing and unlike those before it; `diversity` in [0, 1) weighs the two."""
    held = [each for each in passages if each.passage_id in vectors]
    if not held:
        return []
    matrix = np.stack([vectors[each.passage_id].to_numpy().astype(np.float32) for each in held])
    return [held[i] for i in select_diverse([each.score.score for each in held], matrix, k, 1 - diversity)]


def with_surroundings(
    passages: Sequence[RecalledPassage], surroundings: Sequence[Surroundings]
) -> list[RecalledPassage]:
    """Return the passages that the budget holds, the best of each group with what stands around it."""
    best = {each.found[0]: each for each in surroundings}
    held = {passage_id for each in surroundings for passage_id in each.found}
    return [replace(each, around=best.get(each.passage_id)) for each in passages if each.passage_id in held]
