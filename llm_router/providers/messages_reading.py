"""Answers of Anthropic's Messages, read by the protocol."""

from collections.abc import Mapping

from llm_router.faults import TargetFault, fault_of
from llm_router.prompt import Prompt
from llm_router.providers.draft import Draft
from llm_router.providers.wire import as_body, as_count, as_list, as_object, as_text, read_error_body
from llm_router.reply import Answer, Finish, Usage

_FINISH: dict[str, Finish] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_use",
    "refusal": "content_filter",
}

_COUNTS = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")


class MessageReading:
    """One answer being read, from a whole message or from events."""

    def __init__(self, target: str, model: str, prompt: Prompt) -> None:
        self.target = target
        self.is_over = False
        self._draft = Draft(target, model, prompt)
        self._finish: str | None = None

    def read_whole(self, body: object) -> str:
        """Take in a whole message and return its text.

        Raises:
            TargetFault: it tells of an error, or is not what the wire promises.
        """
        fields = as_body(body)
        self._raise_if_error(fields)
        if not isinstance(fields.get("content"), list):
            raise TargetFault(self.target, "malformed")
        self._read_head(fields)
        self._finish = as_text(fields.get("stop_reason")) or None
        self.is_over = True
        for index, block in enumerate(as_list(fields.get("content"))):
            self._read_block(index, as_object(block))
        return self._draft.text()

    def read_event(self, event: Mapping[str, object]) -> str | None:
        """Take in one event of a stream and return its text; an empty one for thinking and tool calls.

        Raises:
            TargetFault: it tells of an error.
        """
        self._raise_if_error(event)
        kind, delta = as_text(event.get("type")), as_object(event.get("delta"))
        index = as_count(event.get("index"))
        if kind == "content_block_delta":
            return self._read_delta(index, delta)
        if kind == "content_block_start":
            return self._read_block(index, as_object(event.get("content_block")))
        if kind == "message_start":
            self._read_head(as_object(event.get("message")))
        elif kind == "message_delta":
            self._finish = as_text(delta.get("stop_reason")) or self._finish
            self._count(as_object(event.get("usage")))
        elif kind == "message_stop":
            self.is_over = True
        return None

    def spent(self) -> Usage | None:
        """Return the tokens spent so far."""
        return self._draft.spent()

    def answer(self) -> Answer:
        """Return the whole answer.

        Raises:
            TargetFault: it ended without its finish markers, or has a malformed tool call.
        """
        if self._finish is None or not self.is_over:
            raise self._draft.fault("truncated")
        return self._draft.answer(_FINISH.get(self._finish, "other"))

    def _read_block(self, index: int, block: Mapping[str, object]) -> str | None:
        kind = block.get("type")
        if kind == "text":
            piece = as_text(block.get("text"))
            self._draft.add(piece)
            return piece or None
        if kind == "tool_use":
            arguments = block.get("input") or ""  # empty at a stream's start: the pieces follow
            self._draft.calls.take(index, as_text(block.get("id")), as_text(block.get("name")), arguments)
        return ""

    def _read_delta(self, index: int, delta: Mapping[str, object]) -> str:
        if delta.get("type") == "text_delta":
            piece = as_text(delta.get("text"))
            self._draft.add(piece)
            return piece
        if delta.get("type") == "input_json_delta" and self._draft.calls.knows(index):
            self._draft.calls.take(index, "", "", delta.get("partial_json"))
        return ""

    def _raise_if_error(self, fields: Mapping[str, object]) -> None:
        if fields.get("type") == "error" or fields.get("error"):
            raise fault_of(read_error_body("anthropic", "stream", fields), self.target, self.spent())

    def _read_head(self, message: Mapping[str, object]) -> None:
        self._draft.model = as_text(message.get("model")) or self._draft.model
        self._draft.response_id = as_text(message.get("id")) or self._draft.response_id
        self._count(as_object(message.get("usage")))

    def _count(self, usage: Mapping[str, object]) -> None:
        """Merge by maximum: a stream's later counts are cumulative, and some of them say the output alone."""
        if not usage:
            return
        known = self._draft.raw_usage or {}
        told = {name: value for name, value in usage.items() if value is not None}
        for name in _COUNTS:
            if name in told and name in known:
                told[name] = max(as_count(told[name]), as_count(known[name]))
        raw = {**known, **told}
        self._draft.count(raw, read_usage(raw))
        self._draft.tier = as_text(usage.get("service_tier")) or self._draft.tier


def read_usage(fields: Mapping[str, object]) -> Usage:
    """Return disjoint buckets: on this wire cached tokens stand beside the input, and the output includes thinking."""
    said, by_age = as_count(fields.get("output_tokens")), as_object(fields.get("cache_creation"))
    for_1h, for_5m = (as_count(by_age.get(f"ephemeral_{age}_input_tokens")) for age in ("1h", "5m"))
    written = as_count(fields.get("cache_creation_input_tokens")) or for_1h + for_5m
    for_1h = min(for_1h, written)
    thought = min(as_count(as_object(fields.get("output_tokens_details")).get("thinking_tokens")), said)
    return Usage(
        input_tokens=as_count(fields.get("input_tokens")),
        output_tokens=said - thought,
        cache_read_tokens=as_count(fields.get("cache_read_input_tokens")),
        cache_write_tokens=written - for_1h,
        reasoning_tokens=thought,
        cache_write_1h_tokens=for_1h,
    )
