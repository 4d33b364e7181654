"""From documents to batches of cut documents, each to be stored in one transaction. No I/O but that of the reader."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from core.errors import InvalidInputError
from knowledge.batch import CutDocument
from knowledge.chunking import Chunk, Chunker
from knowledge.documents import SourceDocument, content_hash
from knowledge.embedding import Embedder

BATCH_PASSAGES = 256
BATCH_DOCUMENTS = 512
MOST_GIVEN_CHARS = 8_000  # of a text whose embedding is given: it is one passage


@dataclass(frozen=True, slots=True)
class Batch:
    """Documents of distinct identities, cut; and how many were left out since they repeat one of them."""

    cuts: tuple[CutDocument, ...] = ()
    repeated: int = 0


def cut_batches(
    documents: Iterable[SourceDocument], chunker: Chunker, embedder: Embedder, said: Counter[bytes]
) -> Iterator[Batch]:
    """Yield documents in batches, in their order.

    Args:
        documents: read as batches are asked for.
        chunker: cuts them.
        embedder: whose model given embeddings must fit.
        said: turns without an id, counted here.

    Raises:
        InvalidInputError: as `check_given`; what came before is lost with it, if it filled no batch.
    """
    batch: dict[str | bytes, CutDocument] = {}
    passages = repeated = 0
    for document in documents:
        digest = _hash(document, said)
        same = batch.get(document.external_id or digest)
        if same is not None and same.content_hash == digest:  # not cut again: cutting is what takes long
            repeated += 1
            continue
        cut = _cut(document, digest, chunker, embedder)
        full = passages + len(cut.chunks) > BATCH_PASSAGES or len(batch) >= BATCH_DOCUMENTS
        if batch and (full or same is not None):
            yield Batch(tuple(batch.values()), repeated)
            batch, passages, repeated = {}, 0, 0
        batch[cut.identity] = cut
        passages += len(cut.chunks)
    if batch:
        yield Batch(tuple(batch.values()), repeated)


def check_given(document: SourceDocument, model: str, dimension: int) -> None:
    """Check that the embedding that came with a document, if any, can stand for it in a lattice of this model.

    Raises:
        InvalidInputError: it has another dimension, or the text is too long for one passage.
    """
    if document.embedding is None:
        return
    given = len(document.embedding) // np.dtype(np.float32).itemsize
    if given != dimension:
        raise InvalidInputError(
            "embedding", f"has {given} dimensions, but the lattice's model, {model}, has {dimension}"
        )
    if (length := len(document.text)) > MOST_GIVEN_CHARS:
        raise InvalidInputError(
            "text", f"must have at most {MOST_GIVEN_CHARS:,} characters if its embedding is given, has {length:,}"
        )


def _cut(document: SourceDocument, digest: bytes, chunker: Chunker, embedder: Embedder) -> CutDocument:
    if document.embedding is None:
        chunks = tuple(chunker.split(document.text))
    else:
        check_given(document, embedder.model, embedder.dimension)
        text = document.text.strip()
        start = document.text.index(text)
        chunks = (Chunk(text, None, start, start + len(text)),)
    tokens = tuple(chunker.count(chunk.text) for chunk in chunks)
    return CutDocument(document, digest, chunks, tokens)


def _hash(document: SourceDocument, said: Counter[bytes]) -> bytes:
    """Return what tells a document from others; a turn without an id also by how often it was `said` before."""
    digest = content_hash(document)
    if document.thread is None or document.external_id is not None:
        return digest
    said[digest] += 1
    return content_hash(document, said[digest] - 1)
