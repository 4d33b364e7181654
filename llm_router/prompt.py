"""What a model is asked: evidence, a question, what was said since; with tools and a form for the answer."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


Embed = Callable[[Sequence[str]], Awaitable["NDArray[np.float32]"]]
"""Texts in, one unit vector a text out: n strings give shape (n, dimension)."""

Effort = Literal["minimal", "low", "medium", "high"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """One passage that an answer may use.

    Attributes:
        label: the number by which the answer cites it, from 1.
        text: the passage itself.
        title: of its document.
        source: where its document came from.
        score: fused recall score; higher is nearer to the question.
    """

    label: int
    text: str
    title: str | None
    source: str | None
    score: float


@dataclass(frozen=True, slots=True)
class Image:
    """A picture that belongs to the question.

    Attributes:
        media_type: such as image/png.
        data: the file's bytes.
    """

    media_type: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Tool:
    """Something that the model may ask us to do.

    Attributes:
        parameters: the JSON schema of its arguments, an object.
    """

    name: str
    description: str
    parameters: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """The model asks for a tool. The arguments are whole, parsed JSON.

    Attributes:
        call_id: what the tool's result refers to.
    """

    call_id: str
    name: str
    arguments: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class UserTurn:
    """What the user said next."""

    text: str


@dataclass(frozen=True, slots=True)
class AssistantTurn:
    """What the model said before."""

    text: str
    tool_calls: tuple[ToolCall, ...] = ()


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool gave for the call of this id."""

    call_id: str
    text: str
    is_error: bool = False


Turn = UserTurn | AssistantTurn | ToolResult


@dataclass(frozen=True, slots=True)
class OutputSchema:
    """The form that the whole answer must have.

    Attributes:
        name: for the provider; letters, digits, dashes and underscores.
        schema: a JSON schema, an object.
    """

    name: str
    schema: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Parameters:
    """How the model samples; None leaves it to the model.

    Attributes:
        temperature: from 0 up.
        top_p: in (0, 1].
        stop: texts that end the answer.
        seed: for servers that can repeat themselves.
        effort: how long a reasoning model may think.
    """

    temperature: float | None = None
    top_p: float | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    effort: Effort | None = None


@dataclass(frozen=True, slots=True)
class Prompt:
    """One question with what the answer may rest on.

    Attributes:
        turns: what was said after the question: answers, tool calls, their results, further questions.
        tool_choice: "auto", "none", "required", or the name of the tool that must be called.
        output: the form of the answer; None is free text.
        version: of the texts around the question; answers to another version are never taken from a cache.
    """

    system: str
    question: str
    evidence: tuple[Evidence, ...]
    max_output_tokens: int
    turns: tuple[Turn, ...] = ()
    images: tuple[Image, ...] = ()
    tools: tuple[Tool, ...] = ()
    tool_choice: str = "auto"
    output: OutputSchema | None = None
    parameters: Parameters = Parameters()
    version: str = ""

    def user_text(self) -> str:
        """Return the evidence, each passage under its number, and then the question."""
        passages = [_numbered(one) for one in self.evidence]
        return "\n\n".join([*passages, f"Question: {self.question}"] if passages else [self.question])


def _numbered(one: Evidence) -> str:
    heading = " | ".join(part for part in (one.title, one.source) if part)
    return f"[{one.label}] {heading}\n{one.text}" if heading else f"[{one.label}] {one.text}"
