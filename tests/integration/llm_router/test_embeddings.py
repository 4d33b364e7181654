import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import pytest

from core.errors import EmbedderUnavailableError
from llm_router.openai_embeddings import ATTEMPTS, BATCH, OpenAIEmbedder
from tests.wire.stub import Hangup, Response, Stub, Whole, serving

KEY = "sk-stub-0123456789"


def answer(*vectors: list[float], reverse: bool = False) -> Whole:
    rows = [{"object": "embedding", "index": i, "embedding": vector} for i, vector in enumerate(vectors)]
    return Whole(json.dumps({"object": "list", "data": rows[::-1] if reverse else rows}).encode())


def refusal(status: int, **headers: str) -> Whole:
    return Whole(json.dumps({"error": {"message": f"no, {KEY}", "type": "x"}}).encode(), status, headers)


@asynccontextmanager
async def embedding(*responses: Response) -> AsyncIterator[tuple[OpenAIEmbedder, Stub, list[float]]]:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    async with serving(*responses) as stub:
        embedder = OpenAIEmbedder(
            model="small", dimension=2, base_url=f"{stub.address}/v1", api_key=KEY, timeout_s=5, sleep=sleep
        )
        try:
            yield embedder, stub, slept
        finally:
            await embedder.aclose()


async def test_vectors_come_in_the_order_of_the_texts_and_have_length_one() -> None:
    async with embedding(answer([3.0, 4.0], [0.0, 2.0], reverse=True)) as (embedder, stub, _):
        vectors = await embedder.embed(["a", "b"])
    np.testing.assert_allclose(vectors, [[0.6, 0.8], [0.0, 1.0]], rtol=1e-6)
    assert stub.asked[0].path == "/v1/embeddings"
    assert stub.asked[0].body == {"model": "small", "input": ["a", "b"], "encoding_format": "float"}
    assert (embedder.model, embedder.dimension) == ("small", 2)


async def test_many_texts_are_sent_in_batches_and_none_are_not_sent() -> None:
    whole, rest = answer(*[[1.0, 0.0]] * BATCH), answer(*[[0.0, 1.0]] * 3)
    async with embedding(whole, rest) as (embedder, stub, _):
        assert (await embedder.embed([])).shape == (0, 2)
        assert (await embedder.embed(["x"] * (BATCH + 3))).shape == (BATCH + 3, 2)
    assert [len(asked.body["input"]) for asked in stub.asked] == [BATCH, 3]  # type: ignore[arg-type]


async def test_a_passing_fault_is_retried_no_sooner_than_asked() -> None:
    responses = (refusal(429, **{"retry-after": "3"}), Hangup(), answer([1.0, 0.0]))
    async with embedding(*responses) as (embedder, stub, slept):
        assert (await embedder.embed(["a"])).shape == (1, 2)
    assert len(stub.asked) == 3
    assert slept[0] >= 3.0


@pytest.mark.parametrize(("status", "calls"), [(401, 1), (404, 1), (400, 1), (503, ATTEMPTS)])
async def test_a_lasting_fault_is_one_clear_error_without_the_key(status: int, calls: int) -> None:
    async with embedding(refusal(status)) as (embedder, stub, _):
        with pytest.raises(EmbedderUnavailableError, match="did not answer") as caught:
            await embedder.embed(["a"])
    assert len(stub.asked) == calls
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    "response",
    [
        answer([1.0, 0.0, 0.0]),
        answer([0.0, 0.0]),
        answer([float("nan"), 1.0]),
        answer(),
        answer([1.0, 0.0], [1.0, 0.0]),
        Whole(b'{"data": [{"embedding": "text"}]}'),
        Whole(b"[]"),
    ],
)
async def test_vectors_that_cannot_be_used_are_refused(response: Whole) -> None:
    async with embedding(response) as (embedder, _, _):
        with pytest.raises(EmbedderUnavailableError):
            await embedder.embed(["a"])
