"""Work handed out to the processes of a Ray cluster, and taken back in order."""

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from types import ModuleType
from typing import Any

import numpy as np
from cachetools import LRUCache

from core.errors import EmbedderUnavailableError
from knowledge.bulk.ray_worker import CutRow, Model, SentFile
from knowledge.chunking import Chunk, Chunker
from knowledge.documents import SourceDocument
from knowledge.embedding import FloatArray, QuestionReading, Reading
from knowledge.sources import SourceProblem

SLICE_TEXTS = 16  # that one worker embeds at a time: about a third of a second
AHEAD = 2  # slices and portions under way for each worker, so that none waits for the next
REMEMBERED = 50_000  # texts whose cut lies ready until they are stored

Item = SentFile | SourceDocument | SourceProblem


class Cuts:
    """How texts were cut on the cluster, until they are asked for; the oldest are forgotten if nobody asks."""

    def __init__(self) -> None:
        self._chunks: LRUCache[str, tuple[Chunk, ...]] = LRUCache(REMEMBERED)
        self._tokens: LRUCache[str, int] = LRUCache(REMEMBERED)

    def add(self, row: CutRow) -> None:
        """Remember a cut document."""
        if isinstance(row.row, SourceDocument) and row.chunks:
            self._chunks[row.row.text] = row.chunks
            self._tokens.update(zip((chunk.text for chunk in row.chunks), row.tokens, strict=True))

    def take_chunks(self, text: str) -> tuple[Chunk, ...] | None:
        """Return how a text was cut, once."""
        return self._chunks.pop(text, None)

    def take_tokens(self, text: str) -> int | None:
        """Return how many tokens a passage has, once."""
        return self._tokens.pop(text, None)


@dataclass(frozen=True, slots=True)
class Cluster:
    """The workers of a cluster.

    Attributes:
        ray: the module.
        actors: handles of `Worker`s.
        model: that they have loaded.
    """

    ray: ModuleType
    actors: Sequence[Any]
    model: Model
    cuts: Cuts = field(default_factory=Cuts)

    async def run(self, method: str, slices: Sequence[tuple[Any, ...]]) -> list[Any]:
        """Have a method of the workers run on each slice of arguments; a worker takes the next one when it is free.

        Returns:
            What it gave for each, in their order.

        Raises:
            EmbedderUnavailableError: a worker failed, and failed again when it was started anew.
        """
        found: list[Any] = [None] * len(slices)
        waiting = iter(range(len(slices)))

        async def serve(actor: Any) -> None:  # noqa: ANN401 - a handle is of no type
            for i in waiting:
                found[i] = await getattr(actor, method).remote(*slices[i])

        with worker_errors(self.ray):
            try:
                async with asyncio.TaskGroup() as group:
                    for _, actor in zip(range(len(slices)), list(self.actors) * AHEAD, strict=False):
                        group.create_task(serve(actor))
            except ExceptionGroup as failed:
                raise failed.exceptions[0] from failed
        return found

    def cut_all(self, portions: Iterable[Sequence[Item]]) -> Iterator[CutRow]:
        """Have portions read and cut, a bounded number of them ahead; yield the rows in order.

        Raises:
            EmbedderUnavailableError: as `run`.
        """
        waiting: deque[Any] = deque()
        turns = count()
        with worker_errors(self.ray):
            for portion in portions:
                actor = self.actors[next(turns) % len(self.actors)]
                waiting.append(actor.cut.remote(portion))
                if len(waiting) > AHEAD * len(self.actors):
                    yield from self.ray.get(waiting.popleft())
            while waiting:
                yield from self.ray.get(waiting.popleft())


@dataclass(frozen=True, slots=True)
class RayEmbedder:
    """An `Embedder` whose model is on the cluster."""

    cluster: Cluster

    @property
    def model(self) -> str:
        """The model's name."""
        return self.cluster.model.name

    @property
    def dimension(self) -> int:
        """The length of a vector."""
        return self.cluster.model.dimension

    async def embed(self, texts: Sequence[str]) -> FloatArray:
        """Embed n texts.

        Returns:
            Vectors of shape (n, d), each of length 1.
        """
        slices = [(texts[i : i + SLICE_TEXTS],) for i in range(0, len(texts), SLICE_TEXTS)]
        parts = await self.cluster.run("embed", slices)
        return np.concatenate([np.empty((0, self.dimension), np.float32), *parts])


@dataclass(frozen=True, slots=True)
class RayTokenEmbedder(RayEmbedder):
    """A `TokenEmbedder` whose model is on the cluster."""

    async def read(self, texts: Sequence[str], own: Sequence[int]) -> list[Reading]:
        """Read n passages with their contexts; `own` says how many characters of each are the passage's own."""
        places = range(0, len(texts), SLICE_TEXTS)
        slices = [(texts[i : i + SLICE_TEXTS], own[i : i + SLICE_TEXTS]) for i in places]
        return [reading for part in await self.cluster.run("read", slices) for reading in part]

    async def read_question(self, question: str) -> QuestionReading:
        """Read one question."""
        (reading,) = await self.cluster.run("read_question", [(question,)])
        found: QuestionReading = reading
        return found


class RayChunker(Chunker):
    """A chunker that knows how the cluster cut a text, and cuts others itself."""

    def __init__(self, local: Chunker, cuts: Cuts) -> None:
        self._local = local
        self._cuts = cuts
        self._tokenizer = local.tokenizer

    def split(self, text: str) -> list[Chunk]:
        """Return the passages of a text in order."""
        known = self._cuts.take_chunks(text)
        return self._local.split(text) if known is None else list(known)

    def count(self, text: str) -> int:
        """Return the number of tokens of a text."""
        known = self._cuts.take_tokens(text)
        return self._local.count(text) if known is None else known


@contextmanager
def worker_errors(ray: ModuleType) -> Iterator[None]:
    """Raise our error for what Ray raises."""
    try:
        yield
    except ray.exceptions.RayError as error:
        cause = getattr(error, "cause", None) or error
        told = " ".join(str(cause).split())[:500]
        raise EmbedderUnavailableError(f"a worker of the Ray cluster failed: {type(cause).__name__}: {told}") from error
