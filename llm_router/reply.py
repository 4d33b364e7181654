"""What a model gives back: answers, replies, usage, attempts and stream events."""

from dataclasses import asdict, dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, Self

if TYPE_CHECKING:
    from llm_router.faults import FaultKind

Finish = Literal["stop", "length", "content_filter", "tool_use", "other"]

NO_ANSWER = "The evidence does not answer this question."
"""The whole reply of the extractive target when the evidence is not near enough to the question."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens in disjoint buckets: each token is in exactly one of them.

    Providers nest their counts differently (one counts cached tokens within the input, another beside it; both count
    reasoning within the output); here the buckets simply add up to everything that was processed.

    Attributes:
        input_tokens: prompt tokens neither read from nor written to the provider's cache.
        output_tokens: tokens of the answer, without reasoning.
        cache_read_tokens: prompt tokens that the provider had cached.
        cache_write_tokens: prompt tokens that the provider put into its cache.
        reasoning_tokens: output tokens spent on thinking; paid as output.
        estimated: at least one count is our guess, since the provider gave none.
    """

    input_tokens: int
    output_tokens: int
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    estimated: bool = False

    @property
    def total_tokens(self) -> int:
        """Return the sum of all buckets."""
        return sum(getattr(self, each.name) for each in fields(self) if each.name != "estimated")

    def __add__(self, other: Self) -> Self:
        return type(self)(
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cache_read_tokens=self.cache_read_tokens + other.cache_read_tokens,
            cache_write_tokens=self.cache_write_tokens + other.cache_write_tokens,
            reasoning_tokens=self.reasoning_tokens + other.reasoning_tokens,
            estimated=self.estimated or other.estimated,
        )


NO_USAGE = Usage(0, 0)

_CHARACTERS_A_TOKEN = 4  # of English text, as the providers themselves advise for estimates


def estimate_usage(asked: str, answered: str) -> Usage:
    """Return a guess of the usage, marked as such, from the texts alone."""
    return Usage(
        input_tokens=-(-len(asked) // _CHARACTERS_A_TOKEN),
        output_tokens=-(-len(answered) // _CHARACTERS_A_TOKEN),
        estimated=True,
    )


@dataclass(frozen=True, slots=True)
class Prices:
    """What one target charges, in US dollars a million tokens.

    Cached tokens cost as `input_usd` where their own price is not given.
    """

    input_usd: Decimal
    output_usd: Decimal
    cache_read_usd: Decimal | None = None
    cache_write_usd: Decimal | None = None

    def cost(self, usage: Usage) -> Decimal:
        """Return what this usage costs, in US dollars."""
        read = self.input_usd if self.cache_read_usd is None else self.cache_read_usd
        write = self.input_usd if self.cache_write_usd is None else self.cache_write_usd
        micro_usd = (
            usage.input_tokens * self.input_usd
            + usage.cache_read_tokens * read
            + usage.cache_write_tokens * write
            + (usage.output_tokens + usage.reasoning_tokens) * self.output_usd
        )
        return micro_usd / 1_000_000


@dataclass(frozen=True, slots=True)
class Answer:
    """What one target said, whole: it ended with the wire's finish marker."""

    text: str
    model: str
    finish: Finish
    usage: Usage


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call of one target.

    Attributes:
        target: its name in the configuration.
        provider: the adapter that spoke to it.
        model: as the target names it; what was configured, if it did not say.
        outcome: whether it gave a whole answer.
        error: the kind of fault; None if it answered.
        status: the HTTP status of a fault that had one.
        started_at: UTC.
        seconds: from the start to the answer's end or the fault.
        usage: tokens spent, also by a failed attempt where known.
    """

    target: str
    provider: str
    model: str
    outcome: Literal["answered", "failed"]
    error: "FaultKind | None"
    status: int | None
    started_at: datetime
    seconds: float
    usage: Usage | None

    def as_json(self) -> dict[str, object]:
        """Return the attempt in JSON values."""
        return {**asdict(self), "started_at": self.started_at.isoformat()}


@dataclass(frozen=True, slots=True)
class Reply:
    """The router's answer.

    Attributes:
        usage: of the attempt that answered.
        cost_usd: of all attempts together; None if one of them has no known price.
        attempts: all of them, in order; the last one answered.
    """

    text: str
    target: str
    provider: str
    model: str
    finish: Finish
    usage: Usage
    cost_usd: Decimal | None
    attempts: tuple[Attempt, ...]


@dataclass(frozen=True, slots=True)
class TokenEvent:
    """A piece of the answer, to be appended to the pieces before."""

    text: str


@dataclass(frozen=True, slots=True)
class ReplyEvent:
    """The end of a stream that went well."""

    reply: Reply
