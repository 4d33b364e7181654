"""What was found for a question is kept until a gem that was asked changes; states and times are not part of it."""

import hashlib
from collections.abc import Callable, Coroutine
from dataclasses import astuple
from typing import Any
from uuid import UUID

import msgspec
from cachetools import LRUCache

from core.flights import Flights
from knowledge.fusion import FusionWeights
from knowledge.ranking import Findings
from knowledge.search import Scope

ENTRIES = 1_000
BYTES = 64_000_000  # of arrays held at the most


class ResonanceCache:
    """Findings by question and by what the gems held, the least recently used given up first.

    A gem's version is part of the key, so a write is seen at once; so is when it changed, since one that is deleted and
    imported anew may count its versions anew. Equal questions asked together are found once.

    Attributes:
        hits: questions whose findings were there, or on their way.
        misses: questions that were searched for.
        entries: how many findings may be kept.
        most_bytes: how large they may be together.
    """

    def __init__(self, entries: int = ENTRIES, most_bytes: int = BYTES) -> None:
        """Keep at most `entries` findings of at most `most_bytes` together; none if `entries` is 0."""
        self.entries = entries
        self.most_bytes = most_bytes
        self._kept: LRUCache[bytes, Findings] = LRUCache(most_bytes, getsizeof=lambda found: found.size)
        self._flights = Flights()
        self.hits = 0
        self.misses = 0

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def bytes_held(self) -> int:
        """How large the findings are together."""
        return int(self._kept.currsize)

    async def once(
        self,
        tenant: UUID,
        question: str,
        scope: Scope,
        weights: FusionWeights,
        find: Callable[[], Coroutine[Any, Any, Findings]],
    ) -> Findings:
        """Return what was found before, or find it, once for all who ask at the same time."""
        key = _key(tenant, question, scope, weights)
        kept = self._kept.get(key)
        if kept is not None:
            self.hits += 1
            return kept
        found, led = await self._flights.once(key, find)
        if led:
            self.misses += 1
            self._keep(key, found)
        else:
            self.hits += 1
        return found

    def _keep(self, key: bytes, found: Findings) -> None:
        if found.size <= self._kept.maxsize and self.entries:
            self._kept[key] = found
            while len(self._kept) > self.entries:
                self._kept.popitem()


def _key(tenant: UUID, question: str, scope: Scope, weights: FusionWeights) -> bytes:
    """Return a digest of all that shapes what is found: as long for a thousand gems and a long filter as for one."""
    gems = [(gem.gem_id, gem.version, gem.updated_at) for gem in scope.gems]
    reached = sorted(scope.worth.items())
    told = (
        tenant,
        question,
        gems,
        reached,
        scope.filters,
        scope.as_of,
        scope.column,
        scope.candidates,
        astuple(weights),
    )
    return hashlib.sha256(msgspec.json.encode(told, order="sorted")).digest()
