"""Anthropic's Messages wire. The SDK does transport, keys and server-sent events; bodies are read as plain JSON."""

from collections.abc import AsyncIterator, Mapping

import anthropic
import httpx2

from llm_router.config import TargetConfig
from llm_router.faults import TargetFault, fault_of
from llm_router.prompt import Prompt
from llm_router.reply import Answer, Finish, Usage, estimate_usage
from llm_router.wire import Phases, as_body, as_count, as_list, as_object, as_text, faults_of, read_error_body

ADDRESS = "https://api.anthropic.com"

PHASES: Phases = {
    anthropic.APIStatusError: "answer",  # also an error event inside a stream, then with the stream's own status
    anthropic.APIResponseValidationError: "decode",
    anthropic.APITimeoutError: "clock",
    anthropic.APIConnectionError: "connection",
    anthropic.APIError: "stream",
}

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

    def __init__(self, target: str, model: str, asked: str) -> None:
        self._target = target
        self._model = model
        self._asked = asked
        self._pieces: list[str] = []
        self._finish: str | None = None
        self._stopped = False
        self._counts = dict.fromkeys((*_COUNTS, "thinking_tokens"), 0)

    def read_message(self, body: object) -> None:
        """Take in a whole message.

        Raises:
            TargetFault: it tells of an error, or is not what the wire promises.
        """
        fields = as_body(body)
        self._raise_if_error(fields)
        if not isinstance(fields.get("content"), list):
            raise TargetFault(self._target, "malformed")
        self._read_head(fields)
        self._finish = as_text(fields.get("stop_reason")) or None
        self._stopped = True
        blocks = map(as_object, as_list(fields.get("content")))
        self._pieces += [as_text(block.get("text")) for block in blocks if block.get("type") == "text"]

    def read_event(self, body: object) -> str:
        """Take in one event of a stream and return its text; thinking and tool input are no text.

        Raises:
            TargetFault: it tells of an error.
        """
        fields = as_object(body)
        self._raise_if_error(fields)
        kind, delta = as_text(fields.get("type")), as_object(fields.get("delta"))
        piece = ""
        if kind == "message_start":
            self._read_head(as_object(fields.get("message")))
        elif kind == "content_block_start":
            piece = as_text(as_object(fields.get("content_block")).get("text"))
        elif kind == "content_block_delta" and delta.get("type") == "text_delta":
            piece = as_text(delta.get("text"))
        elif kind == "message_delta":
            self._finish = as_text(delta.get("stop_reason")) or self._finish
            self._count(as_object(fields.get("usage")))
        elif kind == "message_stop":
            self._stopped = True
        self._pieces.append(piece)
        return piece

    def usage(self) -> Usage | None:
        """Return the tokens spent so far; a guess if text came without a count, None if nothing did."""
        counts = self._counts
        if any(counts.values()):
            thought = min(counts["thinking_tokens"], counts["output_tokens"])
            return Usage(
                input_tokens=counts["input_tokens"],
                output_tokens=counts["output_tokens"] - thought,
                cache_read_tokens=counts["cache_read_input_tokens"],
                cache_write_tokens=counts["cache_creation_input_tokens"],
                reasoning_tokens=thought,
            )
        text = "".join(self._pieces)
        return estimate_usage(self._asked, text) if text else None

    def answer(self) -> Answer:
        """Return the whole answer.

        Raises:
            TargetFault: it ended without its finish markers.
        """
        if self._finish is None or not self._stopped:
            raise TargetFault(self._target, "truncated", usage=self.usage())
        text = "".join(self._pieces)
        usage = self.usage() or estimate_usage(self._asked, text)
        return Answer(text, self._model, _FINISH.get(self._finish, "other"), usage)

    def _raise_if_error(self, fields: Mapping[str, object]) -> None:
        if fields.get("type") == "error" or fields.get("error"):
            raise fault_of(read_error_body("anthropic", "stream", fields), self._target, self.usage())

    def _read_head(self, message: Mapping[str, object]) -> None:
        self._model = as_text(message.get("model")) or self._model
        self._count(as_object(message.get("usage")))

    def _count(self, usage: Mapping[str, object]) -> None:
        """Merge by maximum: a stream's later counts are cumulative, and some of them say the output alone."""
        thinking = as_object(usage.get("output_tokens_details")).get("thinking_tokens")
        told = {**{name: usage.get(name) for name in _COUNTS}, "thinking_tokens": thinking}
        self._counts = {name: max(count, as_count(told[name])) for name, count in self._counts.items()}


class AnthropicTarget:
    """A model behind Anthropic's Messages API, or a server that speaks it."""

    def __init__(self, config: TargetConfig) -> None:
        self.name = config.name
        self.provider = config.provider
        self.model = config.model
        self._client = anthropic.AsyncAnthropic(
            api_key=config.api_key or "none",  # without one the SDK would look for credentials on this machine
            base_url=config.base_url or ADDRESS,
            max_retries=0,
            open_telemetry=False,
        )

    async def ask(self, prompt: Prompt, timeout_s: float) -> Answer:
        """Return the whole answer."""
        reading = self._start(prompt)
        with faults_of(self.name, "anthropic", PHASES, reading.usage):
            body = await self._client.post(
                "/v1/messages",
                body=self._body(prompt),
                options={"timeout": httpx2.Timeout(timeout_s)},
                cast_to=object,
            )
        reading.read_message(body)
        return reading.answer()

    async def stream(self, prompt: Prompt, timeout_s: float) -> AsyncIterator[str | Answer]:
        """Yield the answer's pieces and, last, the whole of it."""
        reading = self._start(prompt)
        with faults_of(self.name, "anthropic", PHASES, reading.usage):
            async with await self._client.post(
                "/v1/messages",
                body={**self._body(prompt), "stream": True},
                options={"timeout": httpx2.Timeout(timeout_s)},
                cast_to=object,
                stream=True,
                stream_cls=anthropic.AsyncStream[object],
            ) as events:
                async for event in events:
                    if piece := reading.read_event(event):
                        yield piece
        yield reading.answer()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.close()

    def _start(self, prompt: Prompt) -> MessageReading:
        return MessageReading(self.name, self.model, prompt.system + prompt.user_text())

    def _body(self, prompt: Prompt) -> dict[str, object]:
        return {
            "model": self.model,
            "system": prompt.system,
            "messages": [{"role": "user", "content": prompt.user_text()}],
            "max_tokens": prompt.max_output_tokens,
        }
