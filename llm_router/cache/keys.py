"""What makes two calls the same: a digest of all that reaches the provider, and whom it reaches. Pure."""

import hashlib
import json
from collections.abc import Mapping
from uuid import UUID

from llm_router.config import TargetConfig
from llm_router.prompt import AssistantTurn, Evidence, Image, Prompt, Tool, ToolCall, Turn, UserTurn

FORM = 1
"""Of the digests; raised when what goes into them changes, so that no old entry is taken for a new one."""


def digest_prompt(prompt: Prompt) -> bytes:
    """Return a SHA-256 digest of all that a provider gets of a prompt, and of its version.

    Scores of evidence reach no provider and do not count; neither does the order of a schema's fields.
    """
    parameters, output = prompt.parameters, prompt.output
    told = [
        FORM,
        prompt.version,
        prompt.system,
        prompt.question,
        [_evidence(one) for one in prompt.evidence],
        [_turn(turn) for turn in prompt.turns],
        [_image(image) for image in prompt.images],
        [_tool(tool) for tool in prompt.tools],
        prompt.tool_choice,
        None if output is None else [output.name, output.schema],
        [parameters.temperature, parameters.top_p, parameters.stop, parameters.seed, parameters.effort],
        prompt.max_output_tokens,
    ]
    return hashlib.sha256(_canonical(told)).digest()


def identify_target(config: TargetConfig) -> str:
    """Return a digest of whom a target asks, and as whom: provider, address, model, credential, what is sent along."""
    told = [
        FORM,
        config.provider,
        config.base_url,
        config.model,
        config.credential,
        config.headers,
        config.query,
        config.cassette,
        config.wire,
    ]
    return hashlib.sha256(_canonical(told)).hexdigest()


def key_of(tenant: UUID, identity: str, digest: bytes) -> str:
    """Return the key of one target's answer to one prompt of one tenant; each part is of fixed length."""
    return f"{tenant.hex}:{identity}:{digest.hex()}"


def _canonical(told: object) -> bytes:
    """Return JSON that is equal for equal values and no others: all structure is kept, keys sorted, letters escaped."""
    return json.dumps(told, sort_keys=True, separators=(",", ":"), default=_as_dict).encode("ascii")


def _as_dict(value: object) -> dict[object, object]:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is no JSON value")


def _evidence(one: Evidence) -> list[object]:
    return [one.label, one.text, one.title, one.source]


def _turn(turn: Turn) -> list[object]:
    if isinstance(turn, UserTurn):
        return ["user", turn.text]
    if isinstance(turn, AssistantTurn):
        return ["assistant", turn.text, [_call(call) for call in turn.tool_calls]]
    return ["tool", turn.call_id, turn.text, turn.is_error]


def _call(call: ToolCall) -> list[object]:
    return [call.call_id, call.name, call.arguments]


def _image(image: Image) -> list[str]:
    return [image.media_type, hashlib.sha256(image.data).hexdigest()]


def _tool(tool: Tool) -> list[object]:
    return [tool.name, tool.description, tool.parameters]
