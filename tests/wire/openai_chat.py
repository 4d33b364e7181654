"""What a Chat Completions server says."""

import json

from tests.wire.stub import JSON, Streamed, Whole

MODEL = "gpt-stub-2026"
USAGE = {
    "prompt_tokens": 100,
    "completion_tokens": 20,
    "total_tokens": 120,
    "prompt_tokens_details": {"cached_tokens": 64},
    "completion_tokens_details": {"reasoning_tokens": 5},
}


def whole(text: str | None, finish: str | None = "stop", **message: object) -> Whole:
    body = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": MODEL,
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": text, **message}, "finish_reason": finish}
        ],
        "usage": USAGE,
    }
    return Whole(json.dumps(body).encode())


def error(status: int, *, headers: dict[str, str] | None = None, **fields: object) -> Whole:
    body = {"error": {"message": "no", "type": None, "param": None, "code": None, **fields}}
    return Whole(json.dumps(body).encode(), status, {**JSON, **(headers or {})})


def event(body: object) -> bytes:
    return b"data: %s\n\n" % json.dumps(body).encode()


def piece(text: str | None, finish: str | None = None) -> bytes:
    delta = {} if text is None else {"content": text}
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return event({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": MODEL, "choices": [choice]})


USAGE_CHUNK = event(
    {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": MODEL, "choices": [], "usage": USAGE}
)
ERROR_EVENT = event({"error": {"message": "The server had an error", "type": "server_error", "code": None}})
DONE = b"data: [DONE]\n\n"


def streamed(*texts: str) -> Streamed:
    return Streamed([b": a comment\n\n", piece(""), *map(piece, texts), piece(None, "stop"), USAGE_CHUNK, DONE])


def calls(*tools: tuple[str, str, str]) -> list[dict[str, object]]:
    """Return whole tool calls of ids, names and arguments."""
    return [
        {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}
        for call_id, name, arguments in tools
    ]


def streamed_calls(*tools: tuple[str, str, str]) -> Streamed:
    """Stream tool calls, their arguments in two pieces each."""
    chunks: list[bytes] = []
    for index, (call_id, name, arguments) in enumerate(tools):
        for each in (
            {"index": index, "id": call_id, "type": "function", "function": {"name": name, "arguments": ""}},
            {"index": index, "function": {"arguments": arguments[:4]}},
            {"index": index, "function": {"arguments": arguments[4:]}},
        ):
            choice = {"index": 0, "delta": {"tool_calls": [each]}, "finish_reason": None}
            chunks.append(event({"id": "c", "model": MODEL, "choices": [choice]}))
    return Streamed([piece(""), *chunks, piece(None, "tool_calls"), USAGE_CHUNK, DONE])
