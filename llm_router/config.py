"""What the router must be told."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from core.errors import ConfigurationError
from llm_router.reply import Prices

EXTRACTIVE = "extractive"


@dataclass(frozen=True, slots=True)
class TargetConfig:
    """One model behind one address.

    Attributes:
        name: unique in the router; what attempts and replies say.
        provider: "openai" (any server that speaks Chat Completions), "anthropic" or "extractive".
        model: as the provider names it; `extractive` needs none.
        base_url: None is the provider's own address; for "openai" it usually ends in /v1, for "anthropic" it does not.
        api_key: empty for a server that asks for none.
        timeout_s: the longest that one attempt may take.
        legacy_max_tokens: send `max_tokens` to a compatible server that does not know `max_completion_tokens`.
        price_input_usd: US dollars a million tokens; costs are unknown unless input and output prices are given.
        price_output_usd: the same for output, reasoning included.
        price_cache_read_usd: the same for cached input; None is the input's price.
        price_cache_write_usd: the same for input put into the cache; None is the input's price.
    """

    name: str
    provider: str
    model: str = ""
    base_url: str | None = None
    api_key: str = field(default="", repr=False)
    timeout_s: float = 60.0
    legacy_max_tokens: bool = False
    price_input_usd: Decimal | None = None
    price_output_usd: Decimal | None = None
    price_cache_read_usd: Decimal | None = None
    price_cache_write_usd: Decimal | None = None

    @property
    def prices(self) -> Prices | None:
        """What the target charges, if both main prices are known."""
        if self.price_input_usd is None or self.price_output_usd is None:
            return None
        return Prices(
            self.price_input_usd, self.price_output_usd, self.price_cache_read_usd, self.price_cache_write_usd
        )

    def list_problems(self) -> Iterator[str]:
        """Yield what is wrong with these values, each in one phrase."""
        if not self.name:
            yield "a target needs a name"
        if not self.model and self.provider != EXTRACTIVE:
            yield f"{self.name}: needs a model"
        if self.base_url is not None and not self.base_url.startswith(("http://", "https://")):
            yield f"{self.name}: base_url must begin with http:// or https://"
        if not (self.api_key.isascii() and (self.api_key.isprintable())):
            yield f"{self.name}: api_key has characters that no HTTP header can carry"
        if not (math.isfinite(self.timeout_s) and self.timeout_s > 0):
            yield f"{self.name}: timeout_s must be a positive number"
        if any(price is not None and not (price.is_finite() and price >= 0) for price in self._all_prices()):
            yield f"{self.name}: prices must be numbers from 0 up"

    def _all_prices(self) -> tuple[Decimal | None, ...]:
        return (
            self.price_input_usd,
            self.price_output_usd,
            self.price_cache_read_usd,
            self.price_cache_write_usd,
        )


@dataclass(frozen=True, slots=True)
class RouterConfig:
    """The targets in the order in which they are asked, and how patiently.

    The last target is always `extractive`, which needs no network; it is added where absent.

    Attributes:
        targets: at most one of them `extractive`, and that one last.
        deadline_s: for the whole call, all targets, attempts and waits together.
        attempts_per_target: calls of one target at most, retries included.
        backoff_initial_s: upper end of the random wait before the first retry; it doubles with each.
        backoff_max_s: where the doubling ends.

    Raises:
        ConfigurationError: with all that is wrong, at once.
    """

    targets: tuple[TargetConfig, ...] = ()
    deadline_s: float = 90.0
    attempts_per_target: int = 3
    backoff_initial_s: float = 0.5
    backoff_max_s: float = 8.0

    def __post_init__(self) -> None:
        problems = [*self._list_problems()]
        if problems:
            raise ConfigurationError(f"llm: {'; '.join(problems)}", problems=problems)
        if not self.targets or self.targets[-1].provider != EXTRACTIVE:
            last = TargetConfig(EXTRACTIVE, EXTRACTIVE)
            object.__setattr__(self, "targets", (*self.targets, last))

    def _list_problems(self) -> Iterator[str]:
        for target in self.targets:
            yield from target.list_problems()
        names = [target.name for target in self.targets]
        if self.targets and self.targets[-1].provider != EXTRACTIVE:
            names.append(EXTRACTIVE)
        yield from (f"{name}: two targets have this name" for name in sorted({*names}) if names.count(name) > 1)
        if any(target.provider == EXTRACTIVE for target in self.targets[:-1]):
            yield "extractive never fails, so nothing after it would be asked: put it last"
        if not (math.isfinite(self.deadline_s) and self.deadline_s > 0):
            yield "deadline_s must be a positive number"
        if self.attempts_per_target < 1:
            yield "attempts_per_target must be at least 1"
        if not 0 <= self.backoff_initial_s <= self.backoff_max_s < math.inf:
            yield "backoff must satisfy 0 <= backoff_initial_s <= backoff_max_s"
