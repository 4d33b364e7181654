"""The budget of extra calls: retries, fallbacks and hedges all draw on it, so that trouble is not multiplied."""

from llm_router.config import RetryBudgetConfig

_WHOLE = 1.0 - 1e-9
"""Ten earnings of a tenth make one extra call, though their floating sum is a little less."""


class RetryBudget:
    """Tokens earned by first calls and spent on extra ones; it starts full and knows no time.

    A `burst` below 1 allows no extra call at all.
    """

    __slots__ = ("_burst", "_ratio", "_tokens")

    def __init__(self, config: RetryBudgetConfig) -> None:
        self._ratio = config.ratio
        self._burst = config.burst
        self._tokens = config.burst

    @property
    def tokens(self) -> float:
        """Extra calls that may be made now."""
        return self._tokens

    def earn(self) -> None:
        """Add what one first call earns."""
        self._tokens = min(self._tokens + self._ratio, self._burst)

    def spend(self) -> bool:
        """Pay for one extra call; say whether there was enough."""
        if self._tokens < _WHOLE:
            return False
        self._tokens = max(self._tokens - 1.0, 0.0)
        return True
