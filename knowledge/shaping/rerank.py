"""A second look at the best results by a cross-encoder, which reads question and text together: better, and slow.

So it is off unless asked for, sees few candidates, and has a time budget: what it has not scored when time is up stays
below, in the order it had.
"""

import asyncio
import importlib
import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from core.errors import ConfigurationError

CANDIDATES_MOST = 30
BUDGET_S = 0.5
BATCH = 4  # texts; the budget is checked between batches, so they are small


class Reranker(Protocol):
    """Scores texts against a question."""

    @property
    def model(self) -> str:
        """The model's name."""
        ...

    async def score(self, question: str, texts: Sequence[str]) -> list[float]:
        """Return how well each text answers the question; any scale, more is better."""
        ...


@dataclass(frozen=True, slots=True)
class Reranking:
    """A new order of texts.

    Attributes:
        order: their indices, best first; all of them.
        scores: what the model says of the first in this order; the others were not scored.
        is_complete: whether each candidate was scored in time.
    """

    order: tuple[int, ...]
    scores: tuple[float, ...]
    is_complete: bool


async def rerank(
    reranker: Reranker,
    question: str,
    texts: Sequence[str],
    *,
    candidates_most: int = CANDIDATES_MOST,
    budget_s: float = BUDGET_S,
    clock: Callable[[], float] = time.monotonic,
) -> Reranking:
    """Order texts by a cross-encoder, as far as time allows.

    A batch that is not done when time is up is not waited for.

    Args:
        reranker: the cross-encoder.
        question: what the texts shall answer.
        texts: best first; equal scores keep this order.
        candidates_most: how many of the first are scored.
        budget_s: how long it may take, waiting for other questions included.
        clock: in seconds.
    """
    candidates = min(candidates_most, len(texts))
    scores: list[float] = []
    deadline = clock() + budget_s
    while len(scores) < candidates and (left_s := deadline - clock()) > 0:
        batch = texts[len(scores) : min(len(scores) + BATCH, candidates)]
        try:
            async with asyncio.timeout(left_s):
                scores += await reranker.score(question, batch)
        except TimeoutError:
            break
    scored = [i for i, score in enumerate(scores) if math.isfinite(score)]
    scored.sort(key=lambda i: -scores[i])
    rest = sorted({*range(len(texts))} - {*scored})
    return Reranking((*scored, *rest), tuple(scores[i] for i in scored), len(scored) == candidates)


class FastEmbedReranker:
    """A `Reranker` of any cross-encoder that fastembed knows; it works on one batch at a time, off the event loop."""

    def __init__(self, name: str, cache: Path | None = None, folder: Path | None = None) -> None:
        """Load the model called `name`.

        Args:
            name: as fastembed calls it.
            cache: where downloaded models are kept; the hub is asked if it is not there.
            folder: with the files of this very model, which then are not looked for elsewhere.

        Raises:
            ConfigurationError: the extra is not installed, or the model is unknown or cannot be had.
        """
        try:
            importlib.import_module("knowledge.onnx")  # before fastembed opens a session
            fastembed = importlib.import_module("fastembed.rerank.cross_encoder")
        except ImportError as error:
            raise ConfigurationError(
                f"the reranking model {name!r} needs an extra: pip install 'crystal-lattice[fastembed]'"
            ) from error
        places = {"cache_dir": cache, "specific_model_path": folder}
        try:
            self._sdk = fastembed.TextCrossEncoder(name, **{key: str(path) for key, path in places.items() if path})
        except Exception as error:  # onnxruntime and tokenizers raise Exception itself for bad files
            raise ConfigurationError(f"fastembed cannot load the reranking model {name!r}: {error}") from error
        self._name = name
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="rerank")

    @property
    def model(self) -> str:
        """The model's name, as fastembed calls it."""
        return self._name

    async def score(self, question: str, texts: Sequence[str]) -> list[float]:
        """Return the model's score of each text; a caller that gives up while others are served costs nothing."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._score, question, list(texts))

    def _score(self, question: str, texts: list[str]) -> list[float]:
        return [float(score) for score in self._sdk.rerank(question, texts, batch_size=BATCH)]


def load_fastembed_reranker(name: str, cache: Path | None = None, folder: Path | None = None) -> Reranker:
    """Load a cross-encoder through the optional extra `fastembed`, which is imported only now.

    Raises:
        ConfigurationError: the extra is not installed, or the model cannot be had.
    """
    return FastEmbedReranker(name, cache, folder)
