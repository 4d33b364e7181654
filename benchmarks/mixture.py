"""Synthetic embeddings that lie as real ones do, in clusters, and rows that carry them."""

import base64
import json
import random
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from benchmarks.corpus import Writer, make_words
from knowledge.embedding import FloatArray, QuestionReading, Reading, TokenEmbedder

DIMENSION = 384
CENTRES = 2_000
SPREAD = 0.8  # length of what is added to a centre of length 1: two of one cluster have a cosine of about 0.6
SENTENCES = 2


def draw_vectors(rng: np.random.Generator, count: int) -> FloatArray:
    """Return vectors of length 1 about the centres of a mixture, shape (count, DIMENSION); the centres never change."""
    centres = _centres()
    noise = rng.normal(size=(count, DIMENSION)) * SPREAD / np.sqrt(DIMENSION)
    return _units(centres[rng.integers(CENTRES, size=count)] + noise)


@cache
def _centres() -> FloatArray:
    return _units(np.random.default_rng(0).normal(size=(CENTRES, DIMENSION)))


def write_rows(path: Path, first: int, count: int, *, packed: bool = True) -> None:
    """Write rows of some twenty words with such vectors, as base64 of float32 or as digits.

    Each has a title of its own and names that of another row before it, as entries of an encyclopaedia do.
    """
    writer, rng = Writer(first), random.Random(first)
    vectors = draw_vectors(np.random.default_rng(first), count)
    with path.open("w", encoding="utf-8") as stream:
        for number, vector in enumerate(vectors, start=first):
            given: object = [round(float(x), 8) for x in vector]
            if packed:
                given = base64.b64encode(vector.tobytes()).decode()
            text = f"{writer.text(SENTENCES)} {_title(rng.randint(0, number))}."
            row = {"id": f"row-{number}", "title": _title(number), "text": text, "embedding": given}
            stream.write(f"{json.dumps(row)}\n")


def _title(number: int) -> str:
    """Return two words in capitals, drawn evenly, so that none of them is frequent."""
    rng, words = random.Random(number), _words()
    return f"{rng.choice(words)} {rng.choice(words)}".title()


@cache
def _words() -> list[str]:
    return make_words(random.Random(0))


@dataclass(frozen=True, slots=True)
class MixtureEmbedder:
    """The local model, with question vectors drawn from the mixture: it takes its time, and they have neighbours."""

    local: TokenEmbedder

    @property
    def model(self) -> str:
        """The model's name."""
        return self.local.model

    @property
    def dimension(self) -> int:
        """The length of a vector."""
        return self.local.dimension

    async def embed(self, texts: Sequence[str]) -> FloatArray:
        """Embed texts; equal ones alike."""
        await self.local.embed(texts)
        return np.stack([_draw(text) for text in texts])

    async def read(self, texts: Sequence[str], own: Sequence[int]) -> list[Reading]:
        """Read passages."""
        readings = await self.local.read(texts, own)
        return [replace(each, vector=_draw(text)) for each, text in zip(readings, texts, strict=True)]

    async def read_question(self, question: str) -> QuestionReading:
        """Read a question."""
        return replace(await self.local.read_question(question), vector=_draw(question))


def _draw(text: str) -> FloatArray:
    vector: FloatArray = draw_vectors(np.random.default_rng(zlib.crc32(text.encode())), 1)[0]
    return vector


def _units(rows: np.ndarray) -> FloatArray:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)
