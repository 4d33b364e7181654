"""What Anthropic's Messages API says."""

import json

from tests.wire.stub import JSON, Streamed, Whole

MODEL = "claude-stub-2026"
USAGE = {
    "input_tokens": 36,
    "output_tokens": 20,
    "cache_read_input_tokens": 64,
    "cache_creation_input_tokens": 7,
    "output_tokens_details": {"thinking_tokens": 5},
}


def whole(text: str, finish: str | None = "end_turn") -> Whole:
    body = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": MODEL,
        "content": [{"type": "thinking", "thinking": "hm", "signature": ""}, {"type": "text", "text": text}],
        "stop_reason": finish,
        "stop_sequence": None,
        "usage": USAGE,
    }
    return Whole(json.dumps(body).encode())


def error(status: int, kind: str, *, headers: dict[str, str] | None = None, **fields: object) -> Whole:
    body = {"type": "error", "error": {"type": kind, "message": "no", **fields}, "request_id": "req_1"}
    return Whole(json.dumps(body).encode(), status, {**JSON, **(headers or {})})


def event(kind: str, **fields: object) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (kind.encode(), json.dumps({"type": kind, **fields}).encode())


def piece(text: str) -> bytes:
    return event("content_block_delta", index=0, delta={"type": "text_delta", "text": text})


START = event(
    "message_start",
    message={
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": MODEL,
        "content": [],
        "stop_reason": None,
        "usage": {**USAGE, "output_tokens": 1},
    },
) + event("content_block_start", index=0, content_block={"type": "text", "text": ""})
FINISH = event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 20})
STOP = event("message_stop")
ERROR_EVENT = event("error", error={"type": "overloaded_error", "message": "Overloaded"})


def streamed(*texts: str) -> Streamed:
    return Streamed([START, event("ping"), *map(piece, texts), FINISH, STOP])


def whole_calls(*tools: tuple[str, str, str]) -> Whole:
    """Return a message that calls tools of ids, names and arguments."""
    blocks = [
        {"type": "tool_use", "id": call_id, "name": name, "input": json.loads(arguments)}
        for call_id, name, arguments in tools
    ]
    told = {"id": "msg_1", "type": "message", "role": "assistant", "model": MODEL, "usage": USAGE}
    return Whole(json.dumps({**told, "content": blocks, "stop_reason": "tool_use"}).encode())


def streamed_calls(*tools: tuple[str, str, str]) -> Streamed:
    """Stream tool calls, their arguments in two pieces each."""
    events: list[bytes] = []
    for index, (call_id, name, arguments) in enumerate(tools, 1):
        block = {"type": "tool_use", "id": call_id, "name": name, "input": {}}
        events.append(event("content_block_start", index=index, content_block=block))
        for part in (arguments[:4], arguments[4:]):
            delta = {"type": "input_json_delta", "partial_json": part}
            events.append(event("content_block_delta", index=index, delta=delta))
        events.append(event("content_block_stop", index=index))
    end = event("message_delta", delta={"stop_reason": "tool_use"}, usage={"output_tokens": 20})
    return Streamed([START, *events, end, STOP])
