"""Embeddings are seen like answers, under the conventions' own name for them."""

import pytest

from core.errors import EmbedderUnavailableError
from llm_router import TargetFault
from tests.unit.llm_router.embedding.scripted import Scripted, build
from tests.unit.llm_router.telemetry.conftest import Seen, attempts_of, call_of, id_of, parent_id, told


async def test_a_batch_is_a_call_with_its_attempts(seen: Seen) -> None:
    router = build(Scripted(), observer=seen.telemetry)
    await router.embed(["a secret text", "another"])
    await router.aclose()
    call, (attempt,) = call_of(seen), attempts_of(seen)
    assert [span.name for span in (call, attempt)] == ["embeddings small", "embeddings small"]
    assert parent_id(attempt) == id_of(call)
    assert {span["gen_ai.operation.name"] for span in (told(call), told(attempt))} == {"embeddings"}
    assert told(call)["lattice.llm.outcome"] == "answered"
    assert "gen_ai.response.finish_reasons" not in told(call)
    assert told(attempt)["gen_ai.usage.input_tokens"] == 2
    assert seen.value("lattice_llm_calls_total", model="small", outcome="answered") == 1
    assert "secret" not in seen.text


async def test_a_batch_that_nobody_embeds_is_a_failed_call(seen: Seen) -> None:
    def refuse(*_: object) -> None:
        raise TargetFault("main", "unauthenticated", status=401)

    router = build(Scripted(respond=refuse), observer=seen.telemetry)
    with pytest.raises(EmbedderUnavailableError):
        await router.embed(["a text"])
    await router.aclose()
    assert told(call_of(seen))["lattice.llm.outcome"] == "failed"
    assert seen.value("lattice_llm_calls_total", model="small", outcome="failed") == 1
