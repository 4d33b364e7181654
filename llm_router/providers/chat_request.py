"""A prompt in the words of OpenAI's Chat Completions. Pure."""

import json
from collections.abc import Iterator

from llm_router.prompt import AssistantTurn, OutputSchema, Prompt, Tool, Turn, UserTurn
from llm_router.providers.images import data_url
from llm_router.providers.schemas import make_strict

_CHOICES = frozenset({"auto", "none", "required"})


def build_chat_request(prompt: Prompt, model: str, *, legacy_max_tokens: bool = False) -> dict[str, object]:
    """Return the request's body."""
    limit = "max_tokens" if legacy_max_tokens else "max_completion_tokens"
    body: dict[str, object] = {
        "model": model,
        "messages": [*_list_messages(prompt)],
        limit: prompt.max_output_tokens,
    }
    if prompt.tools:
        body["tools"] = [_tool(tool) for tool in prompt.tools]
        if prompt.tool_choice != "auto":
            body["tool_choice"] = _choice(prompt.tool_choice)
    if prompt.output is not None:
        body["response_format"] = _form(prompt.output)
    parameters = {
        "temperature": prompt.parameters.temperature,
        "top_p": prompt.parameters.top_p,
        "stop": [*prompt.parameters.stop] or None,
        "seed": prompt.parameters.seed,
        "reasoning_effort": prompt.parameters.effort,
    }
    body.update((name, value) for name, value in parameters.items() if value is not None)
    return body


def _list_messages(prompt: Prompt) -> Iterator[dict[str, object]]:
    if prompt.system:
        yield {"role": "system", "content": prompt.system}
    question: object = prompt.user_text()
    if prompt.images:
        images = [{"type": "image_url", "image_url": {"url": data_url(image)}} for image in prompt.images]
        question = [{"type": "text", "text": question}, *images]
    yield {"role": "user", "content": question}
    yield from map(_message, prompt.turns)


def _message(turn: Turn) -> dict[str, object]:
    if isinstance(turn, UserTurn):
        return {"role": "user", "content": turn.text}
    if not isinstance(turn, AssistantTurn):
        return {"role": "tool", "tool_call_id": turn.call_id, "content": turn.text}
    message: dict[str, object] = {"role": "assistant", "content": turn.text}
    if turn.tool_calls:
        message["content"] = turn.text or None
        message["tool_calls"] = [
            {
                "id": call.call_id,
                "type": "function",
                "function": {"name": call.name, "arguments": json.dumps(call.arguments)},
            }
            for call in turn.tool_calls
        ]
    return message


def _tool(tool: Tool) -> dict[str, object]:
    function = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return {"type": "function", "function": function}


def _choice(choice: str) -> object:
    return choice if choice in _CHOICES else {"type": "function", "function": {"name": choice}}


def _form(output: OutputSchema) -> dict[str, object]:
    strict = make_strict(output.schema)
    form = {"name": output.name, "schema": strict or output.schema, "strict": strict is not None}
    return {"type": "json_schema", "json_schema": form}
