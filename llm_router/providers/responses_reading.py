"""Answers of OpenAI's Responses, read by the protocol."""

from collections.abc import Mapping

from llm_router.faults import TargetFault, fault_of
from llm_router.prompt import Prompt
from llm_router.providers.draft import Draft
from llm_router.providers.wire import as_body, as_count, as_list, as_object, as_text, read_error_body
from llm_router.reply import Answer, Finish, Usage

_PENDING = frozenset({"queued", "in_progress"})

_WHY_INCOMPLETE: dict[str, Finish] = {
    "max_output_tokens": "length",
    "content_filter": "content_filter",
}

_UNSEEN = frozenset(
    {
        "response.refusal.delta",
        "response.reasoning_text.delta",
        "response.reasoning_summary_text.delta",
        "response.function_call_arguments.delta",
    }
)
"""Events of work that no reader sees."""


class ResponseReading:
    """One answer being read, from a whole body or from events."""

    def __init__(self, target: str, model: str, prompt: Prompt) -> None:
        self.target = target
        self._draft = Draft(target, model, prompt)
        self._status = ""
        self._reason = ""

    @property
    def is_over(self) -> bool:
        """Whether the answer has its end."""
        return bool(self._status) and not self.is_pending

    @property
    def is_pending(self) -> bool:
        """Whether the provider still works on the answer, in the background."""
        return self._status in _PENDING

    @property
    def response_id(self) -> str | None:
        """The provider's name for the answer, under which it can be asked for."""
        return self._draft.response_id

    def read_whole(self, body: object) -> str:
        """Take in a whole body and return its text; that of an answer still in the making has none.

        Raises:
            TargetFault: it tells of an error, or is not what the wire promises.
        """
        fields = as_body(body)
        is_response = isinstance(fields.get("output"), list) and as_text(fields.get("status"))
        if not (fields.get("error") or is_response):
            raise TargetFault(self.target, "malformed")
        return self._read_response(fields)

    def read_event(self, event: Mapping[str, object]) -> str | None:
        """Take in one event of a stream and return its text; an empty one for thinking, refusals and tool calls.

        Raises:
            TargetFault: it tells of an error.
        """
        kind = as_text(event.get("type"))
        if kind == "error" or event.get("error"):
            raise fault_of(read_error_body("openai", "stream", event), self.target, self.spent())
        if kind == "response.output_text.delta":
            piece = as_text(event.get("delta"))
            self._draft.add(piece)
            return piece
        if isinstance(event.get("response"), Mapping):
            return self._read_response(as_object(event["response"])) or None
        return self._read_unseen(kind, event)

    def spent(self) -> Usage | None:
        """Return the tokens spent so far."""
        return self._draft.spent()

    def answer(self) -> Answer:
        """Return the whole answer.

        Raises:
            TargetFault: it has no end, failed, was cancelled, or has a malformed tool call.
        """
        if self._status == "completed":
            return self._draft.answer("stop")
        if self._status == "incomplete":
            return self._draft.answer(_WHY_INCOMPLETE.get(self._reason, "other"))
        if self._status in {"failed", "cancelled"}:
            raise self._draft.fault("cancelled" if self._status == "cancelled" else "server_error")
        raise self._draft.fault("truncated")

    def _read_unseen(self, kind: str, event: Mapping[str, object]) -> str | None:
        calls, index = self._draft.calls, as_count(event.get("output_index"))
        item = as_object(event.get("item"))
        if item.get("type") == "function_call":
            if not calls.knows(index):
                calls.take(index, as_text(item.get("call_id")), as_text(item.get("name")), "")
            calls.settle(index, as_text(item.get("arguments")))
            return ""
        if kind == "response.function_call_arguments.delta":
            calls.take(index, "", "", event.get("delta"))
        elif kind == "response.refusal.delta":
            self._draft.refused = True
        return "" if kind in _UNSEEN else None

    def _read_response(self, fields: Mapping[str, object]) -> str:
        """Take in the state of a response and return the text that is new in it."""
        self._read_head(fields)
        self._raise_if_error(fields)
        if self.is_pending:
            return ""
        had_text, had_calls = bool(self._draft.text()), bool(self._draft.calls)
        pieces: list[str] = []
        for index, item in enumerate(map(as_object, as_list(fields.get("output")))):
            if item.get("type") == "message":
                pieces += self._read_message(item)
            elif item.get("type") == "function_call" and not had_calls:
                name, arguments = as_text(item.get("name")), item.get("arguments")
                self._draft.calls.take(index, as_text(item.get("call_id")), name, arguments)
        text = "" if had_text else "".join(pieces)
        self._draft.add(text)
        return text

    def _read_message(self, item: Mapping[str, object]) -> list[str]:
        parts = [as_object(part) for part in as_list(item.get("content"))]
        self._draft.refused = self._draft.refused or any(part.get("type") == "refusal" for part in parts)
        return [as_text(part.get("text")) for part in parts if part.get("type") == "output_text"]

    def _read_head(self, fields: Mapping[str, object]) -> None:
        draft = self._draft
        self._status = as_text(fields.get("status")) or self._status
        self._reason = as_text(as_object(fields.get("incomplete_details")).get("reason"))
        draft.model = as_text(fields.get("model")) or draft.model
        draft.response_id = as_text(fields.get("id")) or draft.response_id
        draft.tier = as_text(fields.get("service_tier")) or draft.tier
        usage = as_object(fields.get("usage"))
        if usage:
            draft.count(usage, read_usage(usage))

    def _raise_if_error(self, fields: Mapping[str, object]) -> None:
        if fields.get("error"):
            raise fault_of(read_error_body("openai", "stream", fields), self.target, self.spent())


def read_usage(fields: Mapping[str, object]) -> Usage:
    """Return disjoint buckets: on this wire the input includes cached tokens and the output includes reasoning."""
    asked, said = as_count(fields.get("input_tokens")), as_count(fields.get("output_tokens"))
    of_input = as_object(fields.get("input_tokens_details"))
    of_output = as_object(fields.get("output_tokens_details"))
    read = min(as_count(of_input.get("cached_tokens")), asked)
    written = min(as_count(of_input.get("cache_write_tokens")), asked - read)
    thought = min(as_count(of_output.get("reasoning_tokens")), said)
    return Usage(asked - read - written, said - thought, read, written, thought)
