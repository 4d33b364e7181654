"""Whole answers, kept for the same question by the same tenant to the same target."""

import pkgutil
import time
from collections.abc import Callable, Coroutine, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar
from uuid import UUID

from cachetools import LRUCache, TLRUCache

from core.errors import ConfigurationError
from core.flights import Flights
from llm_router.cache.keys import digest_prompt, identify_target, key_of
from llm_router.config import CacheConfig, TargetConfig
from llm_router.prompt import Prompt
from llm_router.reply import Answer

IDENTITIES = 1_024  # of targets that are remembered: more than one configuration has

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer out of a cache.

    Attributes:
        life_s: how long it stays good, in seconds.
    """

    key: str
    answer: Answer
    life_s: float


class SecondLevel(Protocol):
    """A cache behind this one. It never fails: what it cannot do is a miss."""

    async def find(self, keys: Sequence[str]) -> Kept | None:
        """Return the answer of the first of these keys that has one."""

    async def keep(self, kept: Kept) -> None:
        """Keep an answer."""

    async def aclose(self) -> None:
        """Close the connections."""


class AnswerCache:
    """A bounded cache of exact answers in the process, and behind it one that replicas may share.

    What it gives back is shared by all who get it and cannot be changed: answers are frozen, and what a provider said
    of its usage, which is not, is left out; it belongs to the attempt that was paid for.

    Args:
        config: its size, how long answers stay good.
        shared: the second level; None for none.
        clock: monotonic seconds.

    Attributes:
        size: answers kept at most in this process.
        ttl_s: how long an answer stays good.
    """

    def __init__(
        self, config: CacheConfig, shared: SecondLevel | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.size = config.size
        self.ttl_s = config.ttl_s
        self._shared = shared
        self._kept: TLRUCache[str, Kept] = TLRUCache(config.size, lambda _, kept, now: now + kept.life_s, clock)
        self._flights = Flights()
        self._identities: LRUCache[int, tuple[TargetConfig, str]] = LRUCache(IDENTITIES)

    def __len__(self) -> int:
        return len(self._kept)

    def digest(self, prompt: Prompt) -> bytes:
        """Return the digest of a prompt."""
        return digest_prompt(prompt)

    def key_of(self, tenant: UUID, config: TargetConfig, digest: bytes) -> str:
        """Return the key of a target's answer to a prompt of this digest."""
        known = self._identities.get(id(config))  # the entry holds the configuration, so no other has its id
        if known is None:
            known = self._identities[id(config)] = (config, identify_target(config))
        return key_of(tenant, known[1], digest)

    async def find(self, keys: Sequence[str]) -> tuple[str, Answer] | None:
        """Return the first answer to one of these keys, with its key: from the process, else from the second level."""
        for key in keys:
            kept = self._kept.get(key)
            if kept is not None:
                return key, kept.answer
        found = await self._shared.find(keys) if self._shared is not None and keys else None
        if found is None:
            return None
        self._kept[found.key] = replace(found, life_s=min(found.life_s, self.ttl_s))
        return found.key, found.answer

    async def keep(self, key: str, answer: Answer) -> None:
        """Keep an answer if it is whole and safe to say again; others are passed over."""
        if not is_keepable(answer):
            return
        kept = Kept(key, replace(answer, raw_usage=None), self.ttl_s)
        self._kept[key] = kept
        if self._shared is not None:
            await self._shared.keep(kept)

    async def once(self, flight_key: Hashable, produce: Callable[[], Coroutine[Any, Any, T]]) -> tuple[T, bool]:
        """Return what `produce` gives, run once for all who ask for the same key at the same time.

        It goes on when the caller that began it leaves, as long as another waits; what it raises reaches them all.

        Returns:
            The value and whether this caller began it.
        """
        return await self._flights.once(flight_key, produce)

    async def aclose(self) -> None:
        """Close what the second level holds open."""
        if self._shared is not None:
            await self._shared.aclose()


def is_keepable(answer: Answer) -> bool:
    """Say whether an answer ended of itself, says something, and asks for nothing to be done."""
    return answer.finish == "stop" and bool(answer.text.strip()) and not answer.tool_calls


def build_answer_cache(config: CacheConfig) -> AnswerCache | None:
    """Return the cache of a configuration, None where it is switched off; no server is spoken to yet.

    Raises:
        ConfigurationError: the shared cache's address is none, or its client is not installed.
    """
    if not config.size:
        return None
    if config.url is None:
        return AnswerCache(config)
    try:
        connect: Callable[[str], SecondLevel] = pkgutil.resolve_name("llm_router.cache.shared:SharedCache")
    except ModuleNotFoundError as e:
        raise ConfigurationError(
            f"llm: cache: a shared cache needs the client {e.name!r}: install crystal-lattice[cache]"
        ) from e
    return AnswerCache(config, connect(config.url))
