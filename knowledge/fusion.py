"""From channels to one score that can be taken apart again. Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from knowledge.embedding import FloatArray as Float32Array

FloatArray = NDArray[np.float64]
TINY = 1e-12  # a score below is none
CHANNELS = ("late", "dense", "lexical", "speaker", "title", "link", "novelty")


@dataclass(frozen=True, slots=True)
class FusionWeights:
    """How much each channel and the state count; docs/recall.md says how they were measured.

    Attributes:
        title: for passages whose title the question says.
        link: for each link from one of the best, by the link's own weight.
        gain: for what a linked passage covers of the question and the one that links it does not.
        novelty: for what a passage covers of the question and those above it do not.
        kappa: how far coherence moves a score, up and down.
        lambda_: how far the interference with the other candidates moves it.
    """

    late: float = 0.55
    dense: float = 0.25
    lexical: float = 0.20
    speaker: float = 0.20
    title: float = 0.40
    link: float = 0.35
    gain: float = 2.0
    novelty: float = 2.0
    kappa: float = 0.10
    lambda_: float = 0.05

    def without(self, channel: str) -> Self:
        """Return the weights with one of CHANNELS switched off."""
        return replace(self, **({"link": 0.0, "gain": 0.0} if channel == "link" else {channel: 0.0}))

    def tokenless(self) -> Self:
        """Return the weights for passages of which no token states are known."""
        return self if not self.late else replace(self, late=0.0, dense=0.50, lexical=0.40, speaker=0.10)


@dataclass(frozen=True, slots=True, eq=False)
class Channels:
    """What each channel says of n passages, for a question of t tokens.

    Attributes:
        cosine: similarity of question and passage as embedded, shape (n,).
        bm25: lexical score, 0 where no term is shared, shape (n,).
        speaks: 1 where the question names the passage's speaker, shape (n,).
        titled: 1 where the question says the passage's title, shape (n,).
        found: the best likeness of each token in each passage, shape (n, t).
        told: whether the passage's token states are known, shape (n,).
        rarity: how much each token counts, sums to 1, shape (t,).
    """

    cosine: FloatArray
    bm25: FloatArray
    speaks: FloatArray
    titled: FloatArray
    found: Float32Array
    told: NDArray[np.bool_]
    rarity: Float32Array

    @property
    def max_sim(self) -> FloatArray:
        """The mean likeness of the question's tokens, by their rarity, shape (n,); 0 where no states are known."""
        return np.asarray(self.found @ self.rarity, np.float64)

    def __len__(self) -> int:
        return len(self.cosine)

    def joined(self, other: Self) -> Self:
        """Return these passages followed by those."""
        names = ("cosine", "bm25", "speaks", "titled", "found", "told")
        return replace(self, **{each: np.concatenate([getattr(self, each), getattr(other, each)]) for each in names})


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """Shares of n scores by channel, each of shape (n,); they sum to the relevance."""

    late: FloatArray
    dense: FloatArray
    lexical: FloatArray
    speaker: FloatArray
    title: FloatArray

    @property
    def relevance(self) -> FloatArray:
        """What the channels make together, shape (n,)."""
        return self.late + self.dense + self.lexical + self.speaker + self.title


def fuse(channels: Channels, weights: FusionWeights, candidates: int | None = None) -> Parts:
    """Fuse the channels linearly: r = Σ w·n(channel) / max + w_title·titled.

    n stretches a channel from its least to its greatest among the candidates to [0, 1]; of the lexical one the least is
    0. Where token states are not known the dense channel stands in for the late one.

    Args:
        channels: of n passages.
        weights: of the channels.
        candidates: the first so many set the scale, the others are measured by it and not below 0; all by default.
    """
    first = slice(0, candidates)
    if not channels.told[first].any():
        weights = weights.tokenless()
    dense, late = _stretch(channels.cosine, first), _stretch_told(channels, first)
    late = np.where(channels.told, late, dense)
    high = channels.bm25[first].max(initial=0.0)
    lexical = channels.bm25 / high if high > TINY else np.zeros_like(channels.bm25)
    speaker = weights.speaker * channels.speaks
    shares = np.stack([weights.late * late, weights.dense * dense, weights.lexical * lexical, speaker])
    best = shares.sum(0)[first].max(initial=0.0)
    if best > 0:
        shares /= best
    late, dense, lexical, speaker = shares
    return Parts(late, dense, lexical, speaker, weights.title * channels.titled)


def order_by_novelty(
    scores: FloatArray, channels: Channels, weight: float, depth: int, worth: FloatArray | float = 1.0
) -> tuple[list[int], FloatArray]:
    """Order passages so that each adds to what those above it cover of the question.

    Greedy: the best comes first; each next one has the greatest score + weight · Σ_t rarity_t · max(0, found_t − what
    is covered of t). No sum is greater than the one above it, for which the first gets what the second makes needful;
    after `depth` places the rest follow by their sums. What a passage adds counts by its `worth`, as its score does
    already. Where nothing is found of any token, nothing is added.

    Source:
        Carbonell and Goldstein, "The Use of MMR", 1998, with coverage of the question in place of unlikeness.

    Returns:
        The order, and what the novelty of each passage adds to its score, shape (n,).
    """
    found = np.maximum(channels.found, 0)
    if not found.any():
        weight = 0.0
    covered = np.zeros(found.shape[1], np.float32)
    gains, left, order = np.zeros(len(scores)), np.ones(len(scores), np.bool_), list[int]()
    counts = np.broadcast_to(np.asarray(weight * worth, found.dtype), scores.shape)
    for place in range(min(depth, len(scores)) if weight else 0):
        fresh = counts * (np.maximum(found - covered, 0) @ channels.rarity)
        best = int(np.argmax(np.where(left, scores + fresh * (place > 0), -np.inf)))
        order.append(best)
        gains[best], left[best] = fresh[best], False
        covered = np.maximum(covered, found[best])
    if weight:
        gains[left] = counts[left] * (np.maximum(found[left] - covered, 0) @ channels.rarity)
    rest = np.flatnonzero(left)
    order += rest[np.argsort(-(scores + gains)[rest], kind="stable")].tolist()
    sums = (scores + gains)[order]
    sums[1:] = np.minimum.accumulate(sums[1:])
    sums[:1] = np.maximum(scores[order[:1]], sums[1:2] if len(order) > 1 else -np.inf)  # enough to stay the first
    gains[order] = sums - scores[order]
    return order, gains


def split_names(question: str, speakers: Iterable[str]) -> tuple[str, frozenset[str]]:
    """Return the question without the names of speakers, and the names it had.

    A question of nothing but names, or with none, comes back as it is.
    """
    known = {name for name in speakers if name.strip() and name in question}  # few: a pattern of thousands is slow
    if not known:
        return question, frozenset()
    longest_first = sorted(known, key=lambda name: (-len(name), name))
    pattern = re.compile(rf"(?<!\w)({'|'.join(re.escape(name) for name in longest_first)})(['’]s)?(?!\w)")
    named = frozenset(found.group(1) for found in pattern.finditer(question))
    nameless = " ".join(pattern.sub(" ", question).split())
    if not named or not re.search(r"\w", nameless):
        return question, named
    return nameless, named


def says_title(question: str, titles: Sequence[str | None]) -> FloatArray:
    """Return 1 for each title that the question says as whole words, in any case; a bracketed suffix is not needed.

    Titles of fewer than four letters are too common to count.
    """
    asked = f" {_plain(question)} "
    plain = [_plain(re.sub(r"\s*\([^)]*\)\s*$", "", title)) if title else "" for title in titles]
    return np.array([sum(map(str.isalpha, each)) >= 4 and f" {each} " in asked for each in plain], np.float64)


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


def _stretch(values: FloatArray, first: slice) -> FloatArray:
    """Map values so that the least of the first is 0 and their greatest 1; equal ones are all 1; none is below 0."""
    if len(values[first]) == 0:
        return np.zeros_like(values)
    low, high = values[first].min(), values[first].max()
    return np.ones_like(values) if high <= low else np.maximum((values - low) / (high - low), 0)


def _stretch_told(channels: Channels, first: slice) -> FloatArray:
    told, values = channels.told, channels.max_sim
    stretched = np.zeros_like(values)
    if told[first].any():
        count = int(told[first].sum())
        stretched[told] = _stretch(values[told], slice(0, count))
    return stretched
