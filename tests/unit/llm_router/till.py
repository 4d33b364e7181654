"""Accounts for tests."""

import asyncio
from collections.abc import Callable, Mapping
from decimal import Decimal
from uuid import UUID, uuid4

from llm_router import Attempt, Caller


class Till:
    """Accounts that are told how to behave."""

    def __init__(
        self,
        *,
        refuses: Mapping[str, Exception] | None = None,
        fails: Exception | None = None,
        reserving: Callable[[], object] = lambda: None,
        reserves_s: float = 0.0,
        settles_s: float = 0.0,
    ) -> None:
        self.held: set[UUID] = set()
        self.settled: list[Attempt] = []
        self.refuses = refuses or {}
        self._fails = fails
        self._reserving = reserving
        self._reserves_s = reserves_s
        self._settles_s = settles_s

    async def reserve(self, caller: Caller, model: str, target: str, amount_usd: Decimal) -> UUID | None:
        self._reserving()
        if target in self.refuses:
            raise self.refuses[target]
        reservation = uuid4()
        self.held.add(reservation)
        await asyncio.sleep(self._reserves_s)  # as a commit that has come through, of which nobody knows yet
        return reservation

    async def settle(self, caller: Caller, model: str, attempt: Attempt, reservation: UUID | None) -> None:
        await asyncio.sleep(self._settles_s)
        if self._fails is not None:
            raise self._fails
        self.settled.append(attempt)
        self.held -= {reservation} - {None}
