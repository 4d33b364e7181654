import base64
import json
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from core.errors import EmbedderUnavailableError, InvalidInputError
from llm_router.config import TargetConfig
from llm_router.embedding import EmbeddingConfig, EmbeddingRouter, EmbeddingTargetConfig
from llm_router.faults import FaultKind, TargetFault
from llm_router.prices import Prices
from llm_router.providers.openai_embeddings import OpenAIEmbeddingTarget
from llm_router.pursuit import Pace
from llm_router.reply import Usage
from llm_router.target import Clocks
from tests.wire.clock import Clock
from tests.wire.recorded import read_responses
from tests.wire.stub import Hangup, Response, Stub, Whole, refusing, serving

KEY = "sk-stub-0123456789"
PLAIN = Clocks(connect_s=2.0, total_s=5.0)
FOLDER = Path(__file__).resolve().parents[4] / "shared" / "cassettes"


def answer(*vectors: Sequence[float], reverse: bool = False, packed: bool = False, **more: object) -> Whole:
    rows = [
        {"object": "embedding", "index": i, "embedding": pack(vector) if packed else [*vector]}
        for i, vector in enumerate(vectors)
    ]
    return Whole(json.dumps({"object": "list", "data": rows[::-1] if reverse else rows, **more}).encode())


def pack(vector: Sequence[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def refusal(status: int, kind: str = "x", **headers: str) -> Whole:
    return Whole(json.dumps({"error": {"message": f"no, {KEY}", "type": kind}}).encode(), status, headers)


def configure(address: str, **settings: object) -> EmbeddingTargetConfig:
    told = {"name": "main", "api_key": KEY, "clocks": PLAIN, **settings}
    target = TargetConfig(provider="openai", model="small", base_url=f"{address}/v1", **told)  # type: ignore[arg-type]
    return EmbeddingTargetConfig(target, 2)


@asynccontextmanager
async def asking(*responses: Response, **settings: object) -> AsyncIterator[tuple[OpenAIEmbeddingTarget, Stub]]:
    async with serving(*responses) as stub:
        target = OpenAIEmbeddingTarget(configure(stub.address, **settings))
        try:
            yield target, stub
        finally:
            await target.aclose()


@asynccontextmanager
async def routing(*addresses: str, **settings: object) -> AsyncIterator[tuple[EmbeddingRouter, Clock]]:
    configs = tuple(configure(address, name=f"t{n}", api_key=f"{KEY}{n}") for n, address in enumerate(addresses))
    config = EmbeddingConfig(configs, batches_at_once=1, **settings)  # type: ignore[arg-type]
    clock = Clock()
    pace = Pace(clock.sleep, lambda: 0.5, clock)
    router = EmbeddingRouter(config, [OpenAIEmbeddingTarget(each) for each in configs], pace=pace)
    try:
        yield router, clock
    finally:
        await router.aclose()


@pytest.mark.parametrize("packed", [False, True])
async def test_vectors_come_in_the_order_of_the_texts_and_have_length_one(packed: bool) -> None:
    async with asking(answer([3.0, 4.0], [0.0, 2.0], reverse=True, packed=packed)) as (target, stub):
        embedded = await target.embed(["a", "b"], PLAIN)
    assert embedded.vectors.dtype == np.float32
    np.testing.assert_allclose(embedded.vectors, [[0.6, 0.8], [0.0, 1.0]], rtol=1e-6)
    assert stub.asked[0].path == "/v1/embeddings"
    assert stub.asked[0].body == {"model": "small", "input": ["a", "b"], "encoding_format": "base64"}
    assert stub.asked[0].headers["authorization"] == f"Bearer {KEY}"


async def test_the_key_headers_and_query_go_where_the_configuration_says() -> None:
    settings = {"api_key_header": "api-key", "headers": {"x-team": "a"}, "query": {"api-version": "1"}}
    async with asking(answer([1.0, 0.0]), **settings) as (target, stub):
        await target.embed(["a"], PLAIN)
    asked = stub.asked[0]
    assert (asked.headers["api-key"], asked.headers["x-team"]) == (KEY, "a")
    assert "authorization" not in asked.headers
    assert asked.path.endswith("?api-version=1")


async def test_usage_and_cost_are_read_and_a_missing_one_is_an_estimate() -> None:
    told = answer([1.0, 0.0], model="small-1", usage={"prompt_tokens": 9, "total_tokens": 9, "cost": 0.0012})
    async with asking(told, answer([1.0, 0.0])) as (target, _):
        first, second = [await target.embed(["a" * 40], PLAIN) for _ in range(2)]
    assert (first.model, first.usage, first.cost_usd) == ("small-1", Usage(9, 0), Decimal("0.0012"))
    assert first.raw_usage == {"prompt_tokens": 9, "total_tokens": 9, "cost": 0.0012}
    assert (second.model, second.usage, second.cost_usd) == ("small", Usage(10, 0, estimated=True), None)


@pytest.mark.parametrize(
    ("response", "cause"),
    [
        (answer([1.0, 0.0, 0.0]), "dimension_mismatch"),
        (answer([1.0, 0.0, 0.0], packed=True), "dimension_mismatch"),
        (answer([0.0, 0.0]), "no_direction"),
        (answer([float("nan"), 1.0]), "no_direction"),
        (answer([float("inf"), 1.0]), "no_direction"),
        (answer([1e300, 1.0]), "no_direction"),
        (answer(), "wrong_count"),
        (answer([1.0, 0.0], [1.0, 0.0]), "wrong_count"),
        (Whole(b'{"data": [{"index": 1, "embedding": [1, 0]}]}'), "wrong_count"),
        (Whole(b'{"data": [{"index": "0", "embedding": [1, 0]}]}'), "wrong_count"),
        (Whole(b'{"data": [{"index": 0, "embedding": [1, 0]}, {"index": []}]}'), "wrong_count"),
        (Whole(b'{"data": [{"embedding": "text"}]}'), "no_vector"),
        (Whole(b'{"data": [{"embedding": "QUJD"}]}'), "no_vector"),
        (Whole(b'{"data": [{"embedding": ["x", null]}]}'), "no_vector"),
        (Whole(b'{"data": [{}]}'), "no_vector"),
        (Whole(b"[]"), "wrong_count"),
        (Whole(b"<html>", headers={"content-type": "text/html"}), "wrong_count"),
    ],
)
async def test_vectors_that_cannot_be_used_are_a_fault_of_the_target(response: Whole, cause: str) -> None:
    async with asking(response) as (target, _):
        with pytest.raises(TargetFault) as caught:
            await target.embed(["a"], PLAIN)
    assert (caught.value.kind, caught.value.cause, caught.value.retryable) == ("malformed", cause, False)


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        (Hangup(), "connection"),
        (Whole(b"{not json"), "malformed"),
        (Whole(b'{"error": {"message": "no", "code": 429}}'), "rate_limited"),
        (refusal(400), "invalid_request"),
        (refusal(401), "unauthenticated"),
        (refusal(402), "quota_exceeded"),
        (refusal(404), "not_found"),
        (refusal(413), "context_length"),
        (refusal(429, "insufficient_quota"), "quota_exceeded"),
        (refusal(429), "rate_limited"),
        (refusal(500), "server_error"),
        (refusal(503), "overloaded"),
    ],
)
async def test_faults_are_the_same_as_those_of_answers(response: Response, kind: FaultKind) -> None:
    async with asking(response) as (target, stub):
        with pytest.raises(TargetFault) as caught:
            await target.embed(["a"], PLAIN)
    assert caught.value.kind == kind
    assert KEY not in str(caught.value)
    assert len(stub.asked) == 1


async def test_passing_faults_are_retried_no_sooner_than_asked() -> None:
    refusals = (refusal(429, **{"retry-after": "3"}), answer([1.0, 0.0]), Hangup(), refusal(503))
    async with serving(*refusals, answer([0.0, 1.0])) as stub, routing(stub.address) as (router, clock):
        np.testing.assert_array_equal(await router.embed(["a"]), [[1.0, 0.0]])
        assert sum(clock.slept) >= 3.0
        np.testing.assert_array_equal(await router.embed(["b"]), [[0.0, 1.0]])
    assert len(stub.asked) == 5


@pytest.mark.parametrize(("status", "calls"), [(401, 1), (404, 1), (503, 3)])
async def test_a_lasting_fault_is_one_clear_error_without_the_key(status: int, calls: int) -> None:
    async with serving(refusal(status)) as stub, routing(stub.address) as (router, _):
        with pytest.raises(EmbedderUnavailableError, match="did not answer") as caught:
            await router.embed(["a"])
    assert len(stub.asked) == calls
    assert KEY not in f"{caught.value}{caught.value.details}"


async def test_a_dead_address_is_passed_over() -> None:
    async with serving(answer([1.0, 0.0], packed=True)) as stub:
        with refusing() as nobody:
            async with routing(nobody, stub.address) as (router, _):
                for text in "abcdefgh":
                    assert (await router.embed([text])).shape == (1, 2)
                assert router.routes[0].health.breaker.state == "open"
    assert len(stub.asked) == 8


async def test_many_texts_are_sent_in_batches_and_a_batch_too_large_in_halves() -> None:
    one, two = answer([1.0, 0.0]), answer([1.0, 0.0], [0.0, 1.0])
    async with serving(two, refusal(413), one, one, one) as stub, routing(stub.address, batch_texts=2) as (router, _):
        assert (await router.embed(["a", "b", "c", "d", "e"])).shape == (5, 2)
    assert [asked.body["input"] for asked in stub.asked] == [["a", "b"], ["c", "d"], ["c"], ["d"], ["e"]]


async def test_a_text_that_is_refused_alone_is_named() -> None:
    one = answer([1.0, 0.0])
    async with serving(refusal(400), one, refusal(400)) as stub, routing(stub.address) as (router, _):
        with pytest.raises(InvalidInputError, match=r"texts\[1\]: the embedding model refuses it") as caught:
            await router.embed(["a", ""])
    assert KEY not in str(caught.value)


@pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no recordings at {FOLDER.name}/ beside the repository")
@pytest.mark.parametrize(
    ("recording", "texts", "usage"),
    [
        ("openai_embed__base64_raw_headers", ["This is a test for embeddings with encoding format"], Usage(9, 0)),
        ("openai_embed__batch_two_inputs", ["hello", "world"], Usage(2, 0)),
    ],
)
async def test_recordings_of_the_real_wire_are_read(recording: str, texts: list[str], usage: Usage) -> None:
    (response,) = read_responses(FOLDER / f"{recording}.yaml")
    packed = [row["embedding"] for row in json.loads(response.body)["data"]]
    async with serving(response) as stub:
        prices = Prices(Decimal("0.02"), Decimal(0))
        target = TargetConfig("main", "openai", "text-embedding-3-small", f"{stub.address}/v1", KEY, prices=prices)
        adapter = OpenAIEmbeddingTarget(EmbeddingTargetConfig(target, 1536))
        try:
            embedded = await adapter.embed(texts, PLAIN)
        finally:
            await adapter.aclose()
    raw = np.array([struct.unpack("<1536f", base64.b64decode(each)) for each in packed])
    np.testing.assert_allclose(embedded.vectors, raw / np.linalg.norm(raw, axis=1, keepdims=True), atol=1e-6)
    assert (embedded.model, embedded.usage) == ("text-embedding-3-small", usage)
    assert prices.cost(embedded.usage) == Decimal("0.02") * usage.input_tokens / 1_000_000


@pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no recordings at {FOLDER.name}/ beside the repository")
async def test_a_recorded_refusal_is_read() -> None:
    (response,) = read_responses(FOLDER / "openai_embed__404_model.yaml")
    async with asking(response) as (target, _):
        with pytest.raises(TargetFault) as caught:
            await target.embed(["Hello, world!"], PLAIN)
    assert (caught.value.kind, caught.value.status, caught.value.cause) == ("not_found", 404, "model_not_found")
