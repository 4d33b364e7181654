from collections.abc import Sequence
from dataclasses import FrozenInstanceError, replace
from decimal import Decimal
from uuid import UUID

import pytest

from core.errors import ConfigurationError
from llm_router.cache import AnswerCache, build_answer_cache
from llm_router.cache.answers import IDENTITIES, Kept
from llm_router.config import CacheConfig, TargetConfig
from llm_router.prompt import Prompt, ToolCall
from llm_router.reply import Answer, Usage
from tests.wire.clock import Clock

ANSWER = Answer("Turin [1].", "gpt", "stop", Usage(10, 5), raw_usage={"prompt_tokens": 10}, cost_usd=Decimal("0.01"))
SAFE = replace(ANSWER, raw_usage=None)


class Second:
    """A second level in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, Kept] = {}
        self.looks: list[list[str]] = []
        self.is_open = True

    async def find(self, keys: Sequence[str]) -> Kept | None:
        self.looks.append([*keys])
        return next((self.kept[key] for key in keys if key in self.kept), None)

    async def keep(self, kept: Kept) -> None:
        self.kept[kept.key] = kept

    async def aclose(self) -> None:
        self.is_open = False


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def test_an_answer_is_found_again_until_its_time_is_over(clock: Clock) -> None:
    cache = AnswerCache(CacheConfig(size=2, ttl_s=60), clock=clock)
    await cache.keep("a", ANSWER)
    assert await cache.find([]) is None
    assert await cache.find(["b", "a"]) == ("a", SAFE)
    await clock.sleep(59)
    assert await cache.find(["a"]) == ("a", SAFE)
    await clock.sleep(2)
    assert await cache.find(["a"]) is None


async def test_the_size_is_bounded_and_what_was_used_stays(clock: Clock) -> None:
    cache = AnswerCache(CacheConfig(size=2), clock=clock)
    await cache.keep("a", ANSWER)
    await cache.keep("b", ANSWER)
    await cache.find(["a"])
    await cache.keep("c", ANSWER)
    assert [await cache.find([key]) is not None for key in "abc"] == [True, False, True]


@pytest.mark.parametrize(
    "answer",
    [
        replace(ANSWER, finish="length"),
        replace(ANSWER, finish="content_filter"),
        replace(ANSWER, finish="tool_use"),
        replace(ANSWER, finish="other"),
        replace(ANSWER, text=" \n"),
        replace(ANSWER, tool_calls=(ToolCall("c1", "find", {}),)),
    ],
)
async def test_what_is_not_whole_and_safe_is_not_kept(answer: Answer) -> None:
    second = Second()
    cache = AnswerCache(CacheConfig(size=2), second)
    await cache.keep("a", answer)
    assert (await cache.find(["a"]), second.kept) == (None, {})


async def test_nobody_can_change_what_is_kept() -> None:
    cache = AnswerCache(CacheConfig(size=2))
    raw: dict[str, object] = {"prompt_tokens": 10}
    await cache.keep("a", replace(ANSWER, raw_usage=raw))
    raw.clear()
    found = await cache.find(["a"])
    assert found is not None
    assert found[1].raw_usage is None
    with pytest.raises(FrozenInstanceError):
        found[1].text = "Rome"  # type: ignore[misc]


async def test_the_second_level_is_asked_once_for_all_keys_and_only_when_needed(clock: Clock) -> None:
    second = Second()
    one = AnswerCache(CacheConfig(size=2, ttl_s=60), second, clock=clock)
    other = AnswerCache(CacheConfig(size=2, ttl_s=60), second, clock=clock)
    await one.keep("b", ANSWER)
    assert await one.find(["b"]) == ("b", SAFE)
    assert second.looks == []
    for _ in range(2):
        assert await other.find(["a", "b"]) == ("b", SAFE)
    assert second.looks == [["a", "b"]]
    await other.aclose()
    assert not second.is_open


@pytest.mark.parametrize(("left_s", "lives_s"), [(5.0, 5.0), (1e9, 60.0)])
async def test_an_answer_from_the_second_level_lives_no_longer_than_it_had_left(
    clock: Clock, left_s: float, lives_s: float
) -> None:
    second = Second()
    second.kept["a"] = Kept("a", SAFE, left_s)
    cache = AnswerCache(CacheConfig(size=2, ttl_s=60), second, clock=clock)
    await cache.find(["a"])
    second.kept.clear()
    await clock.sleep(lives_s - 1)
    assert await cache.find(["a"]) is not None
    await clock.sleep(2)
    assert await cache.find(["a"]) is None


def test_keys_are_made_of_tenant_target_and_prompt() -> None:
    cache = AnswerCache(CacheConfig(size=2))
    digest = cache.digest(Prompt("s", "q", (), 1))
    main, spare = TargetConfig("main", "openai", "gpt"), TargetConfig("spare", "openai", "gpt-2")
    keys = {cache.key_of(UUID(int=n), target, digest) for n in (1, 2) for target in (main, spare)}
    assert len(keys) == 4
    assert {cache.key_of(UUID(int=n), replace(target), digest) for n in (1, 2) for target in (main, spare)} == keys


def test_targets_of_past_configurations_are_forgotten() -> None:
    cache = AnswerCache(CacheConfig(size=2))
    for number in range(IDENTITIES + 10):
        config = TargetConfig("main", "openai", f"gpt-{number}")
        assert cache.key_of(UUID(int=1), config, b"") == cache.key_of(UUID(int=1), replace(config), b"")
    assert len(cache._identities) == IDENTITIES


async def test_one_flight_serves_all_who_ask_for_the_same() -> None:
    cache = AnswerCache(CacheConfig(size=2))

    async def produce() -> str:
        return "x"

    assert await cache.once("k", produce) == ("x", True)


async def test_a_cache_of_no_size_is_none() -> None:
    assert build_answer_cache(CacheConfig()) is None
    cache = build_answer_cache(CacheConfig(size=1))
    assert cache is not None
    await cache.aclose()


@pytest.mark.parametrize("url", ["http://:secret@host", "redis://:secret@host:secret", "secret", "://secret"])
def test_an_address_that_is_none_is_told_without_its_password(url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        build_answer_cache(CacheConfig(size=1, url=url))
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_client_that_is_not_installed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(_: str) -> object:
        raise ModuleNotFoundError("no", name="redis")

    monkeypatch.setattr("pkgutil.resolve_name", resolve)
    with pytest.raises(ConfigurationError, match=r"crystal-lattice\[cache\]"):
        build_answer_cache(CacheConfig(size=1, url="redis://host"))
