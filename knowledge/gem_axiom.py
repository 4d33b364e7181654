"""The axiom's terms of a whole gem: of what its passages hold, its recent reflections told and its users rated."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from psycopg import AsyncConnection
from psycopg.rows import dict_row

from axiom import TermName, Terms
from core.sql import load_queries
from gems import UNCERTAINTY_SPAN, Gem, Moment, QuantumState, evolve
from knowledge.axiom_terms import mean_agreement, measure_subjectivity

_SQL = load_queries("knowledge.sql", "gem_axiom.sql")

SAMPLE = 64  # passages that are read where reflections cannot tell A and X; 32 ms of reading at the most
RECENT_REFLECTIONS = 20  # reflections that tell A, B and X; what is older would count for less than 0.1 %
NEWEST_WEIGHT = 0.3  # each reflection counts 0.7 of the one after it, as a rating does in F_n
UNCERTAINTY_WIDTH = 1 / 32  # of a group, as the query makes them

Connection = AsyncConnection[Any]
Float: TypeAlias = float | NDArray[np.float64]
FloatArray: TypeAlias = NDArray[np.float64]
Source = Literal["passages", "reflections", "ratings", "gem", "assumed"]


@dataclass(frozen=True, slots=True)
class Basis:
    """What a term of a gem rests on.

    Attributes:
        of: the kind of thing; `assumed` where nothing tells the term yet, so that it does not move the score.
        count: how many of these were looked at.
    """

    of: Source
    count: int


@dataclass(frozen=True, slots=True)
class GemTerms:
    """The eight terms of a gem, and what each rests on."""

    terms: Terms[float]
    bases: Mapping[TermName, Basis]


@dataclass(frozen=True, slots=True)
class Outlook:
    """The three terms that move while a gem is left alone; floats, or arrays over moments."""

    C: Float
    Y: Float
    Z: Float


@dataclass(frozen=True, slots=True, eq=False)
class PassageGroups:
    """The open passages of a gem at one moment, added up in g groups that evolve nearly alike.

    What is said of the moment itself is exact. What is said of later ones is so where the energies and uncertainties of
    each group are equal; they differ by less than 1.6 % and 1/32.

    Attributes:
        energy: shape (g,), in τ; half way between the least and the greatest of the group.
        passages: shape (g,), how many; at least 1.
        coherence: shape (g,), Σc.
        wave: shape (g,), complex, Σ c·e^{iφ}.
        squares: shape (g,), Σc².
        uncertainty: shape (g,), Σu.
    """

    energy: FloatArray
    passages: FloatArray
    coherence: FloatArray
    wave: NDArray[np.complex128]
    squares: FloatArray
    uncertainty: FloatArray

    @property
    def count(self) -> int:
        """How many passages there are."""
        return int(self.passages.sum())

    @property
    def fades_alike(self) -> bool:
        """Whether all groups have one energy."""
        return bool(self.count) and float(np.ptp(self.energy)) == 0.0

    def look(self, after: Float = 0.0) -> Outlook:
        """Return the terms of all passages together, some time later if they are left alone.

        C is the mean coherence, Y half of one plus the mean interference of two passages, Z one minus the mean
        uncertainty; without passages all are 0. Takes O(g) for each moment, whatever the number of passages.

        Args:
            after: time passed in τ, at least 0; a float, or an array of shape (m,).

        Returns:
            Floats, or arrays of shape (m,).
        """
        count = self.count
        later = np.atleast_1d(np.asarray(after, np.float64))[:, None]
        if not count:
            nothing = np.zeros(len(later))
            return Outlook(*(_like(after, nothing) for _ in range(3)))
        # a state of coherence 1 and phase 0 tells by which factor and angle all of its group have moved
        unit = QuantumState(self.energy, np.zeros_like(self.energy), np.ones_like(self.energy), self._mean_uncertainty)
        moved = evolve(unit, later)
        wave = (self.wave * moved.coherence * np.exp(1j * moved.phase)).sum(axis=1)
        squares = (self.squares * moved.coherence**2).sum(axis=1)
        return Outlook(
            C=_like(after, (self.coherence * moved.coherence).sum(axis=1) / count),
            Y=_like(after, mean_agreement(wave, squares, count)),
            Z=_like(after, 1.0 - (self.passages * moved.uncertainty).sum(axis=1) / count),
        )

    def ages_alike(self, horizon: float) -> bool:
        """Tell whether the mean uncertainty grows in a straight line, at most up to 1, for this long (in τ)."""
        return len(self.passages) == 1 or bool(
            (self._mean_uncertainty.max(initial=0.0) + UNCERTAINTY_WIDTH + horizon / UNCERTAINTY_SPAN) <= 1.0
        )

    @property
    def _mean_uncertainty(self) -> FloatArray:
        return np.minimum(1.0, self.uncertainty / self.passages)


@dataclass(frozen=True, slots=True, eq=False)
class PassageSample:
    """Some passages of a gem, the same ones each time.

    Attributes:
        texts: of all of them.
        vectors: shape (n, d), of those that are embedded; (0,) of none.
    """

    texts: tuple[str, ...]
    vectors: FloatArray


async def group_passages(conn: Connection, gem_id: UUID, at: Moment) -> PassageGroups:
    """Return what the open passages of a gem are at a moment; one pass over them in the database.

    A passage that was measured after the moment counts as it was then.
    """
    values = {"gem_id": gem_id, "now": at.now, "tau_s": at.tau_s}
    async with conn.cursor(binary=True) as cursor:
        await cursor.execute(_SQL["group_passages"], values)
        rows = await cursor.fetchall()
    least, greatest, passages, coherence, re, im, squares, uncertainty = np.array(rows, np.float64).reshape(-1, 8).T
    return PassageGroups(
        energy=least + (greatest - least) / 2.0,
        passages=passages,
        coherence=coherence,
        wave=re + 1j * im,
        squares=squares,
        uncertainty=uncertainty,
    )


async def sample_passages(conn: Connection, gem_id: UUID) -> PassageSample:
    """Return a fair sample of a gem's open passages."""
    async with conn.cursor(row_factory=dict_row, binary=True) as cursor:
        await cursor.execute(_SQL["sample_passages"], {"gem_id": gem_id, "limit": SAMPLE})
        rows = await cursor.fetchall()
    vectors = [row["vector"].to_numpy() for row in rows if row["vector"] is not None]
    return PassageSample(tuple(row["text"] for row in rows), np.array(vectors, np.float64))


def feed_gem(
    gem: Gem, passages: PassageGroups, recent: Sequence[Terms[float]], sample: PassageSample | None
) -> GemTerms:
    """Return the eight terms of a gem, by the same conventions as those of one reflection's evidence.

    A, B and X are weighted means of the gem's recent reflections; as long as there are none, A is the mean resonance of
    passages with their mean embedding, X one minus their mean subjectivity, and B is 1. C, Y and Z tell of all open
    passages, E is the gem's energy, F its feedback. Without passages A, B, C, X, Y and Z are 0.

    Args:
        gem: at the moment in question.
        passages: of the gem at the same moment.
        recent: the terms of its reflections, newest first.
        sample: of its passages; needed where there are passages and no reflections.
    """
    count, outlook = passages.count, passages.look()
    by_passages = Basis("passages", count)
    told, bases = dict.fromkeys("ABX", 0.0), dict.fromkeys("ABX", by_passages)
    if count and recent:
        told, bases = _weigh(recent), dict.fromkeys("ABX", Basis("reflections", len(recent)))
    elif count and sample is not None:
        told = {"A": _closeness(sample.vectors), "B": 1.0, "X": 1.0 - float(measure_subjectivity(sample.texts).mean())}
        bases = {
            "A": Basis("passages", len(sample.vectors)),
            "B": Basis("assumed", 0),
            "X": Basis("passages", len(sample.texts)),
        }
    terms = Terms(
        A=told["A"],
        B=told["B"],
        C=float(outlook.C),
        X=told["X"],
        Y=float(outlook.Y),
        Z=float(outlook.Z),
        E=gem.state.energy,
        F=gem.feedback,
    )
    return GemTerms(
        terms,
        {
            "A": bases["A"],
            "B": bases["B"],
            "C": by_passages,
            "X": bases["X"],
            "Y": by_passages,
            "Z": by_passages,
            "E": Basis("gem", 1),
            "F": Basis("ratings", gem.ratings) if gem.ratings else Basis("assumed", 0),
        },
    )


def _weigh(recent: Sequence[Terms[float]]) -> dict[str, float]:
    weights = (1.0 - NEWEST_WEIGHT) ** np.arange(len(recent))
    weights /= weights.sum()
    return {name: float(weights @ [getattr(terms, name) for terms in recent]) for name in "ABX"}


def _closeness(vectors: FloatArray) -> float:
    """Return the mean resonance of vectors with their mean; 0 of none, or where they cancel out."""
    if not len(vectors):
        return 0.0
    units = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    mean = units.mean(axis=0)
    length = float(np.linalg.norm(mean))
    return float(np.clip(units @ mean / length, 0.0, 1.0).mean()) if length > 1e-12 else 0.0


def _like(given: Float, found: FloatArray) -> Float:
    return found if isinstance(given, np.ndarray) and given.ndim else float(found[0])
