"""A purse: what calls that run side by side may spend together, never more."""

import asyncio
from dataclasses import dataclass, field
from decimal import Decimal

NOTHING = Decimal(0)


@dataclass(slots=True)
class Purse:
    """What may be spent, and what is.

    Attributes:
        most_usd: that may be spent; None is any amount.
        spent_usd: so far.
        unpriced: calls whose cost nobody knows; with a limit there may be none.
    """

    most_usd: Decimal | None = None
    spent_usd: Decimal = NOTHING
    unpriced: int = 0
    _held: Decimal = NOTHING
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def take(self, call_usd: Decimal | None) -> bool:
        """Set aside what a call may cost at the most; False if that is too much, also once no other is under way."""
        if self.most_usd is None:
            return True
        if call_usd is None:
            return False
        limit, amount = self.most_usd, call_usd
        async with self._changed:
            await self._changed.wait_for(
                lambda: not self._held or self.spent_usd + self._held + amount <= limit or self.unpriced
            )
            if self.unpriced or self.spent_usd + self._held + amount > limit:
                return False
            self._held += amount
            return True

    async def settle(self, call_usd: Decimal | None, cost_usd: Decimal | None) -> None:
        """Enter what a call cost in the place of what was set aside for it."""
        async with self._changed:
            if self.most_usd is not None and call_usd is not None:
                self._held -= call_usd
            if cost_usd is None:
                self.unpriced += 1
            else:
                self.spent_usd += cost_usd
            self._changed.notify_all()
