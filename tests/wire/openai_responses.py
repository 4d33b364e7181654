"""What a Responses server says."""

import json

from tests.wire.openai_chat import error
from tests.wire.stub import Streamed, Whole

__all__ = ["MODEL", "USAGE", "body", "error", "event", "piece", "streamed", "streamed_calls", "whole", "whole_calls"]

MODEL = "gpt-stub-2026"
USAGE = {
    "input_tokens": 100,
    "input_tokens_details": {"cached_tokens": 64},
    "output_tokens": 20,
    "output_tokens_details": {"reasoning_tokens": 5},
    "total_tokens": 120,
}


def body(*output: dict[str, object], status: str = "completed", **fields: object) -> dict[str, object]:
    told = {"id": "resp_1", "object": "response", "model": MODEL, "error": None, "incomplete_details": None}
    return {**told, "status": status, "output": [*output], "usage": USAGE, **fields}


def message(text: str) -> dict[str, object]:
    return {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]}


def call(call_id: str, name: str, arguments: str) -> dict[str, object]:
    return {"type": "function_call", "id": f"fc_{call_id}", "call_id": call_id, "name": name, "arguments": arguments}


def whole(text: str, status: str = "completed", **fields: object) -> Whole:
    return Whole(json.dumps(body(message(text), status=status, **fields)).encode())


def whole_calls(*tools: tuple[str, str, str]) -> Whole:
    return Whole(json.dumps(body(*(call(*tool) for tool in tools))).encode())


def event(kind: str, **fields: object) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (kind.encode(), json.dumps({"type": kind, **fields}).encode())


def piece(text: str) -> bytes:
    return event("response.output_text.delta", output_index=0, content_index=0, delta=text)


START = event("response.created", response=body(status="in_progress", usage=None))
ERROR_EVENT = event("error", code="server_error", message="The server had an error", param=None)


def streamed(*texts: str) -> Streamed:
    end = event("response.completed", response=body(message("".join(texts))))
    return Streamed([START, *map(piece, texts), end])


def streamed_calls(*tools: tuple[str, str, str]) -> Streamed:
    """Stream tool calls, their arguments in two pieces each."""
    events: list[bytes] = []
    for index, (call_id, name, arguments) in enumerate(tools):
        events.append(event("response.output_item.added", output_index=index, item=call(call_id, name, "")))
        events += [
            event("response.function_call_arguments.delta", output_index=index, delta=part)
            for part in (arguments[:4], arguments[4:])
        ]
    end = event("response.completed", response=body(*(call(*tool) for tool in tools)))
    return Streamed([START, *events, end])
