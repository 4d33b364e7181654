"""Embeddings from any server that speaks OpenAI's wire."""

import base64
import binascii
from collections.abc import Mapping, Sequence

import numpy as np

from llm_router.embedding.config import EmbeddingTargetConfig
from llm_router.embedding.target import Embedded, FloatArray
from llm_router.faults import TargetFault, fault_of
from llm_router.providers.openai_client import PHASES, OpenAIClient
from llm_router.providers.wire import (
    as_body,
    as_count,
    as_list,
    as_money,
    as_object,
    as_text,
    faults_of,
    read_error_body,
)
from llm_router.reply import CHARACTERS_A_TOKEN, Usage
from llm_router.target import Clocks

LITTLE_ENDIAN = np.dtype("<f4")  # of the numbers in base64


class OpenAIEmbeddingTarget:
    """An embedding model behind one server. It asks for base64, a quarter of the bytes, and reads numbers as well."""

    def __init__(self, config: EmbeddingTargetConfig) -> None:
        target = config.target
        self.name = target.name
        self._model = target.model
        self._dimension = config.dimension
        self._client = OpenAIClient(target)

    async def embed(self, texts: Sequence[str], clocks: Clocks) -> Embedded:
        """Return one vector a text.

        Raises:
            TargetFault: the server refused, or did not give such vectors.
        """
        with faults_of(self.name, "openai", PHASES):
            body = await self._client.post(
                "/embeddings", {"model": self._model, "input": [*texts], "encoding_format": "base64"}, clocks
            )
        fields = as_body(body)
        if fields.get("error"):
            raise fault_of(read_error_body("openai", "stream", fields), self.name)
        usage = _read_usage(as_object(fields.get("usage")), texts)
        return Embedded(
            vectors=self._read_vectors(fields, len(texts), usage),
            model=as_text(fields.get("model")) or self._model,
            usage=usage,
            raw_usage=as_object(fields.get("usage")) or None,
            cost_usd=as_money(as_object(fields.get("usage")).get("cost")),
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    def _read_vectors(self, fields: Mapping[str, object], count: int, usage: Usage) -> FloatArray:
        """Return the vectors, shape (count, d), in the order of the texts, whatever the order of the answer."""
        data = [as_object(item) for item in as_list(fields.get("data"))]
        places = [item.get("index", place) for place, item in enumerate(data)]
        if len(places) != count or sorted(place for place in places if isinstance(place, int)) != [*range(count)]:
            raise TargetFault(self.name, "malformed", cause="wrong_count", usage=usage)
        read = dict(zip(places, (_read_row(item.get("embedding")) for item in data), strict=True))
        rows = [row for row in (read[place] for place in range(count)) if row is not None]
        if len(rows) < count:
            raise TargetFault(self.name, "malformed", cause="no_vector", usage=usage)
        if any(row.shape != (self._dimension,) for row in rows):
            raise TargetFault(self.name, "malformed", cause="dimension_mismatch", usage=usage)
        vectors = np.stack(rows)
        lengths = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
        if not (np.isfinite(lengths) & (lengths > 0)).all():
            raise TargetFault(self.name, "malformed", cause="no_direction", usage=usage)
        return np.asarray(vectors / lengths, np.float32)


def _read_row(told: object) -> FloatArray | None:
    """Return a vector, from base64 or from a list of numbers; None if it is neither."""
    try:
        if isinstance(told, str):
            return np.frombuffer(base64.b64decode(told, validate=True), LITTLE_ENDIAN).astype(np.float32)
        with np.errstate(over="ignore"):  # what is beyond float32 becomes infinite, and is refused as such
            return np.array(as_list(told), np.float32) if as_list(told) else None
    except (binascii.Error, TypeError, ValueError):
        return None


def _read_usage(fields: Mapping[str, object], texts: Sequence[str]) -> Usage:
    told = as_count(fields.get("prompt_tokens")) or as_count(fields.get("total_tokens"))
    if told:
        return Usage(told, 0)
    return Usage(-(-sum(map(len, texts)) // CHARACTERS_A_TOKEN), 0, estimated=True)
