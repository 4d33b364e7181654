"""What a model is asked: a system text, the evidence, the question."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


Embed = Callable[[Sequence[str]], Awaitable["NDArray[np.float32]"]]
"""Texts in, one unit vector a text out: n strings give shape (n, dimension)."""


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
class Prompt:
    """One question with what the answer may rest on."""

    system: str
    question: str
    evidence: tuple[Evidence, ...]
    max_output_tokens: int

    def user_text(self) -> str:
        """Return the evidence, each passage under its number, and then the question."""
        passages = [_numbered(one) for one in self.evidence]
        return "\n\n".join([*passages, f"Question: {self.question}"])


def _numbered(one: Evidence) -> str:
    heading = " | ".join(part for part in (one.title, one.source) if part)
    return f"[{one.label}] {heading}\n{one.text}" if heading else f"[{one.label}] {one.text}"
