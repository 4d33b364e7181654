"""A prompt in the words of OpenAI's Responses. Pure."""

import json
from collections.abc import Iterator

from llm_router.prompt import OutputSchema, Prompt, Tool, ToolResult, Turn, UserTurn
from llm_router.providers.images import data_url
from llm_router.providers.schemas import make_strict

_CHOICES = frozenset({"auto", "none", "required"})


def build_responses_request(prompt: Prompt, model: str) -> dict[str, object]:
    """Return the request's body."""
    body: dict[str, object] = {
        "model": model,
        "input": [*_list_items(prompt)],
        "max_output_tokens": prompt.max_output_tokens,
        "store": False,  # nothing is ever asked for again, so nothing need stay there
    }
    if prompt.system:
        body["instructions"] = prompt.system
    if prompt.tools:
        body["tools"] = [_tool(tool) for tool in prompt.tools]
        if prompt.tool_choice != "auto":
            body["tool_choice"] = _choice(prompt.tool_choice)
    if prompt.output is not None:
        body["text"] = {"format": _form(prompt.output)}
    if prompt.parameters.effort is not None:
        body["reasoning"] = {"effort": prompt.parameters.effort}
    parameters = {"temperature": prompt.parameters.temperature, "top_p": prompt.parameters.top_p}
    body.update((name, value) for name, value in parameters.items() if value is not None)
    return body


def _list_items(prompt: Prompt) -> Iterator[dict[str, object]]:
    question: object = prompt.user_text()
    if prompt.images:
        images = [{"type": "input_image", "image_url": data_url(image), "detail": "auto"} for image in prompt.images]
        question = [{"type": "input_text", "text": question}, *images]
    yield {"role": "user", "content": question}
    for turn in prompt.turns:
        yield from _list_turn_items(turn)


def _list_turn_items(turn: Turn) -> Iterator[dict[str, object]]:
    if isinstance(turn, UserTurn):
        yield {"role": "user", "content": turn.text}
    elif isinstance(turn, ToolResult):
        yield {"type": "function_call_output", "call_id": turn.call_id, "output": turn.text}
    else:
        if turn.text:
            yield {"role": "assistant", "content": turn.text}
        for call in turn.tool_calls:
            arguments = json.dumps(call.arguments)
            yield {"type": "function_call", "call_id": call.call_id, "name": call.name, "arguments": arguments}


def _tool(tool: Tool) -> dict[str, object]:
    return {
        "type": "function",
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.parameters,
        "strict": False,  # this wire's default is strict, which changes the meaning of optional arguments
    }


def _choice(choice: str) -> object:
    return choice if choice in _CHOICES else {"type": "function", "name": choice}


def _form(output: OutputSchema) -> dict[str, object]:
    strict = make_strict(output.schema)
    return {
        "type": "json_schema",
        "name": output.name,
        "schema": strict or output.schema,
        "strict": strict is not None,
    }
