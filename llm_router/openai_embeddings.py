"""Embeddings from any server that speaks OpenAI's wire."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import httpx2
import numpy as np
import openai
from numpy.typing import NDArray
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt, wait_random_exponential

from core.errors import EmbedderUnavailableError
from llm_router.faults import TargetFault
from llm_router.openai_chat import ADDRESS, PHASES
from llm_router.wire import as_list, as_object, faults_of

BATCH = 256  # texts a call: well inside what every provider takes
ATTEMPTS = 4
BACKOFF_S = wait_random_exponential(multiplier=0.5, max=8.0)


class OpenAIEmbedder:
    """An embedding model behind a server; batches are split, and a batch that failed is sent again alone."""

    def __init__(
        self,
        *,
        model: str,
        dimension: int,
        base_url: str | None = None,
        api_key: str = "",
        timeout_s: float = 60.0,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Make the client; nothing is sent yet."""
        self._model = model
        self._dimension = dimension
        self._sleep = sleep
        self._client = openai.AsyncOpenAI(
            api_key=api_key or "none", base_url=base_url or ADDRESS, max_retries=0, timeout=httpx2.Timeout(timeout_s)
        )

    @property
    def model(self) -> str:
        """The model's name."""
        return self._model

    @property
    def dimension(self) -> int:
        """The length of a vector."""
        return self._dimension

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed n texts.

        Returns:
            Vectors of shape (n, dimension), each of length 1.

        Raises:
            EmbedderUnavailableError: the server did not answer, or not with such vectors.
        """
        batches = [list(texts[i : i + BATCH]) for i in range(0, len(texts), BATCH)]
        if not batches:
            return np.empty((0, self._dimension), np.float32)
        return np.concatenate([await self._embed_batch(batch) for batch in batches])

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def _embed_batch(self, texts: list[str]) -> NDArray[np.float32]:
        retrying = AsyncRetrying(
            stop=stop_after_attempt(ATTEMPTS),
            retry=retry_if_exception(lambda e: isinstance(e, TargetFault) and e.retryable),
            wait=_wait,
            sleep=self._sleep,
            reraise=True,
        )
        try:
            body: Mapping[str, object] = await retrying(self._post, texts)
        except TargetFault as fault:
            raise EmbedderUnavailableError(f"the embedding model did not answer: {fault}") from None
        return _read_vectors(body, len(texts), self._dimension)

    async def _post(self, texts: list[str]) -> Mapping[str, object]:
        with faults_of(self._model, "openai", PHASES):
            body = await self._client.post(
                "/embeddings",
                body={"model": self._model, "input": texts, "encoding_format": "float"},
                cast_to=object,
            )
        return as_object(body)


def _wait(state: RetryCallState) -> float:
    fault = state.outcome.exception() if state.outcome else None
    asked = fault.retry_after_s if isinstance(fault, TargetFault) else None
    return max(BACKOFF_S(state), asked or 0.0)


def _read_vectors(body: Mapping[str, object], count: int, dimension: int) -> NDArray[np.float32]:
    """Return the vectors in the order of the texts, whatever the order of the answer."""
    data = as_list(body.get("data"))
    rows: list[Any] = [None] * max(count, len(data))
    for place, item in enumerate(data):
        index = as_object(item).get("index", place)
        if isinstance(index, int) and 0 <= index < len(rows):
            rows[index] = as_object(item).get("embedding")
    try:
        vectors = np.array(rows, np.float32)
    except (TypeError, ValueError):
        vectors = np.empty(0, np.float32)
    if vectors.shape != (count, dimension):
        raise EmbedderUnavailableError(
            f"the embedding model gave an array of shape {vectors.shape}, not {(count, dimension)}: "
            "check the model and LATTICE_EMBEDDING__DIMENSION"
        )
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not (np.isfinite(lengths) & (lengths > 0)).all():
        raise EmbedderUnavailableError("the embedding model gave a vector that is zero or not finite")
    return np.asarray(vectors / lengths, np.float32)
