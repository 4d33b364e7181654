"""Answers that replicas share, on a Valkey or Redis server. It is only a cache: without it all goes on, slower."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import structlog
from pydantic import TypeAdapter, ValidationError
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.maint_notifications import MaintNotificationsConfig

from core.errors import ConfigurationError
from llm_router.cache.answers import Kept
from llm_router.reply import Answer

log = structlog.get_logger(__name__)

PREFIX = "lattice:answers:1:"
"""Of each key on the server; the number is the form of the values."""

CONNECTIONS = 32
TIMEOUT_S = 0.25
REST_S = 10.0

SCHEMES = {"valkey": "redis", "valkeys": "rediss"}
"""The client knows one of the two servers by its name; both speak one protocol."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Entry:
    """What stands on the server.

    Attributes:
        key: under which it stands, so that an answer is never taken for another question's, whatever goes wrong.
        until_s: how long it is good, in seconds since 1970.
    """

    key: str
    until_s: float
    answer: Answer


_ENTRY: TypeAdapter[_Entry] = TypeAdapter(_Entry)


class SharedCache:
    """A server asked with little patience.

    What it does not answer in time, or answers with an error, is a miss. It is then left alone for a while, so that
    its trouble costs one wait rather than one a call; after that a single call tries it again.

    Args:
        url: redis://, rediss://, valkey://, valkeys:// or unix://; it may hold a password.
        timeout_s: for one look or one write, connecting included.
        rest_s: how long the server is left alone after a failure.
        clock: monotonic seconds.
        now: seconds since 1970.

    Raises:
        ConfigurationError: that is no such address.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout_s: float = TIMEOUT_S,
        rest_s: float = REST_S,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._client = _build_client(url, timeout_s)
        self._timeout_s = timeout_s
        self._rest_s = rest_s
        self._clock = clock
        self._now = now
        self._rests_until_s = -math.inf
        self._is_failing = False

    async def find(self, keys: Sequence[str]) -> Kept | None:
        """Return the answer of the first of these keys that has one, by one request."""
        values = await self._try(lambda: self._client.mget([PREFIX + key for key in keys]))
        return next(self._read(keys, values or []), None)

    async def keep(self, kept: Kept) -> None:
        """Keep an answer as long as it stays good."""
        value = _ENTRY.dump_json(_Entry(kept.key, self._now() + kept.life_s, kept.answer))
        await self._try(lambda: self._client.set(PREFIX + kept.key, value, px=math.ceil(kept.life_s * 1000)))

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _try(self, command: Callable[[], Awaitable[T]]) -> T | None:
        if self._clock() < self._rests_until_s:
            return None
        is_probe = self._is_failing
        if is_probe:  # whoever comes while this call tries goes without
            self._rests_until_s = self._clock() + self._rest_s
        try:
            async with asyncio.timeout(self._timeout_s):
                value = await command()
        except (RedisError, OSError) as error:  # TimeoutError is one of the latter
            if is_probe or not self._is_failing:  # of many calls that fail together, one tells
                log.warning("shared_cache_failed", error=type(error).__name__, rest_s=self._rest_s)
            self._is_failing = True
            self._rests_until_s = self._clock() + self._rest_s
            return None
        self._is_failing = False
        self._rests_until_s = -math.inf
        return value

    def _read(self, keys: Sequence[str], values: Sequence[bytes | str | None]) -> Iterator[Kept]:
        now_s = self._now()
        for key, value in zip(keys, values, strict=False):
            if value is None:
                continue
            try:
                entry = _ENTRY.validate_json(value)
            except ValidationError:  # written by another version, or not by us
                continue
            if entry.key == key and entry.until_s > now_s:
                yield Kept(key, entry.answer, entry.until_s - now_s)


def _build_client(url: str, timeout_s: float) -> Redis:
    scheme, mark, rest = url.partition("://")
    try:
        pool = BlockingConnectionPool.from_url(
            f"{SCHEMES.get(scheme, scheme)}{mark}{rest}",
            max_connections=CONNECTIONS,
            timeout=timeout_s,
            retry=Retry(NoBackoff(), 1),  # once: a connection that was closed while idle shows only when it is used
            maint_notifications_config=MaintNotificationsConfig(enabled=False),
        )
    except ValueError:  # its text may quote a part of the address, and so the password
        raise ConfigurationError(
            "llm: cache: url must begin with valkey://, valkeys://, redis://, rediss:// or unix:// and name a server"
        ) from None
    return Redis.from_pool(pool)
