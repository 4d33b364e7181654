"""A prompt in the words of Anthropic's Messages. Pure."""

from collections.abc import Iterator
from itertools import groupby

from llm_router.prompt import AssistantTurn, Prompt, Tool, ToolResult, Turn, UserTurn
from llm_router.providers.images import encode
from llm_router.providers.schemas import make_closed

_CHOICES = {"none": {"type": "none"}, "required": {"type": "any"}}

_EFFORTS = {"minimal": "low"}  # this wire's least

_HOTTEST = 1.0  # where this wire's scale of temperatures ends; the others' goes on to 2

_Block = dict[str, object]


def build_messages_request(prompt: Prompt, model: str) -> dict[str, object]:
    """Return the request's body."""
    body: dict[str, object] = {
        "model": model,
        "messages": [*_list_messages(prompt)],
        "max_tokens": prompt.max_output_tokens,
    }
    if prompt.system:
        body["system"] = prompt.system
    if prompt.tools:
        body["tools"] = [_tool(tool) for tool in prompt.tools]
        if prompt.tool_choice != "auto":
            body["tool_choice"] = _CHOICES.get(prompt.tool_choice) or {"type": "tool", "name": prompt.tool_choice}
    if form := _form(prompt):
        body["output_config"] = form
    heat = prompt.parameters.temperature
    parameters = {
        "temperature": None if heat is None else min(heat, _HOTTEST),
        "top_p": prompt.parameters.top_p,
        "stop_sequences": [*prompt.parameters.stop] or None,
    }
    body.update((name, value) for name, value in parameters.items() if value is not None)
    return body


def _list_messages(prompt: Prompt) -> Iterator[dict[str, object]]:
    """Yield messages of alternating roles: this wire wants all results of one turn's tools in one message."""
    images: list[_Block] = [
        {"type": "image", "source": {"type": "base64", "media_type": image.media_type, "data": encode(image)}}
        for image in prompt.images
    ]
    turns: tuple[Turn, ...] = (UserTurn(prompt.user_text()), *prompt.turns)
    for is_answer, group in groupby(turns, lambda turn: isinstance(turn, AssistantTurn)):
        blocks = [block for turn in group for block in _list_blocks(turn)]
        if images:
            blocks, images = [*blocks[:1], *images, *blocks[1:]], []
        blocks.sort(key=lambda block: block["type"] != "tool_result")  # results must come first
        if blocks:
            role = "assistant" if is_answer else "user"
            yield {"role": role, "content": blocks[0]["text"] if _is_plain(blocks) else blocks}


def _list_blocks(turn: Turn) -> Iterator[_Block]:
    if isinstance(turn, ToolResult):
        result: _Block = {"type": "tool_result", "tool_use_id": turn.call_id, "content": turn.text}
        yield {**result, "is_error": True} if turn.is_error else result
        return
    if turn.text:  # an empty block of text is refused
        yield {"type": "text", "text": turn.text}
    if isinstance(turn, AssistantTurn):
        for call in turn.tool_calls:
            yield {"type": "tool_use", "id": call.call_id, "name": call.name, "input": call.arguments}


def _is_plain(blocks: list[_Block]) -> bool:
    return len(blocks) == 1 and blocks[0]["type"] == "text"


def _tool(tool: Tool) -> dict[str, object]:
    return {"name": tool.name, "description": tool.description, "input_schema": tool.parameters}


def _form(prompt: Prompt) -> dict[str, object]:
    form: dict[str, object] = {}
    if prompt.parameters.effort is not None:
        form["effort"] = _EFFORTS.get(prompt.parameters.effort, prompt.parameters.effort)
    if prompt.output is not None:
        form["format"] = {"type": "json_schema", "schema": make_closed(prompt.output.schema)}
    return form
