"""What a model gives back: answers, replies, usage, attempts and stream events."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, Self

from llm_router.prompt import ToolCall

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
        cache_write_tokens: prompt tokens that the provider put into its cache, for minutes.
        reasoning_tokens: output tokens spent on thinking; paid as output.
        cache_write_1h_tokens: prompt tokens put into the cache for an hour, where that is priced apart.
        estimated: at least one count is our guess, since the provider gave none.
    """

    input_tokens: int
    output_tokens: int
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    cache_write_1h_tokens: int = 0
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
            cache_write_1h_tokens=self.cache_write_1h_tokens + other.cache_write_1h_tokens,
            estimated=self.estimated or other.estimated,
        )


NO_USAGE = Usage(0, 0)

CHARACTERS_A_TOKEN = 4  # of English text, as the providers themselves advise for estimates


def estimate_usage(asked: str, answered: str) -> Usage:
    """Return a guess of the usage, marked as such, from the texts alone."""
    return Usage(
        input_tokens=-(-len(asked) // CHARACTERS_A_TOKEN),
        output_tokens=-(-len(answered) // CHARACTERS_A_TOKEN),
        estimated=True,
    )


@dataclass(frozen=True, slots=True)
class Answer:
    """What one target said, whole: it ended with the wire's finish marker.

    Attributes:
        model: as the provider names it.
        usage: normalised; `raw_usage` is what the provider sent.
        tool_calls: what the model asks us to do, in order.
        cost_usd: what the provider itself says that it charged; None if it does not say.
        tier: the service tier that the provider says it used.
        response_id: the provider's name for this answer, for its support.
    """

    text: str
    model: str
    finish: Finish
    usage: Usage
    tool_calls: tuple[ToolCall, ...] = ()
    raw_usage: Mapping[str, object] | None = field(default=None, repr=False)
    cost_usd: Decimal | None = None
    tier: str | None = None
    response_id: str | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call of one target.

    Attributes:
        target: its name in the configuration.
        provider: the adapter that spoke to it.
        model: as the target names it; what was configured, if it did not say.
        outcome: whether it gave a whole answer; "cancelled" if nobody waited for it any more.
        error: the kind of fault; None if it answered or was cancelled.
        status: the HTTP status of a fault that had one.
        started_at: UTC.
        seconds: from the start to the answer's end or the fault, less what the reader of a stream took meanwhile.
        first_token_s: from the start to the first piece of a streamed answer; None if there was none.
        usage: tokens spent, also by a failed attempt where known; None if nothing was spent.
        raw_usage: the usage as the provider sent it.
        cost_usd: what it cost; None if the target's prices are not known.
        price_version: of the prices by which the cost was reckoned; None if the provider said the cost itself.
        tier: the service tier that the provider says it used.
    """

    target: str
    provider: str
    model: str
    outcome: Literal["answered", "failed", "cancelled"]
    error: "FaultKind | None"
    status: int | None
    started_at: datetime
    seconds: float
    usage: Usage | None
    first_token_s: float | None = None
    raw_usage: Mapping[str, object] | None = field(default=None, repr=False)
    cost_usd: Decimal | None = None
    price_version: str | None = None
    tier: str | None = None

    def as_json(self) -> dict[str, object]:
        """Return the attempt in JSON values."""
        return {each.name: _to_json(getattr(self, each.name)) for each in fields(self)}


def _to_json(value: object) -> object:
    if isinstance(value, Mapping):
        return {key: _to_json(each) for key, each in value.items()}
    if isinstance(value, Usage):
        return asdict(value)
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


@dataclass(frozen=True, slots=True)
class Reply:
    """The router's answer.

    Attributes:
        usage: of the attempt that answered.
        cost_usd: of all attempts together; None if one of them has no known price. A cached reply costs nothing.
        attempts: all of them, in the order in which they ended. A cached reply has none.
        tool_calls: what the model asks us to do, in order.
        cached: taken from the cache of exact answers.
        variant: of the experiment that the model is in; None if it is in none.
    """

    text: str
    target: str
    provider: str
    model: str
    finish: Finish
    usage: Usage
    cost_usd: Decimal | None
    attempts: tuple[Attempt, ...]
    tool_calls: tuple[ToolCall, ...] = ()
    cached: bool = False
    variant: str | None = None


@dataclass(frozen=True, slots=True)
class TokenEvent:
    """A piece of the answer, to be appended to the pieces before."""

    text: str


@dataclass(frozen=True, slots=True)
class ReplyEvent:
    """The end of a stream that went well."""

    reply: Reply
