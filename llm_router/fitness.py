"""Whether a target can do what a prompt needs, told before anything is sent. Pure."""

from dataclasses import replace

from llm_router.config import Capabilities
from llm_router.prompt import AssistantTurn, Prompt, ToolResult
from llm_router.reply import CHARACTERS_A_TOKEN

IMAGE_TOKENS = 1_000  # of a picture of usual size, as the providers count it


def combine(wire: Capabilities, told: Capabilities) -> Capabilities:
    """Return what a target can do: what both its wire carries and its configuration tells."""
    return Capabilities(
        context_tokens=_least(wire.context_tokens, told.context_tokens),
        max_output_tokens=_least(wire.max_output_tokens, told.max_output_tokens),
        tools=wire.tools and told.tools,
        schema=wire.schema and told.schema,
        vision=wire.vision and told.vision,
        streaming=wire.streaming and told.streaming,
        refuses=wire.refuses | told.refuses,
    )


def find_lacks(prompt: Prompt, limits: Capabilities) -> list[str]:
    """Return what the prompt needs and these capabilities lack, by their names; empty if it fits."""
    lacks = [name for name in sorted(limits.refuses) if getattr(prompt.parameters, name) not in (None, ())]
    if not limits.tools and uses_tools(prompt):
        lacks.append("tools")
    if not limits.schema and prompt.output is not None:
        lacks.append("schema")
    if not limits.vision and prompt.images:
        lacks.append("vision")
    if limits.max_output_tokens is not None and prompt.max_output_tokens > limits.max_output_tokens:
        lacks.append("max_output_tokens")
    if limits.context_tokens is not None:
        needed = estimate_tokens(prompt) + prompt.max_output_tokens
        if needed > limits.context_tokens:
            lacks.append("context_tokens")
    return lacks


def uses_tools(prompt: Prompt) -> bool:
    """Say whether a prompt offers tools or tells of their use."""
    return bool(prompt.tools) or any(
        isinstance(turn, ToolResult) or (isinstance(turn, AssistantTurn) and turn.tool_calls) for turn in prompt.turns
    )


def estimate_tokens(prompt: Prompt) -> int:
    """Return a guess of the prompt's tokens, images included."""
    characters = len(prompt.system) + len(prompt.question)
    characters += sum(len(one.text) + len(one.title or "") + len(one.source or "") + 8 for one in prompt.evidence)
    characters += sum(len(turn.text) for turn in prompt.turns)
    if prompt.tools:
        characters += sum(len(tool.description) + len(str(tool.parameters)) for tool in prompt.tools)
    if prompt.output is not None:
        characters += len(str(prompt.output.schema))
    return -(-characters // CHARACTERS_A_TOKEN) + IMAGE_TOKENS * len(prompt.images)


def with_system(prompt: Prompt, addition: str) -> Prompt:
    """Return the prompt with a text added to its system text."""
    return replace(prompt, system=f"{prompt.system}\n\n{addition}".strip()) if addition else prompt


def _least(one: int | None, other: int | None) -> int | None:
    return min((each for each in (one, other) if each is not None), default=None)
