"""The local embedding model: all-MiniLM-L6-v2 in int8, on onnxruntime, without a network."""

import asyncio
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TypeVar, cast

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits
from tokenizers import Tokenizer

from core.errors import ConfigurationError
from knowledge.embedding import FloatArray, QuestionReading, Reading
from knowledge.late import Projection

MODEL = "all-MiniLM-L6-v2"
DIMENSION = 384
WORD_PIECES = 256  # more of a text than this is not read; [CLS] and [SEP] count
T = TypeVar("T")

FOLDER = Path(__file__).parent / "models" / "all-minilm-l6-v2"


@dataclass(frozen=True, slots=True, eq=False)
class Encoding:
    """One pass of the model over one text, of t word pieces.

    Attributes:
        ids: shape (t,), the word pieces, [CLS] first and [SEP] last.
        offsets: shape (t, 2), where each begins and ends in the text, in characters; [CLS] and [SEP] have (0, 0).
        states: shape (t, 384), what the model makes of each in its context.
    """

    ids: NDArray[np.int64]
    offsets: NDArray[np.int64]
    states: FloatArray

    @property
    def vector(self) -> FloatArray:
        """The mean of the states, scaled to length 1; shape (384,)."""
        mean = self.states.mean(axis=0)
        return np.asarray(mean / np.linalg.norm(mean), np.float32)


class Encoder:
    """The model as it is: one text in, the states of its word pieces out, in the caller's thread."""

    def __init__(self, folder: Path = FOLDER) -> None:
        """Load tokenizer and graph from `folder`.

        Raises:
            ConfigurationError: a file of the model is missing.
        """
        from knowledge.onnx import onnxruntime  # noqa: PLC0415 - only who reads a text waits for it

        self.tokenizer = Tokenizer.from_file(str(find_file(folder / "tokenizer.json")))
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3  # errors only: warnings are about the machine and not for the user
        self._session = onnxruntime.InferenceSession(
            str(find_file(folder / "model.onnx")), options, providers=["CPUExecutionProvider"]
        )

    def encode(self, text: str) -> Encoding:
        """Read one text, its first 256 word pieces."""
        tokens = self.tokenizer.encode(text)
        kept = np.arange(len(tokens))
        if len(tokens) > WORD_PIECES:
            kept = np.append(kept[: WORD_PIECES - 1], kept[-1])  # [SEP] stays last
        ids = np.asarray(tokens.ids, np.int64)[kept]
        inputs = {"input_ids": ids[None], "attention_mask": np.ones((1, len(ids)), np.int64)}
        states = self._session.run(["last_hidden_state"], inputs)[0][0]
        return Encoding(ids, np.asarray(tokens.offsets, np.int64)[kept], states)


class MiniLM:
    """A `TokenEmbedder` that reads one text a call, on as many cores at once as it has threads.

    In a batch, int8 activations are scaled by all its texts together, so that a vector would depend on its neighbours.
    One text a call gives equal texts equal vectors and pads nothing; texts on different cores make up for the batch.
    The model is loaded when its tokenizer or a reading is first asked for: most commands never do.
    """

    def __init__(self, folder: Path = FOLDER, threads: int | None = None) -> None:
        """Take the model from `folder`; `threads` defaults to the cores that this process may use.

        Raises:
            ConfigurationError: a file of the model is missing.
        """
        self._threads = threads or _count_cores()
        for name in ("tokenizer.json", "model.onnx"):
            find_file(folder / name)
        self._folder = folder
        self._loading = Lock()
        self._loaded: Encoder | None = None
        self._projection = Projection.load(find_file(folder / "projection.npz"))
        # our threads already fill the cores: those of BLAS beside them halve the speed; this holds for the process
        threadpool_limits(1, "blas")
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="minilm")

    @property
    def model(self) -> str:
        """The model's name."""
        return MODEL

    @property
    def dimension(self) -> int:
        """The length of a vector, 384."""
        return DIMENSION

    @property
    def tokenizer(self) -> Tokenizer:
        """The model's tokenizer, which neither pads nor truncates; a splitter can take it as it is."""
        return self._encoder().tokenizer

    def count_tokens(self, text: str) -> int:
        """Count the word pieces of a text, without [CLS] and [SEP]; those beyond what the model reads too."""
        return len(self.tokenizer.encode(text, add_special_tokens=False))

    def encode(self, text: str) -> Encoding:
        """Read one text, its first 256 word pieces, in the caller's thread."""
        return self._encoder().encode(text)

    async def embed(self, texts: Sequence[str]) -> FloatArray:
        """Embed n texts; the first 256 word pieces of each count.

        Returns:
            Vectors of shape (n, 384), each of length 1.
        """
        vectors = await self._each(lambda i: self.encode(texts[i]).vector, len(texts))
        return np.stack(vectors) if vectors else np.empty((0, DIMENSION), np.float32)

    async def read(self, texts: Sequence[str], own: Sequence[int]) -> list[Reading]:
        """Read n passages, each followed by its context; the states of the first `own` characters of each are kept."""
        return await self._each(lambda i: self._read(texts[i], own[i]), len(texts))

    async def read_question(self, question: str) -> QuestionReading:
        """Read one question, its first 256 word pieces."""

        def read(_: int) -> QuestionReading:
            found = self.encode(question)
            states = self._projection.project(found.states[1:-1])
            return QuestionReading(found.vector, states, found.offsets[1:-1])

        return (await self._each(read, 1))[0]

    def _encoder(self) -> Encoder:
        with self._loading:
            if self._loaded is None:
                self._loaded = Encoder(self._folder)
            return self._loaded

    def _read(self, text: str, own: int) -> Reading:
        found = self.encode(text)
        starts, ends = found.offsets.T
        kept = (ends > starts) & (starts < own)  # [CLS] and [SEP] are of no characters
        return Reading(found.vector, self._projection.pack(found.states[kept]))

    async def _each(self, work: Callable[[int], T], count: int) -> list[T]:
        found: list[T | None] = [None] * count
        waiting = iter(range(count))

        async def carry_out() -> None:
            loop = asyncio.get_running_loop()
            for index in waiting:
                found[index] = await loop.run_in_executor(self._pool, work, index)

        # Two texts a thread are under way, never all: the cores stay busy, and a question asked
        # during a long ingestion waits for those few only.
        async with asyncio.TaskGroup() as group:
            for _ in range(min(2 * self._threads, count)):
                group.create_task(carry_out())
        return cast("list[T]", found)

    async def aclose(self) -> None:
        """Give the threads back, after the texts under way."""
        await asyncio.to_thread(self._pool.shutdown)


def find_file(path: Path) -> Path:
    """Return a file of the model, if it is there."""
    if not path.is_file():
        raise ConfigurationError(
            f"the embedding model's file {path} is missing: install crystal-lattice anew", path=str(path)
        )
    return path


def _count_cores() -> int:
    # a container or taskset may leave us fewer cores than the machine has; not every platform can say
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
