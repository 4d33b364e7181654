"""What a process of a Ray cluster does: read files, cut texts, embed. It knows nothing of Ray, nor of the database."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from io import BytesIO

from knowledge.adapters import load_local
from knowledge.chunking import Chunk, Chunker
from knowledge.documents import SourceDocument
from knowledge.embedding import Embedder, FloatArray, QuestionReading, Reading, TokenEmbedder
from knowledge.sources import SourceProblem, read_upload

LoadEmbedder = Callable[[], Embedder]


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file that is read where it is sent to.

    Attributes:
        format: the ending of its name.
    """

    name: str
    format: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class CutRow:
    """A document with its passages and their tokens, or why there is none; one whose embedding is given is not cut."""

    row: SourceDocument | SourceProblem
    chunks: tuple[Chunk, ...] = ()
    tokens: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Model:
    """What is known of a worker's model."""

    name: str
    dimension: int
    tells_tokens: bool


class Worker:
    """One process of the cluster; it loads its model once."""

    def __init__(self, load: LoadEmbedder) -> None:
        local = load_local()
        self._chunker = Chunker(local.tokenizer)
        self._embedder = load()

    async def describe(self) -> Model:
        """Return which model this is."""
        embedder = self._embedder
        return Model(embedder.model, embedder.dimension, isinstance(embedder, TokenEmbedder))

    async def cut(self, items: Sequence[SentFile | SourceDocument | SourceProblem]) -> list[CutRow]:
        """Read files, and cut what is in them and the documents, in their order; problems stay where they are."""
        rows: list[CutRow] = []
        for item in items:
            found: Iterable[SourceDocument | SourceProblem] = (item,) if not isinstance(item, SentFile) else _read(item)
            rows += [CutRow(row) if isinstance(row, SourceProblem) else self._cut(row) for row in found]
        return rows

    async def embed(self, texts: Sequence[str]) -> FloatArray:
        """Embed texts."""
        return await self._embedder.embed(texts)

    async def read(self, texts: Sequence[str], own: Sequence[int]) -> list[Reading]:
        """Read passages with their contexts."""
        return await self._token_embedder().read(texts, own)

    async def read_question(self, question: str) -> QuestionReading:
        """Read a question."""
        return await self._token_embedder().read_question(question)

    def _token_embedder(self) -> TokenEmbedder:
        if not isinstance(self._embedder, TokenEmbedder):
            raise TypeError(f"{self._embedder.model} tells no token states")
        return self._embedder

    def _cut(self, document: SourceDocument) -> CutRow:
        if document.embedding is not None:
            return CutRow(document)
        chunks = tuple(self._chunker.split(document.text))
        return CutRow(document, chunks, tuple(self._chunker.count(chunk.text) for chunk in chunks))


def _read(file: SentFile) -> Iterable[SourceDocument | SourceProblem]:
    return read_upload(BytesIO(file.data), file.name, file.format, external_id=file.name)
