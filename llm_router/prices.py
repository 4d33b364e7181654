"""What targets charge. Decimal throughout: money is never a float."""

from dataclasses import dataclass
from decimal import Decimal

from llm_router.reply import Usage


@dataclass(frozen=True, slots=True)
class Prices:
    """What one target charges, in US dollars a million tokens.

    Cached tokens cost as `input_usd` where their own price is not given; what is cached for an hour costs as other
    writes do. Reasoning is output.

    Attributes:
        version: of the price list, kept with every cost, so that an old cost can be explained; a date serves well.
    """

    input_usd: Decimal
    output_usd: Decimal
    cache_read_usd: Decimal | None = None
    cache_write_usd: Decimal | None = None
    cache_write_1h_usd: Decimal | None = None
    version: str = ""

    def cost(self, usage: Usage) -> Decimal:
        """Return what this usage costs, in US dollars."""
        read = self.input_usd if self.cache_read_usd is None else self.cache_read_usd
        write = self.input_usd if self.cache_write_usd is None else self.cache_write_usd
        write_1h = write if self.cache_write_1h_usd is None else self.cache_write_1h_usd
        micro_usd = (
            usage.input_tokens * self.input_usd
            + usage.cache_read_tokens * read
            + usage.cache_write_tokens * write
            + usage.cache_write_1h_tokens * write_1h
            + (usage.output_tokens + usage.reasoning_tokens) * self.output_usd
        )
        return micro_usd / 1_000_000

    def amounts(self) -> tuple[Decimal, ...]:
        """Return all prices that are given."""
        cached = (self.cache_read_usd, self.cache_write_usd, self.cache_write_1h_usd)
        return (self.input_usd, self.output_usd, *(each for each in cached if each is not None))
