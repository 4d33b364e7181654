"""The local embedding model: all-MiniLM-L6-v2 in int8, on onnxruntime, without a network."""

import asyncio
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

from core.errors import ConfigurationError
from knowledge.embedding import FloatArray

MODEL = "all-MiniLM-L6-v2"
DIMENSION = 384
WORD_PIECES = 256  # more of a text than this is not read; [CLS] and [SEP] count
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


class MiniLM:
    """An `Embedder` that reads one text a call, on as many cores at once as it has threads.

    In a batch, int8 activations are scaled by all its texts together, so that a vector would depend on its neighbours.
    One text a call gives equal texts equal vectors and pads nothing; texts on different cores make up for the batch.
    """

    def __init__(self, folder: Path = FOLDER, threads: int | None = None) -> None:
        """Load the model from `folder`; `threads` defaults to the cores that this process may use.

        Raises:
            ConfigurationError: a file of the model is missing.
        """
        self._threads = threads or _count_cores()
        self._tokenizer = Tokenizer.from_file(str(_find(folder / "tokenizer.json")))
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3  # errors only: warnings are about the machine and not for the user
        self._session = onnxruntime.InferenceSession(
            str(_find(folder / "model.onnx")), options, providers=["CPUExecutionProvider"]
        )
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
        return self._tokenizer

    def count_tokens(self, text: str) -> int:
        """Count the word pieces of a text, without [CLS] and [SEP]; those beyond what the model reads too."""
        return len(self._tokenizer.encode(text, add_special_tokens=False))

    def encode(self, text: str) -> Encoding:
        """Read one text, its first 256 word pieces, in the caller's thread."""
        tokens = self._tokenizer.encode(text)
        kept = np.arange(len(tokens))
        if len(tokens) > WORD_PIECES:
            kept = np.append(kept[: WORD_PIECES - 1], kept[-1])  # [SEP] stays last
        ids = np.asarray(tokens.ids, np.int64)[kept]
        inputs = {"input_ids": ids[None], "attention_mask": np.ones((1, len(ids)), np.int64)}
        states = self._session.run(["last_hidden_state"], inputs)[0][0]
        return Encoding(ids, np.asarray(tokens.offsets, np.int64)[kept], states)

    async def embed(self, texts: Sequence[str]) -> FloatArray:
        """Embed n texts; the first 256 word pieces of each count.

        Returns:
            Vectors of shape (n, 384), each of length 1.
        """
        vectors = np.empty((len(texts), DIMENSION), np.float32)
        waiting = iter(enumerate(texts))

        def encode_into(index: int, text: str) -> None:
            vectors[index] = self.encode(text).vector

        async def work() -> None:
            loop = asyncio.get_running_loop()
            for index, text in waiting:
                await loop.run_in_executor(self._pool, encode_into, index, text)

        # Two texts a thread are under way, never all: the cores stay busy, and a question asked
        # during a long ingestion waits for those few only.
        async with asyncio.TaskGroup() as group:
            for _ in range(min(2 * self._threads, len(texts))):
                group.create_task(work())
        return vectors

    async def aclose(self) -> None:
        """Give the threads back, after the texts under way."""
        await asyncio.to_thread(self._pool.shutdown)


def _find(path: Path) -> Path:
    if not path.is_file():
        raise ConfigurationError(
            f"the embedding model's file {path} is missing: install crystal-lattice anew", path=str(path)
        )
    return path


def _count_cores() -> int:
    # a container or taskset may leave us fewer cores than the machine has; not every platform can say
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
