"""Targets of each wire, connected to the stub without a router."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Literal

import pytest

from llm_router import PROVIDERS, Answer, Clocks, Materials, Prompt, Target, TargetConfig, TargetFault, ToolCall, Usage
from tests.wire import anthropic_messages, openai_chat, openai_responses
from tests.wire.stub import Response, serving

Ending = Literal["clean", "drop", "drop_in_chunk", "stall"]

KEY = "sk-stub-0123456789"
CLOCKS = Clocks(total_s=0.5)
TOOLS = [("a", "find", '{"q": "Ada"}'), ("b", "find", "{}")]
CALLS = (ToolCall("a", "find", {"q": "Ada"}), ToolCall("b", "find", {}))


@dataclass(frozen=True)
class Wire:
    """A wire: who speaks it, its words, and the path that is asked."""

    provider: str
    words: ModuleType
    base_path: str
    path: str
    whole_calls: Callable[..., Response]
    usage: Usage


WIRES = [
    Wire(
        "openai",
        openai_chat,
        "/v1",
        "/v1/chat/completions",
        lambda *tools: openai_chat.whole(None, "stop", tool_calls=openai_chat.calls(*tools)),
        Usage(36, 15, 64, 0, 5),
    ),
    Wire(
        "openai-responses",
        openai_responses,
        "/v1",
        "/v1/responses",
        openai_responses.whole_calls,
        Usage(36, 15, 64, 0, 5),
    ),
    Wire(
        "anthropic",
        anthropic_messages,
        "",
        "/v1/messages",
        anthropic_messages.whole_calls,
        Usage(36, 15, 64, 7, 5),
    ),
]


@asynccontextmanager
async def connected(wire: Wire, address: str, **settings: object) -> AsyncIterator[Target]:
    told: dict[str, object] = {"api_key": KEY, "base_url": address + wire.base_path, **settings}
    config = TargetConfig("main", wire.provider, "stub-latest", **told)  # type: ignore[arg-type]
    target = PROVIDERS.get(wire.provider).build(config, Materials())
    try:
        yield target
    finally:
        await target.aclose()


async def ask(wire: Wire, prompt: Prompt, *responses: Response) -> Answer:
    async with serving(*responses) as stub, connected(wire, stub.address) as target:
        return await target.ask(prompt, CLOCKS)


async def read(wire: Wire, prompt: Prompt, *responses: Response) -> tuple[list[str], Answer]:
    async with serving(*responses) as stub, connected(wire, stub.address) as target:
        *pieces, answer = [item async for item in target.stream(prompt, CLOCKS)]
    assert isinstance(answer, Answer)
    texts = [piece for piece in pieces if isinstance(piece, str)]
    assert len(texts) == len(pieces)
    assert "".join(texts) == answer.text
    return texts, answer


async def fail(wire: Wire, prompt: Prompt, response: Response, *, streamed: bool) -> TargetFault:
    with pytest.raises(TargetFault) as caught:
        await (read(wire, prompt, response) if streamed else ask(wire, prompt, response))
    assert KEY not in f"{caught.value!r} {vars(caught.value)}"
    return caught.value


def begun(wire: Wire, *more: bytes) -> Sequence[bytes]:
    """Return the beginning of a streamed answer, without its end."""
    head = [] if wire.provider == "openai" else [wire.words.START]
    return [*head, wire.words.piece("In "), wire.words.piece("20"), *more]
