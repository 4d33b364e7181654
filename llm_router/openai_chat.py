"""OpenAI's Chat Completions wire, as spoken by OpenAI and by every compatible server.

The SDK does transport, keys and server-sent events; bodies are read as plain JSON by the protocol, since compatible
servers differ in what they leave out and add, and the SDK's typed models promise more than is sent.
"""

from collections.abc import AsyncIterator, Mapping

import httpx2
import openai

from llm_router.config import TargetConfig
from llm_router.faults import TargetFault, fault_of
from llm_router.prompt import Prompt
from llm_router.reply import Answer, Finish, Usage, estimate_usage
from llm_router.wire import Phases, as_body, as_count, as_list, as_object, as_text, faults_of, read_error_body

ADDRESS = "https://api.openai.com/v1"

PHASES: Phases = {
    openai.APIStatusError: "answer",
    openai.APIResponseValidationError: "decode",
    openai.APITimeoutError: "clock",
    openai.APIConnectionError: "connection",
    openai.APIError: "stream",  # bare, it is an error event inside a stream
}

_FINISH: dict[str, Finish] = {
    "stop": "stop",
    "length": "length",
    "content_filter": "content_filter",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
}


class ChatReading:
    """One answer being read, from a whole body or from chunks."""

    def __init__(self, target: str, model: str, asked: str) -> None:
        self._target = target
        self._model = model
        self._asked = asked
        self._pieces: list[str] = []
        self._finish: str | None = None
        self._refused = False
        self._usage: Usage | None = None

    def read_whole(self, body: object) -> None:
        """Take in a whole body.

        Raises:
            TargetFault: it tells of an error, or is not what the wire promises.
        """
        fields = as_body(body)
        if not (fields.get("error") or as_list(fields.get("choices"))):
            raise TargetFault(self._target, "malformed")
        self._read(fields, "message")

    def read_chunk(self, body: object) -> str:
        """Take in one chunk of a stream and return its text.

        Raises:
            TargetFault: it tells of an error.
        """
        return self._read(as_object(body), "delta")

    def _read(self, fields: Mapping[str, object], part: str) -> str:
        if fields.get("error"):
            raise fault_of(read_error_body("openai", "stream", fields), self._target, self.usage())
        self._model = as_text(fields.get("model")) or self._model
        if as_object(fields.get("usage")):
            self._usage = read_usage(as_object(fields["usage"]))
        first = as_object(next(iter(as_list(fields.get("choices"))), None))
        said = as_object(first.get(part))
        self._refused = self._refused or bool(said.get("refusal"))
        self._finish = as_text(first.get("finish_reason")) or self._finish
        piece = _text_of(said.get("content"))
        self._pieces.append(piece)
        return piece

    def usage(self) -> Usage | None:
        """Return the tokens spent so far; a guess if text came without a count, None if nothing did."""
        text = "".join(self._pieces)
        return self._usage or (estimate_usage(self._asked, text) if text else None)

    def answer(self) -> Answer:
        """Return the whole answer.

        Raises:
            TargetFault: it ended without a finish marker, or with one that says it failed.
        """
        if self._finish is None:
            raise TargetFault(self._target, "truncated", usage=self.usage())
        if self._finish == "error":
            raise TargetFault(self._target, "server_error", usage=self.usage())
        text = "".join(self._pieces)
        finish = "content_filter" if self._refused else _FINISH.get(self._finish, "other")
        return Answer(text, self._model, finish, self._usage or estimate_usage(self._asked, text))


def read_usage(fields: Mapping[str, object]) -> Usage:
    """Return disjoint buckets: on this wire the input includes cached tokens and the output includes reasoning."""
    asked, said = as_count(fields.get("prompt_tokens")), as_count(fields.get("completion_tokens"))
    of_prompt = as_object(fields.get("prompt_tokens_details"))
    of_answer = as_object(fields.get("completion_tokens_details"))
    read = min(as_count(of_prompt.get("cached_tokens")), asked)
    written = min(as_count(of_prompt.get("cache_write_tokens")), asked - read)
    thought = min(as_count(of_answer.get("reasoning_tokens")), said)
    return Usage(asked - read - written, said - thought, read, written, thought)


def _text_of(content: object) -> str:
    """Return the text of a message's content: a string, or with some servers a list of parts."""
    if isinstance(content, str):
        return content
    return "".join(as_text(as_object(part).get("text")) for part in as_list(content))


class OpenAIChatTarget:
    """A model behind any server that speaks Chat Completions."""

    def __init__(self, config: TargetConfig) -> None:
        self.name = config.name
        self.provider = config.provider
        self.model = config.model
        self._limit = "max_tokens" if config.legacy_max_tokens else "max_completion_tokens"
        self._client = openai.AsyncOpenAI(
            api_key=config.api_key or "none",  # the SDK insists on one where a local server does not
            base_url=config.base_url or ADDRESS,
            max_retries=0,
        )

    async def ask(self, prompt: Prompt, timeout_s: float) -> Answer:
        """Return the whole answer."""
        reading = self._start(prompt)
        with faults_of(self.name, "openai", PHASES, reading.usage):
            body = await self._client.post(
                "/chat/completions",
                body=self._body(prompt),
                options={"timeout": httpx2.Timeout(timeout_s)},
                cast_to=object,
            )
        reading.read_whole(body)
        return reading.answer()

    async def stream(self, prompt: Prompt, timeout_s: float) -> AsyncIterator[str | Answer]:
        """Yield the answer's pieces and, last, the whole of it."""
        reading = self._start(prompt)
        body = {**self._body(prompt), "stream": True, "stream_options": {"include_usage": True}}
        with faults_of(self.name, "openai", PHASES, reading.usage):
            async with await self._client.post(
                "/chat/completions",
                body=body,
                options={"timeout": httpx2.Timeout(timeout_s)},
                cast_to=object,
                stream=True,
                stream_cls=openai.AsyncStream[object],
            ) as chunks:
                async for chunk in chunks:
                    if piece := reading.read_chunk(chunk):
                        yield piece
        yield reading.answer()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.close()

    def _start(self, prompt: Prompt) -> ChatReading:
        return ChatReading(self.name, self.model, prompt.system + prompt.user_text())

    def _body(self, prompt: Prompt) -> dict[str, object]:
        return {
            "model": self.model,
            "messages": [
                {"role": "system", "content": prompt.system},
                {"role": "user", "content": prompt.user_text()},
            ],
            self._limit: prompt.max_output_tokens,
        }
