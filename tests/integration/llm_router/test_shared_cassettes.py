"""Exchanges that other projects recorded with the real providers; they are kept beside the repository, not in it."""

import json
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from llm_router import (
    PROVIDERS,
    Answer,
    AssistantTurn,
    Clocks,
    Materials,
    Prices,
    Prompt,
    TargetConfig,
    TargetFault,
    ToolResult,
)
from tests.wire.recorded import read_exchanges
from tests.wire.recordings import ELSEWHERE, EXPECTED, Failed, Said
from tests.wire.stub import Whole, serving

FOLDER = Path(__file__).resolve().parents[4] / "shared" / "cassettes"

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no recordings at {FOLDER.name}/ beside the repository")

PRICES = Prices(Decimal(3), Decimal(15), Decimal("0.3"), Decimal("3.75"), Decimal(6), version="made up")


def provider_of(name: str) -> str:
    if name.startswith("anthropic"):
        return "anthropic"
    return "openai-responses" if name.startswith("openai_responses") else "openai"


async def play(name: str, prompt: Prompt, *responses: Whole, streamed: bool) -> tuple[list[str], Answer, Any]:
    """Return the pieces of a recorded answer, the whole of it and the last body that was sent for it."""
    provider = provider_of(name)
    async with serving(*responses) as stub:
        address = stub.address if provider == "anthropic" else f"{stub.address}/v1"
        config = TargetConfig("main", provider, "any", address, "sk-stub-0123456789")
        target = PROVIDERS.get(provider).build(config, Materials())
        try:
            items = [item async for item in target.stream(prompt, Clocks())] if streamed else []
            answer = items.pop() if streamed else await target.ask(prompt, Clocks())
        finally:
            await target.aclose()
    assert isinstance(answer, Answer)
    assert len(stub.asked) == len(responses)
    return [str(item) for item in items], answer, stub.asked[-1].body


@pytest.mark.parametrize(("name", "index"), [key for key, each in EXPECTED.items() if isinstance(each, Said)])
async def test_an_answer_is_read(name: str, index: int, prompt: Prompt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llm_router.providers.openai_responses._POLL_FIRST_S", 0.01)
    said = EXPECTED[name, index]
    assert isinstance(said, Said)
    exchanges = read_exchanges(FOLDER / f"{name}.yaml")[index : index + said.exchanges]
    responses = [exchange.response for exchange in exchanges]
    pieces, answer, _ = await play(name, prompt, *responses, streamed=exchanges[0].is_streamed)
    assert (answer.model, answer.finish, answer.tool_calls) == (said.model, said.finish, said.calls)
    assert answer.text.startswith(said.begins)
    assert answer.text.endswith(said.ends)
    assert bool(answer.text) is bool(said.begins)
    if exchanges[0].is_streamed:
        assert "".join(pieces) == answer.text
        assert pieces.count("") == said.signs
    assert (answer.usage, answer.tier) == (said.usage, said.tier)
    assert answer.raw_usage or answer.usage.estimated
    assert PRICES.cost(answer.usage) == Decimal(said.micro_usd) / 1_000_000
    assert answer.cost_usd == (None if said.charged_usd is None else Decimal(said.charged_usd))
    assert answer.response_id


@pytest.mark.parametrize(("name", "index"), [key for key, each in EXPECTED.items() if isinstance(each, Failed)])
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
async def test_an_error_is_named(name: str, index: int, streamed: bool, prompt: Prompt) -> None:
    failed = EXPECTED[name, index]
    assert isinstance(failed, Failed)
    exchange = read_exchanges(FOLDER / f"{name}.yaml")[index]
    with pytest.raises(TargetFault) as caught:
        await play(name, prompt, exchange.response, streamed=streamed or exchange.is_streamed)
    fault = caught.value
    assert (fault.kind, fault.status, fault.cause) == (failed.kind, failed.status, failed.cause)
    assert (fault.retryable, fault.usage) == (failed.is_retryable, failed.usage)


def list_tool_parts(body: Any) -> list[object]:
    """Return a request's tool calls and their results, on whatever wire, without what may be said in several ways."""
    parts: list[object] = []
    for message in body.get("messages", body.get("input", [])):
        content = message.get("content")
        blocks = [*(content if isinstance(content, list) else []), *(message.get("tool_calls") or ())]
        for block in [message, *blocks]:
            kind = block.get("type") or block.get("role")
            told = {**block, **block.get("function", {})}
            if kind in {"function", "function_call", "tool_use"}:
                arguments = told.get("input") or json.loads(told.get("arguments", "{}"))
                parts.append((told.get("call_id") or told.get("id"), told["name"], arguments))
            elif kind in {"tool", "function_call_output", "tool_result"}:
                parts.append((told.get("call_id") or told.get("tool_call_id") or told["tool_use_id"], text_of(told)))
    return parts


def text_of(block: Mapping[str, Any]) -> str:
    told = block.get("content", block.get("output"))
    return told if isinstance(told, str) else "".join(part["text"] for part in told or [])


ROUND_TRIPS = {
    "openai_chat__json_schema_after_tool": ["Mexico"],
    "openai_responses__json_schema": ["Mexico"],
    "openai_responses__stream_tool_roundtrip": ["2869461"],
    "anthropic__tool_roundtrip_json_schema": ["Japan", "1457"],
}


@pytest.mark.parametrize("name", [*ROUND_TRIPS])
async def test_a_round_trip_of_tools_sends_back_what_was_recorded(name: str, prompt: Prompt) -> None:
    first, second = read_exchanges(FOLDER / f"{name}.yaml")
    _, asking, _ = await play(name, prompt, first.response, streamed=first.is_streamed)
    results = [ToolResult(call.call_id, text) for call, text in zip(asking.tool_calls, ROUND_TRIPS[name], strict=True)]
    turned = replace(prompt, turns=(AssistantTurn(asking.text, asking.tool_calls), *results))
    _, answer, sent = await play(name, turned, second.response, streamed=second.is_streamed)
    assert list_tool_parts(sent) == list_tool_parts(second.asked) != []
    assert (answer.finish, answer.tool_calls) == ("stop", ())


def test_every_exchange_of_every_recording_is_covered() -> None:
    spans = {key: each.exchanges if isinstance(each, Said) else 1 for key, each in EXPECTED.items()}
    covered = {(name, index + more) for (name, index), span in spans.items() for more in range(span)}
    there = {(file.stem, place) for file in FOLDER.glob("*.yaml") for place, _ in enumerate(read_exchanges(file))}
    assert there == covered | ELSEWHERE
    assert not covered & ELSEWHERE
