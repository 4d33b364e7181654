"""Simulations that were asked for lately, kept in the process."""

import time
from collections.abc import Callable
from uuid import UUID

from cachetools import TTLCache

from reflection.simulations.simulation import Simulation

ENTRIES = 1_000
TTL_S = 3_600.0
BYTES = 128_000_000  # of all together


class SimulationCache:
    """Simulations by tenant and id, which is a digest of the request.

    What is past its time is given up first, then what was not asked for the longest.

    Args:
        entries: how many are kept at the most.
        ttl_s: how long each is kept, in seconds.
        most_bytes: how large they may be together; a larger one is not kept.
        clock: monotonic seconds.

    Attributes:
        hits: requests that were answered from here, or by another one's run.
        misses: requests that were not.
    """

    def __init__(
        self,
        entries: int = ENTRIES,
        ttl_s: float = TTL_S,
        most_bytes: int = BYTES,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.entries = entries
        self.ttl_s = ttl_s
        self.most_bytes = most_bytes
        self.hits = 0
        self.misses = 0
        self._forgotten = 0
        self._kept: TTLCache[tuple[UUID, UUID], Simulation] = TTLCache(
            most_bytes, ttl_s, clock, getsizeof=lambda each: each.size
        )

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def bytes_held(self) -> int:
        """About how much memory they take."""
        self._kept.expire()
        return int(self._kept.currsize)

    def mark(self) -> int:
        """Return a number that is another one as soon as anything was given up by request."""
        return self._forgotten

    def find(self, tenant: UUID, simulation_id: UUID) -> Simulation | None:
        """Return a simulation; None if it is not kept, or past its time."""
        return self._kept.get((tenant, simulation_id))

    def keep(self, tenant: UUID, simulation: Simulation) -> None:
        """Keep a simulation."""
        if simulation.size > self.most_bytes:
            return
        self._kept[tenant, simulation.head.simulation_id] = simulation
        while len(self._kept) > self.entries:
            self._kept.popitem()

    def forget(self, tenant: UUID, simulation_id: UUID) -> None:
        """Give a simulation up."""
        self._forgotten += 1
        self._kept.pop((tenant, simulation_id), None)
