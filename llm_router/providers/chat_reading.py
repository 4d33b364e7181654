"""Answers of Chat Completions, read by the protocol: servers differ in what they leave out and add."""

from collections.abc import Mapping
from decimal import Decimal

from llm_router.faults import FaultKind, TargetFault, fault_of
from llm_router.prompt import Prompt
from llm_router.providers.draft import Draft
from llm_router.providers.wire import as_body, as_count, as_list, as_money, as_object, as_text, read_error_body
from llm_router.reply import Answer, Finish, Usage

_FINISH: dict[str, Finish] = {
    "stop": "stop",
    "eos": "stop",
    "length": "length",
    "max_tokens": "length",
    "content_filter": "content_filter",
    "sensitive": "content_filter",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
}

_FAULTS: dict[str, FaultKind] = {
    "error": "server_error",
    "network_error": "server_error",
    "insufficient_system_resource": "overloaded",
    "abort": "cancelled",
}
"""Finish markers of compatible servers that mark no answer."""

_THOUGHTS = ("reasoning_content", "reasoning", "reasoning_details")


class ChatReading:
    """One answer being read, from a whole body or from chunks."""

    is_over = False  # a usage may follow the finish marker, so the stream's own end is waited for

    def __init__(self, target: str, model: str, prompt: Prompt) -> None:
        self.target = target
        self._draft = Draft(target, model, prompt)
        self._finish: str | None = None

    def read_whole(self, body: object) -> str:
        """Take in a whole body and return its text.

        Raises:
            TargetFault: it tells of an error, or is not what the wire promises.
        """
        fields = as_body(body)
        if not (fields.get("error") or as_list(fields.get("choices"))):
            raise TargetFault(self.target, "malformed")
        self._read(fields, "message")
        return self._draft.text()

    def read_event(self, event: Mapping[str, object]) -> str | None:
        """Take in one chunk of a stream and return its text; an empty one for thinking, refusals and tool calls.

        Raises:
            TargetFault: it tells of an error.
        """
        return self._read(event, "delta")

    def spent(self) -> Usage | None:
        """Return the tokens spent so far."""
        return self._draft.spent()

    def answer(self) -> Answer:
        """Return the whole answer.

        Raises:
            TargetFault: it ended without a finish marker, with one that says it failed, or has a malformed tool call.
        """
        if self._finish is None:
            raise self._draft.fault("truncated")
        if self._finish in _FAULTS:
            raise self._draft.fault(_FAULTS[self._finish])
        return self._draft.answer(_FINISH.get(self._finish, "other"))

    def _read(self, fields: Mapping[str, object], part: str) -> str | None:
        draft = self._draft
        first = _first_of(fields, part)
        self._read_head(fields, first)
        if fields.get("error"):
            raise fault_of(read_error_body("openai", "stream", fields), self.target, draft.spent())
        said = as_object(first.get(part))
        piece = _text_of(said.get("content"))
        draft.add(piece)
        draft.refused = draft.refused or bool(said.get("refusal"))
        self._finish = as_text(first.get("finish_reason")) or self._finish
        calls = as_list(said.get("tool_calls")) or [{"function": call} for call in [said.get("function_call")] if call]
        for place, call in enumerate(map(as_object, calls)):
            function = as_object(call.get("function"))
            name, arguments = as_text(function.get("name")), function.get("arguments")
            index = place if part == "message" else call.get("index")
            draft.calls.take(index, as_text(call.get("id")), name, arguments)
        works = calls or said.get("refusal") or any(said.get(name) for name in _THOUGHTS)
        return piece if piece or works else None

    def _read_head(self, fields: Mapping[str, object], first: Mapping[str, object]) -> None:
        draft = self._draft
        draft.model = as_text(fields.get("model")) or draft.model
        draft.response_id = as_text(fields.get("id")) or draft.response_id
        draft.tier = as_text(fields.get("service_tier")) or draft.tier
        usage = fields.get("usage") or first.get("usage") or as_object(fields.get("x_groq")).get("usage")
        if isinstance(usage, Mapping) and usage:
            draft.count(usage, read_usage(usage))
            draft.cost_usd = _read_cost(usage)


def read_usage(fields: Mapping[str, object]) -> Usage:
    """Return disjoint buckets: on this wire the input includes cached tokens and the output includes reasoning.

    A few servers count reasoning beside the output; there the total is the sum of all three.
    """
    asked, said = as_count(fields.get("prompt_tokens")), as_count(fields.get("completion_tokens"))
    of_prompt = as_object(fields.get("prompt_tokens_details"))
    of_answer = as_object(fields.get("completion_tokens_details"))
    told = as_count(of_prompt.get("cached_tokens")) or as_count(fields.get("prompt_cache_hit_tokens"))
    read = min(told, asked)
    written = min(as_count(of_prompt.get("cache_write_tokens")), asked - read)
    thought = as_count(of_answer.get("reasoning_tokens"))
    if thought and as_count(fields.get("total_tokens")) == asked + said + thought:
        said += thought
    thought = min(thought, said)
    return Usage(asked - read - written, said - thought, read, written, thought)


def _read_cost(usage: Mapping[str, object]) -> Decimal | None:
    """Return what a broker says that it charged; with the caller's own key, what the provider behind it charges too."""
    cost = as_money(usage.get("cost"))
    if cost is None or usage.get("is_byok") is not True:
        return cost
    return cost + (as_money(as_object(usage.get("cost_details")).get("upstream_inference_cost")) or 0)


def _first_of(fields: Mapping[str, object], part: str) -> Mapping[str, object]:
    """Return the first choice, which is the answer; a chunk may be of another one."""
    choices = [as_object(choice) for choice in as_list(fields.get("choices"))]
    if part == "message":
        return choices[0] if choices else {}
    return next((choice for choice in choices if not as_count(choice.get("index"))), {})


def _text_of(content: object) -> str:
    """Return the text of a message's content: a string, or with some servers a list of parts."""
    if isinstance(content, str):
        return as_text(content)
    return "".join(as_text(as_object(part).get("text")) for part in as_list(content))
